"""What is to be solved, as arrays: options that pay, what of each limit they use, and how much of it there is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

PLAINLY = 2_000
"""So many go to the integer programme as they are; of more, only those that the prices leave undecided."""

NODES = 500
"""Branches an exact solution may take; a number of branches and not of seconds, so that the answer is the same."""

GAP = 1e-5
"""At this gap nothing more is tried."""

GRID = 1e6
"""Costs are counted in millionths."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Method = Literal["exact", "by prices"]


@dataclass(frozen=True)
class Task:
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

    def part(self, customers: Ints, share: float) -> Task:
        """Some customers alone, with as large a share of each limit."""
        return self.only(self.rows_of(customers), self.most * share)

    def only(self, rows: Ints, most: Floats) -> Task:
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


class Found(NamedTuple):
    """One row (or -1) per customer; no choice brings more than bound; price per unit of each limit."""

    picked: Ints
    bound: float
    method: Method
    prices: Floats


def value_of(task: Task, picked: Ints) -> float:
    return float(task.net[picked[picked >= 0]].sum())


def picked_by_customer(task: Task, rows: Ints) -> Ints:
    picked = np.full(task.customers, -1)
    picked[task.owner[rows]] = rows
    return picked
