"""What the customer base needs, and what would let it say more."""

from __future__ import annotations

from crm.analyses import Addition, Minimum, Requirements

REQUIREMENTS = Requirements(
    notebook="01_customer_base",
    question="Who are our customers, and what happened?",
    minima=(Minimum("customers", 1, "there is nobody else to describe"),),
    additions=(
        Addition("plan", None, "the last full month against plan"),
        Addition("purchases", "quantity", "units sold"),
        Addition("purchases", "product_id", "what customers buy"),
        Addition("products", "department", "net sales by department"),
        Addition("products", "category", "net sales by category"),
        Addition("products", "margin_rate", "margin by the products' own rates"),
        Addition("purchases", "store_id", "net sales by store"),
        Addition("purchases", "channel", "net sales by channel"),
        Addition("purchases", "discount_amount", "how much the best tenth buys on promotion"),
        Addition("contacts", None, "how many campaigns the best tenth receives"),
        Addition("customers", None, "people who are registered and never bought"),
    ),
)
