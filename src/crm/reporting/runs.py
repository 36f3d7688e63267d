"""Runs as they stand on disk: what their receipts and results say, however much of that is there."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crm.headline import Headline
from crm.reporting.stamp import Stamp
from crm.reporting.wording import duration, without_examples

UNREADABLE = "UNREADABLE"
MOST_SENTENCES = 3
ABOUT_THE_DATA = "00_"
"""So is numbered what looks at the data themselves; every other notebook is an analysis of them."""


@dataclass(frozen=True)
class Answer:
    """One notebook of a run: its question, how it ended, and what it found.

    page: the file in the run's folder; empty where there is none.
    reason: why it is LEFT_OUT, and what would make it possible.
    was_there_in: the run that everybody saw before, which still had the results of one that is LEFT_OUT.
    headline: its number for the front page.     named: its sentences by the name of the finding.
    """

    name: str
    question: str
    status: str
    page: str
    sentences: tuple[str, ...]
    took: str
    error: str
    last_lines: str
    carried_from: str
    reason: str
    was_there_in: str
    headline: Headline | None = None
    named: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def about_the_data(self) -> bool:
        """Does it look at the data themselves, before any analysis of them?"""
        return self.name.startswith(ABOUT_THE_DATA)

    @property
    def found(self) -> bool:
        """Are its results there, whole?"""
        return self.status in ("COMPLETE", "CARRIED")

    @property
    def first_sentences(self) -> tuple[str, ...]:
        """The findings that fit on an overview."""
        return self.sentences[:MOST_SENTENCES]


@dataclass(frozen=True)
class Run:
    """A run, from its receipt; `status` is UNREADABLE where that is broken or missing."""

    folder: Path
    stamp: Stamp
    answers: tuple[Answer, ...] = ()
    error: str = ""
    receipt: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def run_id(self) -> str:
        """The run's name, which is its folder's."""
        return self.folder.name

    @property
    def status(self) -> str:
        """COMPLETE, PARTIAL, FAILED, RUNNING or UNREADABLE."""
        return self.stamp.status

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        return _number(self.receipt.get("seconds"))

    @property
    def selection(self) -> tuple[str, ...]:
        """The notebooks it was asked for."""
        return tuple(_text(name) for name in _list(self.receipt.get("selection")))

    @property
    def whole(self) -> bool:
        """Does it show all there is to show: nothing failed or is missing, and not every analysis is left out?"""
        analyses = {answer.status for answer in self.answers if not answer.about_the_data}
        says_nothing = "LEFT_OUT" in analyses and analyses.isdisjoint({"COMPLETE", "CARRIED"})
        return self.status == "COMPLETE" and not self.receipt.get("missing") and not says_nothing

    @property
    def headlines(self) -> Mapping[str, Headline]:
        """The headline of each notebook whose results are there."""
        return {one.name: one.headline for one in self.answers if one.found and one.headline is not None}

    @property
    def started(self) -> dt.datetime:
        """When it started; its folder's name (as-of date, start, chance) tells where its receipt does not."""
        for text in (self.stamp.started_at, *self.run_id.split("_")[1:2]):
            try:
                at = dt.datetime.fromisoformat(text)
            except ValueError:
                continue
            return at if at.tzinfo else at.replace(tzinfo=dt.UTC)
        return dt.datetime.min.replace(tzinfo=dt.UTC)

    @property
    def gone(self) -> tuple[Answer, ...]:
        """The notebooks left out that everybody saw results of before."""
        return tuple(answer for answer in self.answers if answer.was_there_in)

    @property
    def has_index(self) -> bool:
        """Is there a page to open?"""
        return (self.folder / "index.html").is_file()


def read_runs(folder: Path) -> list[Run]:
    """Every run under `reports/runs`, the one that started last first; never raises for a broken one."""
    folders = [path for path in folder.glob("*") if path.is_dir() and not path.name.startswith(".")]
    return sorted((read_run(path) for path in folders), key=lambda run: (run.started, run.run_id), reverse=True)


def read_run(folder: Path) -> Run:
    """A run from `receipt.json` and `results.json` in its folder."""
    receipt = _record(folder / "receipt.json")
    if receipt is None:
        return Run(folder, _stamp(folder, {}), error="Its receipt is missing or broken.")
    found = _dict((_record(folder / "results.json") or {}).get("notebooks"))
    notebooks = [entry for entry in _list(receipt.get("notebooks")) if isinstance(entry, dict)]
    answers = tuple(_answer(entry, found, folder) for entry in notebooks)
    return Run(folder, _stamp(folder, receipt), answers, _text(receipt.get("error")), receipt)


def _record(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _stamp(folder: Path, receipt: Mapping[str, Any]) -> Stamp:
    source, latency = _dict(receipt.get("source")), _dict(receipt.get("latency"))
    return Stamp(
        run_id=folder.name,
        status=_text(receipt.get("status")) or UNREADABLE,
        as_of=_date(receipt.get("as_of")) or _date(folder.name[:10]) or dt.date.min,
        started_at=_text(receipt.get("started_at")),
        fingerprint=_text(source.get("fingerprint")),
        data_days=_whole(latency.get("data_days")),
        analysis_seconds=_number(latency.get("analysis_seconds")),
    )


def _answer(entry: Mapping[str, Any], found: Mapping[str, Any], folder: Path) -> Answer:
    name = _text(entry.get("name"))
    page = _text(entry.get("page"))
    results = _dict(found.get(name))
    findings = [one for one in _list(results.get("findings")) if isinstance(one, dict)]
    return Answer(
        name=name,
        question=_text(entry.get("title")) or name,
        status=_text(entry.get("status")) or UNREADABLE,
        page=page if page and Path(page).name == page and (folder / page).is_file() else "",
        sentences=tuple(_text(one.get("sentence")) for one in findings),
        took=duration(_number(entry.get("seconds"))),
        error=without_examples(_text(entry.get("error"))),
        last_lines="\n".join(without_examples(_text(line)) for line in _list(entry.get("last_lines"))),
        carried_from=_text(entry.get("carried_from")),
        reason=_text(entry.get("reason")),
        was_there_in=_text(entry.get("was_there_in")),
        headline=Headline.read(results.get("headline")),
        named={_text(one.get("name")): _text(one.get("sentence")) for one in findings},
    )


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def _date(value: Any) -> dt.date | None:
    try:
        return dt.date.fromisoformat(_text(value))
    except ValueError:
        return None
