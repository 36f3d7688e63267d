"""By prices: each takes what is worth most at the prices, then those whom the limits hit are settled together."""

from __future__ import annotations

import math

import numpy as np

from crm.scoring.assignment.integer_programme import solve_integer, solve_relaxed
from crm.scoring.assignment.lagrange import bound_at, decide_at, find_prices, in_pieces
from crm.scoring.assignment.room import fill_room, take_back
from crm.scoring.assignment.task import GAP, NODES, PLAINLY, Floats, Found, Ints, Task, value_of

UNDECIDED = 30_000
"""Options of those who are settled together."""


def assign_by_prices(task: Task) -> Found:
    """Prices, the choices at these prices, taken back to the limits, the undecided settled."""
    prices, bound = find_prices(task)
    picked = fill_room(task, prices, take_back(task, prices, decide_at(task, prices)))
    for step in (_settle, _polish) if len(task.net) <= UNDECIDED else (_settle, _settle, _polish):
        if value_of(task, picked) >= bound * (1 - GAP):
            break
        settled, refined = step(task, prices, picked)
        picked = max(picked, settled, key=lambda one: value_of(task, one))
        refined_bound = bound_at(task, refined)[0]
        prices = refined if refined_bound <= bound * (1 + GAP) else prices
        bound = min(bound, refined_bound)
    return Found(picked, bound, "by prices", prices)


def _settle(task: Task, prices: Floats, picked: Ints) -> tuple[Ints, Floats]:
    """Those who lost by the limits, and the most undecided, chosen anew together; and the prices that this gives."""
    rows, others, room = _open_up(task, prices, picked, UNDECIDED)
    amounts, refined = solve_relaxed(task.only(rows, room))
    whole = rows[amounts > 1 - 1e-6]
    others[task.owner[whole]] = whole
    return fill_room(task, refined, take_back(task, refined, others)), refined


def _polish(task: Task, prices: Floats, picked: Ints) -> tuple[Ints, Floats]:
    """The same with whole choices, of fewer customers."""
    rows, others, room = _open_up(task, prices, picked, PLAINLY)
    whole, _, _ = solve_integer(task.only(rows, room), nodes=NODES // 10, gap=1e-6)
    if whole is None:
        return picked, prices
    others[task.owner[rows[whole]]] = rows[whole]
    return fill_room(task, prices, others), prices


def _open_up(task: Task, prices: Floats, picked: Ints, size: int) -> tuple[Ints, Ints, Floats]:
    """The options of the most undecided customers, what the others have, and the room that they leave."""
    order = np.argsort(_decidedness(task, prices, picked), kind="stable")
    ends = np.cumsum(np.diff(task.starts)[order])
    customers = np.sort(order[: np.searchsorted(ends, size) + 1])
    others = picked.copy()
    others[customers] = -1
    return task.rows_of(customers), others, task.most - task.used(others[others >= 0])


def _decidedness(task: Task, prices: Floats, picked: Ints) -> Floats:
    """How much better the best is than the next (or nothing); below zero for those who have less than their best."""
    decided = np.empty(task.customers)
    for where, left, most, row in in_pieces(task, prices):
        first = task.starts[where.start]
        now = picked[where]
        has = np.where(now >= 0, left[np.maximum(now - first, 0)], 0.0)
        left[row - first] = -math.inf
        next_best = np.maximum.reduceat(left, task.starts[where] - first)
        best = np.maximum(most, 0.0)
        clear = np.where(most > 0, most - np.maximum(next_best, 0.0), -most)
        decided[where] = np.where(best > has, has - best, clear)
    return decided
