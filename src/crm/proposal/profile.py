"""A table as it came, looked at over all of its rows: how its columns are filled and what their values look like."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from crm.config import TableMapping
from crm.engine import sql_name
from crm.proposal.shapes import DIGITS, LONGEST, Forms, Shape, forms_of, merged
from crm.sources.mapping.values import Manner, cleaned

FEW = 60  # different values, up to which each is counted
_SHAPES = 500  # of a column that are looked at; a column with more is text
_YES_NO = {
    "true", "false", "t", "f", "yes", "no", "y", "n", "1", "0", "1.0", "0.0", "on", "off", "granted", "revoked", "si",
    "subscribed", "unsubscribed", "opted in", "opted out", "ja", "nein", "oui", "non", "sí",
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """One column of a source.

    position: from 1.   kind: DuckDB's type.   filled: rows with a value.   distinct: different values, approximately.
    padded:   values with blanks around them.   pointed: whole numbers such as 17850.0.
    words:    each value with its rows, most frequent first, where there are few; else nothing.
    """

    name: str
    position: int
    kind: str
    rows: int
    filled: int
    distinct: int
    padded: int
    pointed: int
    mean_length: float
    forms: Forms
    words: tuple[tuple[str, int], ...]
    example: str

    @property
    def filled_share(self) -> float:
        """The share of rows with a value."""
        return self.filled / self.rows if self.rows else 0.0

    @property
    def empty_share(self) -> float:
        """The share of rows without one."""
        return 1 - self.filled_share

    @property
    def is_number(self) -> bool:
        """Are nearly all of its values numbers?"""
        return self.forms.number_share > 0.9

    @property
    def is_date(self) -> bool:
        """Are nearly all of its values dates in a form that shows it?"""
        return self.forms.date_share > 0.8

    @property
    def is_clock(self) -> bool:
        """Are they times of day without a date?"""
        return self.filled > 0 and self.forms.clocks > 0.9 * self.filled

    @property
    def has_decimals(self) -> bool:
        """Are some of its numbers broken ones?"""
        return self.is_number and self.forms.decimals > self.pointed

    @property
    def is_share(self) -> bool:
        """Are all of its numbers from 0 to 1, some of them between?"""
        between = [shape for shape in self.forms.shapes if re.match(r"0?[.,]\d", shape.low)]
        rest = [shape for shape in self.forms.shapes if shape not in between]
        small = all(re.fullmatch(r"0?[.,]\d+", shape.high) or shape.high[:1] in "01" for shape in between)
        return bool(between) and small and all(shape.shape == "9" and shape.high in "01" for shape in rest)

    @property
    def is_yes_no(self) -> bool:
        """Does it say yes or no?"""
        return 0 < len(self.words) <= 4 and all(word.casefold() in _YES_NO for word, _ in self.words)

    @property
    def is_id(self) -> bool:
        """Could its values be identifiers: neither dates nor broken numbers nor sentences?"""
        short = self.mean_length <= 48
        return self.filled > 0 and short and not (self.is_date or self.is_clock or self.has_decimals)

    @property
    def repeats(self) -> float:
        """Rows per different value."""
        return self.filled / max(1, min(self.distinct, self.filled))


@dataclass(frozen=True)
class Table:
    """One table as it came: the relation in the looking database, and its columns."""

    relation: str
    rows: int
    columns: tuple[Column, ...]

    def __getitem__(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        """Its columns' names, in order."""
        return tuple(column.name for column in self.columns)


PLAIN = Manner.of(TableMapping(), timezone="UTC")


def value_of(column: str, kind: str) -> str:
    """SQL of a column's value as text, without blanks around it; what stands for nothing is nothing."""
    clean = cleaned(column, kind, PLAIN)
    return clean if kind == "VARCHAR" else f"CAST({clean} AS VARCHAR)"


def profile(con: duckdb.DuckDBPyConnection, relation: str, *, hidden: Sequence[str] = ()) -> Table:
    """Look at every row of a relation; the columns named in `hidden` are not the table's own."""
    described = con.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    kinds = {str(name): str(kind) for name, kind, *_ in described if name not in hidden}
    counted = _counts(con, relation, kinds)
    columns = [_column(con, relation, at, name, kinds[name], counted[name]) for at, name in enumerate(kinds, start=1)]
    rows = int(con.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0])
    return Table(relation, rows, tuple(columns))


def _counts(con: duckdb.DuckDBPyConnection, relation: str, kinds: dict[str, str]) -> dict[str, tuple[int, ...]]:
    """Per column: rows, filled, different, padded, whole numbers with a point, letters."""
    counts = []
    for name, kind in kinds.items():
        value, raw = value_of(name, kind), sql_name(name)
        padded = f"count(*) FILTER ({raw} <> trim({raw}))" if kind == "VARCHAR" else "0"
        counts += [
            "count(*)",
            f"count({value})",
            f"approx_count_distinct({value})",
            padded,
            f"count(*) FILTER (suffix({value}, '.0'))",
            f"coalesce(sum(length({value})), 0)",
        ]
    row = con.execute(f"SELECT {', '.join(counts)} FROM {relation}").fetchall()[0]
    return {name: tuple(int(n or 0) for n in row[6 * at : 6 * at + 6]) for at, name in enumerate(kinds)}


def _column(
    con: duckdb.DuckDBPyConnection, relation: str, position: int, name: str, kind: str, counted: tuple[int, ...]
) -> Column:
    rows, filled, distinct, padded, pointed, letters = counted
    value = value_of(name, kind)
    shapes = _shapes(con, relation, value)
    few = _words(con, relation, value) if 0 < distinct <= FEW * 1.2 else ()
    return Column(
        name,
        position,
        kind,
        rows,
        filled,
        len(few) if 0 < len(few) <= FEW else distinct,
        padded,
        pointed,
        letters / filled if filled else 0.0,
        _with_the_rest(shapes, filled),
        few if len(few) <= FEW else (),
        shapes[0].low if shapes else "",
    )


def _shapes(con: duckdb.DuckDBPyConnection, relation: str, value: str) -> list[Shape]:
    """The most frequent shapes; digits are replaced by the engine, letters here, where they are few."""
    shape = f"translate(left(v, {LONGEST}), '{DIGITS}', '{'9' * len(DIGITS)}')"
    found = con.execute(
        f"SELECT {shape} AS shape, sum(n) AS rows, min(v), max(v) "
        f"FROM (SELECT {value} AS v, count(*) AS n FROM {relation} GROUP BY 1) WHERE v IS NOT NULL "
        f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {_SHAPES}"
    ).fetchall()
    return merged(Shape(str(one), int(rows), str(low), str(high)) for one, rows, low, high in found)


def _with_the_rest(shapes: list[Shape], filled: int) -> Forms:
    """The forms of a column; rows whose shape is not among those looked at are text."""
    rest = filled - sum(shape.rows for shape in shapes)
    return forms_of([*shapes, Shape("a" * (LONGEST + 1), rest, "", "")] if rest > 0 else shapes)


def _words(con: duckdb.DuckDBPyConnection, relation: str, value: str) -> tuple[tuple[str, int], ...]:
    query = (
        f"SELECT {value} AS v, count(*) AS n FROM {relation} WHERE {value} IS NOT NULL "
        f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {FEW + 1}"
    )
    return tuple((str(word), int(rows)) for word, rows in con.execute(query).fetchall())
