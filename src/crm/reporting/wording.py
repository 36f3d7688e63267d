"""How values are written: in labels, alternative texts and tables, the same everywhere.

A `unit` is what stands behind the number ("USD", "customers"); the unit "share" means a number from 0 to 1, written
as per cent. Nothing here depends on the language the machine is set to.
"""

from __future__ import annotations

import datetime as dt
import math
import numbers
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import pandas as pd

MISSING = "–"
MINUS = "−"
SHARE = "share"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# Errors name a few rows or ids: help for whoever mends the data, and nothing for a page that is passed on.
_EXAMPLES = re.compile(r",? such as .*?(?=\. [A-Z]|; |\.?$)", re.MULTILINE)
_WORD = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def clean(value: Any) -> str:
    """Text as it can be shown on one line: no control characters, which would break a picture's file."""
    text = "".join(" " if unicodedata.category(c).startswith(("C", "Z")) else c for c in str(value))
    return " ".join(text.split())


def without_examples(text: str) -> str:
    """What an error says without the rows or ids it names ("…, such as c17, c23"): a page names nobody."""
    return _EXAMPLES.sub("", text)


def shortened(value: Any, most: int) -> str:
    """At most this many characters, cut at the end with … where it is longer."""
    text = clean(value)
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def heading(name: Any) -> str:
    """A column's name for people: `net_sales` becomes "Net sales"; whatever is written already stays."""
    text = clean(name)
    if not _WORD.fullmatch(text):
        return text
    return text.replace("_", " ").capitalize() if len(text) > 1 else text


def number(value: Any, unit: str = "") -> str:
    """A number for labels, to three or four digits: 4.60 M, 412 k, 9,876, 12.3, 0.123; with unit "share" 41%."""
    if pd.isna(value):
        return MISSING
    value = float(value)
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    return _per_cent(value) if unit == SHARE else _rounded(value)


def formatted(value: Any, spec: str) -> str:
    """By a format of Python's; what is written as zero has no minus: "0.000" and not "-0.000"."""
    text = format(value, spec)
    return format(abs(value), spec) if _is_minus_zero(text) else text


def _is_minus_zero(text: str) -> bool:
    return text.startswith("-") and "0" in text and not any(digit in text for digit in "123456789")


def quantity(value: Any, unit: str = "") -> str:
    """A number with its unit: "4.60 M USD", "41%"."""
    text = number(value, unit)
    return text if unit in ("", SHARE) or text == MISSING else f"{text} {unit}"


def _per_cent(value: float) -> str:
    per_cent = 100 * value
    text = f"{per_cent:,.0f}" if abs(per_cent) >= 9.95 else f"{per_cent:.2g}" if abs(per_cent) >= 0.01 else "0"
    return f"{text}%".replace("-", MINUS)


def _rounded(value: float) -> str:
    size = abs(value)
    if size >= 999_500_000:
        text = f"{value / 1e9:.2f} bn"
    elif size >= 999_500:
        text = f"{value / 1e6:.2f} M"
    elif size >= 99_950:
        text = f"{value / 1e3:.0f} k"
    elif size >= 100 or value == round(value):
        text = formatted(value, ",.0f")
    else:
        text = formatted(value, f".{1 if size >= 10 else 2 if size >= 1 else 3}f")
    return text.replace("-", MINUS)


def tick(value: float, unit: str = "") -> str:
    """A number on an axis: no more digits than a round number needs."""
    if unit == SHARE:
        return f"{formatted(100 * value, '.10g')}%".replace("-", MINUS)
    for size, suffix in ((1e9, " bn"), (1e6, " M"), (1e4, " k")):
        if abs(value) >= size:
            size = 1e3 if suffix == " k" else size
            return f"{value / size:.6g}{suffix}".replace("-", MINUS)
    return formatted(value, ",.0f" if abs(value) >= 1000 else ".6g").replace("-", MINUS)


def moments(values: Sequence[Any] | pd.Series) -> list[str]:
    """Points of an axis in words: "Mar 2017" where all are first days of a month, other dates as YYYY-MM-DD."""
    plain = [v.to_timestamp() if isinstance(v, pd.Period) else v for v in values]
    dates = [v for v in plain if isinstance(v, dt.date)]
    monthly = bool(dates) and all(v.day == 1 for v in dates)
    return [_moment(v, monthly=monthly) for v in plain]


def _moment(value: Any, *, monthly: bool) -> str:
    if value is None or value is pd.NaT:
        return MISSING
    if isinstance(value, dt.date):
        return f"{MONTHS[value.month - 1]} {value.year}" if monthly else f"{value:%Y-%m-%d}"
    return f"{float(value):.6g}" if _is_number(value) else clean(value)


def listed(words: Sequence[str]) -> str:
    """Words joined as in a sentence: "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def duration(seconds: float | None) -> str:
    """Seconds for people: "46 s", "3 min 12 s", "1 h 5 min"."""
    if seconds is None:
        return MISSING
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def cells(column: pd.Series, spec: str | None = None) -> list[str]:
    """The values of a column as a table shows them.

    spec: a format of Python's, such as ",.2f" or ".1%", for every value that is not missing. Without one: whole
    numbers with thousands separators, other numbers with as many digits as their size needs, a column whose name
    begins or ends in "share" as per cent, dates as YYYY-MM-DD, yes or no, – for what is missing.
    """
    if spec is None and is_numeric(column):
        spec = _usual_format(column)
    return [_cell(value, spec) for value in column.tolist()]


def is_numeric(column: pd.Series) -> bool:
    """Are all values that are there numbers?"""
    values = column.dropna()
    if pd.api.types.is_bool_dtype(values.dtype):
        return False
    if pd.api.types.is_numeric_dtype(values.dtype):
        return True
    return len(values) > 0 and all(_is_number(v) for v in values.tolist())


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Number) and value is not True and value is not False


def _usual_format(column: pd.Series) -> str:
    name = clean(column.name).casefold()
    if name.startswith("share") or name.endswith("share"):
        return ".1%"
    finite = [abs(float(v)) for v in column.dropna().tolist() if math.isfinite(v)]
    if all(v == round(v) for v in finite):
        return ",.0f"
    largest = max(finite)
    return f",.{0 if largest >= 10_000 else 1 if largest >= 100 else 2 if largest >= 1 else 3}f"


def _cell(value: Any, spec: str | None) -> str:
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dt.date):
        return _date(value)
    if spec is not None and _is_number(value):
        return "∞" if value == math.inf else "-∞" if value == -math.inf else formatted(value, spec)
    return clean(value)


def _date(value: dt.date) -> str:
    timed = isinstance(value, dt.datetime) and (value.hour or value.minute or value.second)
    return f"{value:%Y-%m-%d %H:%M}" if timed else f"{value:%Y-%m-%d}"
