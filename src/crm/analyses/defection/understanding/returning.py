"""Who came back by themselves, and after how long?"""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import pandas as pd

from crm.analyses.defection.labels import Stake
from crm.analyses.defection.understanding.curves import FEWEST, curve_of
from crm.analyses.defection.understanding.lives import gaps, seen_until
from crm.engine import to_pandas
from crm.facts import Facts
from crm.mart import open_mart
from crm.periods import day_number, known_before

RETURN_COLUMNS = {
    "days": "int64", "share_returned": "float64", "low": "float64", "high": "float64", "at_risk": "int64"
}  # fmt: skip


def silences(facts: Facts, as_of: dt.date, stake: Stake) -> pd.DataFrame:
    """The first time each customer was gone: customer_id, days (from then to the return, or for how long it has been
    watched), left (True: came back; the name is that of `staying`, whose event it is). One row per customer.

    Silence: gone when `after_days` have passed without a purchase, back with the next one. Cancellation: gone when no
    contract was running any more, back with the start of the next.
    """
    found = _silent(facts, as_of, stake) if stake.kind == "silence" else _without_contract(facts, as_of)
    return found.sort_values("customer_id", ignore_index=True)[["customer_id", "days", "left"]]


def coming_back(silent: pd.DataFrame) -> pd.DataFrame:
    """Of those who were gone, which share had come back after so many further days?

    One row per seven days, until fewer than five are watched: days (since they counted as gone), share_returned, low,
    high (95 %, Kaplan–Meier: those gone lately count for as long as they are watched), at_risk (still gone and
    watched). Nothing where fewer than five were ever gone.
    """
    if len(silent) < FEWEST:
        return pd.DataFrame(columns=list(RETURN_COLUMNS)).astype(RETURN_COLUMNS)
    curve = curve_of(silent)
    table = curve.assign(share_returned=1 - curve["share_staying"], low=1 - curve["high"], high=1 - curve["low"])
    return table[list(RETURN_COLUMNS)].reset_index(drop=True).astype(RETURN_COLUMNS)


def _silent(facts: Facts, as_of: dt.date, stake: Stake) -> pd.DataFrame:
    end = day_number(seen_until(facts, as_of))
    known = known_before(open_mart(facts)["customer_days"], as_of)
    last = (
        known.group_by("customer_id").agg(nw.col("day").max()).select("customer_id", "day", gap=end - nw.col("day"))
    )
    # A purchase `after_days` after the last one is the first that is too late: a gap of that length is a silence.
    long = gaps(known).filter(nw.col("gap") > stake.after_days)
    back = to_pandas(long.select("customer_id", "day", "gap")).assign(left=True)
    gone = to_pandas(last.filter(nw.col("gap") > stake.after_days)).assign(left=False)
    every = pd.concat([back, gone], ignore_index=True).astype({"left": "bool"})
    first = every.assign(since=every["day"] - every["gap"].where(every["left"], 0)).sort_values(
        ["customer_id", "since"]
    )
    first = first.drop_duplicates("customer_id")
    return first.assign(days=(first["gap"] - stake.after_days).astype("int64"))


def _without_contract(facts: Facts, as_of: dt.date) -> pd.DataFrame:
    end = day_number(as_of)
    known = to_pandas(known_before(facts["subscriptions"], as_of).select("customer_id", "day", "ended_day"))
    known = known.sort_values(["customer_id", "day"], ignore_index=True)
    ended = known["ended_day"].astype("float64").where(known["ended_day"].astype("float64") < end, end)
    covered = ended.groupby(known["customer_id"]).cummax()
    later = known.groupby("customer_id")["day"].shift(-1).astype("float64")
    gone = known.assign(since=covered, next=later)[(covered < end) & ~(later <= covered)]
    first = gone.drop_duplicates("customer_id")
    back = first["next"].notna()
    return first.assign(left=back, days=(first["next"].where(back, end) - first["since"]).astype("int64"))
