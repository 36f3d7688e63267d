"""What a manager would expect of each customer without a model: three rules of thumb."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crm.purchase_models.histories import FloatArray

MONTH = 365.25 / 12
WINDOWS = (28, 91, 182, 365)

SO_FAR, AS_LATELY, RETAINED = "Rate so far", "As in the last period", "Monthly spend and retention"
RULES = (SO_FAR, AS_LATELY, RETAINED)


def expect_by_rule(
    customers: pd.DataFrame, horizon_days: int, *, retention: float
) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """Purchase days, and net sales, of the next `horizon_days` by rule, one entry per customer.

    Rate so far: purchase days and spend per day since the first purchase, times the days ahead.
    As in the last period: those of the longest usual window that the horizon covers, per day, times the days ahead.
    Monthly spend and retention: the rate so far, for as many months as customers are retained on average; who bought
    in the quarter before the last is retained by buying in the last one (`monthly_retention` of all customers).
    """
    days, known = float(horizon_days), _floats(customers, "T").clip(min=1.0)
    window = max((one for one in WINDOWS if one <= horizon_days), default=WINDOWS[0])
    lately = days / np.minimum(known, window)
    lasting = _months_retained(retention, days / MONTH) * MONTH
    purchases, value = _floats(customers, "purchase_days"), _floats(customers, "net_sales_ever")
    return (
        {
            SO_FAR: purchases / known * days,
            AS_LATELY: _floats(customers, f"purchase_days_{window}d") * lately,
            RETAINED: purchases / known * lasting,
        },
        {
            SO_FAR: value / known * days,
            AS_LATELY: _floats(customers, f"net_sales_{window}d") * lately,
            RETAINED: value / known * lasting,
        },
    )


def monthly_retention(customers: pd.DataFrame) -> float:
    """The share kept from month to month: the cube root of the share of one quarter's buyers who bought in the next.

    1 where nobody bought in the quarter before the last.
    """
    newer, both = _floats(customers, "purchase_days_91d"), _floats(customers, "purchase_days_182d")
    before = both - newer > 0
    return float((newer[before] > 0).mean() ** (1 / 3)) if before.any() else 1.0


def _months_retained(kept: float, months: float) -> float:
    """Months of custom expected among so many: the sum of the shares still there in the middle of each."""
    middles = np.arange(np.ceil(months)) + 0.5
    parts = np.clip(months - np.arange(np.ceil(months)), 0.0, 1.0)
    return float((parts * kept**middles).sum())


def _floats(customers: pd.DataFrame, column: str) -> FloatArray:
    return customers[column].to_numpy(dtype="float64", na_value=0.0)
