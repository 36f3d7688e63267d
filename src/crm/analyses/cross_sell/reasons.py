"""Why this item for this customer? In words, with the customer's own items and numbers that can be counted again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crm.analyses.cross_sell.items import Items
from crm.analyses.cross_sell.market import FEWEST_TOGETHER, Market
from crm.analyses.cross_sell.panel import FloatArray, IntArray, Panel
from crm.periods import day_number

AT_ONCE = 20_000
BOUGHT_AGAIN = 100.0
"""Above any log: what was bought again is the better sign."""


@dataclass(frozen=True)
class Reason:
    """Why an item is offered to a customer.

    signs: the customer's own items that are a sign of it, the strongest first; none where it is offered as popular.
    every: how many days lie between two days of buying each, on average; missing where it was bought on one day.
    such:  customers asked who buy all of the signs (all customers without a sign).     do: how many of them buy the
        item.
    """

    customer_id: str
    item: str
    signs: tuple[str, ...]
    every: tuple[float, ...]
    such: int
    do: int

    @property
    def share(self) -> float:
        """Of such customers, the share who buy it."""
        return self.do / self.such if self.such else float("nan")

    @property
    def sentence(self) -> str:
        """The reason in words."""
        if not self.signs:
            return f"never bought {self.item}; {_percent(self.share)} of all customers do"
        told = [f"{sign} {rhythm(every)}" for sign, every in zip(self.signs, self.every, strict=True)]
        if len(self.signs) == 2 and rhythm(self.every[0]) == rhythm(self.every[1]):
            told = [f"{self.signs[0]} and {self.signs[1]} {rhythm(self.every[0])}"]
        return f"buys {' and '.join(told)}, never {self.item}; {_percent(self.share)} of such customers do"

    def __str__(self) -> str:
        return self.sentence


def strongest_sign(panel: Panel, market: Market, customer: IntArray, item: IntArray) -> tuple[IntArray, FloatArray]:
    """Of each pair, the position of the customer's item that is the strongest sign, and its confidence.

    A sign is what goes with the item beyond chance; what was bought on two days or more comes first.

    The position is -1 and the confidence NaN where no item of the customer is a sign.
    """
    signs = np.where(market.goes_with, market.affinity, -np.inf)
    best, share = np.empty(len(item), dtype="int64"), np.full(len(item), np.nan)
    for start in range(0, len(item), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        strength = _strength(panel.days[customer[some]], signs[:, item[some]].T)
        place = strength.argmax(axis=1)
        there = np.isfinite(strength[np.arange(len(place)), place])
        best[some] = np.where(there, place, -1)
        share[some] = np.where(there, market.confidence[place, item[some]], np.nan)
    return best, share


def _strength(days: FloatArray, signs: FloatArray) -> FloatArray:
    strength: FloatArray = np.where(days > 0, signs + np.where(days >= 2, BOUGHT_AGAIN, 0.0), -np.inf)
    return strength


def explain(
    panel: Panel, asked: Panel, market: Market, items: Items, wanted: Sequence[tuple[str, str]]
) -> list[Reason]:
    """The reason of each (customer_id, item). asked: of whom it is counted what they do, the market's sample."""
    rows = {str(customer): row for row, customer in enumerate(panel.customer_ids)}
    return [_explain(panel, rows[customer], asked, market, items, items.place(item)) for customer, item in wanted]


def _explain(panel: Panel, row: int, asked: Panel, market: Market, items: Items, item: int) -> Reason:
    signs = np.where(market.goes_with[:, item], market.affinity[:, item], -np.inf)
    strength = _strength(panel.days[row], signs)
    order = [int(place) for place in np.argsort(-strength, kind="stable")[:2] if np.isfinite(strength[place])]
    others = asked.customer_ids != panel.customer_ids[row]
    such = others & asked.bought[:, order].all(axis=1) if order else others
    if such.sum() < FEWEST_TOGETHER and len(order) == 2:  # too few buy both: the stronger one speaks alone
        order = order[:1]
        such = others & asked.bought[:, order].all(axis=1)
    names = items.names
    return Reason(
        customer_id=str(panel.customer_ids[row]),
        item=names[item],
        signs=tuple(names[place] for place in order),
        every=tuple(_every(panel, row, place) for place in order),
        such=int(such.sum()),
        do=int((such & asked.bought[:, item]).sum()),
    )


def _every(panel: Panel, row: int, item: int) -> float:
    """Days between two days of buying it, from the first one up to the date."""
    days = float(panel.days[row, item])
    return (day_number(panel.date) - float(panel.first[row, item])) / days if days >= 2 else float("nan")


def rhythm(every: float) -> str:
    """Days between purchases in words; missing: bought once."""
    if np.isnan(every):
        return "once so far"
    if every < 4.5:
        return "several times a week"
    for most, words in ((10.5, "every week"), (17.5, "every other week"), (24.5, "every third week")):
        if every < most:
            return words
    if every < 45:
        return "every month"
    return f"every {every / 30.4:.0f} months"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


__all__ = ["Reason", "explain", "rhythm", "strongest_sign"]
