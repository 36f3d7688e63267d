"""Whose number stands on a line: e-mail addresses in several spellings, accounts of nobody, numbers that got lost."""

from __future__ import annotations

import re
from collections.abc import Sequence

import duckdb

from crm.engine import sql_name, sql_text
from crm.proposal.draft import Draft
from crm.proposal.profile import Column, value_of
from crm.proposal.told import count, quoted, share

_NOBODY = re.compile(
    r"0+|-1|9{4,}|(guest|gast|invit[eé]|invitado|ospite|go[sś][cć])([ -]?(checkout|user|account|customer|konto))?"
    r"|(guest|gast|noreply|no-reply|anonymous|cash|pos|walkin|walk-in)@.*|anonym\w*|an[oó]nimo|walk[- ]?in\b.*"
    r"|cash( sale| customer)?|unknown|unbekannt|laufkunde|barverkauf|diverse|consumidor final|mostrador|none|null"
)
_THRICE = 3  # times a usual account, from which on a number such as 0 or 9999 is nobody's
_MUCH, _NEXT = 0.05, 10  # share of all lines, and times the next account, from which on an account is odd


def settle_accounts(con: duckdb.DuckDBPyConnection, draft: Draft) -> None:
    """Read whose purchases the lines are: nobody's account is no customer, capitals make no second one."""
    table, name = draft.looked.profile, draft.matched.columns["customer_id"].column
    if name not in table.names:
        return
    _lost_digits(draft, table[name])
    _nobody(con, draft, table[name])


def _lost_digits(draft: Draft, column: Column) -> None:
    scientific = sum(one.rows for one in column.forms.shapes if re.fullmatch(r"9(\.9+)?[aA]\+?9+", one.shape))
    if scientific > 0.5 * column.filled:
        draft.decide(
            "columns.customer_id",
            f"{count(scientific, 'value')} of {column.name} are such as {column.example}: a spreadsheet cut the "
            "numbers, so that different customers became one",
            "a new export, or another column that says who bought",
            f"customer_id = {quoted(column.name)}: no customer is to be told from another",
            stands="different customers count as one",
            look=True,
        )


def _nobody(con: duckdb.DuckDBPyConnection, draft: Draft, column: Column) -> None:
    """Accounts on which everybody is booked who is not known."""
    value = f"lower({value_of(column.name, column.kind)})"
    found = con.execute(
        f"SELECT v, n, rows FROM (SELECT {value} AS v, count(*) AS n, sum(count(*)) OVER () AS rows "
        f"FROM {draft.looked.profile.relation} WHERE {value} IS NOT NULL GROUP BY 1) ORDER BY n DESC, v LIMIT 200"
    ).fetchall()
    if len(found) < 2:
        return
    rows = int(found[0][2])
    typical = sorted(int(n) for _, n, _ in found)[len(found) // 2]
    named = [(str(word), int(n)) for word, n, _ in found if _NOBODY.fullmatch(str(word)) and n >= 3]
    named = [(word, n) for word, n in named if not _is_number(word) or n >= _THRICE * typical]
    if not named:
        (word, n, _), following = found[0], int(found[1][1])
        if n < _MUCH * rows or n < _NEXT * following:
            return
        _offer_nobody(draft, column, str(word), int(n), rows)
        return
    listed, said = ", ".join(sql_text(word) for word, _ in named[:9]), ", ".join(word for word, _ in named[:3])
    known = draft.sql_of("customer_id")
    n = sum(n for _, n in named)
    draft.make(
        "customer_id", f"CASE WHEN lower(trim(CAST({known} AS VARCHAR))) NOT IN ({listed}) THEN {known} END",
        f"{said} is nobody's account ({share(n / rows)} of the lines): these sales are to nobody known",
    )  # fmt: skip
    draft.decide(
        "columns.customer_id",
        f"is {said}, with {count(n, 'line')}, one customer? It reads like the account of all who are not known",
        "no: leave it so",
        f"yes: customer_id = {quoted(column.name)}",
        stands="nobody's: their money counts in the totals, but in no customer's history",
    )


def _is_number(word: str) -> bool:
    return word.lstrip("-").isdigit()


def _offer_nobody(draft: Draft, column: Column, word: str, n: int, rows: int) -> None:
    known = draft.sql_of("customer_id")
    shown = "one account" if "@" in word else word
    name = draft.offer(
        "customer if known", f"CASE WHEN lower(trim(CAST({known} AS VARCHAR))) <> {sql_text(word)} THEN {known} END",
        f"{column.name} without the account that has {share(n / rows)} of the lines",
    )  # fmt: skip
    draft.decide(
        "columns.customer_id",
        f"{shown} has {count(n, 'line')} ({share(n / rows)}), more than {_NEXT} times any other: is it one customer?",
        f"yes: customer_id = {quoted(draft.columns['customer_id'])}",
        f"no, an account of all who are not known: customer_id = {quoted(name)}",
        stands="one customer",
    )


def settle_addresses(con: duckdb.DuckDBPyConnection, drafts: Sequence[Draft]) -> None:
    """E-mail addresses name one customer whatever their capitals and blanks: in all tables, if it matters in one."""
    with_addresses = [draft for draft in drafts if _by_address(draft)]
    saved = {draft.name: _spellings(con, draft) for draft in with_addresses}
    if not any(saved.values()):
        return
    for draft in with_addresses:
        name = draft.matched.columns["customer_id"].column
        draft.make(
            "customer_id", f"lower(trim({draft.sql_of('customer_id')}))",
            f"{name} holds e-mail addresses, and {count(saved[draft.name], 'spelling')} differ in capitals or blanks "
            "alone: they are one customer",
        )  # fmt: skip


def _by_address(draft: Draft) -> bool:
    found = draft.matched.columns.get("customer_id")
    table = draft.looked.profile
    if found is None or "customer_id" not in draft.columns or found.column not in table.names:
        return False
    column = table[found.column]
    strange = sum(one.rows for one in column.forms.strange if "@" in one.low and "@" in one.high)
    return column.kind == "VARCHAR" and strange > 0.5 * column.filled


def _spellings(con: duckdb.DuckDBPyConnection, draft: Draft) -> int:
    """How many addresses are there only because of capitals and blanks."""
    name, rows = sql_name(draft.matched.columns["customer_id"].column), draft.looked.profile.relation
    spellings = f"count(DISTINCT {name}) - count(DISTINCT lower(trim({name})))"
    return int(con.execute(f"SELECT {spellings} FROM {rows}").fetchall()[0][0])
