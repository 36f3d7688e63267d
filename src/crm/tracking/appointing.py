"""Who becomes champion: the first model ever by itself, any other because a person says so, and leaves a trace."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from crm.config import Settings
from crm.errors import RequestError
from crm.tracking.models import CHALLENGER, CHAMPION, MODEL, VERSION
from crm.tracking.registry import (
    GATE,
    HISTORY,
    REVIEW_DATE,
    REVIEW_REASON,
    REVIEWED_BY,
    VERDICT,
    Registered,
    Version,
    read_model,
    registered_model,
)
from crm.tracking.store import Store, reachable, store_of

Gate = Literal["passed", "failed", "not judged"]

DESPITE = "crm.despite_gate"
MOST_LETTERS = 500
_REMEMBERED = 100
_HEADING = "**Reviewed by.**"
_NOBODY_YET = "Nobody reviewed it yet."


@dataclass(frozen=True)
class Trace:
    """Who decided, why and when, and what the gate had said; `despite`: it was promoted although it did not pass."""

    reviewer: str
    reason: str
    date: dt.date
    gate: Gate = "not judged"
    despite: bool = False
    failing: tuple[str, ...] = ()


def approve_published(mlflow_run_ids: Sequence[str], settings: Settings) -> None:
    """Let the models of a published run count: the first ever becomes champion, another one challenger.

    To be called once the run is published, so that a run nobody was shown approves nothing; a second call changes
    nothing. Nobody has reviewed a champion made so, and its version says that; a person decides between the two.
    What was fitted as of an earlier date than the champion does not challenge it.
    Raises TrackingError.
    """
    if not mlflow_run_ids:
        return
    store = store_of(settings)
    with reachable(store), store.locked():
        for run_id in mlflow_run_ids:
            tags = store.client.get_run(run_id).data.tags
            if VERSION in tags:
                _approve(store, tags[MODEL], number=tags[VERSION])


def note_gate(name: str, number: str, gate: Gate, verdict: Mapping[str, Any], settings: Settings) -> None:
    """Write on a version what the judge said of it. Raises TrackingError."""
    store = store_of(settings)
    with reachable(store), store.locked():
        store.client.set_model_version_tag(name, number, GATE, gate)
        store.client.set_model_version_tag(name, number, VERDICT, json.dumps(verdict, sort_keys=True))


def promote(name: str, number: str, trace: Trace, settings: Settings) -> Registered:
    """Make a version champion; its tags and its card say who did it and why. Gives what is registered then.

    Raises RequestError for a version that is not there, TrackingError.
    """
    store = store_of(settings)
    with reachable(store), store.locked():
        model = _known(read_model(store, name), name)
        version = known_version(model, number)
        what = "kept as champion" if version == model.champion else "promoted to champion"
        _leave_trace(store, version, trace, what=what)
        _appoint(store, model, number)
        if CHALLENGER in version.aliases:
            store.client.delete_registered_model_alias(name, CHALLENGER)
    return _known(registered_model(name, settings), name)


def roll_back(name: str, trace: Trace, settings: Settings) -> tuple[Version, Version]:
    """Make the previous champion champion again; gives the one that stood and the one that stands.

    Both versions say who did it and why. Raises RequestError where there is none to go back to, TrackingError.
    """
    store = store_of(settings)
    with reachable(store), store.locked():
        model = _known(read_model(store, name), name)
        stood, back = model.champion, model.previous
        if stood is None or back is None:
            raise RequestError(
                f"To roll back {name} there must have been a champion before the present one.",
                found=f"champion version {stood.number} and none before it" if stood else "no champion",
                do="Choose a version with crm promote.",
            )
        _add_to_card(store, stood, _line(trace, f"rolled back; version {back.number} is champion again"))
        _leave_trace(
            store, back, trace, what=f"champion again in place of version {stood.number}", gate=_gate_of(back)
        )
        kept = model.history[: _last(model.history, back.number) + 1]
        _set_champion(store, name, back.number, history=kept)
    return stood, back


def known_version(model: Registered, number: str) -> Version:
    """The version of this number. Raises RequestError where there is none."""
    version = model.by(number)
    if version is None:
        numbers = ", ".join(one.number for one in model.versions) or "none"
        raise RequestError(
            f"--version must be a registered version of {model.name}.",
            found=number,
            do=f"Known are {numbers}; crm review {model.name} shows which is challenger.",
        )
    return version


def _known(model: Registered | None, name: str) -> Registered:
    if model is None:
        raise RequestError(
            "A registered model must be named.",
            found=f"no model {name} in the store",
            do="crm review lists those there are; a run registers them.",
        )
    return model


def _approve(store: Store, name: str, *, number: str) -> None:
    model = _known(read_model(store, name), name)
    version, champion = model.by(number), model.champion
    if champion is None:
        _appoint(store, model, number)
    elif version is not None and champion.number != number and not _is_older(version, champion):
        store.client.set_registered_model_alias(name, CHALLENGER, number)


def _is_older(version: Version, champion: Version) -> bool:
    return version.as_of is not None and champion.as_of is not None and version.as_of < champion.as_of


def _appoint(store: Store, model: Registered, number: str) -> None:
    """The champion that stands is remembered, also one that somebody made so by hand."""
    standing = [model.champion.number] if model.champion else []
    history: list[str] = []
    for one in [*model.history, *standing, number]:
        if history[-1:] != [one]:
            history.append(one)
    _set_champion(store, model.name, number, history=history[-_REMEMBERED:])


def _set_champion(store: Store, name: str, number: str, *, history: Sequence[str]) -> None:
    store.client.set_registered_model_tag(name, HISTORY, ",".join(history))
    store.client.set_registered_model_alias(name, CHAMPION, number)


def _last(history: Sequence[str], number: str) -> int:
    return max(place for place, one in enumerate(history) if one == number)


def _gate_of(version: Version) -> str:
    return version.tags.get(GATE, "not judged")


def _leave_trace(store: Store, version: Version, trace: Trace, *, what: str, gate: str | None = None) -> None:
    tags = {
        REVIEWED_BY: trace.reviewer,
        REVIEW_REASON: trace.reason,
        REVIEW_DATE: trace.date.isoformat(),
        GATE: gate or trace.gate,
    }
    if trace.despite:
        tags[DESPITE] = trace.date.isoformat()
    for tag, value in tags.items():
        store.client.set_model_version_tag(version.name, version.number, tag, value)
    _add_to_card(store, version, _line(trace, what, gate=gate or trace.gate))


def _line(trace: Trace, what: str, *, gate: str = "") -> str:
    said = f" The gate: {gate}." if gate else ""
    if trace.despite:
        because = f": {'; '.join(trace.failing)}" if trace.failing else ""
        said = f" **Promoted despite the gate, which it had not passed** ({trace.gate}{because})."
    return f"- {trace.date}, {_plain(trace.reviewer)}: {what}.{said} Reason: {_plain(trace.reason)}"


def _plain(text: str) -> str:
    """A person's words on one line; nothing in them is Markdown or HTML."""
    words = " ".join(text.split())
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>#|!" else letter for letter in words)


def _add_to_card(store: Store, version: Version, line: str) -> None:
    """One more line under "Reviewed by."; what stands there stays for ever."""
    card = version.card.rstrip("\n")
    if _HEADING not in card:
        card = f"{card}\n\n{_HEADING}".lstrip("\n")
    card = card.replace(f"{_HEADING} {_NOBODY_YET}", f"{_HEADING}\n", 1)
    store.client.update_model_version(version.name, version.number, description=f"{card}\n{line}\n")
