"""How did it develop? Lines over time or along any ordered axis."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from crm.reporting.chart import Chart, Picture, nothing_left, take_picture
from crm.reporting.charts.drawable import drawable, extremes, first_come, formats_for, is_dated, is_scale, positions
from crm.reporting.charts.labels import EndLabel, label_ends, name_values, quiet_label
from crm.reporting.small_groups import without_small_groups
from crm.reporting.style import ACTUAL, COMPARISON, FORECAST, canvas, house_style, segment_colours
from crm.reporting.wording import heading, moments, number, quantity, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LINES = 8
_HEIGHT = 2.75
_MOST_NAMED_MOMENTS = 8


@dataclass(frozen=True)
class _Lines:
    """What is drawn: `frame` has line, x, at, moment, y, foreseen and, where asked for, low, high, comparison."""

    frame: pd.DataFrame
    x: str
    y: str
    unit: str
    comparison: str | None
    palette: Mapping[str, str]

    def each(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Name and points of every line that has a value."""
        for name in first_come(self.frame["line"]):
            points = self.frame[self.frame["line"] == name]
            if points["y"].notna().any():
                yield name, points


def draw_line(
    table: pd.DataFrame,
    *,
    x: str,
    y: str,
    title: str,
    unit: str,
    colour_by: str | None = None,
    interval: tuple[str, str] | None = None,
    comparison: str | None = None,
    forecast: str | None = None,
    colours: Mapping[str, str] | None = None,
    note: str = "",
) -> Chart:
    """How did `y` develop along `x`?

    table: one row per point (and per line, with `colour_by`), in the order to be drawn; x holds dates, months
        (pandas periods), numbers or names; a missing y is a gap.
    unit: what y is counted in; "share" for numbers from 0 to 1.
    interval: columns of the lower and upper end of each point's interval, drawn as a band.
    comparison: a column to hold y against (a plan, the year before), drawn grey and dashed.
    forecast: a column that is true where y was not observed but foreseen; drawn in its own colour and dotted.
    colours: name → colour for `colour_by`; by default a name keeps its colour everywhere (`segment_colours`).
    Raises RequestError where a column is not there or holds no numbers.
    """
    low, high = interval or (None, None)
    shown, note = without_small_groups(table, note)
    frame = drawable(
        shown,
        names={"line": colour_by},
        values={"y": y, "low": low, "high": high, "comparison": comparison},
        axis={"x": x, "foreseen": forecast},
    )
    if frame["y"].isna().all():
        return nothing_left(title, table, shown)
    frame = _completed(frame, line=heading(y))
    names = first_come(frame["line"])
    palette = {**segment_colours(names), **(colours or {})} if colour_by else {names[0]: ACTUAL}
    lines = _Lines(frame[frame["line"].isin(names[:MOST_LINES])], x, y, unit, comparison, palette)
    return Chart(
        title,
        alt=_in_words(lines),
        numbers=table.reset_index(drop=True),
        picture=_drawn(lines),
        note=" ".join(filter(None, [note, _left_out(len(names))])),
        formats=formats_for([y, low, high, comparison], unit),
    )


def _completed(frame: pd.DataFrame, *, line: str) -> pd.DataFrame:
    foreseen = frame["foreseen"].eq(True) if "foreseen" in frame else False
    named = frame if "line" in frame else frame.assign(line=line)
    return named.assign(at=positions(frame["x"]), moment=moments(frame["x"]), foreseen=foreseen)


def _left_out(lines: int) -> str:
    return f"{MOST_LINES} of {lines} lines are drawn; the numbers behind hold all." if lines > MOST_LINES else ""


def _drawn(lines: _Lines) -> Picture:
    with house_style():
        figure, axes = canvas(height=_HEIGHT)
        for name, points in lines.each():
            _draw_points(axes, points, lines.palette[name])
        _draw_axes(axes, lines)
        label_ends(axes, _end_labels(lines), height=_HEIGHT)
        return take_picture(figure)


def _draw_points(axes: Axes, points: pd.DataFrame, colour: str) -> None:
    if "comparison" in points:
        axes.plot(points["at"], points["comparison"], color=COMPARISON, linestyle=(0, (4, 2.5)), linewidth=1.4)
    if "low" in points:
        axes.fill_between(points["at"], points["low"], points["high"], color=colour, alpha=0.16, linewidth=0)
    observed = points["y"].where(~points["foreseen"])
    axes.plot(points["at"], observed, color=colour, marker="o", markersize=3.2 if len(points) <= 40 else 0)
    if points["foreseen"].any():
        # The first foreseen stretch begins at the last observed point, or the line would have a hole there.
        joined = points["foreseen"] | points["foreseen"].shift(-1, fill_value=False)
        foreseen = points["y"].where(joined)
        axes.plot(
            points["at"], foreseen, color=FORECAST, linestyle=(0, (1.2, 1.6)), marker="o", markersize=3.2, zorder=1
        )


def _draw_axes(axes: Axes, lines: _Lines) -> None:
    axes.grid(visible=False, axis="x")
    name_values(axes, lines.unit, along="y", what=lines.y)
    low, high = axes.get_ylim()
    low, high = min(low, 0.0), max(high, 0.0)  # a line that starts at 300 k must not look like one from nothing
    axes.set_ylim(low - 0.03 * (high - low) * (low < 0), high + 0.03 * (high - low))
    _name_moments(axes, lines)


def _name_moments(axes: Axes, lines: _Lines) -> None:
    marks = lines.frame.drop_duplicates("at").sort_values("at")
    if is_dated(lines.frame["x"]) and len(marks) > 1:
        _name_dates(axes)
    elif is_scale(lines.frame["x"]):
        quiet_label(axes, lines.x, along="x")
    else:
        every = -(-len(marks) // _MOST_NAMED_MOMENTS)
        named = marks.iloc[::every]
        axes.set_xticks(named["at"], [shortened(moment, 12) for moment in named["moment"]])


def _name_dates(axes: Axes) -> None:
    dates: Any = importlib.import_module("matplotlib.dates")  # its classes carry no types
    locator = dates.AutoDateLocator(minticks=3, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, show_offset=False))


def _end_labels(lines: _Lines) -> list[EndLabel]:
    labels = []
    for name, points in lines.each():
        last = points.dropna(subset="y").iloc[-1]
        colour = FORECAST if last["foreseen"] else lines.palette[name]
        single = len(lines.palette) == 1 and name == heading(lines.y)
        said = quantity(last["y"], lines.unit) if single else f"{shortened(name, 20)} {number(last['y'], lines.unit)}"
        labels.append(EndLabel(said, last["y"], colour))
        if "comparison" in points and points["comparison"].notna().any():
            compared = points["comparison"].dropna().iloc[-1]
            labels.append(EndLabel(heading(lines.comparison), compared, COMPARISON))
    return labels


def _in_words(lines: _Lines) -> str:
    said = [_line_in_words(name, points, lines.unit) for name, points in lines.each()]
    compared = f" A dashed line shows {heading(lines.comparison).lower()}." if lines.comparison else ""
    foreseen = " Dotted points are forecast, not observed." if lines.frame["foreseen"].any() else ""
    band = " A band shows the interval of each point." if "low" in lines.frame else ""
    by = heading(lines.x).lower()
    return f"Line chart by {by}. {' '.join(said)}{compared}{foreseen}{band}"


def _line_in_words(name: str, points: pd.DataFrame, unit: str) -> str:
    there = points.dropna(subset="y")
    first, last = there.iloc[0], there.iloc[-1]
    if len(there) == 1:
        return f"{name}: {quantity(first['y'], unit)} at {first['moment']}."
    highest, lowest = extremes(there, "y")
    return (
        f"{name}: {len(there)} points, from {quantity(first['y'], unit)} ({first['moment']}) to "
        f"{quantity(last['y'], unit)} ({last['moment']}); highest {quantity(highest['y'], unit)} "
        f"({highest['moment']}), lowest {quantity(lowest['y'], unit)} ({lowest['moment']})."
    )
