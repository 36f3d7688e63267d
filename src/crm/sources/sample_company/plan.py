"""What management planned: an average month times the season, a little off, and rounded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from crm.sources.sample_company.arrays import (
    Floats,
    Ints,
    Moments,
    moments,
    table_of,
)
from crm.sources.sample_company.calendar import Calendar
from crm.sources.sample_company.lines import Lines
from crm.sources.sample_company.trade import Orders

METRICS = ("net_sales", "orders", "customers")
AMBITION, UNSURE = 1.03, 0.04  # planned over expected: mean and standard deviation


@dataclass(frozen=True)
class MonthTotals:
    """Net sales in cents, orders and customers by month of the history."""

    net_sales: Ints
    orders: Ints
    customers: Ints

    def __add__(self, other: MonthTotals) -> MonthTotals:
        return MonthTotals(
            self.net_sales + other.net_sales, self.orders + other.orders, self.customers + other.customers
        )


def month_totals(calendar: Calendar, orders: Orders, lines: Lines, *, customers: int) -> MonthTotals:
    """Totals of what was bought before the as-of date, by month."""
    month, first = _months(calendar)
    count = int(np.searchsorted(orders.day, calendar.known_days))
    until = int(np.searchsorted(lines.order, count))
    of_order = month[orders.day[:count]]
    served = np.unique(orders.customer[:count] * len(first) + of_order) % len(first)
    net = np.bincount(of_order[lines.order[:until]], weights=lines.net[:until], minlength=len(first))
    return MonthTotals(
        np.round(net).astype(np.int64),
        np.bincount(of_order, minlength=len(first)),
        np.bincount(served, minlength=len(first)),
    )


def plan_table(rng: np.random.Generator, totals: MonthTotals, calendar: Calendar) -> pa.Table:
    """The canonical table plan: targets for the months that begin within the history, for the whole month each."""
    month, first = _months(calendar)
    lively = np.diff(calendar.weeks)
    season: Floats = np.bincount(month, weights=lively).astype(np.float64)
    known_weeks = calendar.weeks[calendar.known_days]
    begins = np.flatnonzero((first >= np.datetime64(calendar.start)) & (first < np.datetime64(calendar.as_of)))
    per_metric = (totals.net_sales / 100, totals.orders, totals.customers)
    targets = [_target(rng, float(actual.sum() / known_weeks), season)[begins] for actual in per_metric]
    return table_of(
        {
            "period_start": moments(np.tile(first[begins], len(METRICS)).astype("datetime64[us]")),
            "metric": np.repeat(METRICS, len(begins)).tolist(),
            "target": np.concatenate(targets),
        }
    )


def _target(rng: np.random.Generator, per_week: float, season: Floats) -> Floats:
    """What an average lively week brings, times the lively weeks of each month: no month's own result is in it."""
    planned = per_week * season * (AMBITION + UNSURE * rng.standard_normal(len(season)))
    step = 10.0 ** np.maximum(np.floor(np.log10(np.maximum(planned, 1.0))) - 2, 0)
    return np.asarray(np.round(planned / step) * step)


def _months(calendar: Calendar) -> tuple[Ints, Moments]:
    """The month of each day, counted from the first one, and each month's first day."""
    dates = np.datetime64(calendar.start) + np.arange(calendar.all_days)
    first, month = np.unique(dates.astype("datetime64[M]"), return_inverse=True)
    return month, first.astype("datetime64[D]")
