"""Ties: among customers all of whose options are alike, the first by customer_id is served first."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm.scoring.assignment.task import Ints, Task


def deal_among_alike(task: Task, picked: Ints) -> Ints:
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


def _alike(task: Task) -> npt.NDArray[np.uint64]:
    """A mark of each customer: the same for the same options."""
    if not len(task.net):
        return np.zeros(0, dtype="uint64")
    marks = pd.util.hash_array(_row_marks(task, slice(None)))
    return np.add.reduceat(marks, task.starts[:-1])


def _row_marks(task: Task, rows: Ints | slice) -> npt.NDArray[np.uint64]:
    """A mark of each option: the same for the same programme, channel, net and cost."""
    with np.errstate(over="ignore"):
        marks = pd.util.hash_array(task.net[rows]) * np.uint64(3)
        marks += pd.util.hash_array(task.cost[rows]) * np.uint64(5)
        marks += pd.util.hash_array(task.kind[rows].astype("uint64"))
    return marks
