"""The ways in: the index of a run, and the front page over all runs.

For a reader with two minutes: what waits for a decision, the number of each page with what changed since the run
before, the numbers over time. No customer is named on them, so they can be forwarded.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from crm.config import Settings
from crm.headline import Headline
from crm.reporting.over_time import Change, before, change, differences, figure, over_time
from crm.reporting.runs import UNREADABLE, Answer, Run, read_run, read_runs
from crm.reporting.small_charts import small_chart
from crm.reporting.stamp import minute
from crm.reporting.tables import show_table
from crm.reporting.waiting import waiting
from crm.reporting.wording import SHARE, duration
from crm.reporting.written import write_page

MOST_OTHERS = 60
"""Other runs that are listed; each is two hundred bytes of a page that is to stay small."""

_NEWER = {
    "RUNNING": "has not ended: it is still under way, or was stopped before it could say so",
    "PARTIAL": "is PARTIAL: part of it failed",
    "FAILED": "FAILED",
    "COMPLETE": "is COMPLETE but was not published",
    UNREADABLE: "left no receipt that can be read",
}


@dataclass(frozen=True)
class Card:
    """An answer as it stands on a way in: its headline in words, what changed, and its small chart."""

    answer: Answer
    headline: Headline | None
    number: str = ""
    unit: str = ""
    interval: str = ""
    change: Change | None = None
    chart: str = ""


def render_ways_in(settings: Settings, *, now: dt.datetime) -> Path:
    """Write the front page, and the index of the published run, as things stand now: whatever waited may be done."""
    reports, today = settings.folders.reports, now.astimezone(zoneinfo.ZoneInfo(settings.source.timezone)).date()
    if (reports / "latest").is_dir():
        render_run_index((reports / "latest").resolve(), settings=settings, today=today)
    return render_front_page(reports, settings=settings, today=today)


def render_run_index(run_folder: Path, *, settings: Settings | None = None, today: dt.date | None = None) -> Path:
    """Write a run's `index.html`: what waits, every notebook's question, headline and page, and how the run was made.

    Reads `receipt.json` and `results.json` in the run's folder and of the runs beside it, and says so where one is
    missing or broken.     settings, today: for the lists and models that wait now; without them, of the run alone.
    """
    run = read_run(run_folder)
    return write_page(
        run_folder / "index.html",
        "run_index.html.j2",
        run=run,
        stamp=run.stamp,
        facts=_facts(run),
        sources=_sources(run),
        root="../../",
        **_shown(run, read_runs(run_folder.parent), settings, today),
    )


def render_front_page(reports: Path, *, settings: Settings | None = None, today: dt.date | None = None) -> Path:
    """Write `reports/index.html`: what waits, the published run with its answers, a warning where a newer run is not
    whole, the headline numbers over time, and every other run.

    Reads `reports/latest` and `reports/runs/*`; works before the first run, and whatever a run left.
    settings, today: for the lists and models that wait now; without them nothing is said of these.
    """
    runs = read_runs(reports / "runs")
    published = _published(runs, reports / "latest")
    newest = runs[0] if runs else None
    others = [run for run in runs if run is not published]
    return write_page(
        reports / "index.html",
        "front_page.html.j2",
        published=published,
        newer=newest if newest is not None and newest is not published else None,
        others=others[:MOST_OTHERS],
        more=max(len(others) - MOST_OTHERS, 0),
        stamp=published.stamp if published else None,
        newer_words=_NEWER,
        root="",
        **_shown(published, runs, settings, today),
    )


def _shown(run: Run | None, runs: Sequence[Run], settings: Settings | None, today: dt.date | None) -> dict[str, Any]:
    """What both pages show of a run beside the others."""
    day = today or max((one.started.date() for one in runs), default=dt.date.min)
    shown: dict[str, Any] = {"waiting": waiting(run, settings, today=day)}
    if run is None:
        return shown | {"cards": [], "times": None, "previous": None, "differences": ()}
    previous = before(run, runs)
    cards = [_card(answer, run, previous) for answer in run.answers]
    return shown | {
        "cards": sorted(cards, key=lambda card: card.answer.about_the_data),  # the data, for trust, come last
        "times": over_time(run, runs),
        "previous": previous,
        "differences": differences(run, previous) if previous is not None else (),
    }


def _card(answer: Answer, run: Run, previous: Run | None) -> Card:
    headline = run.headlines.get(answer.name)
    if headline is None:
        return Card(answer, None)
    low, high = (
        "" if end is None else figure(end, headline.unit, beside=headline.number)
        for end in (headline.low, headline.high)
    )
    then = previous.headlines.get(answer.name) if previous is not None else None
    return Card(
        answer,
        headline,
        number=figure(headline.number, headline.unit),
        unit="" if headline.unit == SHARE else headline.unit,
        interval=f"{low} to {high} ({headline.interval})" if low and high else "",
        change=change(headline, run, then, previous),
        chart=small_chart(headline.trail) if headline.trail else "",
    )


def _published(runs: Sequence[Run], latest: Path) -> Run | None:
    """The run that `latest` leads to, or else the newest that is whole."""
    named = latest.resolve().name if latest.is_dir() else ""
    whole = (run for run in runs if run.whole)
    return next((run for run in runs if run.run_id == named), next(whole, None))


def _facts(run: Run) -> list[tuple[str, str]]:
    """How a run was made: what it was told, on what, for how long."""
    receipt = run.receipt
    source, code = _dict(receipt, "source"), _dict(receipt, "code")
    commit = str(code.get("git_commit") or "") + (" with changes not committed" if code.get("git_dirty") else "")
    facts = {
        "Run": run.run_id,
        "Started": minute(str(receipt.get("started_at") or "")),
        "Ended": minute(str(receipt.get("ended_at") or "")),
        "Took": duration(run.seconds),
        "Notebooks asked for": ", ".join(run.selection),
        "Source": str(source.get("kind") or ""),
        "Data from – to": " – ".join(str(source[end]) for end in ("first_date", "last_date") if source.get(end)),
        "Data fingerprint": str(source.get("fingerprint") or ""),
        "Settings fingerprint": str(receipt.get("settings_fingerprint") or ""),
        "Seed": str(receipt.get("seed", "")),
        "Analytical CRM": str(code.get("version") or ""),
        "Commit": commit,
        "Python": str(receipt.get("python") or ""),
    }
    return [(name, value) for name, value in facts.items() if value]


def _sources(run: Run) -> Markup:
    """The tables that were read, with how much of each was kept; empty where the receipt does not say."""
    tables = _dict(run.receipt, "source").get("tables")
    if not isinstance(tables, list) or not tables:
        return Markup()
    columns = ["table", "rows", "kept", "set_aside", "first", "last"]
    frame = pd.DataFrame(tables).reindex(columns=columns)
    return Markup(show_table(frame, caption="Tables read, in rows")._repr_html_())


def _dict(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = record.get(key)
    return value if isinstance(value, dict) else {}
