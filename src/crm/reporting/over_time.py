"""Headline numbers over several runs: what changed since the last one, and how they went."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from markupsafe import Markup

from crm.headline import MOST_POINTS, Headline, Trail
from crm.reporting.runs import Run
from crm.reporting.small_charts import line
from crm.reporting.wording import MINUS, SHARE

MOST_RUNS = 6
"""Dates that stand beside each other in the table; its small lines reach back further."""

Tone = Literal["good", "bad", "plain"]
_ARROW = {1: "▲", -1: "▼", 0: "="}
_NOT_ABOUT_NUMBERS = ("clock", "folders", "tracking", "review", "runs")


def figure(number: float, unit: str = "", *, beside: float | None = None) -> str:
    """A number as it stands large: to the last whole one, small ones with decimals, a share as per cent.

    beside: the number whose decimals it shares, as the ends of an interval do.
    """
    size = abs(number if beside is None else beside)
    if unit == SHARE:
        text = f"{100 * number:.1f}%"
    elif size >= 100 or number == round(number):
        text = f"{number:,.0f}"
    else:
        text = f"{number:,.{1 if size >= 10 else 2}f}"
    return text.replace("-", MINUS)


@dataclass(frozen=True)
class Change:
    """How a headline changed since the run before, in words beside an arrow.

    words: "Up by 120 (+5.7%)".     since: "since 2017-10-01".
    verdict: "better", "worse", that it may be chance, or nothing.     tone: good or bad only where that is said.
    """

    arrow: str
    words: str
    since: str
    verdict: str
    tone: Tone


def before(run: Run, runs: Iterable[Run]) -> Run | None:
    """The run to hold this one against: whole, of the newest earlier date; of a date the one that started last.

    Without an earlier date, an earlier run of the same date on other data or with other settings.
    """
    whole = [one for one in runs if one.whole and one.run_id != run.run_id]
    earlier = [one for one in whole if one.stamp.as_of < run.stamp.as_of]
    if not earlier:
        same = [one for one in whole if one.stamp.as_of == run.stamp.as_of and one.started < run.started]
        earlier = [one for one in same if _circumstances(one) != _circumstances(run)]
    return max(earlier, key=lambda one: (one.stamp.as_of, one.started), default=None)


def change(now: Headline, run: Run, then: Headline | None, previous: Run | None) -> Change | None:
    """How a number of this run differs from that of the run before; None where there is none before."""
    if previous is None:
        return None
    since = _since(run, previous)
    if then is None or not now.same_measure(then):
        return Change("", "No number to compare with", since, "", "plain")
    by = now.number - then.number
    direction = 0 if figure(now.number, now.unit) == figure(then.number, now.unit) else 1 if by > 0 else -1
    verdict, tone = _verdict(now, then, direction)
    return Change(_ARROW[direction], _words(now, then, direction), since, verdict, tone)


def differences(run: Run, previous: Run) -> tuple[str, ...]:
    """What else differs between two runs than their date, and may have changed the numbers."""
    notes = []
    if _settings(run) != _settings(previous):
        notes.append("Settings changed since, so the numbers may differ for that alone.")
    if _version(run) != _version(previous):
        notes.append("The program changed since.")
    return tuple(notes)


def _since(run: Run, previous: Run) -> str:
    if previous.stamp.as_of != run.stamp.as_of:
        return f"since {previous.stamp.day}"
    other = "settings" if _settings(run) != _settings(previous) else "data"
    return f"since the run before (same date, other {other})"


def _words(now: Headline, then: Headline, direction: int) -> str:
    if direction == 0:
        return "Unchanged"
    by = abs(now.number - then.number)
    verb = "Up" if direction > 0 else "Down"
    if now.unit == SHARE:
        return f"{verb} by {100 * by:.1f} percentage points"
    part = f" ({'+' if direction > 0 else MINUS}{by / then.number:.1%})" if then.number > 0 else ""
    money = f" {now.unit}" if now.unit else ""
    return f"{verb} by {figure(by, beside=now.number)}{money}{part}"


def _verdict(now: Headline, then: Headline, direction: int) -> tuple[str, Tone]:
    """Is that better? Of a change that stays within what the number may be off by, nothing of the kind is said."""
    if direction and now.low is not None and now.high is not None and now.low <= then.number <= now.high:
        return "within today's interval, so it may be chance", "plain"
    if not direction or now.better == "neither":
        return "", "plain"
    return ("better", "good") if (direction > 0) == (now.better == "more") else ("worse", "bad")


def _circumstances(run: Run) -> tuple[object, ...]:
    return run.stamp.fingerprint, _settings(run)


def _settings(run: Run) -> Mapping[str, Any] | str:
    """The settings that change what a run says; the date is none of them."""
    settings = run.receipt.get("settings")
    if not isinstance(settings, dict) or not settings:
        return str(run.receipt.get("settings_fingerprint") or "")
    return {name: section for name, section in settings.items() if name not in _NOT_ABOUT_NUMBERS}


def _version(run: Run) -> str:
    code = run.receipt.get("code")
    return str(code.get("version") or "") if isinstance(code, dict) else ""


@dataclass(frozen=True)
class Row:
    """A headline over the runs: its question, what it is, its cells in the order of the runs, and a small line."""

    notebook: str
    question: str
    label: str
    cells: tuple[str, ...]
    course: Markup


@dataclass(frozen=True)
class OverTime:
    """The headline numbers of the last few runs, the newest date first; `other` says which had other settings."""

    runs: tuple[Run, ...]
    other: tuple[bool, ...]
    rows: tuple[Row, ...]


def over_time(run: Run, runs: Sequence[Run]) -> OverTime | None:
    """The headlines of this run and of the whole runs of other dates; None where there is nothing beside it."""
    by_date = {
        one.stamp.as_of: one for one in sorted(runs, key=lambda one: one.started) if one.whole and one.headlines
    }
    by_date[run.stamp.as_of] = run
    dated = [by_date[date] for date in sorted(by_date, reverse=True)]
    if len(dated) < 2 or not run.headlines:
        return None
    shown = dated[:MOST_RUNS] if run in dated[:MOST_RUNS] else [*dated[: MOST_RUNS - 1], run]
    told = sorted((one for one in run.answers if one.name in run.headlines), key=lambda one: one.about_the_data)
    rows = [_row(one.name, one.question, run.headlines[one.name], shown, dated) for one in told]
    return OverTime(tuple(shown), tuple(_settings(one) != _settings(run) for one in shown), tuple(rows))


def _row(notebook: str, question: str, now: Headline, shown: Sequence[Run], dated: Sequence[Run]) -> Row:
    def of(run: Run) -> Headline | None:
        then = run.headlines.get(notebook)
        return then if then is not None and now.same_measure(then) else None

    cells = tuple(figure(then.number, now.unit) if (then := of(run)) else "–" for run in shown)
    known = [(run.stamp.day, then.number) for run in reversed(dated) if (then := of(run))][-MOST_POINTS:]
    label = now.label if now.unit in ("", SHARE) else f"{now.label}, {now.unit}"
    label = label[:1].upper() + label[1:]
    course = Trail.of(label, [day for day, _ in known], [number for _, number in known], unit=now.unit)
    return Row(notebook, question, label, cells, line(course, width=96, height=24) if course else Markup())
