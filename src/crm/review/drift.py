"""Are the customers of today those that a model was fitted on?

A model's record may hold `population`, a `Population` of the columns it reads, and, in the column "score", of what it
gave them then. Where it has none, drift is unknown, and that is said.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from crm.config import Review
from crm.measures.amounts import FloatArray
from crm.measures.stability import Population, stability

SCORE = "score"
"""The column of a population that holds the model's own scores of it."""

UNKNOWN = "the model does not say whom it was fitted on, so that drift is unknown"


@dataclass(frozen=True)
class Drift:
    """How far today's customers are from those a model was fitted on.

    features: one row per column it reads, the most moved first: feature, psi, by_chance, moved.
    score_psi: of its score; NaN where that is not known.     score_by_chance: what chance makes of it on average.
    score_moved: beyond `[review] most_score_psi` and beyond chance.
    """

    known: bool
    features: pd.DataFrame = field(repr=False)
    score_psi: float = math.nan
    score_by_chance: float = math.nan
    score_moved: bool = False

    @property
    def moved(self) -> int:
        """How many columns moved."""
        return int(self.features["moved"].sum())

    @property
    def share_moved(self) -> float:
        """Their share of all columns; NaN where it is unknown."""
        return self.moved / len(self.features) if len(self.features) else math.nan

    @property
    def measures(self) -> dict[str, float]:
        """The numbers to be kept with a run that scored; what is unknown is not among them."""
        found = {
            "drift_features": float(len(self.features)),
            "drift_features_moved": float(self.moved),
            "drift_share_moved": self.share_moved,
            "drift_most_psi": float(self.features["psi"].max()) if len(self.features) else math.nan,
            "drift_score_psi": self.score_psi,
        }
        return {name: value for name, value in found.items() if self.known and math.isfinite(value)}

    @property
    def sentence(self) -> str:
        """What is found, in words."""
        if not self.known:
            return UNKNOWN
        score = "" if math.isnan(self.score_psi) else f", and the score's stability index is {self.score_psi:.2f}"
        if not len(self.features):
            return f"none of its columns is among today's{score}"
        return f"{self.moved} of {len(self.features)} columns moved{score}"

    def reason(self, settings: Review) -> str:
        """Why a model should be fitted anew, with its number; empty where drift is no reason."""
        if self.score_moved:
            return f"the score's stability index is {self.score_psi:.2f} (from {settings.most_score_psi:g})"
        if self.known and self.share_moved > settings.most_features_moved:
            return (
                f"{self.moved} of {len(self.features)} columns moved, {self.share_moved:.0%} "
                f"(more than {settings.most_features_moved:.0%})"
            )
        return ""


def drift_of(
    record: Mapping[str, Any], customers: pd.DataFrame, settings: Review, *, scores: FloatArray | None = None
) -> Drift:
    """The drift of a model's record against the customers it scores today; `scores`: what it gives them.

    A column that is not there today, because the analysis made it only for this model, is not looked at.
    """
    if not record.get("population"):
        return Drift(False, _nothing())
    then = Population.from_record(record["population"])
    read = set(record.get("columns", then.columns)) & set(customers.columns)
    features = {name: tenths for name, tenths in then.columns.items() if name != SCORE and name in read}
    table = stability(Population(then.customers, features), customers)
    if scores is None or SCORE not in then.columns:
        return Drift(True, table)
    own = Population(then.customers, {SCORE: then.columns[SCORE]})
    now = pd.DataFrame({SCORE: np.asarray(scores, dtype="float64")})
    (row,) = stability(own, now, moved_from=settings.most_score_psi).to_dict("records")
    return Drift(True, table, float(row["psi"]), float(row["by_chance"]), bool(row["moved"]))


def asks_for_scores(record: Mapping[str, Any]) -> bool:
    """Does the record say how its scores were spread, so that today's are worth knowing?"""
    return SCORE in (record.get("population") or {}).get("columns", {})


def _nothing() -> pd.DataFrame:
    return stability(Population(0, {}), pd.DataFrame())
