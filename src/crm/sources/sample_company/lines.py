"""What is in the orders: products by taste and with their complements, pieces, prices, discounts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from crm.sources.sample_company.arrays import ABSENT, Ints, coded, moments, table_of
from crm.sources.sample_company.assortment import (
    CATEGORIES,
    COMPLEMENTS,
    Assortment,
    choose_products,
    product_ids,
)
from crm.sources.sample_company.calendar import Calendar
from crm.sources.sample_company.campaigns import Reach, coupon_campaigns
from crm.sources.sample_company.customers import COUPON_DISCOUNT, PROMOTION_DISCOUNTS, Customers
from crm.sources.sample_company.story import CHANNELS, trait
from crm.sources.sample_company.trade import STORE_IDS, Orders

MOST_PRODUCTS = 2048  # more than there are; (order, product) packs into one number


@dataclass(frozen=True)
class Lines:
    """Order lines, sorted by order; money in cents. `order` is the position of the order in `Orders`."""

    order: Ints
    product: Ints
    quantity: Ints
    net: Ints
    discount: Ints
    coupon: Ints

    def before_order(self, order: int) -> Lines:
        """The lines of the orders before this position."""
        until = int(np.searchsorted(self.order, order))
        return Lines(**{name: values[:until] for name, values in vars(self).items()})

    def from_order(self, order: int) -> Lines:
        """The lines of the orders from this position on, which becomes position 0."""
        start = int(np.searchsorted(self.order, order))
        rows = {name: values[start:] for name, values in vars(self).items()}
        return Lines(**{**rows, "order": rows["order"] - order})


def draw_lines(
    rng: np.random.Generator, customers: Customers, orders: Orders, *, assortment: Assortment, reach: Reach, rise: int
) -> Lines:
    """What is in each order: products by the customer's taste, complements, pieces, discounts; prices rise on `rise`.

    A product drawn twice for an order is one line with the pieces of both.
    """
    order, category = _categories(rng, customers, orders)
    tier = _tier(rng, customers.segment[orders.customer[order]])
    key = np.sort(order * MOST_PRODUCTS + choose_products(rng, assortment, category, tier))
    firsts = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])) if len(key) else np.zeros(0, np.int64)
    drawn = np.diff(np.append(firsts, len(key)))
    order, product = key[firsts] // MOST_PRODUCTS, key[firsts] % MOST_PRODUCTS
    customer = orders.customer[order]
    quantity = drawn + rng.poisson(drawn * trait("pieces")[customers.segment[customer]])
    price = np.where(orders.day[order] >= rise, assortment.raised[product], assortment.price[product])
    listed = quantity * price
    promoted = rng.random(len(order)) < customers.promotion[customer]
    rate = PROMOTION_DISCOUNTS[rng.integers(0, len(PROMOTION_DISCOUNTS), len(order))]
    promotion = np.round(listed * rate * promoted).astype(np.int64)
    sent = (orders.caused_by != ABSENT) & coupon_campaigns(reach)[orders.caused_by]
    handed_in = sent[order] | (rng.random(len(order)) < customers.coupon[customer])
    coupon = np.round((listed - promotion) * COUPON_DISCOUNT * handed_in).astype(np.int64)
    discount = promotion + coupon
    return Lines(order, product, quantity, listed - discount, discount, coupon)


def purchases_table(
    customers: Customers, orders: Orders, lines: Lines, *, calendar: Calendar, products: int
) -> pa.Table:
    """The canonical table purchases, sorted by time."""
    at = calendar.moments(orders.day, orders.second)
    return table_of(
        {
            "customer_id": coded(orders.customer[lines.order], customers.ids),
            "order_id": coded(lines.order, orders.ids),
            "ordered_at": moments(at[lines.order]),
            "net_amount": lines.net / 100,
            "product_id": coded(lines.product, product_ids(products)),
            "quantity": lines.quantity,
            "discount_amount": lines.discount / 100,
            "coupon_amount": lines.coupon / 100,
            "channel": coded(orders.channel[lines.order], CHANNELS),
            "store_id": coded(orders.store[lines.order], STORE_IDS),
        }
    )


def _categories(rng: np.random.Generator, customers: Customers, orders: Orders) -> tuple[Ints, Ints]:
    """Order and category of every draw: by taste, then the complements of what was drawn."""
    lines = 1 + rng.poisson(customers.lines[orders.customer] - 1)
    order = np.repeat(np.arange(len(orders)), lines)
    customer = orders.customer[order]
    cumulative = np.cumsum(customers.affinity, axis=1, dtype=np.float64)
    edges = (cumulative / cumulative[:, -1:] + np.arange(len(customers))[:, None]).ravel()
    position = np.searchsorted(edges, customer + rng.random(len(order)), side="right")
    category = np.minimum(position - customer * len(CATEGORIES), len(CATEGORIES) - 1)
    brought = [_brought(rng, order, category, complement) for complement in COMPLEMENTS]
    return (
        np.concatenate([order, *(orders_with for orders_with, _ in brought)]),
        np.concatenate([category, *(added for _, added in brought)]),
    )


def _brought(
    rng: np.random.Generator, order: Ints, category: Ints, pair: tuple[str, str, float]
) -> tuple[Ints, Ints]:
    first, second, chance = pair
    holders = order[category == CATEGORIES.index(first)]
    holders = holders[rng.random(len(holders)) < chance]
    return holders, np.full(len(holders), CATEGORIES.index(second))


def _tier(rng: np.random.Generator, segment: Ints) -> Ints:
    edges = np.cumsum(trait("tiers"), axis=1)
    u = rng.random(len(segment))
    return np.asarray((u >= edges[segment, 0]).astype(np.int64) + (u >= edges[segment, 1]))
