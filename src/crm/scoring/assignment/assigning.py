"""Whom do we contact, about what, through which channel, where budget and hours do not reach for everybody?

Each permitted option, a customer in a programme through a channel, has an expected gain and a cost. Chosen are the
options that bring most together, gain minus cost; a customer gets one at most, and no limit is ever broken:

    maximise   sum of net                     net = gain - cost; only options with net above zero
    such that  one option a customer          budget over all, budget and size by programme, capacity by channel

Up to `EXACT_BELOW` options this is solved exactly, as an integer programme. Beyond that by prices (Lagrangian
relaxation): each limit gets a price per unit, each customer takes what is worth most to them after paying the prices,
and the prices are found at which the limits are just used up. The prices give an upper bound that no choice can pass,

    bound = sum of price * limit + sum over customers of max(0, net - prices paid)

so the gap that is left is known. Choices that break a limit at these prices are taken back, the undecided are settled
by a linear programme, and what is left is filled. Costs are counted in millionths, rounded up: sums are exact.

Time and memory grow with the options: some hundred bytes for each beside the frame, and some seconds a million.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from crm.scoring.assignment.integer_programme import assign_exactly, narrow_down, price_the_next
from crm.scoring.assignment.limits import Limits
from crm.scoring.assignment.reading import read_options
from crm.scoring.assignment.settling import assign_by_prices
from crm.scoring.assignment.task import PLAINLY, Found, Ints, Method, Task
from crm.scoring.assignment.ties import deal_among_alike
from crm.scoring.prices import prices_frame

EXACT_BELOW = 60_000
"""So many options are solved exactly."""

NOT_CHOSEN = "another was worth more"


@dataclass(frozen=True)
class Assignment:
    """Who gets what.

    chosen:   the rows of the options that were chosen, in the order of customer_id, and their `net`.
    value:    what they bring together, gain minus cost.
    bound:    no choice within the limits brings more.
    gap:      1 - value / bound: so much may be missing at most; 0 where solved exactly.
    method:   "exact" or "by prices".
    prices:   one row per limit: `crm.scoring.prices.PRICES`.
    left_out: reason and options: why the others were not chosen.
    """

    chosen: pd.DataFrame = field(repr=False)
    value: float
    bound: float
    gap: float
    method: Method
    prices: pd.DataFrame = field(repr=False)
    left_out: pd.DataFrame = field(repr=False)


def assign(options: pd.DataFrame, limits: Limits, *, exact_below: int = EXACT_BELOW) -> Assignment:
    """The options that bring most together within the limits, one a customer.

    options: one row per permitted customer_id, programme and channel; gain: margin it is expected to add, before
             costs; cost: of contact and offer, both in the currency. Further columns stay with their rows.
    Among customers all of whose options are alike, the first by customer_id is served first, with the programme that
    is first: in the order of its categories where it is categorical, else of the alphabet. The order of the rows does
    not matter.
    """
    task, left_out = read_options(options, limits)
    found = _solve(task, exact_below)
    rows = np.sort(deal_among_alike(task, found.picked))
    rows = rows[rows >= 0]
    _keep_to_limits(task, rows)
    chosen = options.iloc[task.positions[rows]].reset_index(drop=True)
    chosen["net"] = chosen["gain"] - chosen["cost"]
    value = math.fsum(chosen["net"])
    bound = max(found.bound, value)
    left_out[NOT_CHOSEN] = len(task.net) - len(rows)
    return Assignment(
        chosen=chosen,
        value=value,
        bound=bound,
        gap=1 - value / bound if bound > value else 0.0,
        method=found.method,
        prices=prices_frame(limits.finite, task.in_units(task.used(rows)), found.prices),
        left_out=pd.DataFrame({"reason": list(left_out), "options": list(left_out.values())}),
    )


def _keep_to_limits(task: Task, rows: Ints) -> None:
    """The last word before anything is handed over."""
    if (task.used(rows) > task.most).any() or (np.diff(task.owner[rows]) <= 0).any():
        raise AssertionError("an assignment broke a limit")


def _solve(task: Task, exact_below: int) -> Found:
    if not len(task.net):
        return Found(np.full(task.customers, -1), 0.0, "exact", np.zeros(len(task.most)))
    if len(task.net) >= exact_below:
        return assign_by_prices(task)
    if len(task.net) <= PLAINLY:
        exact = assign_exactly(task)
        if exact is not None:
            return exact
    found = assign_by_prices(task)
    return narrow_down(task, found)._replace(prices=price_the_next(task, found))
