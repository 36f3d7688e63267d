"""Who is leaving, why, and whom to contact?

`analyse_defection(facts, as_of)` tells what set those apart who left, gives every customer at stake a chance to leave
with reasons, and says for whom a contact is worth its cost. Rules of thumb stand beside every model, on dates whose
outcome is known.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from crm.analyses import absent, crowded_accounts, refuse_thin
from crm.analyses.defection.dates import judged_on
from crm.analyses.defection.deciding import LEVEL, LIKELIEST_OFF, decide, share_still_brought, value_if_stays
from crm.analyses.defection.drivers import badly_treated, drivers
from crm.analyses.defection.findings import all_findings, headline, measures
from crm.analyses.defection.foresight import Foresight, look_back, year_ago
from crm.analyses.defection.judging import against_rules, drift, judge, rule_to_ship, settled
from crm.analyses.defection.labels import at_stake_now, stake_of
from crm.analyses.defection.learners import BLEND
from crm.analyses.defection.level import OWN, settle
from crm.analyses.defection.model import LEFT, DefectionModel, fit_defection_model, ship_rule
from crm.analyses.defection.needs import REQUIREMENTS
from crm.analyses.defection.next_purchase import expected_next_purchase, overdue
from crm.analyses.defection.reasons import SEPARATOR, Reason, reasons_for
from crm.analyses.defection.result import OUTCOMES, Evidence, Shipped
from crm.analyses.defection.understanding import understand_defection
from crm.analyses.defection.unsaid import unsaid
from crm.analyses.standing import Standing
from crm.errors import NotEnoughData
from crm.facts import Facts
from crm.finding import Findings
from crm.headline import Headline
from crm.purchase_models.histories import FloatArray
from crm.snapshots import snapshot

SCORES = (
    "customer_id", "probability", "rank", "reasons", "partial_probability", "expected_next_purchase", "overdue",
    "value_at_risk", "worth_of_contact", "contact", "model_version",
)  # fmt: skip
AT_RISK = 0.1
"""Reasons are told for so large a part, the likeliest to leave, and for all whom it pays to contact."""
MONEY_DECIMALS, CHANCE_DECIMALS = 4, 9


@dataclass(frozen=True)
class Defection(Evidence):
    """Everything the defection page shows; see `result` for its tables.

    model:  what scores.     fitted: the model that was fitted anew, to be registered; None where none was.
    """

    model: DefectionModel
    fitted: DefectionModel | None

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
        """One row per customer at stake, the likeliest to leave first."""
        version = self.model.content[:12]
        return self.customers.assign(model_version=version)[list(SCORES)]


def analyse_defection(
    facts: Facts,
    as_of: dt.date,
    *,
    standing: Standing | None = None,
    segments: pd.DataFrame | None = None,
    values: pd.DataFrame | None = None,
) -> Defection:
    """Who may leave within the horizon after `as_of`, why, and whom it pays to contact.

    standing: which model scores and whether one is fitted anew (see `crm.review.standing_model`); by default one is
              fitted, and scores.
    segments: scores of the segmentation (customer_id, cluster_name), for what left with whom; None leaves it out.
    values:   scores of lifetime value (customer_id, expected_margin, chance_of_no_purchase), for what is at risk;
              None: the margin of the last year stands in for it.

    The same facts, date, seed and model give the same scores. Raises NotEnoughData where nothing can be said
    (`REQUIREMENTS`).
    """
    refuse_thin(REQUIREMENTS, facts, as_of)
    standing, stake, seed = standing or Standing(), stake_of(facts), facts.settings.runs.seed
    customers = at_stake_now(facts, as_of)
    if customers.empty:
        raise NotEnoughData(
            "Somebody must be at stake on the as-of date.",
            found=f"of {len(snapshot(facts, as_of)):,} customers none bought in the {stake.active_within_days} days "
            f"before {as_of}",
            do="Choose an earlier as-of date, or a longer active_within_days in [definitions].",
        )
    seen = [look_back(facts, date) for date in judged_on(facts, as_of, horizon_days=stake.after_days)]
    expected = settled(seen)
    both = list(zip(sorted(seen, key=lambda one: one.date), expected, strict=True))
    rule = rule_to_ship(against_rules(both, ships=BLEND, seed=seed))
    fitted = _fit(facts, as_of, seen, rule) if standing.retrain or standing.record is None else None
    model = DefectionModel.from_record(standing.record) if standing.record is not None else fitted
    assert model is not None
    today, off = at_level(model, facts, as_of, seen), drift(seen, expected)
    scored, reasons, decision, known = _score(facts, as_of, today, customers, values, seen, off=off)
    likely = float(scored["probability"].sum())
    low, high = _interval(scored["probability"].to_numpy(), off, dates=len(seen))
    return Defection(
        as_of=as_of,
        horizon_days=stake.after_days,
        currency=facts.settings.money.currency,
        seed=seed,
        stake=stake,
        customers=scored,
        gone=len(snapshot(facts, as_of)) - len(customers),
        expected_to_leave=likely,
        expected_low=low,
        expected_high=high,
        judged=judge(seen, expected, rule=rule, seed=seed),
        shipped=_shipped(today, standing, seen),
        decision=decision,
        drivers=drivers(model, known, reasons),
        badly_treated=badly_treated(scored, known),
        understanding=understand_defection(facts, as_of, segments=segments),
        crowded=crowded_accounts(facts, as_of),
        wanting=absent(REQUIREMENTS, facts),
        model=model,
        fitted=fitted,
    )


def _fit(facts: Facts, as_of: dt.date, seen: Sequence[Foresight], rule: str) -> DefectionModel:
    """A model of today: its level settled by the judged dates, or the rule of thumb that was not beaten.

    It remembers the customers of the newest date that it learnt from, and their chances without the level of a date:
    those of today are held against them.
    """
    model = fit_defection_model(facts, as_of)
    if rule:
        model = ship_rule(model, facts, rule)
    model = at_level(model, facts, as_of, seen)
    learnt = max(model.learnt_from, default=as_of)
    without_level = replace(model, level={}).of_population(model.known_on(facts, learnt))
    return replace(model, population=without_level.population)


def at_level(model: DefectionModel, facts: Facts, as_of: dt.date, seen: Sequence[Foresight]) -> DefectionModel:
    """The model at the level of this date, whatever the date it was fitted on; see `level.settle`."""
    if model.rule:
        return model
    model = replace(model, level={}, level_from=dict.fromkeys(OUTCOMES, OWN))
    known, told = model.known_on(facts, as_of), year_ago(facts, as_of)
    levels = {
        outcome: settle(model.log_odds(known, outcome), told[outcome], seen, outcome)
        for outcome in OUTCOMES
        if model.learners.get(outcome)
    }
    return replace(
        model,
        level={outcome: level for outcome, (level, _) in levels.items()},
        level_from={**model.level_from, **{outcome: where for outcome, (_, where) in levels.items()}},
    )


def _score(
    facts: Facts,
    as_of: dt.date,
    model: DefectionModel,
    customers: pd.DataFrame,
    values: pd.DataFrame | None,
    seen: Sequence[Foresight],
    *,
    off: float,
) -> tuple[pd.DataFrame, list[tuple[Reason, ...]], Any, pd.DataFrame]:
    """The table of those at stake, the reasons of those at risk, the decision, and what the model read."""
    settings = facts.settings
    known = model.known_on(facts, as_of)
    chances = model.chances(known).round(CHANCE_DECIMALS)
    days = settings.definitions.value_horizon_days
    value, value_from = value_if_stays(customers, values, days=days, gross_margin=settings.money.gross_margin)
    left = chances[LEFT].to_numpy()
    decision = decide(
        left,
        value,
        settings.money,
        days=days,
        value_from=value_from,
        drift=off,
        seed=settings.runs.seed,
        still_brings=share_still_brought(facts, seen, days=days),
        dates=len(seen),
    )
    won = value * (1.0 - decision.still_brings)
    table = pd.DataFrame(
        {
            "customer_id": customers["customer_id"],
            "probability": left,
            "partial_probability": chances[OUTCOMES[1]].to_numpy(),
            "days_since_last_purchase": customers["days_since_last_purchase"],
            "usual_gap": customers["usual_gap"],
            "expected_next_purchase": expected_next_purchase(customers, as_of, model.purchases),
            "overdue": overdue(customers),
            "value_if_stays": value.round(MONEY_DECIMALS),
            "value_at_risk": (left * won).round(MONEY_DECIMALS),
            "worth_of_contact": (left * decision.kept * won - decision.cost).round(MONEY_DECIMALS),
        }
    )
    table["contact"] = left * decision.kept * won - decision.cost > 0
    table["rank"] = table["probability"].rank(method="first", ascending=False, na_option="bottom").astype("int64")
    at_risk = table["contact"] | (table["rank"] <= max(round(len(table) * AT_RISK), 1))
    reasons = reasons_for(model, known[at_risk.to_numpy()].reset_index(drop=True), facts, as_of)
    for column, words in {
        "reasons": [SEPARATOR.join(one.words for one in told) for told in reasons],
        "causes": [SEPARATOR.join(one.theme for one in told) for told in reasons],
    }.items():
        table[column] = pd.Series(words, index=table.index[at_risk], dtype="str").reindex(table.index).fillna("")
    return table.sort_values("rank", ignore_index=True), reasons, decision, known


def _interval(chances: FloatArray, off: float, *, dates: int) -> tuple[float, float]:
    """How many may leave: chance of each, and the level of all being off as it was on so many judged dates."""
    total = float(chances.sum())
    if total <= 0:
        return 0.0, 0.0
    known, one_sided = np.isfinite(off) and dates > 0, (1 + LEVEL) / 2
    by_chance = stats.norm.ppf(one_sided) * np.sqrt(float((chances * (1 - chances)).sum())) / total
    by_level = stats.t.ppf(one_sided, dates) * off if known else stats.norm.ppf(one_sided) * LIKELIEST_OFF
    wide = float(np.hypot(by_chance, by_level))
    return total * float(np.exp(-wide)), min(total * float(np.exp(wide)), float(len(chances)))


def _shipped(model: DefectionModel, standing: Standing, seen: Sequence[Foresight]) -> Shipped:
    why_not = []
    if not model.rule and model.learners.get(LEFT) is None:
        why_not.append("On the dates one could learn from too few left, or stayed: nothing was learnt from them.")
    if model.purchases is None:
        why_not.append("The data determine no purchase model: its chance of silence is not read.")
    if not seen:
        why_not.append("The history is too short to judge any candidate on a date whose outcome is known.")
    return Shipped(
        name=model.name,
        version=standing.version if standing.record is not None else "",
        fitted_as_of=model.as_of,
        learnt_from=model.learnt_from,
        why=standing.why,
        level_from=dict(model.level_from),
        why_not=tuple(why_not),
    )


__all__ = ["LEVEL", "REQUIREMENTS", "Defection", "DefectionModel", "analyse_defection"]
