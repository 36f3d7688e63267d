"""The ways in: the index of a run, and the front page over all runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from crm.reporting.runs import UNREADABLE, Run, read_run, read_runs
from crm.reporting.stamp import minute
from crm.reporting.tables import show_table
from crm.reporting.wording import duration
from crm.reporting.written import write_page

_NEWER = {
    "RUNNING": "has not ended: it is still under way, or was stopped before it could say so",
    "PARTIAL": "is PARTIAL: part of it failed",
    "FAILED": "FAILED",
    "COMPLETE": "is COMPLETE but was not published",
    UNREADABLE: "left no receipt that can be read",
}


def render_run_index(run_folder: Path) -> Path:
    """Write a run's `index.html`: every notebook's question, first findings and page, and how the run was made.

    Reads `receipt.json` and `results.json` in the run's folder, and says so where one of them is missing or broken.
    """
    run = read_run(run_folder)
    path = run_folder / "index.html"
    return write_page(path, "run_index.html.j2", run=run, stamp=run.stamp, facts=_facts(run), sources=_sources(run))


def render_front_page(reports: Path) -> Path:
    """Write `reports/index.html`: the published run with its answers, a warning where a newer run is not whole, and
    every other run.

    Reads `reports/latest` and `reports/runs/*/receipt.json`; works before the first run, and whatever a run left.
    """
    runs = read_runs(reports / "runs")
    published = _published(runs, reports / "latest")
    newest = runs[0] if runs else None
    return write_page(
        reports / "index.html",
        "front_page.html.j2",
        published=published,
        newer=newest if newest is not None and newest is not published else None,
        others=[run for run in runs if run is not published],
        stamp=published.stamp if published else None,
        newer_words=_NEWER,
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
