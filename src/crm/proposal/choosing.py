"""Which canonical table each table that was found is, if any: all at once, each at most one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from crm.contracts import CONTRACTS
from crm.proposal.amounts import is_balance
from crm.proposal.looking import Looked
from crm.proposal.matching import Match, Matched, match
from crm.proposal.meanings import table_likeness
from crm.proposal.profile import Table

LIKELY_TABLE = 0.5
_UNIQUE = 0.85  # different keys per row, counted approximately
_TELLING = 0.69  # how sure one of the columns must be that only this table has
TELLING: dict[str, tuple[str, ...]] = {
    "purchases": ("net_amount", "unit_price"),
    "returns": ("returned_at", "reason"),
    "products": ("name", "department", "category", "brand", "margin_rate"),
    "customers": ("customer_id",),
    "consents": ("granted",),
    "campaigns": ("starts_at", "ends_at"),
    "contacts": ("campaign_id",),
    "responses": ("responded_at",),
    "service_cases": ("case_id", "satisfaction"),
    "deliveries": ("promised_at", "delivered_at"),
    "visits": ("visited_at", "pages", "converted"),
    "subscriptions": ("monthly_fee", "started_at"),
    "plan": ("target", "metric"),
}
"""Columns of which at least one must be there by name, unless the file's own name says what it is."""


@dataclass(frozen=True)
class Chosen:
    """A table that was found, and the canonical table it is."""

    looked: Looked
    matched: Matched


def choose(found: Sequence[Looked]) -> tuple[list[Chosen], list[Looked]]:
    """The canonical tables among those found, and the rest."""
    names = list(CONTRACTS)
    if not found:
        return [], []
    readings = [[reading(looked, name) for name in names] for looked in found]
    scores = np.array([[one.likeness for one in row] for row in readings])
    rows, columns = linear_sum_assignment(-np.where(scores >= LIKELY_TABLE, scores, 0.0))
    chosen = [
        Chosen(found[int(row)], readings[int(row)][int(at)])
        for row, at in zip(rows, columns, strict=True)
        if scores[row, at] >= LIKELY_TABLE
    ]
    taken = {id(one.looked) for one in chosen}
    order = {name: at for at, name in enumerate(names)}
    return sorted(chosen, key=lambda one: order[one.matched.name]), [one for one in found if id(one) not in taken]


def reading(looked: Looked, name: str) -> Matched:
    """A table found, read as the canonical table `name`; its likeness is 0 where it cannot be."""
    columns = match(looked.profile, name, leave_out=[c.name for c in looked.profile.columns if is_balance(c.name)])
    if lacking(columns, name) or not looked.rows:
        return Matched(name, columns, 0.0)
    required = [columns[target].sure for target in CONTRACTS[name].required_columns if target in columns]
    if name == "purchases":
        required.append(max(columns[one].sure for one in ("net_amount", "unit_price") if one in columns))
    told = table_likeness(looked.said, name)
    telling = max((columns[target].sure for target in TELLING[name] if target in columns), default=0.0)
    if telling < _TELLING and told < 0.5:
        return Matched(name, columns, 0.0)
    extra = min(0.2, 0.05 * len([one for one in columns if one not in CONTRACTS[name].required_columns]))
    likely = (sum(required) / len(required) + 0.25 * told + extra) * _grain(looked.profile, columns, name)
    return Matched(name, columns, likely)


def lacking(columns: Collection[str] | dict[str, Match], name: str) -> list[str]:
    """The required columns for which nothing was found and that cannot be made from others."""
    made: set[str] = set()
    if name == "purchases":
        made = {"order_id"} | ({"net_amount"} if "unit_price" in columns else set())
    if name == "returns" and "unit_price" in columns and "quantity" in columns:
        made = {"amount"}
    return [one for one in CONTRACTS[name].required_columns if one not in columns and one not in made]


def _grain(table: Table, columns: dict[str, Match], name: str) -> float:
    """Are the rows what a row of the canonical table is? 1 if they may be."""
    key = CONTRACTS[name].key
    if len(key) == 1 and table[columns[key[0]].column].filled:
        column = table[columns[key[0]].column]
        return 1.0 if column.distinct >= _UNIQUE * column.filled else 0.2
    if name == "purchases" and table.rows > 50:
        customer = table[columns["customer_id"].column]
        return 0.5 if customer.distinct >= 0.98 * customer.filled and "order_id" not in columns else 1.0
    return 1.0
