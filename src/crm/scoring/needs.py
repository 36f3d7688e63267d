"""What action lists need, and what would let them say more."""

from __future__ import annotations

from crm.analyses import Addition, Minimum, Requirements

REQUIREMENTS = Requirements(
    notebook="07_action_lists",
    question="Whom do we contact, about what, through which channel?",
    minima=(
        Minimum("programmes", 1, "a list belongs to a programme"),
        Minimum("customers", 1, "there must be somebody to contact"),
    ),
    additions=(
        Addition("consents", None, "who allows which contact"),
        Addition("contacts", None, "who was contacted often enough lately"),
        Addition("service_cases", None, "a quiet time after a service case"),
        Addition("customers", "joined_at", "the day on which each customer joined"),
        Addition("subscriptions", "ended_at", "the ends of contracts"),
    ),
)
