"""Lines of totals and subtotals among the lines they add up: they are set aside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb

from crm.engine import sql_name, sql_text
from crm.proposal.draft import Draft
from crm.proposal.profile import Column, value_of
from crm.proposal.told import count
from crm.proposal.words import meanings_of
from crm.proposal.written import as_number

_WORD = (
    r"(grand|sub|sous|order|invoice|net|gross)?[ -]?(total|totals|totaal|totale|totalt|totaux)"
    r"( g[eé]n[eé]ral[e]?)?|sum|(zwischen|gesamt)?summe|gesamt(betrag)?|somme|suma|soma|razem|celkem|összesen"
    r"|yhteensä|итого|всего|合計|小計"
)
_CALLED = {"product", "name", "description", "line", "kind"}
_PROVEN = 0.9  # of such lines that must add up the others of their order, or belong to no order


def settle_subtotals(con: duckdb.DuckDBPyConnection, draft: Draft, money: Sequence[Column]) -> None:
    """Set aside the lines that are called a total, if they add up the others of their order or belong to none."""
    for column in _texts(draft):
        value = f"lower({value_of(column.name, column.kind)})"
        called = f"regexp_full_match({value}, '({_WORD}) ?:?')"
        rows = f"{draft.looked.profile.relation} WHERE {called}"
        found = con.execute(f"SELECT {value}, count(*) FROM {rows} GROUP BY 1 ORDER BY 2 DESC LIMIT 6").fetchall()
        if found:
            words, lines = [str(word) for word, _ in found], sum(int(n) for _, n in found)
            _set_aside(draft, column, words, lines, proven=_proven(con, draft, called, money))


def _texts(draft: Draft) -> Iterator[Column]:
    named = {draft.columns.get(target) for target in ("customer_id", "order_id", "product_id", "ordered_at")}
    for column in draft.looked.profile.columns:
        said = {meaning for word in meanings_of(column.name) for meaning in word}
        if column.kind == "VARCHAR" and (column.name in named or said & _CALLED or not draft.looked.header):
            yield column


def _proven(con: duckdb.DuckDBPyConnection, draft: Draft, called: str, money: Sequence[Column]) -> float:
    """The share of the lines called a total that are one: by what they add up, or because they are nobody's."""
    table, manner = draft.looked.profile, draft.written.manner()
    names = [draft.columns.get(target, "") for target in ("order_id", "customer_id", "ordered_at")]
    keys = [value_of(name, table[name].kind) for name in names if name in table.names]
    nobody = " OR ".join(f"{key} IS NULL" for key in keys) or "false"
    order = keys[0] if names[0] in table.names else "NULL"
    best = 0.0
    for amount in money[:4]:
        alone, adds, rows = con.execute(
            f"WITH lines AS (SELECT {order} AS o, {called} AS t, {nobody} AS alone, {as_number(amount, manner)} AS a "
            f"FROM {table.relation}), sums AS (SELECT o, sum(a) AS s FROM lines WHERE NOT coalesce(t, false) "
            "AND o IS NOT NULL GROUP BY o) SELECT count(*) FILTER (alone), "
            "count(*) FILTER (NOT alone AND abs(a - s) <= 0.005 * abs(s) + 0.02), count(*) "
            "FROM lines LEFT JOIN sums USING (o) WHERE t"
        ).fetchall()[0]
        best = max(best, (alone + adds) / rows if rows else 0.0)
    return best


def _set_aside(draft: Draft, column: Column, words: list[str], rows: int, *, proven: float) -> None:
    listed, said = ", ".join(sql_text(word) for word in words), ", ".join(words)
    is_total = f"lower(trim({sql_name(column.name)})) IN ({listed})"
    question = f"{column.name} is {said} on {count(rows, 'line')}: are they totals of other lines?"
    if proven >= _PROVEN:
        why = f"{count(rows, 'line')} whose {column.name} is {said} add up other lines, or belong to no order"
        draft.set_aside(is_total, "a line of totals", why)
        draft.decide("query", question, "yes: leave it so", stands="they are set aside")
    else:
        draft.decide(
            "query", question, "no: leave it so", f"yes: {draft.query_without(is_total, 'a line of totals')}",
            stands="they are sales, as few of them add up the other lines of their order",
        )  # fmt: skip
