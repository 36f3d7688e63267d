"""One part of the company: some thousand customers with all that happens to them, independent of other parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from crm.sources.sample_company.arrays import Ints
from crm.sources.sample_company.assortment import Assortment
from crm.sources.sample_company.calendar import Calendar
from crm.sources.sample_company.campaigns import (
    Reach,
    contacts_table,
    reach_customers,
)
from crm.sources.sample_company.consents import consents_table, draw_consents
from crm.sources.sample_company.customers import (
    Customers,
    customers_table,
    draw_customers,
)
from crm.sources.sample_company.deliveries import deliveries_table
from crm.sources.sample_company.effects import true_effects
from crm.sources.sample_company.lines import Lines, draw_lines, purchases_table
from crm.sources.sample_company.plan import MonthTotals, month_totals
from crm.sources.sample_company.purchase_days import draw_purchase_days
from crm.sources.sample_company.responses import responses_table
from crm.sources.sample_company.service import (
    known_of,
    returns_table,
    service_cases_table,
    subscriptions_table,
    visits_table,
)
from crm.sources.sample_company.trade import (
    Trade,
    joined_with_first_order,
    place_orders,
    trade,
)
from crm.sources.sample_company.truth import true_affinities, true_customers

CUSTOMERS_PER_PART = 20_000


@dataclass(frozen=True)
class Company:
    """What all parts share."""

    calendar: Calendar
    assortment: Assortment


@dataclass(frozen=True)
class Part:
    """The canonical tables of a part without faults, its truths, and its totals by month."""

    tables: dict[str, pa.Table]
    truths: dict[str, pa.Table]
    totals: MonthTotals


def live(rng: np.random.Generator, company: Company, *, number: Ints, part: int) -> Part:
    """Let the customers with these running numbers live through the calendar."""
    calendar, assortment = company.calendar, company.assortment
    customers = draw_customers(rng, number, calendar=calendar, assortment=assortment)
    consents = draw_consents(rng, customers, calendar)
    purchases = draw_purchase_days(rng, customers, calendar)
    reach = reach_customers(rng, customers, consents, calendar=calendar, purchases=purchases)
    placed = place_orders(rng, customers, reach, purchases=purchases, part=part)
    customers = joined_with_first_order(customers, placed)
    all_trade = trade(rng, customers, placed, calendar)
    lines = draw_lines(
        rng, customers, all_trade.orders, assortment=assortment, reach=reach, rise=calendar.price_rise_day
    )
    tables = {
        "customers": customers_table(rng, customers, calendar),
        "consents": consents_table(customers, consents, calendar),
        "contacts": contacts_table(rng, customers, reach, calendar),
        **_known_tables(rng, company, customers, reach=reach, all_trade=all_trade, lines=lines, part=part),
    }
    truths = {
        "customers": true_customers(customers, all_trade, lines, calendar),
        "affinities": true_affinities(customers),
        "campaign_effects": true_effects(customers, reach, all_trade.ends, calendar),
        "later_purchases": _later_purchases(company, customers, all_trade, lines),
    }
    return Part(tables, truths, month_totals(calendar, all_trade.orders, lines, customers=len(customers)))


def _known_tables(
    rng: np.random.Generator,
    company: Company,
    customers: Customers,
    *,
    reach: Reach,
    all_trade: Trade,
    lines: Lines,
    part: int,
) -> dict[str, pa.Table]:
    """The tables of what happened before the as-of date."""
    calendar, products = company.calendar, len(company.assortment.price)
    count = int(np.searchsorted(all_trade.orders.day, calendar.known_days))
    orders, bought = all_trade.orders.where(np.arange(count)), lines.before_order(count)
    known = known_of(all_trade, orders, bought, customers=customers, calendar=calendar, part=part)
    return {
        "purchases": purchases_table(customers, orders, bought, calendar=calendar, products=products),
        "deliveries": deliveries_table(known.deliveries, order_ids=orders.ids, calendar=calendar),
        "responses": responses_table(rng, customers, reach, orders, calendar),
        "returns": returns_table(rng, known, products=products),
        "service_cases": service_cases_table(rng, known),
        "visits": visits_table(rng, known),
        "subscriptions": subscriptions_table(rng, known),
    }


def _later_purchases(company: Company, customers: Customers, all_trade: Trade, lines: Lines) -> pa.Table:
    """The order lines from the as-of date on."""
    known = int(np.searchsorted(all_trade.orders.day, company.calendar.known_days))
    later = all_trade.orders.where(np.arange(known, len(all_trade.orders)))
    rows = lines.from_order(known)
    products = len(company.assortment.price)
    return purchases_table(customers, later, rows, calendar=company.calendar, products=products)
