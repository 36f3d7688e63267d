"""What the defection page shows of those who may leave, as tables and numbers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import pandas as pd

from crm.analyses import Addition
from crm.analyses.defection.labels import Stake
from crm.analyses.defection.understanding.result import Understanding

OUTCOMES = ("left", "left_partly")
"""Buys nothing within the horizon; spends less than half of the usual within it (who leaves wholly does as well)."""

KINDS = ("rule", "purchase model", "learner", "blend")


@dataclass(frozen=True)
class Judged:
    """How every candidate did on dates whose outcome is known, fitted to what was known before each.

    table: outcome, date, candidate, kind (one of `KINDS`), shipped, customers, came (of them), auc,
           average_precision, lift and capture (of the tenth of highest chance), brier, calibration (expected
           calibration error; empty for rules, which give an order and no chance), expected (mean chance over the
           share that came).
    mean:  outcome, candidate, kind, shipped and the same measures, mean over dates.
    gains: outcome, rule, measure (auc, average_precision), ours, theirs, gain, low, high: what ships against every
           rule of thumb, on all dates together, 95 % intervals by paired bootstrap over customers; customers, dates.
    over_plain: outcome, date, measure, ours, plain, gain: beside XGBoost with default settings, which has seen the
           same dates; empty where nothing was learnt.
    calibration: outcome, bin, customers, expected, came, low, high: all judged dates together, tenths of chance.
    groups: outcome, group (a third by net sales of half a year), customers, came, auc, expected (number who were to
            leave): where it does well and where not, newest date.
    """

    dates: tuple[dt.date, ...]
    table: pd.DataFrame = field(repr=False)
    mean: pd.DataFrame = field(repr=False)
    gains: pd.DataFrame = field(repr=False)
    over_plain: pd.DataFrame = field(repr=False)
    calibration: pd.DataFrame = field(repr=False)
    groups: pd.DataFrame = field(repr=False)


@dataclass(frozen=True)
class Shipped:
    """What scores today.

    name:        of the candidate: the blend, or the rule of thumb that it does not beat.
    version:     of the champion that scores; empty where the model that was just fitted does.
    fitted_as_of, learnt_from: the date it was fitted on, and the dates whose outcome it learnt.
    why:         why a model was or was not fitted anew, and which one scores: sentences.
    level_from:  per outcome: own, judged dates (what it was off by there is taken off), or season (of a year ago).
    why_not:     candidates that could not be fitted, and why.
    """

    name: str
    version: str
    fitted_as_of: dt.date
    learnt_from: tuple[dt.date, ...]
    why: str
    level_from: dict[str, str]
    why_not: tuple[str, ...]


@dataclass(frozen=True)
class Decision:
    """Whom to contact, from money and not from a chance of one half.

    A contact is worth the chance to leave, times the chance that it keeps the customer (`kept`, an assumption), times
    the margin a kept customer brings over `value_days` beyond what leavers bring all the same, less its cost.

    still_brings: of what a customer brought before, the share that leavers of judged dates still brought within
                  `value_days`: some come back by themselves. 0 where that is not known.

    curve:        contacted (the customers with the highest worth of a contact first), kept (expected number),
                  gain, low, high (expected net gain and its interval at `level`), share (of all at stake).
    contacted, gain, low, high: at the best point of the curve; 0 where no contact pays.
    threshold:    the lowest chance to leave among those contacted; nan for nobody.
    sensitivity:  kept (assumed), contacted, gain: how the best point changes with the assumption.
    break_even:   the smallest `kept` at which a contact of somebody pays.
    value_from:   `lifetime value` (margin expected of who stays) or `the last year` (its margin, per day).
    """

    kept: float
    cost: float
    channel: str
    value_days: int
    value_from: str
    still_brings: float
    level: float
    curve: pd.DataFrame = field(repr=False)
    contacted: int
    gain: float
    low: float
    high: float
    threshold: float
    sensitivity: pd.DataFrame = field(repr=False)
    break_even: float


@dataclass(frozen=True)
class Evidence:
    """Everything the page shows of those who may leave.

    stake:     what leaving means here (`silence` or `cancellation`), in how many days.
    customers: one row per customer at stake, the likeliest to leave first: customer_id, probability, rank (1 = the
               likeliest), partial_probability, days_since_last_purchase, usual_gap, expected_next_purchase (the day
               by which one of two such customers has bought again; empty: later than a year), overdue (True: nine of
               ten would have bought by now), value_if_stays (margin over the decision's value_days), value_at_risk
               (probability x that, less what leavers bring all the same), worth_of_contact (may be negative), contact
               (True or False), reasons (up to three, in words, joined by ` · `; only of customers at risk: whom it
               pays to contact and the likeliest tenth), causes (the themes of these reasons, in the same order).
    expected_to_leave: the sum of the probabilities; `expected_low`, `expected_high` hold it in 90 % of cases, from
               chance and the drift of judged dates.
    drivers:   theme, meaning, share (of what moves the chance, mean absolute contribution), top_share (of customers
               at risk, for how many it is the first reason), column (the strongest of the theme).
    badly_treated: the best tenth by value, by what went wrong in the last year (late deliveries, faulty deliveries,
               open cases, low marks, returns; and `nothing`): trouble, customers, probability (mean), value_at_risk.
    gone:      customers who bought before and are not at stake any more: they have left already and get no score.
    """

    as_of: dt.date
    horizon_days: int
    currency: str
    seed: int
    stake: Stake
    customers: pd.DataFrame = field(repr=False)
    gone: int
    expected_to_leave: float
    expected_low: float
    expected_high: float
    judged: Judged
    shipped: Shipped
    decision: Decision
    drivers: pd.DataFrame = field(repr=False)
    badly_treated: pd.DataFrame = field(repr=False)
    understanding: Understanding = field(repr=False)
    crowded: pd.DataFrame = field(repr=False)
    wanting: tuple[Addition, ...]
