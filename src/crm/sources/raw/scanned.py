"""Parquet: read by the engine where it lies."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from crm.engine import sql_path
from crm.errors import SourceError
from crm.sources.raw.part import RawPart
from crm.sources.raw.streams import one_line, reading
from crm.sources.raw.writing import written_at


def read_parquet(file: Path, *, origin: str) -> RawPart:
    """The file itself; its columns are named as the engine names them. Raises SourceError."""
    try:
        with reading(file):
            names = pq.ParquetFile(file).schema_arrow.names
            with duckdb.connect() as con:
                found = con.execute(f"DESCRIBE SELECT * FROM read_parquet({sql_path(file)})").fetchall()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, duckdb.Error) as error:
        raise SourceError(
            f"{file.name} must be whole Parquet.",
            found=one_line(error),
            do="Fetch or write it again; a file that was copied half ends like this.",
        ) from None
    times = Counter(name.casefold() for name in names)
    doubled = tuple(dict.fromkeys(name for name in names if times[name.casefold()] > 1))
    return RawPart(file, origin, tuple(name for name, *_ in found), doubled, 0, 0, written_at(file), dialect=None)
