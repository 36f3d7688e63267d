"""Who buys the lower-priced line of a category and is likely to move to the dearer one, and what would that bring?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from crm.analyses.cross_sell.moving_up import (
    JudgedMoves,
    Mover,
    customers_of_lower_lines,
    judge_moves,
    learn_to_move,
    of_offered,
)
from crm.analyses.cross_sell.price_tiers import price_tiers
from crm.facts import Facts
from crm.periods import date_of, day_number

MOST_LISTED = 5_000
COLUMNS = (
    "customer_id", "category", "probability", "lower_price", "dearer_price", "dearer_units",
    "expected_extra_margin", "rank",
)  # fmt: skip


@dataclass(frozen=True)
class UpSell:
    """Who may move up.

    customers:  one row per customer and category, the largest expected extra margin first: probability (of buying the
                dearer line within the horizon), lower_price and dearer_price (per unit), dearer_units (who moves
                buys, by what movers bought before), expected_extra_margin (of so many dearer units instead of lower
                ones, at the margin rate, times the chance; a unit may be a larger pack). 5,000 at most.
    categories: one row per category with lines: lower_price, dearer_price, customers (of the lower line),
                expected_movers, expected_extra_margin.
    learnt:     the date from which the chance was learnt; None where the history is too short and nothing is said.
    judged:     how well the same would have been told of a date whose outcome is known, by what was learnt a horizon
                before it; None where the history does not reach so far, or too few moved.
    """

    customers: pd.DataFrame = field(repr=False)
    categories: pd.DataFrame = field(repr=False)
    learnt: dt.date | None
    judged: JudgedMoves | None


NOBODY = UpSell(pd.DataFrame(columns=list(COLUMNS)), pd.DataFrame(), None, None)
"""Where there are no lines to compare, or no date to learn from."""


def up_sell(
    facts: Facts,
    as_of: dt.date,
    *,
    days: int,
    margin_rates: pd.Series[float],
    gross_margin: float,
    seed: int,
    not_offered: Collection[str] = (),
) -> UpSell:
    """Customers of lower lines who are likely to buy the dearer one within `days`.

    margin_rates: by category; elsewhere gross_margin is assumed.     not_offered: categories that are learnt from and
    neither offered nor judged. `NOBODY` where there is nothing to learn from.
    """
    tiers = price_tiers(facts, as_of)
    before, earlier = (date_of(day_number(as_of) - number * days) for number in (1, 2))
    mover = learn_to_move(facts, before, days=days) if len(tiers) else None
    now = of_offered(customers_of_lower_lines(facts, tiers, as_of, days=days), not_offered)
    if mover is None or now.empty or day_number(as_of) > facts.last_day + 1:
        return NOBODY
    then = learn_to_move(facts, earlier, days=days)
    judged = None
    if then is not None:
        judged = judge_moves(
            facts,
            then,
            before,
            days=days,
            margin_rates=margin_rates,
            gross_margin=gross_margin,
            seed=seed,
            not_offered=not_offered,
        )
    table = _worth(now, mover, margin_rates, gross_margin)
    return UpSell(table.head(MOST_LISTED), _categories(table), mover.learnt, judged)


def _worth(now: pd.DataFrame, mover: Mover, margin_rates: pd.Series[float], gross_margin: float) -> pd.DataFrame:
    rates = now["category"].map(margin_rates).astype("float64").fillna(gross_margin)
    chance = mover.chance(now).round(6)
    units = now["often"] * mover.units_a_day
    found = now.assign(
        probability=chance,
        lower_price=now["lower_price"].round(4),
        dearer_price=now["dearer_price"].round(4),
        dearer_units=units.round(4),
        expected_extra_margin=(chance * units * now["step"] * rates).round(4),
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
