"""Reading a DuckDB file: opened for reading alone, by a connection of its own."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from crm.engine import sql_name
from crm.errors import SettingsError, SourceError
from crm.sources.database.asking import Column, Kind, Look, Question, Relation
from crm.sources.database.blocks import write_query

_OF_THE_QUERY = (duckdb.ProgrammingError, duckdb.DataError, duckdb.NotSupportedError)
_MARK = slice(8, 12), b"DUCK"  # where every DuckDB file says what it is

_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"), "integer"),
    **dict.fromkeys(("UBIGINT", "HUGEINT", "UHUGEINT", "BIGNUM", "DECIMAL"), "number"),
    **dict.fromkeys(("FLOAT", "DOUBLE"), "float"),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), "timestamp"),
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "BOOLEAN": "boolean",
    "DATE": "date",
}
_RELATIONS = """
    SELECT schema_name, table_name, schema_name = current_schema(), 'table' AS kind, estimated_size
    FROM duckdb_tables() WHERE database_name = current_database() AND NOT internal
    UNION ALL
    SELECT schema_name, view_name, schema_name = current_schema(), 'view', NULL
    FROM duckdb_views() WHERE database_name = current_database() AND NOT internal
    ORDER BY 1, 2"""


@contextlib.contextmanager
def open_duckdb(file: Path, *, spill: Path) -> Iterator[DuckDBFile]:
    """The database in this file; what does not fit into memory goes to the folder `spill`."""
    _refuse_other_files(file)
    try:
        connection = duckdb.connect(
            str(file),
            read_only=True,
            config={"autoinstall_known_extensions": False, "temp_directory": str(spill)},
        )
    except duckdb.Error as error:
        raise _not_opened(file, error) from None
    with contextlib.closing(connection):
        connection.execute("SET TimeZone = 'UTC'")
        yield DuckDBFile(connection, f"the DuckDB file {file.name}", _written(file))


def _written(file: Path) -> dt.datetime:
    """When it was last changed; what is not yet in the file itself lies in its log."""
    both = [one.stat().st_mtime for one in (file, file.with_name(file.name + ".wal")) if one.exists()]
    return dt.datetime.fromtimestamp(int(max(both)), dt.UTC)


@dataclass(frozen=True)
class DuckDBFile:
    """An open DuckDB file; see `Database`."""

    connection: duckdb.DuckDBPyConnection
    where: str
    read_at: dt.datetime

    @property
    def told(self) -> str:
        """When it was written, as a sentence: a file has no clock."""
        return f"Read from {self.where}, last written at {self.read_at:%Y-%m-%d %H:%M} UTC."

    def relations(self) -> list[Relation]:
        """Its own tables and views."""
        return [Relation(*row) for row in self.connection.execute(_RELATIONS).fetchall()]

    def describe(self, query: str) -> tuple[Column, ...]:
        """The columns of a single query that selects."""
        statements = [statement.type for statement in self.connection.extract_statements(query)]
        if statements != [duckdb.StatementType.SELECT]:
            said = "several statements" if len(statements) > 1 else "a statement that does not select"
            raise duckdb.InvalidInputException(said if statements else "no statement")
        rows = self.connection.execute(f"DESCRIBE (\n{query}\n)").fetchall()
        return tuple(Column(str(name), str(kind), _KINDS.get(_plain(kind), "text")) for name, kind, *_ in rows)

    def copy(self, query: str, columns: Sequence[Column], file: Path) -> None:
        """The rows of a query into a Parquet file."""
        rows = f"SELECT {_as_text(columns)} FROM (\n{query}\n) AS asked({_places(columns)})"
        write_query(self.connection, rows, file)

    def look(self, query: str, rows: int) -> Look | None:
        """The columns of a query, and its first rows; a view may stand on files that are gone."""
        try:
            columns = self.describe(query)
            asked = f"SELECT {_as_text(columns)} FROM (\n{query}\n) AS asked({_places(columns)}) LIMIT {rows}"
            return Look(columns, tuple(self.connection.execute(asked).fetchall()))
        except duckdb.Error:
            return None

    @contextlib.contextmanager
    def answering(self, question: Question) -> Iterator[None]:
        """See `Database`."""
        try:
            yield
        except duckdb.Error as error:
            if os.strerror(errno.ENOSPC) in str(error):  # of the folder that is written to
                raise
            if not isinstance(error, _OF_THE_QUERY):
                raise SourceError(
                    f"All that {question.key} asks for must be readable.",
                    found=_said(error),
                    do=f"Look whether {self.where} is whole, and what it stands on; nothing was kept.",
                ) from None
            raise SettingsError(
                f"{question.key} must be one query that {self.where} can answer: it is opened for reading alone.",
                found=_said(error),
                do="Mend it in crm.toml.",
            ) from None


def _plain(kind: object) -> str:
    return str(kind).partition("(")[0]


def _places(columns: Sequence[Column]) -> str:
    return ", ".join(sql_name(str(place)) for place in range(len(columns)))


def _as_text(columns: Sequence[Column]) -> str:
    names = [sql_name(str(place)) for place in range(len(columns))]
    return ", ".join(f"CAST({name} AS VARCHAR) AS {name}" for name in names)


def _refuse_other_files(file: Path) -> None:
    """Refuse what is no DuckDB file, before the engine tries to make something of it."""
    if not file.is_file():
        raise SettingsError(
            "source.database must be a DuckDB file, or postgresql://user@host/name.",
            found=f"{file} is a folder" if file.is_dir() else f"no file {file}",
            do="Correct the path in crm.toml; it is relative to the folder of crm.toml.",
        )
    try:
        with file.open("rb") as stream:
            begin = stream.read(16)
    except PermissionError:
        raise SourceError(
            f"The DuckDB file {file.name} must be readable.", found=os.strerror(13), do=f"Let this user read {file}."
        ) from None
    place, mark = _MARK
    if begin[place] != mark:
        raise SettingsError(
            "source.database must be a DuckDB file, or postgresql://user@host/name.",
            found=f"{file.name} is not a DuckDB file" if begin else f"{file.name} is empty",
            do="Name a DuckDB file; CSV, Excel and Parquet files are read with [source] kind = 'files'.",
        )


def _not_opened(file: Path, error: duckdb.Error) -> SourceError:
    said = _said(error)
    if "lock" in said or "different configuration" in said or "already attached" in said:
        do = "Close it there (a notebook that has it open, too), or copy the file, and start again."
    elif "newer version" in str(error):
        do = "Write the file again with the version that is installed here, or install the newer one."
    else:
        do = "Look whether it opens in DuckDB itself."
    return SourceError(f"The DuckDB file {file.name} must open for reading.", found=said, do=do)


def _said(error: duckdb.Error) -> str:
    """The engine's own words, without the picture of the query."""
    text = str(error).partition("\nLINE")[0].partition("\n\n")[0].strip()
    return " ".join(text.split()).rstrip("!.")
