"""Nobody identifiable: a group of fewer than five customers is not told apart on a page.

What counts customers is known by the name of its column. In a table such a row stays, its count written as "under 5"
and its other numbers as –; in a chart it is not drawn. Limit: a table's total less its other rows may still give a
hidden number away; totals beside groups stand on pages only where many groups are.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import pandas as pd

from crm.headline import FEWEST_SHOWN
from crm.reporting.wording import clean, is_numeric

FEWEST = FEWEST_SHOWN
UNDER_FEWEST = f"under {FEWEST}"

# "customers", "n_customers", "Active customers", "customers before": how many stand behind the numbers of a row.
_GROUP = re.compile(r"(?!share|mean|expected)(\w+ )*customers( (before|now|left))?")


def customers_in(frame: pd.DataFrame) -> list[str]:
    """The columns that say, by their names, how many customers a row is about; whole numbers only."""
    return [name for at, name in enumerate(frame.columns) if _says_how_many(name, frame.iloc[:, at])]


def is_small(column: pd.Series) -> pd.Series:
    """Is it a count from one up to less than five? Nobody is not a group; a loss is counted like a gain."""
    count = pd.to_numeric(column, errors="coerce").astype("Float64").astype("float64").abs()
    return (count > 0) & (count < FEWEST)


def small_rows(frame: pd.DataFrame, columns: Collection[str]) -> pd.Series:
    """The rows in which one of these columns counts too few."""
    small = pd.Series(False, index=frame.index)
    for name in columns:
        small |= is_small(frame[name])
    return small


def without_small_groups(
    table: pd.DataFrame, note: str = "", *, customers: Sequence[str] | None = None
) -> tuple[pd.DataFrame, str]:
    """The rows that a chart may draw, and its note, which says how many are not drawn.

    customers: columns that count the customers of a row; None: those whose names say so.
    """
    small = small_rows(table, customers_in(table) if customers is None else customers).to_numpy()
    if not small.any():
        return table, note
    count = int(small.sum())
    groups = "one group" if count == 1 else f"{count:,} groups"
    return table[~small], f"{note} Not drawn: {groups} of fewer than {FEWEST} customers.".strip()


def without_small_cells(
    table: pd.DataFrame, note: str = "", *, rows: str, value: str, customers: Sequence[str] | None = None
) -> tuple[pd.DataFrame, str]:
    """A table of cells in which those of small groups are empty, and a row of nothing else is gone; and the note."""
    shown, note = without_small_groups(table, note, customers=customers)
    if shown is table:
        return table, note
    small = ~table.index.isin(shown.index)
    emptied = table.assign(**{value: table[value].astype("Float64").mask(small)})
    return emptied[~pd.Series(small, index=table.index).groupby(table[rows].tolist()).transform("all")], note


def _says_how_many(name: object, column: pd.Series) -> bool:
    words = clean(name).casefold().replace("_", " ")
    return bool(_GROUP.fullmatch(words)) and is_numeric(column) and _is_whole(column)


def _is_whole(column: pd.Series) -> bool:
    values = pd.to_numeric(column.dropna(), errors="coerce").astype("float64")
    return bool((values == values.round()).all())
