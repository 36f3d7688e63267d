"""What the data do not hold, and what each would unlock."""

from __future__ import annotations

from dataclasses import dataclass

import narwhals as nw

from crm.contracts import CONTRACTS
from crm.engine import to_pandas
from crm.facts import Facts
from crm.readiness.notebooks import known_requirements


@dataclass(frozen=True)
class NotThere:
    """A canonical table without a row."""

    table: str
    one_row_is: str
    unlocks: str


@dataclass(frozen=True)
class EmptyColumn:
    """A column without a value in a table that is there. adds: what reports would say with it; may be nothing."""

    table: str
    column: str
    meaning: str
    adds: tuple[str, ...]


def tables_not_there(facts: Facts) -> tuple[NotThere, ...]:
    """The canonical tables that are not there."""
    return tuple(
        NotThere(name, contract.one_row_is, contract.unlocks)
        for name, contract in CONTRACTS.items()
        if not facts.has(name)
    )


def empty_columns(facts: Facts) -> tuple[EmptyColumn, ...]:
    """The columns without any value, those first with which the most would be said."""
    found = [
        EmptyColumn(table, name, CONTRACTS[table].column(name).meaning, _adds(table, name))
        for table in CONTRACTS
        if facts.has(table)
        for name in _without_values(facts, table)
    ]
    return tuple(sorted(found, key=lambda one: -len(one.adds)))


def _without_values(facts: Facts, table: str) -> list[str]:
    names = [column.name for column in CONTRACTS[table] if not column.required]
    counts = to_pandas(facts[table].select(nw.len().alias("rows"), *(nw.col(name).count() for name in names)))
    return [name for name in names if not counts[name].iloc[0]]


def _adds(table: str, column: str) -> tuple[str, ...]:
    additions = [one for requirements in known_requirements().values() for one in requirements.additions]
    return tuple(dict.fromkeys(one.adds for one in additions if (one.table, one.column) == (table, column)))
