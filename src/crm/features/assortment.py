"""What a customer buys: how many categories and departments, and which leads."""

from __future__ import annotations

import narwhals as nw

from crm.engine import Lazy
from crm.features.feature import Feature, FeatureGroup, different, leading, money_rounded
from crm.mart import Mart
from crm.periods import AsOf, known_within


def assortment(mart: Mart, as_of: AsOf) -> Lazy:
    """Breadth of the last year's purchases, and the department with the largest share of net sales."""
    days = known_within(mart["customer_category_days"], as_of, 365)
    breadth = different(days, "category", "categories_365d").join(
        different(days, "department", "departments_365d"), on="customer_id", how="left"
    )
    departments = days.group_by("customer_id", "department").agg(nw.col("net_sales").sum())
    departments = departments.with_columns(*money_rounded("net_sales"))
    top = leading(departments, name="department", amount="net_sales")
    top = top.rename({"department": "top_department", "share": "share_of_top_department"})
    return breadth.join(top, on="customer_id", how="left")


ASSORTMENT = FeatureGroup(
    name="assortment",
    needs=("customer_category_days",),
    compute=assortment,
    features=(
        Feature("categories_365d", "count", "known categories bought in the last 365 days"),
        Feature("departments_365d", "count", "known departments bought in the last 365 days"),
        Feature(
            "top_department",
            "word",
            "department with the largest net sales of the last 365 days (first by name where equal)",
            "bought nothing in the last 365 days",
        ),
        Feature(
            "share_of_top_department",
            "share",
            "share of the top department in net sales of the last 365 days",
            "net sales of the last 365 days are zero",
        ),
    ),
)
