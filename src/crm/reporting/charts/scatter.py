"""How do two numbers go together? Points, joined where they are steps of one series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pandas as pd

from crm.reporting.chart import Chart, Picture, nothing_to_show, take_picture
from crm.reporting.charts.drawable import drawable, extremes, first_come, formats_for
from crm.reporting.charts.labels import EndLabel, label_ends, legend_above, name_values, quiet_label, whole_ticks
from crm.reporting.style import COMPARISON, MARKERS, canvas, house_style, segment_colours
from crm.reporting.wording import heading, quantity, shortened, tick

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEIGHT = 2.9


@dataclass(frozen=True)
class _Points:
    """What is drawn: `frame` has x, y and name."""

    frame: pd.DataFrame
    x: str
    y: str
    unit: str
    joined: bool
    mark: float | None
    palette: Mapping[str, str]


def draw_scatter(
    table: pd.DataFrame,
    *,
    x: str,
    y: str,
    title: str,
    unit: str,
    colour_by: str | None = None,
    join: Literal["no", "by_colour"] = "no",
    mark: float | None = None,
    x_unit: str = "",
    colours: Mapping[str, str] | None = None,
    note: str = "",
) -> Chart:
    """How does `y` go with `x`? (how well k clusters stand apart, and how stable they are, for each k)

    table: one row per point.
    unit, x_unit: what y and x are counted in; "share" for numbers from 0 to 1.
    join: "by_colour" draws a line through the points of one name, in the order of x.
    mark: the x that was chosen; a line stands there.
    Raises RequestError where a column is not there or holds no numbers.
    """
    points = drawable(table, names={"name": colour_by}, values={"x": x, "y": y}).dropna(subset=["x", "y"])
    if points.empty:
        return nothing_to_show(title, "the table has no value to draw")
    named = points if colour_by else points.assign(name=heading(y))
    palette = {**segment_colours(named["name"]), **(colours or {})}
    drawn = _Points(named, x, y, unit, join == "by_colour", mark, palette)
    return Chart(
        title,
        alt=_in_words(drawn, x_unit),
        numbers=table.reset_index(drop=True),
        picture=_drawn(drawn, x_unit),
        note=note,
        formats={**formats_for([y], unit), **formats_for([x], x_unit)},
    )


def _drawn(points: _Points, x_unit: str) -> Picture:
    with house_style():
        figure, axes = canvas(height=_HEIGHT)
        for at, name in enumerate(first_come(points.frame["name"])):
            _draw_series(axes, points, name, MARKERS[at % len(MARKERS)])
        name_values(axes, points.unit, along="y", what=points.y)
        axes.xaxis.set_major_formatter(lambda value, _: tick(value, x_unit))
        axes.margins(0.06, 0.1)
        whole_ticks(axes, points.frame["x"].to_numpy(), along="x")
        quiet_label(axes, points.x, along="x", unit=x_unit)
        _mark_choice(axes, points)
        _name_series(figure, axes, points)
        return take_picture(figure)


def _draw_series(axes: Axes, points: _Points, name: str, shape: str) -> None:
    of_it = points.frame[points.frame["name"] == name].sort_values("x", kind="stable")
    colour = points.palette[name]
    if points.joined:
        axes.plot(of_it["x"], of_it["y"], color=colour, linewidth=1.4)
    many = len(points.frame) > 300
    axes.scatter(
        of_it["x"],
        of_it["y"],
        color=colour,
        marker=shape,
        s=9 if many else 34,
        alpha=0.5 if many else 1,
        lw=0,
        zorder=2,
    )


def _mark_choice(axes: Axes, points: _Points) -> None:
    if points.mark is None:
        return
    axes.axvline(points.mark, color=COMPARISON, linestyle=(0, (4, 2.5)), linewidth=1.2, zorder=0)
    said = f"chosen: {tick(points.mark)}"
    axes.annotate(
        said,
        (points.mark, 1),
        xycoords=("data", "axes fraction"),
        xytext=(4, -2),
        textcoords="offset points",
        va="top",
        fontsize=8.5,
    )


def _name_series(figure: Figure, axes: Axes, points: _Points) -> None:
    names = first_come(points.frame["name"])
    if points.joined:
        last = {name: points.frame[points.frame["name"] == name].sort_values("x")["y"].iloc[-1] for name in names}
        labels = [EndLabel(shortened(name, 26), float(y), points.palette[name]) for name, y in last.items()]
        label_ends(axes, labels, height=_HEIGHT)
    elif len(names) > 1:
        legend_above(figure, {name: points.palette[name] for name in names}, shapes=True)


def _in_words(points: _Points, x_unit: str) -> str:
    said = []
    for name in first_come(points.frame["name"])[:8]:
        of_it = points.frame[points.frame["name"] == name]
        ends = [f"{quantity(end['y'], points.unit)} at {quantity(end['x'], x_unit)}" for end in extremes(of_it, "y")]
        said.append(f"{name}: {len(of_it)} points, highest {ends[0]}, lowest {ends[1]}")
    marked = f" Chosen: {tick(points.mark)}." if points.mark is not None else ""
    return f"Points along {heading(points.x).lower()}. {'; '.join(said)}.{marked}"
