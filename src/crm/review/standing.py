"""Which model scores, and is another to be fitted beside it?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from crm.analyses.standing import Standing
from crm.config import Review
from crm.errors import RequestError
from crm.facts import Facts
from crm.features import data_dictionary, dictionary_hash
from crm.mart import open_mart
from crm.review.drift import Drift, asks_for_scores, drift_of
from crm.review.reviewable import Reviewable, false_date, other_question, population_of, reviewable_of
from crm.tracking import Recalled, Version, recall
from crm.tracking.registry import legible

RETRAIN = ("auto", "always", "never")
_FEATURES = "crm.features"


def standing_model(name: str, facts: Facts, as_of: dt.date, *, retrain: str) -> Standing:
    """The champion of this name for this date, and whether a model is to be fitted anew beside it.

    retrain: `always` and `never` say so themselves; `auto` does where there is no champion, where the feature
    dictionary changed, where it is older than `[review] retrain_after_days`, or where drift says so. A champion of a
    later date or of another source does not count, nor does one that answers another question than the settings ask,
    that is not of the date it says, or that reads columns which are no longer there.
    Raises RequestError for another word, and for `never` where there is no champion; TrackingError.
    """
    check_retrain(retrain)
    today = _Today(reviewable_of(name), facts, as_of)
    found = _readable(recall(name, facts, as_of), today)
    if found.record is None or found.version is None:
        if retrain == "never":
            raise RequestError(
                f"With --retrain never there must be a champion of {name} that may score on {as_of}.",
                found=found.why_not.rstrip("."),
                do="Run with --retrain auto.",
            )
        return Standing(retrain=True, why=f"{found.why_not} A model is fitted, and it scores.")
    reason, why = _reason(found.record, found.version, today, retrain=retrain)
    sentences = [_scores(found.version), found.note, why]
    return Standing(
        found.record,
        found.version.number,
        found.version.as_of,
        retrain=bool(reason),
        why=" ".join(sentence for sentence in sentences if sentence),
    )


def check_retrain(retrain: str) -> None:
    """Raises RequestError for a word that --retrain does not know."""
    if retrain not in RETRAIN:
        raise RequestError(
            f"--retrain must be one of {', '.join(RETRAIN)}.",
            found=repr(retrain),
            do="Leave it out for auto: a model is fitted anew where something asks for it.",
        )


def drift_today(
    name: str, record: Mapping[str, Any], facts: Facts, as_of: dt.date, *, scores: Any | None = None
) -> Drift:
    """How far the customers scored on `as_of` are from those a model of this name was fitted on.

    scores: what it gives them, where that is known already.
    """
    return _drift(record, _Today(reviewable_of(name), facts, as_of), scores)


@dataclass(frozen=True)
class _Today:
    """The customers that would be scored, read once, and only if somebody asks."""

    reviewable: Reviewable | None
    facts: Facts
    as_of: dt.date

    @cached_property
    def customers(self) -> pd.DataFrame:
        return population_of(self.reviewable, self.facts, self.as_of)

    @property
    def settings(self) -> Review:
        return self.facts.settings.review


def _drift(record: Mapping[str, Any], today: _Today, scores: Any | None = None) -> Drift:
    if not record.get("population"):
        return drift_of(record, pd.DataFrame(), today.settings)
    if scores is None and today.reviewable is not None and asks_for_scores(record):
        scores = today.reviewable.score(today.reviewable.load(record), today.facts, today.as_of)
    return drift_of(record, today.customers, today.settings, scores=scores)


def _reason(record: Mapping[str, Any], version: Version, today: _Today, *, retrain: str) -> tuple[str, str]:
    """The reason to fit anew, empty without one, and the sentence about it."""
    if retrain == "never":
        return "", "None is fitted beside it: that was asked for."
    if retrain == "always":
        return "asked for", "Another is fitted beside it, as a challenger: that was asked for."
    reason = _changed(version, today.facts) or _aged(version, today.as_of, today.settings.retrain_after_days)
    if reason:
        return reason, f"Another is fitted beside it, as a challenger: {reason}."
    drift = _drift(record, today)
    reason = drift.reason(today.settings)
    if reason:
        return reason, f"Another is fitted beside it, as a challenger: {reason}."
    age = _age(version, today.as_of)
    return "", f"Nothing asks for another: it is {age} day{'' if age == 1 else 's'} old; {drift.sentence}."


def _changed(version: Version, facts: Facts) -> str:
    then, now = version.tags.get(_FEATURES, ""), dictionary_hash(open_mart(facts))
    return (
        f"the features are others than then (dictionary {then[:8]}, now {now[:8]})" if then not in ("", now) else ""
    )


def _aged(version: Version, as_of: dt.date, most: int) -> str:
    age = _age(version, as_of)
    return f"it is {age} days old (from {most} on)" if age >= most else ""


def _age(version: Version, as_of: dt.date) -> int:
    return (as_of - version.as_of).days if version.as_of else 0


def _scores(version: Version) -> str:
    reviewed = f"reviewed by {version.reviewer}" if version.reviewer else "which nobody has reviewed"
    return f"Version {version.number}, as of {version.as_of}, {reviewed}, scores."


def _readable(found: Recalled, today: _Today) -> Recalled:
    """The champion, or why it cannot score."""
    if found.record is None or found.version is None:
        return found
    with legible(f"version {found.version.number} of {found.version.name}"):
        why = _unfit(found.record, found.version, today)
    if not why:
        return found
    return replace(found, record=None, version=None, why_not=f"The champion, version {found.version.number}, {why}.")


def _unfit(record: Mapping[str, Any], version: Version, today: _Today) -> str:
    """It answers another question, is not of its date, or reads columns that are not among today's any more."""
    if other := other_question(today.reviewable, record, today.facts):
        return f"answers another question: {other}"
    if today.reviewable is not None and (false := false_date(today.reviewable, record, version)):
        return f"is not of its date: {false}"
    gone = sorted(_gone(set(record.get("columns", ())), today.facts))
    some = ", ".join(gone[:3]) + (f" and {len(gone) - 3} more" if len(gone) > 3 else "")
    return f"reads what is no longer there: {some}" if gone else ""


def _gone(columns: set[str], facts: Facts) -> set[str]:
    """Features that these data do not have; what is no feature at all is made by the analysis itself."""
    return columns & (set(data_dictionary()["feature"]) - set(data_dictionary(open_mart(facts))["feature"]))
