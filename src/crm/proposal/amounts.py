"""Which amount is the money received for a line: a line's total, a unit's price, or an order's total repeated?

Names are not enough ("Price", "Total"), so it is reckoned: does quantity x this give that; does it grow with the
quantity of the same product; is it the same on all lines of an order?
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import permutations

import duckdb

from crm.engine import sql_name
from crm.proposal.orders import Portrait
from crm.proposal.profile import Column, Table, value_of
from crm.proposal.words import fold, meanings_of
from crm.proposal.written import as_number
from crm.sources.mapping.values import Manner

AGREED = 0.9  # of the lines that must agree
_ENOUGH = 20  # lines, below which nothing is concluded
_ONE_PRICE = 0.7  # of the lines that must have their product's usual price
_BALANCE = ("balance", "saldo", "solde", "kontostand", "running", "cumul", "kumul")  # never a line's amount
_NO_QUANTITY = {"tax", "percent", "discount", "coupon", "margin", "shipping"}
_REPEATED = 0.95  # of orders with several lines that must have the same amount throughout


def is_balance(name: str) -> bool:
    """Does a column's name say that it is a running balance?"""
    return any(word in fold(name) for word in _BALANCE)


def is_price(name: str) -> bool:
    """Does a column's name say that it is the price of one piece?"""
    return any(word & {"price", "unit"} for word in meanings_of(name))


@dataclass(frozen=True)
class Product:
    """quantity x unit price = amount, on this share of the lines whose quantity is not one."""

    unit_price: str
    amount: str
    lines: int
    share: float


def products_of_quantity(
    con: duckdb.DuckDBPyConnection, table: Table, *, quantity: str, amounts: Sequence[Column], manner: Manner
) -> Product | None:
    """The two columns of which one is quantity times the other, if there are such."""
    pairs = list(permutations(amounts[:6], 2))
    if not pairs:
        return None
    q, money = as_number(table[quantity], manner), {c.name: as_number(c, manner) for c in amounts}
    conditions = []
    for one, other in pairs:
        u, t = money[one.name], money[other.name]
        there = f"abs({q}) NOT IN (0, 1) AND {u} <> 0 AND {t} IS NOT NULL"
        conditions += [
            f"count(*) FILTER ({there})",
            f"count(*) FILTER ({there} AND abs(abs({q} * {u}) - abs({t})) <= 0.006 * abs({q}) + 0.006)",
        ]
    row = con.execute(f"SELECT {', '.join(conditions)} FROM {table.relation}").fetchall()[0]
    found = [
        Product(one.name, other.name, int(row[2 * at]), row[2 * at + 1] / row[2 * at])
        for at, (one, other) in enumerate(pairs)
        if (row[2 * at] or 0) >= _ENOUGH
    ]
    best = max(found, key=lambda p: p.share, default=None)
    return best if best and best.share >= AGREED else None


def quantity_by_product(
    con: duckdb.DuckDBPyConnection, table: Table, *, amounts: Sequence[Column], free: Sequence[Column], manner: Manner
) -> tuple[str, Product] | None:
    """Of columns whose names say nothing, the one that times a unit price gives an amount: the quantity."""
    if not (any(is_price(c.name) for c in amounts) and any(not is_price(c.name) for c in amounts)):
        return None
    for column in free[:12]:
        if column.distinct < 3 or any(word & _NO_QUANTITY for word in meanings_of(column.name)):
            continue
        agreed = products_of_quantity(con, table, quantity=column.name, amounts=amounts, manner=manner)
        if agreed and is_price(agreed.unit_price) and not is_price(agreed.amount):
            return column.name, agreed
    return None


@dataclass(frozen=True)
class Growth:
    """Of lines with more than one piece, those on which the amount is what a single piece of the same product usually
    costs, and those on which it is that times the quantity."""

    lines: int
    as_unit: int
    as_total: int

    @property
    def is_unit_price(self) -> bool | None:
        """None: the lines do not say."""
        if self.lines < _ENOUGH or max(self.as_unit, self.as_total) < 0.5 * self.lines:
            return None
        if self.as_unit > 2 * self.as_total:
            return True
        return False if self.as_total > 2 * self.as_unit else None


def growth(
    con: duckdb.DuckDBPyConnection, table: Table, *, quantity: str, product: str | None, amount: str, manner: Manner
) -> Growth:
    """Does the amount grow with the quantity, among the lines of one product, or, without products, among all?"""
    product_key, near = (value_of(product, table[product].kind), 0.25) if product else ("''", 0.4)
    q, a = (as_number(replace(table[name], name=short), manner) for name, short in ((quantity, "q"), (amount, "a")))
    alike = (
        f"SELECT {product_key} AS p, {sql_name(quantity)} AS q, {sql_name(amount)} AS a, count(*) AS n "
        f"FROM {table.relation} GROUP BY ALL"
    )
    row = con.execute(
        f"WITH lines AS (SELECT p, n, abs({q}) AS q, abs({a}) AS a FROM ({alike}) WHERE {q} <> 0 AND {a} <> 0), "
        "one AS (SELECT p, arg_max(a, (n, a)) AS usual FROM lines WHERE q = 1 GROUP BY p) "
        f"SELECT sum(n), sum(n) FILTER (abs(a - usual) <= {near} * usual), "
        f"sum(n) FILTER (abs(a - q * usual) <= {near} * q * usual) FROM lines JOIN one USING (p) WHERE q >= 2"
    ).fetchall()[0]
    return Growth(*(int(n or 0) for n in row))


def product_by_price(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    *,
    amount: str,
    quantity: str | None,
    ids: Sequence[Column],
    manner: Manner,
) -> str | None:
    """Of columns without telling names the one whose values each have a price of their own: the product."""
    a = as_number(table[amount], manner)
    q = as_number(table[quantity], manner) if quantity else "1"
    best: tuple[float, str] = (_ONE_PRICE, "")
    for column in ids[:6]:
        key = value_of(column.name, column.kind)
        row = con.execute(
            f"WITH lines AS (SELECT {key} AS p, {a} AS total, {a} / nullif({q}, 0) AS each FROM {table.relation}), "
            "usual AS (SELECT p, median(total) AS total, median(each) AS each FROM lines WHERE p IS NOT NULL "
            "GROUP BY p) "
            "SELECT count(*), count(*) FILTER (abs(l.total - u.total) <= 0.1 * abs(u.total)), "
            "count(*) FILTER (abs(l.each - u.each) <= 0.1 * abs(u.each)) FROM lines AS l JOIN usual AS u USING (p)"
        ).fetchall()[0]
        steady = max(int(row[1] or 0), int(row[2] or 0)) / row[0] if row[0] else 0.0
        best = max(best, (steady, column.name))
    return best[1] or None


def adding_up(
    con: duckdb.DuckDBPyConnection, table: Table, *, order: str, total: str, line: str, manner: Manner
) -> tuple[float, int]:
    """The share of orders whose lines (`line`: SQL of a line's amount) add up to the total that stands on them, and
    how many orders have one."""
    key, sum_of = value_of(order, table[order].kind), as_number(table[total], manner)
    agreed, orders = con.execute(
        "SELECT count(*) FILTER (abs(lines - total) <= 0.01 * abs(total) + 0.02), count(*) FROM (SELECT "
        f"sum({line}) AS lines, max({sum_of}) AS total FROM {table.relation} WHERE {key} IS NOT NULL GROUP BY {key}) "
        "WHERE total > 0"
    ).fetchall()[0]
    return (agreed / orders if orders else 0.0), int(orders)


def repeated_totals(
    found: Portrait, *, product: str | None, quantity: str | None, amounts: Sequence[str]
) -> list[str]:
    """The amounts that are an order's total, repeated on each of its lines.

    Only where the lines of orders differ in product or quantity, so that equal amounts are no matter of course.
    """
    differing = max((found.columns[c].differing for c in (product, quantity) if c in found.columns), default=0)
    if not found.telling or differing < 0.3 * found.several:
        return []
    return [amount for amount in amounts if found.same_share(amount) >= _REPEATED]


def perhaps_repeated(
    found: Portrait, *, product: str | None, quantity: str | None, amounts: Sequence[str]
) -> list[str]:
    """The same where no product or quantity tells an order's lines apart: totals, or lines that cost the same."""
    if not found.telling or any(c in found.columns for c in (product, quantity)):
        return []
    return [amount for amount in amounts if found.same_share(amount) >= _REPEATED]


def sums_of(
    con: duckdb.DuckDBPyConnection, table: Table, *, order: str, amount: str, manner: Manner
) -> tuple[float, float]:
    """An amount added up over all lines, and once per order."""
    key, value = value_of(order, table[order].kind), as_number(table[amount], manner)
    lines, orders = con.execute(
        "SELECT sum(lines), sum(one) FROM (SELECT "
        f"sum({value}) AS lines, max({value}) AS one FROM {table.relation} WHERE {key} IS NOT NULL GROUP BY {key})"
    ).fetchall()[0]
    return float(lines or 0), float(orders or 0)


def repeated_discount(
    con: duckdb.DuckDBPyConnection, table: Table, *, order: str, discount: str, manner: Manner
) -> float:
    """Of the orders of several lines that have a discount, the share that has the same one on each line."""
    key, value = value_of(order, table[order].kind), as_number(table[discount], manner)
    same, orders = con.execute(
        "SELECT count(*) FILTER (low = high AND n = filled), count(*) FROM (SELECT count(*) AS n, "
        f"count({value}) AS filled, min({value}) AS low, max({value}) AS high FROM {table.relation} "
        f"WHERE {key} IS NOT NULL GROUP BY {key}) WHERE n > 1 AND (low <> 0 OR high <> 0)"
    ).fetchall()[0]
    return float(same / orders) if orders >= 5 else 0.0  # fewer prove nothing


def equal_share(con: duckdb.DuckDBPyConnection, table: Table, one: str, other: str, manner: Manner) -> float:
    """Of the lines on which one amount is not nought, the share on which another is the same."""
    a, b = as_number(table[one], manner), as_number(table[other], manner)
    same, lines = con.execute(
        f"SELECT count(*) FILTER ({a} = {b}), count(*) FROM {table.relation} WHERE {a} <> 0"
    ).fetchall()[0]
    return float(same / lines) if lines else 0.0
