"""How a customer was served: returns, deliveries, cases; and how they look around between purchases."""

from __future__ import annotations

import narwhals as nw

from crm.engine import Lazy
from crm.features.feature import Feature, FeatureGroup, money_rounded, whole
from crm.mart import Mart
from crm.periods import AsOf, day_number, known_before, known_within


def returns(mart: Mart, as_of: AsOf) -> Lazy:
    """Lines sent back or cancelled in the last year, and what they were worth."""
    sent_back = known_within(mart["returns"], as_of, 365)
    sums = sent_back.group_by("customer_id").agg(
        nw.len().alias("returns_365d"), nw.col("amount").sum().alias("returned_365d")
    )
    return sums.with_columns(*whole("returns_365d"), *money_rounded("returned_365d"))


def deliveries(mart: Mart, as_of: AsOf) -> Lazy:
    """Deliveries that arrived in the last year, and how many of them late or faulty."""
    arrived = known_within(mart["delivery_days"], as_of, 365)
    sums = arrived.group_by("customer_id").agg(
        nw.len().alias("deliveries_365d"),
        nw.col("late").sum().alias("late_deliveries_365d"),
        nw.col("faulty").sum().alias("faulty_deliveries_365d"),
    )
    return sums.with_columns(*whole("deliveries_365d", "late_deliveries_365d", "faulty_deliveries_365d"))


def cases(mart: Mart, as_of: AsOf) -> Lazy:
    """Service cases of the last year, those open on the as-of date, and the mean mark given.

    A case counts as open when it was opened before the as-of date and not closed before it; its later closing and the
    mark given then are not known yet.
    """
    known = known_before(mart["service_cases"], as_of)
    closed = nw.col("closed_day") < day_number(as_of)
    known = known.with_columns(
        open_cases=nw.when(closed).then(0).otherwise(1),
        cases_365d=nw.when(nw.col("day") >= day_number(as_of) - 365).then(1).otherwise(0),
        mark=nw.when(closed).then(nw.col("satisfaction")),
    )
    sums = known.group_by("customer_id").agg(
        nw.col("cases_365d").sum(), nw.col("open_cases").sum(), nw.col("mark").mean().alias("mean_satisfaction")
    )
    return sums.with_columns(*whole("cases_365d", "open_cases"))


def visits(mart: Mart, as_of: AsOf) -> Lazy:
    """Web visits of the last 91 days."""
    recent = known_within(mart["visits"], as_of, 91)
    return recent.group_by("customer_id").agg(nw.len().alias("visits_91d")).with_columns(*whole("visits_91d"))


RETURNS = FeatureGroup(
    name="returns",
    needs=("returns",),
    compute=returns,
    features=(
        Feature("returns_365d", "count", "lines sent back or cancelled in the last 365 days"),
        Feature("returned_365d", "money", "money given back in the last 365 days"),
    ),
)
DELIVERIES = FeatureGroup(
    name="deliveries",
    needs=("delivery_days",),
    compute=deliveries,
    features=(
        Feature("deliveries_365d", "count", "deliveries that arrived in the last 365 days"),
        Feature(
            "late_deliveries_365d", "count", "deliveries of the last 365 days that came on a later day than promised"
        ),
        Feature(
            "faulty_deliveries_365d",
            "count",
            "deliveries of the last 365 days that were incomplete, damaged or without papers",
        ),
    ),
)
CASES = FeatureGroup(
    name="service cases",
    needs=("service_cases",),
    compute=cases,
    features=(
        Feature("cases_365d", "count", "service cases opened in the last 365 days"),
        Feature("open_cases", "count", "service cases open on the as-of date"),
        Feature("mean_satisfaction", "number", "mean mark of closed cases, 1 (bad) to 5 (good)", "gave no mark"),
    ),
)
VISITS = FeatureGroup(
    name="visits",
    needs=("visits",),
    compute=visits,
    features=(Feature("visits_91d", "count", "web visits of the last 91 days"),),
)
