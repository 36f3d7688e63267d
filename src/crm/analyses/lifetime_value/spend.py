"""What will a purchase day of a customer be worth? Gamma-Gamma, fitted by the package lifetimes.

1. The value of a purchase day varies around the customer's own mean: Gamma(p, rate of one's own).
2. That rate ~ Gamma(q, v) over customers.
3. How much a customer spends has nothing to do with how often; `independence` says whether that holds.

A customer's mean over few purchase days is drawn towards everybody's mean. Fader & Hardie (2013), The Gamma-Gamma
Model of Monetary Value; Fader, Hardie & Lee (2005), RFM and CLV, Journal of Marketing Research 42(4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from scipy.stats import norm, rankdata

from crm.purchase_models.histories import FloatArray
from crm.purchase_models.lifetimes_package import fit_gamma_gamma

Counted: TypeAlias = Literal["all purchase days", "repeat purchase days"]

NO_DAY: Mapping[Counted, str] = {
    "all purchase days": "no purchase day",
    "repeat purchase days": "no repeat purchase day",
}

FEWEST_BUYERS = 10
"""From fewer with two days or more, a customer's own ups and downs cannot be told from those between customers."""

MOST = 1e4
"""A p or q above this means no difference at all, within a customer's purchase days or between customers."""


@dataclass(frozen=True)
class SpendModel:
    """A fitted Gamma-Gamma model; `counted` says over which purchase days the means were taken."""

    p: float
    q: float
    v: float
    counted: Counted

    @property
    def everybodys_mean(self) -> float:
        """The mean value of a purchase day over customers."""
        return self.p * self.v / (self.q - 1)

    def expected_value(self, days: FloatArray, mean_value: FloatArray) -> FloatArray:
        """The expected value of each customer's next purchase day, given the mean of so many days.

        Between the customer's own mean and everybody's; without a day, everybody's. A mean below zero counts as zero.
        """
        days = np.maximum(np.asarray(days, dtype="float64"), 0.0)
        own = np.where(days > 0, np.maximum(np.asarray(mean_value, dtype="float64"), 0.0), 0.0)
        weight = self.p * days / (self.p * days + self.q - 1)
        return np.asarray((1 - weight) * self.everybodys_mean + weight * own)

    def as_record(self) -> dict[str, Any]:
        """The model as plain numbers and words, fit for JSON."""
        return {"name": "Gamma-Gamma", "p": self.p, "q": self.q, "v": self.v, "counted": self.counted}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> SpendModel:
        """The model that `as_record` wrote."""
        return cls(float(record["p"]), float(record["q"]), float(record["v"]), record["counted"])


@dataclass(frozen=True)
class SpendFit:
    """A fitted model, or in words why there is none; and how many customers were left out of the fit, by reason."""

    model: SpendModel | None
    why_not: str
    left_out: Mapping[str, int]


def fit_spend_model(
    days: FloatArray,
    mean_value: FloatArray,
    *,
    counted: Counted = "all purchase days",
    weights: FloatArray | None = None,
) -> SpendFit:
    """Fit Gamma-Gamma to each customer's mean value over so many purchase days.

    `counted` names which days these are: all of them, which ranks customers better, or as in the published figures
    only the repeat ones (then `days` is the frequency). `weights`, one per customer, default to 1.
    """
    days, mean_value = np.asarray(days, dtype="float64"), np.asarray(mean_value, dtype="float64")
    weights = np.ones(len(days)) if weights is None else np.asarray(weights, dtype="float64")
    nothing = (days > 0) & ~(np.isfinite(mean_value) & (mean_value > 0))
    left_out = {NO_DAY[counted]: int((days <= 0).sum()), "a mean value of zero or below": int(nothing.sum())}
    kept = (days > 0) & ~nothing & (weights > 0)
    thin = _too_thin(days[kept], mean_value[kept])
    if thin:
        return SpendFit(None, f"The spend model was not fitted: {thin}.", left_out)
    found = _estimates(days[kept], mean_value[kept], weights[kept])
    wrong = _degenerate(found)
    if found is None or wrong:
        return SpendFit(None, f"The spend model was not fitted: {wrong}.", left_out)
    return SpendFit(SpendModel(found["p"], found["q"], found["v"], counted), "", left_out)


def _too_thin(days: FloatArray, mean_value: FloatArray) -> str:
    """Why these customers determine no model, or nothing."""
    several = int((days >= 2).sum())
    if several < FEWEST_BUYERS:
        return (
            f"{_customers(several)} spent on two purchase days or more, and fewer than {FEWEST_BUYERS} tell nothing"
        )
    if np.ptp(mean_value) <= 1e-9 * mean_value.max():
        return f"all {len(days):,} customers have the same mean value"
    return ""


def _customers(number: int) -> str:
    return "one customer" if number == 1 else f"{number:,} customers"


def _estimates(days: FloatArray, mean_value: FloatArray, weights: FloatArray) -> dict[str, float] | None:
    """p, q and v, from distinct rows, in units of the median value so that the currency does not matter."""
    unit = float(np.median(mean_value))
    rows = pd.DataFrame({"days": days, "value": mean_value, "weight": weights})
    distinct = rows.groupby(["days", "value"], as_index=False)["weight"].sum()
    columns = [distinct[name].to_numpy(dtype="float64") for name in ("days", "value", "weight")]
    found = fit_gamma_gamma(columns[0], columns[1] / unit, columns[2])
    return None if found is None else {**found.parameters, "v": found.parameters["v"] * unit}


def _degenerate(found: Mapping[str, float] | None) -> str:
    """Why estimates cannot be used, or nothing."""
    if found is None or not all(np.isfinite(value) and value > 0 for value in found.values()):
        return "the search found no best fit from any of 3 starting points"
    if found["q"] <= 1:
        return (
            f"q = {found['q']:.3f}, and at 1 or below the mean over customers is without limit: "
            "a few customers spend so much more than the others that no mean describes them"
        )
    for name, words in (("p", "a customer spends the same each time"), ("q", "customers differ by chance alone")):
        if found[name] > MOST:
            return f"its estimates ran to the boundary: {name} = {found[name]:,.0f}, above {MOST:,.0f} ({words})"
    return ""


@dataclass(frozen=True)
class Correlation:
    """A correlation with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Independence:
    """Do customers who buy more often also spend more each time? By ranks (Spearman) and on logarithms (Pearson)."""

    spearman: Correlation | None
    pearson_of_logs: Correlation | None
    customers: int
    verdict: str


NEGLIGIBLE, WEAK = 0.1, 0.3


def independence(frequency: FloatArray, mean_value: FloatArray) -> Independence:
    """How far Gamma-Gamma's assumption holds, among customers who bought again and spent something."""
    frequency, mean_value = np.asarray(frequency, dtype="float64"), np.asarray(mean_value, dtype="float64")
    kept = (frequency > 0) & np.isfinite(mean_value) & (mean_value > 0)
    often, much = frequency[kept], mean_value[kept]
    if len(often) < FEWEST_BUYERS or np.ptp(often) == 0 or np.ptp(much) == 0:
        same = "all bought equally often or spent the same" if len(often) >= FEWEST_BUYERS else "they are too few"
        return Independence(None, None, len(often), f"Cannot be said of {_customers(len(often))}: {same}.")
    by_rank = _correlation(rankdata(often), rankdata(much), ranks=True)
    by_log = _correlation(np.log(often), np.log(much), ranks=False)
    return Independence(by_rank, by_log, len(often), _verdict(by_rank, by_log))


def _correlation(one: FloatArray, other: FloatArray, *, ranks: bool) -> Correlation:
    """Fisher's interval; for ranks with the wider spread of Bonett & Wright (2000)."""
    value = float(np.clip(np.corrcoef(one, other)[0, 1], -1.0, 1.0))
    spread = np.sqrt((1 + value**2 / 2 if ranks else 1.0) / (len(one) - 3))
    middle, reach = np.arctanh(np.clip(value, -1 + 1e-12, 1 - 1e-12)), norm.ppf(0.975) * spread
    return Correlation(value, float(np.tanh(middle - reach)), float(np.tanh(middle + reach)))


def _verdict(by_rank: Correlation, by_log: Correlation) -> str:
    """The stronger of the two in plain words."""
    strongest = max(by_rank, by_log, key=lambda one: abs(one.value))
    more = "more" if strongest.value > 0 else "less"
    if abs(strongest.value) < NEGLIGIBLE:
        return "How often customers buy and how much they spend each time have next to nothing to do with each other."
    if abs(strongest.value) < WEAK:
        return f"Customers who buy more often spend slightly {more} each time; the spend model is a fair description."
    return f"Customers who buy more often spend clearly {more} each time; the spend model assumes that they do not."
