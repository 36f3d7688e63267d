"""What defection needs, and what would let it say more."""

from __future__ import annotations

from crm.analyses import Addition, Minimum, Requirements

REQUIREMENTS = Requirements(
    notebook="04_defection",
    question="Who is leaving, why, and whom to contact?",
    minima=(
        Minimum("active_customers", 1, "only who still buys can leave"),
        Minimum("history_days", 28, "a silence is told by what was bought in four weeks at least"),
    ),
    additions=(
        Addition("products", "department", "what customers drop before they leave"),
        Addition("products", "category", "categories given up, among the reasons"),
        Addition("products", "margin_rate", "margin by the products' own rates"),
        Addition("purchases", "channel", "staying by the channel of the first purchase"),
        Addition("purchases", "discount_amount", "promotions, among what changed"),
        Addition("returns", None, "returns, among what changed"),
        Addition("deliveries", None, "late and faulty deliveries, among what changed and as reasons"),
        Addition("service_cases", None, "service cases and marks, among what changed and as reasons"),
        Addition("contacts", None, "campaigns received, among what changed"),
        Addition("visits", None, "web visits, among what changed"),
    ),
)
