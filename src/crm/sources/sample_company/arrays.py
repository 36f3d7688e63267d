"""Numpy arrays by name, and how codes become text columns without a Python loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints: TypeAlias = npt.NDArray[np.integer[Any]]
Floats: TypeAlias = npt.NDArray[np.floating[Any]]
Bools: TypeAlias = npt.NDArray[np.bool_]
Moments: TypeAlias = npt.NDArray[np.datetime64]
ArrowArray: TypeAlias = "pa.Array[Any]"

ABSENT = -1  # the code of a value that is not there


def numbered(prefix: str, numbers: Ints, *, width: int) -> ArrowArray:
    """Identifiers such as C0000123: a prefix and zero-padded digits, built as bytes for all rows at once."""
    lead = prefix.encode("ascii")
    letters = np.empty((len(numbers), len(lead) + width), dtype=np.uint8)
    letters[:, : len(lead)] = np.frombuffer(lead, dtype=np.uint8)
    rest = np.array(numbers, dtype=np.int64)
    for place in range(letters.shape[1] - 1, len(lead) - 1, -1):
        rest, digit = np.divmod(rest, 10)
        letters[:, place] = digit + ord("0")
    offsets = np.arange(len(numbers) + 1, dtype=np.int32) * letters.shape[1]
    return pa.StringArray.from_buffers(len(numbers), pa.py_buffer(offsets.data), pa.py_buffer(letters.data))


def coded(codes: Ints, names: ArrowArray | tuple[str, ...]) -> ArrowArray:
    """A text column given as positions in `names`; `ABSENT` is an empty value.

    Parquet keeps all of `names`, used or not: where most are not used, `names.take` is smaller. No name may stand
    twice: Parquet's writer would leave bytes of the file to chance.
    """
    dictionary = names if isinstance(names, pa.Array) else pa.array(names, pa.string())
    absent = codes < 0
    positions: ArrowArray = pa.array(codes.astype(np.int32, copy=False), mask=absent if absent.any() else None)
    return pa.DictionaryArray.from_arrays(positions, dictionary)


def moments(values: Moments, *, known: Bools | None = None) -> ArrowArray:
    """A timestamp column without zone, in microseconds; empty where it is not known."""
    return pa.array(values, pa.timestamp("us"), mask=None if known is None else ~known)


def table_of(columns: Mapping[str, Any]) -> pa.Table:
    """A table of Arrow and numpy columns."""
    return pa.table(dict(columns))


def positions_within(counts: Ints) -> Ints:
    """0, 1, .. within each group, for groups of these sizes laid end to end."""
    ends = np.cumsum(counts)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)


def drawn_from(rng: np.random.Generator, shares: Floats, size: int) -> Ints:
    """Codes 0, 1, .. drawn with these shares."""
    cumulative = np.cumsum(shares)
    return np.searchsorted(cumulative[:-1] / cumulative[-1], rng.random(size), side="right")
