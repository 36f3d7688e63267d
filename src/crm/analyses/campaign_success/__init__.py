"""Did our campaigns cause anything, and whom should the next one reach?

`analyse_campaigns(facts, as_of)` reads every campaign that had begun: who was chosen and who answered; what
contacting caused, by lot where there was one and by comparison with untouched customers of the same past where there
was none; or that nobody can tell. Then it plans the next experiment and says who would answer, and who would buy
because of it.
"""

from __future__ import annotations

import datetime as dt
from functools import cache

import pandas as pd

from crm.analyses import absent, refuse_thin
from crm.analyses.campaign_success.against_plan import CAUSED, against_plan, over_months
from crm.analyses.campaign_success.campaigns import HELD_OUT, Campaign, Campaigns, Chosen, read_campaigns
from crm.analyses.campaign_success.channels import best_channels
from crm.analyses.campaign_success.needs import REQUIREMENTS
from crm.analyses.campaign_success.planning import Plan, plan_next
from crm.analyses.campaign_success.pooled import pool
from crm.analyses.campaign_success.promotions import bought_anyway, promotion_dependence
from crm.analyses.campaign_success.reached import by_group, groups_of, reached
from crm.analyses.campaign_success.reading import Reading, read_campaign
from crm.analyses.campaign_success.result import CampaignSuccess
from crm.analyses.campaign_success.targeting import learn_targeting
from crm.analyses.campaign_success.windows import Around, around
from crm.analyses.standing import Standing
from crm.facts import Facts
from crm.measures.intervals import standard_error

TOLD = ("share", "low", "high", "responded", "incremental", "observational", "how", "why_not")
ANYWAY = ("campaign_id", "name", *TOLD)


def analyse_campaigns(
    facts: Facts,
    as_of: dt.date,
    *,
    segments: pd.DataFrame | None = None,
    standing: Standing = Standing(),  # noqa: B008 - frozen
) -> CampaignSuccess:
    """What every campaign that had begun before `as_of` caused, and whom the next one should reach.

    segments: customer_id and cluster_name, for answers and effects by segment.
    standing: the approved model of who answers; without one, what is fitted here scores.

    Nothing on or after `as_of` is read. Raises NotEnoughData where no campaign had begun and chosen anybody.
    """
    refuse_thin(REQUIREMENTS, facts, as_of)
    asked, seed = facts.settings.campaigns, facts.settings.runs.seed
    campaigns = read_campaigns(facts, as_of)

    @cache
    def around_of(campaign: Campaign) -> Around:
        return around(facts, campaign, as_of, after_days=asked.after_days)

    groups = {} if segments is None else {"segment": segments.set_index("customer_id")["cluster_name"]}
    readings = tuple(
        read_campaign(facts, chosen, campaigns, as_of, here=around_of(chosen.campaign), groups=groups, seed=seed)
        for chosen in campaigns.chosen
    )
    targeting = learn_targeting(facts, campaigns, as_of, standing=standing, seed=seed)
    return CampaignSuccess(
        as_of=as_of,
        currency=facts.settings.money.currency,
        judged_by=asked.judged_by,
        matters=asked.smallest_effect,
        campaigns=campaigns,
        readings=readings,
        reached=reached(campaigns, facts, as_of, after_days=asked.after_days, around_of=around_of),
        by_group=by_group(campaigns, groups_of(campaigns, facts, around_of=around_of, segments=segments)),
        against_plan=against_plan(facts, as_of, campaigns, _caused(readings)),
        plan=_plan(facts, as_of, readings),
        targeting=targeting,
        channels=best_channels(targeting.scores, campaigns, facts, as_of),
        promotions=promotion_dependence(facts, as_of),
        anyway=_anyway(readings),
        standing=standing,
        wanting=absent(REQUIREMENTS, facts),
    )


def _effect(reading: Reading, outcome: str) -> pd.Series[float] | None:
    """The effect on an outcome in the days of the campaign, where one may be told."""
    found = reading.experiment if reading.experiment is not None else reading.observed
    fair = reading.experiment.lot.fair if reading.experiment else reading.observed and reading.observed.claim_allowed
    if found is None or reading.running or not fair or found.effects.empty:
        return None
    rows = found.effects[(found.effects["outcome"] == outcome) & (found.effects["window"] == "during")]
    return rows.iloc[0] if len(rows) and rows["low"].notna().all() else None


def _caused(readings: tuple[Reading, ...]) -> pd.DataFrame:
    """Net sales that campaigns caused among those compared, laid over the months of their days."""
    parts = []
    for reading in readings:
        effect = _effect(reading, "net_sales")
        if effect is not None:
            amounts = [float(effect[name]) * reading.compared for name in ("effect", "low", "high")]
            parts.append(over_months(reading.chosen.campaign, *amounts))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(CAUSED))


def _anyway(readings: tuple[Reading, ...]) -> pd.DataFrame:
    """Of each campaign's answers, how many came from customers who would have bought anyway: `ANYWAY`."""
    rows = []
    for reading in readings:
        effect, chosen = _effect(reading, "bought"), reading.chosen
        contacted = chosen.customers["arm"] != HELD_OUT
        answered = int(chosen.customers.loc[contacted, "responded"].notna().sum())
        if effect is None or not answered:
            continue
        told = bought_anyway(
            float(effect["effect"]),
            float(effect["low"]),
            float(effect["high"]),
            responded=answered,
            contacted=chosen.contacted,
            observational=reading.experiment is None,
        )
        campaign = chosen.campaign
        rows.append((campaign.campaign_id, campaign.name, *(getattr(told, name) for name in TOLD)))
    return pd.DataFrame(rows, columns=list(ANYWAY))


def _plan(facts: Facts, as_of: dt.date, readings: tuple[Reading, ...]) -> Plan:
    """The next experiment, by what the ended ones showed of the margin of a contact."""
    effects = [
        (effect, reading)
        for reading in readings
        if reading.experiment is not None and (effect := _effect(reading, "margin")) is not None
    ]
    shown = pool(
        [float(effect["effect"]) for effect, _ in effects],
        [standard_error(float(effect["low"]), float(effect["high"])) for effect, _ in effects],
    )
    newest = readings[-1].chosen.campaign if readings else None
    costs = [reading.chosen.campaign.contact_cost for reading in readings]
    known = pd.Series(costs, dtype="float64").dropna()
    return plan_next(
        facts,
        as_of,
        effect=(shown.effect, shown.low, shown.high) if shown is not None and shown.low > 0 else None,
        cost=float(known.median()) if len(known) else float("nan"),
        held_out_share=facts.settings.campaigns.held_out_share,
        days=newest.days if newest is not None else 28,
    )


__all__ = [
    "REQUIREMENTS",
    "Campaign",
    "CampaignSuccess",
    "Campaigns",
    "Chosen",
    "Reading",
    "analyse_campaigns",
    "read_campaigns",
]
