"""Reviewing what is registered: the challenger of a name is judged, and a person decides."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from crm.config import Settings
from crm.errors import RequestError
from crm.facts import Facts
from crm.periods import date_of
from crm.review.judging import Candidate, judge
from crm.review.reviewable import false_date, other_question, reviewable_of
from crm.review.segments import NAME as SEGMENTATION
from crm.review.segments import compare_segments
from crm.review.verdict import Verdict
from crm.tracking import (
    Gate,
    Registered,
    Trace,
    Version,
    known_version,
    model_code,
    note_gate,
    promote,
    record_of,
    registered,
    roll_back,
    source_identity,
)
from crm.tracking.registry import legible

MOST_LETTERS = 500
_VERDICT, _GATE, _SOURCE = "crm.verdict", "crm.gate", "crm.source"


@dataclass(frozen=True)
class Promotion:
    """What `crm promote` did: what stands now, what stood before, what the gate said, whether it was overruled."""

    model: Registered
    before: Version | None
    gate: Gate
    despite: bool


def models_to_review(name: str | None, settings: Settings) -> tuple[Registered, ...]:
    """The registered models, or the one of this name. Raises RequestError for a name that is not there."""
    known = registered(settings)
    if name is None:
        return tuple(known.values())
    if name not in known:
        raise RequestError(
            "A registered model must be named.",
            found=f"no model {name!r}",
            do=f"Known are {', '.join(known)}." if known else "None is registered yet: crm run registers them.",
        )
    return (known[name],)


def nothing_to_review(model: Registered) -> str:
    """In a sentence, why there is nothing to judge of this model; empty where a challenger waits."""
    if model.champion is None:
        return f"{model.name}: there is no champion, so that nothing can be judged; the next published run makes one."
    if model.challenger is None:
        reviewed = (
            f"reviewed by {model.champion.reviewer}" if model.champion.reviewer else "which nobody has reviewed"
        )
        return (
            f"{model.name}: nothing to review. Version {model.champion.number}, as of {model.champion.as_of}, "
            f"{reviewed}, is champion, and there is no challenger."
        )
    return ""


def review_version(model: Registered, challenger: Version, facts: Facts, as_of: dt.date) -> Verdict:
    """Judge a version against the champion, and write on it what was found. Raises CrmError, TrackingError.

    A champion that was chosen by hand is not what others are held against; the one before it is.
    """
    champion = _beside(model, challenger)
    if champion is None:
        return Verdict(model.name, as_of, "", challenger.number, "", unjudged="There is no champion beside it.")
    key = _key(champion, challenger, facts, as_of)
    verdict = Verdict(model.name, as_of, champion.number, challenger.number, key)
    if why := _unfitting(champion, challenger, facts, as_of):
        verdict = replace(verdict, unjudged=why)
    else:
        verdict = _judged(verdict, champion, challenger, facts)
    note_gate(model.name, challenger.number, verdict.outcome, _record(verdict), facts.settings)
    return verdict


def promote_version(
    model: Registered, number: str, facts: Facts, as_of: dt.date, trace: Trace, *, despite_gate: bool
) -> Promotion:
    """Make a version champion because a person says so; what the judge says of it is found out first.

    trace: who, why and when. A verdict that was written on the version counts where data, versions, settings and code
    are still the same. A champion that was chosen by hand is held against the one before it, like any other; only the
    first ever, which a published run approved, is signed as it stands.
    Raises RequestError where it did not pass and `despite_gate` is not given.
    """
    _refuse_without_words(trace)
    version = known_version(model, number)
    if version == model.champion and not model.by_hand:
        return _sign(model, version, trace, facts.settings)
    gate, failing, by_person = _gate_of(model, version, facts, as_of)
    overruled = gate != "passed" and not by_person
    if overruled and not despite_gate:
        raise RequestError(
            f"Version {number} of {model.name} must pass the gate before it is promoted.",
            found="; ".join([gate, *failing]).replace(". ", ", ").rstrip("."),
            do="Look at crm review; or promote it with --despite-gate, which its card will say for ever.",
        )
    told = Trace(trace.reviewer, trace.reason, trace.date, gate, despite=overruled, failing=failing)
    return Promotion(promote(model.name, number, told, facts.settings), model.champion, gate, overruled)


def roll_back_model(model: Registered, trace: Trace, settings: Settings) -> tuple[Version, Version]:
    """The previous champion is champion again; gives the one that stood and the one that stands.

    Raises RequestError where there is none to go back to.
    """
    _refuse_without_words(trace)
    return roll_back(model.name, trace, settings)


def _sign(model: Registered, version: Version, trace: Trace, settings: Settings) -> Promotion:
    """A champion that nobody had looked at, the first ever, gets its reviewer."""
    if version.reviewer:
        raise RequestError(
            "Only a version that is not champion yet can be promoted.",
            found=f"version {version.number} of {model.name} is champion, reviewed by {version.reviewer}",
            do="Nothing needs to be done.",
        )
    gate = _as_gate(version.tags.get(_GATE, ""))
    told = Trace(trace.reviewer, trace.reason, trace.date, gate)
    return Promotion(promote(model.name, version.number, told, settings), version, gate, despite=False)


def _gate_of(model: Registered, version: Version, facts: Facts, as_of: dt.date) -> tuple[Gate, tuple[str, ...], bool]:
    """What the judge says of it, what it lacks, and whether only a person can judge it."""
    stored = _stored(version)
    beside = _beside(model, version)
    if beside and stored.get("key") == _key(beside, version, facts, as_of):
        return _as_gate(version.tags.get(_GATE, "")), tuple(stored["failing"]), bool(stored["by_person"])
    verdict = review_version(model, version, facts, as_of)
    return verdict.outcome, tuple(_record(verdict)["failing"]), verdict.by_person


def _beside(model: Registered, version: Version) -> Version | None:
    """Whom it is held against; who was champion before another was chosen by hand, against that one."""
    return model.champion if version == model.beside else model.beside


def _judged(verdict: Verdict, champion: Version, challenger: Version, facts: Facts) -> Verdict:
    settings, name = facts.settings, verdict.name
    records = {one.number: record_of(name, one.number, settings) for one in (champion, challenger)}
    if name == SEGMENTATION:
        with legible(f"version {champion.number} or {challenger.number} of {name}"):
            return compare_segments(
                facts,
                verdict.as_of,
                champion=records[champion.number],
                challenger=records[challenger.number],
                verdict=verdict,
            )
    reviewable = reviewable_of(name)
    assert reviewable is not None
    for version in (champion, challenger):
        with legible(f"version {version.number} of {name}"):
            other = other_question(reviewable, records[version.number], facts)
            false = false_date(reviewable, records[version.number], version)
        if other:
            return replace(verdict, unjudged=f"Version {version.number} answers another question: {other}.")
        if false and version == challenger:
            return replace(verdict, refused=f"A leak: {false}")
        if false:
            return replace(verdict, unjudged=f"The champion, version {version.number}, is not of its date: {false}.")
    return judge(
        reviewable,
        facts,
        verdict.as_of,
        champion=Candidate(champion.number, records[champion.number]),
        challenger=Candidate(challenger.number, records[challenger.number]),
        settings=settings.review,
        seed=settings.runs.seed,
        key=verdict.key,
    )


def _unfitting(champion: Version, challenger: Version, facts: Facts, as_of: dt.date) -> str:
    """Why these two cannot be judged on these facts; empty where they can."""
    if as_of > (last := date_of(facts.last_day + 1)):
        return f"{as_of} lies beyond the data: the last date on which all is known is {last} (--as-of {last})."
    if champion.name != SEGMENTATION and reviewable_of(champion.name) is None:
        return f"Nothing here knows how a model of {champion.name} is judged."
    for version in (champion, challenger):
        if version.tags.get(_SOURCE) != source_identity(facts.settings):
            return f"Version {version.number} is of another source than {facts.settings.source.kind}."
        if version.as_of is not None and version.as_of > as_of:
            return f"Version {version.number} is as of {version.as_of}, a later date than {as_of}."
    return ""


def _key(champion: Version, challenger: Version, facts: Facts, as_of: dt.date) -> str:
    """What a verdict depends on: the two versions, the data, the settings and the code."""
    settings = facts.settings
    parts = (
        champion.number,
        challenger.number,
        as_of.isoformat(),
        facts.fingerprint,
        settings.fingerprint(),
        settings.review.model_dump(mode="json"),
        model_code(),
    )
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _record(verdict: Verdict) -> dict[str, Any]:
    """What is written on the version: the key, the champion it was held against, and what it lacks."""
    lacks = [*verdict.failing, *([verdict.unjudged] if verdict.unjudged else [])] or list(verdict.unknown)
    return {
        "key": verdict.key,
        "champion": verdict.champion,
        "as_of": verdict.as_of.isoformat(),
        "failing": [text[:300] for text in lacks[:8]],
        "by_person": verdict.by_person,
    }


def _stored(version: Version) -> Mapping[str, Any]:
    """The verdict written on a version; empty where there is none, or somebody wrote something else there."""
    try:
        found = json.loads(version.tags.get(_VERDICT, "{}"))
    except ValueError:
        return {}
    whole = isinstance(found, dict) and {"key", "failing", "by_person"} <= set(found)
    return found if whole else {}


def _as_gate(text: str) -> Gate:
    return "passed" if text == "passed" else "failed" if text == "failed" else "not judged"


def _refuse_without_words(trace: Trace) -> None:
    for option, text in (("--reviewer", trace.reviewer), ("--reason", trace.reason)):
        if not text.strip() or len(text) > MOST_LETTERS:
            raise RequestError(
                f"{option} must say who decides, or why, in up to {MOST_LETTERS} letters.",
                found=f"{len(text.strip())} letters",
                do="It stays on the version and on its card: write it for whoever asks in a year.",
            )
