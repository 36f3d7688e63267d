"""What was taken off: off a line, off a whole order, or as a share of the price; and whether the amount holds it."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from crm.engine import sql_name
from crm.proposal.amounts import equal_share, repeated_discount
from crm.proposal.draft import Draft
from crm.proposal.orders import Portrait
from crm.proposal.profile import value_of
from crm.proposal.taxes import is_percent
from crm.proposal.told import count, quoted, share
from crm.proposal.words import meanings_of
from crm.proposal.written import as_number, plain_number

_PROVEN = 0.95  # of the orders, or lines, with a discount
_FEW = 5


def settle_discounts(con: duckdb.DuckDBPyConnection, draft: Draft, found: Portrait | None) -> None:
    """A discount of the whole order, a share of the price, or one below nought cannot be taken as it is."""
    for target in ("discount_amount", "coupon_amount"):
        column = draft.columns.get(target)
        if column is None:
            continue
        below = draft.looked.profile[column].forms.negative
        if why := _no_discount(con, draft, column, found):
            draft.unused[draft.columns.pop(target)] = why
            if why.startswith("the order's"):
                _off_the_order(con, draft, column, found)
        elif not below:
            _off_the_line(con, draft, column)
        elif below > 0.02 * draft.looked.rows:
            sql = f"abs({plain_number(draft.looked.profile[column], draft.written.manner())})"
            draft.make(target, sql, f"{column} is below nought on {count(below, 'line')}: its sign is turned")
    _share_of_the_price(con, draft)


def _no_discount(con: duckdb.DuckDBPyConnection, draft: Draft, column: str, found: Portrait | None) -> str:
    """Why a column cannot be what was taken off a line; empty: it can."""
    table, manner, order = draft.looked.profile, draft.written.manner(), draft.columns["order_id"]
    if is_percent(column):
        return "a share by its name: no amount that was taken off"
    if found and found.telling and found.once_share(column) >= 0.9:
        return "the order's, on its first line only"
    repeated = repeated_discount(con, table, order=order, discount=column, manner=manner) if found else 0.0
    if repeated >= 0.9:
        return (
            f"the order's, repeated on each line ({share(repeated)} of the orders of several lines that have one): "
            "counting it per line would count it several times"
        )
    amount = draft.columns.get("net_amount") or draft.columns.get("unit_price", "")
    if amount in table.names and equal_share(con, table, column, amount, manner) >= 0.9:
        return f"the same as {amount} on nearly all lines: no discount"
    return ""


def _line(draft: Draft) -> str:
    """SQL of a line's amount as a number; nothing where a query makes it."""
    table, manner = draft.looked.profile, draft.written.manner()
    if (amount := draft.columns.get("net_amount", "")) in table.names:
        return plain_number(table[amount], manner)
    quantity, unit = draft.columns.get("quantity", ""), draft.columns.get("unit_price", "")
    if {quantity, unit} <= set(table.names):
        return f"{plain_number(table[quantity], manner)} * {plain_number(table[unit], manner)}"
    return ""


@dataclass(frozen=True)
class _Sums:
    """Orders with a discount and a total, and of them those whose lines add up to the total less the discount
    (after), or only with the discount taken off (before)."""

    orders: int
    after: int
    before: int


def _off_the_order(con: duckdb.DuckDBPyConnection, draft: Draft, discount: str, found: Portrait | None) -> None:
    """Spread an order's discount over its lines, where the order's total says that they do not hold it yet."""
    line, order = _line(draft), draft.columns["order_id"]
    if not line or found is None:
        return
    best, total = _Sums(0, 0, 0), ""
    for name, why in draft.unused.items():
        if name in found.columns and name != discount and "order" in why:
            sums = _sums(con, draft, line, discount, name)
            if max(sums.after, sums.before) > max(best.after, best.before):
                best, total = sums, name
    if not _sums(con, draft, line, discount, discount).orders:
        return  # nothing was ever taken off
    if best.orders >= _FEW and best.after >= _PROVEN * best.orders:
        draft.unused[discount] += f"; the lines are what is left of it: they add up to {total}"
        return
    spread = _spread(line, sql_name(order), plain_number(draft.looked.profile[discount], draft.written.manner()))
    if best.orders >= _FEW and best.before >= _PROVEN * best.orders:
        why = (
            f"{discount} was taken off the whole order: with it the lines add up to {total} in "
            f"{share(best.before / best.orders)} of {count(best.orders, 'order')} with one, so it is spread over them"
        )
        draft.columns.pop("unit_price", None)
        draft.make("net_amount", spread, why)
        return
    used = "net_amount" if "net_amount" in draft.columns else "unit_price"
    name = draft.offer("net amount less discount", spread, f"{discount} of an order spread over its lines")
    draft.decide(
        f"columns.{used}",
        f"{discount} was taken off whole orders; do the amounts of their lines hold it already?",
        "yes: leave it so",
        f"no: net_amount = {quoted(name)}" + (", and take the line unit_price away" if used == "unit_price" else ""),
        stands="they do",
    )


def _sums(con: duckdb.DuckDBPyConnection, draft: Draft, line: str, discount: str, total: str) -> _Sums:
    table, manner = draft.looked.profile, draft.written.manner()
    order = draft.columns["order_id"]
    key = value_of(order, table[order].kind)
    d, t = (as_number(table[name], manner) for name in (discount, total))
    row = con.execute(
        "SELECT count(*), count(*) FILTER (abs(l - t) <= 0.02), count(*) FILTER (abs(l - abs(d) - t) <= 0.02) FROM "
        f"(SELECT sum(CAST({line} AS DOUBLE)) AS l, max(abs({d})) AS d, max({t}) AS t FROM {table.relation} "
        f"WHERE {key} IS NOT NULL GROUP BY {key}) WHERE d > 0.02 AND t IS NOT NULL"
    ).fetchall()[0]
    return _Sums(*(int(n or 0) for n in row))


def _spread(line: str, order: str, discount: str) -> str:
    """SQL of a line's amount less its part of the order's discount, to the cent over all lines of the order."""
    whole = f"CAST(sum({line}) OVER (PARTITION BY {order}) AS DOUBLE)"
    so_far = f"sum({line}) OVER (PARTITION BY {order} ORDER BY {line} ROWS UNBOUNDED PRECEDING)"  # exact: no DOUBLE
    part = f"max(CAST(abs({discount}) AS DOUBLE)) OVER (PARTITION BY {order}) / nullif({whole}, 0)"
    taken = [
        f"CAST(round({part} * CAST({up_to} AS DOUBLE), 2) AS DECIMAL(18, 2))"
        for up_to in (so_far, f"{so_far} - {line}")
    ]
    return f"{line} - coalesce({taken[0]} - {taken[1]}, 0)"


def _off_the_line(con: duckdb.DuckDBPyConnection, draft: Draft, discount: str) -> None:
    """Is the amount the one before the discount? The price of a piece says so, if it knows no discount."""
    table, manner, line = draft.looked.profile, draft.written.manner(), _line(draft)
    made_of_price = " gives it on " in draft.evidence.get("net_amount", "") or "unit_price" in draft.columns
    if not line or not made_of_price:
        return
    off = f"{line} - coalesce({plain_number(table[discount], manner)}, 0)"
    _decide(con, draft, off, discount, has=f"{as_number(table[discount], manner)} <> 0")


def _share_of_the_price(con: duckdb.DuckDBPyConnection, draft: Draft) -> None:
    """A discount that is a share, 0.1 or 10 %, of the price."""
    table, taken, manner = draft.looked.profile, set(draft.columns.values()), draft.written.manner()
    shares = [
        c
        for c in table.columns
        if c.name not in taken
        and any("discount" in word for word in meanings_of(c.name))
        and (c.is_share or (c.is_number and is_percent(c.name)))
        and any(word.strip("0.,") for word, _ in c.words or (("1", 1),))
    ]
    line = _line(draft)
    if not shares or not line or any(d in draft.columns for d in ("discount_amount",)):
        return
    if "unit_price" not in draft.columns and " gives it on " not in draft.evidence.get("net_amount", ""):
        return
    column = shares[0]
    rate = f"coalesce({plain_number(column, manner)}, 0)" + ("" if column.is_share else " / 100.0")
    off = f"CAST(round({line} * (1 - {rate}), 2) AS DECIMAL(18, 2))"
    _decide(con, draft, off, column.name, has=f"{as_number(column, manner)} > 0")


def _decide(con: duckdb.DuckDBPyConnection, draft: Draft, off: str, discount: str, *, has: str) -> None:
    """Take the discount off where the price of a product does not know it, and let a person take it back."""
    used = "net_amount" if "net_amount" in draft.columns else "unit_price"
    source = draft.columns[used]
    same, lower = _prices(con, draft, has)
    if lower > _PROVEN:
        draft.evidence[used] = f"{draft.evidence.get(used, '')}; lower where there is a {discount}".removeprefix("; ")
        return
    away = ", and take the line unit_price away" if used == "unit_price" else ""
    if same > _PROVEN:
        quantity = f", with the line unit_price = {quoted(source)} in its place" if used == "unit_price" else ""
        draft.columns.pop("unit_price", None)
        draft.make("net_amount", off, f"{source} is the amount before {discount}: a piece costs the same with one")
        draft.decide(
            "columns.net_amount", f"{discount} is taken off here, as a product's price is the same with and without "
            "one; is that right?", "yes: leave it so",
            f"no: take the line net_amount away{quantity}" if quantity else f"no: net_amount = {quoted(source)}",
            stands=f"{source} less {discount}",
        )  # fmt: skip
        return
    name = draft.offer("net amount less discount", off, f"{source} less {discount}, if a person decides so")
    draft.decide(
        f"columns.{used}", f"is {source} the amount before {discount} is taken off, or after it?",
        f"after: {used} = {quoted(source)}", f"before: net_amount = {quoted(name)}{away}",
        stands=f"{source}, as if the discount were taken off already",
    )  # fmt: skip


def _prices(con: duckdb.DuckDBPyConnection, draft: Draft, has: str) -> tuple[float, float]:
    """Of the lines with a discount, the share on which a piece costs what it costs without one, and less."""
    table, product, line = draft.looked.profile, draft.columns.get("product_id", ""), _line(draft)
    quantity = draft.columns.get("quantity", "")
    if not {product, quantity} <= set(table.names):
        return 0.0, 0.0
    q, key = as_number(table[quantity], draft.written.manner()), value_of(product, table[product].kind)
    same, lower, lines = con.execute(
        f"WITH lines AS (SELECT {key} AS p, CAST({line} AS DOUBLE) / nullif({q}, 0) AS each, "
        f"coalesce({has}, false) AS off FROM {table.relation}), "
        "usual AS (SELECT p, median(each) AS u FROM lines WHERE NOT off GROUP BY p) "
        "SELECT count(*) FILTER (abs(each - u) <= 0.011), count(*) FILTER (each < u - 0.011), count(*) "
        "FROM lines JOIN usual USING (p) WHERE off AND each IS NOT NULL"
    ).fetchall()[0]
    return (same / lines, lower / lines) if lines >= 20 else (0.0, 0.0)
