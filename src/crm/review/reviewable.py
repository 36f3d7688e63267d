"""What an analysis offers so that its models can be judged, and where each of them does."""

from __future__ import annotations

import datetime as dt
import importlib
from collections.abc import Mapping
from typing import Any, Literal, Protocol

import pandas as pd

from crm.facts import Facts
from crm.measures.amounts import FloatArray
from crm.snapshots import snapshot
from crm.tracking import Version

Kind = Literal["chance", "amount"]


class Reviewable(Protocol):
    """A kind of model whose expectations can be held against what came.

    name: under which it is registered.     kind: it expects a chance from 0 to 1, or an amount.

    One that does not score every customer of a snapshot, or whose models read columns of its own, also has
    `population(facts, as_of) -> DataFrame`: the customers it would score on that date, with the columns its models
    read. One whose question depends on the settings has `other_question(record, facts) -> str`: empty, or what a
    model tells and what is asked instead. One whose models learn from outcomes has `learnt_through(record) -> date`,
    the last date whose outcome was seen, or None. A record says in "as_of" what its model was fitted through.
    """

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> Kind: ...

    def load(self, record: Mapping[str, Any]) -> Any:
        """The model of a record that its `as_record` gave."""

    def fitted_through(self, model: Any) -> dt.date:
        """No outcome after that date was seen when it was fitted."""

    def dates(self, facts: Facts, as_of: dt.date) -> tuple[dt.date, ...]:
        """Dates whose outcome was known by `as_of`, the newest first; none where the history is too short."""

    def rows(self, facts: Facts, date: dt.date) -> pd.DataFrame:
        """Who is scored on that date: customer_id, outcome (what came) and group (a word, may be empty)."""

    def score(self, model: Any, facts: Facts, date: dt.date) -> FloatArray:
        """What the model expects of them, in the order of `rows`; also on a date whose outcome is not known yet."""

    def twin(self, model: Any, facts: Facts, date: dt.date) -> Any:
        """The same recipe fitted to what was known on that date; it can score every later date, too."""


_WHERE = {
    "campaign-response": "crm.analyses.campaign_success.reviewing:REVIEWABLE",
    "cross-sell": "crm.analyses.cross_sell.reviewing:REVIEWABLE",
    "defection": "crm.analyses.defection.reviewing:REVIEWABLE",
    "lifetime-value": "crm.analyses.lifetime_value.reviewing:REVIEWABLE",
}


def reviewables() -> Mapping[str, str]:
    """Where the `Reviewable` of each registered name lives: module:attribute."""
    return _WHERE


def reviewable_of(name: str) -> Reviewable | None:
    """The `Reviewable` of a registered name, loaded now; None for a model that has no outcome to be held against."""
    where = reviewables().get(name)
    if where is None:
        return None
    module, _, attribute = where.partition(":")
    found: Reviewable = getattr(importlib.import_module(module), attribute)
    return found


def population_of(reviewable: Reviewable | None, facts: Facts, as_of: dt.date) -> pd.DataFrame:
    """The customers that are scored on a date: all of a snapshot where an analysis does not say otherwise."""
    if hasattr(reviewable, "population"):
        own: pd.DataFrame = getattr(reviewable, "population")(facts, as_of)  # noqa: B009 - not every one has it
        return own
    return snapshot(facts, as_of)


def other_question(reviewable: Reviewable | None, record: Mapping[str, Any], facts: Facts) -> str:
    """Empty; or, where a model answers another question than the settings ask, what it tells and what is asked."""
    found: str = getattr(reviewable, "other_question", lambda record, facts: "")(record, facts)
    return found


def false_date(reviewable: Reviewable | None, record: Mapping[str, Any], version: Version) -> str:
    """Empty; or why a version cannot be of the date that it says: it would judge, or score, what it has seen."""
    says, tag = dt.date.fromisoformat(record["as_of"]), version.as_of
    if says != tag:
        return f"its record is as of {says}, its tag crm.as_of says {tag or 'nothing'}"
    seen: dt.date | None = getattr(reviewable, "learnt_through", lambda record: None)(record)
    if seen is not None and seen > says:
        return f"it is as of {says}, and has learnt from outcomes up to {seen}"
    return ""
