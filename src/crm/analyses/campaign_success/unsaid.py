"""What the data do not allow to be said of campaigns, each in one sentence with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm.analyses import left_out
from crm.analyses.campaign_success.needs import REQUIREMENTS

if TYPE_CHECKING:
    from crm.analyses.campaign_success.result import CampaignSuccess


def unsaid(one: CampaignSuccess) -> dict[str, str]:
    """The sentence of each section that is left out.

    Sections: experiments, observational, answers, by_group, running, targeting, uplift, channels, against_plan, plan,
    promotions, anyway.
    """
    readings = one.readings
    observed = any(reading.observed is not None for reading in readings)
    running = any(reading.look is not None for reading in readings)
    sections = {
        "experiments": "" if any(reading.experiment is not None for reading in readings) else _NO_LOT,
        "observational": "" if observed else _ALL_BY_LOT,
        "answers": "" if one.reached["responded"].notna().any() else left_out([REQUIREMENTS.addition("responses")]),
        "by_group": "" if len(one.by_group) else _NO_GROUPS,
        "running": "" if running else _NONE_RUNS,
        "targeting": one.targeting.why_not or one.targeting.why_no_response,
        "uplift": one.targeting.why_not or one.targeting.why_no_uplift,
        "channels": "" if one.channels is not None and not one.channels.why_not else _no_channel(one),
        "against_plan": "" if len(one.against_plan) else left_out([REQUIREMENTS.addition("plan")]),
        "plan": "" if one.plan is not None and len(one.plan.audiences) else _NO_PLAN,
        "promotions": "" if len(one.promotions.by_share) else listed_tells(one),
        "anyway": "" if len(one.anyway) and one.anyway["share"].notna().any() else _NOT_ANYWAY,
    }
    return {section: sentence for section, sentence in sections.items() if sentence}


def listed_tells(one: CampaignSuccess) -> str:
    """Why nothing is said of promotions."""
    return " ".join(one.promotions.tells)


def _no_channel(one: CampaignSuccess) -> str:
    return one.channels.why_not if one.channels is not None else "No customer has a score to choose a channel by."


_NO_LOT = (
    "No campaign was drawn by lot, so that what campaigns caused can only be told by comparison. Leave some of the "
    "chosen customers alone next time, by lot, and state it in the column arm of the table contacts."
)
_ALL_BY_LOT = "Every campaign with contacts was drawn by lot: nothing has to be told by comparison."
_NO_GROUPS = "Answers by group are left out: no group of five customers or more was contacted and could answer."
_NONE_RUNS = "No experiment runs on this date."
_NO_PLAN = "The next experiment cannot be planned: nobody is active, or nothing is known of what they usually bring."
_NOT_ANYWAY = (
    "How many of those who answered would have bought anyway is left out: it takes answers to campaigns whose effect "
    "on buying is known."
)
