"""Do the tables meet? The ids of one must be found in the other, or it adds nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from crm.contracts import CONTRACTS
from crm.engine import connection, sql_name, sql_path
from crm.facts import Facts

HALF = 0.5
EXAMPLES = 3


@dataclass(frozen=True)
class Join:
    """The rows of `table` whose `column` is found in `other`.

    rows:    with a value.     met: of them, those found.     ids: different values.
    here, there: where less than half meet, up to three ids of either side that do not.
    cause:   how the ids differ, where another way of writing them would bring them together; empty otherwise.
    do:      what would mend it.     known: what is known of the column's dirt.
    """

    table: str
    column: str
    other: str
    other_column: str
    rows: int
    met: int
    ids: int
    here: tuple[str, ...] = ()
    there: tuple[str, ...] = ()
    cause: str = ""
    do: str = ""
    known: str = ""

    @property
    def share(self) -> float:
        """Of the rows, those that meet."""
        return self.met / self.rows

    @property
    def doubtful(self) -> bool:
        """Do less than half meet?"""
        return self.share < HALF


@dataclass(frozen=True)
class _Writing:
    """Another way of writing an id. sql: of the id `{c}`, as every database writes it."""

    difference: str
    sql: str


@dataclass(frozen=True)
class _Pair:
    """Two tables that should meet. idle: the one that says nothing where they do not, if there is one."""

    table: str
    column: str
    other: str
    other_column: str
    idle: str = ""


_OF_CUSTOMERS = (
    "customers", "consents", "contacts", "responses", "returns", "service_cases", "visits", "subscriptions",
)  # fmt: skip
PAIRS = (
    _Pair("purchases", "product_id", "products", "product_id", idle="products"),
    *(_Pair(table, "customer_id", "purchases", "customer_id", idle=table) for table in _OF_CUSTOMERS),
    _Pair("contacts", "campaign_id", "campaigns", "campaign_id"),
    _Pair("responses", "campaign_id", "campaigns", "campaign_id"),
    _Pair("returns", "order_id", "purchases", "order_id"),
    _Pair("deliveries", "order_id", "purchases", "order_id", idle="deliveries"),
)
_WRITINGS = (
    _Writing("capital and small letters", "lower({c})"),
    _Writing("leading zeros", "ltrim({c}, '0')"),
    _Writing("a decimal point behind a whole number", "regexp_replace({c}, '[.,]0+$', '')"),
    _Writing("blanks, dashes or other marks within", "regexp_replace(lower({c}), '[^a-z0-9]', '', 'g')"),
    _Writing("letters before or behind a number", "ltrim(regexp_replace({c}, '[^0-9]', '', 'g'), '0')"),
)


def meeting(facts: Facts) -> tuple[Join, ...]:
    """How many rows meet, for every two tables that are there and should."""
    return tuple(join for pair in PAIRS if (join := _join(facts, pair)))


def idle_tables(joins: Iterable[Join]) -> set[str]:
    """The tables that say nothing, because not one of their ids is found where it should be."""
    unmet = {(join.table, join.column) for join in joins if not join.met}
    return {pair.idle for pair in PAIRS if pair.idle and (pair.table, pair.column) in unmet}


def _join(facts: Facts, pair: _Pair) -> Join | None:
    if not (facts.has(pair.table) and facts.has(pair.other)):
        return None
    rows, met, ids = _count(facts, pair)
    if not rows:
        return None
    join = Join(pair.table, pair.column, pair.other, pair.other_column, rows, met, ids)
    return _explained(facts, join) if join.doubtful else join


def _ids(facts: Facts, table: str, column: str) -> str:
    file = sql_path(facts.folder / f"{table}.parquet")
    return f"(SELECT {column} AS id, count(*) AS lines FROM {file} WHERE {column} IS NOT NULL GROUP BY ALL)"


def _count(facts: Facts, pair: _Pair) -> tuple[int, int, int]:
    """Rows with an id, those of them that meet, and different ids."""
    here, there = _ids(facts, pair.table, pair.column), _ids(facts, pair.other, pair.other_column)
    query = (
        "SELECT coalesce(sum(h.lines), 0), coalesce(sum(h.lines) FILTER (t.id IS NOT NULL), 0), count(*) "
        f"FROM {here} h LEFT JOIN {there} t USING (id)"
    )
    rows, met, ids = connection().execute(query).fetchall()[0]
    return int(rows), int(met), int(ids)


def _explained(facts: Facts, join: Join) -> Join:
    """With examples of both sides, and what seems to keep them apart."""
    here, there = _ids(facts, join.table, join.column), _ids(facts, join.other, join.other_column)
    known = CONTRACTS[join.table].column(join.column).dirt
    for writing in _WRITINGS:
        pairs, met = _brought_together(here, there, writing)
        if pairs and met >= HALF * join.rows:
            left, right = zip(*pairs, strict=True)
            do = _do(facts, join, writing)
            return replace(join, here=left, there=right, cause=writing.difference, do=do, known=known)
    return replace(join, here=_alone(here, there), there=_alone(there, here), known=known)


def _brought_together(here: str, there: str, writing: _Writing) -> tuple[list[tuple[str, str]], int]:
    """Some ids that differ and yet meet when written so, and how many rows meet then."""
    one, other = (f"nullif({writing.sql.format(c=f'{side}.id')}, '')" for side in ("h", "t"))
    met = (
        f"SELECT coalesce(sum(h.lines), 0) FROM {here} h "
        f"WHERE {one} IN (SELECT {other} FROM {there} t WHERE {other} IS NOT NULL)"
    )
    pairs = (
        f"SELECT h.id, min(t.id) FROM {here} h JOIN {there} t ON {one} = {other} WHERE h.id <> t.id "
        f"GROUP BY h.id ORDER BY h.id LIMIT {EXAMPLES}"
    )
    return connection().execute(pairs).fetchall(), int(connection().execute(met).fetchall()[0][0])


def _alone(here: str, there: str) -> tuple[str, ...]:
    """Some ids of one side that the other does not have."""
    query = f"SELECT id FROM {here} ANTI JOIN {there} USING (id) ORDER BY id LIMIT {EXAMPLES}"
    return tuple(row[0] for row in connection().execute(query).fetchall())


def _do(facts: Facts, join: Join, writing: _Writing) -> str:
    """How to bring the ids into one form: on each side that is written otherwise."""
    sides = ((join.table, join.column), (join.other, join.other_column))
    changed = [(table, column) for table, column in sides if _differs(_ids(facts, table, column), writing)]
    if any(table not in facts.settings.source.tables for table, _ in changed):
        return "Bring them into one form in the source."
    lines = [f"{writing.sql.format(c=_raw_name(facts, *side))} in the query of {side[0]}" for side in changed]
    return f"Bring them into one form: {' and '.join(lines)}."


def _differs(ids: str, writing: _Writing) -> bool:
    """Is any id of this side not written so already?"""
    other = writing.sql.format(c="id")
    return bool(connection().execute(f"SELECT 1 FROM {ids} WHERE {other} <> id LIMIT 1").fetchall())


def _raw_name(facts: Facts, table: str, column: str) -> str:
    """What the column is called in the source, as SQL writes it."""
    name = facts.settings.source.tables[table].columns.get(column, column)
    return sql_name(name if isinstance(name, str) else f"column {name}")
