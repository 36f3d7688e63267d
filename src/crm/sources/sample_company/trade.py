"""What the customers order, and when they stop: campaigns move some orders, late deliveries end some lives."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from crm.sources.sample_company.arrays import (
    ABSENT,
    ArrowArray,
    Bools,
    Floats,
    Ints,
    drawn_from,
    numbered,
)
from crm.sources.sample_company.calendar import Calendar
from crm.sources.sample_company.campaigns import Reach
from crm.sources.sample_company.customers import NEVER, Customers
from crm.sources.sample_company.deliveries import Deliveries, deliver
from crm.sources.sample_company.purchase_days import PurchaseDays
from crm.sources.sample_company.story import (
    LATE,
    PHONE,
    REGIONS,
    STORE,
    STORES_PER_REGION,
    WEB,
    trait,
)

MOST_ORDERS = 10_000_000  # of one part; order numbers of different parts do not meet
OTHER_STORE = 0.15  # share of store orders not in the home store
STORE_HOURS = np.array([0] * 8 + [1, 3, 5, 6, 6, 5, 5, 6, 8, 9, 6, 2] + [0] * 4, dtype=float)
WEB_HOURS = np.array([0] * 6 + [1, 2, 3, 3, 3, 3, 4, 3, 3, 3, 4, 5, 6, 8, 9] + [0] * 3, dtype=float)
NIGHT_HOURS = np.array([6, 5, 3, 1] + [0] * 17 + [5, 8, 9], dtype=float)
STORE_IDS = tuple(f"S{n:02d}" for n in range(len(REGIONS) * STORES_PER_REGION))


@dataclass(frozen=True)
class Orders:
    """Orders; every array has a row per order.

    caused_by: the campaign without which there would be no such order, `ABSENT` for most.
    store:     the store of a store order, `ABSENT` for the others.
    """

    number: Ints
    customer: Ints
    day: Ints
    second: Ints
    channel: Ints
    store: Ints
    caused_by: Ints

    def __len__(self) -> int:
        return len(self.number)

    @property
    def ids(self) -> ArrowArray:
        """O00000000000, ...: the part, then the order's number in it."""
        return numbered("O", self.number, width=11)

    def where(self, keep: Bools | Ints) -> Orders:
        """Some of the orders, or all in another sequence."""
        return Orders(**{name: values[keep] for name, values in vars(self).items()})


def place_orders(
    rng: np.random.Generator, customers: Customers, reach: Reach, *, purchases: PurchaseDays, part: int
) -> Orders:
    """Orders on the purchase days, less those campaigns prevent, and those campaigns cause; in order of time."""
    window = reach.window_of_day[purchases.day]
    stays = (window == ABSENT) | ~reach.skips[purchases.customer, window]
    who, campaign = np.nonzero(reach.extra != ABSENT)
    in_time = reach.extra[who, campaign] < customers.ends[who]
    who, campaign = who[in_time], campaign[in_time]
    customer = np.concatenate([purchases.customer[stays], who])
    day = np.concatenate([purchases.day[stays], reach.extra[who, campaign]])
    channel = _channel(rng, customers, customer)
    orders = Orders(
        number=np.arange(len(customer)) + part * MOST_ORDERS,
        customer=customer,
        day=day,
        second=_second(rng, channel, trait("night")[customers.segment[customer]]),
        channel=channel,
        store=_store(rng, customers.store[customer], channel),
        caused_by=np.concatenate([np.full(stays.sum(), ABSENT), campaign]),
    )
    in_time_order = np.argsort(orders.day * 86_400 + orders.second, kind="stable")
    return replace(orders.where(in_time_order), number=orders.number)


def joined_with_first_order(customers: Customers, orders: Orders) -> Customers:
    """The customers, those who joined within the history known from their first order on, and by its channel."""
    customer, first = np.unique(orders.customer, return_index=True)
    here = customers.joined[customer] >= 0
    customer, first = customer[here], first[here]
    second, channel = customers.joined_second.copy(), customers.first_channel.copy()
    second[customer], channel[customer] = orders.second[first], orders.channel[first]
    return replace(customers, joined_second=second, first_channel=channel)


@dataclass(frozen=True)
class Trade:
    """What came of it: the orders before leaving, their deliveries, and when and why customers left.

    ends: the day from which a customer buys nothing, `NEVER` for those alive when the calendar ends.
    """

    orders: Orders
    deliveries: Deliveries
    ends: Ints
    cause: Ints


def trade(rng: np.random.Generator, customers: Customers, orders: Orders, calendar: Calendar) -> Trade:
    """Deliver the orders; a late one may make the customer leave the day after it came."""
    shipped = np.flatnonzero(orders.channel != STORE)
    customer = orders.customer[shipped]
    deliveries = deliver(rng, shipped, region=customers.region[customer], day=orders.day[shipped], calendar=calendar)
    chance = trait("leaves_when_late")[customers.segment[customer]]
    leaves = deliveries.late & (rng.random(len(shipped)) < chance)
    had_enough = np.full(len(customers), NEVER, dtype=np.int64)
    np.minimum.at(had_enough, customer[leaves], deliveries.delivered[leaves] + 1)
    ends = np.minimum(had_enough, customers.ends)
    cause = np.where(had_enough < customers.ends, LATE, customers.cause)
    gone = (ends < calendar.all_days) & customers.buys
    kept = orders.day < ends[orders.customer]
    return Trade(
        orders=orders.where(kept),
        deliveries=deliveries.of_kept(kept),
        ends=np.where(gone, ends, NEVER),
        cause=np.where(gone, cause, ABSENT),
    )


def _channel(rng: np.random.Generator, customers: Customers, customer: Ints) -> Ints:
    u = rng.random(len(customer))
    web = customers.web[customer]
    phone = trait("phone")[customers.segment[customer]]
    return np.where(u < web, WEB, np.where(u < web + phone, PHONE, STORE))


def _second(rng: np.random.Generator, channel: Ints, night: Floats) -> Ints:
    """Second of the day, from the hours in which stores are open and web customers awake."""
    n = len(channel)
    at_night = (channel == WEB) & (rng.random(n) < night)
    hour = drawn_from(rng, STORE_HOURS, n)
    hour = np.where(channel == WEB, drawn_from(rng, WEB_HOURS, n), hour)
    hour = np.where(at_night, drawn_from(rng, NIGHT_HOURS, n), hour)
    return hour * 3600 + rng.integers(0, 3600, n)


def _store(rng: np.random.Generator, home: Ints, channel: Ints) -> Ints:
    """The home store, or sometimes another one of the region."""
    n = len(home)
    region = home - home % STORES_PER_REGION
    away = rng.random(n) < OTHER_STORE
    store = np.where(away, region + rng.integers(0, STORES_PER_REGION, n), home)
    return np.where(channel == STORE, store, ABSENT)
