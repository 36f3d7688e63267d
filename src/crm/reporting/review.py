"""The page of a review: the verdict first, then what it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from markupsafe import Markup

from crm.reporting.tables import Table, show_table
from crm.reporting.written import write_page
from crm.review import Verdict
from crm.tracking import Registered

_MOST_FEATURES = 15
_NUMBERS = dict.fromkeys(("number", "low", "high", "limit"), ",.3f")
_BADGES = {"passed": "complete", "failed": "failed", "not judged": "partial"}


def render_review(path: Path, model: Registered, verdict: Verdict, *, next_step: str) -> Path:
    """Write the page of one verdict; a reader meets the old page or the new one.

    next_step: what to do now, in a sentence.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_page(
        path,
        "review.html.j2",
        stamp=None,
        verdict=verdict,
        badge=_BADGES[verdict.outcome],
        by_hand=model.by_hand,
        next_step=next_step,
        tables=[(heading, Markup(table._repr_html_())) for heading, table in _tables(verdict)],
        cards=_cards(model, verdict),
    )


def show_gates(verdict: Verdict) -> Table:
    """The gates as a table."""
    return show_table(
        verdict.table,
        caption="What the challenger must show",
        formats=_NUMBERS,
        notes="low to high holds the number with 95 % of certainty, by a bootstrap over customers. A loss "
        "counts where it is above the limit and beyond chance. What is “to look at” decides nothing.",
    )


def _tables(verdict: Verdict) -> Iterator[tuple[str, Table]]:
    """Heading and table of each section there is something for."""
    if verdict.gates:
        yield "The gates", show_gates(verdict)
    if len(verdict.by_date):
        formats = dict.fromkeys(verdict.by_date.columns[4:], ",.3f")
        yield (
            "Date by date",
            show_table(verdict.by_date, caption="Both on the same customers of the same dates", formats=formats),
        )
    if len(verdict.by_group):
        yield "Group by group", _groups(verdict)
    if len(verdict.calibration):
        columns = [name for name in verdict.calibration.columns if name not in ("model", "bin")]
        table = verdict.calibration[["model", "bin", *columns]]
        formats = {name: ",.3f" for name in columns if name != "customers"}
        yield (
            "What was expected, and what came",
            show_table(table, caption="Customers in tenths of what was expected, all dates", formats=formats),
        )
    if len(verdict.features):
        yield (
            "Its columns, then and now",
            show_table(
                verdict.features,
                caption="How far today's customers are from those it was fitted on",
                formats={"psi": ",.3f", "by_chance": ",.3f"},
                notes="psi: population stability index; by_chance: what chance alone makes of it on average. A "
                "column moved where it is from 0.25 and beyond chance.",
                most_rows=_MOST_FEATURES,
            ),
        )


def _groups(verdict: Verdict) -> Table:
    if "gain" not in verdict.by_group:
        return show_table(verdict.by_group, caption="Today's customers by segment")
    formats = dict.fromkeys(("champion", "challenger", "gain", "low", "high"), ",.3f")
    return show_table(verdict.by_group, caption="In which order customers of a group are put", formats=formats)


def _cards(model: Registered, verdict: Verdict) -> list[tuple[str, str]]:
    """The cards of both, as they were written."""
    both = (("challenger", verdict.challenger), ("champion", verdict.champion))
    versions = [(who, model.by(number)) for who, number in both]
    return [
        (f"Version {version.number}, {who}, as of {version.as_of}", version.card)
        for who, version in versions
        if version is not None
    ]
