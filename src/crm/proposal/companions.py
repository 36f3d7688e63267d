"""Tables that a wider one holds as well: the products and customers of an export of orders, the consents in a list of
customers, the responses and campaigns in a list of what was sent. Only where that adds something.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb

from crm.engine import sql_name
from crm.proposal.draft import Draft
from crm.proposal.matching import Match, Matched, match
from crm.proposal.meanings import likeness
from crm.proposal.others import is_personal
from crm.proposal.profile import Column, value_of
from crm.proposal.told import count, share
from crm.proposal.words import meanings_of
from crm.proposal.written import Written, examine_writing, plain_moment

_CONSTANT = 0.95  # of the customers with several lines for whom an attribute must be one value
_ADDS = ("name", "department", "category", "brand")
_NO_ATTRIBUTE = {
    "currency",
    "status",
    "shipping",
    "coupon",
    "discount",
    "tax",
    "line",
    "order",
    "paid",
    "quantity",
    "product",
}


def companions(con: duckdb.DuckDBPyConnection, drafts: Sequence[Draft]) -> Iterator[Draft]:
    """The further tables that those already drafted hold."""
    by_name = {draft.name: draft for draft in drafts}
    purchases = by_name["purchases"]
    if not purchases.looked.table:
        if "products" not in by_name and (products := _products(purchases)):
            yield products
        if "customers" not in by_name and (customers := _customers(con, purchases)):
            yield customers
    if "consents" not in by_name and "customers" in by_name:
        yield from _consents(con, by_name["customers"])
    if "contacts" in by_name and not by_name["contacts"].looked.table:
        if "responses" not in by_name:
            yield from _responses(con, by_name["contacts"])
        if "campaigns" not in by_name:
            yield from _campaigns(by_name["contacts"])


def _from(draft: Draft, name: str, columns: dict[str, Match], written: Written | None = None) -> Draft:
    """A further section over the same file."""
    return Draft(name, draft.looked, Matched(name, columns, 1.0), written or draft.written)


def _products(purchases: Draft) -> Draft | None:
    """What is said of a product on its lines: of several spellings the most frequent."""
    table, product = purchases.looked.profile, purchases.columns.get("product_id")
    if product is None:
        return None
    other = [c for c in purchases.columns.values() if c != product]
    left = [c.name for c in table.columns if c.is_date or c.has_decimals or c.name in other or is_personal(c)]
    left = [name for name in left if likeness(name, "products", "name") < 0.8 or name in other]
    if likeness(product, "products", "category") >= 0.9:
        return _categories(purchases, product)
    found = match(table, "products", leave_out=[*left, product], only=_ADDS)
    found = {t: m for t, m in found.items() if m.sure >= 0.5 and not _of_the_customer(m.column)}
    if not found:
        return None
    draft = _from(purchases, "products", found)
    draft.columns = {"product_id": product} | {t: m.column for t, m in found.items()}
    draft.around = _most_frequent(product, [m.column for m in found.values()], rows=_rows_of(purchases))
    draft.why.append(f"one row per {product}, with what its lines say most often")
    return draft


def _categories(purchases: Draft, product: str) -> Draft:
    """The table of products where only their category is known."""
    draft = _from(purchases, "products", {})
    draft.columns = {"product_id": product, "category": product}
    draft.around = (
        f"SELECT DISTINCT {sql_name(product)} FROM {_rows_of(purchases)} WHERE {sql_name(product)} IS NOT NULL"
    )
    draft.why.append("one row per category")
    return draft


def _of_the_customer(name: str) -> bool:
    return any(word & {"customer", "personal", "place"} for word in meanings_of(name))


def _rows_of(draft: Draft) -> str:
    return f"({draft.around}) AS came" if draft.around else "file"


def _most_frequent(key: str, columns: Sequence[str], *, rows: str) -> str:
    """SQL of one row per key, with the most frequent combination of the other columns."""
    one, others = sql_name(key), [sql_name(name) for name in columns]
    listed = ", ".join(others)
    picked = ", ".join(f"arg_max({name}, (n, {listed})) AS {name}" for name in others)
    return (
        f"SELECT {one}, {picked} FROM (SELECT {one}, {listed}, count(*) AS n FROM {rows} "
        f"WHERE {one} IS NOT NULL GROUP BY ALL) GROUP BY {one}"
    )


def _customers(con: duckdb.DuckDBPyConnection, purchases: Draft) -> Draft | None:
    """What all lines of a customer have in common, such as the country."""
    table, customer = purchases.looked.profile, purchases.columns["customer_id"]
    if customer not in table.names:
        return None
    used = {*purchases.columns.values(), *purchases.unused}
    candidates = [c for c in table.columns if c.name not in used and _may_be_an_attribute(c)]
    kept = _constant_for(con, purchases, candidates)
    joined = next((c for c in table.columns if c.is_date and likeness(c.name, "customers", "joined_at") >= 0.8), None)
    if joined and joined.name not in purchases.columns.values():
        kept = [c for c in kept if c[0] is not joined]
    if not kept:
        return None
    draft = _from(purchases, "customers", {})
    draft.columns = {"customer_id": customer}
    draft.around = _most_frequent(customer, [column.name for column, _ in kept], rows=_rows_of(purchases))
    said = ", ".join(f"{column.name} ({share(part)})" for column, part in kept)
    draft.why.append(f"one row per customer with what is the same on all lines of nearly everybody: {said}")
    return draft


def _may_be_an_attribute(column: Column) -> bool:
    said = meanings_of(column.name)
    if is_personal(column) or column.is_date or column.is_clock or column.has_decimals:
        return False
    return len(column.words) > 1 and not any(word & _NO_ATTRIBUTE and "place" not in word for word in said)


def _constant_for(
    con: duckdb.DuckDBPyConnection, purchases: Draft, candidates: Sequence[Column]
) -> list[tuple[Column, float]]:
    """The columns that are one value on all lines of a customer, for nearly all who have several days."""
    table = purchases.looked.profile
    who, when = table[purchases.columns["customer_id"]], purchases.columns["ordered_at"]
    if not candidates or when not in table.names:
        return []
    several = f"min({value_of(when, table[when].kind)}) <> max({value_of(when, table[when].kind)})"
    values = [value_of(c.name, c.kind) for c in candidates]
    same = ", ".join(f"min({v}) = max({v}) AS same_{at}" for at, v in enumerate(values))
    key = value_of(who.name, who.kind)
    counts = ", ".join(f"count(*) FILTER (same_{at}), count(same_{at})" for at in range(len(candidates)))
    row = con.execute(
        f"SELECT {counts} FROM (SELECT {same} FROM {table.relation} "
        f"WHERE {key} IS NOT NULL GROUP BY {key} HAVING {several})"
    ).fetchall()[0]
    shares = [(c, row[2 * at] / row[2 * at + 1] if row[2 * at + 1] >= 10 else 0.0) for at, c in enumerate(candidates)]
    few = max(3, who.distinct / 3)  # more values than that are names of customers rather than kinds of them
    return [(column, part) for column, part in shares if part >= _CONSTANT and column.distinct <= few]


def _consents(con: duckdb.DuckDBPyConnection, customers: Draft) -> Iterator[Draft]:
    """A yes or no in the list of customers, with the date on which it was said."""
    table = customers.looked.profile
    granted = next(
        (
            c
            for c in table.columns
            if c.is_yes_no and any("consent" in w or "campaign" in w for w in meanings_of(c.name))
        ),
        None,
    )
    if granted is None:
        return
    dates = [c for c in table.columns if c.is_date]
    told = next((c for c in dates if any("consent" in w or "campaign" in w for w in meanings_of(c.name))), None)
    since = told or next((c for c in dates if c.name == customers.columns.get("joined_at")), None)
    if since is None:
        customers.remarks.append(
            f"{granted.name} looks like a consent, but nothing says when it was given: the table consents needs that"
        )
        return
    matched = {
        "customer_id": Match(customers.columns["customer_id"], 1.0),
        "granted": Match(granted.name, 1.0),
        "recorded_at": Match(since.name, 1.0),
    }
    draft = _from(customers, "consents", matched, examine_writing(con, table, Matched("consents", matched, 1.0)))
    draft.columns = {target: found.column for target, found in matched.items()}
    said = {meaning for word in meanings_of(granted.name) for meaning in word}
    draft.constants = {"channel": "email", "purpose": "marketing"}
    rows = customers.looked.sql
    draft.around = (
        f"SELECT * FROM {rows} WHERE {sql_name(granted.name)} IS NOT NULL AND {sql_name(since.name)} IS NOT NULL"
    )
    draft.why.append(f"{granted.name} says yes or no, {since.name} when")
    if "email" not in said or told is None:
        when = f"; {since.name} is taken as its date" if told is None else ""
        draft.decide(
            "constants", f"for which channel and purpose is {granted.name} a consent{when}?",
            'channel = "email", purpose = "marketing"', 'channel = "mail" or "phone"', stands="e-mail, marketing",
        )  # fmt: skip
    yield draft


def _responses(con: duckdb.DuckDBPyConnection, contacts: Draft) -> Iterator[Draft]:
    """Clicks beside what was sent: a click is a response, an opening is not."""
    table = contacts.looked.profile
    clicked = [c for c in table.columns if c.is_date and likeness(c.name, "responses", "responded_at") >= 0.75]
    clicked = [c for c in clicked if c.name not in contacts.columns.values()]
    if not clicked:
        return
    matched = {t: Match(contacts.columns[t], 1.0) for t in ("campaign_id", "customer_id")}
    matched["responded_at"] = Match(clicked[0].name, 1.0)
    draft = _from(contacts, "responses", matched, examine_writing(con, table, Matched("responses", matched, 1.0)))
    draft.columns = {target: found.column for target, found in matched.items()}
    draft.around = f"SELECT * FROM file WHERE {sql_name(clicked[0].name)} IS NOT NULL"
    draft.why.append(f"{count(clicked[0].filled, 'row')} have a {clicked[0].name}: a response each")
    yield draft


def _campaigns(contacts: Draft) -> Iterator[Draft]:
    """A campaign begins with the first that was sent of it, and ends two weeks after the last."""
    table, sent = contacts.looked.profile, contacts.columns.get("contacted_at")
    if sent is None or sent not in table.names:
        return
    campaign = sql_name(contacts.columns["campaign_id"])
    moment = plain_moment(table[sent], contacts.written)
    named = next(
        (
            c.name
            for c in table.columns
            if c.name not in contacts.columns.values() and likeness(c.name, "campaigns", "name") >= 0.5
        ),
        None,
    )
    name = f", min({sql_name(named)}) AS name" if named else ""
    draft = _from(contacts, "campaigns", {}, Written(False, ""))
    draft.around = (
        f"SELECT {campaign} AS campaign_id{name}, min({moment}) AS starts_at, "
        f"max({moment}) + INTERVAL 14 DAY AS ends_at FROM file WHERE {campaign} IS NOT NULL GROUP BY {campaign}"
    )
    draft.columns = {t: t for t in ("campaign_id", *(["name"] if named else []), "starts_at", "ends_at")}
    draft.why.append("a campaign begins with the first that was sent of it, and ends 14 days after the last")
    draft.decide(
        "query",
        "until when does a campaign's effect count?",
        "INTERVAL 14 DAY",
        "another number of days",
        stands="14 days",
    )
    yield draft
