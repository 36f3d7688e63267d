"""When in their life do customers leave: after which purchase, and in which part of their time as a customer?"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from crm.analyses.defection.understanding.curves import FEWEST, staying
from crm.measures.intervals import ERRORS

PURCHASES_TOLD = 12
"""Purchases after which leaving is told one by one; later ones go together."""

PARTS = (0, 28, 56, 91, 182, 365, 730, 1095)
"""Where the parts of a life begin, in days since its start."""

PURCHASE_COLUMNS = {
    "purchase": "str", "customers": "int64", "left": "int64", "share_leaving": "float64", "low": "float64",
    "high": "float64",
}  # fmt: skip
TENURE_COLUMNS = {
    "from_day": "int64", "to_day": "int64", "customers": "int64", "left": "int64", "share_leaving": "float64",
    "low": "float64", "high": "float64",
}  # fmt: skip


def by_purchase(lives: pd.DataFrame) -> pd.DataFrame:
    """Of those who made their n-th purchase without having left before, which share left after it?

    One row per number of purchase days (1, 2, ..., and "13 or more": per purchase day): purchase, customers (of whom
    is known what followed: another purchase, or leaving), left, share_leaving, low, high (95 %, Wilson). Those whose
    newest purchase may yet be followed by another are not counted after it. Fewer than five are left out.
    """
    if "purchases" not in lives or lives.empty:
        return pd.DataFrame(columns=list(PURCHASE_COLUMNS)).astype(PURCHASE_COLUMNS)
    most = int(lives["purchases"].max())
    made = np.bincount(lives["purchases"], minlength=most + 1)
    left = np.bincount(lives.loc[lives["left"], "purchases"], minlength=most + 1)[1:]
    went_on = (made[::-1].cumsum()[::-1] - made)[1:]
    at = np.minimum(np.arange(most), PURCHASES_TOLD)
    names = [str(n + 1) for n in range(PURCHASES_TOLD)] + [f"{PURCHASES_TOLD + 1} or more"]
    left, known = np.bincount(at, weights=left), np.bincount(at, weights=left + went_on)
    return _shares(pd.DataFrame({"purchase": names[: len(left)], "customers": known, "left": left}), PURCHASE_COLUMNS)


def by_tenure(lives: pd.DataFrame) -> pd.DataFrame:
    """Of those who were customers at the start of a part of their life, which share left within it?

    One row per part: from_day, to_day (days since the start, the latter not in it), customers (watched at its
    start), left (within it), share_leaving, low, high (95 %; Kaplan–Meier within the part, so that those watched for
    some of it count for that). Leaving on the very day of joining is in the first part. Parts with fewer than five
    customers, or that nobody could be watched through, are left out.
    """
    rows = []
    for start, end in itertools.pairwise(PARTS):
        here = lives[lives["days"] >= start]
        if len(here) < FEWEST or here["days"].max() < end:
            continue
        one = staying(here.assign(days=here["days"] - start), np.array([end - start - 1])).iloc[0]
        rows.append(
            {
                "from_day": start, "to_day": end, "customers": len(here),
                "left": int((here["left"] & (here["days"] < end)).sum()),
                "share_leaving": 1 - one["share_staying"], "low": 1 - one["high"], "high": 1 - one["low"],
            }
        )  # fmt: skip
    return pd.DataFrame(rows, columns=list(TENURE_COLUMNS)).astype(TENURE_COLUMNS)


def wilson(part: pd.Series[int], total: pd.Series[int]) -> tuple[pd.Series[float], pd.Series[float]]:
    """The 95 % interval of a share: Wilson (1927), J. Am. Stat. Assoc. 22(158). Missing where the total is 0."""
    n = total.astype("float64").where(total > 0)
    share = part / n
    middle = (share + ERRORS**2 / (2 * n)) / (1 + ERRORS**2 / n)
    half = ERRORS / (1 + ERRORS**2 / n) * (share * (1 - share) / n + ERRORS**2 / (4 * n**2)) ** 0.5
    return (middle - half).clip(lower=0.0), (middle + half).clip(upper=1.0)


def _shares(table: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    table = table[table["customers"] >= FEWEST].reset_index(drop=True)
    low, high = wilson(table["left"], table["customers"])
    return table.assign(share_leaving=table["left"] / table["customers"], low=low, high=high).astype(columns)
