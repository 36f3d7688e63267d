"""What the purchases say of the company: the as-of date, how long an active customer stays away, hours of trade,
the currency. Measured on the rows as the product itself reads them, with the sections proposed.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pandas as pd

from crm.contracts import CONTRACTS
from crm.contracts.checking import Checked, check_table
from crm.engine import sql_path
from crm.errors import CrmError
from crm.proposal.draft import Draft
from crm.proposal.shapes import CURRENCIES, SYMBOLS, WORDS
from crm.proposal.told import count
from crm.sources import SourceTable

UNKNOWN_CURRENCY = "¤"  # the sign for a currency that is not named
DEFAULT_DAYS = 56
LEAST_DAYS, MOST_DAYS = 14, 365
_FEW_RETURNS = 100  # intervals between purchase days, below which they say little
_NINE_OF_TEN = 0.9
_FURTHER = 91 / 56  # the usual proportion of the further horizons to the active days
_HARDLY = 0.02  # of all lines


@dataclass(frozen=True)
class Measured:
    """The tables as they are read with the proposed sections.

    checked: per table what is kept and what is set aside.   refused: tables that cannot be read so, and why.
    remarks: per table what was met while it was read.       kept:    the file of the purchases kept.
    """

    checked: dict[str, Checked]
    refused: dict[str, CrmError]
    remarks: dict[str, tuple[str, ...]]
    kept: Path

    @property
    def last(self) -> dt.date | None:
        """The newest day on which somebody bought."""
        last = self.checked["purchases"].last if "purchases" in self.checked else None
        return None if last is None else pd.Timestamp(last).date()

    @property
    def first(self) -> dt.date | None:
        """The oldest."""
        first = self.checked["purchases"].first if "purchases" in self.checked else None
        return None if first is None else pd.Timestamp(first).date()


def measure(con: duckdb.DuckDBPyConnection, tables: dict[str, SourceTable], *, place: Path) -> Measured:
    """Read and check the tables as `crm check` will."""
    raw = place / "as it came"
    raw.mkdir(parents=True)
    checked: dict[str, Checked] = {}
    refused: dict[str, CrmError] = {}
    remarks: dict[str, tuple[str, ...]] = {}
    for name, table in tables.items():
        try:
            reading = table.reading(con, raw)
            checked[name] = check_table(con, CONTRACTS[name], query=reading.query, folder=place)
            remarks[name] = reading.remarks
        except CrmError as error:
            refused[name] = error
    return Measured(checked, refused, remarks, place / "purchases.parquet")


@dataclass(frozen=True)
class Returning:
    """How long customers stay away between two purchase days. nine: days within which nine of ten come back, each
    customer counted once however many intervals there are, so that those who come daily do not decide for all."""

    intervals: int
    customers: int
    nine: int


def returning(con: duckdb.DuckDBPyConnection, measured: Measured) -> Returning:
    """The intervals between purchase days of those who bought again."""
    row = con.execute(
        f"WITH days AS (SELECT DISTINCT customer_id, day FROM {sql_path(measured.kept)}), "
        "gaps AS (SELECT customer_id, day - lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS gap FROM days), "
        "weighed AS (SELECT customer_id, gap, 1.0 / count(*) OVER (PARTITION BY customer_id) AS weight "
        "FROM gaps WHERE gap IS NOT NULL), "
        "added AS (SELECT customer_id, gap, sum(weight) OVER (ORDER BY gap) AS so_far, sum(weight) OVER () AS total "
        "FROM weighed) "
        f"SELECT count(*), count(DISTINCT customer_id), min(gap) FILTER (so_far >= {_NINE_OF_TEN} * total - 1e-9) "
        "FROM added"
    ).fetchall()[0]
    return Returning(int(row[0]), int(row[1]), int(row[2] or 0))


@dataclass(frozen=True)
class Horizons:
    """Days for [definitions]. further: for what looks further ahead or back.   told: why."""

    active: int
    further: int
    told: str
    sure: bool


def horizons(found: Returning, *, history: int) -> Horizons:
    """Active within the days in which nine of ten come back, in whole weeks; what looks further ahead in proportion.

    Never so long that the history does not hold three times of it.
    """
    enough = found.intervals >= _FEW_RETURNS
    wanted = max(LEAST_DAYS, min(MOST_DAYS, _weeks(found.nine))) if enough else DEFAULT_DAYS
    most = max(LEAST_DAYS, min(MOST_DAYS, 7 * (history // 21)))
    active = min(wanted, most)
    told = (
        f"nine of ten who bought again did so within {count(found.nine, 'day')} "
        f"({count(found.intervals, 'interval')} of {count(found.customers, 'customer')}, each counted once)"
        if enough
        else f"only {count(found.intervals, 'time')} somebody came back, too few to tell: the usual {DEFAULT_DAYS}"
    )
    if active < wanted:
        told += f"; cut to a third of the {count(history, 'day')} of history"
    further = max(active, min(_weeks(active * _FURTHER), most))
    return Horizons(active, further, told, sure=enough and active == wanted)


def _weeks(days: float) -> int:
    return 7 * math.ceil(days / 7)


@dataclass(frozen=True)
class Hours:
    """When lines are bought: per hour of the day as it is written. timed: do the moments carry a time at all?"""

    by_hour: tuple[int, ...] = field(default=(0,) * 24)

    @property
    def timed(self) -> bool:
        """Do the moments carry a time of day?"""
        return sum(count > 0 for count in self.by_hour) > 1

    @property
    def quiet(self) -> tuple[int, int]:
        """The longest stretch of hours in which hardly anything is bought: from, to."""
        allowed = _HARDLY * sum(self.by_hour)
        for hours_ in range(23, 0, -1):
            sums = {start: sum(self.by_hour[(start + h) % 24] for h in range(hours_)) for start in range(24)}
            start = min(sums, key=lambda hour: (sums[hour], hour))
            if sums[start] <= allowed or hours_ == 1:
                return start, (start + hours_) % 24
        return 0, 0

    @property
    def sleeps_by_day(self) -> bool:
        """Does the middle of the quiet stretch lie in the daytime?"""
        begin, end = self.quiet
        middle = (begin + ((end - begin) % 24) / 2) % 24
        return 7 <= middle <= 21

    @property
    def busiest(self) -> int:
        """The hour with most lines."""
        return max(range(24), key=lambda hour: self.by_hour[hour])


def hours(con: duckdb.DuckDBPyConnection, measured: Measured) -> Hours:
    """Lines per hour of the day."""
    rows = con.execute(f"SELECT hour(ordered_at), count(*) FROM {sql_path(measured.kept)} GROUP BY 1").fetchall()
    by_hour = {int(hour): int(count) for hour, count in rows}
    return Hours(tuple(by_hour.get(hour, 0) for hour in range(24)))


@dataclass(frozen=True)
class Currency:
    """The currency of the amounts, with the evidence; several: those a column names, most frequent first."""

    code: str
    told: str
    sure: bool
    several: tuple[tuple[str, int], ...] = ()


def currency(purchases: Draft) -> Currency:
    """From a column of currencies, a symbol at the amounts, or a column's name; else it is not known."""
    table, column = purchases.looked.profile, purchases.columns.get("currency")
    column = purchases.origins.get("currency", column)
    if column and column in table.names:
        words = [(word.upper(), rows) for word, rows in table[column].words]
        said = ", ".join(f"{word} {rows:,} lines" for word, rows in words[:4])
        return Currency(words[0][0][:8], f"from {column}: {said}", True, tuple(words) if len(words) > 1 else ())
    names = [purchases.origins.get(t, purchases.columns.get(t)) for t in ("net_amount", "unit_price")]
    amounts = [table[name] for name in names if name in table.names]
    for amount in amounts:
        for mark, rows in amount.forms.symbols.most_common(1):
            code = SYMBOLS.get(mark) or WORDS.get(mark, mark)
            return Currency(code, f"{rows:,} values of {amount.name} bear {mark}", code in CURRENCIES)
        named = [word for word in _capitals(amount.name) if SYMBOLS.get(word, word) in CURRENCIES]
        if named:
            return Currency(SYMBOLS.get(named[0], named[0]), f"from the name of {amount.name}", True)
    return Currency(UNKNOWN_CURRENCY, "nothing names it", False)


def _capitals(name: str) -> list[str]:
    marked = "".join(f" {c} " if c in SYMBOLS else c for c in name)
    return "".join(c if c.isalnum() or c in SYMBOLS else " " for c in marked).upper().split()
