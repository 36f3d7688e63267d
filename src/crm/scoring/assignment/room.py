"""Room within the limits: what breaks one is taken back, and what is left of it is filled."""

from __future__ import annotations

import numpy as np

from crm.scoring.assignment.lagrange import best_of_each
from crm.scoring.assignment.task import Bools, Floats, Ints, Task

ROUNDS = 40
"""In which customers ask for what they would rather have."""


def take_back(task: Task, prices: Floats, picked: Ints) -> Ints:
    """Where a limit is broken, those of it go that are worth least per unit, the last by customer first."""
    picked = picked.copy()
    for limit in range(len(task.most)):
        rows = picked[picked >= 0]
        use = task.use(limit, rows)
        rows, use = rows[use > 0][::-1], use[use > 0][::-1]
        excess = use.sum() - task.most[limit]
        if excess > 0:
            order = np.argsort(task.after_prices(prices, rows) / use, kind="stable")
            gone = order[: np.searchsorted(np.cumsum(use[order]), excess) + 1]
            picked[task.owner[rows[gone]]] = -1
    return picked


def fill_room(task: Task, prices: Floats, picked: Ints) -> Ints:
    """As long as there is room: who has nothing gets something, who has something gets what is worth more.

    In each round every customer asks for what is worth most after prices; the best are served first. What is given
    back for it counts from the next round on.
    """
    picked = picked.copy()
    rows = np.arange(len(task.net))
    for _ in range(ROUNDS):
        rows = rows[task.net[rows] > _of_now(task.net, picked[task.owner[rows]])]
        room = task.most - task.used(picked[picked >= 0])
        rows = rows[_fits(task, room, rows, picked)]
        if not len(rows):
            break
        owner = task.owner[rows]
        begins = np.flatnonzero(np.append(True, np.diff(owner) > 0))
        now = np.repeat(picked[owner[begins]], np.diff(np.append(begins, len(rows))))
        left = task.after_prices(prices, rows) - np.where(now >= 0, task.after_prices(prices, now), 0.0)
        most, first = best_of_each(left, owner, begins)
        wanted = rows[first][np.argsort(-most, kind="stable")]
        served = wanted[_served(task, room, wanted, picked)]
        picked[task.owner[served]] = served
    return picked


def _of_now(amounts: Floats, now: Ints) -> Floats:
    """The amounts of these rows, 0 of none."""
    return np.where(now >= 0, amounts[now], 0.0)


def _more(task: Task, limit: int, rows: Ints, picked: Ints) -> Floats:
    """How much more of a limit these options use than what their customers have now."""
    now = picked[task.owner[rows]]
    more: Floats = task.use(limit, rows) - np.where(now >= 0, task.use(limit, now), 0.0)
    return more


def _fits(task: Task, room: Floats, rows: Ints, picked: Ints) -> Bools:
    """There is room for each of these options, if it were alone."""
    fits = np.ones(len(rows), dtype=bool)
    for limit in range(len(room)):
        fits[fits] = _more(task, limit, rows[fits], picked) <= room[limit]
    return fits


def _served(task: Task, room: Floats, wanted: Ints, picked: Ints) -> Bools:
    """Those for whom there is room, the first first."""
    served = np.ones(len(wanted), dtype=bool)
    for limit in range(len(room)):
        more = np.maximum(_more(task, limit, wanted, picked), 0.0) * served
        served &= (more == 0) | (np.cumsum(more) <= room[limit])
    return served
