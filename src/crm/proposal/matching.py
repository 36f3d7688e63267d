"""Which column is which canonical one: names weighed with what the values look like, all columns at once.

The assignment is one-to-one and global (the sum of all likenesses is largest), so that "Invoice" does not lose its
place to "Invoice date" because it came first.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from crm.contracts import CONTRACTS
from crm.proposal.meanings import PATTERNS, fits_exactly, likeness
from crm.proposal.profile import Column, Table

LIKELY = 0.3  # below it a column is not taken for the canonical one
CERTAIN = 0.95  # from it on no other column is told as a possibility
SURE = 0.6  # from it on nobody needs to be asked
BY_VALUES = 0.4  # of a column that only behaves so
_REQUIRED_COUNTS = 1.3  # how much more a required column weighs
_NEARLY_ALL = 0.98  # of the values; the others are slips of the key
_CLOSE = 0.12  # a second column this near is told as a possibility


@dataclass(frozen=True)
class Match:
    """One canonical column's column, how sure that is (0 to 1), and further columns it might have been."""

    column: str
    sure: float
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Matched:
    """The columns of one table, if it were the canonical table `name`."""

    name: str
    columns: dict[str, Match]
    likeness: float

    def __getitem__(self, target: str) -> str:
        return self.columns[target].column

    def __contains__(self, target: str) -> bool:
        return target in self.columns

    def get(self, target: str) -> str | None:
        """The column that stands for a canonical one, if there is one."""
        return self.columns[target].column if target in self.columns else None


def match(
    table: Table, name: str, *, leave_out: Collection[str] = (), only: Collection[str] = ()
) -> dict[str, Match]:
    """The columns of `table` as those of the canonical table `name`, where they are likely at all.

    leave_out: columns that are something else.   only: the canonical columns that are looked for; empty: all.
    """
    columns = [column for column in table.columns if column.name not in leave_out and column.filled]
    targets = [target for target in PATTERNS[name] if not only or target in only]
    if not columns:
        return {}
    scores = np.array([[how_likely(column, name, target) for column in columns] for target in targets])
    weights = np.array([_REQUIRED_COUNTS if target in _needed(name) else 1.0 for target in targets])
    chosen = linear_sum_assignment(-(np.where(scores >= LIKELY, scores, 0.0) * weights[:, None]))
    found: dict[str, Match] = {}
    taken = {columns[at].name for row, at in zip(*chosen, strict=True) if scores[row, at] >= LIKELY}
    for row, at in zip(*chosen, strict=True):
        if (score := float(scores[row, at])) < LIKELY:
            continue
        near = [
            other.name
            for place, other in enumerate(columns)
            if place != at
            and score < CERTAIN
            and scores[row, place] >= max(LIKELY, score - _CLOSE)
            and other.name not in taken
        ]
        found[targets[row]] = Match(columns[at].name, score, tuple(near))
    return found


def _needed(name: str) -> Collection[str]:
    return {*CONTRACTS[name].required_columns, "unit_price"}


def how_likely(column: Column, name: str, target: str) -> float:
    """How likely a column is the canonical one: its name's likeness, if its values are of the kind."""
    if fits_exactly(column.name, target):
        return 1.0 if fit(column, name, target) > 0 else 0.0
    return likeness(column.name, name, target) * fit(column, name, target)


def fit(column: Column, name: str, target: str) -> float:
    """How well a column's values suit a canonical column, from 0 (impossible) to 1."""
    kinds = {c.name: c.kind for c in CONTRACTS[name]} | {"unit_price": "money", "currency": "text"}
    match kinds[target]:
        case "timestamp":
            return _as_moment(column)
        case "money" if target in ("discount_amount", "coupon_amount") and column.is_share:
            return 0.0
        case "number" if target == "margin_rate":
            return 1.0 if column.is_share else 0.0
        case "money" | "number":
            return column.forms.number_share if column.forms.number_share > 0.5 else 0.0
        case "boolean":
            return 1.0 if column.is_yes_no else 0.0
        case _ if target.endswith("_id"):
            return _as_id(column, target)
        case _ if target == "currency":
            return 1.0 if column.words and all(_is_currency(word) for word, _ in column.words) else 0.0
        case _:
            return _as_text(column, target)


def _is_currency(word: str) -> bool:
    return (len(word) == 3 and word.isalpha()) or word in "$€£¥"


def _as_moment(column: Column) -> float:
    if column.is_date:
        return 1.0
    return 0.9 if packed(column) or since_epoch(column) or is_excel_day(column) else 0.0


def packed(column: Column) -> bool:
    """Dates such as 20170305, with or without a time of day behind them."""
    shapes = column.forms.undated
    return bool(shapes) and all(
        one.shape in ("9" * 8, "9" * 14)
        and one.low[:8] >= "19000101"
        and one.high[:8] <= "29991231"
        and _is_day(one.low)
        for one in shapes
    )


def _is_day(digits: str) -> bool:
    return 1 <= int(digits[4:6]) <= 12 and 1 <= int(digits[6:8]) <= 31


def since_epoch(column: Column) -> str:
    """ "epoch" or "epoch_ms" for seconds or milliseconds since 1970, else nothing."""
    shapes = column.forms.undated
    whole = {one.shape.split(".")[0] for one in shapes}
    if whole == {"9" * 10} and min(one.low for one in shapes) > "0600000000":
        return "epoch"
    return "epoch_ms" if whole == {"9" * 13} or whole == {"9" * 12, "9" * 13} else ""


def is_excel_day(column: Column) -> bool:
    """Days since 1900 as a spreadsheet counts them, of 1990 to 2049."""
    shapes = column.forms.undated
    if not shapes or not all(one.shape.split(".")[0] == "9" * 5 for one in shapes):
        return False
    inside = sum(one.rows for one in shapes if one.low >= "32874" and one.high < "54789")
    return inside >= _NEARLY_ALL * column.filled


def _as_id(column: Column, target: str) -> float:
    if not column.is_id or (column.is_yes_no and target != "campaign_id"):
        return 0.0
    if target == "product_id" and _counts_lines(column):
        return 0.3
    if target == "order_id" and column.empty_share > 0.02:
        return column.filled_share**2
    alone = len(column.words) == 1 and target in ("customer_id", "order_id", "product_id")
    return 0.4 if alone else 1.0


def _counts_lines(column: Column) -> bool:
    """Is it 1, 2, 3 …, the number of a line within its order?"""
    numbers = {int(word) for word, _ in column.words if word.isdigit()}
    return len(numbers) == len(column.words) > 0 and {1, 2} <= numbers and max(numbers) == len(numbers)


def _as_text(column: Column, target: str) -> float:
    if column.is_date or column.has_decimals:
        return 0.0
    few = bool(column.words)
    if target in ("channel", "arm", "purpose", "metric", "kind") and not few:
        return 0.3
    if target == "name" and column.is_number:
        return 0.2
    return 0.9 if column.is_number else 1.0
