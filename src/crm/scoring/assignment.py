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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from crm.errors import CrmError
from crm.scoring.prices import BUDGET, CAPACITY, PROGRAMME_BUDGET, SIZE, prices_frame

EXACT_BELOW = 60_000
"""So many options are solved exactly."""

PLAINLY = 2_000
"""So many go to the integer programme as they are; of more, only those that the prices leave undecided."""

NODES = 500
"""Branches an exact solution may take; a number of branches and not of seconds, so that the answer is the same."""

GAP = 1e-5
"""At this gap nothing more is tried."""

AT_ONCE = 2**18
UNDECIDED = 30_000
ROUNDS = 40
STEPS = 80
GRID = 1e6

COLUMNS = ("customer_id", "programme", "channel", "gain", "cost")
NOT_KNOWN, DOES_NOT_PAY, NOT_CHOSEN = "gain or cost not known", "gain does not pay the cost", "another was worth more"

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Method = Literal["exact", "by prices"]


@dataclass(frozen=True)
class Limits:
    """What may be spent and done at most; what is not named, None or infinite has no limit.

    budget: of everything, in the currency. budgets: by programme, in the currency. sizes: customers by programme.
    capacities: contacts by channel, such as hours of calls times calls an hour.
    """

    budget: float | None = None
    budgets: Mapping[str, float | None] = field(default_factory=dict)
    sizes: Mapping[str, float | None] = field(default_factory=dict)
    capacities: Mapping[str, float | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        wrong = [(*key, most) for *key, most in self._named() if math.isnan(most) or most < 0]
        if wrong:
            kind, of, most = wrong[0]
            raise CrmError(
                "A limit is a number that is not below zero, or none.",
                found=f"{kind}{f' of {of}' if of else ''}: {most}",
                do="Correct it, or leave it out where there is no limit.",
            )

    def _named(self) -> Iterator[tuple[str, str, float]]:
        yield BUDGET, "", _or_none(self.budget)
        for kind, mapping in ((PROGRAMME_BUDGET, self.budgets), (SIZE, self.sizes), (CAPACITY, self.capacities)):
            for of, most in mapping.items():
                yield kind, of, _or_none(most)

    @property
    def finite(self) -> list[tuple[str, str, float]]:
        """Kind of limit, of which programme or channel, and how much: those that can bind."""
        return [named for named in self._named() if math.isfinite(named[2])]


def _or_none(most: float | None) -> float:
    return math.inf if most is None else float(most)


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
    _check(options)
    task, left_out = _read(options, limits)
    found = _solve(task, exact_below)
    rows = np.sort(_first_served(task, found.picked))
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


def _check(options: pd.DataFrame) -> None:
    missing = [name for name in COLUMNS if name not in options]
    if missing:
        raise CrmError(
            f"Options have the columns {', '.join(COLUMNS)}.",
            found=f"no {', '.join(missing)}",
            do="Give one row per customer, programme and channel that is permitted.",
        )
    nameless = options[["customer_id", "programme", "channel"]].isna().any(axis=1)
    if nameless.any():
        raise CrmError(
            "An option names its customer, programme and channel.",
            found=f"{nameless.sum():,} rows without",
            do="Leave them out, or name them.",
        )
    below = options["cost"] < 0
    if below.any():
        raise CrmError(
            "A cost is not below zero.",
            found=f"{below.sum():,} options with a cost below zero, {_some(options, below)}",
            do="What a contact saves belongs to its gain.",
        )


def _some(options: pd.DataFrame, which: Any) -> str:
    return "such as of " + ", ".join(str(one) for one in options.loc[which, "customer_id"].unique()[:3])


# What is to be solved, as arrays.


@dataclass(frozen=True)
class _Task:
    """Options that pay, in the order of customer, programme and channel; a kind is a programme and channel.

    positions: where the option stands in the frame. owner: number of the customer, from 0. starts: first row of each
    customer, and the end. cost: in millionths, whole numbers. covers: one row per limit, one column per kind: who
    uses it. money: used by what an option costs, else by one. most: in millionths, or in whole contacts.
    """

    positions: Ints
    owner: npt.NDArray[np.int32]
    starts: Ints
    kind: npt.NDArray[np.int32]
    net: Floats
    cost: Floats
    covers: Bools
    money: Bools
    most: Floats

    @property
    def customers(self) -> int:
        return len(self.starts) - 1

    @property
    def units(self) -> Floats:
        """What one of a limit's whole numbers is: a millionth of the currency, or one contact."""
        return np.where(self.money, 1 / GRID, 1.0)

    def in_units(self, amounts: Floats) -> Floats:
        return amounts * self.units

    def used(self, rows: Ints) -> Floats:
        """How much of each limit these options use, exactly."""
        count = np.bincount(self.kind[rows], minlength=self.covers.shape[1])
        spent = np.bincount(self.kind[rows], weights=self.cost[rows], minlength=self.covers.shape[1])
        return np.where(self.money, self.covers @ spent, self.covers @ count)

    def use(self, limit: int, rows: Ints) -> Floats:
        """How much of one limit each of these options uses."""
        covered = self.covers[limit][self.kind[rows]]
        amounts: Floats = covered * self.cost[rows] if self.money[limit] else covered.astype("float64")
        return amounts

    def per_kind(self, prices: Floats) -> tuple[Floats, Floats]:
        """What an option of each kind pays at these prices: per millionth of its cost, and for being one."""
        paid = self.covers * (prices * self.units)[:, None]
        return paid[self.money].sum(axis=0), paid[~self.money].sum(axis=0)

    def after_prices(self, prices: Floats, rows: Ints | slice) -> Floats:
        """What is left of the net of these options when they have paid the prices."""
        rate, fee = self.per_kind(prices)
        kind = self.kind[rows]
        left: Floats = self.net[rows] - self.cost[rows] * rate[kind] - fee[kind]
        return left

    def part(self, customers: Ints, share: float) -> _Task:
        """Some customers alone, with as large a share of each limit."""
        return self.only(self.rows_of(customers), self.most * share)

    def only(self, rows: Ints, most: Floats) -> _Task:
        """These options alone, and what of each limit is for them."""
        begins = np.append(True, np.diff(self.owner[rows]) > 0)[: len(rows)]
        return replace(
            self,
            positions=self.positions[rows],
            owner=(np.cumsum(begins) - 1).astype("int32"),
            starts=np.append(np.flatnonzero(begins), len(rows)),
            kind=self.kind[rows],
            net=self.net[rows],
            cost=self.cost[rows],
            most=most,
        )

    def rows_of(self, customers: Ints) -> Ints:
        """The rows of some customers, one customer after the other."""
        first, count = self.starts[customers], np.diff(self.starts)[customers]
        ends = np.cumsum(count)
        return np.repeat(first - ends + count, count) + np.arange(count.sum())


class _Found(NamedTuple):
    """One row (or -1) per customer; no choice brings more than bound; price per unit of each limit."""

    picked: Ints
    bound: float
    method: Method
    prices: Floats


def _read(options: pd.DataFrame, limits: Limits) -> tuple[_Task, dict[str, int]]:
    gain, cost = (options[name].to_numpy("float64", na_value=math.nan) for name in ("gain", "cost"))
    known = np.isfinite(gain) & np.isfinite(cost)
    pays = known & (np.subtract(gain, cost, where=known, out=np.zeros(len(gain))) > 0)
    customer = np.asarray(pd.factorize(options["customer_id"], sort=True)[0], dtype="int64")
    programme, programmes = _numbered(options["programme"])
    channel, channels = _numbered(options["channel"])
    kind = programme * len(channels) + channel
    key = customer * max(len(programmes) * len(channels), 1) + kind
    order = np.argsort(key, kind="stable") if (np.diff(key) < 0).any() else np.arange(len(key))
    again = np.flatnonzero(np.diff(key[order]) == 0)
    if len(again):
        raise CrmError(
            "A customer has a programme and channel once.",
            found=f"{len(again):,} options twice, {_some(options, options.index[order[again]])}",
            do="Keep one of them.",
        )
    order = order[pays[order]]
    begins = np.append(True, np.diff(customer[order]) > 0)[: len(order)]
    finite = limits.finite
    money = np.array([what in (BUDGET, PROGRAMME_BUDGET) for what, _, _ in finite], dtype=bool)
    most = np.array([most for _, _, most in finite], dtype="float64")
    task = _Task(
        positions=order,
        owner=np.cumsum(begins, dtype="int32") - np.int32(1),
        starts=np.append(np.flatnonzero(begins), len(order)),
        kind=kind[order].astype("int32"),
        net=gain[order] - cost[order],
        cost=np.ceil(cost[order] * GRID - 1e-3),
        covers=_covers(finite, programmes, channels),
        money=money,
        most=np.floor(np.where(money, most * GRID + 1e-3, most)),
    )
    return task, {NOT_KNOWN: int((~known).sum()), DOES_NOT_PAY: int((known & ~pays).sum())}


def _numbered(names: pd.Series[Any]) -> tuple[Ints, list[str]]:
    """A number for each name, in the order of the categories, else of the alphabet."""
    if isinstance(names.dtype, pd.CategoricalDtype):
        return np.asarray(names.cat.codes, dtype="int64"), [str(name) for name in names.cat.categories]
    codes, found = pd.factorize(names, sort=True)
    return np.asarray(codes, dtype="int64"), [str(name) for name in found]


def _covers(finite: list[tuple[str, str, float]], programmes: list[str], channels: list[str]) -> Bools:
    kinds = [(programme, channel) for programme in programmes for channel in channels]
    rows = [
        [what == BUDGET or of == (channel if what == CAPACITY else programme) for programme, channel in kinds]
        for what, of, _ in finite
    ]
    return np.array(rows, dtype=bool).reshape(len(finite), len(kinds))


def _keep_to_limits(task: _Task, rows: Ints) -> None:
    """The last word before anything is handed over."""
    if (task.used(rows) > task.most).any() or (np.diff(task.owner[rows]) <= 0).any():
        raise AssertionError("an assignment broke a limit")


def _solve(task: _Task, exact_below: int) -> _Found:
    if not len(task.net):
        return _Found(np.full(task.customers, -1), 0.0, "exact", np.zeros(len(task.most)))
    if len(task.net) >= exact_below:
        return _by_prices(task)
    if len(task.net) <= PLAINLY:
        exact = _exactly(task)
        if exact is not None:
            return exact
    found = _by_prices(task)
    return _narrowed(task, found)._replace(prices=_of_the_next(task, found))


def _value(task: _Task, picked: Ints) -> float:
    return float(task.net[picked[picked >= 0]].sum())


# Exactly: an integer programme.


def _exactly(task: _Task) -> _Found | None:
    """The best choice there is, with the prices of the linear relaxation; None where that takes too long."""
    rows, _, proven = _integer(task, nodes=NODES, gap=0.0)
    if rows is None or not proven:
        return None
    picked = _picked(task, rows)
    return _Found(picked, _value(task, picked), "exact", _relaxed(task)[1])


def _integer(task: _Task, *, nodes: int, gap: float) -> tuple[Ints | None, float, bool]:
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


def _narrowed(task: _Task, found: _Found) -> _Found:
    """Exactly, by what the prices leave open.

    An option that is worth less after prices than its customer's best by more than the gap is in no better choice:
    with it the bound would be below what is reached already.
    """
    slack = _dual(task, found.prices)[0] * (1 + 1e-9) - _value(task, found.picked)
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
        whole, more, proven = _integer(task.only(rows, task.most - task.used(fixed)), nodes=NODES, gap=0.0)
        if whole is None:
            return found
        fixed, worth = np.append(fixed, rows[whole]), worth + more
    picked = max(found.picked, _picked(task, fixed), key=lambda one: _value(task, one))
    bound = min(found.bound, max(worth, _value(task, picked)))
    return found._replace(picked=picked, bound=bound, method="exact" if proven else "by prices")


def _programme(task: _Task, most: Floats) -> tuple[Any, Floats]:
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


def _relaxed(task: _Task) -> tuple[Floats, Floats]:
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


def _of_the_next(task: _Task, found: _Found) -> Floats:
    """Prices that are as good as those found, and of one more unit, not of one less."""
    exact = _relaxed(task)[1]
    return exact if _dual(task, exact)[0] <= _dual(task, found.prices)[0] * (1 + GAP) else found.prices


def _picked(task: _Task, rows: Ints) -> Ints:
    picked = np.full(task.customers, -1)
    picked[task.owner[rows]] = rows
    return picked


# By prices.


def _by_prices(task: _Task) -> _Found:
    """Prices, the choices at these prices, taken back to the limits, the undecided settled."""
    prices, bound = _find_prices(task)
    picked = _fill(task, prices, _take_back(task, prices, _decide(task, prices)))
    for step in (_settle, _polish) if len(task.net) <= UNDECIDED else (_settle, _settle, _polish):
        if _value(task, picked) >= bound * (1 - GAP):
            break
        settled, refined = step(task, prices, picked)
        picked = max(picked, settled, key=lambda one: _value(task, one))
        refined_bound = _dual(task, refined)[0]
        prices = refined if refined_bound <= bound * (1 + GAP) else prices
        bound = min(bound, refined_bound)
    return _Found(picked, bound, "by prices", prices)


def _pieces(task: _Task, prices: Floats) -> Iterator[tuple[slice, Floats, Floats, Ints]]:
    """Piece by piece, so that memory stays small: customers, left after prices by row, most by customer, its row."""
    edges = np.searchsorted(task.starts[:-1], np.arange(0, len(task.net), AT_ONCE))
    edges = np.unique(np.append(edges, task.customers))
    for low, high in pairwise(edges):
        first, end = task.starts[low], task.starts[high]
        left = task.after_prices(prices, slice(first, end))
        most, row = _best(left, task.owner[first:end], task.starts[low:high] - first)
        yield slice(low, high), left, most, row + first


def _best(left: Floats, owner: npt.NDArray[np.int32], starts: Ints) -> tuple[Floats, Ints]:
    """The most of each owner's rows, and the first row that has it."""
    most = np.maximum.reduceat(left, starts)
    hits = np.flatnonzero(left == np.repeat(most, np.diff(np.append(starts, len(left)))))
    first = np.append(True, np.diff(owner[hits]) > 0)
    return most, hits[first]


def _dual(task: _Task, prices: Floats) -> tuple[float, Floats]:
    """The bound at these prices, and its slope: what of each limit is left over by choices at these prices."""
    total, used = 0.0, np.zeros(len(task.most))
    for _, _, most, row in _pieces(task, prices):
        total += float(most[most > 0].sum())
        used += task.used(row[most > 0])
    return total + float(prices @ task.in_units(task.most)), task.in_units(task.most - used)


def _decide(task: _Task, prices: Floats) -> Ints:
    picked = np.full(task.customers, -1)
    for where, _, most, row in _pieces(task, prices):
        picked[where] = np.where(most > 0, row, -1)
    return picked


def _find_prices(task: _Task) -> tuple[Floats, float]:
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


def _lowest(task: _Task, prices: Floats, *, radius: float) -> tuple[Floats, float]:
    """Cutting planes within a region that grows as long as they are right and shrinks where they are not."""
    value, slope = _dual(task, prices)
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
        tried_value, tried_slope = _dual(task, tried)
        cuts.append((tried_value - float(tried_slope @ tried), tried_slope))
        better = value - tried_value
        radius *= 2.0 if better > 0.5 * gain else 1.0 if better > 0 else 0.5
        if better > 0:
            prices, value = tried, tried_value
    return prices, value


def _price_scale(task: _Task) -> tuple[Floats, Floats]:
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


def _take_back(task: _Task, prices: Floats, picked: Ints) -> Ints:
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


def _fill(task: _Task, prices: Floats, picked: Ints) -> Ints:
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
        most, first = _best(left, owner, begins)
        wanted = rows[first][np.argsort(-most, kind="stable")]
        served = wanted[_served(task, room, wanted, picked)]
        picked[task.owner[served]] = served
    return picked


def _of_now(amounts: Floats, now: Ints) -> Floats:
    """The amounts of these rows, 0 of none."""
    return np.where(now >= 0, amounts[now], 0.0)


def _more(task: _Task, limit: int, rows: Ints, picked: Ints) -> Floats:
    """How much more of a limit these options use than what their customers have now."""
    now = picked[task.owner[rows]]
    more: Floats = task.use(limit, rows) - np.where(now >= 0, task.use(limit, now), 0.0)
    return more


def _fits(task: _Task, room: Floats, rows: Ints, picked: Ints) -> Bools:
    """There is room for each of these options, if it were alone."""
    fits = np.ones(len(rows), dtype=bool)
    for limit in range(len(room)):
        fits[fits] = _more(task, limit, rows[fits], picked) <= room[limit]
    return fits


def _served(task: _Task, room: Floats, wanted: Ints, picked: Ints) -> Bools:
    """Those for whom there is room, the first first."""
    served = np.ones(len(wanted), dtype=bool)
    for limit in range(len(room)):
        more = np.maximum(_more(task, limit, wanted, picked), 0.0) * served
        served &= (more == 0) | (np.cumsum(more) <= room[limit])
    return served


def _settle(task: _Task, prices: Floats, picked: Ints) -> tuple[Ints, Floats]:
    """Those who lost by the limits, and the most undecided, chosen anew together; and the prices that this gives."""
    rows, others, room = _open_up(task, prices, picked, UNDECIDED)
    amounts, refined = _relaxed(task.only(rows, room))
    whole = rows[amounts > 1 - 1e-6]
    others[task.owner[whole]] = whole
    return _fill(task, refined, _take_back(task, refined, others)), refined


def _polish(task: _Task, prices: Floats, picked: Ints) -> tuple[Ints, Floats]:
    """The same with whole choices, of fewer customers."""
    rows, others, room = _open_up(task, prices, picked, PLAINLY)
    whole, _, _ = _integer(task.only(rows, room), nodes=NODES // 10, gap=1e-6)
    if whole is None:
        return picked, prices
    others[task.owner[rows[whole]]] = rows[whole]
    return _fill(task, prices, others), prices


def _open_up(task: _Task, prices: Floats, picked: Ints, size: int) -> tuple[Ints, Ints, Floats]:
    """The options of the most undecided customers, what the others have, and the room that they leave."""
    order = np.argsort(_decidedness(task, prices, picked), kind="stable")
    ends = np.cumsum(np.diff(task.starts)[order])
    customers = np.sort(order[: np.searchsorted(ends, size) + 1])
    others = picked.copy()
    others[customers] = -1
    return task.rows_of(customers), others, task.most - task.used(others[others >= 0])


def _decidedness(task: _Task, prices: Floats, picked: Ints) -> Floats:
    """How much better the best is than the next (or nothing); below zero for those who have less than their best."""
    decided = np.empty(task.customers)
    for where, left, most, row in _pieces(task, prices):
        first = task.starts[where.start]
        now = picked[where]
        has = np.where(now >= 0, left[np.maximum(now - first, 0)], 0.0)
        left[row - first] = -math.inf
        next_best = np.maximum.reduceat(left, task.starts[where] - first)
        best = np.maximum(most, 0.0)
        clear = np.where(most > 0, most - np.maximum(next_best, 0.0), -most)
        decided[where] = np.where(best > has, has - best, clear)
    return decided


# Ties.


def _first_served(task: _Task, picked: Ints) -> Ints:
    """What was given to customers with the same options is dealt among them anew, the first by id served first."""
    kinds = task.covers.shape[1]
    given = np.where(picked >= 0, task.kind[picked], kinds) if len(task.net) else np.zeros(0, dtype="int64")
    alike = _alike(task)
    in_line = np.argsort(alike, kind="stable")
    dealt = np.lexsort((given, alike))
    swapped = in_line[given[in_line] != given[dealt]]
    anew = picked.copy()
    anew[in_line] = np.where(given[dealt] == kinds, -1, picked[in_line])
    if not len(swapped):
        return picked
    rank = np.empty(len(in_line), dtype="int64")
    rank[in_line] = np.arange(len(in_line))
    from_whom = dealt[rank[swapped]]
    gets = from_whom[picked[from_whom] >= 0]
    to_whom = swapped[picked[from_whom] >= 0]
    same = task.starts[to_whom] + picked[gets] - task.starts[gets]
    if not np.array_equal(_row_marks(task, same), _row_marks(task, picked[gets])):
        return picked
    anew[swapped] = -1
    anew[to_whom] = same
    return anew


def _alike(task: _Task) -> npt.NDArray[np.uint64]:
    """A mark of each customer: the same for the same options."""
    if not len(task.net):
        return np.zeros(0, dtype="uint64")
    marks = pd.util.hash_array(_row_marks(task, slice(None)))
    return np.add.reduceat(marks, task.starts[:-1])


def _row_marks(task: _Task, rows: Ints | slice) -> npt.NDArray[np.uint64]:
    """A mark of each option: the same for the same programme, channel, net and cost."""
    with np.errstate(over="ignore"):
        marks = pd.util.hash_array(task.net[rows]) * np.uint64(3)
        marks += pd.util.hash_array(task.cost[rows]) * np.uint64(5)
        marks += pd.util.hash_array(task.kind[rows].astype("uint64"))
    return marks


__all__ = ["EXACT_BELOW", "Assignment", "Limits", "assign"]
