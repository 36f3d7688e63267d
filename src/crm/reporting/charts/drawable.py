"""From a computed table to what can be drawn: the columns asked for under the names of their parts in the chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from crm.errors import RequestError
from crm.reporting.wording import SHARE, clean

Parts = Mapping[str, str | None]
"""Part of a chart (such as `x` or `height`) → the column that holds it; None: the chart goes without."""


def drawable(table: pd.DataFrame, *, names: Parts = {}, values: Parts = {}, axis: Parts = {}) -> pd.DataFrame:  # noqa: B006
    """A new frame with one column per part that is there, numbered from 0.

    `names` become clean text, `values` floats (what is not finite becomes missing), `axis` stays as it is.
    Raises RequestError where a column is not there, or where a value is no number.
    """
    parts = {part: column for part, column in {**names, **values, **axis}.items() if column is not None}
    _check_there(table, list(parts.values()))
    frame = pd.DataFrame({part: table[column].reset_index(drop=True) for part, column in parts.items()})
    texts = {part: [clean(v) for v in frame[part].tolist()] for part in names if part in parts}
    return frame.assign(**texts, **{part: _floats(frame[part], parts[part]) for part in values if part in parts})


def _check_there(table: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise RequestError(
            "A chart draws columns of its table.",
            found=f"no column {', '.join(missing)} among {', '.join(map(str, table.columns)) or 'none'}",
            do="Name the columns as they stand in the table.",
        )


def _floats(column: pd.Series, name: str) -> pd.Series:
    try:
        floats = pd.to_numeric(column).astype("Float64").astype("float64")
    except (TypeError, ValueError):
        raise RequestError(
            "A chart draws numbers.", found=f"{column.dtype} in column {name}", do="Convert it first."
        ) from None
    return floats.where(np.isfinite(floats))


def positions(column: pd.Series) -> pd.Series:
    """Where the values of an axis lie: numbers and dates by their size, anything else by order of appearance."""
    if is_dated(column):
        stamps = column.dt.to_timestamp() if isinstance(column.dtype, pd.PeriodDtype) else pd.to_datetime(column)
        # Days since 1970-01-01, which is how matplotlib counts dates.
        return (stamps - pd.Timestamp(0)) / pd.Timedelta(days=1)
    if is_scale(column):
        return column.astype("float64")
    order = {value: float(at) for at, value in enumerate(first_come(column))}
    return column.map(order).astype("float64")


def is_dated(column: pd.Series) -> bool:
    """Is this an axis of time?"""
    if isinstance(column.dtype, pd.PeriodDtype) or pd.api.types.is_datetime64_any_dtype(column.dtype):
        return True
    return column.dtype == object and pd.api.types.infer_dtype(column) in ("date", "datetime")


def is_scale(column: pd.Series) -> bool:
    """Is this an axis of numbers?"""
    return pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)


def formats_for(columns: Sequence[str | None], unit: str) -> dict[str, str]:
    """How the numbers behind are written: shares as per cent; anything else as its size needs."""
    return dict.fromkeys([column for column in columns if column], ".1%") if unit == SHARE else {}


def extremes(frame: pd.DataFrame, column: str) -> tuple[pd.Series, pd.Series]:
    """The rows with the highest and the lowest value of a column without missing values."""
    values = frame[column].to_numpy()
    return frame.iloc[int(values.argmax())], frame.iloc[int(values.argmin())]


def first_come(column: pd.Series) -> list[str]:
    """The different values, in order of appearance."""
    return list(dict.fromkeys(column.tolist()))
