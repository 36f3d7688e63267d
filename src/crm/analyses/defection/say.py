"""A sentence of defection: its date, its currency and its horizon, and no number that is missing."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from crm.analyses.defection.result import Evidence
from crm.finding import Finding

LEAVE = {"silence": "buy nothing in the next {days} days", "cancellation": "cancel within {days} days"}
"""What leaving is, of several who may."""

LEAVING = {"silence": "buying nothing in the next {days} days", "cancellation": "cancelling within {days} days"}

LEFT = {
    "silence": "bought nothing in the {days} days after it",
    "cancellation": "cancelled within {days} days after it",
}
"""The same of an earlier date."""

PARTLY = {
    "silence": "spend less than half of the usual in these days",
    "cancellation": "pay less than half of today's fee by then",
}

AT_STAKE = {"silence": "active customers", "cancellation": "customers with a running contract"}
ONE_AT_STAKE = {"silence": "active customer", "cancellation": "customer with a running contract"}


def say(
    evidence: Evidence, name: str, template: str, values: dict[str, Any], table: pd.DataFrame | None = None
) -> Finding | None:
    """A finding about those at stake over the horizon, unless `values` says otherwise; None without all its numbers.

    Fields that every template may use: as_of, currency, customers (at stake), days (of the horizon).
    """
    common: dict[str, Any] = {
        "as_of": evidence.as_of,
        "currency": evidence.currency,
        "customers": len(evidence.customers),
        "days": evidence.horizon_days,
    }
    if not all(known(value) for value in values.values()):
        return None
    return Finding(name, template, common | values, evidence.as_of, table)


def known(value: Any) -> bool:
    """Is this a word, a date or a finite number?"""
    return value is not None and (not isinstance(value, float) or math.isfinite(value))


def no_minus_zero(number: float, *, places: int = 0) -> float:
    """What rounds to zero at so many places is zero, so that no sentence says -0."""
    return 0.0 if abs(number) < 0.5 * 10**-places else number


def first(rows: pd.DataFrame) -> dict[str, Any]:
    """The first of some rows; nothing where there is none."""
    return {str(name): value for name, value in rows.to_dict("records")[0].items()} if len(rows) else {}


def at_stake(evidence: Evidence) -> str:
    """Who may leave, with their number: a clause of a template."""
    words = ONE_AT_STAKE if len(evidence.customers) == 1 else AT_STAKE
    return f"{{customers:,}} {words[evidence.stake.kind]}"


def tells_chances(evidence: Evidence) -> bool:
    """Is anybody's chance to leave known?"""
    return bool(evidence.customers["probability"].notna().any())


def comes_all_the_same(evidence: Evidence) -> bool:
    """Was part of what leavers had brought seen to come nevertheless, so that it is taken off what is at risk?"""
    return evidence.decision.still_brings >= LEAST_TOLD


LEAST_TOLD = 0.005
"""A smaller share is 0 % in a sentence."""


def rounded(number: float) -> str:
    """The format of an expected number of people: a decimal where there are few."""
    return ",.0f" if number >= 10 else ",.1f"
