"""From rows as text to a Parquet file of typed columns, none of whose values is changed or lost.

A column keeps the type it has in the database if every value of it can be held: 'infinity' is no date, 'NaN' no
exact number, and no moment lies before the year 1 or after 9999. Otherwise the column stays text, and such a value is
told.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from crm.engine import sql_name, sql_path, sql_text
from crm.sources.database.asking import Column
from crm.sources.database.blocks import write_query

_TYPES = {
    "integer": "BIGINT",
    "float": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMPTZ",
}
_NUMBER = r"-?\d+(\.\d+)?"
_SHORT, _DIGITS = 18, 38  # of a DECIMAL in one machine word, and at most


@dataclass(frozen=True)
class Written:
    """What was written.

    content: a sum over the rows, whatever their order.   as_text: columns that stayed text, and a value for which.
    """

    rows: int
    content: str
    as_text: dict[str, str]


def write_typed(con: duckdb.DuckDBPyConnection, staged: Path, columns: Sequence[Column], file: Path) -> Written:
    """Write `staged`, whose columns are text and named by their place, as `file`, with names and types."""
    places = [sql_name(str(place)) for place in range(len(columns))]
    source = f"read_parquet({sql_path(staged)})"
    seen = ", ".join(_seen(place, column) for place, column in zip(places, columns, strict=True))
    content = f"CAST(sum(hash({', '.join(places)})) AS VARCHAR)"
    rows, total, *values = con.execute(f"SELECT count(*), {content}, {seen} FROM {source}").fetchall()[0]
    types = [_type(column, **value) for column, value in zip(columns, values, strict=True)]
    typed = [
        f"CAST({place} AS {kind}) AS {sql_name(column.name)}"
        for place, column, kind in zip(places, columns, types, strict=True)
    ]
    write_query(con, f"SELECT {', '.join(typed)} FROM {source}", file)
    as_text = {
        column.name: str(value["strange"] or value["longest"])
        for column, kind, value in zip(columns, types, values, strict=True)
        if kind == "VARCHAR" and column.kind != "text"
    }
    described = [[column.name, kind] for column, kind in zip(columns, types, strict=True)]
    return Written(rows, json.dumps([rows, total, described]), as_text)


def _seen(c: str, column: Column) -> str:
    """SQL of a struct: a value that cannot be held; of numbers also the most digits before and after the point."""
    strange, whole, fraction, longest = "NULL", "0", "0", "NULL"
    if column.kind == "number":
        strange = f"min({c}) FILTER (NOT regexp_full_match({c}, {sql_text(_NUMBER)}))"
        whole, fraction = (f"max(strlen(split_part(ltrim({c}, '-'), '.', {part})))" for part in (1, 2))
        longest = f"max_by({c}, strlen({c}))"
    elif column.kind != "text":
        strange = f"min({c}) FILTER ({c} IS NOT NULL AND NOT {_held(c, column)})"
    return f"{{'strange': {strange}, 'whole': {whole}, 'fraction': {fraction}, 'longest': {longest}}}"


def _held(c: str, column: Column) -> str:
    read = f"TRY_CAST({c} AS {_TYPES[column.kind]})"
    if column.kind in ("date", "timestamp", "timestamptz"):
        return f"coalesce({read} BETWEEN '0001-01-01' AND '9999-12-31 23:59:59.999999', false)"
    return f"{read} IS NOT NULL"


def _type(
    column: Column, *, strange: str | None, whole: int | None, fraction: int | None, longest: str | None
) -> str:
    if column.kind == "text" or strange is not None:
        return "VARCHAR"
    if column.kind != "number":
        return _TYPES[column.kind]
    digits = (whole or 0) + (fraction or 0)
    if digits > _DIGITS:
        return "VARCHAR"
    return f"DECIMAL({_SHORT if digits <= _SHORT else _DIGITS}, {fraction or 0})"
