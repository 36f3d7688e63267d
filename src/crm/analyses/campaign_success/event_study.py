"""Week by week, by how much do a campaign's contacted and similar untouched customers differ in net sales?

Weeks compared on must show nothing, for they were made alike; older ones must show nothing if choice was by what is
known; those of the campaign and after it show its effect.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crm.analyses.campaign_success.similar import Similar
from crm.analyses.campaign_success.watched import WEEK, Watched

WEEKS = ("week", "first_day", "days", "part", "treated", "untouched", "effect", "low", "high")


def event_study(watched: Watched, similar: Similar) -> pd.DataFrame:
    """One row per week: its number (0 begins with the campaign), first day from the campaign's, days, part; net sales
    per customer and week of the treated, of the weighted untouched, and the difference with its 95 % interval.

    What is shorter than a week counts as if it were one.
    """
    if not watched.weeks:
        return pd.DataFrame(columns=list(WEEKS))
    days = np.array([week.end - week.first for week in watched.weeks])
    told = similar.differ(watched.weekly * (WEEK / days)).table
    first = np.array([week.first for week in watched.weeks])
    return pd.DataFrame(
        {
            "week": np.arange(len(first)) - int((first < 0).sum()),
            "first_day": first,
            "days": days,
            "part": [week.part for week in watched.weeks],
            "treated": told["usual"] + told["effect"],
            "untouched": told["usual"],
            "effect": told["effect"],
            "low": told["low"],
            "high": told["high"],
        }
    )


__all__ = ["WEEKS", "event_study"]
