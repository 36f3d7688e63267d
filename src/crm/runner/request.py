"""What is asked of the runner, and whether it can be done: checked before anything starts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from crm.config import Settings
from crm.review.standing import check_retrain
from crm.runner.notebooks import Notebook, notebook_paths, read_notebook, refuse_impossible_needs, select
from crm.runner.parameters import Scalar, check_given
from crm.runner.publication import refuse_occupied_places, refuse_unwritable_places


@dataclass(frozen=True)
class Request:
    """What is asked of the runner.

    config: the settings file, absolute.  started: now; nothing in the runner reads the clock.
    only: names of notebooks; None: all.  jobs: notebooks at the same time.
    retrain: `auto`, `always` or `never`: whether models are fitted anew; for notebooks that have such a parameter.
    """

    config: Path
    settings: Settings
    started: dt.datetime
    only: tuple[str, ...] | None
    jobs: int
    retrain: str = "auto"


@dataclass(frozen=True)
class Plan:
    """A request that can be carried out: the notebooks to execute, checked, and the files of the others."""

    request: Request
    selected: tuple[Notebook, ...]
    others: tuple[Path, ...]


def make_plan(request: Request) -> Plan:
    """Check all that can be checked before anything starts. Raises RequestError."""
    check_retrain(request.retrain)
    refuse_occupied_places(request.settings)
    paths = notebook_paths(request.settings.folders.notebooks)
    names = select(paths, request.only)
    selected = tuple(read_notebook(paths[name]) for name in names)
    refuse_impossible_needs(
        dict.fromkeys(paths, ())
        | {one.name: (*one.needs, *(name for name in one.after if name in paths)) for one in selected}
    )
    for notebook in selected:
        check_given(parameters_of(request, Path(), notebook), declared=notebook.parameters, notebook=notebook.name)
    refuse_unwritable_places(request.settings)
    return Plan(request, selected, tuple(path for name, path in paths.items() if name not in names))


def parameters_of(request: Request, run_folder: Path, notebook: Notebook) -> dict[str, Scalar]:
    """What a notebook of a run is given: `retrain` only where it has such a parameter."""
    given: dict[str, Scalar] = {
        "config": str(request.config),
        "as_of": request.settings.as_of.isoformat(),
        "run_folder": str(run_folder),
    }
    if any(parameter.name == "retrain" for parameter in notebook.parameters):
        given["retrain"] = request.retrain
    return given
