"""The rows as they came, and their mapped columns cleaned: the first two steps of a mapping."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from crm.config import TableMapping
from crm.engine import sql_name, sql_path
from crm.errors import SettingsError, SourceError
from crm.sources.mapping.columns import Mapped
from crm.sources.mapping.values import Manner, cleaned
from crm.sources.raw import BROKEN, FILE, TEXT, RawPart

OCCURRENCE, REPEATED = "crm:occurrence", "crm:repeated"
_BESIDE = (FILE, BROKEN, TEXT)
_SHOWN_AS = {FILE: "source file", TEXT: "broken line"}


@dataclass(frozen=True)
class RawRows:
    """The view `raw_<table>`: rows as they came, of all parts of a table.

    columns: their own, in order.   kinds: DuckDB's type of each.   doubled: names that stood more than once.
    beside:  which of the columns FILE, BROKEN and TEXT there are.   origins: the files, as people know them.
    written: when the newest part was written.   queried: they are what a query made of the files' rows.
    """

    name: str
    columns: tuple[str, ...]
    kinds: dict[str, str]
    doubled: tuple[str, ...]
    beside: tuple[str, ...]
    origins: tuple[str, ...]
    written: dt.datetime | None
    queried: bool

    @property
    def own(self) -> str:
        """Its own columns, as SQL."""
        return ", ".join(sql_name(column) for column in self.columns)


def gather(
    con: duckdb.DuckDBPyConnection, name: str, mapping: TableMapping, parts: Sequence[RawPart], *, query: str
) -> RawRows:
    """Make the view `raw_<table>`; `query`: SQL over `file`, the rows of all parts, or empty.

    Raises SourceError when there is nothing to read, SettingsError for a query that cannot be carried out.
    """
    if not parts:
        raise SourceError(
            f"The table {name} must have rows to read.", found="no part with rows", do="Look at its path."
        )
    if not query:
        _refuse_unequal(name, mapping, parts)
    files = ", ".join(sql_path(part.parquet) for part in parts)
    rows = f"SELECT * FROM read_parquet([{files}], union_by_name = true)"
    across = mapping.repeated_rows == "set_aside_across_files" and len(parts) > 1
    if across and FILE not in _kinds(con, f"({rows})"):  # Parquet is read where it lies
        name_of_it = f"SELECT * EXCLUDE (filename), parse_filename(filename) AS {sql_name(FILE)}"
        rows = f"{name_of_it} FROM read_parquet([{files}], union_by_name = true, filename = true)"
    if query:
        rows = _queried(con, name, query, rows)
    con.execute(f"CREATE OR REPLACE TEMP VIEW raw_{name} AS {rows}")
    kinds = _kinds(con, f"raw_{name}")
    own = tuple(column for column in kinds if column not in _BESIDE)
    return RawRows(
        name,
        columns=own,
        kinds={column: kinds[column] for column in own},
        doubled=() if query else tuple(dict.fromkeys(one for part in parts for one in part.doubled)),
        beside=tuple(column for column in _BESIDE if column in kinds),
        origins=tuple(part.origin for part in parts),
        written=max((part.written for part in parts), default=None),
        queried=bool(query),
    )


def clean(
    con: duckdb.DuckDBPyConnection, rows: RawRows, mapped: Mapped, manner: Manner, *, repeated_rows: str
) -> None:
    """Make the view `clean_<table>`: `as_it_came`, what stands beside, and each mapped column under its new name."""
    name = rows.name
    shown = [f"{sql_name(_SHOWN_AS[column])} := {sql_name(column)}" for column in rows.beside if column != BROKEN]
    shown += [f"{sql_name(column)} := {sql_name(column)}" for column in rows.columns]
    columns = [
        f"struct_pack({', '.join(shown)}) AS as_it_came",
        *map(sql_name, rows.beside),
        *(
            f"{cleaned(source, rows.kinds[source], manner)} AS {sql_name(target)}"
            for target, source in mapped.columns.items()
        ),
        *(f"{sql_name(column)} AS {sql_name(f'attribute {column}')}" for column in mapped.attributes),
    ]
    source = f"raw_{name}"
    if repeated_rows != "keep":
        again = repeated(rows, across_files=repeated_rows == "set_aside_across_files")
        columns.append(f"{again} AS {sql_name(REPEATED)}")
        source = counted(rows)
    con.execute(f"CREATE OR REPLACE TEMP VIEW clean_{name} AS SELECT {', '.join(columns)} FROM {source}")


def counted(rows: RawRows) -> str:
    """The rows with the number of times each has occurred so far in its own file."""
    beside = f", {sql_name(FILE)}" if FILE in rows.beside else ""
    occurrence = f"row_number() OVER (PARTITION BY {rows.own}{beside})"
    return f"(SELECT *, {occurrence} AS {sql_name(OCCURRENCE)} FROM raw_{rows.name})"


def repeated(rows: RawRows, *, across_files: bool) -> str:
    """True for a row that repeats another; across files: that an earlier file has had as many times already."""
    if not across_files:
        return f"(row_number() OVER (PARTITION BY {rows.own}) > 1)"
    if len(rows.origins) == 1 and not rows.queried:
        return "false"
    if FILE not in rows.beside or rows.queried or len(set(rows.origins)) < len(rows.origins):
        raise SettingsError(
            f"The rows of {rows.name} must come from several files to be compared across them.",
            found="repeated_rows = 'set_aside_across_files' with a query, or files of one name in several folders",
            do="Set repeated_rows = 'set_aside' there, or let the query leave out what is repeated.",
        )
    file, occurrence = sql_name(FILE), sql_name(OCCURRENCE)
    return f"(row_number() OVER (PARTITION BY {rows.own}, {occurrence} ORDER BY {file}) > 1)"


def _kinds(con: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    return {str(row[0]): str(row[1]) for row in con.execute(f"DESCRIBE {relation}").fetchall()}


def _queried(con: duckdb.DuckDBPyConnection, name: str, query: str, rows: str) -> str:
    """The query's rows, and the lines that could not be split, which no query can speak of."""
    broken = _BESIDE[0] in _kinds(con, f"({rows})")
    hidden = ", ".join(map(sql_name, _BESIDE))
    file = f"SELECT * EXCLUDE ({hidden}) FROM ({rows}) WHERE {sql_name(BROKEN)} IS NULL" if broken else rows
    queried = f"WITH file AS ({file}) SELECT * FROM ({query.strip().rstrip(';')})"
    try:
        con.execute(f"DESCRIBE {queried}")
    except duckdb.Error as error:
        raise SettingsError(
            f"The query of [source.tables.{name}] must be SQL over `file`, the rows of its path.",
            found=str(error).splitlines()[0],
            do="Mend the query in crm.toml.",
        ) from None
    if not broken:
        return queried
    return f"({queried}) UNION ALL BY NAME SELECT {hidden} FROM ({rows}) WHERE {sql_name(BROKEN)} IS NOT NULL"


def _refuse_unequal(name: str, mapping: TableMapping, parts: Sequence[RawPart]) -> None:
    """Refuse files of one table of which some lack a column that the mapping names."""
    for wanted in mapping.columns.values():
        have = [part for part in parts if isinstance(wanted, int) or wanted in (*part.columns, *part.doubled)]
        if 0 < len(have) < len(parts):
            lacking = next(part for part in parts if part not in have)
            raise SettingsError(
                f"Every part of the table {name} must have the columns that are mapped.",
                found=f"no column {wanted!r} in {lacking.origin}, which has {', '.join(lacking.columns)}",
                do="Name in crm.toml only the files (or the sheet) that belong together.",
            )
