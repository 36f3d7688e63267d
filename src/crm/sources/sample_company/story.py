"""The planted story in numbers: segments, uplift groups, causes of defection; chance is drawn from these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from crm.sources.sample_company.arrays import Floats

LATER_DAYS = 91  # days simulated from the as-of date on, kept in the truth alone
PRICE_RISE_DAYS_BEFORE = 300  # the day of the price rise, counted back from the as-of date
PRICE_RISE = 0.15
PRICE_LEAVERS_DELAY = 21.0  # mean days from the price rise to leaving because of it
NEVER_BUYS = 0.02  # share of customers who registered and never bought
NEWCOMER_DAYS = 120  # newcomers joined within these days before the as-of date
FRAUD_SHARE = 0.002  # of customers, per kind of fraud; at least one account of each kind per part

LATE_CHANCE = 0.10
LATE_IN_DECEMBER = 1.8  # times LATE_CHANCE
LATE_REGIONS = {"North": 2.0, "Islands": 2.0}  # times LATE_CHANCE
COMPLETE, UNDAMAGED, DOCUMENTED = 0.97, 0.98, 0.99

REGIONS = ("North", "East", "South", "West", "Centre", "Coast", "Highlands", "Islands")
STORES_PER_REGION = 5
AGE_GROUPS = ("18-29", "30-44", "45-59", "60+")
CHANNELS = ("store", "web", "phone")
STORE, WEB, PHONE = range(3)

CAUSES = ("nothing", "price", "late deliveries")
NOTHING, PRICE, LATE = range(3)

UPLIFT_GROUPS = ("persuadable", "sure thing", "lost cause", "do not disturb")
PERSUADABLE, SURE_THING, LOST_CAUSE, DO_NOT_DISTURB = range(4)
PERSUADED = 0.35  # chance that a treated persuadable makes an extra purchase, at strength 1
DISTURBED = 0.50  # chance that a treated do-not-disturb skips every purchase of the window, at strength 1

FRAUDS = ("returns nearly everything", "coupon on nearly every line")
RETURNS_EVERYTHING, ABUSES_COUPONS = range(2)


@dataclass(frozen=True)
class Segment:
    """A kind of customer, as planted.

    share:            of all customers.
    rate, spread:     mean purchase days per week while alive; shape of its gamma distribution (small = uneven).
    regularity:       Erlang shape of the gaps between purchases (1 = no memory).
    lines, pieces:    mean lines per order before complements; mean further pieces per line.
    promotion:        share of lines bought at a promotion's discount.
    coupon:           share of lines with a coupon.
    web, phone:       share of orders through that channel; the rest in the store.
    night:            share of web orders placed between 21:00 and 03:59.
    returned:         share of lines sent back.
    tiers:            shares of economy, standard and premium products.
    departments:      weights of the departments, in the order of `assortment.DEPARTMENTS`.
    earlier:          share who joined before the history starts.
    lifetime_weeks:   mean weeks until leaving for no reason.
    leaves_when_late: chance to leave after one late delivery.
    price_leavers:    chance to leave after the price rise, for a customer with the average taste for what rose.
    uplift:           shares of `UPLIFT_GROUPS`.
    ages:             shares of `AGE_GROUPS`.
    """

    name: str
    share: float
    rate: float
    spread: float
    regularity: int
    lines: float
    pieces: float
    promotion: float
    coupon: float
    web: float
    phone: float
    night: float
    returned: float
    tiers: tuple[float, float, float]
    departments: tuple[float, ...]
    earlier: float
    lifetime_weeks: float
    leaves_when_late: float
    price_leavers: float
    uplift: tuple[float, float, float, float]
    ages: tuple[float, float, float, float]


SEGMENTS = (
    Segment(
        name="loyal families",
        share=0.18,
        rate=0.36,
        spread=4.0,
        regularity=2,
        lines=4.2,
        pieces=0.9,
        promotion=0.25,
        coupon=0.06,
        web=0.12,
        phone=0.02,
        night=0.05,
        returned=0.02,
        tiers=(0.30, 0.60, 0.10),
        departments=(26, 14, 2, 16, 18, 4, 6, 4, 1, 3, 4, 2),
        earlier=0.65,
        lifetime_weeks=300,
        leaves_when_late=0.10,
        price_leavers=0.08,
        uplift=(0.25, 0.45, 0.25, 0.05),
        ages=(0.15, 0.60, 0.22, 0.03),
    ),
    Segment(
        name="premium",
        share=0.10,
        rate=0.22,
        spread=3.0,
        regularity=2,
        lines=2.0,
        pieces=0.2,
        promotion=0.06,
        coupon=0.01,
        web=0.30,
        phone=0.12,
        night=0.10,
        returned=0.05,
        tiers=(0.03, 0.22, 0.75),
        departments=(4, 4, 28, 2, 1, 20, 6, 12, 8, 10, 3, 2),
        earlier=0.60,
        lifetime_weeks=220,
        leaves_when_late=0.20,
        price_leavers=0.02,
        uplift=(0.15, 0.40, 0.20, 0.25),
        ages=(0.08, 0.27, 0.40, 0.25),
    ),
    Segment(
        name="bargain hunters",
        share=0.20,
        rate=0.22,
        spread=3.0,
        regularity=1,
        lines=2.6,
        pieces=0.6,
        promotion=0.70,
        coupon=0.22,
        web=0.30,
        phone=0.02,
        night=0.10,
        returned=0.03,
        tiers=(0.72, 0.25, 0.03),
        departments=(22, 14, 2, 22, 3, 5, 6, 8, 3, 6, 7, 2),
        earlier=0.50,
        lifetime_weeks=140,
        leaves_when_late=0.08,
        price_leavers=0.35,
        uplift=(0.45, 0.20, 0.30, 0.05),
        ages=(0.25, 0.30, 0.25, 0.20),
    ),
    Segment(
        name="night owls",
        share=0.15,
        rate=0.20,
        spread=2.5,
        regularity=1,
        lines=1.7,
        pieces=0.1,
        promotion=0.30,
        coupon=0.08,
        web=0.94,
        phone=0.01,
        night=0.75,
        returned=0.28,
        tiers=(0.25, 0.55, 0.20),
        departments=(1, 2, 2, 2, 2, 10, 3, 36, 22, 6, 1, 13),
        earlier=0.40,
        lifetime_weeks=150,
        leaves_when_late=0.25,
        price_leavers=0.05,
        uplift=(0.20, 0.30, 0.40, 0.10),
        ages=(0.55, 0.33, 0.10, 0.02),
    ),
    Segment(
        name="occasional",
        share=0.25,
        rate=0.07,
        spread=2.0,
        regularity=1,
        lines=1.4,
        pieces=0.2,
        promotion=0.20,
        coupon=0.04,
        web=0.20,
        phone=0.05,
        night=0.10,
        returned=0.05,
        tiers=(0.30, 0.55, 0.15),
        departments=(10, 8, 4, 10, 4, 8, 8, 8, 8, 10, 12, 10),
        earlier=0.50,
        lifetime_weeks=170,
        leaves_when_late=0.05,
        price_leavers=0.10,
        uplift=(0.25, 0.10, 0.60, 0.05),
        ages=(0.15, 0.25, 0.30, 0.30),
    ),
    Segment(
        name="newcomers",
        share=0.12,
        rate=0.28,
        spread=3.0,
        regularity=1,
        lines=1.6,
        pieces=0.2,
        promotion=0.40,
        coupon=0.15,
        web=0.60,
        phone=0.02,
        night=0.20,
        returned=0.08,
        tiers=(0.35, 0.50, 0.15),
        departments=(8, 6, 3, 8, 6, 14, 8, 16, 12, 10, 3, 6),
        earlier=0.0,
        lifetime_weeks=60,
        leaves_when_late=0.30,
        price_leavers=0.0,
        uplift=(0.35, 0.20, 0.35, 0.10),
        ages=(0.40, 0.35, 0.18, 0.07),
    ),
)
NEWCOMERS = len(SEGMENTS) - 1

Trait = Literal[
    "share",
    "rate",
    "spread",
    "regularity",
    "lines",
    "pieces",
    "promotion",
    "coupon",
    "web",
    "phone",
    "night",
    "returned",
    "tiers",
    "departments",
    "earlier",
    "lifetime_weeks",
    "leaves_when_late",
    "price_leavers",
    "uplift",
    "ages",
]


def trait(name: Trait) -> Floats:
    """One trait of all segments, one row per segment."""
    return np.array([getattr(segment, name) for segment in SEGMENTS], dtype=np.float64)
