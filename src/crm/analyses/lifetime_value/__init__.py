"""What is each customer worth to us?

`value_customers(facts, as_of)` gives every customer an expected value over the horizon with an interval, what is left
of it as margin, and its worth in the long run; and all of them together. Rules of thumb, purchase models and models
that learn are judged on dates whose outcome is known, and blended by what served there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from crm.analyses import absent, crowded_accounts, refuse_thin
from crm.analyses.lifetime_value.answers import answer
from crm.analyses.lifetime_value.candidates import fit_candidates
from crm.analyses.lifetime_value.dates import dates_to_judge_on
from crm.analyses.lifetime_value.findings import all_findings, headline, measures
from crm.analyses.lifetime_value.first_purchases import first_channels, first_departments
from crm.analyses.lifetime_value.foresight import foresee, look_back, spread, together
from crm.analyses.lifetime_value.judging import Mixed, drift, judge, judge_by_rule, mix, mix_all, rule_to_ship
from crm.analyses.lifetime_value.model import MONEY_DECIMALS, LifetimeModel
from crm.analyses.lifetime_value.needs import REQUIREMENTS
from crm.analyses.lifetime_value.portfolio import Sums, leaving_is_known, value_portfolio
from crm.analyses.lifetime_value.result import Assumptions, Evidence, Judged, Shipped, Valued
from crm.analyses.lifetime_value.season import season_of
from crm.analyses.lifetime_value.spend import Independence, independence
from crm.analyses.lifetime_value.unsaid import unsaid
from crm.analyses.lifetime_value.worth import (
    cost_to_serve,
    long_over_near,
    margin_rates,
    mean_contact_cost,
    share_of_known_margin,
)
from crm.analyses.standing import Standing
from crm.facts import Facts
from crm.features import data_dictionary
from crm.finding import Findings
from crm.headline import Headline
from crm.mart import open_mart
from crm.periods import date_of, day_number
from crm.purchase_models.histories import FloatArray, Histories
from crm.snapshots import snapshot

SCORES = (
    "customer_id", "expected_purchases", "typical_purchases", "expected_value", "value_low", "value_high",
    "typical_value", "expected_margin", "long_margin", "probability_alive", "chance_of_no_purchase", "model_version",
)  # fmt: skip
FEWEST_DAYS_BEFORE = 91
"""History before the previous as-of date without which nothing is said about what moved."""


@dataclass(frozen=True)
class LifetimeValue(Evidence):
    """Everything the lifetime-value page shows; see `result` for its tables.

    model:      what values a customer from the numbers of a snapshot: the champion, or what was fitted now.
    challenger: what was fitted beside a champion; None where nothing was, or where it is what scores.
    challenger_judged: the judged dates with the challenger marked as what ships.
    """

    model: LifetimeModel
    challenger: LifetimeModel | None = None
    challenger_judged: Judged | None = None

    @property
    def as_fitted(self) -> LifetimeValue | None:
        """The same, told of the model that was fitted in this run; None where none was."""
        if self.challenger is None:
            return None if self.shipped.version else self
        return replace(
            self,
            model=self.challenger,
            challenger=None,
            challenger_judged=None,
            judged=self.challenger_judged or self.judged,
            shipped=_shipped(self.challenger, Standing()),
        )

    @cached_property
    def findings(self) -> Findings:
        """The answers, most important first."""
        return all_findings(self)

    @property
    def headline(self) -> Headline | None:
        """The number of this page that stands on the front page; None where it could not be found."""
        return headline(self)

    @property
    def measures(self) -> dict[str, object]:
        """The numbers for results.json."""
        return measures(self)

    @property
    def unsaid(self) -> Mapping[str, str]:
        """What these data do not allow to be said, by section: a sentence each."""
        return unsaid(self)

    @property
    def scores(self) -> pd.DataFrame:
        """One row per customer with a purchase before the as-of date; money over the horizon."""
        return self.valued.customers.assign(model_version=self.model.content[:12])[list(SCORES)]


def value_customers(
    facts: Facts,
    as_of: dt.date,
    *,
    segments: pd.DataFrame | None = None,
    standing: Standing = Standing(),  # noqa: B008 - frozen
) -> LifetimeValue:
    """What every customer with a purchase before `as_of` is expected to bring, and all of them together.

    segments: scores of the segmentation (customer_id, cluster_name), for value by segment; None leaves it out.
    standing: which model scores and whether one is fitted anew (see `crm.review.standing_model`); by default what is
              fitted here scores. A champion weighs as it was approved, at the level of this date's season.

    The same facts, date, seed, segments and standing give the same scores. Raises NotEnoughData where nothing can be
    said (`REQUIREMENTS`).
    """
    settings = facts.settings
    refuse_thin(REQUIREMENTS, facts, as_of)
    seed, horizon = settings.runs.seed, settings.definitions.value_horizon_days
    long_days = max(settings.definitions.value_long_horizon_days, horizon)
    customers, season = snapshot(facts, as_of), season_of(facts, as_of, horizon)
    dates = dates_to_judge_on(as_of, facts, horizon_days=horizon)
    judged = mix_all([look_back(facts, date, days=dates.days, seed=seed) for date in dates.dates])
    judgement = judge(judged, facts, days=dates.days, seed=seed)
    rule = rule_to_ship(judgement.against_best_rule, judgement.mean)
    challenger, quantiles = None, None
    if standing.record is None or standing.retrain:
        fresh = fit_candidates(facts, as_of, horizon_days=horizon, seed=seed)
        now = mix(foresee(fresh, customers, season=season, seed=seed), judged, rule=rule)
        fitted, quantiles = LifetimeModel.of(fresh, now, seed=seed), now.seen.quantiles
        model = today = challenger = fitted.of_population(customers, now.value)
    # What was fitted and what scores need not be of one kind: each is judged as what it is.
    as_fitted = judge_by_rule(judged, judgement, facts, rule) if rule else (judged, judgement)
    if standing.record is not None:
        model = LifetimeModel.from_record(standing.record)
        today, rule = model.in_season(customers, season), model.rule
        quantiles = spread(model.candidates, customers, seed=model.seed)
    judged, judgement = judge_by_rule(judged, judgement, facts, rule) if rule else (judged, judgement)
    valued = _valued(facts, today, as_of, customers, long_days=long_days)
    table, candidates = valued.customers, model.candidates
    sums = Sums(
        purchases=float(table["expected_purchases"].sum()),
        value=float(table["expected_value"].sum()),
        margin=float(table["expected_margin"].sum()),
        cost=float(table["cost_to_serve"].sum()),
        long_margin=float(table["long_margin"].sum()),
    )
    portfolio = value_portfolio(
        candidates,
        customers,
        sums,
        quantiles=quantiles,
        summed_width=float((table["value_high"] - table["value_low"]).sum()),
        drift=drift(judged),
        long_days=long_days,
        seed=seed,
    )
    mart = open_mart(facts)
    before, customers_before = _before(facts, judged, as_of, horizon_days=horizon, seed=seed)
    return LifetimeValue(
        as_of=as_of,
        horizon_days=horizon,
        currency=settings.money.currency,
        seed=seed,
        valued=valued,
        portfolio=portfolio,
        judged=judgement,
        shipped=_shipped(model, standing),
        independence=_independence(customers),
        assumptions=Assumptions(
            gross_margin=settings.money.gross_margin,
            known_margin=share_of_known_margin(customers),
            yearly_discount_rate=settings.money.yearly_discount_rate,
            contact_cost=mean_contact_cost(settings) if "campaigns_received_365d" in customers else 0.0,
            case_cost=settings.money.service_case_cost if "cases_365d" in customers else 0.0,
            long_days=long_days,
            churn_known=leaving_is_known(candidates, customers),
        ),
        answers=answer(
            valued,
            before,
            snapshot=customers,
            snapshot_before=customers_before,
            first_departments=first_departments(mart, as_of),
            first_channels=first_channels(mart, as_of),
            segments=None if segments is None else segments.set_index("customer_id")["cluster_name"],
            dictionary=data_dictionary(mart),
        ),
        crowded=crowded_accounts(facts, as_of),
        wanting=absent(REQUIREMENTS, facts),
        model=model,
        challenger=None if challenger is model else challenger,
        challenger_judged=None if challenger is None or challenger is model else as_fitted[1],
    )


def _valued(facts: Facts, model: LifetimeModel, as_of: dt.date, customers: pd.DataFrame, *, long_days: int) -> Valued:
    """The model's scores with money made of them."""
    settings, mart, days = facts.settings, open_mart(facts), model.horizon_days
    table = pd.concat([customers[["customer_id"]], model.score(customers)], axis=1)
    value = table["expected_value"].to_numpy(dtype="float64")
    rates = margin_rates(customers, gross_margin=settings.money.gross_margin)
    cost = cost_to_serve(customers, value, settings, mart, days=days)
    table["margin_rate"] = rates
    table["cost_to_serve"] = cost.round(MONEY_DECIMALS)
    table["expected_margin"] = (value * rates - cost).round(MONEY_DECIMALS)
    lasting = _long_margin(model, customers, table, long_days=long_days, rate=settings.money.yearly_discount_rate)
    table["long_margin"] = lasting.round(MONEY_DECIMALS)
    return Valued(as_of, days, table)


def _long_margin(
    model: LifetimeModel, customers: pd.DataFrame, table: pd.DataFrame, *, long_days: int, rate: float
) -> FloatArray:
    """The margin of the horizon carried on by the purchase model; without one, nothing is expected beyond it."""
    margin = table["expected_margin"].to_numpy(dtype="float64")
    purchases = together(model.candidates)
    if purchases is None:
        return margin
    return margin * long_over_near(
        purchases,
        Histories.of(customers),
        near_days=model.horizon_days,
        long_days=long_days,
        yearly_discount_rate=rate,
    )


def _before(
    facts: Facts, judged: Sequence[Mixed], as_of: dt.date, *, horizon_days: int, seed: int
) -> tuple[Valued | None, pd.DataFrame | None]:
    """The previous date's customers as they would have been valued then, by what was known then alone."""
    previous = date_of(day_number(as_of) - facts.settings.definitions.migration_days)
    if day_number(previous) - facts.first_day < FEWEST_DAYS_BEFORE:
        return None, None
    customers = snapshot(facts, previous)
    known = next((one for one in judged if (one.seen.date, one.seen.days) == (previous, horizon_days)), None)
    if known is None:
        candidates = fit_candidates(facts, previous, horizon_days=horizon_days, seed=seed)
        passed = [one for one in judged if day_number(one.seen.date) + one.seen.days <= day_number(previous)]
        season = season_of(facts, previous, horizon_days)
        known = mix(foresee(candidates, customers, season=season, seed=seed), passed)
    silence = known.silence.chance(known.seen.silence, known.purchases) if len(known.seen.silence) else np.nan
    table = customers[["customer_id"]].assign(
        expected_purchases=known.purchases, expected_value=known.value, chance_of_no_purchase=silence
    )
    return Valued(previous, horizon_days, table), customers


def _shipped(model: LifetimeModel, standing: Standing) -> Shipped:
    candidates, mixed = model.candidates, model.weights
    parts = list(dict.fromkeys(part for weights in mixed.values() for part in weights.shares))
    shares = pd.DataFrame({"part": parts})
    for what, weights in mixed.items():
        shares[what] = [weights.shares.get(part, 0.0) for part in parts]
    learners = candidates.learners
    return Shipped(
        name=mixed["value"].name,
        shares=shares,
        level_from={what: weights.level_from for what, weights in mixed.items()},
        purchase_models=pd.DataFrame(
            [
                _told(model.name, model.log_likelihood, model.parameters)
                for model in candidates.purchase_models.values()
            ],
            columns=["model", "log_likelihood", "parameters", "k"],
        ),
        looks_at=learners.weights if learners else pd.DataFrame(columns=["column", "purchases", "value"]),
        why_not=candidates.why_not,
        learnt_from=learners.dates if learners else (),
        learnt_days=learners.days if learners else 0,
        version=standing.version if standing.record is not None else "",
        why=standing.why,
    )


def _told(name: str, log_likelihood: float, parameters: Mapping[str, float]) -> dict[str, object]:
    words = ", ".join(f"{key} {value:.4g}" for key, value in parameters.items() if key != "k")
    return {
        "model": name,
        "log_likelihood": log_likelihood,
        "parameters": words,
        "k": int(parameters.get("k", 1)),
    }


def _independence(customers: pd.DataFrame) -> Independence:
    days = customers["purchase_days"].to_numpy(dtype="float64")
    mean = customers["net_sales_ever"].to_numpy(dtype="float64") / np.maximum(days, 1.0)
    return independence(customers["frequency"].to_numpy(dtype="float64"), mean)


__all__ = ["REQUIREMENTS", "LifetimeModel", "LifetimeValue", "value_customers"]
