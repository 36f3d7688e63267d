"""What was said to a customer, and what they answered."""

from __future__ import annotations

import narwhals as nw

from crm.engine import Lazy
from crm.features.feature import Feature, FeatureGroup
from crm.mart import Mart
from crm.periods import AsOf, known_within


def campaigns_received(mart: Mart, as_of: AsOf) -> Lazy:
    """Campaigns received in the last year: those held out on purpose received nothing."""
    contacts = known_within(mart["contacts"], as_of, 365)
    contacts = contacts.filter(nw.col("arm").fill_null("treated") != "held_out")
    return contacts.group_by("customer_id").agg(nw.col("campaign_id").n_unique().alias("campaigns_received_365d"))


def campaigns_answered(mart: Mart, as_of: AsOf) -> Lazy:
    """Campaigns answered in the last year."""
    responses = known_within(mart["responses"], as_of, 365)
    return responses.group_by("customer_id").agg(nw.col("campaign_id").n_unique().alias("campaigns_answered_365d"))


RECEIVED = FeatureGroup(
    name="campaigns received",
    needs=("contacts",),
    compute=campaigns_received,
    features=(Feature("campaigns_received_365d", "count", "campaigns received in the last 365 days"),),
)
ANSWERED = FeatureGroup(
    name="campaigns answered",
    needs=("responses",),
    compute=campaigns_answered,
    features=(Feature("campaigns_answered_365d", "count", "campaigns answered in the last 365 days"),),
)
