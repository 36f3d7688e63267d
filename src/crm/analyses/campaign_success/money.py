"""By which order are customers worth contacting, and how much money does a contact of each add?

Margin varies so much from purchase to purchase that what a contact adds in margin is hardly seen by itself. What it
adds in purchase days is seen several times as well. So the money of a contact is told as the purchase days it adds
times what a purchase day usually brings of the customer. That a contact changes how often somebody buys and not how
much a purchase brings is an assumption; where the margin of the experiments surely contradicts it, the level of the
money is that of the margin.

Three orders may ship, all named before anything is looked at: whom a contact changes (doubly robust), who would
answer, and both together with the same weight. Each is held to the average by as much as chance could have made of
its Qini on customers apart (`held_by`); the one that then brings the most money is what customers are ordered by. Who
would answer is one of them, so that nothing ships that brings less than it does, as far as the experiments can tell.

Two things are told apart. An order that is likely (`LIKELY`) is used, for using it costs nothing: at worst it is as
good as contacting at random, and those held out of the list tell whether it was. That customers can be told apart is
said only where it is sure: where the 95 % interval of the Qini is above zero.

Where no order is likely, experiments tell the average alone. It is then spread over customers by their chance of an
answer, which assumes that a contact changes nobody who would not answer it: not so where experiments surely show that
who would answer is a worse order than chance; then everybody has the average.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm.measures.amounts import FloatArray
from crm.measures.intervals import standard_error

DR, ANSWERS, BOTH = "DR-learner", "Who would answer", "DR-learner and who would answer"
CHANGED, ANSWERING = "changed", "answering"
RULES: Mapping[str, tuple[str, ...]] = {ANSWERS: (ANSWERING,), DR: (CHANGED,), BOTH: (CHANGED, ANSWERING)}
"""What may ship, the simplest first, and by which signals it orders."""
NOT_BY_VALUE = (ANSWERS,)
"""Orders customers as it is: whoever answers most is first, whatever a purchase brings."""

LIKELY = 1.282
"""Standard errors by which a Qini must be above 0 for its order to be used: nine chances in ten."""
SURELY = 2.576
"""Standard errors by which margin must differ from purchase days times usual margin to contradict it: 99 %."""

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Part = tuple[float, float]
"""Centre and spread of a signal."""


def together(signals: Mapping[str, FloatArray], parts: Mapping[str, Part]) -> FloatArray:
    """The sum of the signals, each less its centre and over its spread; one that does not vary says nothing."""
    told = [(signals[name] - centre) / spread for name, (centre, spread) in parts.items() if spread > 0]
    length = len(next(iter(signals.values())))
    return np.asarray(np.sum(told, axis=0)) if told else np.zeros(length)


def spread_of(signal: FloatArray, within: Ints) -> float:
    """The standard deviation of a signal within groups; 0 of next to none."""
    spread = float(np.std(signal - mean_by(signal, within))) if len(signal) else 0.0
    return spread if spread > 1e-9 else 0.0


def slope_of(scores: FloatArray, order: FloatArray, within: Ints) -> float:
    """By how much effects grow with the order within groups, least squares; never below 0 (Chernozhukov et al., 2018:
    the best linear predictor of the effect)."""
    own = order - mean_by(order, within)
    spread = float((own**2).sum())
    return max(float((own * scores).sum()) / spread, 0.0) if spread > 1e-12 else 0.0


def money_apart(
    order: FloatArray, added: FloatArray, usual: FloatArray, *, fold: Ints, within: Ints, at: Bools
) -> FloatArray:
    """What an order expects a contact to add in money; the level and slope of a fold come from the other folds.

    added: doubly robust scores of purchase days; usual: margin of a purchase day. Rows that are not `at` have 0.
    """
    money, own = np.zeros(len(order)), order - mean_by(order, within)
    for number in np.unique(fold[at]):
        here, others = at & (fold == number), at & (fold != number)
        if others.any():
            slope = slope_of(added[others], order[others], within[others])
            money[here] = (added[others].mean() + slope * own[here]) * usual[here]
    return money


def beyond(margin: FloatArray, worth: FloatArray) -> float:
    """By how much the mean effect on margin is above that of purchase days times usual margin, where surely: else 0.

    Both are doubly robust scores of the same rows.
    """
    over = margin - worth
    error = float(over.std()) / np.sqrt(max(len(over), 1))
    return float(over.mean()) if len(over) and abs(float(over.mean())) > SURELY * error else 0.0


@dataclass(frozen=True)
class Chosen:
    """What customers are ordered by.

    rule: one of `RULES`; empty: nothing is likely enough, and all have the average.
    held: the part of what was found that is kept: 0 nothing, 1 all.     sure: customers can be told apart by it.
    spread: may the average be spread by the chance of an answer, where there is no rule?
    """

    rule: str
    held: float
    sure: bool
    spread: bool = True


def held_by(errors: float) -> float:
    """The part to be kept of what lies this many standard errors above 0 (James and Stein, 1961); 0 of what is not
    likely."""
    return 1.0 - 1.0 / errors**2 if errors >= LIKELY else 0.0


def choose(orders: pd.DataFrame, money: pd.DataFrame) -> Chosen:
    """The rule that brings the most money once it is held; of several the simplest.

    orders, money: by learner the judged `qini`, with `low` and `high`, in purchase days and in money.
    """
    told = orders[["qini", "low", "high"]].astype("float64").to_dict("index")
    paid = money["qini"].astype("float64").to_dict()
    best, most = Chosen("", 0.0, sure=False, spread=not told.get(ANSWERS, {}).get("high", 0.0) < 0), 0.0
    for name in [one for one in RULES if one in told]:
        qini, low, high = (float(told[name][end]) for end in ("qini", "low", "high"))
        held = held_by(qini / standard_error(low, high)) if high > low else 0.0
        if held * paid[name] > most:
            best, most = Chosen(name, held, sure=low > 0), held * paid[name]
    return best


def mean_by(values: FloatArray, group: npt.NDArray[np.generic]) -> FloatArray:
    """The mean of each row's group."""
    _, number, count = np.unique(group, return_inverse=True, return_counts=True)
    return np.asarray((np.bincount(number, weights=values) / count)[number])


__all__ = [
    "ANSWERING",
    "ANSWERS",
    "BOTH",
    "CHANGED",
    "DR",
    "LIKELY",
    "NOT_BY_VALUE",
    "RULES",
    "Chosen",
    "beyond",
    "choose",
    "held_by",
    "mean_by",
    "money_apart",
    "slope_of",
    "spread_of",
    "together",
]
