"""A customer's contracts: how many are running, what they cost, how old they are, how many have ended."""

from __future__ import annotations

import narwhals as nw

from crm.engine import Lazy
from crm.features.feature import Feature, FeatureGroup, days_before, money_rounded, whole
from crm.mart import Mart
from crm.periods import AsOf, day_number, known_before


def running_contracts(contracts: Lazy, as_of: AsOf) -> Lazy:
    """Customers with a contract running on `as_of`: customer_id, running_contracts, monthly_fee, since (day number).

    A contract is running when it began before `as_of` and had not ended before it; an end that lies on or after it is
    not known yet, even if it stands in the table. monthly_fee: of all of them, unknown fees counting nothing.
    since: the start of the oldest.
    """
    running = known_before(contracts, as_of).filter(
        nw.col("ended_day").is_null() | (nw.col("ended_day") >= day_number(as_of))
    )
    sums = running.group_by("customer_id").agg(
        nw.len().alias("running_contracts"),
        nw.col("monthly_fee").fill_null(0.0).sum().alias("monthly_fee"),
        nw.col("day").min().alias("since"),
    )
    return sums.with_columns(*whole("running_contracts"), *money_rounded("monthly_fee"))


def subscriptions(mart: Mart, as_of: AsOf) -> Lazy:
    """Contracts running on the as-of date, and those that ended before it."""
    contracts = mart["subscriptions"]
    known = known_before(contracts, as_of)
    ended = nw.when(nw.col("ended_day") < day_number(as_of)).then(1).otherwise(0)
    counted = known.with_columns(ended_contracts=ended).group_by("customer_id")
    counts = counted.agg(nw.col("ended_contracts").sum()).with_columns(*whole("ended_contracts"))
    running = running_contracts(contracts, as_of).with_columns(contract_days=days_before(as_of, day="since"))
    return counts.join(running, on="customer_id", how="left").select(
        "customer_id", "running_contracts", "monthly_fee", "contract_days", "ended_contracts"
    )


SUBSCRIPTIONS = FeatureGroup(
    name="contracts",
    needs=("subscriptions",),
    compute=subscriptions,
    features=(
        Feature("running_contracts", "count", "contracts running on the as-of date"),
        Feature("monthly_fee", "money", "fees per month of the contracts running on the as-of date"),
        Feature(
            "contract_days",
            "days",
            "since the start of the oldest contract that is running",
            "no contract is running",
        ),
        Feature("ended_contracts", "count", "contracts that had ended before the as-of date"),
    ),
)
