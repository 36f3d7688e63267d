"""What are the customers of today worth together, and how sure is that?

Three things make a total uncertain: other customers might have been observed (refits with random weights), each
customer does what chance wills (draws), and the trade itself moves (how far the totals of judged dates were off).
They are added as variances of the logarithm. Customers' own intervals are not summed: their chances cancel out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from crm.analyses.lifetime_value.candidates import Candidates, fit_spend, value_of_a_purchase
from crm.analyses.lifetime_value.chance import NOMINAL, Quantiles
from crm.analyses.lifetime_value.result import Amount, Portfolio
from crm.purchase_models.fitting import fit_purchase_model, log_parameter_covariance
from crm.purchase_models.histories import FloatArray, Grouped, Histories
from crm.purchase_models.model import PurchaseModel

REFITS = 12
FITTED_ON = 20_000
"""Customers a refit looks at; the spread that it finds is brought to that of all of them."""

WIDEST = float(np.log(10))
"""An interval from a tenth to ten times says that nothing is known; a wider one says no more."""

LEAVING = {"a", "b", "s", "beta"}
UNKNOWN_FROM = 1.0
"""Standard error of a logarithm from which a parameter of leaving is not determined: it may be thrice as large."""


@dataclass(frozen=True)
class Sums:
    """What the customers are expected to bring together; cost: to serve, already taken off the margin."""

    purchases: float
    value: float
    margin: float
    cost: float
    long_margin: float


def value_portfolio(
    candidates: Candidates,
    customers: pd.DataFrame,
    sums: Sums,
    *,
    quantiles: Quantiles | None,
    summed_width: float,
    drift: tuple[float, int],
    long_days: int,
    seed: int,
) -> Portfolio:
    """The sums with their intervals; drift: of the totals of judged dates, and of how many dates."""
    from_refits, from_refits_long = _spread_of_refits(candidates, customers, long_days=long_days, seed=seed)
    chance = (quantiles.total_spread if quantiles else 0.0) ** 2
    off, dates = drift
    refits, refits_long = _finite(from_refits) ** 2, _finite(from_refits_long) ** 2
    # How far totals were off holds the chance and the refits of those dates already.
    drifted = max(off**2 - chance - refits, 0.0) if dates else 0.0
    nothing_known = not dates and not np.isfinite(from_refits)
    near = WIDEST if nothing_known else _reach(chance + refits + drifted, drifted, dates)
    # A level that wanders off day by day has, on the mean of a long time, a third of the variance of its end.
    far_drift = drifted * max(long_days / candidates.horizon_days / 3, 1.0)
    far = WIDEST if nothing_known else _reach(chance + refits_long + far_drift, far_drift, dates)
    whole = max(chance + refits + drifted, 1e-18)
    unknown = float("nan")
    value = _around(sums.value, near)
    return Portfolio(
        customers=len(customers),
        horizon_days=candidates.horizon_days,
        level=NOMINAL,
        purchases=_around(sums.purchases, near),
        value=value,
        margin=_less_cost(value, sums.margin, sums.cost),
        long_margin=_around(sums.long_margin, far),
        from_refits=unknown if nothing_known else refits / whole,
        from_chance=unknown if nothing_known else chance / whole,
        from_drift=drifted / whole if dates else unknown,
        width_over_summed=(value.high - value.low) / summed_width if summed_width > 0 else unknown,
    )


def leaving_is_known(candidates: Candidates, customers: pd.DataFrame) -> bool:
    """Do the data determine how soon customers leave for good? By the standard errors of those parameters."""
    model = _likeliest(candidates)
    if model is None:
        return False
    groups = Histories.of(customers).grouped().sample(FITTED_ON)
    covariance = log_parameter_covariance(model, groups)
    if covariance is None:
        return False
    names = [name for name in model.parameters if name != "k"]
    errors = dict(zip(names, np.sqrt(np.diag(covariance)), strict=True))
    return all(error < UNKNOWN_FROM for name, error in errors.items() if name in LEAVING)


def _likeliest(candidates: Candidates) -> PurchaseModel | None:
    """The purchase model under which what happened is likeliest; one of them does for how much refits differ."""
    models = candidates.purchase_models.values()
    return max(models, key=lambda model: model.log_likelihood) if models else None


def _reach(variance: float, drift: float, dates: int) -> float:
    """How far the logarithm reaches to each side: Student's t with as many degrees as dates where drift rules."""
    ruled_by_drift = dates > 0 and drift > 0.5 * variance
    end = (1 + NOMINAL) / 2
    reach = float(np.sqrt(variance) * (stats.t.ppf(end, dates) if ruled_by_drift else stats.norm.ppf(end)))
    return min(reach, WIDEST)


def _less_cost(value: Amount, margin: float, cost: float) -> Amount:
    """The margin at both ends of the value: the cost to serve stays what it is."""
    rate = (margin + cost) / value.value if value.value > 0 else 0.0
    return Amount(margin, value.low * rate - cost, value.high * rate - cost)


def _around(value: float, reach: float) -> Amount:
    ends = sorted((value * np.exp(-reach), value * np.exp(reach)))
    return Amount(value, float(ends[0]), float(ends[1]))


def _spread_of_refits(
    candidates: Candidates, customers: pd.DataFrame, *, long_days: int, seed: int
) -> tuple[float, float]:
    """Standard deviation of the log total over refits with Dirichlet weights, over the near and the long horizon."""
    model = _likeliest(candidates)
    if model is None:
        return float("nan"), float("nan")
    rng = np.random.default_rng([seed, 1])
    some = _some(customers)
    groups, histories = Histories.of(some).grouped(), Histories.of(some)
    logs = [
        found for _ in range(REFITS) if (found := _refit(candidates, model, some, groups, histories, long_days, rng))
    ]
    if len(logs) < 2:
        return float("nan"), float("nan")
    smaller = np.sqrt(len(some) / len(customers))
    near, far = np.std(logs, axis=0, ddof=1) * smaller
    return float(near), float(far)


def _refit(
    candidates: Candidates,
    model: PurchaseModel,
    customers: pd.DataFrame,
    groups: Grouped,
    histories: Histories,
    long_days: int,
    rng: np.random.Generator,
) -> tuple[float, float] | None:
    """Logarithms of the two totals of one refit; None where the reweighted data determine no model."""
    weights: FloatArray = rng.gamma(groups.weight)
    refitted = fit_purchase_model(model.name, groups, weights=weights, like=model).model
    if refitted is None:
        return None
    each = weights[groups.place] / groups.weight[groups.place]
    spend = fit_spend(customers, weights=each) if candidates.spend.model else candidates.spend
    value = value_of_a_purchase(customers, spend)
    totals = [
        float((refitted.expected_purchases(histories, days) * value).sum())
        for days in (candidates.horizon_days, long_days)
    ]
    return (float(np.log(totals[0])), float(np.log(totals[1]))) if min(totals) > 0 else None


def _some(customers: pd.DataFrame) -> pd.DataFrame:
    if len(customers) <= FITTED_ON:
        return customers
    return customers.iloc[np.linspace(0, len(customers) - 1, FITTED_ON).astype("int64")]


def _finite(number: float) -> float:
    return number if np.isfinite(number) else 0.0
