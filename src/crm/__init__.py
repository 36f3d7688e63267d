"""Analytical CRM: from a company's purchase history to what its customers are worth, want and are about to do.

The names with which a notebook of your own begins:

    settings = read_settings("crm.toml")                  # the company's definitions
    facts = read_facts(settings)                          # its data, checked by their contracts
    customers = snapshot(facts, settings.as_of)           # one row per customer, known before that date
    data_dictionary()                                     # what the columns mean

    examine_data(facts, as_of)                            # can we trust this data?
    describe_customer_base(facts, as_of)                  # who are our customers, and what happened?
    segment_customers(facts, as_of)                       # which kinds of customers do we have?
    value_customers(facts, as_of)                         # what is each customer worth to us?
    analyse_defection(facts, as_of)                       # who is leaving, why, and whom to contact?
    cross_sell_to_customers(facts, as_of)                 # what would each customer buy next?
    analyse_campaigns(facts, as_of)                       # did our campaigns cause anything?
    plan_actions(facts, as_of, scores=…)                  # whom do we contact, about what, through which channel?

    read_scores("segments", settings=settings)            # what a run has published, one row per customer

    labelled_snapshot(facts, as_of, horizon_days=56)      # ... with what happened next
    temporal_splits(facts, as_of, horizon_days=56)        # dates to learn from, dates to be judged on

Each is loaded when it is first used, so that `import crm` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crm.analyses.campaign_success import analyse_campaigns
    from crm.analyses.cross_sell import cross_sell_to_customers
    from crm.analyses.customer_base import describe_customer_base
    from crm.analyses.data_quality import examine_data
    from crm.analyses.defection import analyse_defection
    from crm.analyses.lifetime_value import value_customers
    from crm.analyses.segmentation import segment_customers
    from crm.config import read_settings
    from crm.facts import read_facts
    from crm.features import data_dictionary
    from crm.mart import open_mart
    from crm.publishing import publish, read_scores
    from crm.scoring import plan_actions
    from crm.snapshots import labelled_snapshot, snapshot, temporal_splits

__version__ = "0.1.0"

_ROOM_OF = {
    "analyse_campaigns": "crm.analyses.campaign_success",
    "analyse_defection": "crm.analyses.defection",
    "cross_sell_to_customers": "crm.analyses.cross_sell",
    "data_dictionary": "crm.features",
    "describe_customer_base": "crm.analyses.customer_base",
    "examine_data": "crm.analyses.data_quality",
    "labelled_snapshot": "crm.snapshots",
    "open_mart": "crm.mart",
    "plan_actions": "crm.scoring",
    "publish": "crm.publishing",
    "read_facts": "crm.facts",
    "read_scores": "crm.publishing",
    "read_settings": "crm.config",
    "segment_customers": "crm.analyses.segmentation",
    "snapshot": "crm.snapshots",
    "temporal_splits": "crm.snapshots",
    "value_customers": "crm.analyses.lifetime_value",
}

__all__ = [
    "analyse_campaigns",
    "analyse_defection",
    "cross_sell_to_customers",
    "data_dictionary",
    "describe_customer_base",
    "examine_data",
    "labelled_snapshot",
    "open_mart",
    "plan_actions",
    "publish",
    "read_facts",
    "read_scores",
    "read_settings",
    "segment_customers",
    "snapshot",
    "temporal_splits",
    "value_customers",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'crm' has no attribute {name!r}")
    return getattr(importlib.import_module(_ROOM_OF[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
