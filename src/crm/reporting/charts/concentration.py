"""How much do the best few bring? The curve of shares, from the best customer to the last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from crm.reporting.chart import Chart, Picture, nothing_to_show, take_picture
from crm.reporting.charts.drawable import drawable
from crm.reporting.charts.labels import quiet_label
from crm.reporting.style import ACTUAL, COMPARISON, canvas, house_style
from crm.reporting.wording import SHARE, heading, listed, number, tick

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HEIGHT = 3.3
_MOST_POINTS = 250
_LOW = 0.12
_TENTHS = tuple(n / 10 for n in range(11))


def draw_concentration(
    table: pd.DataFrame,
    *,
    share_of_customers: str,
    share_of_value: str,
    title: str,
    label_at: Sequence[float] = (0.01, 0.1, 0.2, 0.5),
    note: str = "",
) -> Chart:
    """How much of the value do the best customers bring?

    table: one row per point of the curve: the best `share_of_customers` (0 to 1, rising) brought `share_of_value`
        (of the total; above 1 where others cost more than they bring).
    label_at: shares of customers at whose nearest rows the curve is labelled.
    Raises RequestError where a column is not there or holds no numbers.
    """
    curve = drawable(table, values={"customers": share_of_customers, "value": share_of_value}).dropna()
    if curve.empty:
        return nothing_to_show(title, "the table has no value to draw")
    named = {"customers": share_of_customers, "value": share_of_value}
    marks = _nearest(curve, label_at)
    numbers = _nearest(curve, sorted({*label_at, *_TENTHS})).rename(columns=named)
    return Chart(
        title,
        alt=_in_words(marks, share_of_value),
        numbers=numbers.reset_index(drop=True),
        picture=_drawn(curve, marks, named),
        note=note,
        formats=dict.fromkeys(named.values(), ".1%"),
    )


def _nearest(curve: pd.DataFrame, shares: Sequence[float]) -> pd.DataFrame:
    """The rows whose share of customers is nearest to each of these: points of the curve, nothing in between."""
    rows = [(curve["customers"] - share).abs().idxmin() for share in shares]
    return curve.loc[list(dict.fromkeys(rows))]


def _drawn(curve: pd.DataFrame, marks: pd.DataFrame, named: dict[str, str]) -> Picture:
    thinned = curve.iloc[:: -(-len(curve) // _MOST_POINTS)]
    shown = pd.concat([thinned, marks, curve.tail(1)]).sort_values("customers").drop_duplicates()
    with house_style():
        figure, axes = canvas(height=_HEIGHT)
        axes.plot([0, 1], [0, 1], color=COMPARISON, linestyle=(0, (1.5, 2)), linewidth=1.2)
        alike = "dotted: all customers alike"
        axes.annotate(alike, (1, 0), (-4, 5), textcoords="offset points", ha="right", color=COMPARISON, fontsize=8.5)
        axes.plot([0, *shown["customers"]], [0, *shown["value"]], color=ACTUAL)
        axes.fill_between(
            shown["customers"], shown["customers"], shown["value"], color=ACTUAL, alpha=0.08, linewidth=0
        )
        _label_marks(axes, marks)
        _draw_axes(axes, named)
        return take_picture(figure)


def _label_marks(axes: Axes, marks: pd.DataFrame) -> None:
    for _, mark in marks.iterrows():
        is_low = mark["value"] < _LOW
        axes.plot(mark["customers"], mark["value"], marker="o", color=ACTUAL, markersize=5, zorder=3)
        axes.annotate(
            f"best {number(mark['customers'], SHARE)} bring {number(mark['value'], SHARE)}",
            xy=(mark["customers"], mark["value"]),
            xytext=(9, 1) if is_low else (7, -8),
            textcoords="offset points",
            va="bottom" if is_low else "top",
            fontsize=8.5,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85},
        )


def _draw_axes(axes: Axes, named: dict[str, str]) -> None:
    axes.xaxis.set_major_formatter(lambda value, _: tick(value, SHARE))
    axes.yaxis.set_major_formatter(lambda value, _: tick(value, SHARE))
    axes.set_xlim(0, 1)
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]) if axes.get_ylim()[0] < -0.06 else 0.0)
    axes.set_title(heading(named["value"]), loc="left")
    quiet_label(axes, f"{heading(named['customers'])}, best first", along="x")


def _in_words(marks: pd.DataFrame, value: str) -> str:
    said = [
        f"the best {number(mark['customers'], SHARE)} of customers bring {number(mark['value'], SHARE)}"
        for _, mark in marks.iterrows()
    ]
    return f"Curve of {heading(value).lower()} by customers, best first: {listed(said)}."
