"""Amounts with the tax beside amounts without it: sales are counted without."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from crm.proposal.amounts import is_price
from crm.proposal.draft import Draft
from crm.proposal.profile import Column
from crm.proposal.told import count, quoted, share
from crm.proposal.words import meanings_of
from crm.proposal.written import as_number, plain_number

_LEAST, _MOST = 2, 30  # per cent that a tax on sales may be
_STEADY = 0.95  # of the lines that must have one of a few rates
_FEW_RATES = 5
_OTHERWISE = {"cost", "tax", "discount", "coupon", "shipping", "margin", "refund", "percent", "list_price"}


def is_percent(name: str) -> bool:
    """Does a column's name say that it holds a share?"""
    return "%" in name or any("percent" in word for word in meanings_of(name))


def settle_tax(con: duckdb.DuckDBPyConnection, draft: Draft, money: Sequence[Column]) -> None:
    """Take the amount without the tax, where there is one or the tax itself; a person may take the other."""
    target = "net_amount" if "net_amount" in draft.columns else "unit_price"
    used, table = draft.columns[target], draft.looked.profile
    said = _said(used)
    tax = [c for c in table.columns if c.is_number and _is_tax(c.name) and c.name != used and _is_there(c)]
    if used not in table.names:
        _ask(draft, target, tax)
        return
    if said & {"net", "gross"} == {"net"}:
        return
    net = next((c for c in money if _is_net(c, used) and is_price(c.name) == is_price(used)), None)
    if net and "gross" in said:
        _take(draft, target, net.name, f"{used} is with the tax and {net.name} without it, by their names")
        return
    if _take_the_lesser(con, draft, target, money):
        return
    if "gross" in said and tax and target == "net_amount":
        _without_tax(con, draft, used, tax[0])
    elif tax and not any(_adds_up(con, draft, used, tax[0], other) for other in money if other.name != used):
        _ask(draft, target, tax)


def _take_the_lesser(con: duckdb.DuckDBPyConnection, draft: Draft, target: str, money: Sequence[Column]) -> bool:
    """Take another amount, of which the one used is that and a usual rate of tax on top, whatever their names."""
    used = draft.columns[target]
    for other in money:
        if other.name == used or _said(other.name) & _OTHERWISE or is_price(other.name) != is_price(used):
            continue
        lines, rates = _rates(con, draft, used, other)
        if rates:
            why = f"on {count(lines, 'line')} {used} is {other.name} and {rates} on top, as a tax is"
            _take(draft, target, other.name, why)
            return True
    return False


def _is_there(column: Column) -> bool:
    """Is it ever anything but nought?"""
    return any(one.high.strip("0.,-$€£ ") for one in column.forms.shapes)


def _adds_up(con: duckdb.DuckDBPyConnection, draft: Draft, used: str, tax: Column, total: Column) -> bool:
    """Is another amount the one used and the tax on top, so that the one used is without it?"""
    table, manner = draft.looked.profile, draft.written.manner()
    a, b, c = (as_number(column, manner) for column in (table[used], tax, total))
    fits, lines = con.execute(
        f"SELECT count(*) FILTER (abs(a + b - c) <= 0.011), count(*) FROM (SELECT {a} AS a, {b} AS b, {c} AS c "
        f"FROM {table.relation}) WHERE b <> 0 AND a IS NOT NULL AND c IS NOT NULL"
    ).fetchall()[0]
    return bool(lines and fits >= _STEADY * lines)


def _ask(draft: Draft, target: str, tax: Sequence[Column]) -> None:
    if tax:
        draft.decide(
            f"columns.{target}", f"is {tax[0].name} within the amounts, or on top of them? Nothing in the data tells",
            "on top: leave it so", "within: an export with amounts without the tax", stands="on top",
        )  # fmt: skip


def _said(name: str) -> set[str]:
    return {meaning for word in meanings_of(name) for meaning in word}


def _is_net(column: Column, used: str) -> bool:
    said = _said(column.name)
    return column.name != used and "net" in said and not said & _OTHERWISE


def _is_tax(name: str) -> bool:
    """An amount of tax: neither an amount with it nor one without it, nor its rate."""
    said = _said(name)
    return "tax" in said and not said & {"gross", "net"} and not is_percent(name)


def _rates(con: duckdb.DuckDBPyConnection, draft: Draft, used: str, other: Column) -> tuple[int, str]:
    """On how many lines one amount is another and a usual rate on top, and the rates; none where it is not so."""
    table, manner = draft.looked.profile, draft.written.manner()
    a, b = as_number(table[used], manner), as_number(other, manner)
    rows = con.execute(
        f"WITH pair AS (SELECT abs({a}) AS a, abs({b}) AS b FROM {table.relation}), "
        "rated AS (SELECT a, b, round(100 * (a / b - 1)) AS r FROM pair WHERE a >= 5 AND b > 0) "
        f"SELECT CASE WHEN r BETWEEN {_LEAST} AND {_MOST} AND abs(a - b * (1 + r / 100)) <= 0.011 THEN r END, "
        "count(*) FROM rated GROUP BY 1 ORDER BY 2 DESC"
    ).fetchall()
    lines, fitting = sum(n for _, n in rows), [(r, n) for r, n in rows if r is not None][:_FEW_RATES]
    if lines < 20 or sum(n for _, n in fitting) < _STEADY * lines:
        return 0, ""
    return lines, " or ".join(f"{rate:.0f} %" for rate, n in fitting if n >= 0.005 * lines)


def _take(draft: Draft, target: str, net: str, why: str) -> None:
    used = draft.columns[target]
    draft.columns[target] = net
    draft.evidence[target] = why
    draft.unused.pop(net, None)
    draft.unused[used] = f"with the tax: {net} is taken"
    draft.decide(
        f"columns.{target}", f"are sales counted without the tax here? {why[0].upper()}{why[1:]}",
        f"{target} = {quoted(net)}", f"{target} = {quoted(used)}", stands=net,
    )  # fmt: skip


def _without_tax(con: duckdb.DuckDBPyConnection, draft: Draft, used: str, tax: Column) -> None:
    """Take the tax off that stands beside the amount, where it is a plausible part of it on each line."""
    table, manner = draft.looked.profile, draft.written.manner()
    a, b = as_number(table[used], manner), as_number(tax, manner)
    fits, lines = con.execute(
        f"SELECT count(*) FILTER (100 * b / (a - b) BETWEEN 0 AND {_MOST}), count(*) FROM "
        f"(SELECT {a} AS a, {b} AS b FROM {table.relation}) WHERE a <> 0 AND a <> b AND b IS NOT NULL"
    ).fetchall()[0]
    if not lines or fits < _STEADY * lines:
        return
    line, part = (plain_number(column, manner) for column in (table[used], tax))
    why = f"{used} without {tax.name}, which is a plausible part of it on {share(fits / lines)} of the lines"
    draft.make("net_amount", f"{line} - coalesce({part}, 0)", why)
    draft.decide(
        "columns.net_amount", f"{used} holds the tax, {tax.name} says how much; are sales counted without it here?",
        "yes: leave it so", f"no: net_amount = {quoted(used)}", stands=f"{used} less {tax.name}",
    )  # fmt: skip
