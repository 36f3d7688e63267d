"""Letters on charts: names where the eye already is, instead of a legend to look up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from crm.reporting.style import MARKERS, QUIET
from crm.reporting.wording import SHARE, heading, shortened, tick

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINE_HEIGHT = 0.165
"""Inches one line of labels needs."""

_FEW_STEPS = 10
"""Over a wider range of whole numbers ticks fall on them anyway."""


@dataclass(frozen=True)
class EndLabel:
    """What is written to the right of the plot at a height of the value axis, and the colour it belongs to."""

    text: str
    value: float
    colour: str


def label_ends(axes: Axes, labels: Sequence[EndLabel], *, height: float) -> None:
    """Write labels at the right edge, each beside its value, pushed apart where they would cover one another."""
    low, high = axes.get_ylim()
    wanted = [(label.value - low) / (high - low) for label in labels]
    gap = LINE_HEIGHT / (height * 0.8)
    for label, at in zip(labels, spread(wanted, gap=gap), strict=True):
        mark = {"arrowstyle": "-", "color": label.colour, "linewidth": 2.2, "shrinkA": 1, "shrinkB": 0}
        axes.annotate(
            label.text,
            xy=(1.012, at),
            xytext=(11, 0),
            xycoords="axes fraction",
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            arrowprops=mark,
            annotation_clip=False,
        )


def spread(wanted: Sequence[float], *, gap: float) -> list[float]:
    """Heights from 0 to 1 as near to the wanted ones as they can be while at least `gap` apart, in the same order."""
    order = sorted(range(len(wanted)), key=lambda at: wanted[at])
    placed = [0.0] * len(wanted)
    floor = float("-inf")
    for at in order:
        placed[at] = floor = max(wanted[at], floor + gap)
    ceiling = max(1.0, gap * (len(wanted) - 1))
    for at in reversed(order):
        placed[at] = ceiling = min(placed[at], ceiling)
        ceiling -= gap
    return placed


def name_values(axes: Axes, unit: str, *, along: str, what: str = "") -> None:
    """Write the values of an axis ("x" or "y") plainly, and what they are above the plot."""
    axis = axes.xaxis if along == "x" else axes.yaxis
    axis.set_major_formatter(lambda value, _: tick(value, unit))
    axes.set_title(with_unit(what, unit), loc="left")


def whole_ticks(axes: Axes, values: np.ndarray, *, along: str) -> None:
    """No ticks between whole numbers where there is nothing: half a customer, two and a half segments."""
    there = values[np.isfinite(values)]
    if there.size and (there == there.round()).all() and np.ptp(there) < _FEW_STEPS:
        axes.locator_params(axis="x" if along == "x" else "y", integer=True)


def with_unit(what: str, unit: str) -> str:
    """ "Net sales · USD"; what is counted in itself is said once."""
    named = heading(what) if what else ""
    said = "" if unit == SHARE or unit.casefold() == named.casefold() else unit
    return " · ".join(part for part in (named, said) if part)


def legend_above(figure: Figure, colours: Mapping[str, str], *, shapes: bool = False) -> None:
    """The names of colours (and, with `shapes`, of markers) in rows above the plot."""
    from matplotlib.lines import Line2D

    marks = [
        Line2D([], [], color=colour, marker=MARKERS[at % len(MARKERS)] if shapes else "s", linestyle="", markersize=6)
        for at, colour in enumerate(colours.values())
    ]
    names = [shortened(name, 26) for name in colours]
    columns = 1 if max(map(len, names)) > 20 else 2 if sum(map(len, names)) > 44 else len(names)
    figure.legend(
        marks,
        names,
        loc="outside upper left",
        ncols=columns,
        handletextpad=0.3,
        columnspacing=1.2,
        borderpad=0.1,
        borderaxespad=0.2,
    )


def legend_rows(names: Sequence[str]) -> int:
    """How many rows `legend_above` needs for these names."""
    shown = [shortened(name, 26) for name in names]
    columns = 1 if max(map(len, shown)) > 20 else 2 if sum(map(len, shown)) > 44 else len(shown)
    return -(-len(shown) // columns)


def wrapped(name: str, *, width: int = 11, lines: int = 2) -> str:
    """A name on a few short lines, for a narrow column."""
    parts = wrap(name, width) or [""]
    if len(parts) > lines:
        parts = [*parts[: lines - 1], shortened(" ".join(parts[lines - 1 :]), width)]
    return "\n".join(shortened(part, width) for part in parts)


def quiet_label(axes: Axes, text: str, *, along: str, unit: str = "") -> None:
    """What an axis is, in small grey letters."""
    label = axes.set_xlabel if along == "x" else axes.set_ylabel
    label(with_unit(text, unit), color=QUIET)
