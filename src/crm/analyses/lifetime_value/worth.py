"""From expected net sales to what is left of them: margin, cost to serve, and the worth of the long run."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crm.config import Settings
from crm.mart import Mart
from crm.purchase_models.histories import FloatArray, Histories
from crm.purchase_models.together import Together

MONTH = 365.25 / 12
YEAR = 365.0

ALL_BUT_GONE = 1e-6
"""Expected purchase days within the near horizon below which a customer counts as gone."""

DAYS_ADDED = 91.0

SALES_ADDED = 1.0
"""Mean customers' worth of everybody's sales added to each customer's own, before a rate is taken from them."""


def margin_rates(customers: pd.DataFrame, *, gross_margin: float) -> FloatArray:
    """The share of each customer's net sales that is margin: of what they bought in 365 days, drawn to everybody's.

    Products' own rates where they are known, the assumed gross margin elsewhere.
    """
    unknown = customers["sales_margin_unknown_365d"].to_numpy(dtype="float64")
    margin = customers["margin_known_365d"].to_numpy(dtype="float64") + gross_margin * unknown
    return _shrunk(margin, customers["net_sales_365d"].to_numpy(dtype="float64"), without=gross_margin)


def share_of_known_margin(customers: pd.DataFrame) -> float:
    """The share of last year's net sales whose products' margin rate is known."""
    sales = float(customers["net_sales_365d"].sum())
    return 1 - float(customers["sales_margin_unknown_365d"].sum()) / sales if sales > 0 else 0.0


def cost_to_serve(
    customers: pd.DataFrame, expected_value: FloatArray, settings: Settings, mart: Mart, *, days: int
) -> FloatArray:
    """What serving each customer is expected to cost within `days`.

    The margin lost on what comes back (last year's share of sales given back, drawn to everybody's; goods are taken
    as resold at no gain), service cases and contacts as often as in the last year.
    """
    cost = np.zeros(len(customers))
    if mart.has("returns"):
        sales = customers["net_sales_365d"].to_numpy(dtype="float64")
        back = customers["returned_365d"].to_numpy(dtype="float64")
        rates = margin_rates(customers, gross_margin=settings.money.gross_margin)
        cost += expected_value * rates * np.clip(_shrunk(back, sales, without=0.0), 0.0, 1.0)
    for column, each in (
        ("cases_365d", settings.money.service_case_cost),
        ("campaigns_received_365d", mean_contact_cost(settings)),
    ):
        if column in customers and each > 0:
            cost += _rate_a_day(customers, column) * days * each
    return cost


def _rate_a_day(customers: pd.DataFrame, column: str) -> FloatArray:
    """Events a day of each customer in the last year, drawn to everybody's as by a quarter more of being known."""
    seen = np.minimum(customers["T"].to_numpy(dtype="float64"), YEAR).clip(min=1.0)
    events = customers[column].to_numpy(dtype="float64")
    everybody = float(events.sum() / seen.sum())
    rate: FloatArray = (events + everybody * DAYS_ADDED) / (seen + DAYS_ADDED)
    return rate


def mean_contact_cost(settings: Settings) -> float:
    """The cost of one contact of unknown channel: the least dear one's, so that it is never inflated."""
    return min(settings.money.contact_cost.values(), default=0.0)


def long_over_near(
    model: Together, histories: Histories, *, near_days: int, long_days: int, yearly_discount_rate: float
) -> FloatArray:
    """How many times the margin of the near horizon a customer brings over the long one, discounted month by month.

    The purchase model says how purchases thin out; each month counts at its middle, from the as-of date. Of somebody
    who is all but gone nothing is known of the long run: the near horizon is all that is counted.
    """
    before: FloatArray = np.zeros(len(histories))
    worth: FloatArray = np.zeros(len(histories))
    ends = _ends(long_days)
    for start, end in zip([0.0, *ends[:-1]], ends, strict=True):
        until = model.expected_purchases(histories, end)
        worth += (until - before) * (1 + yearly_discount_rate) ** (-(start + end) / 2 / YEAR)
        before = until
    near = model.expected_purchases(histories, near_days)
    gone = near < ALL_BUT_GONE
    times = worth / np.where(gone, 1.0, near)
    least = (1 + yearly_discount_rate) ** (-near_days / 2 / YEAR)
    return np.where(gone, least, np.clip(times, least, long_days / near_days))


def _ends(long_days: int) -> list[float]:
    """The ends of months; of quarters after the first two years, where months are all alike."""
    months = [MONTH * number for number in range(1, 25)]
    later = [MONTH * number for number in range(27, int(long_days / MONTH) + 3, 3)]
    return [*(end for end in [*months, *later] if end < long_days), float(long_days)]


def _shrunk(part: FloatArray, whole: FloatArray, *, without: float) -> FloatArray:
    """part / whole per customer, drawn to everybody's; `without` where nothing was sold at all."""
    total = float(whole[whole > 0].sum())
    if total <= 0:
        return np.full(len(whole), without)
    everybody = float(part[whole > 0].sum()) / total
    added = SALES_ADDED * total / len(whole)
    own = np.maximum(whole, 0.0)
    return (np.where(whole > 0, part, 0.0) + everybody * added) / (own + added)
