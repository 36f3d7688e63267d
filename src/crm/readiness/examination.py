"""The examination: everything that `crm check` says, from the facts as they were checked."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from crm.analyses import Measured, measure_base
from crm.facts import Facts
from crm.periods import date_of, read_date
from crm.readiness.absences import EmptyColumn, NotThere, empty_columns, tables_not_there
from crm.readiness.joins import Join, idle_tables, meeting
from crm.readiness.notebooks import NotebookState, known_requirements, notebook_states, state_of
from crm.readiness.rows import SetAside, TableRows, table_rows

CUSTOMER_BASE = "01_customer_base"


@dataclass(frozen=True)
class Readiness:
    """What the data allow, as of a date.

    first, last:   the days of the oldest and the newest purchase; None without any.
    measured:      how much there is to go by before the date; see `crm.analyses.measure_base`.
    tables:        what became of the rows of each table.     joins: how far the tables meet.
    notes:         how the source was read.
    notebooks:     what each report notebook can say.
    not_there:     canonical tables without a row.     empty: columns without a value, the most useful first.
    accepted:      the reasons that [quality] accepts already.
    can_describe:  the customer base, without which there is nothing to start from, is possible.
    """

    as_of: dt.date
    source: str
    currency: str
    active_within_days: int
    home: Path
    notebooks_folder: Path
    first: dt.date | None
    last: dt.date | None
    measured: dict[str, int]
    tables: tuple[TableRows, ...]
    joins: tuple[Join, ...]
    notes: tuple[str, ...]
    notebooks: tuple[NotebookState, ...]
    not_there: tuple[NotThere, ...]
    empty: tuple[EmptyColumn, ...]
    accepted: dict[str, float]
    can_describe: bool

    @property
    def ok(self) -> bool:
        """Would a run be accepted, and would it describe the customer base at least?"""
        return self.can_describe and bool(self.notebooks) and not self.over_budget and not self.defects

    @property
    def over_budget(self) -> tuple[SetAside, ...]:
        """The reasons for which more is set aside than [quality] allows: a run would be refused."""
        return tuple(reason for table in self.tables for reason in table.reasons if reason.over_budget)

    @property
    def defects(self) -> tuple[TableRows, ...]:
        """Tables of which a row or a cent got lost on the way: never the fault of the data."""
        return tuple(table for table in self.tables if not table.reconciles)


def examine_readiness(facts: Facts, as_of: dt.date | str, notebooks_folder: Path) -> Readiness:
    """Examine what `facts`, read without regard to budgets, allow as of a date."""
    settings, as_of = facts.settings, read_date(as_of)
    there = facts.has("purchases")
    measured = measure_base(facts, as_of) if there else dict.fromkeys(get_args(Measured), 0)
    joins = meeting(facts)
    base = known_requirements()[CUSTOMER_BASE]
    states = notebook_states(facts, as_of, measured, folder=notebooks_folder, idle=idle_tables(joins))
    return Readiness(
        as_of=as_of,
        source=settings.source.kind,
        currency=settings.money.currency,
        active_within_days=settings.definitions.active_within_days,
        home=settings.home,
        notebooks_folder=notebooks_folder,
        first=date_of(facts.first_day) if there else None,
        last=date_of(facts.last_day) if there else None,
        measured=measured,
        tables=table_rows(facts),
        joins=joins,
        notes=facts.notes,
        notebooks=states,
        not_there=tables_not_there(facts),
        empty=empty_columns(facts),
        accepted=dict(settings.quality.accepted_reasons),
        can_describe=state_of(base, facts, as_of, measured, idle=()).status != "impossible",
    )
