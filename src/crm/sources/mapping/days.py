"""The days on which the rows of a table lie: which are impossible, and whether files overlap."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise

import duckdb

from crm.contracts import CONTRACTS
from crm.engine import sql_name
from crm.sources.mapping.rows import RawRows, counted, repeated
from crm.sources.raw import FILE

_RECORDED_AFTERWARDS = (
    "purchases", "returns", "customers", "consents", "responses", "service_cases", "deliveries", "visits",
)  # fmt: skip
LONELY_GAP = 366  # days without a row, beyond which a few dates are slips of the key
LONELY_SHARE = 0.005  # of all rows, at most

ByFile = Mapping[str, Counter[dt.date]]


@dataclass(frozen=True)
class Days:
    """reasons: SQL of why a row's day is impossible.   remarks: for the reader of the data-quality page."""

    reasons: tuple[str, ...]
    remarks: tuple[str, ...]


def examine_days(con: duckdb.DuckDBPyConnection, rows: RawRows) -> Days:
    """Look at the days of `mapped_<table>`, file by file."""
    event = CONTRACTS[rows.name].event
    present = [str(row[0]) for row in con.execute(f"DESCRIBE mapped_{rows.name}").fetchall()]
    if event is None or event not in present:
        return Days((), ())
    by_file = _days(con, rows, event)
    total: Counter[dt.date] = sum(by_file.values(), Counter())
    reasons, remarks = [], []
    limit = _written_limit(rows)
    if limit and any(day >= limit for day in total):
        before = Counter({day: count for day, count in total.items() if day < limit})
        if before.total() * 2 < total.total():
            remarks.append(f"most rows lie after the day the file was written ({limit}): that day is not believed")
        else:
            reasons.append(f"CASE WHEN {_moment(event)} >= DATE '{limit}' THEN '{event} lies in the future' END")
            total = before
    if rows.name == "purchases" and total:
        reasons += _lonely(event, total)
    return Days(tuple(reasons), (*remarks, *_overlaps(con, rows, by_file)))


def crowded(days: Mapping[dt.date, int]) -> tuple[dt.date, dt.date]:
    """The first and the last day, without a few rows beyond a gap of more than a year on either side."""
    ordered = sorted(days)
    allowed = LONELY_SHARE * sum(days.values())
    return _after_lonely(ordered, days, allowed), _after_lonely(ordered[::-1], days, allowed)


def _after_lonely(ordered: list[dt.date], days: Mapping[dt.date, int], allowed: float) -> dt.date:
    """The first of these days, or the first beyond a gap before which hardly any row lies."""
    first, outside = ordered[0], 0
    for day, following in pairwise(ordered):
        outside += days[day]
        if outside > allowed:
            break
        if abs((following - day).days) > LONELY_GAP:
            first = following
    return first


def _moment(event: str) -> str:
    return f"TRY_CAST({sql_name(event)} AS TIMESTAMP)"


def _lonely(event: str, days: Mapping[dt.date, int]) -> Iterator[str]:
    first, last = crowded(days)
    if min(days) < first or max(days) > last:
        apart = f"{_moment(event)} < DATE '{first}' OR {_moment(event)} >= DATE '{last + dt.timedelta(days=1)}'"
        yield f"CASE WHEN {apart} THEN '{event} lies more than a year apart from all other dates' END"


def _days(con: duckdb.DuckDBPyConnection, rows: RawRows, event: str) -> dict[str, Counter[dt.date]]:
    """Rows per file and day; what cannot be read, and placeholders before 1970, left out."""
    day = f"TRY_CAST({_moment(event)} AS DATE)"
    file = f"coalesce({sql_name(FILE)}, '')" if FILE in rows.beside else "''"  # Parquet among others has none
    query = (
        f"SELECT {file} AS file, {day} AS day, count(*) FROM mapped_{rows.name} "
        f"WHERE {day} BETWEEN DATE '1970-01-02' AND DATE '9999-12-31' GROUP BY ALL"
    )
    by_file: dict[str, Counter[dt.date]] = {}
    for one, date, count in con.execute(query).fetchall():
        by_file.setdefault(one, Counter())[date] += count
    return by_file


def _written_limit(rows: RawRows) -> dt.date | None:
    """The first day that had not begun anywhere when the rows were written."""
    if rows.name not in _RECORDED_AFTERWARDS or rows.written is None:
        return None
    return rows.written.astimezone(dt.UTC).date() + dt.timedelta(days=2)


def _overlaps(con: duckdb.DuckDBPyConnection, rows: RawRows, by_file: ByFile) -> Iterator[str]:
    """Files that have days in common, and how many of their lines stand in both."""
    spans = {file: crowded(days) for file, days in by_file.items() if days}
    shared = [
        (one, other, max(spans[one][0], spans[other][0]), min(spans[one][1], spans[other][1]))
        for one, other in combinations(sorted(spans), 2)
    ]
    met = [(one, other, first, last) for one, other, first, last in shared if first <= last]
    if not met or rows.name != "purchases" or rows.queried or len(set(rows.origins)) < len(rows.origins):
        return
    twice = con.execute(
        f"SELECT count(*) FROM (SELECT {repeated(rows, across_files=True)} AS again FROM {counted(rows)}) WHERE again"
    ).fetchall()[0][0]
    for one, other, first, last in met[:3]:
        yield f"{one} and {other} both have rows of {first} to {last}"
    if len(met) > 3:
        yield f"and {len(met) - 3:,} more pairs of files have days in common"
    yield (
        f"{twice:,} rows stand in an earlier file as well"
        + (': repeated_rows = "set_aside_across_files" sets them aside' if twice else "")
    )
