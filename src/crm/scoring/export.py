"""A list as a CSV file for the import of another system."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pandas as pd

_RUN_AS_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_KEPT_FROM_RUNNING = re.compile(r"'+[=+\-@\t\r\n]")
_ORDER = ("rank", "customer_id", "channel")


def as_csv(frame: pd.DataFrame, *, byte_order_mark: bool = False) -> bytes:
    """The frame as CSV after RFC 4180: UTF-8, commas, lines that end in CRLF, a header.

    Texts stand in quotation marks, always, and so do identifiers (customer_id and every other column that ends in
    _id), which are texts even where they are digits: leading zeros stay. Numbers stand plain. Dates and moments are
    written YYYY-MM-DD or YYYY-MM-DD HH:MM:SS. What is missing is an empty cell.

    A text that a spreadsheet could run as a formula, one that begins with = + - @, a tab or the end of a line, gets
    an apostrophe before it, in columns of text and in the header; a number below zero stays a number. So that every
    text can be told again, one that begins with apostrophes followed by such a mark gets an apostrophe as well.
    Whoever reads takes one away wherever apostrophes are followed by such a mark: `as_meant` does so.

    Rows are in order of rank where there is such a column, then of customer_id, of channel, and of the other columns:
    the same rows give the same bytes, in whatever order they came.

    byte_order_mark: begin with one, for older versions of Excel.
    """
    table = pd.DataFrame({str(name): _cells(str(name), frame[name]) for name in frame}, index=frame.index)
    names = [str(name) for name in table]
    order = [*(name for name in _ORDER if name in names), *(name for name in names if name not in _ORDER)]
    table = table.sort_values(order, kind="stable") if order else table
    written = io.StringIO(newline="")
    writer = csv.writer(written, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow([_guarded(name) for name in names])
    writer.writerows(zip(*(_plain(table[name]) for name in names), strict=True))
    return (b"\xef\xbb\xbf" if byte_order_mark else b"") + written.getvalue().encode()


def as_meant(text: str) -> str:
    """A text of such a file as it was: without the apostrophe that keeps a spreadsheet from running it."""
    return text[1:] if _KEPT_FROM_RUNNING.match(text) else text


def _guarded(text: str) -> str:
    return f"'{text}" if _RUN_AS_FORMULA.match(text) else text


def _cells(name: str, values: pd.Series[Any]) -> pd.Series[Any]:
    """A column as it is sorted and written: numbers, or texts."""
    if pd.api.types.is_datetime64_any_dtype(values):
        dates_only = bool((values.dropna() == values.dropna().dt.normalize()).all())
        dates: pd.Series[Any] = values.dt.strftime("%Y-%m-%d" if dates_only else "%Y-%m-%d %H:%M:%S").astype("str")
        return dates
    if pd.api.types.is_numeric_dtype(values) and not name.endswith("_id"):
        return values
    texts: pd.Series[Any] = values.astype("object").map(str, na_action="ignore").astype("str")
    return texts


def _plain(values: pd.Series[Any]) -> list[Any]:
    """Numbers as they are, texts so that none is run; what is missing as an empty text."""
    if pd.api.types.is_numeric_dtype(values):
        return values.astype("object").where(values.notna(), "").tolist()
    return [_guarded(text) for text in values.fillna("").tolist()]
