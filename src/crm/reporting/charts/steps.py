"""Which share is still there after so many days? Step curves, with how many were still watched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crm.reporting.chart import Chart, Picture, nothing_left, take_picture
from crm.reporting.charts.drawable import drawable, first_come, formats_for
from crm.reporting.charts.labels import EndLabel, label_ends, name_values, quiet_label
from crm.reporting.small_groups import without_small_groups
from crm.reporting.style import ACTUAL, QUIET, canvas, house_style, segment_colours
from crm.reporting.wording import SHARE, heading, number, quantity, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_CURVES = 6
_HEIGHT = 2.75
_TICK_STEPS = (7, 14, 28, 56, 91, 182, 365, 730, 1825)
_MOST_TICKS = 6
_BAND, _BANDS = 0.15, 0.08
"""How dark a band is where it is alone or among few, and where many lie over one another."""

_FEW = 3
_MOST_POINTS = 45
"""Drawn of a curve; what lies between changes nothing that can be seen."""
_ROW = 0.15
_ALONE = ""


@dataclass(frozen=True)
class _Curves:
    """What is drawn: `frame` has curve, x, y, low, high, at_risk."""

    frame: pd.DataFrame
    x: str
    y: str
    palette: Mapping[str, str]

    def each(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Name and points of every curve, the one that ends highest first."""
        ends = self.frame.groupby("curve", sort=False)["y"].last().sort_values(ascending=False, kind="stable")
        for name in ends.index:
            yield str(name), self.frame[self.frame["curve"] == name]


def draw_steps(
    table: pd.DataFrame,
    *,
    x: str,
    y: str,
    interval: tuple[str, str],
    at_risk: str,
    title: str,
    colour_by: str | None = None,
    colours: Mapping[str, str] | None = None,
    note: str = "",
) -> Chart:
    """Which share `y` (0 to 1) is there after `x`? One step curve, or one per name, each with its band.

    table: one row per point (and per curve, with `colour_by`), x rising within a curve.
    interval: columns of the lower and upper end of each point's interval, drawn as a band.
    at_risk: how many were still watched at that point; written beneath the axis, as a curve of few says little.
    Raises RequestError where a column is not there or holds no numbers.
    """
    low, high = interval
    values = {"x": x, "y": y, "low": low, "high": high, "at_risk": at_risk}
    shown, note = without_small_groups(table, note, customers=[at_risk])
    frame = drawable(shown, names={"curve": colour_by}, values=values).dropna(subset=["x", "y"])
    if frame.empty:
        return nothing_left(title, table, shown)
    if "curve" not in frame:
        frame = frame.assign(curve=_ALONE)
    names = first_come(frame["curve"])
    palette = {**segment_colours(names), **(colours or {})} if colour_by else {_ALONE: ACTUAL}
    curves = _Curves(frame[frame["curve"].isin(names[:MOST_CURVES])], x, y, palette)
    cut = len(names) > MOST_CURVES
    left_out = f"{MOST_CURVES} of {len(names)} curves are drawn; the numbers behind hold all." if cut else ""
    return Chart(
        title,
        alt=_in_words(curves),
        numbers=table.reset_index(drop=True),
        picture=_drawn(curves),
        note=" ".join(filter(None, [note, left_out])),
        formats=formats_for([y, low, high], SHARE),
        customers=(at_risk,),
    )


def _drawn(curves: _Curves) -> Picture:
    with house_style():
        figure, axes = canvas(height=_HEIGHT + _ROW * curves.frame["curve"].nunique())
        alpha = _BAND if curves.frame["curve"].nunique() <= _FEW else _BANDS
        for name, curve in curves.each():
            points, colour = _thinned(curve), curves.palette[name]
            axes.fill_between(
                points["x"], points["low"], points["high"], color=colour, alpha=alpha, linewidth=0, step="post"
            )
            axes.step(points["x"], points["y"], where="post", color=colour)
        _draw_axes(axes, curves)
        label_ends(axes, _end_labels(curves), height=_HEIGHT)
        _count_beneath(axes, curves)
        return take_picture(figure)


def _thinned(curve: pd.DataFrame) -> pd.DataFrame:
    kept = curve.iloc[:: -(-len(curve) // _MOST_POINTS)]
    return pd.concat([kept, curve.tail(1)]).drop_duplicates("x")


def _draw_axes(axes: Axes, curves: _Curves) -> None:
    name_values(axes, SHARE, along="y", what=curves.y)
    axes.set_ylim(0, 1.02)
    last = float(curves.frame["x"].max())
    axes.set_xlim(0, max(last, 1.0))
    axes.set_xticks(_ticks(last))
    axes.grid(visible=False, axis="x")
    quiet_label(axes, curves.x, along="x")
    axes.xaxis.labelpad = 13 + 10.5 * curves.frame["curve"].nunique()


def _ticks(last: float) -> list[float]:
    step = next((step for step in _TICK_STEPS if last / step < _MOST_TICKS), _TICK_STEPS[-1])
    return [float(tick) for tick in np.arange(0, last + 1, step)]


def _count_beneath(axes: Axes, curves: _Curves) -> None:
    """How many were still watched at each tick, a line per curve in its colour."""
    ticks = _ticks(float(curves.frame["x"].max()))
    for row, (name, points) in enumerate(curves.each()):
        down = -27 - 10.5 * row
        said = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "fontsize": 8,
                "annotation_clip": False, "va": "center", "color": curves.palette[name]}  # fmt: skip
        for tick in ticks:
            there = points[points["x"] >= tick]
            if len(there):
                count = f"{there['at_risk'].iloc[0]:,.0f}"
                axes.annotate(count, (tick, 0), (0, down), ha="center", **said)  # type: ignore[arg-type]
    axes.annotate(
        "still watched", (1, 0), (11, -27), xycoords="axes fraction", textcoords="offset points", fontsize=8,
        va="center", color=QUIET, annotation_clip=False,
    )  # fmt: skip


def _end_labels(curves: _Curves) -> list[EndLabel]:
    labels = []
    for name, points in curves.each():
        last = points.iloc[-1]
        share = number(last["y"], SHARE)
        said = f"{shortened(name, 20)} {share}" if name != _ALONE else share
        labels.append(EndLabel(said, last["y"], curves.palette[name]))
    return labels


def _in_words(curves: _Curves) -> str:
    said = [_curve_in_words(name, points, curves.x) for name, points in curves.each()]
    return (
        f"Step curve of {heading(curves.y).lower()} by {heading(curves.x).lower()}. {' '.join(said)} A band shows "
        "the interval; beneath stands how many were still watched."
    )


def _curve_in_words(name: str, points: pd.DataFrame, x: str) -> str:
    first, last = points.iloc[0], points.iloc[-1]
    begins = f"{name}: from" if name != _ALONE else "From"
    return (
        f"{begins} {quantity(first['y'], SHARE)} to {quantity(last['y'], SHARE)} after {number(last['x'])} "
        f"{heading(x).lower()} ({number(last['at_risk'])} still watched)."
    )
