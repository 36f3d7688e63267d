"""What the values of the mapped columns look like: what has to be decided by a person, and what is worth a remark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from crm.contracts import CONTRACTS
from crm.engine import sql_name
from crm.errors import SettingsError
from crm.sources.mapping.columns import Mapped
from crm.sources.mapping.rows import RawRows
from crm.sources.mapping.values import SCIENTIFIC, SLASHED, WHOLE_WITH_POINT, ZONED, Manner, moment

_FIRST, _SECOND = r"^(\d+)[/.\-]", r"^\d+[/.\-](\d+)"


@dataclass(frozen=True)
class Values:
    """What was seen.

    dates_only: canonical moments that carry no time.   remarks: for the reader of the data-quality page.
    """

    dates_only: frozenset[str]
    remarks: tuple[str, ...]


def examine_values(con: duckdb.DuckDBPyConnection, rows: RawRows, mapped: Mapped, manner: Manner) -> Values:
    """Look at all values once. Raises SettingsError when nothing says which part of a date is the day."""
    kinds = {target: rows.kinds[source] for target, source in mapped.columns.items()}
    counts = _count(con, rows, dict(_counted(rows.name, kinds, manner)))
    dates_only = []
    remarks: list[str] = []
    for target in (c.name for c in CONTRACTS[rows.name] if c.kind == "timestamp" and c.name in kinds):
        if counts.get(f"{target} timed") == 0:
            dates_only.append(target)
        if counts.get(f"{target} slashed", 0):
            _refuse_undecided(con, rows, target, counts, manner)
            remarks += _contrary(target, counts, manner)
        remarks += _half_zoned(target, counts, manner)
    remarks += [remark for target in kinds for remark in _identifiers(target, counts)]
    return Values(frozenset(dates_only), tuple(remarks))


def _counted(table: str, kinds: dict[str, str], manner: Manner) -> Iterator[tuple[str, str]]:
    """What is counted, by name: SQL of a condition."""
    meant = {column.name: column.kind for column in CONTRACTS[table]}
    for target, kind in kinds.items():
        name = sql_name(target)
        if meant.get(target) == "timestamp" and kind.startswith("TIMESTAMP") and "ZONE" not in kind:
            yield f"{target} timed", f"{name} <> date_trunc('day', {name})"
        elif meant.get(target) == "timestamp" and kind == "VARCHAR" and not manner.date_formats:
            slashed = f"regexp_matches({name}, '{SLASHED}')"
            first, second = (
                f"TRY_CAST(regexp_extract({name}, '{part}', 1) AS INTEGER)" for part in (_FIRST, _SECOND)
            )
            yield f"{target} slashed", slashed
            yield f"{target} day first", f"{slashed} AND {first} > 12 AND {second} <= 12"
            yield f"{target} month first", f"{slashed} AND {second} > 12 AND {first} <= 12"
            yield f"{target} zoned", f"regexp_matches({name}, '{ZONED}')"
            yield f"{target} unzoned", f"{name} LIKE '%:%' AND NOT regexp_matches({name}, '{ZONED}')"
        elif target.endswith("_id") and kind == "VARCHAR":
            yield f"{target} pointed", f"regexp_matches({name}, '{WHOLE_WITH_POINT}')"
            yield f"{target} scientific", f"regexp_matches({name}, '{SCIENTIFIC}')"


def _count(con: duckdb.DuckDBPyConnection, rows: RawRows, conditions: dict[str, str]) -> dict[str, int]:
    if not conditions:
        return {}
    counts = ", ".join(f"coalesce(count_if({condition}), 0)" for condition in conditions.values())
    return dict(zip(conditions, con.execute(f"SELECT {counts} FROM clean_{rows.name}").fetchall()[0], strict=True))


def _refuse_undecided(
    con: duckdb.DuckDBPyConnection, rows: RawRows, target: str, counts: dict[str, int], manner: Manner
) -> None:
    """Refuse dates such as 05/03/2017 as long as crm.toml does not say which part is the day."""
    if manner.day_first is not None:
        return
    raise SettingsError(
        f"[source.tables.{rows.name}] must say with day_first whether 05/03/2017 is 5 March (true) or May 3 (false).",
        found=f"{counts[f'{target} slashed']:,} values of {target} in {', '.join(rows.origins[:3])} are written so: "
        + "; ".join(_readings(con, rows, target, counts, manner)),
        do="Write day_first = true or day_first = false there.",
    )


def _readings(
    con: duckdb.DuckDBPyConnection, rows: RawRows, target: str, counts: dict[str, int], manner: Manner
) -> Iterator[str]:
    """What each of the two readings would make of the column."""
    name = sql_name(target)
    for day_first, word, contrary in ((True, "day", "month first"), (False, "month", "day first")):
        read = moment(name, "VARCHAR", Manner(**{**vars(manner), "day_first": day_first}))
        dates = f"CAST(TRY_CAST({read} AS TIMESTAMP) AS DATE)"
        where = f"WHERE regexp_matches({name}, '{SLASHED}')"
        first, last = con.execute(f"SELECT min({dates}), max({dates}) FROM clean_{rows.name} {where}").fetchall()[0]
        impossible = counts[f"{target} {contrary}"]
        reading = f"{first} to {last}" if first else "no date at all"
        yield f"{word} first they are {reading}" + (f" and {impossible:,} are no dates" if impossible else "")


def _contrary(target: str, counts: dict[str, int], manner: Manner) -> Iterator[str]:
    said, only = ("day", "month") if manner.day_first else ("month", "day")
    if contrary := counts[f"{target} {only} first"]:
        agreeing = counts[f"{target} {said} first"]
        yield (
            f"{contrary:,} values of {target} can only be read {only} first, and {agreeing:,} only {said} first, as "
            "crm.toml says: "
            + (
                "two manners of writing in one column, so that others may be misread"
                if agreeing
                else "look at day_first"
            )
        )


def _half_zoned(target: str, counts: dict[str, int], manner: Manner) -> Iterator[str]:
    zoned, unzoned = counts.get(f"{target} zoned", 0), counts.get(f"{target} unzoned", 0)
    if zoned:
        yield f"{zoned:,} values of {target} name their time zone and are turned into {manner.timezone}"
    if zoned and unzoned:
        yield f"{unzoned:,} values of {target} name no time zone and are taken as {manner.recorded_in}"


def _identifiers(target: str, counts: dict[str, int]) -> Iterator[str]:
    if pointed := counts.get(f"{target} pointed", 0):
        yield f"{pointed:,} values of {target} such as 17850.0 are read as 17850"
    if scientific := counts.get(f"{target} scientific", 0):
        yield (
            f"{scientific:,} values of {target} such as 1.23E+12 have lost digits in a spreadsheet: "
            "different ones may have become one"
        )
