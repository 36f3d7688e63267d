"""What each report notebook can say with these data."""

from __future__ import annotations

import datetime as dt
import importlib
import json
import pkgutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import crm.analyses
from crm.analyses import Addition, Requirements, absent, thin
from crm.analyses.requirements import not_enough
from crm.errors import NotEnoughData
from crm.facts import Facts
from crm.periods import day_number

Status = Literal["ready", "reduced", "impossible", "unknown"]
Why = Literal["not there", "empty", "meets nothing"]


@dataclass(frozen=True)
class Missing:
    """A table, or a column of it, that a report would say more with. why: not there, empty, or meets nothing."""

    table: str
    column: str | None
    adds: str
    why: Why


@dataclass(frozen=True)
class NotebookState:
    """What one report notebook can say.

    status:   ready: everything it knows of; reduced: without what is missing; impossible, because; unknown: it is
              the user's own, and says what it needs when it runs.
    because:  why it is not ready; where it is impossible: what it takes, what there is, the smallest addition.
    """

    name: str
    question: str
    status: Status
    because: str
    missing: tuple[Missing, ...]


def known_requirements() -> dict[str, Requirements]:
    """What each analysis says that its notebook needs, by the notebook's name, in their order."""
    modules = [
        importlib.import_module(f"{crm.analyses.__name__}.{found.name}")
        for found in pkgutil.iter_modules(crm.analyses.__path__)
    ]
    modules.append(importlib.import_module("crm.scoring"))
    found = [getattr(module, "REQUIREMENTS", None) for module in modules]
    return {one.notebook: one for one in sorted(filter(None, found), key=lambda one: str(one.notebook))}


def report_notebooks(folder: Path) -> dict[str, Path]:
    """The report notebooks in a folder, by name: two digits come first."""
    return {path.stem: path for path in sorted(folder.glob("[0-9][0-9]_*.ipynb"))}


def notebook_states(
    facts: Facts, as_of: dt.date, measured: Mapping[str, int], *, folder: Path, idle: Collection[str]
) -> tuple[NotebookState, ...]:
    """What each notebook of the folder can say.

    measured: see `crm.analyses.measure_base`.   idle: tables that say nothing, as none of their ids is found.
    """
    known, paths = known_requirements(), report_notebooks(folder)
    states: dict[str, NotebookState] = {}
    for name in paths:
        if name in known:
            states[name] = state_of(known[name], facts, as_of, measured, idle=idle)
        else:
            states[name] = NotebookState(name, "", "unknown", "What it needs is not known here.", ())
    for name, path in paths.items():
        impossible = [other for other in _needs(path) if other in states and states[other].status == "impossible"]
        if impossible and states[name].status != "impossible":
            because = f"It reads the scores of {', '.join(impossible)}, which cannot be made."
            states[name] = NotebookState(name, states[name].question, "impossible", because, ())
    return tuple(states.values())


def state_of(
    requirements: Requirements, facts: Facts, as_of: dt.date, measured: Mapping[str, int], *, idle: Collection[str]
) -> NotebookState:
    """What a notebook with these requirements can say."""
    name, question = requirements.notebook, requirements.question
    if error := _impossible(requirements, facts, as_of, measured):
        return NotebookState(name, question, "impossible", str(error), ())
    lacking = absent(requirements, facts)
    missing = tuple(
        Missing(addition.table, addition.column, addition.adds, _why(addition, facts, idle))
        for addition in requirements.additions
        if addition in lacking or addition.table in idle
    )
    if not missing:
        return NotebookState(name, question, "ready", "", ())
    names = dict.fromkeys(one.table if one.why != "empty" else f"{one.table}.{one.column}" for one in missing)
    return NotebookState(name, question, "reduced", f"It says less without {', '.join(names)}.", missing)


def _impossible(
    requirements: Requirements, facts: Facts, as_of: dt.date, measured: Mapping[str, int]
) -> NotEnoughData | None:
    """The very error that its run would end with."""
    unmet = thin(requirements, measured)
    later = facts.has("purchases") and facts.last_day >= day_number(as_of)
    return not_enough(unmet, measured, as_of, more_later=later) if unmet else None


def _why(addition: Addition, facts: Facts, idle: Collection[str]) -> Why:
    if not facts.has(addition.table):
        return "not there"
    return "meets nothing" if addition.table in idle else "empty"


def _needs(path: Path) -> list[str]:
    """The notebooks whose scores a notebook reads; a run refuses what is wrong with them."""
    try:
        needs = json.loads(path.read_text(encoding="utf-8"))["metadata"]["crm"]["needs"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [name for name in needs if isinstance(name, str)] if isinstance(needs, list) else []
