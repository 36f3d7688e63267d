"""A company's own files: CSV, Parquet and Excel, mapped to canonical tables by crm.toml."""

from __future__ import annotations

from pathlib import Path

from crm.config import Settings, TableMapping
from crm.sources.mapping import mapped_table
from crm.sources.raw import RawPart, files_of, read_raw
from crm.sources.source import Source, SourceTable


def open_files(settings: Settings) -> Source:
    """The tables whose files crm.toml names. Raises SettingsError when a path leads nowhere."""
    folder = settings.source.folder or settings.home
    tables = {
        name: _table(name, mapping, files_of(mapping.paths, folder), settings=settings)
        for name, mapping in settings.source.tables.items()
    }
    return Source("files", tables)


def _table(name: str, mapping: TableMapping, files: tuple[Path, ...], *, settings: Settings) -> SourceTable:
    def parts(place: Path) -> list[RawPart]:
        return [part for file in files for part in read_raw(file, mapping, place)]

    return mapped_table(name, mapping, files=files, parts=parts, settings=settings)
