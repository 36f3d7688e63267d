"""Orders and their lines in two tables: who and when in one, what and for how much in the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from crm.engine import sql_name
from crm.proposal.choosing import lacking
from crm.proposal.looking import Looked
from crm.proposal.matching import Match, match
from crm.proposal.profile import profile, value_of

_AMOUNTS = {"net_amount", "unit_price"}
_MEET = 0.5  # of the lines that must find their order


@dataclass(frozen=True)
class Joined:
    """heads: one row per order.   lines: one row per line.   head_key, line_key: the order's number in each."""

    heads: Looked
    lines: Looked
    head_key: str
    line_key: str
    head: dict[str, Match]
    line: dict[str, Match]
    met: float

    @property
    def detail(self) -> tuple[bool, bool, float]:
        """How much the lines say: products, quantities, how many find their order."""
        return "product_id" in self.line, "quantity" in self.line, self.met


def find_join(con: duckdb.DuckDBPyConnection, found: Sequence[Looked]) -> Joined | None:
    """A table of lines that lacks who or when, and the table of orders that has them.

    None where a table has all of it by itself, products too, or where the lines say no more than the orders do.
    """
    matched = {id(one): match(one.profile, "purchases") for one in found}
    if any(not lacking(one, "purchases") and "product_id" in one for one in matched.values()):
        return None
    best: Joined | None = None
    for lines in found:
        line = matched[id(lines)]
        bare = "customer_id" not in line or "ordered_at" not in line
        if not bare or "order_id" not in line or not line.keys() & _AMOUNTS:
            continue
        for heads in found:
            joined = _joined(con, heads, lines, matched[id(heads)], line)
            if joined and (best is None or joined.detail > best.detail):
                best = joined
    return best


def _joined(
    con: duckdb.DuckDBPyConnection, heads: Looked, lines: Looked, head: dict[str, Match], line: dict[str, Match]
) -> Joined | None:
    if (
        heads is lines
        or bool(heads.table) != bool(lines.table)
        or not {"customer_id", "ordered_at", "order_id"} <= head.keys()
    ):
        return None
    head_key, line_key = head["order_id"].column, line["order_id"].column
    key = heads.profile[head_key]
    if head.keys() & _AMOUNTS and not line.keys() & {"product_id", "quantity"}:
        return None
    if key.distinct < 0.9 * key.filled:
        return None
    one, other = value_of(head_key, key.kind), value_of(line_key, lines.profile[line_key].kind)
    met, rows = con.execute(
        f"SELECT count(*) FILTER (o IN (SELECT {one} FROM {heads.profile.relation} WHERE {one} IS NOT NULL)), "
        f"count(*) FROM (SELECT {other} AS o FROM {lines.profile.relation} WHERE {other} IS NOT NULL)"
    ).fetchall()[0]
    if not rows or met < _MEET * rows:
        return None
    return Joined(heads, lines, head_key, line_key, head, line, met / rows)


def join_query(joined: Joined) -> str | None:
    """SQL of the lines with their orders' columns. Of files it reads both from `file`, which has the rows of both;
    None where nothing tells the rows of one from those of the other."""
    head_columns = [c for c in joined.heads.profile.names if c not in joined.lines.profile.names]
    taken = ", ".join(f"head.{sql_name(name)}" for name in head_columns)
    on = f"head.{sql_name(joined.head_key)} = line.{sql_name(joined.line_key)}"
    if joined.lines.table:
        lines, heads = joined.lines.sql, joined.heads.sql
        return f"SELECT line.*, {taken} FROM {lines} AS line LEFT JOIN {heads} AS head ON {on}"
    line_mark, head_mark = _mark(joined.lines, joined.heads), _mark(joined.heads, joined.lines)
    if not line_mark or not head_mark:
        return None
    line_columns = ", ".join(f"line.{sql_name(name)}" for name in joined.lines.profile.names)
    return (
        f"SELECT {line_columns}, {taken} "
        f"FROM (SELECT * FROM file WHERE {sql_name(line_mark)} IS NOT NULL) AS line "
        f"LEFT JOIN (SELECT * FROM file WHERE {sql_name(head_mark)} IS NOT NULL) AS head ON {on}"
    )


def _mark(one: Looked, other: Looked) -> str | None:
    """A column that is always filled in one table and not there in the other."""
    there = {name.casefold() for name in other.profile.names}
    return next((c.name for c in one.profile.columns if c.filled == c.rows and c.name.casefold() not in there), None)


def joined_view(con: duckdb.DuckDBPyConnection, joined: Joined, query: str) -> Looked:
    """Lines with their orders, as a table that was looked at."""
    heads, lines = joined.heads, joined.lines
    if lines.table:
        rows = query.replace(f"FROM {lines.sql} AS", f"FROM {lines.profile.relation} AS")
        rows = rows.replace(f"JOIN {heads.sql} AS", f"JOIN {heads.profile.relation} AS")
    else:
        file = f"SELECT * FROM {lines.profile.relation} UNION ALL BY NAME SELECT * FROM {heads.profile.relation}"
        rows = f"WITH file AS ({file}) {query}"
    con.execute(f"CREATE VIEW looked_joined AS {rows}")
    return Looked(
        name=f"{lines.name} and {heads.name}",
        said=f"{lines.said} {heads.said}",
        profile=profile(con, "looked_joined"),
        parts=(*lines.parts, *heads.parts),
        table=lines.table,
        raw=(*lines.raw, *heads.raw),
        joined=True,
    )
