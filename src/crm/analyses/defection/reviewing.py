"""What model review asks of defection: who is judged, on which dates, and a model's twin on each of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from crm.analyses.defection.dates import judged_on
from crm.analyses.defection.foresight import groups_of
from crm.analyses.defection.labels import label, stake_of
from crm.analyses.defection.model import LEFT, DefectionModel, fit_defection_model, ship_rule
from crm.facts import Facts
from crm.purchase_models.histories import FloatArray


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
        """The chance to leave of those at stake on that date."""
        return model.chances(model.known_on(facts, date))[LEFT].to_numpy(dtype="float64")

    def twin(self, model: DefectionModel, facts: Facts, date: dt.date) -> DefectionModel:
        """The same recipe, fitted to what was known before that date."""
        fitted = fit_defection_model(facts, date)
        return ship_rule(fitted, facts, model.rule) if model.rule else fitted

    def population(self, facts: Facts, as_of: dt.date) -> pd.DataFrame:
        """Who is scored, with the columns that models read."""
        return fit_columns(facts, as_of)


def fit_columns(facts: Facts, as_of: dt.date) -> pd.DataFrame:
    """Those at stake with every column, the chances read from a purchase model of that date."""
    from crm.analyses.defection.known import known_on, purchase_model_on

    return known_on(facts, as_of, purchase_model_on(facts, as_of))


REVIEWABLE = _Defection()
