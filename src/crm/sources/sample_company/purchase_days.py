"""On which days customers buy, as long as nothing happens to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crm.sources.sample_company.arrays import Floats, Ints, positions_within
from crm.sources.sample_company.calendar import Calendar
from crm.sources.sample_company.customers import Customers
from crm.sources.sample_company.story import trait


@dataclass(frozen=True)
class PurchaseDays:
    """Purchase days of customers: two arrays of the same length, sorted by customer and day."""

    customer: Ints
    day: Ints
    customers: int

    def count(self, first: int, end: int) -> Ints:
        """Purchase days per customer in `[first, end)`."""
        within = (self.day >= first) & (self.day < end)
        return np.bincount(self.customer[within], minlength=self.customers)


def draw_purchase_days(rng: np.random.Generator, customers: Customers, calendar: Calendar) -> PurchaseDays:
    """On which days customers would buy if there were no campaigns and no late deliveries.

    Gaps are Erlang with the segment's regularity: a Poisson process of `regularity` times the rate of which every
    `regularity`-th event counts. A customer who joins within the history buys on that day.
    """
    regularity = trait("regularity").astype(np.int64)[customers.segment]
    first, end = _lively_span(customers, calendar)
    events = rng.poisson(_event_rate(customers.rate, regularity) * regularity * (end - first))
    customer = np.repeat(np.arange(len(customers)), events)
    at = np.sort(customer + rng.random(len(customer)))
    starts_now = customers.joined >= 0
    phase = np.where(starts_now, 0, rng.integers(0, regularity))
    counts = (positions_within(events) + 1 + phase[customer]) % regularity[customer] == 0
    customer = customer[counts]
    share = np.minimum(at[counts] - customer, 1.0)
    week = first[customer] + share * (end - first)[customer]
    day = np.searchsorted(calendar.weeks, week, side="right") - 1
    joins = np.flatnonzero(starts_now & customers.buys)
    key = np.concatenate([customer * calendar.all_days + day, joins * calendar.all_days + customers.joined[joins]])
    key = np.unique(key[key % calendar.all_days < customers.ends[key // calendar.all_days]])
    return PurchaseDays(key // calendar.all_days, key % calendar.all_days, len(customers))


def _lively_span(customers: Customers, calendar: Calendar) -> tuple[Floats, Floats]:
    """Lively weeks at the start and at the end of each customer's time of buying."""
    first = calendar.weeks[customers.first_day]
    return first, np.maximum(calendar.weeks[np.minimum(customers.ends, calendar.all_days)], first)


def _event_rate(rate: Floats, regularity: Ints) -> Floats:
    """Events per week that give this many purchase days: without memory, some events share a day."""
    return np.where(regularity == 1, -7 * np.log1p(-rate / 7), rate)
