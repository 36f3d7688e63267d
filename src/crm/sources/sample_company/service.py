"""What happens around purchases: returns, service cases, web visits, subscriptions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from crm.sources.sample_company.arrays import (
    ABSENT,
    Bools,
    Floats,
    Ints,
    coded,
    drawn_from,
    moments,
    numbered,
    table_of,
)
from crm.sources.sample_company.assortment import product_ids
from crm.sources.sample_company.calendar import SECONDS_PER_DAY, Calendar
from crm.sources.sample_company.customers import NEVER, Customers
from crm.sources.sample_company.deliveries import Deliveries
from crm.sources.sample_company.lines import Lines
from crm.sources.sample_company.story import PRICE, WEB
from crm.sources.sample_company.trade import MOST_ORDERS, Orders, Trade

MEAN_DAYS_TO_RETURN = 9.0
ALL_PIECES = 0.8  # share of returns that send every piece back
REASONS = ("wrong size", "not as described", "damaged", "changed my mind")
REASON_GIVEN = 0.30

TOPICS = ("late delivery", "something missing", "damaged", "papers", "price", "product question", "invoice")
(LATE_DELIVERY, MISSING, DAMAGED, PAPERS, PRICES, QUESTION, INVOICE) = range(7)
COMPLAINS = {LATE_DELIVERY: 0.35, MISSING: 0.60, DAMAGED: 0.60, PAPERS: 0.30, PRICES: 0.30}
QUESTIONS_PER_ORDER = 0.008
CASE_CHANNELS = ("phone", "email", "chat")
CASE_CHANNEL_SHARES = np.array([0.40, 0.40, 0.20])
MEAN_DAYS_TO_CLOSE = np.array([5.0, 4.0, 5.0, 3.0, 2.0, 1.0, 3.0])  # by topic
ANSWERED = 0.30  # share of cases with a mark
MEAN_MARK = np.array([2.2, 2.8, 2.6, 3.4, 2.0, 4.2, 3.6])  # by topic

VISITS_PER_WEEK = 0.25  # of a customer who buys by web alone, purchases aside
LOGGED_IN = 0.90  # share of web orders whose visit is known
SOURCES = ("direct", "search", "email", "social", "affiliate")
SOURCE_SHARES = np.array([0.35, 0.30, 0.15, 0.12, 0.08])

PLANS = ("delivery flat", "delivery flat plus")
FEES = np.array([4.99, 8.99])
SUBSCRIBES = 0.30  # share of customers who buy by web alone
MEAN_SUBSCRIPTION_DAYS = 500


@dataclass(frozen=True)
class Known:
    """What can have happened before the as-of date: the first orders, their lines, and all that hangs on them."""

    customers: Customers
    orders: Orders
    lines: Lines
    deliveries: Deliveries
    ends: Ints
    cause: Ints
    calendar: Calendar
    part: int


def known_of(
    trade: Trade, orders: Orders, lines: Lines, *, customers: Customers, calendar: Calendar, part: int
) -> Known:
    """The known side of a part: `orders` and `lines` are those before the as-of date."""
    here = np.arange(len(trade.orders)) < len(orders)
    deliveries = trade.deliveries.of_kept(here)
    return Known(customers, orders, lines, deliveries, trade.ends, trade.cause, calendar, part)


def returns_table(rng: np.random.Generator, known: Known, *, products: int) -> pa.Table:
    """The canonical table returns: lines sent back before the as-of date, mostly with all their pieces."""
    lines, orders = known.lines, known.orders
    customer = orders.customer[lines.order]
    here = orders.day.copy()
    here[known.deliveries.order] = known.deliveries.delivered
    back = rng.random(len(lines.order)) < known.customers.returned[customer]
    line = np.flatnonzero(back & (lines.net > 0))
    day = here[lines.order[line]] + 1 + (rng.standard_exponential(len(line)) * MEAN_DAYS_TO_RETURN).astype(np.int64)
    line, day = line[day < known.calendar.known_days], day[day < known.calendar.known_days]
    bought = lines.quantity[line]
    some = 1 + (rng.random(len(line)) * bought).astype(np.int64)
    pieces = np.where(rng.random(len(line)) < ALL_PIECES, bought, some)
    given = rng.random(len(line)) < REASON_GIVEN
    reason = np.where(given, rng.integers(0, len(REASONS), len(line)), ABSENT)
    return table_of(
        {
            "customer_id": coded(customer[line], known.customers.ids),
            "returned_at": moments(known.calendar.moments(day, _office_hours(rng, len(line)))),
            "amount": np.round(lines.net[line] * pieces / bought) / 100,
            "order_id": orders.ids.take(lines.order[line]),
            "product_id": coded(lines.product[line], product_ids(products)),
            "quantity": pieces,
            "reason": coded(reason, REASONS),
        }
    )


def service_cases_table(rng: np.random.Generator, known: Known) -> pa.Table:
    """The canonical table service_cases, in order of opening; cases still open on the as-of date have no end."""
    customer, topic, day = _complaints(rng, known)
    order = np.argsort(day, kind="stable")
    customer, topic, day = customer[order], topic[order], day[order]
    n = len(customer)
    opened = _office_hours(rng, n)
    last = (rng.standard_exponential(n) * MEAN_DAYS_TO_CLOSE[topic] * SECONDS_PER_DAY).astype(np.int64) + 600
    closed = known.calendar.moments(day, opened + last)
    mark = np.clip(np.round(MEAN_MARK[topic] + rng.standard_normal(n)), 1, 5).astype(np.int64)
    done = closed < np.datetime64(known.calendar.as_of, "us")
    return table_of(
        {
            "case_id": numbered("S", np.arange(n) + known.part * MOST_ORDERS, width=11),
            "customer_id": coded(customer, known.customers.ids),
            "opened_at": moments(known.calendar.moments(day, opened)),
            "closed_at": moments(closed, known=done),
            "channel": coded(drawn_from(rng, CASE_CHANNEL_SHARES, n), CASE_CHANNELS),
            "topic": coded(topic, TOPICS),
            "satisfaction": pa.array(mark, mask=~(done & (rng.random(n) < ANSWERED))),
        }
    )


def visits_table(rng: np.random.Generator, known: Known) -> pa.Table:
    """The canonical table visits: those that ended in an order, and those that did not, while the customer lives."""
    ordered = np.flatnonzero((known.orders.channel == WEB) & (rng.random(len(known.orders)) < LOGGED_IN))
    looked, day = _looking_around(rng, known)
    customer = np.concatenate([known.orders.customer[ordered], looked])
    day = np.concatenate([known.orders.day[ordered], day])
    before = known.orders.second[ordered] - rng.integers(60, 1800, len(ordered))
    second = np.concatenate([np.maximum(before, 0), rng.integers(0, SECONDS_PER_DAY, len(looked))])
    converted = np.arange(len(customer)) < len(ordered)
    at = known.calendar.moments(day, second)
    order = np.argsort(at, kind="stable")
    pages = 1 + rng.poisson(np.where(converted, 9.0, 4.0))
    return table_of(
        {
            "customer_id": coded(customer[order], known.customers.ids),
            "visited_at": moments(at[order]),
            "source": coded(drawn_from(rng, SOURCE_SHARES, len(customer)), SOURCES),
            "pages": pages[order],
            "converted": converted[order],
        }
    )


def subscriptions_table(rng: np.random.Generator, known: Known) -> pa.Table:
    """The canonical table subscriptions: delivery plans, given up on leaving or before."""
    customers, days = known.customers, known.calendar.known_days
    chance = SUBSCRIBES * customers.web * customers.buys
    start = customers.joined + rng.integers(0, 120, len(customers))
    stop = start + 30 + (rng.standard_exponential(len(customers)) * MEAN_SUBSCRIPTION_DAYS).astype(np.int64)
    who = np.flatnonzero((rng.random(len(customers)) < chance) & (start < np.minimum(days, known.ends)))
    plan = rng.integers(0, len(PLANS), len(who))
    end = np.minimum(stop, np.maximum(known.ends, start + 1))[who]
    return table_of(
        {
            "customer_id": coded(who, customers.ids),
            "started_at": moments(known.calendar.moments(start[who], 0)),
            "ended_at": moments(known.calendar.moments(np.minimum(end, NEVER), 0), known=end < days),
            "plan": coded(plan, PLANS),
            "monthly_fee": FEES[plan],
        }
    )


def _complaints(rng: np.random.Generator, known: Known) -> tuple[Ints, Ints, Ints]:
    """Customer, topic and day of the cases opened before the as-of date."""
    deliveries, days = known.deliveries, known.calendar.known_days
    customer = known.orders.customer[deliveries.order]
    faults: tuple[tuple[int, Bools, Ints], ...] = (
        (LATE_DELIVERY, deliveries.late, deliveries.promised),
        (MISSING, ~deliveries.complete, deliveries.delivered),
        (DAMAGED, ~deliveries.undamaged, deliveries.delivered),
        (PAPERS, ~deliveries.documented, deliveries.delivered),
    )
    opened = [
        _opened(rng, topic, customer[wrong], since[wrong], chance=COMPLAINS[topic]) for topic, wrong, since in faults
    ]
    dear = np.flatnonzero(known.cause == PRICE)
    opened.append(_opened(rng, PRICES, dear, known.ends[dear] - 1, chance=COMPLAINS[PRICES]))
    opened += [
        _opened(rng, topic, known.orders.customer, known.orders.day, chance=QUESTIONS_PER_ORDER)
        for topic in (QUESTION, INVOICE)
    ]
    who, what, when = (np.concatenate(column) for column in zip(*opened, strict=True))
    before = when < days
    return who[before], what[before], when[before]


def _opened(
    rng: np.random.Generator, topic: int, customer: Ints, since: Ints, *, chance: float
) -> tuple[Ints, Ints, Ints]:
    """Cases about one topic, opened one to three days after it began."""
    opens = rng.random(len(customer)) < chance
    day = since[opens] + rng.integers(1, 4, int(opens.sum()))
    return customer[opens], np.full(len(day), topic), day


def _looking_around(rng: np.random.Generator, known: Known) -> tuple[Ints, Ints]:
    """Visits without an order: customer and day, evenly over the time that each is a customer."""
    first = known.customers.first_day
    days: Floats = np.maximum(np.minimum(known.ends, known.calendar.known_days) - first, 0).astype(np.float64)
    visits = rng.poisson(VISITS_PER_WEEK * known.customers.web * days / 7)
    customer = np.repeat(np.arange(len(known.customers)), visits)
    return customer, first[customer] + (rng.random(len(customer)) * days[customer]).astype(np.int64)


def _office_hours(rng: np.random.Generator, n: int) -> Ints:
    return rng.integers(8 * 3600, 20 * 3600, n)
