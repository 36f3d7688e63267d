"""What the segmentation needs, and what would let it say more."""

from __future__ import annotations

from crm.analyses import Addition, Minimum, Requirements

REQUIREMENTS = Requirements(
    notebook="02_segmentation",
    question="Which kinds of customers do we have?",
    minima=(
        Minimum("customers", 5, "RFM tells them apart by fifths"),
        Minimum("purchase_days", 2, "on one day all have bought as recently and as often as each other"),
    ),
    additions=(
        Addition("purchases", "discount_amount", "who buys on promotion and what discounts cost"),
        Addition("purchases", "coupon_amount", "who buys with coupons"),
        Addition("purchases", "channel", "who buys by which channel"),
        Addition("purchases", "store_id", "in how many stores each segment buys"),
        Addition("purchases", "product_id", "what each segment buys"),
        Addition("products", "department", "what each segment spends on by department"),
        Addition("products", "category", "how wide a choice each segment buys"),
        Addition("products", "margin_rate", "margin by the products' own rates"),
        Addition("returns", None, "what comes back and what that costs"),
        Addition("deliveries", None, "late and faulty deliveries"),
        Addition("service_cases", None, "service cases and satisfaction"),
        Addition("visits", None, "web visits"),
        Addition("contacts", None, "campaigns received"),
        Addition("responses", None, "campaigns answered"),
    ),
)
