"""Prices at which the limits are just used up (Lagrangian relaxation), and the bound that they give.

Each limit gets a price per unit, and each customer takes what is worth most to them after paying the prices. Whatever
the prices, no choice within the limits brings more than

    bound = sum of price * limit + sum over customers of max(0, net - prices paid)

so the lowest bound is looked for, by cutting planes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog

from crm.scoring.assignment.task import GAP, Floats, Ints, Task

AT_ONCE = 2**18
"""Options in memory at once."""

STEPS = 80
"""Cuts at most."""


def in_pieces(task: Task, prices: Floats) -> Iterator[tuple[slice, Floats, Floats, Ints]]:
    """Piece by piece, so that memory stays small: customers, left after prices by row, most by customer, its row."""
    edges = np.searchsorted(task.starts[:-1], np.arange(0, len(task.net), AT_ONCE))
    edges = np.unique(np.append(edges, task.customers))
    for low, high in pairwise(edges):
        first, end = task.starts[low], task.starts[high]
        left = task.after_prices(prices, slice(first, end))
        most, row = best_of_each(left, task.owner[first:end], task.starts[low:high] - first)
        yield slice(low, high), left, most, row + first


def best_of_each(left: Floats, owner: npt.NDArray[np.int32], starts: Ints) -> tuple[Floats, Ints]:
    """The most of each owner's rows, and the first row that has it."""
    most = np.maximum.reduceat(left, starts)
    hits = np.flatnonzero(left == np.repeat(most, np.diff(np.append(starts, len(left)))))
    first = np.append(True, np.diff(owner[hits]) > 0)
    return most, hits[first]


def bound_at(task: Task, prices: Floats) -> tuple[float, Floats]:
    """The bound at these prices, and its slope: what of each limit is left over by choices at these prices."""
    total, used = 0.0, np.zeros(len(task.most))
    for _, _, most, row in in_pieces(task, prices):
        total += float(most[most > 0].sum())
        used += task.used(row[most > 0])
    return total + float(prices @ task.in_units(task.most)), task.in_units(task.most - used)


def decide_at(task: Task, prices: Floats) -> Ints:
    picked = np.full(task.customers, -1)
    for where, _, most, row in in_pieces(task, prices):
        picked[where] = np.where(most > 0, row, -1)
    return picked


def find_prices(task: Task) -> tuple[Floats, float]:
    """Prices with the lowest bound: found on one customer in a hundred, then one in ten, then all."""
    lot = np.random.default_rng(0).permutation(task.customers)
    prices = np.zeros(len(task.most))
    for part in (100, 10):
        if task.customers // part >= 1_000:
            some = np.sort(lot[: task.customers // part])
            prices, _ = _lowest(
                task.part(some, len(some) / task.customers), prices, radius=1.0 if part == 100 else 0.1
            )
    return _lowest(task, prices, radius=1.0 if not prices.any() else 0.03)


def _lowest(task: Task, prices: Floats, *, radius: float) -> tuple[Floats, float]:
    """Cutting planes within a region that grows as long as they are right and shrinks where they are not."""
    value, slope = bound_at(task, prices)
    if not len(prices):
        return prices, value
    scale, highest = _price_scale(task)
    cuts = [(value - float(slope @ prices), slope)]
    for _ in range(STEPS):
        low, high = np.maximum(prices - radius * scale, 0.0), np.minimum(prices + radius * scale, highest)
        tried, expected = _lowest_cut(cuts, low, np.maximum(low, high), scale)
        gain = value - expected
        if gain <= GAP / 10 * abs(value):
            break
        tried_value, tried_slope = bound_at(task, tried)
        cuts.append((tried_value - float(tried_slope @ tried), tried_slope))
        better = value - tried_value
        radius *= 2.0 if better > 0.5 * gain else 1.0 if better > 0 else 0.5
        if better > 0:
            prices, value = tried, tried_value
    return prices, value


def _price_scale(task: Task) -> tuple[Floats, Floats]:
    """A usual and the highest price that any option could pay, per unit of each limit."""
    usual, highest = np.zeros(len(task.most)), np.zeros(len(task.most))
    everyone = np.arange(len(task.net))
    for limit, unit in enumerate(task.units):
        use = task.use(limit, everyone) * unit
        uses = use > 0
        if uses.any():
            usual[limit] = float(task.net[uses].sum() / use[uses].sum())
            highest[limit] = float((task.net[uses] / use[uses]).max())
    return usual, highest


def _lowest_cut(cuts: list[tuple[float, Floats]], low: Floats, high: Floats, scale: Floats) -> tuple[Floats, float]:
    """Where the highest of the cuts is lowest, between low and high."""
    level = max(abs(cut[0]) for cut in cuts) or 1.0
    step = np.where(scale > 0, scale, 1.0)
    slopes = np.array([slope for _, slope in cuts]) * step / level
    heights = np.array([height for height, _ in cuts]) / level
    count = len(low)
    solved = linprog(
        np.append(np.zeros(count), 1.0),
        A_ub=np.column_stack([slopes, -np.ones(len(cuts))]),
        b_ub=-heights,
        bounds=[*zip(low / step, high / step, strict=True), (None, None)],
        method="highs",
    )
    if solved.x is None:
        return low, math.inf
    prices = np.clip(solved.x[:count] * step, low, high)
    return prices, float(solved.x[count]) * level
