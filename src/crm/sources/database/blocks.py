"""Rows of any number into Parquet, a block of them in memory at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

BLOCK = 8 * 2**20  # bytes
_ROWS = 8192  # fetched at a time
_OF_THE_MACHINE = ("IO Error", "Out of Memory Error", "Data Corruption Error", "FATAL Error", "INTERNAL Error")


def write_blocks(file: Path, schema: pa.Schema, blocks: Iterable[pa.Table]) -> None:
    """Write the blocks in their order."""
    with pq.ParquetWriter(file, schema, compression="zstd", compression_level=1) as writer:
        for block in blocks:
            writer.write_table(block)


def write_query(con: duckdb.DuckDBPyConnection, query: str, file: Path) -> None:
    """Write the rows of a query of the embedded engine, in their order."""
    reader = con.sql(query).to_arrow_reader(_ROWS)
    write_blocks(file, reader.schema, _in_blocks(_fetched(reader)))


def _fetched(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """What the engine cannot do midway comes as an error of the reader's; here it is the engine's again."""
    try:
        yield from reader
    except (OSError, pa.ArrowException) as error:
        raise (duckdb.OperationalError if str(error).startswith(_OF_THE_MACHINE) else duckdb.DataError)(
            str(error)
        ) from error


def _in_blocks(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    waiting, size = [], 0
    for batch in batches:
        waiting.append(batch)
        size += batch.nbytes
        if size >= BLOCK:
            yield pa.Table.from_batches(waiting)
            waiting, size = [], 0
    if waiting:
        yield pa.Table.from_batches(waiting)
