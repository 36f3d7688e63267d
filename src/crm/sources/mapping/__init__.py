"""From the rows of a file or a database to rows in canonical names, as `[source.tables.<name>]` of crm.toml says.

Read, map, nothing else: a value is read in the manner that crm.toml states, a row is never dropped, and what cannot
be read stays in sight for the contract to set aside. What was met on the way is told in remarks.

In the database that checks, each step is a view over the one before: `raw_<table>` (rows as they came),
`clean_<table>` (the columns that are mapped, without what stands for nothing), `mapped_<table>` (canonical values).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import duckdb

from crm.config import Settings, TableMapping
from crm.contracts.checking import SET_ASIDE_BECAUSE
from crm.engine import sql_name, sql_text
from crm.sources.mapping.canonical import map_rows
from crm.sources.mapping.columns import CURRENCY, Mapped, map_columns, refuse_unknown
from crm.sources.mapping.days import examine_days
from crm.sources.mapping.evidence import examine_values
from crm.sources.mapping.rows import REPEATED, RawRows, clean, gather
from crm.sources.mapping.values import Manner
from crm.sources.raw import BROKEN, RawPart
from crm.sources.source import Reading, SourceTable

Parts = Callable[[Path], Sequence[RawPart]]


def mapped_table(
    name: str, mapping: TableMapping, *, files: tuple[Path, ...], parts: Parts, settings: Settings
) -> SourceTable:
    """The canonical table `name`, read as `mapping` says.

    files: what is hashed.   parts: given a folder to write to, gives the rows as they came.
    Raises SettingsError when the mapping names what does not exist.
    """
    refuse_unknown(name, mapping)
    recipe = {"timezone": settings.source.timezone, "currency": settings.money.currency}
    recipe |= mapping.model_dump(mode="json", exclude={"path", "table"})

    def read(con: duckdb.DuckDBPyConnection, place: Path) -> Reading:
        folder = place / name
        folder.mkdir()
        return _read(name, mapping, parts(folder), con=con, place=folder, settings=settings)

    return SourceTable(json.dumps(recipe, sort_keys=True), files, read)


def _read(
    name: str,
    mapping: TableMapping,
    parts: Sequence[RawPart],
    *,
    con: duckdb.DuckDBPyConnection,
    place: Path,
    settings: Settings,
) -> Reading:
    query = mapping.query if settings.source.kind == "files" else ""  # a database has answered its own query
    rows = gather(con, name, mapping, parts, query=query)
    mapped = map_columns(name, mapping, rows.columns, doubled=rows.doubled)
    manner = Manner.of(mapping, timezone=settings.source.timezone)
    clean(con, rows, mapped, manner, repeated_rows=mapping.repeated_rows)
    values = examine_values(con, rows, mapped, manner)
    map_rows(con, rows, mapping, mapped, manner, dates_only=values.dates_only, place=place)
    days = examine_days(con, rows)
    reasons = [*_reasons(rows, mapping, mapped, currency=settings.money.currency), *days.reasons]
    beside = [*rows.beside, *([REPEATED] if mapping.repeated_rows != "keep" else []), *_currency(mapped)]
    hidden = f" EXCLUDE ({', '.join(map(sql_name, beside))})" if beside else ""
    because = f"coalesce({', '.join([*reasons, 'CAST(NULL AS VARCHAR)'])}) AS {SET_ASIDE_BECAUSE}"
    remarks = tuple(f"{name}: {remark}" for remark in (*values.remarks, *days.remarks))
    return Reading(f"SELECT *{hidden}, {because} FROM mapped_{name}", remarks)


def _currency(mapped: Mapped) -> list[str]:
    return [CURRENCY] if CURRENCY in {*mapped.columns, *mapped.constants} else []


def _reasons(rows: RawRows, mapping: TableMapping, mapped: Mapped, *, currency: str) -> Iterator[str]:
    """SQL of why a row cannot be kept, whatever its contract says."""
    if BROKEN in rows.beside:
        yield sql_name(BROKEN)
    if SET_ASIDE_BECAUSE in rows.columns:  # a query may say so itself
        yield f"CAST(as_it_came.{SET_ASIDE_BECAUSE} AS VARCHAR)"
    if mapping.repeated_rows == "set_aside":
        yield f"CASE WHEN {sql_name(REPEATED)} THEN 'the row repeats another exactly' END"
    if mapping.repeated_rows == "set_aside_across_files":
        yield f"CASE WHEN {sql_name(REPEATED)} THEN 'the row stands in an earlier file as well' END"
    for column in _currency(mapped):
        other = f"{column} <> {sql_text(currency.upper())}"
        yield f"CASE WHEN {other} THEN {sql_text(f'the amount is not in {currency}')} END"
