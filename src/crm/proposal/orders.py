"""What the lines of one order have in common: the portrait by which an order's number, a total that is repeated on
each line, and values that stand on the first line only are recognised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from crm.proposal.profile import Column, Table, value_of

ONE_OF_MANY = 0.98  # of the orders with several lines that must agree
_MANY = 5  # orders with several lines, below which they prove nothing


@dataclass(frozen=True)
class Within:
    """How one column behaves within the orders of several lines: how many orders have one value on all lines, one
    value on a single line and nothing on the others, or values that differ."""

    same: int
    once: int
    differing: int


@dataclass(frozen=True)
class Portrait:
    """Orders by the values of one column: how many, how many have several lines, and each column in them."""

    orders: int
    several: int
    lines: int
    columns: dict[str, Within]

    def same_share(self, column: str) -> float:
        """The share of orders with several lines that have one value of the column."""
        return self.columns[column].same / self.several if self.several else 0.0

    def single(self, column: str) -> float:
        """The share of orders with several lines in which the column has no two values."""
        return 1 - self.columns[column].differing / self.several if self.several else 1.0

    def once_share(self, column: str) -> float:
        """The share of orders with several lines where the column stands on one line alone."""
        return self.columns[column].once / self.several if self.several else 0.0

    @property
    def telling(self) -> bool:
        """Are there enough orders of several lines to say anything?"""
        return self.several >= _MANY


def portrait(con: duckdb.DuckDBPyConnection, table: Table, order: str, columns: Sequence[Column]) -> Portrait:
    """The orders of a table, an order being the lines with the same value of `order`."""
    parts = []
    for at, column in enumerate(columns):
        value = value_of(column.name, column.kind)
        parts.append(f"min({value}) AS low_{at}, max({value}) AS high_{at}, count({value}) AS n_{at}")
    key = value_of(order, table[order].kind)
    shown = ", ".join(["count(*) AS n", *parts])
    lines = f"SELECT {shown} FROM {table.relation} WHERE {key} IS NOT NULL GROUP BY {key}"
    counted = [
        f"count(*) FILTER (n > 1 AND n_{at} = n AND low_{at} = high_{at}), count(*) FILTER (n > 1 AND n_{at} = 1), "
        f"count(*) FILTER (n > 1 AND low_{at} <> high_{at})"
        for at in range(len(columns))
    ]
    counts = ", ".join(["count(*)", "count(*) FILTER (n > 1)", "coalesce(sum(n), 0)", *counted])
    row = con.execute(f"SELECT {counts} FROM ({lines})").fetchall()[0]
    within = {c.name: Within(*(int(n or 0) for n in row[3 + 3 * at : 6 + 3 * at])) for at, c in enumerate(columns)}
    return Portrait(int(row[0]), int(row[1] or 0), int(row[2]), within)


def order_column(
    con: duckdb.DuckDBPyConnection, table: Table, *, customer: str, ordered_at: str, candidates: Sequence[Column]
) -> tuple[str, Portrait] | None:
    """The column whose values number the orders: each belongs to one customer and one day. None if there is none."""
    looked = [table[customer], table[ordered_at]]
    best: tuple[float, str, Portrait] | None = None
    for column in sorted(candidates, key=lambda c: -c.distinct)[:4]:
        if column.empty_share > 0.02 or column.distinct < 0.9 * table[customer].distinct:
            continue
        found = portrait(con, table, column.name, looked)
        fits = min(found.single(customer), found.single(ordered_at))
        if not found.telling or fits < ONE_OF_MANY:
            continue
        if best is None or found.orders < best[0]:
            best = (found.orders, column.name, found)
    return (best[1], best[2]) if best else None


def customer_and_order(
    con: duckdb.DuckDBPyConnection, table: Table, candidates: Sequence[Column]
) -> tuple[str, str | None] | None:
    """Of columns without telling names, the one that is the customer, and the one that numbers orders, if any.

    A customer comes back; an order belongs to one customer while the customer has several orders.
    """
    repeating = [c for c in candidates if c.filled and c.repeats >= 1.2 and len(c.words) != 1]
    for order in sorted(candidates, key=lambda c: -c.distinct):
        others = [c for c in repeating if c.name != order.name and c.distinct < order.distinct]
        found = portrait(con, table, order.name, others) if others else None
        if found is None or not found.telling:
            continue
        owners = [c for c in others if found.single(c.name) >= ONE_OF_MANY]
        if owners:
            return max(owners, key=lambda c: c.distinct).name, order.name
    if not repeating:
        return None
    return max(repeating, key=lambda c: c.distinct).name, None
