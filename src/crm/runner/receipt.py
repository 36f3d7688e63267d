"""The receipt: the record of a run, kept outside the notebooks. What ran, on which data, how it ended."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from crm.atomic import write_json

Status = Literal["COMPLETE", "PARTIAL", "FAILED", "RUNNING"]
NotebookStatus = Literal["COMPLETE", "LEFT_OUT", "FAILED", "SKIPPED", "CARRIED"]

RECEIPT = "receipt.json"
RESULTS = "results.json"
ABOUT_THE_DATA = "00_"
WITHOUT_A_WORD = "the run ended without a word: killed or machine stopped"


@dataclass(frozen=True)
class NotebookRecord:
    """How one notebook of a run ended.

    page: its page in the run's folder, None if it never came to one.   sha256: of the notebook that was executed.
    carried_from: the run that executed it, where this one only carries its results.
    reason: of one that is LEFT_OUT: what these data lack for it, what was found, and what would make it possible.
    was_there_in: the run, published until then, that still had the results of one that is LEFT_OUT.
    """

    name: str
    title: str
    status: NotebookStatus
    sha256: str = ""
    seconds: float | None = None
    peak_memory_mb: float | None = None
    error: str | None = None
    last_lines: tuple[str, ...] = ()
    page: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    mlflow_run_ids: tuple[str, ...] = ()
    carried_from: str | None = None
    reason: str | None = None
    was_there_in: str | None = None

    @property
    def usable(self) -> bool:
        """Are its findings and scores there, whole?"""
        return self.status in ("COMPLETE", "CARRIED")

    @property
    def left_out(self) -> bool:
        """Are the data too few for it, or for one whose scores it reads?"""
        return self.status == "LEFT_OUT"

    @property
    def about_the_data(self) -> bool:
        """Does it look at the data themselves? Such a notebook is numbered 00; every other is an analysis of them."""
        return self.name.startswith(ABOUT_THE_DATA)


@dataclass(frozen=True)
class Receipt:
    """The record of a run; `selection` are the notebooks it was asked for, `missing` those it has nothing of.

    Times are ISO in UTC. latency: `data_days` from the newest row to the as-of date (0: up to date), and
    `analysis_seconds` from the start of the run until its pages were written.
    champions: the approved models the run started from, by name: `version`, the `run` that made it, and a `note`
    where somebody chose it by hand.     retrain: `auto`, `always` or `never`, as it was asked for.
    lists: what became of its action lists once it was published: kept, unchanged, or in a sentence why not kept.
    """

    run_id: str
    status: Status
    as_of: str
    started_at: str
    ended_at: str | None = None
    seconds: float | None = None
    selection: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    settings_fingerprint: str = ""
    seed: int | None = None
    retrain: str = "auto"
    source: dict[str, Any] | None = None
    code: dict[str, Any] = field(default_factory=dict)
    python: str = ""
    packages: dict[str, str] = field(default_factory=dict)
    champions: dict[str, dict[str, str]] = field(default_factory=dict)
    notebooks: tuple[NotebookRecord, ...] = ()
    latency: dict[str, Any] = field(default_factory=lambda: {"data_days": None, "analysis_seconds": None})
    error: str | None = None
    lists: dict[str, str] = field(default_factory=dict)

    @property
    def source_fingerprint(self) -> str | None:
        """Of the data; None if they were never read."""
        return self.source["fingerprint"] if self.source else None

    @property
    def whole(self) -> bool:
        """Is every report notebook in it, with whole results or left out, and anything said of the customers?"""
        return self.status == "COMPLETE" and not self.missing and not says_nothing(self.notebooks)

    @property
    def left_out(self) -> tuple[NotebookRecord, ...]:
        """The notebooks for which the data are too few."""
        return tuple(record for record in self.notebooks if record.left_out)

    def with_notebook(self, record: NotebookRecord) -> Receipt:
        """With this notebook's record, in the place of an earlier one, in the order of the names."""
        others = [other for other in self.notebooks if other.name != record.name]
        return replace(self, notebooks=tuple(sorted([*others, record], key=lambda one: one.name)))

    def ended_early(self, error: str, *, status: NotebookStatus) -> Receipt:
        """FAILED, and so are, in the way `status` says, the notebooks asked for that have no record yet."""
        receipt = replace(self, status="FAILED", error=error)
        for name in set(self.selection) - {record.name for record in self.notebooks}:
            receipt = receipt.with_notebook(NotebookRecord(name, name, status, error=error))
        return receipt


def write_receipt(run_folder: Path, receipt: Receipt) -> None:
    """Write receipt.json into the run's folder, whole."""
    write_json(run_folder / RECEIPT, asdict(receipt))


def read_receipt(run_folder: Path) -> Receipt | None:
    """The receipt in a run's folder; None where there is none that can be read."""
    try:
        record = json.loads((run_folder / RECEIPT).read_text(encoding="utf-8"))
        notebooks = [NotebookRecord(**_known(NotebookRecord, one)) for one in record.pop("notebooks", [])]
        return Receipt(**_known(Receipt, record), notebooks=tuple(notebooks))
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def read_receipts(reports: Path) -> list[Receipt]:
    """The receipts of all runs in a reports folder, the newest first."""
    folders = (reports / "runs").glob("[!.]*") if (reports / "runs").is_dir() else ()
    receipts = [receipt for folder in folders if (receipt := read_receipt(folder))]
    return sorted(receipts, key=lambda receipt: (receipt.started_at, receipt.run_id), reverse=True)


def published_run(reports: Path) -> Path | None:
    """The folder of the run that `latest` shows; None if there is none."""
    latest = reports / "latest"
    return latest.resolve() if latest.is_dir() else None


def overall_status(records: Sequence[NotebookRecord]) -> Status:
    """COMPLETE if every notebook is or is left out, PARTIAL if some are complete, else FAILED.

    Where no analysis is left to be shown, the run is FAILED.
    """
    if all(record.usable or record.left_out for record in records):
        return "FAILED" if says_nothing(records) else "COMPLETE"
    return "PARTIAL" if any(record.usable for record in records) else "FAILED"


def nothing_to_say(records: Sequence[NotebookRecord]) -> str | None:
    """In a sentence, that no analysis is left to be shown; None if that is not so."""
    if not says_nothing(records):
        return None
    names = [record.name for record in records if record.left_out]
    return f"No analysis could be made: {', '.join(names)} {'is' if len(names) == 1 else 'are'} left out."


def says_nothing(records: Sequence[NotebookRecord]) -> bool:
    """Were analyses left out, and none is there? What looks only at the data themselves is not one."""
    return any(record.left_out for record in records) and not any(
        record.usable and not record.about_the_data for record in records
    )


def utc(moment: dt.datetime) -> str:
    """A moment as it stands in receipts: 2026-11-22T15:18:00Z."""
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _known(kind: type[Any], record: dict[str, Any]) -> dict[str, Any]:
    """The fields this version knows: a receipt of another version may have more."""
    names = {one.name for one in fields(kind)}
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in record.items() if name in names
    }
