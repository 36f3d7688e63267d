"""What the lifetime-value page shows, as tables and numbers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import pandas as pd

from crm.analyses import Addition
from crm.analyses.lifetime_value.spend import Independence


@dataclass(frozen=True)
class Assumptions:
    """What money rests on, to be shown beside it.

    gross_margin: of net sales where the products' own rate is not known.     known_margin: the share of the last
    year's net sales whose rate is known.     yearly_discount_rate: what a year's waiting costs.
    contact_cost: of a mean contact received; 0 where no contacts are known.     case_cost: of one service case.
    long_days: the long horizon.     churn_known: whether the data determine how soon customers leave for good.
    """

    gross_margin: float
    known_margin: float
    yearly_discount_rate: float
    contact_cost: float
    case_cost: float
    long_days: int
    churn_known: bool


@dataclass(frozen=True)
class Amount:
    """An amount of the whole portfolio, with the interval that holds it at the nominal level."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Portfolio:
    """What the customers of today are worth together; new customers are not in it.

    purchases, value: purchase days and net sales within the horizon.     margin: what is left of the net sales, after
    the cost to serve.     long_margin: over the long horizon, discounted month by month to the as-of date.
    level: of the intervals.     The parts of the variance of log value (they sum to 1): refits (other customers might
    have been observed), chance (what each customer happens to do), drift (how far the totals of judged dates were
    off); nan where drift could not be measured, and then the interval is too narrow.
    width_over_summed: the width of the interval, over that of summing the customers' own intervals.
    """

    customers: int
    horizon_days: int
    level: float
    purchases: Amount
    value: Amount
    margin: Amount
    long_margin: Amount
    from_refits: float
    from_chance: float
    from_drift: float
    width_over_summed: float


@dataclass(frozen=True)
class Judged:
    """How the candidates did on dates whose outcome is known; every table has one row per date and candidate or week.

    days: of the outcome; shorter than the horizon where the history is.
    table: date, candidate, kind (rule, purchase model, learner, blend), shipped, customers, then for purchases_ and
           value_: gini (normalised), mae, total (expected over actual), deviance; and mae of the typical amounts
           (the medians) as purchases_mae_typical and value_mae_typical, for the blend only.
    mean:  the same measures, mean over dates: candidate, kind, shipped, ...
    against_best_rule: measure, rule, gain, low, high (mean gain of the blend in gini and in mae over the best rule of
           thumb on all judged dates, 95 % bootstrap interval over customers), customers (of all dates), dates.
    coverage: date, nominal, calibrated_on (dates), customers, covered, below, above, covered_top (shares; the last of
           the fewest customers expected to bring half of the value).
    weekly: of the newest date: week (1, 2, ...), days, actual, expected, low, high (cumulative net sales).
    """

    days: int
    table: pd.DataFrame = field(repr=False)
    mean: pd.DataFrame = field(repr=False)
    against_best_rule: pd.DataFrame = field(repr=False)
    coverage: pd.DataFrame = field(repr=False)
    weekly: pd.DataFrame = field(repr=False)

    @property
    def dates(self) -> tuple[dt.date, ...]:
        """The judged dates, the newest first; none where the history is too short."""
        return tuple(self.table["date"].drop_duplicates().sort_values(ascending=False))


@dataclass(frozen=True)
class Shipped:
    """What the expected numbers are made of.

    name: "Blend" or the rule of thumb or purchase model that stands where nothing better could be fitted.
    shares: part, purchases, value: the weights of the parts (purchase models, regression, trees), each summing to 1.
    level_from: where the sum over all is from, for purchases and value: see `blend.LEVELS_FROM`.
    purchase_models: model, log_likelihood, parameters (words), k: those that were fitted.
    looks_at: column, purchases, value: what the trees look at, as shares of their gain.
    why_not: sentences: candidates that could not be fitted, and why.
    learnt_from: the dates.     learnt_days: the horizon that was learnt.
    version, why: of the champion, and why it scores or not; version is empty where what was fitted now scores.
    """

    name: str
    shares: pd.DataFrame = field(repr=False)
    level_from: dict[str, str]
    purchase_models: pd.DataFrame = field(repr=False)
    looks_at: pd.DataFrame = field(repr=False)
    why_not: tuple[str, ...]
    learnt_from: tuple[dt.date, ...]
    learnt_days: int
    version: str = ""
    why: str = ""


@dataclass(frozen=True)
class Valued:
    """Every customer with a purchase before `as_of`, one row each, in the order of the snapshot.

    customers: customer_id, expected_purchases, typical_purchases (the median, whole), expected_value, value_low,
    value_high, typical_value (the median), probability_alive, chance_of_no_purchase, margin_rate, cost_to_serve,
    expected_margin, long_margin; money over the horizon, long_margin over the long one.
    """

    as_of: dt.date
    horizon_days: int
    customers: pd.DataFrame = field(repr=False)


@dataclass(frozen=True)
class Answers:
    """The tables that answer the page's questions; money in the currency of the settings, over the horizon.

    tenths:      tenth (1 = the most valuable), customers, value, share, cumulative_share, long_margin.
    top_tier:    customers, share_of_customers, margin, share_of_margin: the fewest who bring half of the margin.
    apart:       feature, meaning, type, top, others, chance_higher, low, high: what sets the top tier apart.
    at_risk:     tier (top tier, others), customers, value, at_risk (value x chance of no purchase: how much of what
                 is expected rests on customers who may stay away), share (of all at risk), can_be_kept (customers
                 with a chance of at most 0.5), could_be_kept (what those would bring on top if all of them came).
    joined:      one row about those whose first purchase lies at least 91 days after the first day of the history;
                 who was seen before may have joined long ago: since (that day), customers, margin_so_far,
                 long_margin, from_joining, from_joining_low, from_joining_high (mean per customer; missing where
                 there are none).
    by_segment, by_department, by_cohort, by_channel: group, customers, value, value_low, value_high (mean per
                 customer, 95 % interval), margin, margin_so_far (net sales ever x margin rate, before the cost to
                 serve), long_margin (what is still to come; means per customer), share (of the value of those in the
                 table), joined (customers as of `joined`), and of those alone from_joining, from_joining_low,
                 from_joining_high (margin so far and long margin: the worth from joining on). Groups under `FEWEST`
                 customers together as "(other)"; empty where the data do not tell. By department and channel only of
                 those who joined; these and by_cohort are empty where fewer than `FEWEST_COMPARED` did.
    moved:       reason, customers, change (sum of expected value), before, now: since the previous as-of date.
    movers:      the largest single changes without ids: reason, before, now, change, last_purchase_days,
                 purchases_before, purchases_now.
    previous:    the previous as-of date, None where the history does not reach.
    """

    tenths: pd.DataFrame = field(repr=False)
    top_tier: pd.DataFrame = field(repr=False)
    apart: pd.DataFrame = field(repr=False)
    at_risk: pd.DataFrame = field(repr=False)
    joined: pd.DataFrame = field(repr=False)
    by_segment: pd.DataFrame = field(repr=False)
    by_department: pd.DataFrame = field(repr=False)
    by_cohort: pd.DataFrame = field(repr=False)
    by_channel: pd.DataFrame = field(repr=False)
    moved: pd.DataFrame = field(repr=False)
    movers: pd.DataFrame = field(repr=False)
    previous: dt.date | None


@dataclass(frozen=True)
class Evidence:
    """All results, from which sentences and pictures are made."""

    as_of: dt.date
    horizon_days: int
    currency: str
    seed: int
    valued: Valued
    portfolio: Portfolio
    judged: Judged
    shipped: Shipped
    independence: Independence
    assumptions: Assumptions
    answers: Answers
    crowded: pd.DataFrame = field(repr=False)
    wanting: tuple[Addition, ...] = field(repr=False)
