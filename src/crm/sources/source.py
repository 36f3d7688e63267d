"""What a source gives: for each canonical table it has, rows in canonical column names."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb


@dataclass(frozen=True)
class Reading:
    """The rows of one table, ready to be checked.

    query:   SQL that gives them in canonical column names, moments in local time of the trade. Two further columns
             have a meaning of their own: `as_it_came`, a struct, the row as the source has it (without it, the row of
             the query counts as such), and `set_aside_because`, text: why the row cannot be kept, or empty.
    remarks: what the reader of the data-quality page should know of how it was read.
    """

    query: str
    remarks: tuple[str, ...] = ()


Read = Callable[[duckdb.DuckDBPyConnection, Path], Reading]


@dataclass(frozen=True)
class SourceTable:
    """One canonical table of a source.

    query: SQL that gives the table, as in `Reading`.
    files: what is read; hashed into the fingerprint.
    read:  in place of a query that stands beforehand: given a database and a folder for what it has to write, gives
           the reading; `query` then is its recipe, whatever changes what becomes of the same files.
    """

    query: str
    files: tuple[Path, ...]
    read: Read | None = None

    def reading(self, con: duckdb.DuckDBPyConnection, place: Path) -> Reading:
        """Its rows, ready to be checked."""
        return self.read(con, place) if self.read else Reading(self.query)

    def sha256(self) -> str:
        """Hash of the bytes of its files, in the order of their names."""
        digest = hashlib.sha256()
        for file in sorted(self.files):
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        return digest.hexdigest()

    def state(self) -> dict[Path, tuple[int, int, int]]:
        """Size, time of writing and identity of each file: they differ when one was changed or replaced."""
        facts = {file: file.stat() for file in self.files}
        return {file: (one.st_size, one.st_mtime_ns, one.st_ino) for file, one in facts.items()}


@dataclass(frozen=True)
class Source:
    """An opened source.

    notes:   what the mapping did that a reader of the data-quality page should know.
    read_at: when a database was read, by its own clock.
    """

    kind: str
    tables: dict[str, SourceTable]
    notes: tuple[str, ...] = ()
    read_at: dt.datetime | None = None


def local_time(column: str, *, timezone: str, recorded_in: str = "UTC") -> str:
    """SQL that turns moments without zone, recorded in one zone, into local time of the trade."""
    if timezone == recorded_in:
        return column
    return f"timezone('{timezone}', timezone('{recorded_in}', {column}))"
