"""The sections of all tables but the purchases: their columns, and whether they meet the purchases."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from crm.engine import sql_name
from crm.proposal.draft import Draft
from crm.proposal.matching import CERTAIN, LIKELY, SURE, how_likely
from crm.proposal.profile import Column, Table
from crm.proposal.told import count, quoted, share
from crm.proposal.toml import DEFAULTS
from crm.proposal.words import meanings_of
from crm.sources.mapping.values import Manner, cleaned, identifier

_JOINS = {"customer_id": "purchases", "order_id": "purchases", "product_id": "purchases", "campaign_id": "campaigns"}
_FEW_MEET = 0.5
_MANY_MEET = 0.6
_PERSONAL = {"personal", "email"}


def draft_other(draft: Draft) -> Draft:
    """Take the columns over as they were matched; say what is doubtful."""
    for target, found in draft.matched.columns.items():
        draft.columns[target] = found.column
        if found.others or found.sure < SURE:
            doubt = (
                "its name says little" if not found.others else f"it might also be {' or '.join(found.others[:2])}"
            )
            draft.evidence[target] = doubt
    if draft.name == "returns":
        _positive_amounts(draft)
    return draft


def leave_out_the_personal(draft: Draft) -> None:
    """Names, addresses and telephone numbers are no attributes to group customers by."""
    if draft.name != "customers" or draft.around:
        return
    taken = set(draft.columns.values())
    personal = [c.name for c in draft.looked.profile.columns if is_personal(c) and c.name not in taken]
    if not personal:
        return
    names = ", ".join(sql_name(name) for name in personal)
    listed = {name for name in draft.looked.profile.names if name not in personal}
    own = ", ".join(sql_name(name) for name in draft.looked.profile.names if name in listed)
    draft.around = (
        f"SELECT {own} FROM {draft.looked.sql}" if draft.looked.table else f"SELECT * EXCLUDE ({names}) FROM file"
    )
    draft.why.append(
        f"every other column is kept as an attribute; personal details are not needed: {', '.join(personal)}"
    )


def is_personal(column: Column) -> bool:
    """Does a column hold names, addresses, telephone numbers or e-mail addresses?"""
    if any("@" in shape.low for shape in column.forms.strange[:3]):
        return True
    words = meanings_of(column.name)
    said = {meaning for word in words for meaning in word}
    named = "name" in said and ("customer" in said or column.distinct > 0.5 * column.filled)
    return (any(word & _PERSONAL for word in words) or named) and not (column.is_yes_no or column.is_date)


def say_unused(draft: Draft, drafts: Sequence[Draft]) -> None:
    """Name the columns that no section reads, once, in the first section over the same rows."""
    same = [one for one in drafts if one.looked is draft.looked]
    if same[0] is not draft or draft.name == "customers":
        return
    told = {name for one in same for name in (*one.columns.values(), *one.unused)}
    queries = " ".join(one.query for one in same)
    left = [c for c in draft.looked.profile.columns if c.name not in told and sql_name(c.name) not in queries]
    by_reason: dict[str, list[str]] = {}
    for column in left:
        by_reason.setdefault(_why_unused(column, draft), []).append(column.name)
    for why, names in by_reason.items():
        draft.unused[", ".join(names)] = why


def _why_unused(column: Column, draft: Draft) -> str:
    if not column.filled:
        return "empty"
    if is_personal(column):
        return "personal details, not needed"
    doubtful = [t for t, m in draft.matched.columns.items() if t in draft.columns and m.sure < CERTAIN]
    likely = [t for t in doubtful if how_likely(column, draft.name, t) >= LIKELY]
    if likely:
        best = max(likely, key=lambda target: how_likely(column, draft.name, target))
        return f"might be {best} as well, for which {draft.columns[best]} was taken"
    return "like no canonical column"


def _positive_amounts(draft: Draft) -> None:
    """Money given back is a positive number; where it is written below nought, its sign is turned."""
    column = draft.columns.get("amount")
    if column is None or draft.looked.profile[column].forms.negative < 0.5 * draft.looked.profile[column].filled:
        return
    found, name = draft.looked.profile[column], sql_name(column)
    sql = f"regexp_replace(trim({name}), '^-', '')" if found.kind == "VARCHAR" else f"abs({name})"
    draft.make("amount", sql, f"{column} is below nought on {count(found.forms.negative, 'row')}: its sign is turned")


def meet(con: duckdb.DuckDBPyConnection, drafts: Sequence[Draft]) -> None:
    """Let each table's identifiers meet those of the table they point to; take another column where that meets."""
    by_name = {draft.name: draft for draft in drafts}
    for draft in drafts:
        for target in [t for t in _JOINS if t in draft.columns]:
            other = by_name.get(_JOINS[target])
            if other is None or other is draft or target not in other.columns:
                continue
            if draft.name == "products" and target != "product_id":
                continue
            _meet_one(con, draft, target, other)


def _meet_one(con: duckdb.DuckDBPyConnection, draft: Draft, target: str, other: Draft) -> None:
    there = other.looked.profile
    if other.columns[target] not in there.names or draft.columns[target] not in draft.looked.profile.names:
        return
    goal = there[other.columns[target]]
    taken = set(draft.columns.values()) - {draft.columns[target]}
    table = draft.looked.profile
    candidates = [table[draft.columns[target]]]
    candidates += [c for c in table.columns if c.is_id and c.name not in taken and c is not candidates[0]]
    shares = {
        c.name: _meeting(con, table, c, there, goal, all_of_theirs=draft.name in _LISTS) for c in candidates[:8]
    }
    own = draft.columns[target]
    best = max(shares, key=lambda name: (shares[name][0], name == own))
    if best != own and shares[own][0] < 0.2 and shares[best][0] >= _MANY_MEET:
        draft.columns[target] = own = best
    (met, ids), what = shares[own], target.removesuffix("_id")
    whose, of = (
        (f"the {other.name}' {what}s", "here") if draft.name in _LISTS else ("them", f"among the {other.name}")
    )
    draft.evidence[target] = f"{count(ids, what)}; {share(met)} of {whose} are {of}"
    if met < _FEW_MEET:
        draft.decide(
            f"columns.{target}",
            f"only {share(met)} of {whose} are {of}; they are written such as {_shape(table[own])} here and "
            f"{_shape(goal)} there. Are they numbers of the same {what}s?",
            f"{target} = {quoted(own)}",
            f"another column, or an export with the number that the {other.name} have",
            stands=own,
        )


def _shape(column: Column) -> str:
    return column.forms.shapes[0].shape if column.forms.shapes else "nothing"


def id_of(column: Column) -> str:
    """SQL of an identifier as the mapping will read it."""
    return identifier(cleaned(column.name, column.kind, _PLAIN), column.kind)


def different(con: duckdb.DuckDBPyConnection, table: Table, name: str) -> int:
    """How many different values a column has, exactly."""
    return int(con.execute(f"SELECT count(DISTINCT {id_of(table[name])}) FROM {table.relation}").fetchall()[0][0])


def _meeting(
    con: duckdb.DuckDBPyConnection, table: Table, column: Column, there: Table, goal: Column, *, all_of_theirs: bool
) -> tuple[float, int]:
    """The share of a column's different values among another's, or the other way round; and how many it has."""
    here, other = f"SELECT DISTINCT {id_of(column)} AS v FROM {table.relation}", id_of(goal)
    theirs = f"SELECT DISTINCT {other} AS v FROM {there.relation}"
    asked, sought = (theirs, here) if all_of_theirs else (here, theirs)
    met, of, ids = con.execute(
        f"SELECT count(*) FILTER (v IN (SELECT v FROM ({sought}) WHERE v IS NOT NULL)), count(v), "
        f"(SELECT count(v) FROM ({here})) FROM ({asked})"
    ).fetchall()[0]
    return (int(met or 0) / of if of else 0.0), int(ids)


_LISTS = ("products", "customers")  # which may hold what was never sold, and who never bought
_PLAIN = Manner("UTC", "UTC", tuple(DEFAULTS.empty), False, None, ())
