"""What model review asks of defection: who is judged, on which dates, and a model's twin on each of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import pandas as pd

from crm.analyses.defection.dates import judged_on
from crm.analyses.defection.foresight import groups_of
from crm.analyses.defection.labels import label, stake_of
from crm.analyses.defection.model import LEFT, DefectionModel, fit_defection_model, ship_rule
from crm.facts import Facts
from crm.purchase_models.histories import FloatArray

_ASKED = {
    "kind": "it tells who leaves by {tells}, and who leaves by {asked} is asked",
    "active_within_days": "it tells of those who bought within {tells} days, and {asked} are asked",
    "after_days": "it tells who leaves within {tells} days, and {asked} are asked",
}
"""Per part of the stake: what a model tells, and what is asked."""


@dataclass(frozen=True)
class _Defection:
    name: str = "defection"
    kind: Literal["chance", "amount"] = "chance"

    def load(self, record: Mapping[str, Any]) -> DefectionModel:
        """The model of a record."""
        return DefectionModel.from_record(record)

    def fitted_through(self, model: DefectionModel) -> dt.date:
        """It was fitted to what was known before this date."""
        return model.as_of

    def dates(self, facts: Facts, as_of: dt.date) -> tuple[dt.date, ...]:
        """The judged dates of the analysis."""
        return judged_on(facts, as_of, horizon_days=stake_of(facts).after_days)

    def rows(self, facts: Facts, date: dt.date) -> pd.DataFrame:
        """Customers at stake: customer_id, outcome (1: left), group (a third by net sales)."""
        labelled = label(facts, date)
        return pd.DataFrame(
            {
                "customer_id": labelled["customer_id"],
                "outcome": labelled[LEFT].astype("float64"),
                "group": groups_of(labelled),
            }
        )

    def score(self, model: DefectionModel, facts: Facts, date: dt.date) -> FloatArray:
        """The chance to leave of those at stake on that date, at the model's own level.

        The level of a date is settled anew on each date by the analysis, so that it belongs to no model.
        """
        return _own_level(model).chances(model.known_on(facts, date))[LEFT].to_numpy(dtype="float64")

    def twin(self, model: DefectionModel, facts: Facts, date: dt.date) -> DefectionModel:
        """The same recipe, fitted to what was known before that date."""
        fitted = fit_defection_model(facts, date)
        return _own_level(ship_rule(fitted, facts, model.rule) if model.rule else fitted)

    def other_question(self, record: Mapping[str, Any], facts: Facts) -> str:
        """What the model tells, and what is asked, where that is not the same."""
        tells, asked = record["stake"], asdict(stake_of(facts))
        differ = [name for name in asked if tells[name] != asked[name]]
        return "; ".join(_ASKED[name].format(tells=tells[name], asked=asked[name]) for name in differ)

    def learnt_through(self, record: Mapping[str, Any]) -> dt.date | None:
        """The end of the horizon of the newest date learnt from."""
        newest = max((dt.date.fromisoformat(date) for date in record["learnt_from"]), default=None)
        return newest and newest + dt.timedelta(days=record["stake"]["after_days"])

    def population(self, facts: Facts, as_of: dt.date) -> pd.DataFrame:
        """Who is scored, with the columns that models read."""
        return fit_columns(facts, as_of)


def _own_level(model: DefectionModel) -> DefectionModel:
    return replace(model, level={})


def fit_columns(facts: Facts, as_of: dt.date) -> pd.DataFrame:
    """Those at stake with every column, the chances read from a purchase model of that date."""
    from crm.analyses.defection.known import known_on, purchase_model_on

    return known_on(facts, as_of, purchase_model_on(facts, as_of))


REVIEWABLE = _Defection()
