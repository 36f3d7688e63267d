"""Reading PostgreSQL: one read-only transaction for all tables, so that they belong together."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.csv
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus

from crm.config import DATABASE_PASSWORD
from crm.engine import sql_name
from crm.sources.database.asking import Column, Kind, Look, Question, Relation
from crm.sources.database.blocks import BLOCK, write_blocks
from crm.sources.database.refusals import answering, connecting

_CONNECTING: dict[str, Any] = {
    "application_name": "crm",
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}
_SESSION = {
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "lc_monetary": "C",
    "extra_float_digits": "3",  # every float as it is
    "synchronize_seqscans": "off",  # the rows of a table always in the same order
    "lock_timeout": "60s",
}
_KINDS: dict[str, Kind] = {
    "int2": "integer", "int4": "integer", "int8": "integer", "oid": "integer",
    "numeric": "number", "money": "number", "float4": "float", "float8": "float",
    "bool": "boolean", "date": "date", "timestamp": "timestamp", "timestamptz": "timestamptz",
}  # fmt: skip
_RELATIONS = """
    SELECT n.nspname, c.relname, pg_table_is_visible(c.oid), c.relkind IN ('v', 'm'),
        CASE WHEN c.reltuples >= 0 AND c.relkind IN ('r', 'm') THEN c.reltuples::int8 END,
        has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
        AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_t%'
    ORDER BY 1, 2"""


@contextlib.contextmanager
def open_postgresql(address: str) -> Iterator[PostgreSQL]:
    """The database at this address, in a transaction that cannot write and sees one moment.

    The password is taken from the environment, CRM_DATABASE_PASSWORD, or from where libpq looks.
    """
    with connecting():
        given = conninfo_to_dict(address)
        parameters = _CONNECTING | given | {"client_encoding": "UTF8"}
        if password := os.environ.get(DATABASE_PASSWORD):
            parameters["password"] = password
        connection = psycopg.connect(**parameters)
    with contextlib.closing(connection):
        connection.read_only = True
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.prepare_threshold = None
        info = connection.info
        host = info.host if info.host and not info.host.startswith("/") else "this machine"
        where = f"the PostgreSQL database {info.dbname} on {host}"
        with answering(where):
            for name, value in _SESSION.items():
                connection.execute("SELECT set_config(%s, %s, true)", (name, value))
            row = connection.execute("SELECT clock_timestamp()").fetchone()
        assert row is not None
        yield PostgreSQL(connection, where, row[0].astimezone(dt.UTC))


@dataclass(frozen=True)
class PostgreSQL:
    """An open PostgreSQL database; see `Database`."""

    connection: psycopg.Connection
    where: str
    read_at: dt.datetime

    @property
    def told(self) -> str:
        """When it was read, as a sentence."""
        return f"Read from {self.where} at {self.read_at:%Y-%m-%d %H:%M} UTC (its clock)."

    def relations(self) -> list[Relation]:
        """The tables and views outside the system's own schemas."""
        rows = self.connection.execute(_RELATIONS).fetchall()
        return [
            Relation(schema, name, near, "view" if view else "table", rows=count, readable=readable)
            for schema, name, near, view, count, readable in rows
        ]

    def describe(self, query: str) -> tuple[Column, ...]:
        """The columns of a single query; several statements are refused by the server."""
        server = self.connection.pgconn
        for result in (server.prepare(b"", query.encode()), server.describe_prepared(b"")):
            if result.status != ExecStatus.COMMAND_OK:
                raise error_from_result(result)
        return tuple(self._column(result, place) for place in range(result.nfields))

    def _column(self, described: psycopg.pq.abc.PGresult, place: int) -> Column:
        known = self.connection.adapters.types.get(described.ftype(place))
        kind = known.name if known else "other"
        return Column((described.fname(place) or b"").decode(), kind, _KINDS.get(kind, "text"))

    def copy(self, query: str, columns: Sequence[Column], file: Path) -> None:
        """The rows of a query into a Parquet file, a block at a time."""
        names = [str(place) for place in range(len(columns))]
        schema = pa.schema([(name, pa.string()) for name in names])
        command = f"COPY (\n{_without_currency(query, columns)}\n) TO STDOUT (FORMAT csv)".encode()
        with self.connection.cursor() as cursor, cursor.copy(command) as rows:
            write_blocks(file, schema, (_parsed(block, names) for block in _blocks(rows)))

    def look(self, query: str, rows: int) -> Look | None:
        """The columns of a query, and its first rows if they come within seconds."""
        columns = self.describe(query)
        command = f"COPY (SELECT * FROM (\n{query}\n) AS asked LIMIT {rows}) TO STDOUT (FORMAT csv)".encode()
        try:
            with self.connection.transaction(), self.connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = '3s'")
                with cursor.copy(command) as answer:
                    block = b"".join(answer)
        except psycopg.Error:
            if self.connection.closed:
                raise
            return Look(columns)
        if not block or not columns:
            return Look(columns)
        table = _parsed(block, [str(place) for place in range(len(columns))])
        return Look(columns, tuple(zip(*(column.to_pylist() for column in table.columns), strict=True)))

    def answering(self, question: Question) -> contextlib.AbstractContextManager[None]:
        """See `Database`."""
        return answering(self.where, question, self._relations_after_all)

    def _relations_after_all(self) -> list[Relation]:
        """For the message: the transaction has failed, and its names are asked for in another."""
        try:
            self.connection.rollback()
            return self.relations()
        except psycopg.Error:
            return []


def _without_currency(query: str, columns: Sequence[Column]) -> str:
    """Amounts of the type money are written with signs and marks; as numbers they have none."""
    if all(column.type != "money" for column in columns):
        return query
    names = [sql_name(column.name) + "::numeric" * (column.type == "money") for column in columns]
    return f"SELECT {', '.join(names)} FROM (\n{query}\n) AS asked"


def _blocks(rows: Iterable[bytes | bytearray | memoryview]) -> Iterator[bytes]:
    """Whole rows, as many as fit in a block: the server sends each as a message of its own."""
    waiting, size = [], 0
    for row in rows:
        waiting.append(bytes(row))
        size += len(row)
        if size >= BLOCK:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


def _parsed(block: bytes, names: list[str]) -> pa.Table:
    """CSV as PostgreSQL writes it: an empty field is no value, two quotes are an empty text."""
    return pyarrow.csv.read_csv(
        io.BytesIO(block),
        pyarrow.csv.ReadOptions(column_names=names, block_size=len(block) + 1),
        pyarrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
