"""Who of a lower-priced line moves to the dearer one, and how well would that have been told on a past date?

Learnt from what came within a horizon after one date; judged on a later one whose outcome is known too, against the
better of two rules of thumb: the category's share of movers, and how often the customer buys in it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from crm.analyses.cross_sell.items import may_be_offered
from crm.analyses.cross_sell.panel import BoolArray, FloatArray
from crm.analyses.cross_sell.price_tiers import price_tiers, tiers_bought
from crm.facts import Facts
from crm.measures.chances import auc
from crm.measures.recommendations import calibration_error
from crm.measures.resampling import LEVEL
from crm.periods import day_number

MOST_LOWER = 0.2
"""A customer of the lower line buys at most this share of units of the dearer line."""

FEWEST_DAYS = 2
FEWEST_MOVERS = 20
"""Movers below which nothing is learnt or judged."""

HISTORY = 365
"""Days before a date over which lines and buying are read."""

DRAWS = 300


@dataclass(frozen=True)
class Mover:
    """What tells the chance to move, learnt on one date.

    learnt:  that date.     rates: the share of movers by category, and `rate` of all.
    units_a_day: units of the dearer line that movers bought for each day on which they used to buy in the category.
    """

    learnt: dt.date
    means: FloatArray = field(repr=False)
    spreads: FloatArray = field(repr=False)
    regression: LogisticRegression = field(repr=False)
    rates: pd.Series[float] = field(repr=False)
    rate: float
    units_a_day: float

    def chance(self, table: pd.DataFrame) -> FloatArray:
        """Of each row of `customers_of_lower_lines`, to buy the dearer line within the horizon."""
        with threadpool_limits(limits=1):
            found = self.regression.predict_proba((_known(table) - self.means) / self.spreads)[:, 1]
        return np.asarray(found, dtype="float64")


@dataclass(frozen=True)
class JudgedMoves:
    """How well the movers of a date were told by what was learnt a horizon before it.

    pairs: customers of a lower line, once for each category.     movers, expected_movers: who came, and who was said.
    auc: the chance that one who moved was put before one who did not; rule: of the better rule of thumb, rule_auc its
    own; gain with low and high: ours less that, 95 %, by bootstrap over customers.
    calibration_error: over tenths.     margin, expected_margin: of the dearer units instead of as many lower ones.
    """

    date: dt.date
    learnt: dt.date
    pairs: int
    movers: int
    expected_movers: float
    auc: float
    rule: str
    rule_auc: float
    gain: float
    low: float
    high: float
    calibration_error: float
    margin: float
    expected_margin: float


def customers_of_lower_lines(
    facts: Facts, tiers: pd.DataFrame, date: dt.date, *, days: int, came: bool = False
) -> pd.DataFrame:
    """One row per customer and category of which mostly the lower line was bought, on two days at least.

    often: days of buying in the category, as many as before, within `days`; step: the dearer unit price less the
    lower one. With came also came_dearer: units of the dearer line within `days` after the date.
    """
    if tiers.empty:
        return pd.DataFrame()
    bought = tiers_bought(facts, tiers, date, horizon_days=days if came else 0)
    units = bought[["units_lower", "units_middle", "units_dearer"]].sum(axis=1)
    lower = (bought["units_lower"] >= 0.5 * units) & (bought["units_dearer"] <= MOST_LOWER * units)
    elsewhere = bought.groupby("customer_id")[["units_dearer", "units_lower", "units_middle"]].transform("sum")
    of_others = elsewhere.sum(axis=1) - units
    dearer = (elsewhere["units_dearer"] - bought["units_dearer"]) / of_others.clip(lower=1.0)
    price = tiers.groupby(["category", "tier"])["unit_price"].median().unstack("tier")
    prices = {f"{tier}_price": bought["category"].map(price[tier]).astype("float64") for tier in ("lower", "dearer")}
    history = max(min(day_number(date) - facts.first_day, HISTORY), 1)
    found = bought.assign(
        **prices,
        units=units,
        dearer_elsewhere=dearer.clip(0, 1),
        dearer_of_all=bought.groupby("category")["units_dearer"].transform("mean"),
        often=bought["buying_days"] * days / history,
    )
    found = found.assign(step=found["dearer_price"] - found["lower_price"])
    return found[lower & (found["buying_days"] >= FEWEST_DAYS)].reset_index(drop=True)


def of_offered(table: pd.DataFrame, not_offered: Collection[str]) -> pd.DataFrame:
    """The rows whose category may be offered."""
    return table[may_be_offered(table["category"], not_offered)].reset_index(drop=True) if len(table) else table


def learn_to_move(facts: Facts, date: dt.date, *, days: int) -> Mover | None:
    """From what came within `days` after a date; None where too few moved, or the history is shorter than that."""
    table = _with_outcome(facts, date, days=days)
    moved = _moved(table)
    if moved.sum() < FEWEST_MOVERS or moved.all():
        return None
    known = _known(table)
    means, spreads = known.mean(axis=0), known.std(axis=0) + 1e-9
    with threadpool_limits(limits=1):
        regression = LogisticRegression(C=0.1, max_iter=200).fit((known - means) / spreads, moved)
    return Mover(
        learnt=date,
        means=means,
        spreads=spreads,
        regression=regression,
        rates=pd.Series(moved, dtype="float64").groupby(table["category"].to_numpy()).mean(),
        rate=float(moved.mean()),
        units_a_day=float(table.loc[moved, "came_dearer"].sum() / table.loc[moved, "often"].sum()),
    )


def judge_moves(
    facts: Facts,
    mover: Mover,
    date: dt.date,
    *,
    days: int,
    margin_rates: pd.Series[float],
    gross_margin: float,
    seed: int,
    not_offered: Collection[str] = (),
) -> JudgedMoves | None:
    """On a date whose outcome is known; None where too few moved to say anything."""
    table = of_offered(_with_outcome(facts, date, days=days), not_offered)
    moved = _moved(table)
    if moved.sum() < FEWEST_MOVERS or moved.all():
        return None
    said, came = mover.chance(table), moved.astype("float64")
    rules = {
        "the category's share of movers": table["category"].map(mover.rates).fillna(mover.rate).to_numpy("float64"),
        "how often the customer buys in the category": table["often"].to_numpy("float64"),
    }
    aucs = {name: auc(came, score) for name, score in rules.items()}
    rule = max(aucs, key=lambda name: aucs[name])
    low, high = _interval(table["customer_id"], came, said, rules[rule], seed=seed)
    each = table["step"] * table["category"].map(margin_rates).astype("float64").fillna(gross_margin)
    ours = auc(came, said)
    return JudgedMoves(
        date=date,
        learnt=mover.learnt,
        pairs=len(table),
        movers=int(moved.sum()),
        expected_movers=float(said.sum()),
        auc=ours,
        rule=rule,
        rule_auc=aucs[rule],
        gain=ours - aucs[rule],
        low=low,
        high=high,
        calibration_error=calibration_error(said, moved),
        margin=float((table["came_dearer"] * each).sum()),
        expected_margin=float((said * table["often"] * mover.units_a_day * each).sum()),
    )


def _with_outcome(facts: Facts, date: dt.date, *, days: int) -> pd.DataFrame:
    """Nobody where the horizon is not over yet, or the history before is shorter than it."""
    if day_number(date) + days > facts.last_day + 1 or day_number(date) - facts.first_day < days:
        return pd.DataFrame()
    return customers_of_lower_lines(facts, price_tiers(facts, date), date, days=days, came=True)


def _moved(table: pd.DataFrame) -> BoolArray:
    return table["came_dearer"].to_numpy() > 0 if len(table) else np.empty(0, dtype=bool)


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


def _interval(
    customers: pd.Series[str], came: FloatArray, ours: FloatArray, theirs: FloatArray, *, seed: int
) -> tuple[float, float]:
    """Of the gain in AUC, by draws of customers with all their categories."""
    place, who = pd.factorize(customers)
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(who) + 1))
    rng, drawn = np.random.default_rng(seed), []
    for _ in range(DRAWS):
        chosen = rng.integers(0, len(who), len(who))
        sizes = starts[chosen + 1] - starts[chosen]
        at = order[np.repeat(starts[chosen] - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())]
        drawn.append(auc(came[at], ours[at]) - auc(came[at], theirs[at]))
    low, high = np.nanquantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
