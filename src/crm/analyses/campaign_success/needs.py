"""What campaign success needs, and what would let it say more."""

from __future__ import annotations

from crm.analyses import Addition, Minimum, Requirements

REQUIREMENTS = Requirements(
    notebook="06_campaign_success",
    question="Did our campaigns cause anything?",
    minima=(
        Minimum("campaigns", 1, "it tells what came of campaigns"),
        Minimum("customers", 20, "who was contacted is compared with who was not"),
    ),
    additions=(
        Addition("contacts", "arm", "what campaigns caused, from those that were left alone by lot"),
        Addition("responses", None, "who answered, and who would"),
        Addition("campaigns", "channel", "the best channel for each customer"),
        Addition("campaigns", "contact_cost", "costs by campaign, where [money] contact_cost stands in"),
        Addition("plan", None, "planned against actual in the months of campaigns"),
        Addition("consents", None, "through which channel each customer may be contacted"),
    ),
)
