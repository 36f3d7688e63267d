"""When a customer buys: purchase days, the gaps between them, and the silence since the last."""

from __future__ import annotations

import narwhals as nw

from crm.engine import Lazy
from crm.features.feature import Feature, FeatureGroup, days_before, whole, within
from crm.mart import Mart
from crm.periods import AsOf, day_number, known_before


def timing(mart: Mart, as_of: AsOf) -> Lazy:
    """Frequency, recency and T as buy-till-you-die models count them, and the gaps between purchase days."""
    days = known_before(mart["customer_days"], as_of).with_columns(one=nw.lit(1))
    days = days.with_columns(
        purchase_days_28d=within(as_of, 28, "one"),
        purchase_days_91d=within(as_of, 91, "one"),
        purchase_days_365d=within(as_of, 365, "one"),
    )
    counted = days.group_by("customer_id").agg(
        nw.len().alias("purchase_days"),
        nw.col("day").min().alias("first_day"),
        nw.col("day").max().alias("last_day"),
        nw.col("purchase_days_28d").sum(),
        nw.col("purchase_days_91d").sum(),
        nw.col("purchase_days_365d").sum(),
    )
    counted = counted.with_columns(
        *whole("purchase_days", "purchase_days_28d", "purchase_days_91d", "purchase_days_365d"),
        days_since_last_purchase=days_before(as_of, day="last_day"),
        frequency=nw.col("purchase_days").cast(nw.Int64) - 1,
        recency=nw.col("last_day") - nw.col("first_day"),
        T=days_before(as_of, day="first_day"),
    )
    return counted.join(_gaps(days), on="customer_id", how="left").with_columns(
        gap_ratio=(nw.lit(day_number(as_of)) - nw.col("last_day")) / nw.col("usual_gap")
    )


def _gaps(days: Lazy) -> Lazy:
    """Mean, spread and median of the days between consecutive purchase days; from two gaps on there is a spread."""
    gaps = days.select(
        "customer_id", gap=nw.col("day") - nw.col("day").shift(1).over("customer_id", order_by="day")
    ).filter(~nw.col("gap").is_null())
    gaps = gaps.with_columns(nw.col("gap").cast(nw.Float64), square=(nw.col("gap") * nw.col("gap")).cast(nw.Float64))
    sums = gaps.group_by("customer_id").agg(
        nw.len().alias("gaps"),
        nw.col("gap").sum().alias("total"),
        nw.col("square").sum().alias("squares"),
        nw.col("gap").median().alias("usual_gap"),
    )
    # From whole numbers, whose sums are exact: the spread is then the same on every engine and in every order.
    spread = ((nw.col("squares") - nw.col("total") * nw.col("total") / nw.col("gaps")) / (nw.col("gaps") - 1)).sqrt()
    return sums.select(
        "customer_id",
        "usual_gap",
        mean_gap=nw.col("total") / nw.col("gaps"),
        sd_gap=nw.when(nw.col("gaps") > 1).then(spread),
    )


_ONE_TIME = "bought on one day only"

TIMING = FeatureGroup(
    name="timing",
    needs=("customer_days",),
    compute=timing,
    features=(
        Feature("purchase_days", "count", "days with a purchase before the as-of date"),
        Feature("purchase_days_28d", "count", "days with a purchase in the last 28 days"),
        Feature("purchase_days_91d", "count", "days with a purchase in the last 91 days"),
        Feature("purchase_days_365d", "count", "days with a purchase in the last 365 days"),
        Feature("first_day", "days", "day number of the first purchase"),
        Feature("last_day", "days", "day number of the last purchase"),
        Feature("days_since_last_purchase", "days", "from the last purchase to the as-of date; 1 = the day before"),
        Feature("frequency", "count", "repeat purchase days: purchase days after the first"),
        Feature("recency", "days", "from the first purchase to the last (buy-till-you-die models' recency)"),
        Feature("T", "days", "from the first purchase to the as-of date"),
        Feature("usual_gap", "days", "median of the gaps between purchase days", _ONE_TIME),
        Feature("mean_gap", "days", "mean of the gaps between purchase days", _ONE_TIME),
        Feature("sd_gap", "days", "standard deviation of the gaps", "fewer than two gaps"),
        Feature("gap_ratio", "number", "days since the last purchase over the usual gap", _ONE_TIME),
    ),
)
