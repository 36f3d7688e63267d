"""Factorisation of what was bought and how often: few numbers per customer and per item whose products say it again.

Alternating least squares for implicit feedback (Hu, Koren, Volinsky, Collaborative Filtering for Implicit Feedback
Datasets, ICDM 2008): what was bought counts as 1 with a weight of 1 + log(1 + days), what was not as 0 with weight 1.
"""

from __future__ import annotations

import numpy as np

from crm.analyses.cross_sell.panel import FloatArray

PENALTY = 5.0
ROUNDS = 8
AT_ONCE = 4_000


def factorise(logs: FloatArray, size: int) -> FloatArray:
    """The factors of the items, one row each, from a fixed start. logs: log(1 + days) by customer and item."""
    start = np.random.default_rng(0).normal(0.0, 0.1, (logs.shape[1], size))
    items: FloatArray = start
    for _ in range(ROUNDS):
        customers = place_customers(logs, items)
        items = place_customers(logs.T, customers)
    return items


def place_customers(logs: FloatArray, items: FloatArray) -> FloatArray:
    """The factors of customers (rows of `logs`) that best say again what they bought, given those of the items."""
    size = items.shape[1]
    squares = (items[:, :, None] * items[:, None, :]).reshape(len(items), size * size)
    everywhere = items.T @ items + PENALTY * np.eye(size)
    placed = np.empty((len(logs), size))
    for start in range(0, len(logs), AT_ONCE):
        some = logs[start : start + AT_ONCE]
        sides = everywhere + (some @ squares).reshape(len(some), size, size)
        wanted = np.where(some > 0, 1 + some, 0.0) @ items
        placed[start : start + AT_ONCE] = np.linalg.solve(sides, wanted[:, :, None])[:, :, 0]
    return placed
