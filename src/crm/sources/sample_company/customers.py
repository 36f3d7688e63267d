"""Who the customers of the sample company are: their traits, drawn once, and what they allow us to send them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from crm.sources.sample_company.arrays import (
    ArrowArray,
    Bools,
    Floats,
    Ints,
    coded,
    drawn_from,
    moments,
    numbered,
    table_of,
)
from crm.sources.sample_company.assortment import (
    Assortment,
    share_of_risen_prices,
    tastes,
    typical_tastes,
    with_complements,
)
from crm.sources.sample_company.calendar import SECONDS_PER_DAY, Calendar
from crm.sources.sample_company.story import (
    ABUSES_COUPONS,
    AGE_GROUPS,
    CHANNELS,
    FRAUD_SHARE,
    FRAUDS,
    NEVER_BUYS,
    NEWCOMER_DAYS,
    NEWCOMERS,
    NOTHING,
    PRICE,
    PRICE_LEAVERS_DELAY,
    REGIONS,
    RETURNS_EVERYTHING,
    STORE,
    STORES_PER_REGION,
    WEB,
    trait,
)

FASTEST = 3.5  # purchase days per week
EARLIEST_JOINED = 1095  # days before the history
HONEST = -1
AGES = np.array([[18, 30], [30, 45], [45, 60], [60, 86]])
PROMOTION_DISCOUNTS = np.array([0.10, 0.20, 0.20, 0.30, 0.40])
COUPON_DISCOUNT = 0.10
NEVER = np.iinfo(np.int32).max  # a day that does not come


@dataclass(frozen=True)
class Customers:
    """The customers of one part; every array has a row per customer.

    number:       running number over the whole company.
    joined:       day and second of joining; days before the history are negative. Who joins within it does so with
                  the first order, if there is one: see `trade.joined_with_first_order`.
    buys:         False for those who registered and never bought.
    rate:         purchase days per lively week while alive; 0 for those who never buy.
    affinity:     share of lines by category, before complements.
    ends, cause:  the day from which they buy nothing for `cause`, late deliveries not yet considered.
    order_value:  expected net sales of one order in cents, before and after the price rise (2 rows).
    fraud:        position in `FRAUDS`, or `HONEST`.
    """

    number: Ints
    segment: Ints
    joined: Ints
    joined_second: Ints
    buys: Bools
    rate: Floats
    lines: Floats
    promotion: Floats
    coupon: Floats
    web: Floats
    returned: Floats
    affinity: Floats
    ends: Ints
    cause: Ints
    order_value: Floats
    uplift_group: Ints
    fraud: Ints
    first_channel: Ints
    region: Ints
    store: Ints
    age_group: Ints
    age_days: Ints

    def __len__(self) -> int:
        return len(self.number)

    @property
    def ids(self) -> ArrowArray:
        """C0000000, C0000001, ..."""
        return numbered("C", self.number, width=7)

    @property
    def first_day(self) -> Ints:
        """The first day of the history on which they are customers."""
        return np.maximum(self.joined, 0)


def draw_customers(
    rng: np.random.Generator, number: Ints, *, calendar: Calendar, assortment: Assortment
) -> Customers:
    """The customers with these running numbers."""
    n = len(number)
    segment = drawn_from(rng, trait("share"), n)
    joined = _joined(rng, segment, calendar)
    buys = rng.random(n) >= NEVER_BUYS
    spread = trait("spread")[segment]
    rate = np.minimum(rng.standard_gamma(spread) * trait("rate")[segment] / spread, FASTEST) * buys
    lines = 1 + (trait("lines")[segment] - 1) * rng.standard_gamma(6.0, n) / 6.0
    promotion = _around(rng, trait("promotion")[segment], certainty=8)
    fraud = _fraud(rng, np.flatnonzero(buys), n)
    coupon = np.where(fraud == ABUSES_COUPONS, 0.9, _around(rng, trait("coupon")[segment], certainty=8))
    returned = np.where(fraud == RETURNS_EVERYTHING, 0.95, _around(rng, trait("returned")[segment], certainty=8))
    affinity = tastes(rng, segment)
    ends, cause = _quiet_ends(rng, segment, joined, affinity, calendar=calendar)
    web = _around(rng, trait("web")[segment], certainty=5)
    region = rng.integers(0, len(REGIONS), n)
    age_group = _drawn_by_segment(rng, trait("ages"), segment)
    youngest, oldest = AGES[age_group].T
    return Customers(
        number=number,
        segment=segment,
        joined=joined,
        joined_second=rng.integers(0, SECONDS_PER_DAY, n),
        buys=buys,
        rate=rate,
        lines=lines,
        promotion=promotion,
        coupon=coupon,
        web=web,
        returned=returned,
        affinity=affinity,
        ends=ends,
        cause=cause,
        order_value=_order_value(segment, lines, promotion, coupon, affinity=affinity, assortment=assortment),
        uplift_group=_drawn_by_segment(rng, trait("uplift"), segment),
        fraud=fraud,
        first_channel=np.where(rng.random(n) < web, WEB, STORE),
        region=region,
        store=region * STORES_PER_REGION + rng.integers(0, STORES_PER_REGION, n),
        age_group=age_group,
        age_days=(rng.uniform(youngest, oldest) * 365.25).astype(np.int64),
    )


def customers_table(rng: np.random.Generator, customers: Customers, calendar: Calendar) -> pa.Table:
    """The canonical table customers, with attributes; some birthdays are not known."""
    joined = moments(calendar.moments(customers.joined, customers.joined_second))
    births = calendar.dates(calendar.known_days - customers.age_days)
    return table_of(
        {
            "customer_id": customers.ids,
            "joined_at": joined,
            "age_group": coded(customers.age_group, AGE_GROUPS),
            "birthday": pa.array(births, pa.date32(), mask=rng.random(len(customers)) < 0.10),
            "region": coded(customers.region, REGIONS),
            "first_channel": coded(customers.first_channel, CHANNELS),
        }
    )


def _joined(rng: np.random.Generator, segment: Ints, calendar: Calendar) -> Ints:
    """Some joined in the three years before the history, newcomers lately, the others at any time in it."""
    n = len(segment)
    earlier = rng.random(n) < trait("earlier")[segment]
    first = np.where(segment == NEWCOMERS, calendar.known_days - NEWCOMER_DAYS, 0)
    return np.where(earlier, -rng.integers(30, EARLIEST_JOINED, n), rng.integers(first, calendar.known_days))


def _around(rng: np.random.Generator, share: Floats, *, certainty: float) -> Floats:
    """A customer's own share, Beta-distributed around the segment's."""
    drawn: Floats = rng.beta(share * certainty, (1 - share) * certainty)
    return drawn


def _drawn_by_segment(rng: np.random.Generator, shares: Floats, segment: Ints) -> Ints:
    """Codes drawn with the shares of each customer's segment."""
    edges = np.cumsum(shares, axis=1)[:, :-1]
    return np.asarray((rng.random(len(segment))[:, None] >= edges[segment]).sum(axis=1))


def _fraud(rng: np.random.Generator, buyers: Ints, n: int) -> Ints:
    """A few accounts of each kind among the buyers, at least one where there are as many buyers."""
    each = min(max(1, round(FRAUD_SHARE * n)), len(buyers) // len(FRAUDS))
    fraud = np.full(n, HONEST)
    fraud[rng.choice(buyers, each * len(FRAUDS), replace=False)] = np.repeat(np.arange(len(FRAUDS)), each)
    return fraud


def _quiet_ends(
    rng: np.random.Generator, segment: Ints, joined: Ints, affinity: Floats, *, calendar: Calendar
) -> tuple[Ints, Ints]:
    """The day each customer would leave for no reason or for the price, and which of the two comes first.

    The chance to leave for the price grows with the share of lines whose prices rose: it is the segment's at the
    segment's average share.
    """
    n = len(segment)
    no_reason = np.maximum(joined, 0) + 1 + rng.standard_exponential(n) * 7 * trait("lifetime_weeks")[segment]
    risen = share_of_risen_prices(affinity)
    average = share_of_risen_prices(typical_tastes())[segment]
    minds = rng.random(n) < np.minimum(0.95, trait("price_leavers")[segment] * risen / average)
    delay = 1 + rng.standard_exponential(n) * PRICE_LEAVERS_DELAY
    there = minds & (joined < calendar.price_rise_day)
    price = np.where(there, calendar.price_rise_day + delay, NEVER)
    ends = np.minimum(np.minimum(no_reason, price), NEVER).astype(np.int64)
    return ends, np.where(price < no_reason, PRICE, NOTHING)


def _order_value(
    segment: Ints, lines: Floats, promotion: Floats, coupon: Floats, *, affinity: Floats, assortment: Assortment
) -> Floats:
    """Expected net sales of one order in cents, before and after the price rise."""
    bought = with_complements(affinity)
    paid = (1 - promotion * PROMOTION_DISCOUNTS.mean()) * (1 - coupon * COUPON_DISCOUNT)
    pieces = 1 + trait("pieces")[segment]
    return np.stack(
        [lines * pieces * paid * np.einsum("ij,ij->i", bought, prices[segment]) for prices in assortment.mean_price]
    )
