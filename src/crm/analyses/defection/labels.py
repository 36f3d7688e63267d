"""Which customers are at stake on a date, and what became of them within the horizon.

Where customers simply buy, they leave by silence: an active customer who buys nothing within the horizon. Where most
of them have a contract, they leave by cancellation: no contract of theirs is running at the end of the horizon.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import narwhals as nw
import pandas as pd

from crm.engine import to_pandas
from crm.facts import Facts
from crm.features.feature import money_rounded
from crm.features.subscriptions import running_contracts
from crm.mart import open_mart
from crm.outcomes import active
from crm.periods import date_of, day_number, known_within
from crm.snapshots import labelled_snapshot, snapshot

Kind = Literal["silence", "cancellation"]

USUAL_WINDOWS = 3
"""What is usual for a customer is the mean net sales of so many horizons before the date."""

PARTLY = 0.5
"""Who spends less than this share of the usual has left partly."""

MOST = 0.5
"""From this share on of the active customers with a running contract, to leave is to cancel."""


@dataclass(frozen=True)
class Stake:
    """What leaving means here.

    kind: `silence`: bought within `active_within_days` before a date, and nothing in the `after_days` from it on.
          `cancellation`: a contract was running on the date, and none is `after_days` later.
    """

    kind: Kind
    active_within_days: int
    after_days: int


def stake_of(facts: Facts) -> Stake:
    """Do customers leave by silence or by cancellation?

    By cancellation where more than half of those active on the as-of date of the settings have a contract running
    then. One answer for all dates, so that labels of different dates mean the same.
    """
    definitions = facts.settings.definitions
    within, after = definitions.active_within_days, definitions.defected_after_days
    return Stake("cancellation" if _contractual(facts, within) else "silence", within, after)


def at_stake(facts: Facts, as_of: dt.date, customers: pd.DataFrame) -> pd.Series[bool]:
    """Which of these customers could leave on `as_of`? One entry per row of `customers`.

    customers: rows of the snapshot of `as_of` (customer_id, days_since_last_purchase). Silence: bought within the
    days that make a customer active. Cancellation: a contract is running; who has one and never bought is in no
    snapshot, and not counted.
    """
    stake = stake_of(facts)
    if stake.kind == "silence":
        return active(customers, within_days=stake.active_within_days)
    return customers["customer_id"].map(_fees(facts, as_of)).notna()


def left(facts: Facts, as_of: dt.date, labelled: pd.DataFrame) -> pd.Series[bool]:
    """Which of those at stake on `as_of` had left by the end of the horizon?

    labelled: rows of the labelled snapshot of `as_of`. Silence: no purchase in the horizon. Cancellation: no contract
    is running at its end: theirs ended, and no other was begun.
    """
    stake = stake_of(facts)
    if stake.kind == "silence":
        return labelled["purchase_days_next"] == 0
    return labelled["customer_id"].map(_fees(facts, _end(as_of, stake))).isna()


def left_partly(facts: Facts, as_of: dt.date, labelled: pd.DataFrame) -> pd.Series[bool]:
    """Which of those at stake on `as_of` spent, or pay, less than half of the usual? Who left wholly did as well.

    Silence: net sales of the horizon below half of `usual_net_sales`. Cancellation: the monthly fees running at the
    end of the horizon below half of those on `as_of`. False where the usual is not positive: less than half of
    nothing cannot be seen.
    """
    stake = stake_of(facts)
    if stake.kind == "silence":
        before = labelled["customer_id"].map(usual_net_sales(facts, as_of)).astype("float64").fillna(0.0)
        after = labelled["net_sales_next"]
    else:
        before = labelled["customer_id"].map(_fees(facts, as_of)).astype("float64").fillna(0.0)
        after = labelled["customer_id"].map(_fees(facts, _end(as_of, stake))).astype("float64").fillna(0.0)
    return (before > 0) & (after < PARTLY * before)


def label(facts: Facts, as_of: dt.date) -> pd.DataFrame:
    """The snapshot of those at stake on `as_of`, with what became of them: left, left_partly (both True or False),
    purchase_days_next and net_sales_next. One row per customer, sorted by customer_id.

    Raises NotEnoughData when the horizon reaches past the newest day that is known.
    """
    stake = stake_of(facts)
    labelled = labelled_snapshot(facts, as_of, horizon_days=stake.after_days)
    labelled = labelled[at_stake(facts, as_of, labelled)].reset_index(drop=True)
    return labelled.assign(
        left=left(facts, as_of, labelled).astype("bool"),
        left_partly=left_partly(facts, as_of, labelled).astype("bool"),
    )


def at_stake_now(facts: Facts, as_of: dt.date) -> pd.DataFrame:
    """The snapshot of those at stake on `as_of`, whose outcome is not known yet; sorted by customer_id."""
    known = snapshot(facts, as_of)
    return known[at_stake(facts, as_of, known)].reset_index(drop=True)


def usual_net_sales(facts: Facts, as_of: dt.date) -> pd.Series[float]:
    """Mean net sales per horizon, over the three horizons before `as_of`, by customer_id.

    Fewer than three where the history is shorter: those that lie wholly in it, at least one. Customers without a
    purchase in them are not in it.
    """
    after = stake_of(facts).after_days
    windows = min(max((day_number(as_of) - facts.first_day) // after, 1), USUAL_WINDOWS)
    days = known_within(open_mart(facts)["customer_days"], as_of, windows * after)
    sums = days.group_by("customer_id").agg(nw.col("net_sales").sum()).with_columns(*money_rounded("net_sales"))
    usual: pd.Series[float] = to_pandas(sums).set_index("customer_id")["net_sales"] / windows
    return usual


def _contractual(facts: Facts, within_days: int) -> bool:
    as_of = facts.settings.as_of
    if not facts.has("subscriptions"):
        return False
    bought = known_within(open_mart(facts)["customer_days"], as_of, within_days).select("customer_id").unique()
    customers = to_pandas(bought)["customer_id"]
    return bool(len(customers)) and bool(customers.isin(_fees(facts, as_of).index).mean() > MOST)


def _fees(facts: Facts, as_of: dt.date) -> pd.Series[float]:
    """The monthly fees of the contracts running on `as_of`, by customer_id; 0 where the fee is not known."""
    fees = to_pandas(running_contracts(facts["subscriptions"], as_of))
    return fees.set_index("customer_id")["monthly_fee"]


def _end(as_of: dt.date, stake: Stake) -> dt.date:
    return date_of(day_number(as_of) + stake.after_days)
