"""What a report notebook calls last: its findings, measures and scores become files of the run.

Under the runner, `publish` writes `scores/<as_of>/<name>.parquet`, action lists as `lists/<list_id>.csv`, `.parquet`
and `.json`, and then `parts/<notebook>.json` into the run's folder. Opened by hand a notebook has no run: what it
found is a draft, everything is checked and nothing is written.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from crm.atomic import whole_file, write_json
from crm.config import Settings
from crm.errors import CrmError
from crm.finding import Finding
from crm.headline import Headline
from crm.written_lists import LEDGER, ListToWrite, write_list


class NotPublishable(CrmError):
    """What a notebook wanted to publish cannot stand in a report."""


@dataclass(frozen=True)
class Published:
    """What was published, or, of a draft, what a run would publish.

    notebook: its name.     run_folder: where the files are; None: a draft, nothing was written.
    findings: their names.  scores: rows by name of the score table.     as_of: the first day not known.
    lists:    by name of the list, how many are to be contacted and how many are held out.
    """

    notebook: str
    run_folder: Path | None
    findings: tuple[str, ...]
    scores: Mapping[str, int]
    as_of: dt.date
    lists: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def draft(self) -> bool:
        """Was nothing written?"""
        return self.run_folder is None

    def __repr__(self) -> str:
        count = len(self.findings)
        parts = [f"{count} finding{'' if count == 1 else 's'}"]
        parts += [f"{name}.parquet ({rows:,} rows)" for name, rows in self.scores.items()]
        parts += [
            f"{name}.csv ({treated:,} to contact, {held_out:,} held out)"
            for name, (treated, held_out) in self.lists.items()
        ]
        what = f"{', '.join(parts)} as of {self.as_of}"
        if self.run_folder is None:
            return f"A draft: nothing was written. `crm run --only {self.notebook}` would publish {what}."
        return f"Written into run {self.run_folder.name}: {what}."

    def _repr_html_(self) -> str:
        return f'<p class="published">{escape(repr(self))}</p>'


def publish(
    notebook: str,
    *,
    settings: Settings,
    run_folder: str | Path,
    findings: Sequence[Finding],
    headline: Headline | None = None,
    measures: Mapping[str, object] | None = None,
    scores: Mapping[str, pd.DataFrame] | None = None,
    lists: Mapping[str, ListToWrite] | None = None,
    ledger: pd.DataFrame | None = None,
    mlflow_run_ids: Sequence[str] = (),
) -> Published:
    """Hand over what this notebook found; an empty `run_folder` makes it a draft.

    notebook: the notebook's own name, such as "02_segmentation".
    findings: at least one, each under its own name, without missing numbers.
    headline: the number of these findings that stands on the front page.
    measures: numbers for results.json, nested as it suits; a frame becomes one record a row, a missing number null.
    scores:   tables with a text column customer_id, written so that equal tables give equal bytes.
    lists:    action lists by their list_id; those to contact become a CSV, everybody with the arm a Parquet file.
    ledger:   who was left out of the lists, and why, with customer_id: lists/ledger.parquet.

    Raises NotPublishable, or ListError for a list that could not be sent or measured.
    """
    part: dict[str, Any] = {
        "notebook": notebook,
        "findings": _finding_records(findings),
        "headline": _headline_record(headline, findings),
        "measures": _plain(dict(measures or {}), place="measures", missing_allowed=True),
        "scores": sorted(scores or {}),
        "mlflow_run_ids": list(mlflow_run_ids),
    }
    tables = {name: _score_table(name, frame) for name, frame in sorted((scores or {}).items())}
    writing = _lists(dict(sorted((lists or {}).items())), settings.as_of)
    left_out = None if ledger is None else _ordered_table("the ledger", ledger)
    if lists or ledger is not None:
        part |= {"lists": list(writing), "ledger": ledger is not None}
    names = tuple(finding.name for finding in findings)
    rows = {name: table.num_rows for name, table in tables.items()}
    counts = {name: (one.written.treated, one.written.held_out) for name, one in writing.items()}
    if not str(run_folder):
        return Published(notebook, None, names, rows, settings.as_of, counts)
    folder = _existing(Path(run_folder))
    _refuse_those_of_others(part, folder / "parts")
    _write_scores(tables, folder / "scores" / settings.as_of.isoformat())
    _write_lists(writing.values(), left_out, folder / "lists")
    (folder / "parts").mkdir(exist_ok=True)
    write_json(folder / "parts" / f"{notebook}.json", part)
    return Published(notebook, folder, names, rows, settings.as_of, counts)


def read_scores(name: str, *, settings: Settings, run_folder: str | Path = "") -> pd.DataFrame | None:
    """The scores of another notebook for the same as-of date, by the name of the table; None where there are none.

    In a run those of the run itself; in a draft those that were published last.
    """
    date = settings.as_of.isoformat()
    folder = Path(run_folder) / "scores" if str(run_folder) else settings.folders.data / "scores"
    file = folder / date / f"{name}.parquet"
    return pd.read_parquet(file) if file.is_file() else None


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise NotPublishable(
            "run_folder must be the folder of a run.",
            found=f"no folder {folder}",
            do="Leave run_folder empty for a draft; `crm run` sets it.",
        )
    return folder


def _refuse_those_of_others(part: Mapping[str, Any], parts: Path) -> None:
    """A score table belongs to one notebook of a run, and so do the action lists."""
    for other in sorted(parts.glob("[!.]*.json")):
        theirs = json.loads(other.read_text(encoding="utf-8"))
        taken = set(part["scores"]) & set(theirs["scores"])
        if other.stem != part["notebook"] and "lists" in part and "lists" in theirs:
            taken.add(f"lists/{LEDGER}")
        if taken and other.stem != part["notebook"]:
            raise NotPublishable(
                "Each score table must be published by one notebook only, and all action lists by one.",
                found=f"{', '.join(sorted(taken))} is published by {other.stem} too",
                do="Rename one of them, or hand all lists over together.",
            )


def _finding_records(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    names = [finding.name for finding in findings]
    if not names:
        raise NotPublishable(
            "A report must have at least one finding.", found="none", do="Pass what it found as findings=[…]."
        )
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise NotPublishable(
            "The names of a notebook's findings must differ.",
            found=f"{', '.join(twice[:3])} more than once",
            do="Rename one: results.json is read by these names.",
        )
    return [_finding_record(finding) for finding in findings]


def _finding_record(finding: Finding) -> dict[str, Any]:
    values = _plain(dict(finding.values), place=f"finding {finding.name}", missing_allowed=False)
    return {**finding.as_record(), "values": values}


def _headline_record(headline: Headline | None, findings: Sequence[Finding]) -> dict[str, Any] | None:
    """The headline, whose number must be that of one of the findings."""
    if headline is None:
        return None
    told = next((one.values.get(headline.value) for one in findings if one.name == headline.finding), None)
    if not isinstance(told, int | float | Decimal | np.number) or float(told) != headline.number:
        raise NotPublishable(
            "The number of the front page must be one of the page's findings.",
            found=f"{headline.number} for {headline.name}; the finding says {'nothing' if told is None else told}",
            do="Make it with Headline.of(finding, …) of a finding that is published too.",
        )
    record: dict[str, Any] = _plain(headline.as_record(), place="the headline", missing_allowed=True)
    return record


def _plain(value: Any, *, place: str, missing_allowed: bool) -> Any:
    """The value in the types JSON has; where it stands is `place`, for the message."""
    if isinstance(value, pd.DataFrame):
        value = value.to_dict("records")
    if isinstance(value, Mapping):
        return {
            str(_plain(key, place=place, missing_allowed=False)): _plain(
                inner, place=f"{place}.{key}", missing_allowed=missing_allowed
            )
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple | np.ndarray | pd.Series | pd.Index):
        return [_plain(inner, place=place, missing_allowed=missing_allowed) for inner in value]
    return _plain_scalar(value, place=place, missing_allowed=missing_allowed)


def _plain_scalar(value: Any, *, place: str, missing_allowed: bool) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Decimal):
        value = float(value)
    if _is_missing(value):
        if missing_allowed:
            return None
        raise NotPublishable(
            "The numbers of a finding must be there and finite.",
            found=f"{value} in {place}",
            do="Say in another sentence what cannot be computed, and why.",
        )
    if isinstance(value, dt.date):  # and datetime, and pandas' Timestamp
        return value.isoformat()
    if isinstance(value, str | bool | int | float):
        return value
    raise NotPublishable(
        "What is published must be numbers, texts, truth values, dates, or lists and mappings of them.",
        found=f"{type(value).__name__} in {place}",
        do="Convert it first; a table may be given as a pandas frame.",
    )


def _is_missing(value: Any) -> bool:
    return (
        value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and not math.isfinite(value))
    )


def _score_table(name: str, frame: pd.DataFrame) -> pa.Table:
    """The scores in a fixed order and in types that do not depend on how they were made."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise NotPublishable(
            "A score table is named in small letters, digits and underscores.",
            found=repr(name),
            do="Rename it: its name becomes a file's.",
        )
    return _ordered_table(f"the scores {name}", frame)


def _ordered_table(what: str, frame: pd.DataFrame) -> pa.Table:
    """A table about customers, so that equal ones give equal bytes; `what` it is, for the message."""
    _refuse_without_customers(what, frame)
    values = frame.assign(
        **{
            str(column): frame[column].astype(cast(Any, frame[column].dtype).categories.dtype)
            for column in frame.columns
            if isinstance(frame[column].dtype, pd.CategoricalDtype)
        }
    )
    ties = [column for column in values.columns if column != "customer_id" and _has_an_order(values[column])]
    ordered = values.sort_values(["customer_id", *ties], kind="stable", ignore_index=True)
    table = pa.Table.from_pandas(ordered, preserve_index=False).replace_schema_metadata(None)
    text = [f.with_type(pa.string()) if pa.types.is_large_string(f.type) else f for f in table.schema]
    return table.cast(pa.schema(text))


def _refuse_without_customers(what: str, frame: pd.DataFrame) -> None:
    if "customer_id" not in frame.columns:
        found = f"columns {', '.join(map(str, frame.columns))}"
    elif frame["customer_id"].isna().any():
        found = f"{int(frame['customer_id'].isna().sum()):,} rows without one"
    elif not pd.api.types.is_string_dtype(frame["customer_id"]):
        found = f"customer_id of type {frame['customer_id'].dtype}"
    else:
        return
    raise NotPublishable(
        f"Every row of {what} must have a customer_id, as text.",
        found=found,
        do="Identifiers are text everywhere; reset the index if it holds them.",
    )


def _has_an_order(column: pd.Series[Any]) -> bool:
    types = pd.api.types
    return bool(
        types.is_numeric_dtype(column) or types.is_datetime64_any_dtype(column) or types.is_string_dtype(column)
    )


def _write_scores(tables: Mapping[str, pa.Table], folder: Path) -> None:
    for name, table in tables.items():
        folder.mkdir(parents=True, exist_ok=True)
        with whole_file(folder / f"{name}.parquet") as waiting:
            pq.write_table(table, waiting, version="2.6", compression="zstd", row_group_size=1 << 20)


@dataclass(frozen=True)
class _Writing:
    """A list, ready to be written."""

    written: ListToWrite
    rows: pa.Table
    record: Mapping[str, Any]


def _lists(lists: Mapping[str, ListToWrite], as_of: dt.date) -> dict[str, _Writing]:
    writing = {}
    for name, one in lists.items():
        if (name, one.as_of) != (one.list_id, as_of):
            raise NotPublishable(
                "A list is handed over by its own name, and as of the date of the run.",
                found=f"{name!r} for the list {one.list_id} as of {one.as_of}; the run is as of {as_of}",
                do="Hand it over as {list_id: list}.",
            )
        rows = _ordered_table(f"the list {name}", one.rows)
        one.refuse_unfit()
        record = _plain(one.as_record(), place=f"list {name}", missing_allowed=True)
        writing[name] = _Writing(one, rows, record)
    return writing


def _write_lists(lists: Iterable[_Writing], ledger: pa.Table | None, folder: Path) -> None:
    for one in lists:
        folder.mkdir(parents=True, exist_ok=True)
        write_list(folder, one.written, one.rows, record=one.record)
    if ledger is not None:
        _write_scores({LEDGER: ledger}, folder)
