"""Whom do we contact, about what, through which channel? Scores become lists that can be acted on and measured."""

from crm.scoring.action_lists import ActionList, ActionLists, plan_actions
from crm.scoring.needs import REQUIREMENTS
from crm.scoring.permission import consents_now

SCORES_READ = ("segments", "lifetime_value", "defection", "cross_sell", "up_sell", "campaign_response")
"""The score tables that lists are made from; any of them may be missing."""

__all__ = ["REQUIREMENTS", "SCORES_READ", "ActionList", "ActionLists", "consents_now", "plan_actions"]
