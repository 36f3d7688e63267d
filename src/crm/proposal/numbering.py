"""The orders of the purchases: the column that numbers them, or what makes one order of several lines."""

from __future__ import annotations

import duckdb

from crm.engine import sql_name
from crm.proposal.draft import Draft
from crm.proposal.meanings import likeness
from crm.proposal.orders import order_column, portrait
from crm.proposal.profile import Column, value_of
from crm.proposal.told import count, quoted, share
from crm.proposal.words import meanings_of
from crm.proposal.written import as_moment

_SEVERAL = range(20, 61)  # values of a column whose values are few, from which on they may number orders
_PLAUSIBLE = 0.5  # of the orders with several lines that must have one customer, and one date
_EACH = 0.95  # of the rows that must be the only one of their customer and moment


def settle_order(con: duckdb.DuckDBPyConnection, draft: Draft) -> None:
    """Number the orders: by the column so named, if it behaves so, by one that does, or by customer and day."""
    named = draft.columns.get("order_id")
    doubt = _doubt(con, draft, named) if named else ""
    if named and not doubt:
        return
    if by_values := _by_values(con, draft):
        draft.columns["order_id"] = by_values
        if named:
            draft.unused[named] = f"called like an order's number, but {doubt}"
        return
    unique = _one_a_row(con, draft)
    if unique:
        draft.columns["order_id"] = unique
        draft.evidence["order_id"] = "different in each row: one row is one order"
        return
    if named:
        when = draft.looked.profile[draft.columns["ordered_at"]]
        offered = draft.offer(
            "order and day",
            f"{_text(draft.looked.profile[named])} || '-' || {_day(when)}",
            f"{named} with its day, if it is used again",
        )
        draft.decide(
            "columns.order_id", f"{named} is called like an order's number, but {doubt}; is it used again and again?",
            f"no: order_id = {quoted(named)}", f"yes: order_id = {quoted(offered)}", stands=named,
        )  # fmt: skip
        return
    _customer_and_day(con, draft)


def _doubt(con: duckdb.DuckDBPyConnection, draft: Draft, named: str) -> str:
    """What speaks against a column as the order's number; nothing, if nothing does."""
    table = draft.looked.profile
    customer, ordered_at = draft.columns["customer_id"], draft.columns["ordered_at"]
    found = portrait(con, table, named, [table[customer], table[ordered_at]])
    if not found.telling:
        return ""
    for column, what in ((customer, "customers"), (ordered_at, "dates")):
        if found.single(column) < _PLAUSIBLE:
            return f"the lines of one have several {what} in {share(1 - found.single(column))} of all cases"
    return ""


def _by_values(con: duckdb.DuckDBPyConnection, draft: Draft) -> str | None:
    """A column each of whose values belongs to one customer and one moment."""
    table, customer, ordered_at = draft.looked.profile, draft.columns["customer_id"], draft.columns["ordered_at"]
    taken = set(draft.columns.values())
    candidates = [c for c in table.columns if c.is_id and c.name not in taken and len(c.words) in (0, *_SEVERAL)]
    found = order_column(con, table, customer=customer, ordered_at=ordered_at, candidates=candidates)
    if found is None:
        return None
    name, orders = found
    draft.evidence["order_id"] = (
        f"its {count(orders.orders, 'value')} each belong to one customer and date: taken for the order's number"
    )
    if not likeness(name, "purchases", "order_id"):
        draft.decide(
            "columns.order_id", "is this the order's number? Its name does not say so, its values behave so",
            f"order_id = {quoted(name)}", "another column", stands=name,
        )  # fmt: skip
    return name


def _one_a_row(con: duckdb.DuckDBPyConnection, draft: Draft) -> str | None:
    """A number that is different in each row, where a customer hardly ever has two rows of one moment."""
    table, customer, ordered_at = draft.looked.profile, draft.columns["customer_id"], draft.columns["ordered_at"]
    taken = set(draft.columns.values())
    ids = [
        c
        for c in table.columns
        if c.is_id
        and c.name not in taken
        and c.filled_share > 0.99
        and c.distinct >= 0.95 * c.filled
        and any("id" in word for word in meanings_of(c.name))
    ]
    who, when = (value_of(name, table[name].kind) for name in (customer, ordered_at))
    pairs, rows = con.execute(
        f"SELECT count(DISTINCT {who} || ' ' || {when}), count({who} || ' ' || {when}) FROM {table.relation}"
    ).fetchall()[0]
    return ids[0].name if ids and rows and pairs >= _EACH * rows else None


def _customer_and_day(con: duckdb.DuckDBPyConnection, draft: Draft) -> None:
    """A customer's lines of one day are one order."""
    table = draft.looked.profile
    customer, ordered_at = table[draft.columns["customer_id"]], table[draft.columns["ordered_at"]]
    who, when = value_of(customer.name, customer.kind), value_of(ordered_at.name, ordered_at.kind)
    day = f"CAST({as_moment(ordered_at, draft.written)} AS DATE)" if ordered_at.forms.timed else when
    lines, orders = con.execute(
        f"SELECT count(*), count(DISTINCT {who} || '-' || {day}) FROM {table.relation}"
    ).fetchall()[0]
    draft.make(
        "order_id",
        f"{_text(customer)} || '-' || {_day(ordered_at)}",
        "there is no order number: a customer's lines of one day are one order "
        f"({count(orders, 'order')} of {count(lines, 'line')})",
    )


def _text(column: Column) -> str:
    name = sql_name(column.name)
    return name if column.kind == "VARCHAR" else f"CAST({name} AS VARCHAR)"


def _day(column: Column) -> str:
    """SQL of the date alone, as text."""
    if not column.forms.timed:
        return _text(column)
    if column.kind != "VARCHAR":
        return f"CAST(CAST({sql_name(column.name)} AS DATE) AS VARCHAR)"
    if any(form.startswith("year first") for form in column.forms.dates):
        return f"left(trim({sql_name(column.name)}), 10)"
    return f"split_part(trim({sql_name(column.name)}), ' ', 1)"
