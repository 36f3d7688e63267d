"""The embedded engine: one DuckDB connection per process, with Narwhals frames over it.

Everything is lazily evaluated and may be larger than memory; what does not fit is spilled to a folder of the
process. Nothing is downloaded: extensions that are not built in are refused.
"""

from __future__ import annotations

import functools
import os
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw
import pandas as pd

Lazy = nw.LazyFrame[Any]
MEMORY = "2GB"  # that reading and checking a source may take


@functools.cache
def connection() -> duckdb.DuckDBPyConnection:
    """This process's connection. CRM_THREADS limits its threads (the runner sets it for parallel notebooks)."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        # Made by the engine when it first spills, and emptied by it at the end.
        "temp_directory": str(Path(tempfile.gettempdir()) / f"crm-spill-{os.getpid()}"),
        "preserve_insertion_order": True,
    }
    if threads := os.environ.get("CRM_THREADS"):
        config["threads"] = threads
    return duckdb.connect(config=config)


def database_on_disk(file: Path) -> duckdb.DuckDBPyConnection:
    """A database of its own in a file, for tables of any size: what does not fit into memory is spilled beside it."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "memory_limit": MEMORY,
        "temp_directory": str(file.parent),
        "TimeZone": "UTC",  # and not the machine's: the same data are the same everywhere
    }
    return duckdb.connect(str(file), config=config)


def sql_path(path: Path) -> str:
    """A path as a SQL text literal; of a folder, its parts in the order of their names."""
    text = str(path / "*.parquet") if path.is_dir() else str(path)
    return sql_text(text)


def sql_text(text: str) -> str:
    """A SQL text literal."""
    return "'" + text.replace("'", "''") + "'"


def sql_name(name: str) -> str:
    """A SQL identifier, whatever stands in it."""
    return '"' + name.replace('"', '""') + '"'


def scan(path: Path) -> Lazy:
    """A lazy frame over a Parquet file or a folder of parts."""
    return nw.from_native(connection().sql(f"SELECT * FROM read_parquet({sql_path(path)})"))


def to_pandas(frame: Lazy) -> pd.DataFrame:
    """The rows of a lazy frame, in pandas. Only for what is one row per customer, or less."""
    collected: pd.DataFrame = frame.collect(backend="pandas").to_native()
    return collected


def write_parquet(frame: Lazy, path: Path, *, order: list[str]) -> None:
    """Write a lazy frame in a fixed order, so that equal inputs give equal files."""
    nw.to_native(frame.sort(*order)).write_parquet(str(path), compression="zstd")
