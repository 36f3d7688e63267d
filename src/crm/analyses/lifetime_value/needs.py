"""What lifetime value needs, and what would let it say more."""

from __future__ import annotations

from crm.analyses import Addition, Minimum, Requirements

REQUIREMENTS = Requirements(
    notebook="03_lifetime_value",
    question="What is each customer worth to us?",
    minima=(
        Minimum("customers", 1, "somebody must have bought before what they will buy can be expected"),
        Minimum("history_days", 28, "what customers buy is told by what they bought in four weeks at least"),
    ),
    additions=(
        Addition("products", "margin_rate", "margin by the products' own rates"),
        Addition("returns", None, "what comes back, in the cost to serve"),
        Addition("service_cases", None, "service cases, in the cost to serve"),
        Addition("contacts", None, "campaigns received, in the cost to serve"),
        Addition("products", "department", "value by the department of the first purchase"),
        Addition("purchases", "channel", "value by the channel of the first purchase"),
    ),
)
