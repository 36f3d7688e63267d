"""Rows become Parquet, piece by piece: FILE, BROKEN, TEXT and the file's own columns, all text."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from crm.config import TableMapping
from crm.sources.raw.part import BROKEN, FILE, TEXT
from crm.sources.raw.records import Broken


class Writing:
    """The Parquet file of one part. Rows in which every cell is empty are counted and left out."""

    def __init__(self, parquet: Path, origin: str, columns: Sequence[str]) -> None:
        self.parquet, self.origin, self.columns = parquet, origin, tuple(columns)
        self.broken = self.blank = 0
        names = pa.field(FILE, pa.dictionary(pa.int8(), pa.string()))
        self._schema = pa.schema([names, *(pa.field(name, pa.string()) for name in (BROKEN, TEXT, *columns))])
        self._writer = pq.ParquetWriter(parquet, self._schema, compression="zstd")

    def write(self, rows: pa.Table, broken: Sequence[Broken] = ()) -> None:
        """Add rows, whose columns are those of the part in order, and broken ones."""
        rows = self._without_blank(rows)
        count = rows.num_rows
        pieces = [self._table(count, pa.nulls(count, pa.string()), pa.nulls(count, pa.string()), rows.columns)]
        if broken:
            reasons, texts = pa.array([one.reason for one in broken]), pa.array([one.text for one in broken])
            empty = [pa.nulls(len(broken), pa.string())] * len(self.columns)
            pieces.append(self._table(len(broken), reasons, texts, empty))
        self._writer.write_table(pa.concat_tables(pieces))
        self.broken += len(broken)

    def _table(self, count: int, reasons: Any, texts: Any, own: Sequence[Any]) -> pa.Table:
        names = pa.DictionaryArray.from_arrays(np.zeros(count, dtype=np.int8), pa.array([self.origin]))
        return pa.Table.from_arrays([names, reasons, texts, *own], schema=self._schema)

    def _without_blank(self, rows: pa.Table) -> pa.Table:
        if not rows.num_rows or any(column.null_count == 0 for column in rows.columns):
            return rows
        filled = functools.reduce(pc.or_, (pc.is_valid(column) for column in rows.columns))
        kept = rows.filter(filled)
        self.blank += rows.num_rows - kept.num_rows
        return kept

    def __enter__(self) -> Writing:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        whole = False
        try:
            self._writer.close()
            whole = kind is None
        finally:
            if not whole:
                self.parquet.unlink(missing_ok=True)


def parquet_name(file: Path, mapping: TableMapping, place: Path, sheet: str = "") -> Path:
    """Where a part is written: another name for each file, sheet and way of reading it."""
    told = (str(file.resolve()), sheet, mapping.header, mapping.delimiter, mapping.quote, mapping.encoding)
    digest = hashlib.sha256(repr(told).encode()).hexdigest()
    return place / f"{digest[:16]}.parquet"


def written_at(file: Path) -> dt.datetime:
    """When the file was last changed, in UTC."""
    return dt.datetime.fromtimestamp(file.stat().st_mtime, tz=dt.UTC)
