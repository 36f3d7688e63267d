"""Where is it high, where low? A table of two dimensions in which the eye finds the pattern before it reads."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crm.errors import RequestError
from crm.reporting.chart import Chart, Picture, nothing_left, take_picture
from crm.reporting.charts.drawable import drawable, extremes, first_come, formats_for
from crm.reporting.charts.labels import quiet_label, wrapped
from crm.reporting.small_groups import without_small_cells
from crm.reporting.style import COMPARISON, INK, LETTER, WIDTH, canvas, diverging, house_style, readable_on, rising
from crm.reporting.wording import MINUS, SHARE, heading, moments, number, quantity, shortened, tick

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

MOST_ROWS, MOST_COLUMNS = 30, 24
_MOST_WRITTEN_COLUMNS = 16
_ROW, _CELL, _DIGIT = 0.27, 0.4, 0.07
_WIDEST = 8.5
_ROW_OF_TWO_LINES = 0.38
_ROW_NAME = 24  # letters on one of the two lines of a row's name


@dataclass(frozen=True)
class _Map:
    """What is drawn: `grid` has one row per row name and one column per column name, in order."""

    grid: pd.DataFrame
    rows: str
    columns: str
    value: str
    unit: str
    centre: float | None

    @property
    def shown(self) -> pd.DataFrame:
        return self.grid.iloc[:MOST_ROWS, :MOST_COLUMNS]

    @property
    def is_written(self) -> bool:
        """Is there room for the numbers themselves?"""
        return self.shown.shape[1] <= _MOST_WRITTEN_COLUMNS

    @property
    def is_whole(self) -> bool:
        """Are the numbers of a size that makes digits behind the point a distraction?"""
        return self.unit != SHARE and 100 <= float(self.grid.abs().max().max()) < 99_950

    def said(self, value: float) -> str:
        """A cell's number as it is written into it."""
        return f"{value:,.0f}".replace("-", MINUS) if self.is_whole else number(value, self.unit)

    @property
    def cell_width(self) -> float:
        """Inches that the widest number needs."""
        if not self.is_written:
            return _CELL
        lengths = [len(self.said(value)) for value in self.shown.to_numpy().ravel() if np.isfinite(value)]
        return max(_CELL, 0.1 + _DIGIT * max(lengths, default=0))

    @property
    def is_movement(self) -> bool:
        """Do rows and columns begin with the same names? (those that are only on one side come last)"""
        common = min(self.grid.shape)
        return common > 1 and list(self.grid.index[:common]) == list(self.grid.columns[:common])


def draw_heatmap(
    table: pd.DataFrame,
    *,
    rows: str,
    columns: str,
    value: str,
    title: str,
    unit: str,
    centre: float | None = None,
    note: str = "",
) -> Chart:
    """Where is `value` high, where low? (retention by cohort and age, movement between segments)

    table: one row per cell, rows and columns in the order in which they first appear; a missing cell stays empty.
    unit: what the value is counted in; "share" for numbers from 0 to 1.
    centre: the value that is neither high nor low (0 for a difference, 100 for an index): below and above it get
        different colours. By default 0 where there are negative values.
    Where rows and columns begin with the same names, the cells of those who stayed are framed.
    Raises RequestError where a column is not there, holds no numbers, or a cell is there twice.
    """
    _check_once(drawable(table, axis={"row": rows, "column": columns}))
    shown, note = without_small_cells(table, note, rows=rows, value=value)
    frame = drawable(shown, values={"value": value}, axis={"row": rows, "column": columns})
    if frame["value"].isna().all():
        return nothing_left(title, table, shown)
    grid = _grid(frame)
    lowest = float(grid.min().min())
    heat = _Map(grid, rows, columns, value, unit, 0.0 if centre is None and lowest < 0 else centre)
    left_out = (
        "" if heat.shown.shape == grid.shape else "Not every row and column is drawn; the numbers behind hold all."
    )
    return Chart(
        title,
        alt=_in_words(heat),
        numbers=grid.reset_index(names=heading(rows)),
        picture=_drawn(heat),
        note=" ".join(filter(None, [note, left_out])),
        formats=formats_for(list(grid.columns), unit),
    )


def _grid(frame: pd.DataFrame) -> pd.DataFrame:
    named = frame.assign(row=_told_apart(frame["row"]), column=_told_apart(frame["column"]))
    grid = named.pivot(index="row", columns="column", values="value")
    return grid.reindex(index=first_come(named["row"]), columns=first_come(named["column"])).rename_axis(columns=None)


def _check_once(cells: pd.DataFrame) -> None:
    twice = cells[cells.duplicated(["row", "column"])]
    if not twice.empty:
        row, column = (moments(twice[part].head(1))[0] for part in ("row", "column"))
        raise RequestError(
            "A heat map has one row of its table per cell.",
            found=f"{len(twice)} more, first for {row} and {column}",
            do="Add them up, or choose, before drawing.",
        )


def _told_apart(names: pd.Series) -> list[str]:
    """The names in words; different ones that look the same (a blank more) are numbered."""
    looks = dict(zip(names.tolist(), moments(names), strict=True))
    seen: dict[str, int] = {}
    for name, words in looks.items():
        seen[words] = seen.get(words, 0) + 1
        looks[name] = words if seen[words] == 1 else f"{words} ({seen[words]})"
    return [looks[name] for name in names.tolist()]


def _drawn(heat: _Map) -> Picture:
    grid = heat.shown
    longest = max(len(line) for name in grid.index for line in wrapped(name, width=_ROW_NAME).split("\n"))
    width = min(_WIDEST, max(WIDTH, 0.5 + longest * LETTER + grid.shape[1] * heat.cell_width))
    row = _ROW if all(len(str(name)) <= _ROW_NAME for name in grid.index) else _ROW_OF_TWO_LINES
    with house_style():
        figure, axes = canvas(height=(1.5 if _is_slanted(grid) else 0.95) + row * len(grid), width=width)
        _draw_cells(axes, heat)
        _name_cells(axes, heat)
        return take_picture(figure)


def _draw_cells(axes: Axes, heat: _Map) -> None:
    import seaborn as sns

    grid = heat.shown
    low, high = _ends(heat)
    with warnings.catch_warnings():
        # A letter that the font lacks is drawn as a box, and that is enough.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        sns.heatmap(
            grid,
            ax=axes,
            vmin=low,
            vmax=high,
            cmap=_colours(heat),
            cbar=not heat.is_written,
            cbar_kws=None if heat.is_written else {"format": lambda v, _: tick(v, heat.unit)},
            linewidths=1,
            linecolor="white",
        )
    if heat.is_written:
        _write_cells(axes, heat)
    if heat.is_movement:
        _frame_diagonal(axes, min(grid.shape))


def _write_cells(axes: Axes, heat: _Map) -> None:
    """The number of each cell, dark on the pale colours and white on the dark ones."""
    low, high = _ends(heat)
    for row, values in enumerate(heat.shown.to_numpy()):
        for column, value in enumerate(values):
            if np.isfinite(value):
                colour = readable_on(_colours(heat)((value - low) / (high - low)))
                axes.text(
                    column + 0.5, row + 0.5, heat.said(value), ha="center", va="center", color=colour, fontsize=8
                )


def _colours(heat: _Map) -> Colormap:
    return rising() if heat.centre is None else diverging()


def _ends(heat: _Map) -> tuple[float, float]:
    """The values of the palest and the darkest colour; the same distance on both sides of a centre."""
    low, high = float(heat.shown.min().min()), float(heat.shown.max().max())
    if heat.centre is None:
        # From nothing on, unless that would make all cells look the same.
        start = low - 0.25 * (high - low) if low > 0.3 * high else min(0.0, low)
        return start, high if high > start else start + 1.0
    reach = max(high - heat.centre, heat.centre - low) or 1.0
    return heat.centre - reach, heat.centre + reach


def _is_slanted(grid: pd.DataFrame) -> bool:
    """Are the columns' names too wide to stand beside one another?"""
    widest = max(len(line) for name in grid.columns for line in wrapped(name).split("\n"))
    room = max(_CELL, (WIDTH - 1.6) / grid.shape[1])
    return widest * LETTER > room


def _frame_diagonal(axes: Axes, size: int) -> None:
    from matplotlib.patches import Rectangle

    for at in range(size):
        axes.add_patch(Rectangle((at, at), 1, 1, fill=False, edgecolor=INK, linewidth=1.3))


def _name_cells(axes: Axes, heat: _Map) -> None:
    grid = heat.shown
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    every = 1 if heat.is_written else 2
    names = [shortened(n, 28) if _is_slanted(grid) else wrapped(n) for n in grid.columns[::every]]
    axes.set_xticks([at + 0.5 for at in range(0, grid.shape[1], every)], names, rotation=0)
    if _is_slanted(grid):
        for label in axes.get_xticklabels():
            label.set(rotation=38, ha="left", rotation_mode="anchor")
    axes.grid(visible=False)
    axes.set_yticks(
        [at + 0.5 for at in range(len(grid))], [wrapped(n, width=_ROW_NAME) for n in grid.index], rotation=0
    )
    axes.tick_params(length=0)
    quiet_label(axes, heat.columns, along="x")
    quiet_label(axes, heat.rows, along="y")
    axes.set_facecolor("white")
    axes.spines[:].set_visible(False)
    axes.spines[:].set_color(COMPARISON)


def _in_words(heat: _Map) -> str:
    unit = heat.unit
    cells = heat.grid.reset_index(names="row").melt("row", var_name="column", value_name="value").dropna()
    highest, lowest = extremes(cells, "value")
    words = (
        f"Heat map of {heading(heat.value).lower()}: {len(heat.grid)} rows ({heading(heat.rows).lower()}) and "
        f"{len(heat.grid.columns)} columns ({heading(heat.columns).lower()}), {len(cells)} cells with a value. "
        f"Highest {quantity(highest['value'], unit)} ({highest['row']}, {highest['column']}), "
        f"lowest {quantity(lowest['value'], unit)} ({lowest['row']}, {lowest['column']})."
    )
    if heat.is_movement:
        same = heat.grid.index[: min(heat.grid.shape)]
        stayed = [f"{name} {quantity(heat.grid.loc[name, name], unit)}" for name in same]
        return f"{words} Unchanged: {'; '.join(stayed)}."
    return f"{words} Last row, {heat.grid.index[-1]}: {_row_in_words(heat.grid.iloc[-1], unit)}."


def _row_in_words(row: pd.Series, unit: str) -> str:
    there = row.dropna()
    return "; ".join(f"{name} {quantity(value, unit)}" for name, value in there.iloc[:12].items()) or "no value"
