"""Purchases whose columns have no telling names, or none at all, recognised by how their values behave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb

from crm.proposal.amounts import product_by_price
from crm.proposal.choosing import Chosen
from crm.proposal.looking import Looked
from crm.proposal.matching import BY_VALUES, Match, Matched, fit, match
from crm.proposal.meanings import likeness
from crm.proposal.orders import customer_and_order
from crm.proposal.profile import Column, Table
from crm.proposal.shapes import Shape
from crm.proposal.words import meanings_of
from crm.proposal.written import examine_writing

_OTHERWISE = {
    "changed",
    "expires",
    "delivered",
    "promised",
    "age",
    "personal",
    "place",
    "category",
    "department",
    "brand",
}


def guess_purchases(con: duckdb.DuckDBPyConnection, found: Sequence[Looked]) -> Chosen | None:
    """The largest table that behaves like purchases: somebody who comes back, a date, an amount."""
    for looked in sorted(found, key=lambda one: -one.rows):
        columns = _completed(con, looked.profile)
        if columns:
            return Chosen(looked, Matched("purchases", columns, BY_VALUES))
    return None


def _completed(con: duckdb.DuckDBPyConnection, table: Table) -> dict[str, Match] | None:
    """What the names say, and what the values say where names are silent; None where something is lacking."""
    columns = match(table, "purchases")
    for target in [one for one, found in columns.items() if found.sure < BY_VALUES]:
        del columns[target]
    if "ordered_at" not in columns and (moment := next(_moments(table, free_columns(table, columns)), None)):
        columns["ordered_at"] = moment
    if not columns.keys() & {"net_amount", "unit_price"} and (amount := _amount(free_columns(table, columns))):
        columns["net_amount"] = amount
    if "quantity" not in columns and (pieces := pieces_in(table, free_columns(table, columns))):
        columns["quantity"] = pieces
    if "customer_id" not in columns:
        ids = [c for c in free_columns(table, columns) if c.is_id and not c.is_yes_no and c.empty_share < 0.6]
        if who := customer_and_order(con, table, ids):
            columns["customer_id"] = Match(who[0], BY_VALUES)
            if who[1] and "order_id" not in columns:
                columns["order_id"] = Match(who[1], BY_VALUES)
    _add_product(con, table, columns)
    needed = {"customer_id", "ordered_at"}
    return columns if needed <= columns.keys() and columns.keys() & {"net_amount", "unit_price"} else None


def _add_product(con: duckdb.DuckDBPyConnection, table: Table, columns: dict[str, Match]) -> None:
    amount = columns.get("net_amount") or columns.get("unit_price")
    ids = [
        c for c in free_columns(table, columns) if c.is_id and not c.is_yes_no and c.repeats >= 3 and c.distinct >= 5
    ]
    if amount is None or "product_id" in columns or not ids:
        return
    quantity = columns["quantity"].column if "quantity" in columns else None
    manner = examine_writing(con, table, Matched("purchases", columns, BY_VALUES)).manner()
    found = product_by_price(con, table, amount=amount.column, quantity=quantity, ids=ids, manner=manner)
    if found:
        columns["product_id"] = Match(found, BY_VALUES)


def free_columns(table: Table, columns: dict[str, Match]) -> list[Column]:
    """The columns not yet used whose names do not say that they are something else."""
    taken = {found.column for found in columns.values()}
    return [
        c
        for c in table.columns
        if c.filled and c.name not in taken and not any(word & _OTHERWISE for word in meanings_of(c.name))
    ]


def _moments(table: Table, free: Sequence[Column]) -> Iterator[Match]:
    dates = [c for c in free if fit(c, "purchases", "ordered_at") > 0 and len(c.words) != 1]
    for column in sorted(
        dates, key=lambda c: (-c.is_date, -round(c.filled_share, 1), -(c.forms.timed > 0), c.position)
    ):
        others = tuple(c.name for c in dates if c.name != column.name and c.is_date)
        yield Match(column.name, BY_VALUES, others)


def _amount(free: Sequence[Column]) -> Match | None:
    decimals = [c for c in free if c.has_decimals and c.filled_share > 0.5]
    if not decimals:
        return None
    best = max(decimals, key=lambda c: (likeness(c.name, "purchases", "net_amount"), c.distinct))
    return Match(best.name, BY_VALUES, tuple(c.name for c in decimals if c.name != best.name))


def pieces_in(table: Table, free: Sequence[Column]) -> Match | None:
    """Small whole numbers without leading noughts, if there is one such column."""
    most = max(30, table.rows / 50)
    small = [c for c in free if c.is_number and not c.has_decimals and c.filled_share > 0.9 and 1 < c.distinct < most]
    small = [c for c in small if all(_is_small(shape) for shape in c.forms.undated)]
    return Match(small[0].name, BY_VALUES) if len(small) == 1 else None


def _is_small(shape: Shape) -> bool:
    digits = shape.low.lstrip("-").partition(".")[0]
    return len(digits) <= 3 and (not digits.startswith("0") or digits == "0")
