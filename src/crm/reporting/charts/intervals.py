"""How sure is each of these differences? Points with their intervals, side by side or along time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crm.reporting.chart import Chart, Picture, nothing_left, nothing_to_show, take_picture
from crm.reporting.charts.drawable import drawable, first_come, formats_for
from crm.reporting.charts.labels import legend_above, legend_rows, name_values, quiet_label
from crm.reporting.small_groups import without_small_groups
from crm.reporting.style import ACTUAL, COMPARISON, GRID, INK, MARKERS, PAPER, canvas, house_style, segment_colours
from crm.reporting.wording import MISSING, heading, number, quantity, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_INTERVALS = 40
_ROW, _HEIGHT = 0.235, 2.9
_LONGEST_LABEL = 26
_MOST_IN_WORDS = 12
_FAR = 0.9
"""Share of the ends of intervals that is drawn in full."""
_MUCH = 1.6
"""Times as far out as these, the others are cut: they would press all together."""


@dataclass(frozen=True)
class _Rows:
    """What is drawn: `frame` has label, value, low, high, colour, panel, hollow and `at`, its height."""

    frame: pd.DataFrame
    value: str
    unit: str
    band: float
    palette: Mapping[str, str]
    panels: Mapping[str, float]

    @property
    def reach(self) -> float:
        """How far the axis goes from 0."""
        ends = self.frame[["low", "high"]].abs().to_numpy().ravel()
        most, usual = float(ends.max()), float(np.quantile(ends, _FAR))
        most = most if most <= _MUCH * usual else usual
        return 1.08 * max(most, float(self.frame["value"].abs().max()), 2 * self.band, 1e-9)

    @property
    def cut(self) -> bool:
        """Does an interval go on beyond the axis?"""
        return bool((self.frame["low"] < -self.reach).any() or (self.frame["high"] > self.reach).any())


def draw_intervals(
    table: pd.DataFrame,
    *,
    label: str,
    value: str,
    interval: tuple[str, str],
    title: str,
    unit: str,
    colour_by: str | None = None,
    colours: Mapping[str, str] | None = None,
    panel: str | None = None,
    hollow: str | None = None,
    band: float = 0.0,
    note: str = "",
) -> Chart:
    """Which of these differences from 0 can be told from 0? A point each, with its interval.

    table: one row per difference, in the order to be drawn; rows without a value or an interval are not drawn.
    unit: what the value is counted in; "share" for numbers from 0 to 1.
    colour_by: a column of names.     panel: a column of names under which rows stand together, each with its shape.
    hollow: a column that is true where a value is not final.
    band: what lies nearer to 0 does not matter; drawn grey.
    Raises RequestError where a column is not there or holds no numbers.
    """
    low, high = interval
    large, note = without_small_groups(table, note)
    frame = drawable(
        large,
        names={"label": label, "colour": colour_by, "panel": panel},
        values={"value": value, "low": low, "high": high},
        axis={"hollow": hollow},
    ).dropna(subset=["value", "low", "high"])
    if frame.empty:
        return nothing_left(title, table, large)
    names = first_come(frame["colour"]) if colour_by else []
    palette = {**segment_colours(names), **(colours or {})}
    shown, panels = _placed(frame.head(MOST_INTERVALS), has_panels=panel is not None)
    rows = _Rows(shown, value, unit, band, {name: palette[name] for name in names}, panels)
    goes_on = "Arrowhead: the interval goes on." if rows.cut else ""
    many = len(frame) > MOST_INTERVALS
    left_out = f"{MOST_INTERVALS} of {len(frame)} are drawn; the numbers behind hold all." if many else ""
    return Chart(
        title,
        alt=_rows_in_words(rows, len(frame)),
        numbers=table.reset_index(drop=True),
        picture=_drawn_rows(rows),
        note=" ".join(filter(None, [note, goes_on, left_out])),
        formats=formats_for([value, low, high], unit),
    )


def _placed(frame: pd.DataFrame, *, has_panels: bool) -> tuple[pd.DataFrame, dict[str, float]]:
    """The height of each row, and of each panel's name above its rows."""
    named = frame if has_panels else frame.assign(panel="")
    panels: dict[str, float] = {}
    parts, at = [], 0.0
    for name in first_come(named["panel"]):
        of_it = named[named["panel"] == name]
        if name:
            panels[name] = at
            at += 1.0
        parts.append(of_it.assign(at=at + np.arange(len(of_it))))
        at += len(of_it) + 0.5
    return pd.concat(parts, ignore_index=True), panels


def _drawn_rows(rows: _Rows) -> Picture:
    said_by_panels = "colour" in rows.frame and bool((rows.frame["colour"] == rows.frame["panel"]).all())
    legend = dict(rows.palette) if len(rows.palette) > 1 and not said_by_panels else {}
    extra = legend_rows(list(legend)) * 0.2 if legend else 0
    lines = float(rows.frame["at"].max()) + 1
    with house_style():
        figure, axes = canvas(height=0.62 + _ROW * lines + extra)
        if rows.band > 0:
            axes.axvspan(-rows.band, rows.band, color=GRID, alpha=0.75, linewidth=0, zorder=0)
        axes.axvline(0, color=COMPARISON, linewidth=1.1, zorder=1)
        for at, name in enumerate(first_come(rows.frame["panel"])):
            of_it = rows.frame[rows.frame["panel"] == name]
            _draw_rows(axes, rows, of_it, MARKERS[at % len(MARKERS)])
        _draw_row_axis(axes, rows, lines)
        if legend:
            legend_above(figure, legend)
        return take_picture(figure)


def _draw_rows(axes: Axes, rows: _Rows, of_it: pd.DataFrame, shape: str) -> None:
    for row in of_it.to_dict("records"):
        colour = rows.palette[row["colour"]] if "colour" in row else ACTUAL
        ends = max(row["low"], -rows.reach), min(row["high"], rows.reach)
        axes.hlines(row["at"], *ends, color=colour, linewidth=1.7, zorder=2)
        for end, past, head in ((ends[0], row["low"], "<"), (ends[1], row["high"], ">")):
            if past != end:
                axes.plot(end, row["at"], marker=head, color=colour, markersize=4.5, zorder=2)
        inside = PAPER if row.get("hollow") is True else colour
        axes.plot(row["value"], row["at"], marker=shape, markersize=5.6, zorder=3,
                  markerfacecolor=inside, markeredgecolor=colour, markeredgewidth=1.4)  # fmt: skip
        axes.annotate(_signed(row["value"], rows.unit), (1, row["at"]), (5, 0), xycoords=("axes fraction", "data"),
                      textcoords="offset points", va="center", fontsize=8.5, annotation_clip=False)  # fmt: skip


def _draw_row_axis(axes: Axes, rows: _Rows, lines: float) -> None:
    axes.set_yticks(rows.frame["at"], [shortened(text, _LONGEST_LABEL) for text in rows.frame["label"]])
    axes.set_ylim(lines - 0.4, -0.6)
    axes.set_xlim(-rows.reach * 1.03, rows.reach * 1.03)
    axes.locator_params(axis="x", nbins=5)
    name_values(axes, rows.unit, along="x", what=rows.value)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="both", length=0)
    axes.spines["left"].set_visible(False)
    paper = {"facecolor": "white", "edgecolor": "none", "pad": 1.2}
    for name, at in rows.panels.items():
        axes.annotate(shortened(name, 44), (0, at), xycoords=("axes fraction", "data"), va="center",
                      weight="bold", fontsize=8.5, bbox=paper, zorder=5)  # fmt: skip


def _signed(value: float, unit: str) -> str:
    said = number(value, unit)
    return f"+{said}" if value > 0 and said != MISSING else said


def _rows_in_words(rows: _Rows, total: int) -> str:
    said = []
    for row in rows.frame.head(_MOST_IN_WORDS).to_dict("records"):
        ends = f"{_signed(row['low'], rows.unit)} to {_signed(row['high'], rows.unit)}"
        named = f", {row['colour']}" if "colour" in row else ""
        said.append(f"{row['label']} {_signed(row['value'], rows.unit)} ({ends}{named})")
    more = f"; and {total - len(said)} more" if total > len(said) else ""
    return f"Points with intervals of {heading(rows.value).lower()}, {total}: {'; '.join(said)}{more}."


@dataclass(frozen=True)
class _Moments:
    """What is drawn: `frame` has x, value, low, high and part."""

    frame: pd.DataFrame
    x: str
    value: str
    unit: str
    palette: Mapping[str, str]


def draw_moments(
    table: pd.DataFrame,
    *,
    x: str,
    value: str,
    interval: tuple[str, str],
    part: str,
    title: str,
    unit: str,
    colours: Mapping[str, str] | None = None,
    begins: float | None = None,
    note: str = "",
) -> Chart:
    """Moment by moment, which differences can be told from 0? (weeks before, during and after a campaign)

    table: one row per moment, x a number; `part` names what its moment belongs to.
    begins: the x at which something begins; a line stands there.
    Raises RequestError where a column is not there or holds no numbers.
    """
    low, high = interval
    frame = drawable(table, names={"part": part}, values={"x": x, "value": value, "low": low, "high": high}).dropna()
    if frame.empty:
        return nothing_to_show(title, "the table has no interval to draw")
    names = first_come(frame["part"])
    palette = {**segment_colours(names), **(colours or {})}
    moments = _Moments(frame, x, value, unit, {name: palette[name] for name in names})
    return Chart(
        title,
        alt=_moments_in_words(moments),
        numbers=table.reset_index(drop=True),
        picture=_drawn_moments(moments, begins),
        note=note,
        formats=formats_for([value, low, high], unit),
    )


def _drawn_moments(moments: _Moments, begins: float | None) -> Picture:
    with house_style():
        figure, axes = canvas(height=_HEIGHT + 0.2 * legend_rows(list(moments.palette)))
        axes.axhline(0, color=COMPARISON, linewidth=1.1, zorder=1)
        if begins is not None:
            axes.axvline(begins, color=INK, linestyle=(0, (4, 2.5)), linewidth=1, zorder=1)
        for at, (name, colour) in enumerate(moments.palette.items()):
            of_it = moments.frame[moments.frame["part"] == name]
            axes.vlines(of_it["x"], of_it["low"], of_it["high"], color=colour, linewidth=1.5, alpha=0.75, zorder=2)
            axes.scatter(of_it["x"], of_it["value"], color=colour, marker=MARKERS[at % len(MARKERS)], s=19, zorder=3)
        name_values(axes, moments.unit, along="y", what=moments.value)
        axes.grid(visible=False, axis="x")
        quiet_label(axes, moments.x, along="x")
        legend_above(figure, moments.palette, shapes=True)
        return take_picture(figure)


def _moments_in_words(moments: _Moments) -> str:
    said = []
    for name in moments.palette:
        of_it = moments.frame[moments.frame["part"] == name]
        apart = int(((of_it["low"] > 0) | (of_it["high"] < 0)).sum())
        least, most = (quantity(end, moments.unit) for end in (of_it["value"].min(), of_it["value"].max()))
        said.append(f"{name}: {len(of_it)} from {least} to {most}, {apart} with an interval that excludes 0")
    return (
        f"Points with intervals of {heading(moments.value).lower()} by {heading(moments.x).lower()}. "
        f"{'; '.join(said)}."
    )
