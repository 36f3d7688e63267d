"""The rows that were set aside, as they came: an example of them, and how the values of a column are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crm.contracts import CONTRACTS, Column
from crm.engine import connection, sql_name, sql_path, sql_text
from crm.facts import Facts
from crm.readiness.visible import visible

REASON = "reason"
BROKEN_LINE = "broken line"  # as it stands in its file, where it could not be split into columns
READERS_OWN = (REASON, "source file", BROKEN_LINE)
RECKONED = ("unit_price", "quantity")  # what an amount is reckoned from where there is none
MOST = 100


def about(table: str, reason: str) -> Column | None:
    """The column that a reason speaks of."""
    return next((column for column in CONTRACTS[table] if reason.startswith(f"{column.name} ")), None)


def example_of(facts: Facts, table: str, reason: str) -> str:
    """The first row set aside for a reason, on one line; empty where the rows are not there."""
    names = _columns(facts, table)
    row = _query(facts, table, "SELECT CAST(COLUMNS(*) AS VARCHAR)", f"{_is(reason)} LIMIT 1") if names else []
    if not row:
        return ""
    cells = {name: value for name, value in zip(names, row[0], strict=True) if value not in (None, "")}
    if BROKEN_LINE in cells:
        return visible(cells[BROKEN_LINE], MOST)
    told_of = about(table, reason)
    first = raw_columns(facts, table, told_of.name) if told_of else []
    order = dict.fromkeys([*first, *_own(facts, table)])
    return _as_many_as_fit([f"{visible(name, 30)} {visible(cells[name], 30)}" for name in order if name in cells])


def raw_columns(facts: Facts, table: str, column: str) -> list[str]:
    """What a canonical column was read from, among the columns of the rows set aside."""
    mapping = facts.settings.source.tables.get(table)
    given: dict[str, str | int] = mapping.columns if mapping else {}
    present = _own(facts, table)
    wanted = [given.get(column, column)]
    if "unit_price" in given and CONTRACTS[table].money == column:
        wanted += [given.get(name, name) for name in RECKONED]
    found = [_found(one, present) for one in wanted]
    return [name for name in found if name]


def has_broken_lines(facts: Facts, table: str, reason: str) -> bool:
    """Are the rows of a reason lines that could not be split into columns?"""
    if BROKEN_LINE not in _columns(facts, table):
        return False
    return bool(_query(facts, table, "SELECT 1", f"{_is(reason)} AND {sql_name(BROKEN_LINE)} IS NOT NULL LIMIT 1"))


@dataclass(frozen=True)
class Written:
    """The values of a column that are written in one form.

    form: its number.   rows: how many.   different: values.   examples: up to two.
    """

    form: int
    rows: int
    different: int
    examples: tuple[str, ...]


def written(facts: Facts, table: str, reason: str, *, column: str, forms: Sequence[str]) -> list[Written]:
    """In which forms the values of a column of the rows set aside are written, the most frequent first.

    forms: regular expressions of whole values; the first that fits counts, and none is the number of forms.
    """
    value = f"nullif(trim(CAST({sql_name(column)} AS VARCHAR)), '')"
    cases = " ".join(
        f"WHEN regexp_full_match({value}, {sql_text(form)}, 's') THEN {number}" for number, form in enumerate(forms)
    )
    rows = _query(
        facts,
        table,
        f"SELECT CASE {cases} ELSE {len(forms)} END AS form, count(*), count(DISTINCT {value}), "
        f"min({value}), max({value})",
        f"{_is(reason)} AND {value} IS NOT NULL GROUP BY form ORDER BY count(*) DESC, form",
    )
    return [Written(form, count, different, tuple(dict.fromkeys(ends))) for form, count, different, *ends in rows]


def _own(facts: Facts, table: str) -> list[str]:
    """The columns of the source itself."""
    beside = (*READERS_OWN, f"{CONTRACTS[table].money}_as_read")
    return [name for name in _columns(facts, table) if name not in beside]


def _columns(facts: Facts, table: str) -> list[str]:
    file = facts.folder / "rejected" / f"{table}.parquet"
    return list(connection().sql(f"SELECT * FROM {sql_path(file)} LIMIT 0").columns) if file.exists() else []


def _query(facts: Facts, table: str, select: str, rest: str) -> list[Any]:
    file = facts.folder / "rejected" / f"{table}.parquet"
    return connection().execute(f"{select} FROM {sql_path(file)} {rest}").fetchall()


def _is(reason: str) -> str:
    return f"WHERE {REASON} = {sql_text(reason)}"


def _found(wanted: str | int, present: Sequence[str]) -> str | None:
    """The column of this name or position; one that is called as ours are is marked as the source's."""
    if isinstance(wanted, int):
        return present[wanted - 1] if 1 <= wanted <= len(present) else None
    names = (wanted.casefold(), f"{wanted} (as it came)".casefold())
    return next((name for name in present if name.casefold() in names), None)


def _as_many_as_fit(cells: Sequence[str]) -> str:
    line = ""
    for cell in cells:
        longer = f"{line}, {cell}" if line else cell
        if len(longer) > MOST:
            return f"{line}, …" if line else visible(cell, MOST)
        line = longer
    return line
