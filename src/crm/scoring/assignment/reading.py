"""Options and limits as arrays: what is wrong is refused, what does not pay is left out, the order is made fixed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from crm.errors import CrmError
from crm.scoring.assignment.limits import Limits
from crm.scoring.assignment.task import GRID, Bools, Ints, Task
from crm.scoring.prices import BUDGET, CAPACITY, PROGRAMME_BUDGET

COLUMNS = ("customer_id", "programme", "channel", "gain", "cost")
NOT_KNOWN, DOES_NOT_PAY = "gain or cost not known", "gain does not pay the cost"


def read_options(options: pd.DataFrame, limits: Limits) -> tuple[Task, dict[str, int]]:
    """The options that pay, in a fixed order; and why how many others are left out. Raises CrmError."""
    _check(options)
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
    task = Task(
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
