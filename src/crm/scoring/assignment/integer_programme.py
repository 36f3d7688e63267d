"""Exactly: the choice as an integer programme, and its linear relaxation, both solved by HiGHS."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from crm.scoring.assignment.lagrange import bound_at
from crm.scoring.assignment.task import (
    GAP,
    GRID,
    NODES,
    PLAINLY,
    Floats,
    Found,
    Ints,
    Task,
    picked_by_customer,
    value_of,
)


def assign_exactly(task: Task) -> Found | None:
    """The best choice there is, with the prices of the linear relaxation; None where that takes too long."""
    rows, _, proven = solve_integer(task, nodes=NODES, gap=0.0)
    if rows is None or not proven:
        return None
    picked = picked_by_customer(task, rows)
    return Found(picked, value_of(task, picked), "exact", solve_relaxed(task)[1])


def solve_integer(task: Task, *, nodes: int, gap: float) -> tuple[Ints | None, float, bool]:
    """The options of an integer programme, None where none were found; the bound; and whether no better are."""
    scale = 1e3 / float(task.net.max())
    matrix, most = _programme(task, task.most)
    solved = milp(
        -task.net * scale,
        integrality=np.ones(len(task.net), dtype="int64"),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(matrix, -np.inf, most),
        # Without presolving: it is as fast here, and HiGHS less often prints to the terminal.
        options={"mip_rel_gap": gap, "node_limit": nodes, "presolve": False},
    )
    if solved.x is None:
        return None, math.inf, False
    rows = np.flatnonzero(solved.x > 0.5)
    if (task.used(rows) > task.most).any():  # the solver allows itself a tolerance; we do not
        return None, math.inf, False
    return rows, -float(solved.mip_dual_bound) / scale, solved.status == 0


def narrow_down(task: Task, found: Found) -> Found:
    """Exactly, by what the prices leave open.

    An option that is worth less after prices than its customer's best by more than the gap is in no better choice:
    with it the bound would be below what is reached already.
    """
    slack = bound_at(task, found.prices)[0] * (1 + 1e-9) - value_of(task, found.picked)
    left = task.after_prices(found.prices, slice(None))
    best = np.maximum(np.maximum.reduceat(left, task.starts[:-1]), 0.0)
    open_rows = np.flatnonzero(best[task.owner] - left <= slack)
    choices = np.bincount(task.owner[open_rows], minlength=task.customers) + (best <= slack)
    undecided = choices[task.owner[open_rows]] > 1
    fixed, rows = open_rows[~undecided], open_rows[undecided]
    proven = True
    if len(rows) > 2 * PLAINLY:
        return found
    worth = float(task.net[fixed].sum())
    if len(rows):
        whole, more, proven = solve_integer(task.only(rows, task.most - task.used(fixed)), nodes=NODES, gap=0.0)
        if whole is None:
            return found
        fixed, worth = np.append(fixed, rows[whole]), worth + more
    picked = max(found.picked, picked_by_customer(task, fixed), key=lambda one: value_of(task, one))
    bound = min(found.bound, max(worth, value_of(task, picked)))
    return found._replace(picked=picked, bound=bound, method="exact" if proven else "by prices")


def _programme(task: Task, most: Floats) -> tuple[Any, Floats]:
    """One row per customer, one per limit in currency or contacts, one column per option; and what each may reach."""
    everyone = np.arange(len(task.net))
    uses = [task.use(limit, everyone) * unit for limit, unit in enumerate(task.units)]
    own: Any = sparse.csr_array(
        (np.ones(len(everyone)), (task.owner, everyone)), shape=(task.customers, len(everyone))
    )
    shared = sparse.csr_array(np.array(uses).reshape(len(uses), len(everyone)))
    return (
        sparse.csr_array(sparse.vstack([own, shared])),
        np.concatenate([np.ones(task.customers), task.in_units(most)]),
    )


def solve_relaxed(task: Task) -> tuple[Floats, Floats]:
    """The linear programme: how much of each option, and the price of each limit.

    Limits are raised by next to nothing: at a corner, one more unit is then priced, and not one less.
    """
    scale = 1e2 / float(task.net.max())
    more = np.where(task.money, np.maximum(1e-5 * task.most, 1e-3 * GRID), 0.01)
    matrix, most = _programme(task, task.most + more)
    solved = linprog(-task.net * scale, A_ub=matrix, b_ub=most, bounds=(0, None), method="highs")
    if solved.x is None:
        return np.zeros(len(task.net)), np.zeros(len(task.most))
    prices = np.maximum(-solved.ineqlin.marginals[task.customers :], 0.0) / scale
    return np.asarray(solved.x), np.asarray(prices)


def price_the_next(task: Task, found: Found) -> Floats:
    """Prices that are as good as those found, and of one more unit, not of one less."""
    exact = solve_relaxed(task)[1]
    return exact if bound_at(task, exact)[0] <= bound_at(task, found.prices)[0] * (1 + GAP) else found.prices
