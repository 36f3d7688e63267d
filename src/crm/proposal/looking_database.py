"""What a database holds: those of its tables that could be canonical ones, read whole."""

from __future__ import annotations

import functools
from contextlib import AbstractContextManager
from pathlib import Path

import duckdb

from crm.contracts import CONTRACTS
from crm.engine import sql_path
from crm.errors import CrmError
from crm.proposal.looking import Looked, Looking, Unused
from crm.proposal.meanings import PATTERNS, likeness, table_likeness
from crm.proposal.profile import profile
from crm.sources.database import DatabaseTable, look_into
from crm.sources.database.address import file_of, is_postgresql
from crm.sources.database.asking import Database, Question
from crm.sources.database.extract import keep_extract

_MOST_TABLES = 25  # read whole
_PROMISING = 0.35
_MAGIC = slice(8, 12), b"DUCK"


def is_database(path: str, here: Path) -> bool:
    """Is it an address of PostgreSQL, or a DuckDB file, whatever its name?"""
    if is_postgresql(path):
        return True
    file = here / Path(path).expanduser()
    try:
        with file.open("rb") as stream:
            return stream.read(16)[_MAGIC[0]] == _MAGIC[1]
    except OSError:  # no file, or closed to us: whoever reads it says so
        return False


def look_at_database(con: duckdb.DuckDBPyConnection, database: str, *, home: Path, place: Path) -> Looking:
    """Read the promising tables and look at every row. Raises SourceError where the database does not open."""
    looking = Looking(database=database)
    found = sorted(look_into(database, home, rows=1), key=lambda table: (-_promise(table), table.name))
    promising = [table for table in found if _promise(table) >= _PROMISING][:_MOST_TABLES]
    looking.unused += [
        Unused(table.name, "its columns are like those of no canonical table")
        for table in found
        if table not in promising
    ]
    for number, table in enumerate(promising):
        try:
            looking.tables.append(_read(con, database, table, number, home=home, place=place))
        except CrmError as error:
            looking.unused.append(Unused(table.name, f"{error.rule} Found: {error.found}"))
    return looking


def _promise(table: DatabaseTable) -> float:
    """How much the names of a table and its columns promise to be some canonical table."""
    return max(_like(table, name) for name in CONTRACTS)


def _like(table: DatabaseTable, name: str) -> float:
    names = [column for column, _ in table.columns]
    needed = [target for target in CONTRACTS[name].required_columns if target in PATTERNS[name]]
    best = [max(likeness(column, name, target) for column in names) for target in needed]
    return sum(best) / len(best) + 0.1 * table_likeness(table.name, name)


def _read(
    con: duckdb.DuckDBPyConnection, database: str, table: DatabaseTable, number: int, *, home: Path, place: Path
) -> Looked:
    opening = functools.partial(_opened, database, home)
    extract = keep_extract(place / f"table {number}", opening, (Question("rows", table.name, ""),), anew=True)
    relation = f"looked_{number}"
    con.execute(f"CREATE VIEW {relation} AS SELECT * FROM read_parquet({sql_path(extract.file('rows'))})")
    return Looked(table.name, table.name.rpartition(".")[2], profile(con, relation), table=table.name)


def _opened(database: str, home: Path, spill: Path) -> AbstractContextManager[Database]:
    if is_postgresql(database):
        from crm.sources.database.postgresql import open_postgresql

        return open_postgresql(database)
    from crm.sources.database.duckdb_file import open_duckdb

    return open_duckdb(file_of(database, home), spill=spill)
