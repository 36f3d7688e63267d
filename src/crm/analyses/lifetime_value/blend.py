"""The blend: one expectation out of the purchase models', the regression's and the trees'.

The parts are mixed on logarithms, with weights that served best on dates whose outcome is known. What a season does
to the level, parts that learnt in another season cannot know; so the sum over all customers may be taken from the
purchase models, as they are or moved by the season of a year ago, where that served better on those dates. Where a
rule of thumb served better than any mixture, or nothing else could be fitted, the rule stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from crm.analyses.lifetime_value.candidates import PURCHASE_MODELS
from crm.analyses.lifetime_value.learners import REGRESSION, TREES
from crm.analyses.lifetime_value.rules import RETAINED, RULES, SO_FAR
from crm.measures.amounts import count_deviance, value_deviance
from crm.purchase_models.histories import FloatArray

BLEND = "Blend"
TOGETHER = "Purchase models"
"""The mean of the purchase models, on logarithms."""

OWN, MODELS, SEASON = "the blend itself", "the purchase models", "the purchase models, in the season of a year ago"
LEVELS_FROM = (MODELS, OWN, SEASON)

Date: TypeAlias = tuple[pd.DataFrame, FloatArray, float | None]

PARTS = (TOGETHER, REGRESSION, TREES)
ALIKE = 0.005
"""Mixtures whose deviance is within this share of the best one's served alike: the mean of them is taken."""

STEP = 5
"""Weights are tried in fifths: finer ones would only fit the noise of a few dates."""

FEWEST_JUDGED = 2
"""Dates from which weights are learnt: one season alone says nothing of the level in another."""

UNJUDGED = {TOGETHER: 0.1, REGRESSION: 0.45, TREES: 0.45}
"""Where fewer dates could be judged. On eight dates of a grocer twice the weight of the purchase models ordered
customers worse beyond chance; on twelve of a music shop it made no difference."""

FLOOR = 1e-3
"""Of the mean amount so far: less is expected of nobody, so that one part's near-zero cannot silence the others."""


@dataclass(frozen=True)
class Weights:
    """How one amount is mixed. shares: part → weight, summing to 1.  level_from: one of `LEVELS_FROM`."""

    shares: dict[str, float]
    level_from: str

    def mix(self, table: pd.DataFrame, *, floor: float | None = None) -> FloatArray:
        """The blend of one amount before its level is set; the columns of `table` are candidates.

        floor: the least that is expected of a customer; that of these customers by default.
        """
        parts = parts_of(table, floor=floor)
        logs = sum(weight * np.log(parts[name]) for name, weight in self.shares.items() if weight > 0)
        mixed: FloatArray = np.exp(np.asarray(logs, dtype="float64"))
        return mixed

    @property
    def name(self) -> str:
        """The blend's, or that of the only part."""
        used = [name for name, weight in self.shares.items() if weight > 0]
        return BLEND if len(used) > 1 else used[0]

    def level(self, table: pd.DataFrame, *, season: float | None) -> float:
        """By what the blend of all customers is multiplied; season: what a year ago came over what was expected."""
        if self.level_from == OWN:
            return 1.0
        moved = season if self.level_from == SEASON and season is not None else 1.0
        return moved * level_of_purchase_models(table) / max(float(self.mix(table).sum()), 1e-12)

    def as_record(self) -> dict[str, Any]:
        """Plain numbers, fit for JSON."""
        return {"shares": self.shares, "level_from": self.level_from}


def floor_of(table: pd.DataFrame) -> float:
    """The least that is expected of a customer: a thousandth of the mean rate so far."""
    return max(FLOOR * float(table[SO_FAR].mean()), 1e-12)


def parts_of(table: pd.DataFrame, *, floor: float | None = None) -> dict[str, FloatArray]:
    """The parts there are, none below the floor: purchase models together, learners, and each rule of thumb."""
    least = floor_of(table) if floor is None else floor

    def floored(name: str) -> FloatArray:
        amount: FloatArray = np.maximum(table[name].to_numpy(dtype="float64"), least)
        return amount

    models = [name for name in PURCHASE_MODELS if name in table]
    parts: dict[str, FloatArray] = {}
    if models:
        parts[TOGETHER] = np.exp(np.mean([np.log(floored(name)) for name in models], axis=0))
    parts |= {name: floored(name) for name in (REGRESSION, TREES) if name in table}
    return parts | {name: floored(name) for name in RULES}


def level_of_purchase_models(table: pd.DataFrame) -> float:
    """The mean of their sums over all customers."""
    models = [name for name in PURCHASE_MODELS if name in table]
    return float(np.mean([table[name].sum() for name in models]))


def choose_weights(judged: Sequence[Date], now: pd.DataFrame, *, season: float | None, counts: bool) -> Weights:
    """The mean of the weights with the smallest deviance over dates whose outcome is known.

    judged: what the candidates expected on a date, what came, and that date's season; all dates count the same.
    now:    what they expect today: only parts that are there now can be mixed.
    season: of today; None where a year ago tells nothing, or told nothing on any judged date.
    """
    names = [name for name in parts_of(now) if name in PARTS]
    usable = [one for one in judged if set(names) <= set(parts_of(one[0])) and one[1].sum() > 0]
    rules = [by_rule(name) for name in RULES]
    if not usable and not names:
        return by_rule(RETAINED)
    if len(usable) < FEWEST_JUDGED and names:
        return Weights({name: UNJUDGED[name] / sum(UNJUDGED[one] for one in names) for name in names}, MODELS)
    deviance = count_deviance if counts else value_deviance
    seasonal = season is not None and any(one[2] is not None for one in usable)
    levels = LEVELS_FROM if seasonal else (MODELS, OWN)
    mixtures = [Weights(shares, level) for shares in _simplex(names) for level in levels] if names else []
    tried = mixtures + rules

    unit = [max(deviance(came, np.full(len(came), came.mean())), 1e-12) for _, came, _ in usable]

    def served(weights: Weights) -> float:
        found = [
            deviance(came, weights.mix(table) * weights.level(table, season=then)) for table, came, then in usable
        ]
        return float(np.mean(np.divide(found, unit)))

    scores = np.array([served(weights) for weights in tried])
    best = tried[int(np.argmin(scores))]
    alike = [
        weights.shares
        for weights, score in zip(tried, scores, strict=True)
        if weights in mixtures and weights.level_from == best.level_from and score <= scores.min() * (1 + ALIKE)
    ]
    if best in rules or not alike:
        return best
    return Weights({name: float(np.mean([shares[name] for shares in alike])) for name in names}, best.level_from)


def by_rule(rule: str) -> Weights:
    """What a rule of thumb expects, and nothing else."""
    return Weights({rule: 1.0}, OWN)


def _simplex(names: Sequence[str]) -> list[dict[str, float]]:
    """Every way to share out the weight in fifths."""
    if len(names) == 1:
        return [{names[0]: 1.0}]
    ways: list[dict[str, float]] = []

    def share(rest: int, left: Sequence[str], so_far: dict[str, float]) -> None:
        if len(left) == 1:
            ways.append({**so_far, left[0]: rest / STEP})
            return
        for number in range(rest + 1):
            share(rest - number, left[1:], {**so_far, left[0]: number / STEP})

    share(STEP, names, {})
    return ways
