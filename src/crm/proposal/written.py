"""How the values of a table are written: the decimal mark, day or month first, formats, zones, words for nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import duckdb

from crm.config import TableMapping
from crm.contracts import CONTRACTS
from crm.engine import sql_name, sql_text
from crm.proposal.matching import Matched, is_excel_day, packed, since_epoch
from crm.proposal.months import foreign_months, moment_of_words
from crm.proposal.profile import Column, Table, value_of
from crm.sources.mapping.values import SLASHED, SPECIAL_FORMATS, Manner, moment, number

_PARTS = r"^(\d{1,2})[/.\-](\d{1,2})[/.\-]"
_MONTHS = 12
_MORE = 3  # times as many different values as the other part of a date has
SLASHED_SHAPE = r"9?9[/.\-]9?9[/.\-]"
_NOTHING = {
    "-",
    "--",
    "---",
    "n/a",
    "na",
    "n.a.",
    "?",
    "unknown",
    "none",
    "(none)",
    "(blank)",
    "nil",
    "#n/a",
    "k.a.",
    "tbd",
}
_OTHER_FORMATS = {
    r"[A-Za-z]{3}, \d{1,2} [A-Za-z]{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}": "%a, %d %b %Y %H:%M:%S %z",
    r"[A-Za-z]{3}, \d{1,2} [A-Za-z]{3} \d{4} \d\d:\d\d:\d\d": "%a, %d %b %Y %H:%M:%S",
    r"[A-Za-z]{3} [A-Za-z]{3} \d{1,2} \d\d:\d\d:\d\d \d{4}": "%a %b %d %H:%M:%S %Y",
    r"\d{4}-\d{2}": "%Y-%m",
    r"\d{2}/\d{4}": "%m/%Y",
    r"\d{4}/\d{2}": "%Y/%m",
    r"\d{8} \d{6}": "%Y%m%d %H%M%S",
    r"\d{8} \d\d:\d\d": "%Y%m%d %H:%M",
    r"\d{8} \d\d:\d\d:\d\d": "%Y%m%d %H:%M:%S",
    r"\d{8}T\d{6}": "%Y%m%dT%H%M%S",
}


@dataclass(frozen=True)
class DayFirst:
    """What the dates written 5/3/2017 say of themselves: rows that can only be read day first, or only month first,
    an example of each, and the first and last date of each reading."""

    rows: int
    only_day: int
    only_month: int
    day_example: str
    month_example: str
    as_day: tuple[str, str]
    as_month: tuple[str, str]
    ordered: bool | None = None  # the reading under which the rows lie in the order of time, if only one does
    year_first: tuple[str, str] | None = None  # first and last date if 22/01/04 can be 4 January 2022 in all rows
    year_likely: bool = False  # and the first part has few values, as years do, the last one many, as days do

    @property
    def answer(self) -> bool | None:
        """Is the day first? None: nothing says so, or both do."""
        if self.year_first or bool(self.only_day) == bool(self.only_month):
            return None
        return bool(self.only_day)


@dataclass(frozen=True)
class Written:
    """How a table's values are written.

    decimal_comma: None where some numbers have a comma and some a point.   mark_evidence: in words.
    days:          per column with such dates.   formats: date formats that must be named, by column.
    empty:         further words that stand for nothing.
    months:        per column whose months are words of another language: the words and their numbers.
    """

    decimal_comma: bool | None
    mark_evidence: str
    days: dict[str, DayFirst] = field(default_factory=dict)
    formats: dict[str, str] = field(default_factory=dict)
    empty: tuple[str, ...] = ()
    zoned: dict[str, int] = field(default_factory=dict)
    timed: bool = False
    months: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def day_first(self) -> bool | None:
        """Is the day first in all columns that have such dates? None: not decided."""
        answers = {day.answer for day in self.days.values()} - {None}
        return answers.pop() if len(answers) == 1 else None

    def manner(self, *, timezone: str = "UTC") -> Manner:
        """The manner in which the looking reads; where nothing is decided, day first."""
        told = TableMapping(
            empty=[*TableMapping().empty, *self.empty],
            decimal_comma=bool(self.decimal_comma),
            day_first=True if self.day_first is None else self.day_first,
        )
        return Manner.of(told, timezone=timezone)


def examine_writing(con: duckdb.DuckDBPyConnection, table: Table, matched: Matched) -> Written:
    """Look at the mapped columns' numbers and dates."""
    kinds = {column.name: column.kind for column in CONTRACTS[matched.name]} | {"unit_price": "money"}
    by_kind: dict[str, list[Column]] = {}
    for target, found in matched.columns.items():
        kind = "number" if kinds.get(target) == "money" else kinds.get(target, "text")
        by_kind.setdefault(kind, []).append(table[found.column])
    numbers, moments = by_kind.get("number", []), by_kind.get("timestamp", [])
    comma, evidence = _mark(numbers)
    days = {c.name: _day_first(con, table, c) for c in moments if c.forms.dates.get("slashed")}
    years = {c.name: _year_format(c) for c in moments if c.name in days and days[c.name].year_likely}
    return Written(
        comma,
        evidence,
        days=days,
        formats={c.name: form for c in moments if (form := format_of(c) or _day_before_month(con, table, c))} | years,
        empty=tuple(sorted({word for c in (*numbers, *moments) for word in _words_for_nothing(c)})),
        zoned={c.name: rows for c in moments if (rows := _zoned(c))},
        months={c.name: words for c in moments if (words := foreign_months(con, table, c))},
        timed=any(c.forms.timed or format_of(c).startswith("epoch") for c in moments),
    )


def _day_before_month(con: duckdb.DuckDBPyConnection, table: Table, column: Column) -> str:
    """The format of dates such as 2022-31-01, where some can be nothing else and none is year, month and day only."""
    shapes = column.forms.shapes
    if column.kind != "VARCHAR" or not all(re.match(r"9999[-/.]99[-/.]99", one.shape) for one in shapes):
        return ""
    value = value_of(column.name, column.kind)
    middle, last = (f"TRY_CAST(substr({value}, {at}, 2) AS INTEGER)" for at in (6, 9))
    days, months = con.execute(
        f"SELECT count(*) FILTER ({middle} > {_MONTHS} AND {last} <= {_MONTHS}), "
        f"count(*) FILTER ({last} > {_MONTHS} AND {middle} <= {_MONTHS}) FROM {table.relation}"
    ).fetchall()[0]
    marks = {one.shape[10:] for one in shapes}
    clocks = {
        "": "",
        " 99:99": " %H:%M",
        " 99:99:99": " %H:%M:%S",
        "a99:99:99": "T%H:%M:%S",
        "A99:99:99": "T%H:%M:%S",
    }
    if not days or months or len(marks) > 1 or not marks <= clocks.keys():
        return ""
    mark = shapes[0].shape[4]
    return f"%Y{mark}%d{mark}%m{clocks[marks.pop()]}"


def _zoned(column: Column) -> int:
    if column.kind == "TIMESTAMP WITH TIME ZONE" or format_of(column).startswith("epoch"):
        return column.filled
    return column.forms.dates.get("year first, with zone", 0)


def _mark(numbers: Sequence[Column]) -> tuple[bool | None, str]:
    """Is the decimal mark a comma, and what says so?"""
    with_comma = [c for c in numbers if c.kind == "VARCHAR" and c.forms.numbers["comma"]]
    with_point = [c for c in numbers if c.kind == "VARCHAR" and c.forms.numbers["point"]]
    said, also = _told(with_comma, "comma"), _told(with_point, "point")
    if with_comma and with_point:
        return None, f"{said}; {also}"
    return bool(with_comma), said or also


def _told(columns: Sequence[Column], mark: str) -> str:
    return ", ".join(
        f"{c.forms.numbers[mark]:,} values of {c.name} such as {c.forms.examples[mark]}" for c in columns[:2]
    )


def _words_for_nothing(column: Column) -> Iterator[str]:
    for shape in column.forms.strange:
        for word in {shape.low, shape.high}:
            if word.casefold() in _NOTHING:
                yield word


def format_of(column: Column) -> str:
    """The date_format that must be named for a column, if its dates are neither ISO nor day, month and year."""
    if column.is_date or packed(column):
        return ""
    if epoch := since_epoch(column):
        return epoch
    if is_excel_day(column):
        return "excel"
    return other_format(column)


def other_format(column: Column) -> str:
    """A rarer form of dates that all values have."""
    examples = [value for shape in column.forms.undated for value in (shape.low, shape.high)]
    for form, written in _OTHER_FORMATS.items():
        if examples and all(re.fullmatch(form, value) for value in examples):
            return written
    return ""


def _day_first(con: duckdb.DuckDBPyConnection, table: Table, column: Column) -> DayFirst:
    value = value_of(column.name, column.kind)
    first, second = (f"TRY_CAST(regexp_extract(v, '{_PARTS}', {n}) AS INTEGER)" for n in (1, 2))
    readings = {
        day: moment("v", "VARCHAR", Manner(**{**vars(Manner.of(TableMapping(), timezone="UTC")), "day_first": day}))
        for day in (True, False)
    }
    dates = {day: f"CAST(TRY_CAST({read} AS TIMESTAMP) AS DATE)" for day, read in readings.items()}
    row = con.execute(
        f"WITH slashed AS (SELECT v, n, {first} AS one, {second} AS two FROM "
        f"(SELECT {value} AS v, count(*) AS n FROM {table.relation} GROUP BY 1) "
        f"WHERE regexp_matches(v, '{SLASHED}')) SELECT sum(n), coalesce(sum(n) FILTER (one > 12 AND two <= 12), 0), "
        f"coalesce(sum(n) FILTER (two > 12 AND one <= 12), 0), min(v) FILTER (one > 12), min(v) FILTER (two > 12), "
        f"min({dates[True]}), max({dates[True]}), min({dates[False]}), max({dates[False]}) FROM slashed"
    ).fetchall()[0]
    rows, only_day, only_month, day_example, month_example, *spans = row
    spans = [str(date) for date in spans]
    ordered = None
    if not only_day and not only_month:
        ordered = _in_order(con, table, value, dates)
    return DayFirst(
        int(rows), int(only_day), int(only_month), str(day_example), str(month_example), (spans[0], spans[1]),
        (spans[2], spans[3]), ordered, *_year_first(con, table, value),
    )  # fmt: skip


def _year_first(con: duckdb.DuckDBPyConnection, table: Table, value: str) -> tuple[tuple[str, str] | None, bool]:
    """If 22/01/04 can be read year first in all rows: the first and last such date, and whether that is likely."""
    parts = r"^(\d\d)[/.\-](\d\d)[/.\-](\d\d)(\D|$)"
    ends = [f"regexp_extract(v, '{parts}', {n})" for n in (1, 3)]
    date = f"TRY_CAST(regexp_replace(v, '{parts}.*$', '20\\1-\\2-\\3') AS DATE)"
    read, rows, low, high, years, days = con.execute(
        f"SELECT count(*) FILTER (regexp_matches(v, '{parts}') AND {date} IS NOT NULL), count(*), min({date}), "
        f"max({date}), count(DISTINCT {ends[0]}), count(DISTINCT {ends[1]}) FROM "
        f"(SELECT {value} AS v FROM {table.relation}) WHERE v IS NOT NULL"
    ).fetchall()[0]
    if read < rows or (years > _MONTHS and years >= _MORE * days):  # days of a month are first, few years last
        return None, False
    return (str(low), str(high)), bool(days > _MONTHS and days >= _MORE * years)


def _year_format(column: Column) -> str:
    """The format of 22/01/04 or 22/01/04 18:30."""
    date, blank, clock = _format_of_shape(column.forms.shapes[0].shape, "%y", "%m").partition(" ")
    return f"{date.removesuffix('y')}d{blank}{clock}"


def _in_order(con: duckdb.DuckDBPyConnection, table: Table, value: str, dates: dict[bool, str]) -> bool | None:
    """The one reading under which the rows lie in the order of time, forwards or backwards."""
    kept = []
    for day, read in dates.items():
        back, forth = con.execute(
            "SELECT count(*) FILTER (d < before), count(*) FILTER (d > before) "
            "FROM (SELECT d, lag(d) OVER (ORDER BY place) AS before "
            f"FROM (SELECT row_number() OVER () AS place, {read} AS d "
            f"FROM (SELECT {value} AS v FROM {table.relation})))"
        ).fetchall()[0]
        if min(back, forth) == 0 and max(back, forth) >= 3:
            kept.append(day)
    return kept[0] if len(kept) == 1 else None


def as_number(column: Column, manner: Manner) -> str:
    """SQL of a column's number, as the mapping will read it."""
    value = value_of(column.name, column.kind) if column.kind == "VARCHAR" else sql_name(column.name)
    return f"TRY_CAST({number(value, column.kind, manner)} AS DOUBLE)"


def plain_number(column: Column, manner: Manner) -> str:
    """SQL of a column's number that a person can read, for a query in crm.toml."""
    name, forms = sql_name(column.name), column.forms
    if column.kind != "VARCHAR":
        return f"CAST({name} AS DECIMAL(18, 4))"
    if all(re.fullmatch(r"-?(9+)?(\.9+)?", one.shape) for one in forms.shapes) and not manner.decimal_comma:
        return f"TRY_CAST({name} AS DECIMAL(18, 4))"
    if all(re.fullmatch(r"-?(9|\.999)+(,9+)?", one.shape) for one in forms.shapes) and manner.decimal_comma:
        return f"TRY_CAST(replace(replace({name}, '.', ''), ',', '.') AS DECIMAL(18, 4))"
    return f"TRY_CAST({number(value_of(column.name, column.kind), column.kind, manner)} AS DECIMAL(18, 4))"


def as_moment(column: Column, written: Written) -> str:
    """SQL of a column's moment, as the mapping will read it."""
    manner = written.manner()
    if form := written.formats.get(column.name) or format_of(column):
        manner = Manner(**{**vars(manner), "date_formats": (form,)})
    value = value_of(column.name, column.kind) if column.kind == "VARCHAR" else sql_name(column.name)
    return f"TRY_CAST({moment(value, column.kind, manner)} AS TIMESTAMP)"


def plain_moment(column: Column, written: Written) -> str:
    """SQL of a column's moment that a person can read, for a query in crm.toml."""
    name = sql_name(column.name)
    if column.kind != "VARCHAR":
        return name
    if months := written.months.get(column.name):
        return moment_of_words(column, months)
    if form := written.formats.get(column.name) or format_of(column):
        return as_moment(column, written) if form in SPECIAL_FORMATS else f"try_strptime({name}, {sql_text(form)})"
    if packed(column):
        return f"try_strptime({name}, '%Y%m%d')"
    if column.forms.dates["year first, with zone"]:
        return f"TRY_CAST({name} AS TIMESTAMPTZ)"
    if column.forms.dates["slashed"]:
        first, second = ("%d", "%m") if written.manner().day_first else ("%m", "%d")
        formats = {
            _format_of_shape(s.shape, first, second) for s in column.forms.shapes if re.match(SLASHED_SHAPE, s.shape)
        }
        return f"try_strptime({name}, [{', '.join(sql_text(one) for one in sorted(formats))}])"
    return f"TRY_CAST({name} AS TIMESTAMP)"


def _format_of_shape(shape: str, first: str, second: str) -> str:
    """The format of dates of a shape such as 99.99.9999 99:99."""
    date, _, clock = shape.partition(" ")
    mark = next(c for c in date if not c.isdigit())
    year = "%Y" if date.endswith("9999") else "%y"
    seconds = {0: "", 1: " %H:%M", 2: " %H:%M:%S"}[clock.count(":")]
    return f"{first}{mark}{second}{mark}{year}" + (
        seconds.replace("%H", "%I") + " %p" if re.search("[aA]", clock) else seconds
    )
