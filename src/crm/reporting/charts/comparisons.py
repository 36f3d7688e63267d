"""How do things compare on several counts? Dots on one line; bars to either side of the average."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crm.reporting.chart import Chart, Picture, nothing_left, take_picture
from crm.reporting.charts.drawable import drawable, first_come, formats_for
from crm.reporting.charts.labels import legend_above, legend_rows, name_values, wrapped
from crm.reporting.small_groups import without_small_groups
from crm.reporting.style import INK, MARKERS, SERIES, canvas, house_style, segment_colours
from crm.reporting.wording import heading, listed, number, quantity, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_DOT_ROWS = 24
MOST_PROFILE_ROWS = 60
_ROW = 0.27
_PROFILE_ROW, _BETWEEN = 0.235, 1.35
_LONGEST_LABEL = 28
_STEP = 0.17
_LOWEST_INDEX, _HIGHEST_INDEX = 20.0, 500.0


def draw_dots(
    table: pd.DataFrame,
    *,
    label: str,
    value: str,
    colour_by: str,
    title: str,
    unit: str,
    colours: Mapping[str, str] | None = None,
    note: str = "",
) -> Chart:
    """How do several counts of the same thing compare? (a segment's share of customers, of revenue, of margin)

    table: one row per label and name of `colour_by`; labels in the order to be drawn, at most 24 of them.
    unit: what the value is counted in; "share" for numbers from 0 to 1.
    Raises RequestError where a column is not there or holds no numbers.
    """
    shown, note = without_small_groups(table, note)
    frame = drawable(shown, names={"label": label, "count": colour_by}, values={"value": value}).dropna()
    if frame.empty:
        return nothing_left(title, table, shown)
    labels, counts = first_come(frame["label"]), first_come(frame["count"])
    shown = frame[frame["label"].isin(labels[:MOST_DOT_ROWS])]
    palette = {name: SERIES[at % len(SERIES)] for at, name in enumerate(counts)} | dict(colours or {})
    cut = len(labels) > MOST_DOT_ROWS
    left_out = f"{MOST_DOT_ROWS} of {len(labels)} rows are drawn; the numbers behind hold all." if cut else ""
    return Chart(
        title,
        alt=_dots_in_words(shown, heading(value), unit),
        numbers=table.reset_index(drop=True),
        picture=_drawn_dots(shown, {name: palette[name] for name in counts}, value, unit),
        note=" ".join(filter(None, [note, left_out])),
        formats=formats_for([value], unit),
    )


def _drawn_dots(frame: pd.DataFrame, palette: Mapping[str, str], value: str, unit: str) -> Picture:
    labels = first_come(frame["label"])
    with house_style():
        lines = max(wrapped(name, width=_LONGEST_LABEL).count("\n") + 1 for name in labels)
        row = _ROW * (1 + 0.3 * (lines - 1))
        figure, axes = canvas(height=0.75 + row * len(labels) + 0.2 * legend_rows(list(palette)))
        rows = frame["label"].map({name: at for at, name in enumerate(labels)})
        for at, values in frame.groupby(rows)["value"]:
            axes.hlines(at, values.min(), values.max(), color="#C3CAD1", linewidth=2.4, zorder=1)
        for at, (name, colour) in enumerate(palette.items()):
            of_it = frame["count"] == name
            # Side by side, so that equal values do not hide each other.
            height = rows[of_it] + _STEP * (at - (len(palette) - 1) / 2)
            axes.scatter(
                frame["value"][of_it], height, color=colour, marker=MARKERS[at % len(MARKERS)], s=30, zorder=2
            )
        if (frame["value"] >= 0).all():
            axes.set_xlim(left=-0.02 * frame["value"].max())
        _draw_rows(axes, labels)
        name_values(axes, unit, along="x", what=value)
        legend_above(figure, palette, shapes=True)
        return take_picture(figure)


def _draw_rows(axes: Axes, labels: list[str]) -> None:
    axes.set_yticks(range(len(labels)), [wrapped(name, width=_LONGEST_LABEL) for name in labels])
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)


def _dots_in_words(frame: pd.DataFrame, value: str, unit: str) -> str:
    said = []
    for name, rows in list(frame.groupby("label", sort=False))[:12]:
        counts = [f"{count} {quantity(v, unit)}" for count, v in zip(rows["count"], rows["value"], strict=True)]
        said.append(f"{name}: {listed(counts)}")
    return f"Dot chart of {value.lower()}, {frame['label'].nunique()} rows. {'; '.join(said)}."


def draw_profile(
    table: pd.DataFrame,
    *,
    group: str,
    feature: str,
    index: str,
    title: str,
    average: float = 100.0,
    colours: Mapping[str, str] | None = None,
    note: str = "",
) -> Chart:
    """What sets each group apart from the average?

    table: one row per group and feature, both in the order to be drawn (choose the few features that matter before;
        at most 60 rows are drawn); `index` is a number on the scale on which the average customer has `average`, and
        half the average is as far from it as double.
    Raises RequestError where a column is not there or holds no numbers.
    """
    shown, note = without_small_groups(table, note)
    frame = drawable(shown, names={"group": group, "feature": feature}, values={"index": index}).dropna()
    if frame.empty:
        return nothing_left(title, table, shown)
    shown = frame.head(MOST_PROFILE_ROWS)
    palette = {**segment_colours(frame["group"]), **(colours or {})}
    cut = len(frame) > MOST_PROFILE_ROWS
    left_out = f"{MOST_PROFILE_ROWS} of {len(frame)} rows are drawn; the numbers behind hold all." if cut else ""
    return Chart(
        title,
        alt=_profile_in_words(shown, average),
        numbers=table.reset_index(drop=True),
        picture=_drawn_profile(shown, palette, average),
        note=" ".join(filter(None, [note, left_out])),
        formats={index: ",.0f"},
    )


def _drawn_profile(frame: pd.DataFrame, palette: Mapping[str, str], average: float) -> Picture:
    groups = first_come(frame["group"])
    with house_style():
        figure, axes = canvas(height=0.35 + _PROFILE_ROW * (len(frame) + _BETWEEN * len(groups)))
        at, places, names = 0.0, [], []
        for group in groups:
            of_it = frame[frame["group"] == group]
            heights = [at + 1 + step for step in range(len(of_it))]
            _name_group(axes, group, at)
            _draw_deviations(axes, heights, of_it["index"], average, palette[group])
            axes.vlines(0, heights[0] - 0.45, heights[-1] + 0.45, color=INK, linewidth=1)
            places += heights
            names += [shortened(name, _LONGEST_LABEL) for name in of_it["feature"]]
            at = heights[-1] + _BETWEEN
        axes.set_yticks(places, names)
        axes.set_ylim(at - 0.75, -0.6)
        _draw_profile_axis(axes, average)
        return take_picture(figure)


def _name_group(axes: Axes, group: str, at: float) -> None:
    paper = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    place = ("axes fraction", "data")
    axes.annotate(
        shortened(group, 40), (0, at), xycoords=place, va="center", weight="bold", fontsize=9, bbox=paper, zorder=5
    )


def _draw_deviations(axes: Axes, heights: list[float], index: pd.Series, average: float, colour: str) -> None:
    reach = [float(np.clip(v / average * 100, _LOWEST_INDEX, _HIGHEST_INDEX)) for v in index]
    lengths = [np.log2(v / 100) for v in reach]
    axes.barh(heights, lengths, height=0.66, color=colour)
    for height, length, value in zip(heights, lengths, index, strict=True):
        side = 1 if length >= 0 else -1
        axes.annotate(
            f"{value:,.0f}",
            (length, height),
            (4 * side, 0),
            textcoords="offset points",
            va="center",
            ha="left" if side > 0 else "right",
            fontsize=8.5,
        )


def _draw_profile_axis(axes: Axes, average: float) -> None:
    ticks = [-2, -1, 0, 1, 2]
    low, high = axes.get_xlim()
    axes.set_xticks(ticks, [number(average * 2.0**tick) for tick in ticks])
    axes.set_xlim(min(low, -1.1) - 0.35, max(high, 1.1) + 0.35)
    axes.xaxis.tick_top()
    axes.set_title(f"Index: the average customer is {number(average)}", loc="left")
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="both", length=0)
    axes.spines[:].set_visible(False)


def _profile_in_words(frame: pd.DataFrame, average: float) -> str:
    said = []
    for group, rows in list(frame.groupby("group", sort=False))[:12]:
        features = [f"{name} {v:,.0f}" for name, v in zip(rows["feature"], rows["index"], strict=True)]
        said.append(f"{group}: {listed(features[:6])}")
    return f"What sets each group apart; the average customer is {number(average)}. {'; '.join(said)}."
