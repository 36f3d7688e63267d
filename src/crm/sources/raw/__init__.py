"""Files as their owner has them, however dirty, made readable for the engine.

CSV and Excel become Parquet files of text columns; Parquet is read where it lies, with its own types. What a file is,
its content says and not its name. Nothing is lost and nothing is mended: a line that cannot be split is a row too,
with its reason.
"""

from __future__ import annotations

from pathlib import Path

from crm.atomic import writing_into
from crm.config import TableMapping
from crm.sources.raw.delimited import read_delimited
from crm.sources.raw.kinds import content_of, shown_name
from crm.sources.raw.part import BROKEN, FILE, TEXT, Dialect, RawPart
from crm.sources.raw.paths import files_of
from crm.sources.raw.scanned import read_parquet
from crm.sources.raw.workbooks import read_workbook


def read_raw(file: Path, mapping: TableMapping, place: Path) -> tuple[RawPart, ...]:
    """The rows of a file, written as Parquet into the folder `place`: one part, or one for each sheet of a workbook.

    Raises SourceError where the whole file is unreadable, SettingsError where crm.toml asks what the file has not.
    """
    content = content_of(file)
    origin = shown_name(file, content)
    if content.kind == "parquet":
        return (read_parquet(file, origin=origin),)
    with writing_into(place):
        place.mkdir(parents=True, exist_ok=True)
        if content.kind == "workbook":
            return read_workbook(file, mapping, place, origin=origin)
        return (read_delimited(file, mapping, place, compressed=content.compressed, origin=origin),)


__all__ = ["BROKEN", "FILE", "TEXT", "Dialect", "RawPart", "files_of", "read_raw"]
