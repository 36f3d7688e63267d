"""Canonical values out of cleaned ones: the third step of a mapping."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import duckdb

from crm.config import TableMapping
from crm.contracts import CONTRACTS
from crm.engine import sql_name, sql_path, sql_text
from crm.sources.mapping.columns import CURRENCY, UNIT_PRICE, WITH_UNIT_PRICE, Mapped
from crm.sources.mapping.rows import REPEATED, RawRows
from crm.sources.mapping.values import UNREAD, Manner, identifier, moment, number, truth

_MONEY = "DECIMAL(18, 4)"


def map_rows(
    con: duckdb.DuckDBPyConnection,
    rows: RawRows,
    mapping: TableMapping,
    mapped: Mapped,
    manner: Manner,
    *,
    dates_only: Collection[str],
    place: Path,
) -> None:
    """Make the view `mapped_<table>`: `as_it_came`, what stands beside, canonical columns, attributes.

    The values are read once, and written to `place`: they are asked for several times.
    dates_only: canonical moments of which the source gives the dates alone.
    """
    name = rows.name
    kept = ["as_it_came", *map(sql_name, rows.beside)]
    kept += [sql_name(REPEATED)] * (mapping.repeated_rows != "keep")
    values = {
        target: _value(name, target, rows.kinds[source], manner, dates_only=target in dates_only)
        for target, source in mapped.columns.items()
    }
    values |= {target: sql_text(value) for target, value in mapped.constants.items()}
    kept += [f"{value} AS {sql_name(target)}" for target, value in values.items()]
    kept += [f"{sql_name(f'attribute {column}')} AS {sql_name(column)}" for column in mapped.attributes]
    read = f"SELECT {', '.join(kept)} FROM clean_{name}"
    amount = WITH_UNIT_PRICE.get(name, "")
    if UNIT_PRICE in values:
        read = f"SELECT * EXCLUDE ({UNIT_PRICE}), {_reckoned()} AS {amount} FROM ({read})"
    if mapping.credit_note_prefix and amount:
        read = f"SELECT * REPLACE ({_credited(amount, mapping.credit_note_prefix)} AS {amount}) FROM ({read})"
    values_read = place / "mapped.parquet"
    con.execute(f"COPY ({read}) TO {sql_path(values_read)} (FORMAT parquet, COMPRESSION zstd)")
    con.execute(f"CREATE OR REPLACE TEMP VIEW mapped_{name} AS SELECT * FROM {sql_path(values_read)}")


def _value(table: str, target: str, kind: str, manner: Manner, *, dates_only: bool) -> str:
    name = sql_name(target)
    if target == UNIT_PRICE:
        return number(name, kind, manner)
    if target == CURRENCY:
        return f"upper(CAST({name} AS VARCHAR))"
    meant = CONTRACTS[table].column(target).kind
    if meant == "text":
        return identifier(name, kind) if target.endswith("_id") else f"CAST({name} AS VARCHAR)"
    if meant == "timestamp":
        return moment(name, kind, manner, dates_only=dates_only)
    return truth(name, kind) if meant == "boolean" else number(name, kind, manner)


def _reckoned() -> str:
    """Quantity x unit price, to four decimals; in sight as unread where either cannot be read."""
    product = f"TRY_CAST(quantity AS DOUBLE) * TRY_CAST({UNIT_PRICE} AS DOUBLE)"
    money = f"CASE WHEN isfinite({product}) THEN CAST(TRY_CAST(round({product}, 4) AS {_MONEY}) AS VARCHAR) END"
    both = f"quantity IS NOT NULL AND {UNIT_PRICE} IS NOT NULL"
    return f"CASE WHEN {both} THEN coalesce({money}, '{UNREAD}' || quantity || ' x ' || {UNIT_PRICE}) END"


def _credited(amount: str, prefix: str) -> str:
    """A cancellation's amount is negative, however it was written."""
    cancelled = f"starts_with(order_id, {sql_text(prefix)}) AND TRY_CAST({amount} AS {_MONEY}) > 0"
    return f"CASE WHEN {cancelled} THEN '-' || {amount} ELSE {amount} END"
