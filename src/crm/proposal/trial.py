"""The proposal tried out: the tables are read and checked as the settings file would have it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import duckdb

from crm.config import Settings
from crm.proposal.company import Measured, measure
from crm.proposal.draft import Draft
from crm.proposal.looking import Unused
from crm.proposal.sections import Content, write
from crm.sources import SourceTable, open_source
from crm.sources.mapping import mapped_table


def try_out(con: duckdb.DuckDBPyConnection, content: Content, *, place: Path) -> Measured:
    """Read and check all tables with the sections proposed; where a day is undecided, with the day first."""
    settings = _trial(content, place)
    if content.database:
        tables = open_source(settings, anew=True).tables
    else:
        tables = {draft.name: _source_table(draft, settings) for draft in content.drafts}
    return measure(con, tables, place=place)


def _trial(content: Content, place: Path) -> Settings:
    place.mkdir(parents=True)
    told: dict[str, Any] = tomllib.loads(write(content))
    del told["folders"]
    told["folders"] = {"data": str(place)}
    for draft in content.drafts:
        section = told["source"]["tables"][draft.name]
        if draft.written.days and "day_first" not in section:
            section["day_first"] = True
    if content.database and "://" not in content.database:
        told["source"]["database"] = str(content.home / content.database)
    return Settings.model_validate(told)


def _source_table(draft: Draft, settings: Settings) -> SourceTable:
    mapping = settings.source.tables[draft.name]
    return mapped_table(
        draft.name, mapping, files=draft.looked.files, parts=lambda place: draft.looked.raw, settings=settings
    )


def without_refused(content: Content, measured: Measured) -> Content:
    """Tables that cannot be read as proposed are left out, and named; the purchases stay, for a person to mend."""
    kept, unused = [], list(content.unused)
    for draft in content.drafts:
        refused = measured.refused.get(draft.name)
        if refused and draft.name != "purchases":
            unused.append(Unused(draft.looked.name, f"as {draft.name} it could not be read: {refused.found}"))
            continue
        if refused:
            draft.decide(
                "query", f"it could not be read as proposed: {refused.rule} Found: {refused.found}", refused.do
            )
        draft.remarks += [said.removeprefix(f"{draft.name}: ") for said in measured.remarks.get(draft.name, ())]
        kept.append(draft)
    return Content(content.home, content.told, content.database, kept, unused, content.company)
