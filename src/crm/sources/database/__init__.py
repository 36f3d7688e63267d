"""A company's own database, PostgreSQL or a DuckDB file, mapped to canonical tables by crm.toml.

`open_database(settings, anew=...)` reads its tables together, once, into Parquet files that are kept (`extract`), and
maps these. `look_into(database, home)` answers: which tables and columns are there, and how do their rows look?
"""

from __future__ import annotations

import functools
import hashlib
import json
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from crm.config import Settings
from crm.sources.database.address import file_of, is_postgresql, refuse_unclear
from crm.sources.database.asking import Database, Question
from crm.sources.database.extract import Extract, keep_extract
from crm.sources.mapping import mapped_table
from crm.sources.raw import RawPart
from crm.sources.source import Source, SourceTable


def open_database(settings: Settings, *, anew: bool) -> Source:
    """The tables that crm.toml names in a database, read at one moment; `anew`: now, even if they were read before.

    Raises SettingsError for what crm.toml says wrongly, SourceError for what the database does not give.
    """
    questions = tuple(
        Question(name, mapping.table, mapping.query) for name, mapping in settings.source.tables.items()
    )
    opening = functools.partial(connected, settings.source.database, settings.home)
    extract = keep_extract(extract_folder(settings), opening, questions, anew=anew)
    tables = {name: _table(name, extract, settings) for name in settings.source.tables}
    return Source("database", tables, notes=(extract.told, *_notes(extract)), read_at=extract.read_at)


def extract_folder(settings: Settings) -> Path:
    """Where the extracts of this database lie, and of what is asked of it."""
    source = settings.source
    asked = {name: [mapping.table, mapping.query] for name, mapping in source.tables.items()}
    where = source.database if is_postgresql(source.database) else str(file_of(source.database, settings.home))
    key = hashlib.sha256(json.dumps([where, asked], sort_keys=True).encode()).hexdigest()[:16]
    return settings.folders.data / "raw" / "database" / key


def connected(database: str, home: Path, spill: Path) -> AbstractContextManager[Database]:
    """The database at this address, open; `spill` is for what does not fit into memory."""
    refuse_unclear(database)
    if is_postgresql(database):
        from crm.sources.database.postgresql import open_postgresql

        return open_postgresql(database)
    from crm.sources.database.duckdb_file import open_duckdb

    return open_duckdb(file_of(database, home), spill=spill)


def _table(name: str, extract: Extract, settings: Settings) -> SourceTable:
    table, file = extract.tables[name], extract.file(name)
    part = RawPart(
        parquet=file,
        origin=table.origin,
        columns=tuple(table.columns),
        doubled=(),
        broken=0,
        blank=0,
        written=extract.read_at,
        dialect=None,
    )
    mapping = settings.source.tables[name]
    return mapped_table(name, mapping, files=(file,), parts=lambda place: [part], settings=settings)


def _notes(extract: Extract) -> Iterator[str]:
    for name, table in extract.tables.items():
        for column, value in table.as_text.items():
            kind = table.columns[column]
            yield f"{name}: the column {column} ({kind}) holds values such as {value}, and is read as text."


@dataclass(frozen=True)
class DatabaseTable:
    """A table or view.

    name: as `table` in crm.toml names it.   columns: name and type, as the database calls it.
    rows: as the database estimates them.    first: its first rows, as text; none where they did not come at once.
    """

    name: str
    kind: str
    columns: tuple[tuple[str, str], ...]
    rows: int | None
    first: tuple[tuple[str | None, ...], ...]


def look_into(database: str, home: Path, *, rows: int = 5) -> list[DatabaseTable]:
    """The tables and views of a database that its user may read, with their columns and first rows.

    Raises SettingsError for an address that is wrong or holds a password, SourceError when it cannot be opened.
    """
    found = []
    with tempfile.TemporaryDirectory(prefix="crm-") as spill, connected(database, home, Path(spill)) as opened:
        for relation in opened.relations():
            if relation.readable:
                with opened.answering(Question(relation.spelled, relation.spelled, "")):
                    look = opened.look(relation.query, rows)
                if look and look.columns:
                    columns = tuple((column.name, column.type) for column in look.columns)
                    found.append(DatabaseTable(relation.spelled, relation.kind, columns, relation.rows, look.rows))
    return found
