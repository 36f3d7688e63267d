"""Whom should the next campaign reach? Who would answer, and, where an experiment tells, whom a contact changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from crm.analyses.campaign_success.campaigns import Campaigns, known_until
from crm.analyses.campaign_success.contacted import Contacted, read_contacted
from crm.analyses.campaign_success.model import CampaignResponseModel, Today, no_scores, today_of
from crm.analyses.campaign_success.response import Judged, enough, fit_response, judge_response
from crm.analyses.campaign_success.response import answered_rows as contacts_of
from crm.analyses.campaign_success.uplift import (
    APART,
    DR,
    EFFECTS,
    FEWEST_OF_AN_ARM,
    FEWEST_ROWS,
    TABLE,
    Experiments,
    UpliftJudged,
    fit_uplift,
    judge_uplift,
)
from crm.analyses.campaign_success.whom import COLUMNS as GROUP_COLUMNS
from crm.analyses.campaign_success.whom import Policy, groups_table, no_policy, policy_of
from crm.analyses.standing import Standing
from crm.facts import Facts
from crm.measures.amounts import FloatArray
from crm.periods import date_of, day_number

FEWEST_CLOSED = 2
"""Closed campaigns without which nothing is learnt."""


@dataclass(frozen=True)
class Targeting:
    """Whom the next campaign should reach.

    model:      that scores; None where nothing can be learnt and there is no champion.
    challenger: fitted beside the champion.
    response:   how those who tell who would answer did on later campaigns (`response.Judged`).
    uplift:     how the learners of effects did: `uplift.TABLE`; empty without experiments.
    effects:    the average effect of a contact by target, with interval: `uplift.EFFECTS`.
    groups:     persuadables, sure things, lost causes, do-not-disturbs: `whom.COLUMNS`; empty without a target.
    policy:     expected profit of contacting the best x %.
    scores:     one row per active customer and kind of campaign: `model.SCORES`.
    why_not:    why nothing can be learnt; why_no_response, why_no_uplift: why one of the two cannot.
    nothing_to_target: experiments were looked at, and no order of customers was surely better than chance.
                `nothing` has the numbers: for each target the Qini of the doubly robust learner, with interval, and
                by how much it is above that of who would answer.
    """

    as_of: dt.date
    model: CampaignResponseModel | None = field(repr=False)
    challenger: CampaignResponseModel | None = field(repr=False)
    standing: Standing
    response: Judged = field(repr=False)
    uplift: pd.DataFrame = field(repr=False)
    effects: pd.DataFrame = field(repr=False)
    groups: pd.DataFrame = field(repr=False)
    policy: Policy = field(repr=False)
    scores: pd.DataFrame = field(repr=False)
    target: str
    why_not: str
    why_no_response: str
    why_no_uplift: str
    nothing_to_target: bool
    nothing: Mapping[str, Mapping[str, float]] = field(repr=False)


def learn_targeting(
    facts: Facts, campaigns: Campaigns, as_of: dt.date, *, standing: Standing | None = None, seed: int
) -> Targeting:
    """Learn from closed campaigns who would answer and whom a contact changes, judge both, and score.

    standing: the approved model, which scores where there is one; without one a new one is fitted and scores. The
    same facts, campaigns, date, standing and seed give the same scores, byte for byte.
    """
    standing = standing or Standing()
    champion = CampaignResponseModel.from_record(standing.record) if standing.record else None
    contacted = read_contacted(facts, campaigns, as_of)
    today = today_of(facts, campaigns, as_of, contacted.past) if facts.first_day < day_number(as_of) else None
    response = judge_response(contacted, seed=seed)
    experiments = Experiments.of(contacted, seed=seed)
    judged = judge_uplift(contacted, experiments, ships=response.ships, seed=seed) if experiments.enough else None
    why = _reasons(facts, campaigns, contacted, experiments, as_of)
    fitted = None
    if not why.nothing and (champion is None or standing.retrain):
        fitted = _fit(contacted, as_of, why, ships=response.ships, seed=seed)
        if judged:
            fitted = replace(fitted, uplift=fit_uplift(experiments, judged, fitted.response))
        fitted = _remember(fitted, today)
    model = champion or fitted
    return Targeting(
        as_of=as_of,
        model=model,
        challenger=fitted if champion else None,
        standing=standing,
        response=response,
        uplift=judged.table if judged else pd.DataFrame(columns=list(TABLE)),
        effects=judged.effects if judged else pd.DataFrame(columns=list(EFFECTS)),
        groups=_groups(experiments, judged, fitted or model, today),
        policy=policy_of(experiments, judged) if judged else no_policy(),
        scores=model.score_today(today) if model and today else no_scores(),
        target=judged.target if judged else "",
        why_not=why.nothing,
        why_no_response=why.no_response,
        why_no_uplift=why.no_uplift,
        nothing_to_target=judged is not None and not judged.target,
        nothing=_numbers(judged) if judged is not None and not judged.target else {},
    )


@dataclass(frozen=True)
class _Why:
    nothing: str
    no_response: str
    no_uplift: str


def _reasons(
    facts: Facts, campaigns: Campaigns, contacted: Contacted, experiments: Experiments, as_of: dt.date
) -> _Why:
    """A sentence for each thing that cannot be learnt; empty where it can."""
    no_response = _no_response(facts, contacted)
    no_uplift = "" if experiments.enough else _no_uplift(campaigns, experiments, known_until(facts, as_of))
    closed = contacted.rows["campaign_id"].nunique()
    nothing = ""
    if closed < FEWEST_CLOSED:
        nothing = f"Whom to reach is learnt from at least {FEWEST_CLOSED} campaigns that have ended; there " + (
            "is one." if closed == 1 else "is none."
        )
    elif no_response and no_uplift:
        nothing = f"{no_response} {no_uplift}"
    return _Why(nothing, no_response, no_uplift)


def _no_response(facts: Facts, contacted: Contacted) -> str:
    if not facts.has("responses"):
        return "Nobody's answers are known: there is no table responses."
    yes: FloatArray = contacts_of(contacted.rows)["responded"].to_numpy(dtype="float64")
    if enough(yes):
        return ""
    return f"Of {len(yes):,} who were contacted {int(yes.sum()):,} answered: too few of either to learn who does."


def _no_uplift(campaigns: Campaigns, experiments: Experiments, until: int) -> str:
    drawn = [one for one in campaigns.chosen if one.randomised and one.campaign.ends <= until]
    if not drawn:
        return "Whom a contact changes is not known: no campaign that has ended held customers out by lot."
    return (
        f"Whom a contact changes is learnt from at least {FEWEST_ROWS:,} customers of experiments with "
        f"{FEWEST_OF_AN_ARM} or more in either arm; there are {len(experiments):,}."
    )


def _fit(contacted: Contacted, as_of: dt.date, why: _Why, *, ships: str, seed: int) -> CampaignResponseModel:
    """Without what a contact changes."""
    response = fit_response(contacted, ships=ships, seed=seed)
    if why.no_response.startswith("Nobody's"):
        response = type(response)(response.ships, None, {}, float("nan"), response.learnt_from)
    through = date_of(int(contacted.rows["ends"].max())) if len(contacted.rows) else None
    return CampaignResponseModel(as_of, response, None, why.no_uplift, contacted.columns, through, seed)


def _remember(model: CampaignResponseModel, today: Today | None) -> CampaignResponseModel:
    if today is None or not today.newest_kind or not today.customer_ids:
        return model
    return model.of_population(today.known(today.newest_kind), today.newest_kind)


def _groups(
    experiments: Experiments, judged: UpliftJudged | None, model: CampaignResponseModel | None, today: Today | None
) -> pd.DataFrame:
    if judged is None or model is None or model.uplift is None or today is None or not today.newest_kind:
        return pd.DataFrame(columns=list(GROUP_COLUMNS))
    return groups_table(experiments, judged, model.uplift, today.known(today.newest_kind))


def _numbers(judged: UpliftJudged) -> Mapping[str, Mapping[str, float]]:
    ours = judged.table[(judged.table["learner"] == DR) & (judged.table["judged_on"] == APART)]
    names = ["rows", "campaigns", "qini", "low", "high", "over_answers", "over_answers_low", "over_answers_high"]
    return {str(row["target"]): {name: float(row[name]) for name in names} for row in ours.to_dict("records")}


__all__ = ["Targeting", "learn_targeting"]
