"""Exports with a row for each state of an order (created, paid, shipped): the order counts once."""

from __future__ import annotations

import duckdb

from crm.engine import sql_name, sql_text
from crm.proposal.draft import Draft
from crm.proposal.orders import Portrait, portrait
from crm.proposal.profile import Column
from crm.proposal.told import count, quoted, share
from crm.proposal.words import meanings_of
from crm.proposal.written import plain_moment

_ONE_EACH = 0.98  # of the orders with several rows: no state twice
_SAME = 0.95  # of them: one amount
_CANCELLED = ("cancel", "storn", "annul", "void", "fail", "declin", "reject", "refund", "abgebroch")


def settle_history(con: duckdb.DuckDBPyConnection, draft: Draft) -> bool:
    """Keep the first row of each order, where its rows are its states. False: they are not."""
    table, order = draft.looked.profile, draft.columns["order_id"]
    amount = draft.columns.get("net_amount") or draft.columns.get("unit_price", "")
    lines = {"product_id", "quantity"} & draft.columns.keys()
    moment = draft.columns["ordered_at"]
    if lines or not {order, amount, moment} <= set(table.names):
        return False
    for column in table.columns:
        if not column.words or not any("status" in word for word in meanings_of(column.name)):
            continue
        found = portrait(con, table, order, [table[amount], column])
        if _is_history(con, draft, column, found, amount):
            _keep_first(draft, column, found, amount)
            return True
    return False


def _is_history(con: duckdb.DuckDBPyConnection, draft: Draft, column: Column, found: Portrait, amount: str) -> bool:
    within = found.columns[column.name]
    if not found.telling or within.differing < 0.9 * found.several or found.same_share(amount) < _SAME:
        return False
    order, state = sql_name(draft.columns["order_id"]), sql_name(column.name)
    rows, pairs = con.execute(
        f"SELECT count(*), count(DISTINCT ({order}, {state})) FROM {draft.looked.profile.relation} "
        f"WHERE {order} IS NOT NULL"
    ).fetchall()[0]
    return bool(pairs >= _ONE_EACH * rows)


def _keep_first(draft: Draft, column: Column, found: Portrait, amount: str) -> None:
    order, state = sql_name(draft.columns["order_id"]), sql_name(column.name)
    moment = plain_moment(draft.looked.profile[draft.columns["ordered_at"]], draft.written)
    out = [word for word, _ in column.words if any(part in word.casefold() for part in _CANCELLED)]
    if out:
        listed = ", ".join(sql_text(word) for word in out)
        where = f"{state} IN ({listed}) AND {order} IS NOT NULL"
        draft.set_aside(
            f"{order} IN (SELECT {order} FROM {draft.looked.sql} WHERE {where})",
            f"no purchase by its {column.name}",
            f"orders that were {', '.join(out)} in the end are no purchases",
        )
    draft.set_aside(
        f"row_number() OVER (PARTITION BY {order} ORDER BY {moment}) > 1",
        "a further state of the same order",
        f"a row is a state of an order ({share(found.columns[column.name].differing / found.several)} of "
        f"{count(found.several, 'order')} with several rows have several {column.name} and one {amount}): the first "
        "row of each is kept",
    )
    draft.decisions = [one for one in draft.decisions if not one.key.endswith(".order_id")]
    draft.made = [one for one in draft.made if one[0] in draft.columns.values()]
    draft.columns.pop("unit_price", None)
    draft.columns["net_amount"] = amount
    draft.unused[column.name] = "the states through which an order went"
    words = ", ".join(f"{word} {rows:,}" for word, rows in column.words[:8])
    draft.decide(
        "query",
        f"is each row a state of its order ({words}), so that an order counts once?",
        "yes: leave it so",
        f"no, each row is a purchase: take the query out and write net_amount = {quoted(amount)}",
        stands="the first row of each order counts",
    )
