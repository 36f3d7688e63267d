"""Twelve campaigns: whom they chose and what they changed.

Every second one is an experiment (customers drawn by lot from those who bought lately, and 30 % of them held out);
the others go to the company's best customers, who would have bought more anyway. One experiment changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from crm.sources.sample_company.arrays import (
    ABSENT,
    ArrowArray,
    Bools,
    Ints,
    coded,
    moments,
    table_of,
)
from crm.sources.sample_company.calendar import Calendar
from crm.sources.sample_company.consents import DECIDED_ON, Consents
from crm.sources.sample_company.customers import Customers
from crm.sources.sample_company.purchase_days import PurchaseDays
from crm.sources.sample_company.story import (
    DISTURBED,
    DO_NOT_DISTURB,
    PERSUADABLE,
    PERSUADED,
)

WINDOW_DAYS = 28
DAYS_BETWEEN = 55
LAST_STARTS_DAYS_BEFORE = 14  # so that the last campaign is still running on the as-of date
STRENGTHS = (1.0, 1.0, 0.8, 0.7, 1.2, 1.0, 0.0, 0.9, 1.1, 0.6, 1.0, 0.8)
KINDS = ("coupon", "newsletter", "catalogue")
CHANNEL_OF = {"coupon": "email", "newsletter": "email", "catalogue": "mail", "call": "phone"}
COST = {"email": 0.01, "mail": 0.60, "phone": 4.00}
CALL = 9  # position of the campaign carried out by phone
CHOSEN_BY_LOT = 0.60  # of those who bought within the last half year
TREATED_SHARE, HELD_OUT_SHARE = 0.70, 0.30
RECENT_DAYS = 182
GOOD_CUSTOMER = 1.6  # log(1 + purchase days of the last half year) + noise from which a customer was chosen
GOOD_CUSTOMER_NOISE = 0.4

ARMS = ("treated", "held_out")
NOT_CHOSEN, TREATED, HELD_OUT, NOT_RANDOMISED = 0, 1, 2, 3


@dataclass(frozen=True)
class Campaign:
    """One campaign; `start` is a day of the calendar, `strength` scales what it changes."""

    campaign_id: str
    name: str
    kind: str
    start: int
    randomised: bool
    strength: float

    @property
    def channel(self) -> str:
        """Through which it was sent."""
        return CHANNEL_OF[self.kind]

    @property
    def end(self) -> int:
        """The first day after its window."""
        return self.start + WINDOW_DAYS


def plan_campaigns(calendar: Calendar) -> tuple[Campaign, ...]:
    """The campaigns, oldest first, their windows apart from each other."""
    last = calendar.known_days - LAST_STARTS_DAYS_BEFORE
    kinds = ["call" if i == CALL else KINDS[i % len(KINDS)] for i in range(len(STRENGTHS))]
    return tuple(
        Campaign(
            campaign_id=f"K{i + 1:02d}",
            name=f"{kind.capitalize()} {i + 1}",
            kind=kind,
            start=last - DAYS_BETWEEN * (len(STRENGTHS) - 1 - i),
            randomised=i % 2 == 0,
            strength=strength,
        )
        for i, (kind, strength) in enumerate(zip(kinds, STRENGTHS, strict=True))
    )


@dataclass(frozen=True)
class Reach:
    """Whom the campaigns chose and what being treated changes; every array is customers x campaigns.

    state:    `NOT_CHOSEN`, `TREATED`, `HELD_OUT` or `NOT_RANDOMISED`.
    extra:    the day of the purchase that the campaign causes, `ABSENT` where it causes none.
    skips:    the campaign keeps the customer from every purchase of its window.
    """

    campaigns: tuple[Campaign, ...]
    state: Ints
    extra: Ints
    skips: Bools

    @property
    def window_of_day(self) -> Ints:
        """The campaign in whose window a day lies, `ABSENT` outside; long enough for every day."""
        windows = np.full(self.campaigns[-1].end + 365, ABSENT)
        for position, campaign in enumerate(self.campaigns):
            windows[campaign.start : campaign.end] = position
        return windows


def reach_customers(
    rng: np.random.Generator, customers: Customers, consents: Consents, *, calendar: Calendar, purchases: PurchaseDays
) -> Reach:
    """Choose customers for each campaign, and draw what being treated does to each.

    `purchases` are the purchase days without any campaign: what the company knew when it chose good customers.
    """
    campaigns = plan_campaigns(calendar)
    state = np.zeros((len(customers), len(campaigns)), dtype=np.int8)
    for position, campaign in enumerate(campaigns):
        decision = DECIDED_ON.index((campaign.channel, "marketing"))
        allowed = consents.allow(decision, customers, campaign.start)
        choose = _by_lot if campaign.randomised else _good_customers
        state[:, position] = choose(rng, allowed, purchases.count(campaign.start - RECENT_DAYS, campaign.start))
    treated = (state == TREATED) | (state == NOT_RANDOMISED)
    chance = rng.random(state.shape)
    strength = np.array([campaign.strength for campaign in campaigns])
    starts = np.array([campaign.start for campaign in campaigns])
    group = customers.uplift_group[:, None]
    day = starts + rng.integers(1, WINDOW_DAYS, state.shape)
    persuaded = treated & (group == PERSUADABLE) & (chance < PERSUADED * strength) & customers.buys[:, None]
    skips = treated & (group == DO_NOT_DISTURB) & (chance < DISTURBED * strength)
    return Reach(campaigns, state, np.where(persuaded, day, ABSENT), skips)


def _by_lot(rng: np.random.Generator, allowed: Bools, recent: Ints) -> Ints:
    chosen = allowed & (recent > 0) & (rng.random(len(allowed)) < CHOSEN_BY_LOT)
    arm = np.where(rng.random(len(allowed)) < TREATED_SHARE, TREATED, HELD_OUT)
    return np.where(chosen, arm, NOT_CHOSEN)


def _good_customers(rng: np.random.Generator, allowed: Bools, recent: Ints) -> Ints:
    score = np.log1p(recent) + GOOD_CUSTOMER_NOISE * rng.standard_normal(len(allowed))
    return np.where(allowed & (score > GOOD_CUSTOMER), NOT_RANDOMISED, NOT_CHOSEN)


def campaigns_table(calendar: Calendar) -> pa.Table:
    """The canonical table campaigns."""
    campaigns = plan_campaigns(calendar)
    zero = np.zeros(len(campaigns), dtype=np.int64)
    return table_of(
        {
            "campaign_id": pa.array([c.campaign_id for c in campaigns]),
            "starts_at": moments(calendar.moments(np.array([c.start for c in campaigns]), zero)),
            "ends_at": moments(calendar.moments(np.array([c.end - 1 for c in campaigns]), zero)),
            "name": pa.array([c.name for c in campaigns]),
            "kind": pa.array([c.kind for c in campaigns]),
            "channel": pa.array([c.channel for c in campaigns]),
            "contact_cost": pa.array([COST[c.channel] for c in campaigns]),
            "held_out_share": pa.array([HELD_OUT_SHARE if c.randomised else None for c in campaigns], pa.float64()),
            "programme": pa.nulls(len(campaigns), pa.string()),  # of the company's own: action lists bring theirs
            "expected_gain": pa.nulls(len(campaigns), pa.float64()),
        }
    )


def contacts_table(rng: np.random.Generator, customers: Customers, reach: Reach, calendar: Calendar) -> pa.Table:
    """The canonical table contacts; the held-out were not contacted and have no date."""
    campaign, customer = np.nonzero(reach.state.T)
    state = reach.state[customer, campaign]
    starts = np.array([c.start for c in reach.campaigns])
    second = rng.integers(8 * 3600, 11 * 3600, len(campaign))
    return table_of(
        {
            "campaign_id": campaign_ids(reach, campaign),
            "customer_id": coded(customer, customers.ids),
            "contacted_at": moments(calendar.moments(starts[campaign], second), known=state != HELD_OUT),
            "arm": coded(np.where(state == NOT_RANDOMISED, ABSENT, state - TREATED), ARMS),
        }
    )


def campaign_ids(reach: Reach, campaign: Ints) -> ArrowArray:
    """The identifiers of campaigns given by position."""
    return coded(campaign, tuple(c.campaign_id for c in reach.campaigns))


def coupon_campaigns(reach: Reach) -> Bools:
    """Which campaigns send a coupon."""
    return np.array([c.kind == "coupon" for c in reach.campaigns])
