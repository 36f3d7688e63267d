"""Who buys the lower-priced line of a category and is likely to move to the dearer one, and what would that bring?"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from crm.analyses.cross_sell.panel import FloatArray
from crm.analyses.cross_sell.price_tiers import price_tiers, tiers_bought
from crm.facts import Facts
from crm.measures.recommendations import calibration_error
from crm.periods import date_of, day_number

MOST_LOWER = 0.2
"""A customer of the lower line buys at most this share of units of the dearer line."""

FEWEST_DAYS = 2
MOST_LISTED = 5_000
COLUMNS = (
    "customer_id", "category", "probability", "lower_price", "dearer_price", "buying_days",
    "expected_extra_margin", "rank",
)  # fmt: skip


@dataclass(frozen=True)
class UpSell:
    """Who may move up.

    customers:  one row per customer and category, the largest expected extra margin first: probability (of buying the
                dearer line within the horizon), lower_price and dearer_price (per unit), buying_days (as
                many as before, within the horizon), expected_extra_margin (if one unit on each of these were of the
                dearer line, at the margin rate, times the chance; a unit may be a larger pack). 5,000 at most.
    categories: one row per category with lines: lower_price, dearer_price, customers (of the lower line),
                expected_movers, expected_extra_margin.
    learnt:     the date from which the chance was learnt; None where the history is too short and nothing is said.
    calibration_error: on the date it was learnt from, by tenths; how far from what came.
    """

    customers: pd.DataFrame = field(repr=False)
    categories: pd.DataFrame = field(repr=False)
    learnt: dt.date | None
    calibration_error: float


def up_sell(
    facts: Facts, as_of: dt.date, *, days: int, margin_rates: pd.Series[float], gross_margin: float
) -> UpSell:
    """Customers of lower lines who are likely to buy the dearer one within `days`.

    margin_rates: by category; elsewhere gross_margin is assumed. Empty where there are no lines to compare, or no
    date to learn from.
    """
    learnt = date_of(day_number(as_of) - days)
    tiers = price_tiers(facts, as_of)
    nothing = UpSell(pd.DataFrame(columns=list(COLUMNS)), pd.DataFrame(), None, float("nan"))
    if tiers.empty or day_number(learnt) - facts.first_day < days or day_number(as_of) > facts.last_day + 1:
        return nothing
    then = price_tiers(facts, learnt)
    before = _lower(tiers_bought(facts, then, learnt, horizon_days=days)) if len(then) else pd.DataFrame()
    now = _lower(tiers_bought(facts, tiers, as_of))
    moved = before["came_dearer"].to_numpy() > 0 if len(before) else np.empty(0, dtype=bool)
    if now.empty or moved.sum() < 20 or moved.all():
        return nothing
    known, wanted = _known(before), _known(now)
    means, spreads = known.mean(axis=0), known.std(axis=0) + 1e-9
    with threadpool_limits(limits=1):
        model = LogisticRegression(C=0.1, max_iter=200).fit((known - means) / spreads, moved)
        said = model.predict_proba((known - means) / spreads)[:, 1]
        now = now.assign(probability=model.predict_proba((wanted - means) / spreads)[:, 1].round(6))
    table = _worth(now, tiers, facts, as_of, days=days, margin_rates=margin_rates, gross_margin=gross_margin)
    return UpSell(table.head(MOST_LISTED), _categories(table), learnt, calibration_error(said, moved))


def _lower(bought: pd.DataFrame) -> pd.DataFrame:
    """Customers of the lower line: mostly lower, hardly any dearer units, on two days at least."""
    units = bought[["units_lower", "units_middle", "units_dearer"]].sum(axis=1)
    lower = (bought["units_lower"] >= 0.5 * units) & (bought["units_dearer"] <= MOST_LOWER * units)
    elsewhere = bought.groupby("customer_id")[["units_dearer", "units_lower", "units_middle"]].transform("sum")
    of_others = elsewhere.sum(axis=1) - units
    bought = bought.assign(
        units=units,
        dearer_elsewhere=((elsewhere["units_dearer"] - bought["units_dearer"]) / of_others.clip(lower=1.0)).clip(
            0, 1
        ),
        dearer_of_all=bought.groupby("category")["units_dearer"].transform("mean"),
    )
    return bought[lower & (bought["buying_days"] >= FEWEST_DAYS)].reset_index(drop=True)


def _known(table: pd.DataFrame) -> FloatArray:
    """What the chance is read from: own dearer and middle units, the dearer share elsewhere, how often and much."""
    units = table["units"].clip(lower=1e-9)
    columns = [
        table["units_dearer"] / units,
        (table["units_dearer"] > 0).astype("float64"),
        table["units_middle"] / units,
        table["dearer_elsewhere"],
        np.log1p(table["buying_days"]),
        np.log1p(table["units"]),
        np.log1p(table["dearer_of_all"].clip(lower=0.0)),
        np.log1p((table["net_sales"] / units).clip(lower=0.0)),
    ]
    return np.column_stack([np.asarray(column, dtype="float64") for column in columns])


def _worth(
    table: pd.DataFrame,
    tiers: pd.DataFrame,
    facts: Facts,
    as_of: dt.date,
    *,
    days: int,
    margin_rates: pd.Series[float],
    gross_margin: float,
) -> pd.DataFrame:
    price = tiers.groupby(["category", "tier"])["unit_price"].median().unstack("tier")
    rates = table["category"].map(margin_rates).astype("float64").fillna(gross_margin)
    history = min(day_number(as_of) - facts.first_day, 365)
    lower, dearer = (table["category"].map(price[tier]).astype("float64") for tier in ("lower", "dearer"))
    often = table["buying_days"] * days / max(history, 1)
    extra = table["probability"] * often * (dearer - lower) * rates
    found = table.assign(
        lower_price=lower.round(4),
        dearer_price=dearer.round(4),
        buying_days=often.round(4),
        expected_extra_margin=extra.round(4),
    )
    order = ["expected_extra_margin", "customer_id", "category"]
    found = found.sort_values(order, ascending=[False, True, True], ignore_index=True)
    return found.assign(rank=np.arange(1, len(found) + 1))[list(COLUMNS)]


def _categories(table: pd.DataFrame) -> pd.DataFrame:
    grouped = table.groupby("category")
    found = grouped.agg(
        lower_price=("lower_price", "first"),
        dearer_price=("dearer_price", "first"),
        customers=("customer_id", "size"),
        expected_movers=("probability", "sum"),
        expected_extra_margin=("expected_extra_margin", "sum"),
    )
    found = found.round({"expected_movers": 4, "expected_extra_margin": 4}).reset_index()
    return found.sort_values(["expected_extra_margin", "category"], ascending=[False, True], ignore_index=True)
