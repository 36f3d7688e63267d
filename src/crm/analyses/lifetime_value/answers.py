"""Who brings the value, who of them may stay away, what were those worth who joined, and whose value moved?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crm.analyses.lifetime_value.apart import set_apart
from crm.analyses.lifetime_value.groups import FEWEST_COMPARED, by_group, cohorts, joined, with_the_past
from crm.analyses.lifetime_value.moved import each_change, moved, movers, nothing_moved
from crm.analyses.lifetime_value.result import Answers, Valued

HALF = 0.5
"""The top tier are the fewest customers who bring this share of the expected margin."""

CAN_BE_KEPT = 0.5
"""Up to this chance of no purchase a customer is still there to be kept; whoever more likely than not buys nothing
would have to be won back."""

TOP, OTHERS = "top tier", "others"


def answer(
    valued: Valued,
    before: Valued | None,
    *,
    snapshot: pd.DataFrame,
    snapshot_before: pd.DataFrame | None,
    first_departments: pd.Series[str] | None,
    first_channels: pd.Series[str] | None,
    segments: pd.Series[str] | None,
    dictionary: pd.DataFrame,
) -> Answers:
    """The tables of `Answers`.

    before, snapshot_before: of the previous as-of date; None where the history does not reach.
    first_departments, first_channels, segments: a word per customer, by customer_id; None where the data do not tell.
    dictionary: `data_dictionary` of the mart of the snapshot.
    """
    customers, past = valued.customers, with_the_past(valued.customers, snapshot)
    those_who_joined = past[past["from_joining"].notna()]
    enough = len(those_who_joined) >= FEWEST_COMPARED
    top = in_top_tier(customers)
    changed, largest = nothing_moved()
    if before is not None and snapshot_before is not None:
        changes = each_change(valued, before)
        changed, largest = moved(changes), movers(changes, snapshot=snapshot, snapshot_before=snapshot_before)
    return Answers(
        tenths=tenths(customers),
        top_tier=top_tier(customers, top),
        apart=set_apart(snapshot, _in_rows_of(snapshot, customers, top), dictionary=dictionary),
        at_risk=value_at_risk(customers, top),
        joined=joined(past, snapshot),
        by_segment=by_group(past, segments),
        by_department=by_group(those_who_joined, first_departments if enough else None),
        by_cohort=by_group(past, cohorts(snapshot, valued.as_of) if enough else None, in_order=True),
        by_channel=by_group(those_who_joined, first_channels if enough else None),
        moved=changed,
        movers=largest,
        previous=None if before is None else before.as_of,
    )


def tenths(customers: pd.DataFrame) -> pd.DataFrame:
    """What does each tenth of the customers bring, the most valuable tenth first? Fewer rows for fewer than ten.

    tenth, customers, value, share, cumulative_share, long_margin (sums).
    """
    ordered = customers.sort_values(["expected_value", "customer_id"], ascending=[False, True])
    tenth = np.arange(len(ordered)) * 10 // max(len(ordered), 1) + 1
    grouped = ordered.groupby(tenth)
    table = grouped[["expected_value", "long_margin"]].sum().assign(customers=grouped.size())
    table = table.rename_axis("tenth").reset_index().rename(columns={"expected_value": "value"})
    total = float(table["value"].sum())
    table["share"] = table["value"] / total if total > 0 else 0.0
    table["cumulative_share"] = table["share"].cumsum()
    return table[["tenth", "customers", "value", "share", "cumulative_share", "long_margin"]]


def in_top_tier(customers: pd.DataFrame) -> pd.Series[bool]:
    """Who are the fewest customers that bring half of the expected margin? True for each of them, in their order.

    Of equal margins the first customer_id counts first. Nobody where no margin is expected.
    """
    ordered = customers.sort_values(["expected_margin", "customer_id"], ascending=[False, True])["expected_margin"]
    total = float(ordered.sum())
    before = ordered.cumsum().shift(1, fill_value=0.0)
    return ((before < HALF * total) & (total > 0)).reindex(customers.index).astype("bool")


def top_tier(customers: pd.DataFrame, top: pd.Series[bool]) -> pd.DataFrame:
    """How few bring half? One row, none where no margin is expected: customers, share_of_customers, margin,
    share_of_margin (which they reach)."""
    margin, total = float(customers.loc[top, "expected_margin"].sum()), float(customers["expected_margin"].sum())
    row = {
        "customers": int(top.sum()),
        "share_of_customers": float(top.mean()),
        "margin": margin,
        "share_of_margin": margin / total if total > 0 else 0.0,
    }
    return pd.DataFrame([row] if top.any() else [], columns=list(row))


def value_at_risk(customers: pd.DataFrame, top: pd.Series[bool]) -> pd.DataFrame:
    """How much of what is expected rests on customers who may stay away, and in which tier?

        at_risk       = expected_value * chance_of_no_purchase
        could_be_kept = expected_value / (1 - chance_of_no_purchase) * chance_of_no_purchase

    At risk is that amount of today's expectation. What could be kept is another thing: what would come on top of the
    expectation if everybody came who can still be kept, those whose chance of no purchase is at most 0.5. What is
    expected of them contains already that perhaps nothing is bought; divided by the chance of a purchase, it is what
    they bring if they buy at all. No measure keeps everybody, so that it is the most that keeping can be worth.

    One row per tier with customers (top tier, others): tier, customers, value, at_risk, share (of all that is at
    risk), can_be_kept (customers), could_be_kept.
    """
    chance = customers["chance_of_no_purchase"].astype("float64").clip(0.0, 1.0)
    there = chance <= CAN_BE_KEPT
    rows = pd.DataFrame(
        {
            "tier": np.where(top, TOP, OTHERS),
            "customers": 1,
            "value": customers["expected_value"],
            "at_risk": customers["expected_value"] * chance,
            "can_be_kept": there.astype("int64"),
            "could_be_kept": customers["expected_value"]
            * (chance / (1 - chance.where(there, 0.0))).where(there, 0.0),
        }
    )
    table = rows.groupby("tier").sum().reindex([tier for tier in (TOP, OTHERS) if (rows["tier"] == tier).any()])
    total = float(table["at_risk"].sum())
    table["share"] = table["at_risk"] / total if total > 0 else 0.0
    columns = ["tier", "customers", "value", "at_risk", "share", "can_be_kept", "could_be_kept"]
    return table.rename_axis("tier").reset_index()[columns].astype({"customers": "int64", "can_be_kept": "int64"})


def _in_rows_of(snapshot: pd.DataFrame, customers: pd.DataFrame, top: pd.Series[bool]) -> pd.Series[bool]:
    """The top tier by row of the snapshot."""
    ids = customers.loc[top, "customer_id"]
    return snapshot["customer_id"].isin(ids)
