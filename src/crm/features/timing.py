"""When a customer buys: purchase days, the gaps between them, and the silence since the last."""

from __future__ import annotations

import narwhals as nw

from crm.engine import Lazy
from crm.features.feature import (
    FADED_DECIMALS,
    FADING_DAYS,
    Feature,
    FeatureGroup,
    days_before,
    fading,
    whole,
    within,
)
from crm.mart import Mart
from crm.periods import AsOf, day_number, known_before

WINDOWS = (7, 14, 28, 56, 91, 182, 365)


def timing(mart: Mart, as_of: AsOf) -> Lazy:
    """Frequency, recency and T as buy-till-you-die models count them, and the gaps between purchase days."""
    days = known_before(mart["customer_days"], as_of).with_columns(one=nw.lit(1))
    days = days.with_columns(
        **{f"purchase_days_{window}d": within(as_of, window, "one") for window in WINDOWS},
        purchase_days_fading=fading(as_of, "one"),
    )
    counted = days.group_by("customer_id").agg(
        nw.len().alias("purchase_days"),
        nw.col("day").min().alias("first_day"),
        nw.col("day").max().alias("last_day"),
        *(nw.col(f"purchase_days_{window}d").sum() for window in WINDOWS),
        nw.col("purchase_days_fading").sum(),
    )
    counted = counted.with_columns(
        *whole("purchase_days", *(f"purchase_days_{window}d" for window in WINDOWS)),
        purchase_days_fading=nw.col("purchase_days_fading").round(FADED_DECIMALS),
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
        "customer_id", "day", gap=nw.col("day") - nw.col("day").shift(1).over("customer_id", order_by="day")
    ).filter(~nw.col("gap").is_null())
    last = gaps.with_columns(newest=nw.col("day").max().over("customer_id")).filter(nw.col("day") == nw.col("newest"))
    gaps = gaps.with_columns(
        nw.col("gap").cast(nw.Float64),
        square=(nw.col("gap") * nw.col("gap")).cast(nw.Float64),
        log=nw.col("gap").cast(nw.Float64).log(),
    )
    sums = gaps.group_by("customer_id").agg(
        nw.len().alias("gaps"),
        nw.col("gap").sum().alias("total"),
        nw.col("square").sum().alias("squares"),
        nw.col("log").mean().alias("mean_log_gap"),
        nw.col("gap").median().alias("usual_gap"),
        nw.col("gap").max().alias("longest_gap"),
    )
    # From whole numbers, whose sums are exact: the spread is then the same on every engine and in every order.
    spread = ((nw.col("squares") - nw.col("total") * nw.col("total") / nw.col("gaps")) / (nw.col("gaps") - 1)).sqrt()
    return sums.join(last.select("customer_id", last_gap="gap"), on="customer_id", how="left").select(
        "customer_id",
        "usual_gap",
        "longest_gap",
        "last_gap",
        mean_gap=nw.col("total") / nw.col("gaps"),
        sd_gap=nw.when(nw.col("gaps") > 1).then(spread),
        mean_log_gap=nw.col("mean_log_gap").round(_LOG_DECIMALS),
    )


_ONE_TIME = "bought on one day only"
_LOG_DECIMALS = 9  # so that a mean does not depend on the order of addition

TIMING = FeatureGroup(
    name="timing",
    needs=("customer_days",),
    compute=timing,
    features=(
        Feature("purchase_days", "count", "days with a purchase before the as-of date"),
        *(Feature(f"purchase_days_{w}d", "count", f"days with a purchase in the last {w} days") for w in WINDOWS),
        Feature(
            "purchase_days_fading", "number", f"purchase days, each worth half as much per {FADING_DAYS} days ago"
        ),
        Feature("first_day", "days", "day number of the first purchase"),
        Feature("last_day", "days", "day number of the last purchase"),
        Feature("days_since_last_purchase", "days", "from the last purchase to the as-of date; 1 = the day before"),
        Feature("frequency", "count", "repeat purchase days: purchase days after the first"),
        Feature("recency", "days", "from the first purchase to the last (buy-till-you-die models' recency)"),
        Feature("T", "days", "from the first purchase to the as-of date"),
        Feature("usual_gap", "days", "median of the gaps between purchase days", _ONE_TIME),
        Feature("mean_gap", "days", "mean of the gaps between purchase days", _ONE_TIME),
        Feature("sd_gap", "days", "standard deviation of the gaps", "fewer than two gaps"),
        Feature("longest_gap", "days", "the longest of the gaps", _ONE_TIME),
        Feature("last_gap", "days", "the gap before the last purchase day", _ONE_TIME),
        Feature(
            "mean_log_gap",
            "number",
            "mean of the natural logarithms of the gaps: tells how regular they are",
            _ONE_TIME,
        ),
        Feature("gap_ratio", "number", "days since the last purchase over the usual gap", _ONE_TIME),
    ),
)
