"""The section of the purchases: whose lines, in which orders, when, for how much."""

from __future__ import annotations

import duckdb

from crm.engine import sql_name
from crm.proposal.accounts import settle_accounts
from crm.proposal.currencies import settle_currencies
from crm.proposal.discounts import settle_discounts
from crm.proposal.draft import Draft
from crm.proposal.histories import settle_history
from crm.proposal.matching import BY_VALUES, SURE
from crm.proposal.meanings import likeness
from crm.proposal.numbering import settle_order
from crm.proposal.orders import Portrait, portrait
from crm.proposal.others import different
from crm.proposal.paid import money_columns, settle_amount, settle_quantity
from crm.proposal.profile import value_of
from crm.proposal.subtotals import settle_subtotals
from crm.proposal.taxes import settle_tax
from crm.proposal.told import count, quoted, share
from crm.proposal.unsold import settle_credit_notes, settle_negative_quantities, settle_states

_ENOUGH_ORDERS = 50
_RUN_DOWN = ("customer_id", "ordered_at", "channel", "store_id", "currency")
_ONCE = 0.98  # customers per order, from which on nobody comes back


def draft_purchases(con: duckdb.DuckDBPyConnection, draft: Draft) -> Draft:
    """Fill in the section of the purchases: orders, moments, amounts, cancellations, currencies."""
    draft.columns |= {target: found.column for target, found in draft.matched.columns.items()}
    settle_order(con, draft)
    settle_currencies(draft)
    settle_quantity(con, draft)
    settle_subtotals(con, draft, money_columns(draft))
    if not settle_history(con, draft):
        _money(con, draft)
    _clock(con, draft)
    settle_negative_quantities(con, draft)
    settle_credit_notes(con, draft)
    settle_states(draft)
    _category_stands_in(draft)
    _customer(con, draft)
    settle_accounts(con, draft)
    return draft


def _money(con: duckdb.DuckDBPyConnection, draft: Draft) -> None:
    """For how much: the line's amount, after discounts, without tax."""
    found = _portrait(con, draft) if draft.columns["order_id"] in draft.looked.profile.names else None
    if found:
        _first_line_only(draft, found)
    settle_amount(con, draft, found)
    settle_discounts(con, draft, found)
    totals = {name for name, why in draft.unused.items() if "order" in why}
    settle_tax(con, draft, [c for c in money_columns(draft) if c.name not in totals])


def _portrait(con: duckdb.DuckDBPyConnection, draft: Draft) -> Portrait:
    table = draft.looked.profile
    asked = (*_RUN_DOWN, "product_id", "quantity", "discount_amount", "coupon_amount")
    names = [draft.columns.get(t) for t in asked]
    columns = [table[name] for name in names if name and name in table.names]
    columns += [c for c in money_columns(draft) if c.name not in names]
    return portrait(con, table, draft.columns["order_id"], columns)


def _first_line_only(draft: Draft, found: Portrait) -> None:
    """Values that stand on the first line of an order alone hold for all of its lines."""
    order = draft.columns["order_id"]
    if not found.telling:
        return
    for target in _RUN_DOWN:
        column = draft.columns.get(target, "")
        if column in found.columns and found.once_share(column) >= 0.9:
            name, by = sql_name(column), sql_name(order)
            draft.make(
                target, f"max({name}) OVER (PARTITION BY {by})",
                f"{column} stands on the first line of an order only ({share(found.once_share(column))} of "
                f"{count(found.several, 'order')} with several lines): it holds for all of them",
            )  # fmt: skip


def _clock(con: duckdb.DuckDBPyConnection, draft: Draft) -> None:
    """A date and a time of day in two columns are one moment."""
    table, column = draft.looked.profile, draft.columns["ordered_at"]
    if column not in table.names or table[column].forms.timed or table[column].kind not in ("VARCHAR", "DATE"):
        return
    clocks = [c for c in table.columns if c.is_clock and c.filled_share > 0.5]
    if len(clocks) != 1:
        return
    date, clock = sql_name(column), sql_name(clocks[0].name)
    if table[column].kind == "DATE":
        date = f"CAST({date} AS VARCHAR)"
    draft.make(
        "ordered_at", f"trim({date}) || coalesce(' ' || trim(CAST({clock} AS VARCHAR)), '')",
        f"{column} gives the date and {clocks[0].name} the time of day",
    )  # fmt: skip
    del con


def _category_stands_in(draft: Draft) -> None:
    """Where no product has a number, its category says at least what was bought."""
    if "product_id" in draft.columns:
        return
    taken = set(draft.columns.values())
    for column in draft.looked.profile.columns:
        if column.words and column.name not in taken and likeness(column.name, "products", "category") >= 0.9:
            draft.columns["product_id"] = column.name
            draft.evidence["product_id"] = "no number of a product was found: its category stands in"
            return


def _customer(con: duckdb.DuckDBPyConnection, draft: Draft) -> None:
    """Whose purchases: asked when the name is no number, another column may be it, or nobody comes back."""
    table, found = draft.looked.profile, draft.matched.columns["customer_id"]
    once = _bought_once(con, draft)
    if not once and ((found.sure >= SURE and not found.others) or found.sure == BY_VALUES):
        return
    said = f"{found.column} has {count(different(con, table, found.column), 'value')}{once}"
    others = [f"{name} has {count(different(con, table, name), 'value')}" for name in found.others]
    draft.decide(
        "columns.customer_id",
        f"which column says who bought? {', '.join([said, *others])}",
        "as it stands: leave it so",
        *(f"customer_id = {quoted(name)}" for name in found.others[:2]),
        *([] if others else ["an export with the number under which a customer comes back"]),
        stands=found.column,
    )


def _bought_once(con: duckdb.DuckDBPyConnection, draft: Draft) -> str:
    """In words that (nearly) no customer has a second order: the number of an order rather than of a person?"""
    table, customer, order = draft.looked.profile, draft.columns["customer_id"], draft.columns["order_id"]
    if customer not in table.names or order not in table.names:
        return ""
    who, which = (value_of(name, table[name].kind) for name in (customer, order))
    customers, orders = con.execute(
        f"SELECT count(DISTINCT {who}), count(DISTINCT {which}) FROM {table.relation} WHERE {who} IS NOT NULL"
    ).fetchall()[0]
    if orders < _ENOUGH_ORDERS or customers < _ONCE * orders:
        return ""
    return f", nearly one for each of {count(orders, 'order')}: a number of the order rather than of the person?"
