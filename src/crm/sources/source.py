"""What a source gives: for each canonical table it has, a query that speaks canonical column names."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SourceTable:
    """One canonical table of a source.

    query: SQL that gives the table in canonical column names, moments in local time of the trade.
    files: what the query reads; hashed into the fingerprint.
    """

    query: str
    files: tuple[Path, ...]

    def sha256(self) -> str:
        """Hash of the bytes of its files, in the order of their names."""
        digest = hashlib.sha256()
        for file in sorted(self.files):
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        return digest.hexdigest()


@dataclass(frozen=True)
class Source:
    """An opened source.

    notes: what the mapping did that a reader of the data-quality page should know.
    """

    kind: str
    tables: dict[str, SourceTable]
    notes: tuple[str, ...] = ()


def local_time(column: str, *, timezone: str, recorded_in: str = "UTC") -> str:
    """SQL that turns moments without zone, recorded in one zone, into local time of the trade."""
    if timezone == recorded_in:
        return column
    return f"timezone('{timezone}', timezone('{recorded_in}', {column}))"
