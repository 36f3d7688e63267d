"""How far should one go? What is gained by going down an ordered list, with the place at which it is best to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from crm.reporting.chart import Chart, Picture, nothing_to_show, take_picture
from crm.reporting.charts.drawable import drawable, extremes, formats_for
from crm.reporting.charts.labels import name_values, quiet_label
from crm.reporting.style import COMPARISON, FORECAST, INK, canvas, house_style
from crm.reporting.wording import heading, quantity, tick

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HEIGHT = 2.9
_MOST_POINTS = 200
_PAPER = {"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85}


def draw_gain(
    table: pd.DataFrame,
    *,
    reached: str,
    gain: str,
    interval: tuple[str, str],
    best: float,
    title: str,
    unit: str,
    note: str = "",
) -> Chart:
    """What is gained by reaching the first so many of a list? The curve with its band, and the best place to stop.

    table: one row per point, `reached` (a number of customers) rising.
    best: the value of `reached` at which to stop; its row is marked. 0: nowhere, and then nothing is marked.
    unit: of the gain. Raises RequestError where a column is not there or holds no numbers.
    """
    low, high = interval
    curve = drawable(table, values={"reached": reached, "gain": gain, "low": low, "high": high})
    curve = curve.dropna(subset=["reached", "gain"])
    if curve.empty:
        return nothing_to_show(title, "the table has no value to draw")
    marked = curve.loc[[(curve["reached"] - best).abs().idxmin()]] if best > 0 else curve.head(0)
    kept = curve.iloc[:: -(-len(curve) // _MOST_POINTS)]
    drawn = pd.concat([kept, marked, curve.tail(1)]).sort_values("reached").drop_duplicates()
    return Chart(
        title,
        alt=_in_words(curve, marked, unit, reached=reached, gain=gain),
        numbers=table.reset_index(drop=True),
        picture=_drawn(drawn, marked, unit, reached=reached, gain=gain),
        note=note,
        formats=formats_for([gain, low, high], unit),
    )


def _drawn(curve: pd.DataFrame, marked: pd.DataFrame, unit: str, *, reached: str, gain: str) -> Picture:
    with house_style():
        figure, axes = canvas(height=_HEIGHT)
        axes.fill_between(curve["reached"], curve["low"], curve["high"], color=FORECAST, alpha=0.18, linewidth=0)
        axes.plot(curve["reached"], curve["gain"], color=FORECAST)
        axes.axhline(0, color=COMPARISON, linewidth=0.9)
        name_values(axes, unit, along="y", what=gain)
        axes.set_xlim(0, max(float(curve["reached"].max()), 1.0))
        axes.xaxis.set_major_formatter(lambda value, _: tick(value))
        axes.grid(visible=False, axis="x")
        quiet_label(axes, f"{heading(reached)}, most worth it first", along="x")
        _mark(axes, marked, unit)
        return take_picture(figure)


def _mark(axes: Axes, marked: pd.DataFrame, unit: str) -> None:
    for _, point in marked.iterrows():
        axes.plot(point["reached"], point["gain"], marker="o", color=INK, markersize=5.5, zorder=4)
        left, right = axes.get_xlim()
        on_left = point["reached"] > (left + right) / 2
        axes.annotate(
            f"stop at {point['reached']:,.0f}: {quantity(point['gain'], unit)}",
            xy=(point["reached"], point["gain"]),
            xytext=(-8 if on_left else 8, 9),
            textcoords="offset points",
            ha="right" if on_left else "left",
            fontsize=8.5,
            bbox=_PAPER,
        )


def _in_words(curve: pd.DataFrame, marked: pd.DataFrame, unit: str, *, reached: str, gain: str) -> str:
    highest, _ = extremes(curve, "gain")
    last = curve.iloc[-1]
    best = "".join(
        f" It is best to stop at {point['reached']:,.0f}, with {quantity(point['gain'], unit)}."
        for _, point in marked.iterrows()
    )
    return (
        f"Curve of {heading(gain).lower()} by {heading(reached).lower()}: highest {quantity(highest['gain'], unit)} "
        f"at {highest['reached']:,.0f}, at the end {quantity(last['gain'], unit)} at {last['reached']:,.0f}.{best} A "
        "band shows the interval."
    )
