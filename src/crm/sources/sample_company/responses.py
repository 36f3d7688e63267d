"""Who answered which campaign: orders within its window, of those it persuaded most often."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from crm.sources.sample_company.arrays import (
    ABSENT,
    Ints,
    coded,
    moments,
    table_of,
)
from crm.sources.sample_company.calendar import Calendar
from crm.sources.sample_company.campaigns import HELD_OUT, NOT_CHOSEN, Reach, campaign_ids
from crm.sources.sample_company.customers import Customers
from crm.sources.sample_company.story import SURE_THING
from crm.sources.sample_company.trade import Orders

PERSUADED_ANSWER, SURE_THINGS_ANSWER, OTHERS_ANSWER = 0.80, 0.40, 0.05  # of their orders in the window
FORWARDED = 0.003  # of the orders of people nobody contacted: they were told by others


def responses_table(
    rng: np.random.Generator, customers: Customers, reach: Reach, orders: Orders, calendar: Calendar
) -> pa.Table:
    """The canonical table responses."""
    campaign = _answered(rng, customers, reach, orders)
    answer = np.flatnonzero(campaign != ABSENT)
    at = calendar.moments(orders.day[answer], orders.second[answer])
    return table_of(
        {
            "campaign_id": campaign_ids(reach, campaign[answer]),
            "customer_id": coded(orders.customer[answer], customers.ids),
            "responded_at": moments(at),
        }
    )


def _answered(rng: np.random.Generator, customers: Customers, reach: Reach, orders: Orders) -> Ints:
    """The campaign that each order answers, `ABSENT` for none."""
    campaign = reach.window_of_day[orders.day]
    state = reach.state[orders.customer, campaign]
    contacted = (state != NOT_CHOSEN) & (state != HELD_OUT)
    sure = customers.uplift_group[orders.customer] == SURE_THING
    chance = np.where(sure, SURE_THINGS_ANSWER, OTHERS_ANSWER)
    chance = np.where(orders.caused_by != ABSENT, PERSUADED_ANSWER, chance)
    chance = np.where(contacted, chance, FORWARDED)
    starts = np.array([c.start for c in reach.campaigns])
    open_for_answers = (campaign != ABSENT) & (
        orders.day > starts[campaign]
    )  # everyone was contacted on the first day
    return np.where(open_for_answers & (rng.random(len(orders)) < chance), campaign, ABSENT)
