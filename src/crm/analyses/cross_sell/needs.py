"""What cross-sell needs, and what would let it say more."""

from __future__ import annotations

from crm.analyses import Addition, Minimum, Requirements

REQUIREMENTS = Requirements(
    notebook="05_cross_sell",
    question="What would each customer buy next?",
    minima=(
        Minimum("active_customers", 20, "what goes with what is told by what many customers buy"),
        Minimum("history_days", 28, "what is new to a customer is told by what they bought in four weeks at least"),
    ),
    additions=(
        Addition("purchases", "product_id", "what each customer would buy next"),
        Addition("products", "category", "what goes with what, by category"),
        Addition("products", "department", "the department of each item"),
        Addition("products", "margin_rate", "the best offer by the products' own margin rates"),
        Addition("purchases", "quantity", "who may move to a dearer line, by unit prices"),
    ),
)
