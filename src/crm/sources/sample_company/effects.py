"""What the campaigns change, in expectation: the truth an experiment estimates."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from crm.sources.sample_company.arrays import ABSENT, Floats, Ints, coded, table_of
from crm.sources.sample_company.calendar import Calendar
from crm.sources.sample_company.campaigns import WINDOW_DAYS, Reach, campaign_ids, coupon_campaigns, plan_campaigns
from crm.sources.sample_company.customers import COUPON_DISCOUNT, Customers
from crm.sources.sample_company.story import DISTURBED, DO_NOT_DISTURB, PERSUADABLE, PERSUADED, UPLIFT_GROUPS


def true_effects(customers: Customers, reach: Reach, ends: Ints, calendar: Calendar) -> pa.Table:
    """Truth: for everyone chosen, what being treated changes in expectation, given how long they live."""
    campaign, customer = np.nonzero(reach.state.T)
    orders = _added_orders(customers, reach, ends, calendar=calendar)[customer, campaign]
    risen = np.array([c.start >= calendar.price_rise_day for c in reach.campaigns]).astype(np.int64)
    value = customers.order_value[risen[campaign], customer] / 100
    persuaded = customers.uplift_group[customer] == PERSUADABLE
    coupon = persuaded & coupon_campaigns(reach)[campaign]
    paid = np.where(coupon, (1 - COUPON_DISCOUNT) / (1 - COUPON_DISCOUNT * customers.coupon[customer]), 1.0)
    caused = reach.extra[customer, campaign]
    return table_of(
        {
            "campaign_id": campaign_ids(reach, campaign),
            "customer_id": coded(customer, customers.ids),
            "uplift_group": coded(customers.uplift_group[customer], UPLIFT_GROUPS),
            "added_orders": orders,
            "added_net_sales": np.round(orders * value * paid, 4),
            "extra_order": (caused != ABSENT) & (caused < ends[customer]),
            "skips": reach.skips[customer, campaign],
        }
    )


def true_campaigns(calendar: Calendar) -> pa.Table:
    """Truth: what each campaign does to those it can move."""
    campaigns = plan_campaigns(calendar)
    strength = np.array([c.strength for c in campaigns])
    return table_of(
        {
            "campaign_id": pa.array([c.campaign_id for c in campaigns]),
            "randomised": pa.array([c.randomised for c in campaigns]),
            "strength": strength,
            "persuadable_extra_order": PERSUADED * strength,
            "do_not_disturb_skips": DISTURBED * strength,
        }
    )


def _added_orders(customers: Customers, reach: Reach, ends: Ints, *, calendar: Calendar) -> Floats:
    """Expected further orders by customer and campaign if treated: the share of the window that they live counts."""
    starts = np.array([c.start for c in reach.campaigns])
    strength = np.array([c.strength for c in reach.campaigns])
    last = np.clip(ends[:, None], starts, starts + WINDOW_DAYS)
    lived = np.maximum(last - starts - 1, 0) / (WINDOW_DAYS - 1)
    weeks = calendar.weeks[np.minimum(last, calendar.all_days)] - calendar.weeks[starts]
    group = customers.uplift_group[:, None]
    gained = (group == PERSUADABLE) * PERSUADED * strength * lived * customers.buys[:, None]
    lost = (group == DO_NOT_DISTURB) * DISTURBED * strength * customers.rate[:, None] * weeks
    return np.asarray(gained - lost)
