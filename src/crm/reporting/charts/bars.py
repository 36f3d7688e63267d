"""Which are large, which small? Bars with their numbers beside them; stacked bars over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pandas as pd

from crm.reporting.chart import Chart, Picture, nothing_left, take_picture
from crm.reporting.charts.drawable import drawable, first_come, formats_for, positions
from crm.reporting.charts.labels import EndLabel, label_ends, legend_above, legend_rows, name_values, whole_ticks
from crm.reporting.small_groups import without_small_groups
from crm.reporting.style import ACTUAL, COMPARISON, INK, LETTER, WIDTH, canvas, house_style, segment_colours
from crm.reporting.wording import heading, listed, moments, number, quantity, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_BARS = 20
_BAR = 0.245
_STACKED_HEIGHT = 2.9
_MOST_IN_WORDS = 12
_LONGEST_LABEL = 28


@dataclass(frozen=True)
class _Bars:
    """What is drawn: `frame` has label, value and, where asked for, colour, low, high, comparison."""

    frame: pd.DataFrame
    value: str
    unit: str
    comparison: str | None
    palette: Mapping[str, str]


def draw_bars(
    table: pd.DataFrame,
    *,
    label: str,
    value: str,
    title: str,
    unit: str,
    colour_by: str | None = None,
    interval: tuple[str, str] | None = None,
    comparison: str | None = None,
    order: Literal["largest_first", "as_given"] = "largest_first",
    most: int = MOST_BARS,
    colours: Mapping[str, str] | None = None,
    note: str = "",
) -> Chart:
    """Which labels have most of `value`? Horizontal bars, each with its number.

    table: one row per bar; rows without a value are not drawn.
    unit: what the value is counted in; "share" for numbers from 0 to 1.
    colour_by: a column of names; may be `label` itself (segments in their colours).
    interval: columns of the lower and upper end of each bar's interval, drawn as a whisker.
    comparison: a column to hold each bar against (a plan, the average, the month before), drawn as a tick.
    most: bars drawn; what is beyond stays in the numbers behind, and the note says so.
    Raises RequestError where a column is not there or holds no numbers.
    """
    low, high = interval or (None, None)
    shown, note = without_small_groups(table, note)
    frame = drawable(
        shown,
        names={"label": label, "colour": colour_by},
        values={"value": value, "low": low, "high": high, "comparison": comparison},
    ).dropna(subset="value")
    if frame.empty:
        return nothing_left(title, table, shown)
    ordered = frame.sort_values("value", ascending=False, kind="stable") if order == "largest_first" else frame
    names = ordered["colour"] if colour_by else pd.Series(dtype=str)
    bars = _Bars(ordered.head(most), value, unit, comparison, {**segment_colours(names), **(colours or {})})
    left_out = f"{most} of {len(frame)} are drawn; the numbers behind hold all." if len(frame) > most else ""
    return Chart(
        title,
        alt=_bars_in_words(bars, len(frame)),
        numbers=table.loc[:, :].reset_index(drop=True),
        picture=_drawn_bars(bars, with_legend=colour_by not in (None, label)),
        note=" ".join(filter(None, [note, left_out])),
        formats=formats_for([value, low, high, comparison], unit),
    )


def _drawn_bars(bars: _Bars, *, with_legend: bool) -> Picture:
    legend = {name: bars.palette[name] for name in first_come(bars.frame["colour"])} if with_legend else {}
    extra = legend_rows(list(legend)) * 0.2 if legend else 0
    with house_style():
        figure, axes = canvas(height=0.42 + _BAR * len(bars.frame) + extra)
        _draw_bars(axes, bars)
        if legend:
            legend_above(figure, legend)
        return take_picture(figure)


def _draw_bars(axes: Axes, bars: _Bars) -> None:
    frame = bars.frame
    at = range(len(frame))
    colours = [bars.palette[name] for name in frame["colour"]] if "colour" in frame else ACTUAL
    axes.barh(at, frame["value"], height=0.68, color=colours)
    axes.set_yticks(at, [shortened(text, _LONGEST_LABEL) for text in frame["label"]])
    axes.set_ylim(len(frame) - 0.4, -0.6)
    ends = frame["value"]
    if "low" in frame:
        axes.hlines(at, frame["low"], frame["high"], color=INK, linewidth=1.1)
        ends = frame["high"].where(frame["value"] >= 0, frame["low"]).fillna(frame["value"])
    if "comparison" in frame:
        ends = ends.where(frame["value"] < 0, frame["comparison"].fillna(ends).clip(lower=ends))
        axes.vlines(frame["comparison"], [i - 0.42 for i in at], [i + 0.42 for i in at], color=INK, linewidth=1.8)
    _write_ends(axes, bars, ends)
    _draw_bar_axis(axes, bars)


def _write_ends(axes: Axes, bars: _Bars, ends: pd.Series) -> None:
    for row, (value, end) in enumerate(zip(bars.frame["value"], ends, strict=True)):
        side = 1 if value >= 0 else -1
        axes.annotate(
            number(value, bars.unit),
            xy=(end, row),
            xytext=(4 * side, 0),
            textcoords="offset points",
            va="center",
            ha="left" if side > 0 else "right",
            fontsize=8.5,
            annotation_clip=False,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85},
        )


def _draw_bar_axis(axes: Axes, bars: _Bars) -> None:
    compared = f" (tick: {heading(bars.comparison).lower()})" if bars.comparison else ""
    name_values(axes, bars.unit, along="x", what=bars.value)
    axes.set_title(axes.get_title(loc="left") + compared, loc="left")
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.axvline(0, color=COMPARISON, linewidth=0.9)
    _make_room_left(axes, bars)


def _make_room_left(axes: Axes, bars: _Bars) -> None:
    """Room for the numbers of bars that point to the left, which would cover the labels."""
    longest = max((len(number(value, bars.unit)) for value in bars.frame["value"] if value < 0), default=0)
    plot = WIDTH - 0.8 - LETTER * max(len(shortened(text, _LONGEST_LABEL)) for text in bars.frame["label"])
    low, high = axes.get_xlim()
    axes.set_xlim(low - (high - low) * longest * LETTER / plot, high)


def _bars_in_words(bars: _Bars, total: int) -> str:
    shown = bars.frame.head(_MOST_IN_WORDS)
    said = [f"{row['label']} {quantity(row['value'], bars.unit)}" for _, row in shown.iterrows()]
    last = bars.frame.iloc[-1]
    rest = (
        f" … down to {last['label']} {quantity(last['value'], bars.unit)}" if len(bars.frame) > _MOST_IN_WORDS else ""
    )
    compared = f" Ticks show {heading(bars.comparison).lower()}." if bars.comparison else ""
    count = f"{total} bar{'s' if total != 1 else ''}"
    return f"Bar chart of {heading(bars.value).lower()}, {count}: {'; '.join(said)}{rest}.{compared}"


def draw_stacked_bars(
    table: pd.DataFrame,
    *,
    x: str,
    value: str,
    colour_by: str,
    title: str,
    unit: str,
    colours: Mapping[str, str] | None = None,
    note: str = "",
) -> Chart:
    """What was it made of, period by period? Upright bars, stacked in the order in which the names first appear.

    table: one row per x and name; negative values (customers lost) hang beneath the line.
    unit: what the value is counted in; "share" for numbers from 0 to 1.
    Raises RequestError where a column is not there or holds no numbers.
    """
    shown, note = without_small_groups(table, note)
    frame = drawable(shown, names={"part": colour_by}, values={"value": value}, axis={"x": x})
    if frame["value"].isna().all():
        return nothing_left(title, table, shown)
    frame = frame.assign(moment=moments(frame["x"]), at=positions(frame["x"]))
    stacks = frame.pivot_table(index=["at", "moment"], columns="part", values="value", aggfunc="sum", sort=True)
    stacks = stacks[first_come(frame["part"])].fillna(0.0)
    palette = {**segment_colours(stacks.columns), **(colours or {})}
    return Chart(
        title,
        alt=_stacks_in_words(stacks, heading(value), unit),
        numbers=table.reset_index(drop=True),
        picture=_drawn_stacks(stacks, palette, value, unit),
        note=note,
        formats=formats_for([value], unit),
    )


def _drawn_stacks(stacks: pd.DataFrame, palette: Mapping[str, str], value: str, unit: str) -> Picture:
    with house_style():
        figure, axes = canvas(height=_STACKED_HEIGHT)
        above, below = pd.Series(0.0, index=stacks.index), pd.Series(0.0, index=stacks.index)
        labels = []
        for name in map(str, stacks.columns):
            part = stacks[name]
            start = above.where(part >= 0, below)
            axes.bar(
                range(len(stacks)), part, bottom=start, width=0.78, color=palette[name], edgecolor="white", lw=0.5
            )
            labels.append(EndLabel(shortened(name, 22), (start + part / 2).iloc[-1], palette[name]))
            above, below = above + part.clip(lower=0), below + part.clip(upper=0)
        _draw_stack_axes(axes, stacks, value, unit)
        label_ends(axes, labels, height=_STACKED_HEIGHT)
        return take_picture(figure)


def _draw_stack_axes(axes: Axes, stacks: pd.DataFrame, value: str, unit: str) -> None:
    name_values(axes, unit, along="y", what=value)
    whole_ticks(axes, stacks.to_numpy(), along="y")
    every = -(-len(stacks) // 6)
    named = list(stacks.index.get_level_values("moment"))
    axes.set_xticks(range(0, len(stacks), every), [_two_lines(text) for text in named[::every]])
    axes.set_xlim(-0.6, len(stacks) - 0.4)
    axes.grid(visible=False, axis="x")
    axes.tick_params(axis="x", length=0)
    axes.axhline(0, color=COMPARISON, linewidth=0.9)


def _two_lines(moment: str) -> str:
    """ "Mar 2017" on two lines, so that more months can be named."""
    return shortened(moment, 12).replace(" ", "\n", 1)


def _stacks_in_words(stacks: pd.DataFrame, value: str, unit: str) -> str:
    said_first, said_last = (stacks.index.get_level_values("moment")[at] for at in (0, -1))
    parts = [
        f"{name} from {quantity(stacks[name].iloc[0], unit)} to {quantity(stacks[name].iloc[-1], unit)}"
        for name in stacks.columns[:_MOST_IN_WORDS]
    ]
    if len(stacks) == 1:
        parts = [f"{name} {quantity(stacks[name].iloc[0], unit)}" for name in stacks.columns[:_MOST_IN_WORDS]]
        return f"Stacked bar of {value.lower()} at {said_first}: {listed(parts)}."
    return (
        f"Stacked bars of {value.lower()}, {len(stacks)} from {said_first} to {said_last}, made of "
        f"{len(stacks.columns)} parts: {'; '.join(parts)}."
    )
