"""What is understood of those who left, as tables, numbers and sentences."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from crm.analyses.defection.labels import Stake
from crm.finding import Findings


@dataclass(frozen=True)
class Understanding:
    """Who left before `as_of`, when, after what, and with how much money. Known strictly before it.

    stake:     what leaving means here.     dates: on which leaving was looked at, the newest first; each with the
               horizon after it known.     currency: of all money.
    lives:     how many lives were watched;     left: how many of them ended: by the first silence of more than
               `stake.after_days` days, or by the end of the contract.     joined: how many were seen to begin,
               91 days or more into the history; only of these are cohort, department, channel and `by_purchase`.
    curves:    group_kind (all, joined, segment, cohort, department, channel, plan), group, days (since the start of
               the life, every seven), share_staying, low, high (95 %), at_risk. By segment of all lives; a segment
               that looks at the time since the last purchase says by itself who left.
    tests:     one row per group_kind: groups, customers, statistic, p, p_corrected (Holm), comparisons, differ.
    by_purchase: purchase (the n-th purchase day), customers, left, share_leaving, low, high.
    by_tenure: from_day, to_day, customers, left, share_leaving, low, high: of those there at its start, which share
               left within this part of their life.
    partial:   one row per date: customers, left, left_share, left_low, left_high, partly (spent less than half of the
               usual, but something), partly_share, partly_low, partly_high, lost_with_left, lost_with_partly (money
               per horizon: the usual less what was spent).
    leavers:   who left, on all dates together; a customer who left on two dates is there twice.     pairs: those of
               them who have somebody similar who stayed.     stayers: the similar who stayed, once per date. Of a
               measure fewer may be known: `changes` has the pairs and stayers of each.
    changes:   one row per measure: measure, label, unit, side (buying, service), leavers_earlier, leavers_recent,
               leavers_change, stayers_change, difference, low, high, strength, pairs, stayers, p, p_corrected (Holm),
               comparisons, stands. Recent: the horizon's length before the date; earlier: up to three before that.
    changes_by_date: date, measure, label, unit, difference, low, high, pairs, p, p_corrected, comparisons, stands; of
               the measures of the side `service`.
    dropped:   one row per department: level, name, leavers and stayers (share of those who bought it regularly, and
               bought anything, that dropped it), difference, low, high, pairs, p, p_corrected, comparisons, stands.
    losses:    kind (everybody, sign, segment, department), group, customers, share, low, high, share_of_stayers (with
               the same sign), net_sales, margin (per year), share_of_net_sales, to_a_year (of how many the
               history was shorter, and their amounts were brought to one). Of the dates of the last year.
    loss_dates: those dates.
    returned:  days (since they counted as gone), share_returned, low, high, at_risk.     gone: customers who were
               gone at some time.     came_back: who were seen to come back.
    unsaid:    the sentence for each part that is left out: curves_by_segment, curves_by_cohort, curves_by_department,
               curves_by_channel, curves_by_plan, by_purchase, by_tenure, partial, changes, dropped, signs, returned,
               and one for each measure the tables do not allow ("measure_late_deliveries").
    """

    as_of: dt.date
    stake: Stake
    currency: str
    dates: tuple[dt.date, ...]
    lives: int
    left: int
    joined: int
    curves: pd.DataFrame = field(repr=False)
    tests: pd.DataFrame = field(repr=False)
    by_purchase: pd.DataFrame = field(repr=False)
    by_tenure: pd.DataFrame = field(repr=False)
    partial: pd.DataFrame = field(repr=False)
    leavers: int
    pairs: int
    stayers: int
    changes: pd.DataFrame = field(repr=False)
    changes_by_date: pd.DataFrame = field(repr=False)
    dropped: pd.DataFrame = field(repr=False)
    losses: pd.DataFrame = field(repr=False)
    loss_dates: tuple[dt.date, ...]
    returned: pd.DataFrame = field(repr=False)
    gone: int
    came_back: int
    unsaid: Mapping[str, str] = field(repr=False)
    findings: Findings = field(repr=False)
