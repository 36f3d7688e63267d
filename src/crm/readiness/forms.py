"""Forms in which values are written that were not read, and what each is taken for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Advice = Literal["set", "stand-in", "mapping", "source", "query"]


@dataclass(frozen=True)
class Form:
    """One such form.

    pattern: a regular expression of the whole value.     because: what it is taken for.
    advice:  what mends it: a setting of the table in crm.toml; naming it among the `empty` words; another column in
             the mapping; the source itself; the table's query.
    setting: where a setting mends it, the line to write.
    """

    pattern: str
    because: str
    advice: Advice
    setting: str = ""


COMMA = Form(r"[^,]*\d,(\d{1,2}|\d{4,})\D*|[^,]*\d\.\d{3},\d+\D*", "a decimal comma", "set", "decimal_comma = true")
POINT = Form(r"[^.]*\d\.(\d{1,2}|\d{4,})\D*|[^.]*\d,\d{3}\.\d+\D*", "a decimal point", "set", "decimal_comma = false")
LONG = Form(r"[-+]?\d{15,}([.,]\d*)?", "numbers too long for it", "mapping")
WORDS = Form(r"\D+", "a word in place of a value", "stand-in")
NUMBERS = (COMMA, POINT, LONG, WORDS)

_YEAR = r"(\d{4}|\d{2})(\D.*)?"
DAY_FIRST = Form(
    rf"(1[3-9]|2\d|3[01])[/.\-](0?\d|1[0-2])[/.\-]{_YEAR}", "dates with the day first", "set", "day_first = true"
)
MONTH_FIRST = Form(
    rf"(0?\d|1[0-2])[/.\-](1[3-9]|2\d|3[01])[/.\-]{_YEAR}", "dates with the month first", "set", "day_first = false"
)
EXCEL = Form(r"[1-9]\d{4}([.,]\d+)?", "days as a spreadsheet counts them", "set", 'date_format = "excel"')
EPOCH = Form(r"1\d{9}([.,]\d+)?", "seconds since 1970", "set", 'date_format = "epoch"')
EPOCH_MS = Form(r"1\d{12}", "milliseconds since 1970", "set", 'date_format = "epoch_ms"')
ZEROS = Form(r"[0/.\-: T]+", "zeros in place of a date", "stand-in")
NAMED = Form(r"\d{1,2}[\s./-]*\p{L}.*\d.*|\p{L}+\P{N}+\d.*", "months in words that are not read", "query")
DAY_BEFORE_MONTH = Form(
    r"\d{4}-(1[3-9]|2\d|3[01])-(0\d|1[0-2])", "the day before the month", "set", 'date_format = "%Y-%d-%m"'
)
NO_DAY = Form(r"\d{4}[-/.]?\d{1,2}[-/.]?\d{1,2}(\D.*)?", "days or hours that do not exist", "source")
OTHER = Form(
    r".*\d.*", "dates written otherwise than date_format says", "set", 'date_format = ["…", "…"], all forms,'
)
DATES = (DAY_FIRST, MONTH_FIRST, EXCEL, EPOCH, EPOCH_MS, ZEROS, NAMED, DAY_BEFORE_MONTH, NO_DAY, WORDS)
DATES_OF_A_FORMAT = (ZEROS, OTHER, WORDS)

TRUTHS = (Form(r".*", "yes and no in other words", "query"),)
PLACEHOLDERS = (Form(r".*", "a stand-in for an unknown date", "stand-in"),)
