"""A sentence of lifetime value: its date, its currency and its horizon, and no number that is missing."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from crm.analyses.lifetime_value.result import Evidence
from crm.finding import Finding


def say(
    evidence: Evidence, name: str, template: str, values: dict[str, Any], table: pd.DataFrame | None = None
) -> Finding | None:
    """A finding about all customers over the horizon, unless `values` says otherwise; None where a number is missing.

    Fields that every template may use: as_of, currency, customers, days (of the horizon).
    """
    common: dict[str, Any] = {
        "as_of": evidence.as_of,
        "currency": evidence.currency,
        "customers": len(evidence.valued.customers),
        "days": evidence.horizon_days,
    }
    if not all(known(value) for value in values.values()):
        return None
    return Finding(name, template, common | values, evidence.as_of, table)


def known(value: Any) -> bool:
    """Is this a word, a date or a finite number?"""
    return not isinstance(value, float) or math.isfinite(value)


def no_minus_zero(number: float, *, places: int = 0) -> float:
    """What rounds to zero at so many places is zero, so that no sentence says -0."""
    return 0.0 if abs(number) < 0.5 * 10**-places else number


def first(rows: pd.DataFrame) -> dict[str, Any]:
    """The first of some rows."""
    return {str(name): value for name, value in rows.to_dict("records")[0].items()}
