"""The candidates: every way of expecting what customers will buy, fitted to what was known before one date.

Rules of thumb, four purchase models with a spend model, and two models that learn from earlier dates. Nothing here
looks past the date.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from crm.analyses.lifetime_value.dates import Dates, dates_to_learn_from
from crm.analyses.lifetime_value.learners import Learners, Lesson, learn
from crm.analyses.lifetime_value.rules import expect_by_rule, monthly_retention
from crm.analyses.lifetime_value.spend import SpendFit, fit_spend_model
from crm.errors import NotEnoughData
from crm.facts import Facts
from crm.features import features_of
from crm.mart import open_mart
from crm.purchase_models.fitting import fit_purchase_model
from crm.purchase_models.histories import FloatArray, Grouped, Histories
from crm.purchase_models.model import PurchaseModel
from crm.snapshots import labelled_snapshot, snapshot

PURCHASE_MODELS = ("BG/NBD", "MBG/NBD", "Pareto/NBD", "MBG/CNBD-k")
READ_BY_LEARNERS = "MBG/CNBD-k"
"""The purchase model whose expectation the learners read; a simpler one where the data do not determine it."""

_NOT_LEARNT = {"first_day", "last_day"}
"""Day numbers tell the date, not the customer."""


@dataclass(frozen=True)
class Expected:
    """What candidates expect: one row per customer in the snapshot's order, one column per candidate.

    purchases: purchase days within the horizon.     value: net sales within it.
    typical: of both, as columns, the middle of what may come over its mean, as learnt; no column where nothing was.
    """

    purchases: pd.DataFrame = field(repr=False)
    value: pd.DataFrame = field(repr=False)
    typical: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)


@dataclass(frozen=True)
class Candidates:
    """Everything that was fitted to what was known before `as_of`.

    purchase_models: those that the data determine, by name; `why_not` says of the others why, in words.
    spend:           the value of a purchase day; without a model each customer's own mean stands.
    retention:       the share of customers kept from month to month.
    learners:        None where the history is too short to learn from an earlier date, and `why_not` says so.
    """

    as_of: dt.date
    horizon_days: int
    purchase_models: Mapping[str, PurchaseModel]
    spend: SpendFit
    learners: Learners | None
    why_not: tuple[str, ...]
    retention: float
    columns: tuple[str, ...] = field(repr=False)

    def expect(self, customers: pd.DataFrame) -> Expected:
        """What each candidate expects of these customers over the horizon; any number of them, a chunk at a time."""
        histories = Histories.of(customers)
        purchases, value = expect_by_rule(customers, self.horizon_days, retention=self.retention)
        each = value_of_a_purchase(customers, self.spend)
        for name, model in self.purchase_models.items():
            purchases[name] = model.expected_purchases(histories, self.horizon_days)
            value[name] = purchases[name] * each
        typical: dict[str, FloatArray] = {}
        if self.learners:
            carried = self._carried(histories)
            read = read_by_learners(customers, self.columns, self.purchase_models, self.spend, self.learners.days)
            *learnt, typical = self.learners.expect(read)
            for amounts, by_model in zip((purchases, value), learnt, strict=True):
                amounts |= {name: amount * carried for name, amount in by_model.items()}
        return Expected(pd.DataFrame(purchases), pd.DataFrame(value), pd.DataFrame(typical))

    def _carried(self, histories: Histories) -> FloatArray:
        """From the horizon that was learnt to the wanted one, as the mean of the purchase models carries it."""
        assert self.learners is not None
        if self.learners.days == self.horizon_days:
            return np.ones(len(histories))
        near, far = (
            np.mean([model.expected_purchases(histories, days) for model in self.purchase_models.values()], axis=0)
            for days in (self.learners.days, self.horizon_days)
        )
        longest = self.horizon_days / self.learners.days
        carried: FloatArray = np.clip(far / np.maximum(near, 1e-12), min(1.0, longest), max(1.0, longest))
        return carried


def fit_candidates(facts: Facts, as_of: dt.date, *, horizon_days: int, seed: int) -> Candidates:
    """Fit every candidate to what was known before `as_of`."""
    customers = snapshot(facts, as_of)
    groups = Histories.of(customers).grouped()
    models, why_not = _fit_purchase_models(groups)
    spend = fit_spend(customers)
    columns = tuple(f.name for f in features_of(open_mart(facts)) if f.type != "word" and f.name not in _NOT_LEARNT)
    if spend.why_not:
        why_not.append(f"{spend.why_not} Each customer's own mean stands in its place.")
    dates = dates_to_learn_from(as_of, facts, horizon_days=horizon_days)
    learners = _learn(facts, dates, columns, models, seed=seed) if models else None
    if learners is None:
        why_not.append(_nothing_to_learn(dates, horizon_days, models=bool(models)))
    return Candidates(
        as_of, horizon_days, models, spend, learners, tuple(why_not), monthly_retention(customers), columns
    )


def fit_spend(customers: pd.DataFrame, *, weights: FloatArray | None = None) -> SpendFit:
    """The spend model over all purchase days of these customers."""
    days, mean = _days_and_mean(customers)
    return fit_spend_model(days, mean, weights=weights)


def value_of_a_purchase(customers: pd.DataFrame, spend: SpendFit) -> FloatArray:
    """The expected net sales of each customer's next purchase day; the customer's own mean without a model."""
    days, mean = _days_and_mean(customers)
    return np.maximum(mean, 0.0) if spend.model is None else spend.model.expected_value(days, mean)


def read_by_learners(
    customers: pd.DataFrame,
    columns: tuple[str, ...],
    models: Mapping[str, PurchaseModel],
    spend: SpendFit,
    days: int,
) -> pd.DataFrame:
    """What the learners know of each customer: the numbers of the snapshot, rates, and what the models expect."""
    known = customers[list(columns)].astype("float64")
    age = known["T"].clip(lower=1.0)
    model = models.get(READ_BY_LEARNERS) or list(models.values())[-1]
    histories = Histories.of(customers)
    expected = model.expected_purchases(histories, days)
    each = value_of_a_purchase(customers, spend)
    added = {
        "purchase_rate": known["purchase_days"] / age,
        "purchase_rate_28d": known["purchase_days_28d"] / age.clip(upper=28),
        "purchase_rate_91d": known["purchase_days_91d"] / age.clip(upper=91),
        "spend_rate": known["net_sales_ever"] / age,
        "spend_rate_91d": known["net_sales_91d"] / age.clip(upper=91),
        "value_of_a_purchase": each,
        "mean_value_of_a_purchase": known["net_sales_ever"] / known["purchase_days"],
        "expected_purchases": expected,
        "expected_value": expected * each,
        "chance_of_no_purchase": model.chance_of_no_purchase(histories, days),
    }
    return pd.concat([known, pd.DataFrame(added, index=known.index)], axis=1)


def _fit_purchase_models(groups: Grouped) -> tuple[dict[str, PurchaseModel], list[str]]:
    fits = {name: fit_purchase_model(name, groups) for name in PURCHASE_MODELS}
    return (
        {name: fit.model for name, fit in fits.items() if fit.model},
        [fit.why_not for fit in fits.values() if not fit.model],
    )


def _learn(
    facts: Facts, dates: Dates, columns: tuple[str, ...], models: Mapping[str, PurchaseModel], *, seed: int
) -> Learners | None:
    lessons = [lesson for date in dates.dates if (lesson := _lesson(facts, date, dates.days, columns, models))]
    if not lessons or not any(lesson.purchases.any() for lesson in lessons):
        return None
    return learn(lessons, days=dates.days, seed=seed)


def _lesson(
    facts: Facts, date: dt.date, days: int, columns: tuple[str, ...], models: Mapping[str, PurchaseModel]
) -> Lesson | None:
    """What was known on an earlier date, with a model fitted on that date, and what happened; None where thin."""
    try:
        labelled = labelled_snapshot(facts, date, horizon_days=days)
    except NotEnoughData:
        return None
    groups = Histories.of(labelled).grouped()
    for name in (READ_BY_LEARNERS, *PURCHASE_MODELS[:2]):
        if model := fit_purchase_model(name, groups, like=models.get(name)).model:
            break
    else:
        return None
    known = read_by_learners(labelled, columns, {model.name: model}, fit_spend(labelled), days)
    return Lesson(
        date,
        known,
        purchases=labelled["purchase_days_next"].to_numpy(dtype="float64"),
        value=labelled["net_sales_next"].to_numpy(dtype="float64"),
    )


def _nothing_to_learn(dates: Dates, horizon_days: int, *, models: bool) -> str:
    if not models:
        return "No purchase model could be fitted, and nothing is learnt from earlier dates: a rule of thumb stands."
    if not dates:
        return (
            f"The history is too short to learn from an earlier date: {dates.days} days ahead, and "
            f"{horizon_days} are wanted."
        )
    return "On no earlier date did enough customers buy again to learn from."


def _days_and_mean(customers: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    days = customers["purchase_days"].to_numpy(dtype="float64")
    return days, customers["net_sales_ever"].to_numpy(dtype="float64") / np.maximum(days, 1.0)
