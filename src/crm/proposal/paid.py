"""The money of the purchases: which column it comes from, and how."""

from __future__ import annotations

import duckdb

from crm.engine import sql_name
from crm.proposal.amounts import (
    adding_up,
    growth,
    is_balance,
    is_price,
    perhaps_repeated,
    products_of_quantity,
    quantity_by_product,
    repeated_totals,
    sums_of,
)
from crm.proposal.draft import Draft
from crm.proposal.orders import Portrait
from crm.proposal.profile import Column, value_of
from crm.proposal.told import count, quoted, share
from crm.proposal.words import meanings_of, words_of
from crm.proposal.written import as_number

_AMOUNTS = ("net_amount", "unit_price")
_DEBIT, _CREDIT = ("debit", "debe", "soll"), ("credit", "haber", "haben")


def money_columns(draft: Draft) -> list[Column]:
    """Columns of amounts: those matched, and those whose names say so."""
    table = draft.looked.profile
    other = {c for t, c in draft.columns.items() if t not in _AMOUNTS}
    said = {"amount", "price", "net", "gross", "cost"}
    return [
        c
        for c in table.columns
        if c.is_number
        and c.name not in other
        and not is_balance(c.name)
        and (c.name in (draft.columns.get(a) for a in _AMOUNTS) or any(w & said for w in meanings_of(c.name)))
    ]


def settle_quantity(con: duckdb.DuckDBPyConnection, draft: Draft) -> None:
    """A column whose name says nothing is the quantity where it times a price gives the amount."""
    if "quantity" in draft.columns:
        return
    money, taken = money_columns(draft), set(draft.columns.values())
    names = {c.name for c in money} | taken
    free = [c for c in draft.looked.profile.columns if c.is_number and c.name not in names]
    found = quantity_by_product(
        con, draft.looked.profile, amounts=money, free=free, manner=draft.written.manner()
    )  # fmt: skip
    if found:
        column, agreed = found
        draft.columns["quantity"] = column
        draft.evidence["quantity"] = (
            f"times {agreed.unit_price} it gives {agreed.amount} on {share(agreed.share)} of "
            f"{count(agreed.lines, 'line')}"
        )


def settle_amount(con: duckdb.DuckDBPyConnection, draft: Draft, found: Portrait | None) -> None:
    """A line's total, or quantity x unit price; never an order's total on each line."""
    money = money_columns(draft)
    if _debit_and_credit(con, draft):
        return
    totals = _order_totals(draft, found, money)
    lines = [c for c in money if c.name not in totals]
    if not _by_product(con, draft, lines):
        target = next((t for t in _AMOUNTS if draft.columns.get(t) and draft.columns[t] not in totals), None)
        if target is None:
            _total_on_one_line(con, draft, next(t for t in _AMOUNTS if t in draft.columns))
            return
        column = draft.columns[target]
        if "quantity" not in draft.columns:
            _without_quantity(draft, lines, column)
        elif target == "net_amount" and draft.columns.get("unit_price", column) != column:
            column = _likelier(draft, totals)
            target = next(t for t in _AMOUNTS if draft.columns.get(t) == column)
        if "quantity" in draft.columns:
            _by_growth(con, draft, target, column, totals=totals)


def _debit_and_credit(con: duckdb.DuckDBPyConnection, draft: Draft) -> bool:
    """An account's two sides are one amount: what is debited is bought, what is credited comes back."""
    table = draft.looked.profile
    numbers = [c.name for c in table.columns if c.is_number]
    draft.unused |= {n: "a running balance by its name: no amount of a line" for n in numbers if is_balance(n)}
    sides = [[name for name in numbers if _is_side(name, words)] for words in (_DEBIT, _CREDIT)]
    if any(len(side) != 1 for side in sides) or not {draft.columns.get(t) for t in _AMOUNTS} & {*sides[0], *sides[1]}:
        return False
    debit, credit = (table[side[0]] for side in sides)
    a, b = value_of(debit.name, debit.kind), value_of(credit.name, credit.kind)
    both, neither = con.execute(
        f"SELECT count(*) FILTER ({a} IS NOT NULL AND {b} IS NOT NULL), "
        f"count(*) FILTER ({a} IS NULL AND {b} IS NULL) FROM {table.relation}"
    ).fetchall()[0]
    if both or neither or credit.forms.negative or {debit.kind, credit.kind} != {"VARCHAR"}:
        return False
    for name in (debit.name, credit.name):
        draft.unused.pop(name, None)
    draft.columns.pop("unit_price", None)
    one, other = sql_name(debit.name), sql_name(credit.name)
    draft.make(
        "net_amount", f"coalesce(nullif(trim({one}), ''), '-' || trim({other}))",
        f"{debit.name} and {credit.name} are the two sides of one amount: the one is bought, the other comes back",
    )  # fmt: skip
    draft.decide(
        "query",
        f"is every {debit.name} a purchase and every {credit.name} one that comes back? Payments are neither",
        "leave it so",
        f"leave out what is none, such as: {_not_bought(draft, credit.name)}",
        stands=f"{debit.name} less {credit.name}",
        look=True,
    )
    return True


def _not_bought(draft: Draft, credit: str) -> str:
    """The query that leaves out all that was credited."""
    return draft.query_without(f"nullif(trim({sql_name(credit)}), '') IS NOT NULL", "a payment")


def _is_side(name: str, words: tuple[str, ...]) -> bool:
    return any(word in words for word in words_of(name))


def _without_quantity(draft: Draft, lines: list[Column], column: str) -> None:
    """Where nothing says how many pieces: an amount, rather than a price; asked where there is only a doubt."""
    others = {"cost", "list_price", "shipping", "tax", "discount", "coupon", "refund"}
    amounts = [
        c.name for c in lines if not is_price(c.name) and not any(word & others for word in meanings_of(c.name))
    ]
    unit = draft.columns.get("unit_price")
    if is_price(column) and amounts:
        draft.decide(
            "columns.net_amount",
            f"{column} reads like the price of one piece, and no quantity was found; which is the line's amount?",
            *(f"net_amount = {quoted(name)}" for name in [*amounts[:2], column]),
            stands=f"net_amount = {quoted(amounts[0])}",
        )
        unit, column = column, amounts[0]
    elif any("unit" in word for word in meanings_of(column)):
        draft.decide(
            "columns.net_amount",
            f"{column} reads like the price of one piece, and no quantity was found: was one bought on every line?",
            "yes: leave it so",
            f"no: name the quantity (quantity = …) and write unit_price = {quoted(column)}",
            stands="one piece on every line",
        )
    _use_amount(draft, column)
    if unit and unit != column:
        draft.unused[unit] = "the price of one piece, whose quantity was not found: the line's total is used"


def _by_product(con: duckdb.DuckDBPyConnection, draft: Draft, lines: list[Column]) -> bool:
    """Use the amount that is quantity times a unit price, if there are such two columns."""
    quantity, manner = draft.columns.get("quantity"), draft.written.manner()
    if quantity is None:
        return False
    agreed = products_of_quantity(con, draft.looked.profile, quantity=quantity, amounts=lines, manner=manner)
    if agreed is None:
        return False
    _use_amount(draft, agreed.amount)
    draft.evidence["net_amount"] = (
        f"{quantity} x {agreed.unit_price} gives it on {share(agreed.share)} of {count(agreed.lines, 'line')}"
    )
    draft.unused[agreed.unit_price] = "the price of one piece: the line's total is used"
    return True


def _likelier(draft: Draft, totals: list[str]) -> str:
    """Of an amount and a unit price that do not agree, the one that is more like it by its name."""
    amount, unit = draft.matched.columns.get("net_amount"), draft.matched.columns.get("unit_price")
    unlikely = amount is None or (unit is not None and unit.sure > amount.sure and unit.column not in totals)
    return draft.columns["unit_price" if unlikely else "net_amount"]


def _order_totals(draft: Draft, found: Portrait | None, money: list[Column]) -> list[str]:
    """Amounts that are an order's total, repeated on each line or standing on the first alone."""
    if found is None:
        return []
    repeated = repeated_totals(
        found, product=draft.columns.get("product_id"), quantity=draft.columns.get("quantity"),
        amounts=[c.name for c in money],
    )  # fmt: skip
    doubtful = perhaps_repeated(
        found, product=draft.columns.get("product_id"), quantity=draft.columns.get("quantity"),
        amounts=[c.name for c in money],
    )  # fmt: skip
    for name in doubtful:
        draft.unused[name] = (
            f"the same on all lines of an order ({share(found.same_share(name))} of "
            f"{count(found.several, 'order')} with several lines): it seems to be the order's total"
        )
    once = [c.name for c in money if found.telling and found.once_share(c.name) >= 0.9]
    for name in repeated:
        draft.unused[name] = (
            f"the order's total, repeated on each line ({share(found.same_share(name))} of "
            f"{count(found.several, 'order')} with several lines): adding it up would count it several times"
        )
    for name in once:
        draft.unused[name] = "the order's, on its first line only"
    return [*repeated, *doubtful, *once]


def _use_amount(draft: Draft, column: str) -> None:
    draft.columns.pop("unit_price", None)
    draft.columns["net_amount"] = column
    draft.unused.pop(column, None)


def _use_unit_price(draft: Draft, column: str) -> None:
    draft.columns.pop("net_amount", None)
    draft.columns["unit_price"] = column
    draft.unused.pop(column, None)


def _by_growth(con: duckdb.DuckDBPyConnection, draft: Draft, target: str, column: str, *, totals: list[str]) -> None:
    """Unit price or line total, as its growth with the quantity of the same product says; else as its name says."""
    table, quantity, manner = draft.looked.profile, draft.columns["quantity"], draft.written.manner()
    product = draft.columns.get("product_id")
    grown = growth(con, table, quantity=quantity, product=product, amount=column, manner=manner)
    is_unit = grown.is_unit_price if grown.is_unit_price is not None else target == "unit_price"
    (_use_unit_price if is_unit else _use_amount)(draft, column)
    used = "unit_price" if is_unit else "net_amount"
    said = []
    if grown.is_unit_price is not None:
        met = grown.as_unit if is_unit else grown.as_total
        what = "does not grow with the quantity" if is_unit else "grows with the quantity"
        said.append(f"{what} on {share(met / grown.lines)} of {count(grown.lines, 'line')} of several pieces")
    line = as_number(table[column], manner) + (f" * {as_number(table[quantity], manner)}" if is_unit else "")
    said += _adds_up(con, draft, totals, line)
    if not said and not (used == "net_amount" and draft.matched.columns[used].sure >= 0.8):
        draft.decide(
            f"columns.{used}", f"is {column} the price of one piece or of the whole line? The lines do not tell",
            f"unit_price = {quoted(column)}", f"net_amount = {quoted(column)}", stands=f"{used} = {quoted(column)}",
        )  # fmt: skip
    if is_unit:
        said.append(f"net amount = {quantity} x {column}")
    draft.evidence[used] = "; ".join(said)


def _adds_up(con: duckdb.DuckDBPyConnection, draft: Draft, totals: list[str], line: str) -> list[str]:
    """The total to which the lines of an order add up most often, in words."""
    table, order = draft.looked.profile, draft.columns["order_id"]
    if order not in table.names:
        return []
    manner = draft.written.manner()
    sums = {
        total: adding_up(con, table, order=order, total=total, line=line, manner=manner)
        for total in totals
        if not any(word & {"refund", "tax", "shipping", "discount"} for word in meanings_of(total))
    }
    best = max(sums, key=lambda total: sums[total], default="")
    if not best or sums[best][0] < 0.5:
        return []
    part, orders = sums[best]
    if part < 0.98:
        draft.remarks.append(
            f"in {share(1 - part)} of the orders the lines do not add up to {best}: discounts of a whole order, or "
            "charges, are on no line"
        )
    return [f"the lines add up to {best} in {share(part)} of {count(orders, 'order')}"]


def _total_on_one_line(con: duckdb.DuckDBPyConnection, draft: Draft, target: str) -> None:
    """Where there are only order totals, each order's counts once."""
    table, column, order = draft.looked.profile, draft.columns[target], draft.columns["order_id"]
    why = draft.unused.pop(column)
    draft.columns.pop("unit_price", None)
    draft.columns.pop("net_amount", None)
    nothing = "0" if table[column].kind != "VARCHAR" else "'0'"
    name, by = sql_name(column), sql_name(order)
    if "first line only" in why:
        sql, what = f"coalesce({name}, {nothing})", "the other lines get nothing"
    else:
        sql = f"CASE WHEN row_number() OVER (PARTITION BY {by}) = 1 THEN {name} ELSE {nothing} END"
        what = "it counts on the first line, the other lines get nothing"
    draft.make("net_amount", sql, f"{column} is {why}; no amount of the single line was found, so {what}")
    if "it seems" in why:
        lines, once = sums_of(con, table, order=order, amount=column, manner=draft.written.manner())
        draft.decide(
            "query",
            f"is {column} an order's total, repeated on each of its lines, or what each line cost? Once per order "
            f"they come to {once:,.2f}, over all lines to {lines:,.2f}",
            "the order's total: leave it so",
            f"each line's amount: take the query out and write net_amount = {quoted(column)}",
            stands=f"once per order, {once:,.2f}",
        )
        return
    draft.decide(
        "query",
        f"{column} is an order's total and no column gives a line's amount. What customers and orders spent will "
        "be right, what each product brought will not",
        "leave it so",
        "add a column with each line's amount to the export",
        stands="the total on one line of each order",
    )
