"""The canonical tables among those found: by themselves, joined from two, or by how their values behave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import duckdb

from crm.proposal.amounts import is_balance
from crm.proposal.choosing import Chosen, choose, lacking
from crm.proposal.guessing import guess_purchases
from crm.proposal.joining import find_join, join_query, joined_view
from crm.proposal.looking import Looked
from crm.proposal.matching import Matched, match
from crm.proposal.told import share


@dataclass(frozen=True)
class Found:
    """chosen: purchases first.   rest: what is none.   query: that joins the purchases from two tables, and why."""

    chosen: tuple[Chosen, ...]
    rest: tuple[Looked, ...]
    query: str = ""
    why: tuple[str, ...] = ()


def find_tables(con: duckdb.DuckDBPyConnection, tables: Sequence[Looked]) -> Found:
    """The canonical tables among those that were looked at."""
    if joined := _joined(con, tables):
        return joined
    chosen, rest = choose(tables)
    if any(one.matched.name == "purchases" for one in chosen):
        return Found(tuple(chosen), tuple(rest))
    guessed = _guessed(con, rest) or _guessed(con, [one.looked for one in chosen])
    if guessed is None:
        return Found(tuple(chosen), tuple(rest))
    others = [one for one in chosen if one.looked is not guessed.looked]
    return Found((guessed, *others), tuple(one for one in rest if one is not guessed.looked))


def _guessed(con: duckdb.DuckDBPyConnection, tables: Sequence[Looked]) -> Chosen | None:
    """Purchases by how their values behave; a running balance is no amount."""
    guessed = guess_purchases(con, [_without_balances(looked) for looked in tables])
    if guessed is None:
        return None
    looked = next(one for one in tables if one.profile.relation == guessed.looked.profile.relation)
    return Chosen(looked, guessed.matched)


def _without_balances(looked: Looked) -> Looked:
    columns = tuple(c for c in looked.profile.columns if not is_balance(c.name))
    return replace(looked, profile=replace(looked.profile, columns=columns))


def _joined(con: duckdb.DuckDBPyConnection, tables: Sequence[Looked]) -> Found | None:
    """Orders and their lines put together, with the other tables beside them."""
    joined = find_join(con, tables)
    query = join_query(joined) if joined else None
    if joined is None or query is None:
        return None
    looked = joined_view(con, joined, query)
    balances = [c.name for c in looked.profile.columns if is_balance(c.name)]
    columns = match(looked.profile, "purchases", leave_out=balances)
    if lacking(columns, "purchases"):
        return None
    others = [one for one in tables if one is not joined.lines]
    chosen, _ = choose(others)
    chosen = [one for one in chosen if one.matched.name != "purchases"]
    used = {id(one.looked) for one in chosen} | {id(joined.heads)}
    why = (
        f"the lines of {joined.lines.name} with their orders of {joined.heads.name}: "
        f"{share(joined.met)} of the lines find theirs"
    )
    purchases = Chosen(looked, Matched("purchases", columns, 1.0))
    return Found((purchases, *chosen), tuple(one for one in others if id(one) not in used), query, (why,))
