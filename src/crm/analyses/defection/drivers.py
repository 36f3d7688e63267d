"""What moves the chance to leave, over all customers; and the best customers who were served badly."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from crm.analyses.defection.known import THEMES, theme_of
from crm.analyses.defection.model import DefectionModel
from crm.analyses.defection.reasons import Reason

BEST = 0.1
LOW_MARK = 3.0

TROUBLES: Mapping[str, tuple[str, Callable[[pd.Series[float]], pd.Series[bool]]]] = {
    "late deliveries": ("late_deliveries_365d", lambda column: column >= 1),
    "faulty deliveries": ("faulty_deliveries_365d", lambda column: column >= 1),
    "open cases": ("open_cases", lambda column: column >= 1),
    "low marks": ("mean_satisfaction", lambda column: column < LOW_MARK),
    "returns": ("returns_365d", lambda column: column >= 1),
}
NOTHING = "nothing"


def drivers(model: DefectionModel, known: pd.DataFrame, reasons: Sequence[tuple[Reason, ...]]) -> pd.DataFrame:
    """Themes by how much they move the chance: theme, meaning, share, top_share, column.

    share: of the mean absolute contributions of all themes. top_share: of customers at risk with a reason, for how
    many it is the first. column: the one that moves most.
    """
    columns = ["theme", "meaning", "share", "top_share", "column"]
    added = model.contributions(known)
    added = added.loc[:, added.notna().any()]
    if added.empty:
        return pd.DataFrame(columns=columns)
    moved = added.abs().mean()
    by_theme = added.T.groupby([theme_of(str(name)) for name in added.columns]).sum().T.abs().mean()
    first = pd.Series([told[0].theme for told in reasons if told], dtype="str").value_counts(normalize=True)
    rows = []
    for theme, weight in by_theme.sort_values(ascending=False, kind="stable").items():
        own = moved[[name for name in moved.index if theme_of(str(name)) == theme]]
        share = float(weight / max(by_theme.sum(), 1e-12))
        rows.append((str(theme), THEMES[str(theme)], share, float(first.get(theme, 0.0)), str(own.idxmax())))
    return pd.DataFrame(rows, columns=columns)


def badly_treated(customers: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The best tenth by value, by what went wrong in the last year; a customer may have met several troubles.

    customers: customer_id, probability, value_if_stays, value_at_risk.
    """
    table = customers.merge(known, on="customer_id", how="left", suffixes=("", "_known"))
    best = table.nlargest(max(round(len(table) * BEST), 1), "value_if_stays", keep="first") if len(table) else table
    rows, any_trouble = [], np.zeros(len(best), dtype="bool")
    for trouble, (column, met) in TROUBLES.items():
        if column not in best:
            continue
        some = met(best[column].astype("float64")).fillna(False).to_numpy(dtype="bool")
        any_trouble |= some
        rows.append(_row(trouble, best[some]))
    if rows:
        rows.append(_row(NOTHING, best[~any_trouble]))
    return pd.DataFrame(rows, columns=["trouble", "customers", "probability", "value_at_risk"])


def _row(trouble: str, some: pd.DataFrame) -> tuple[str, int, float, float]:
    chance = float(some["probability"].mean()) if len(some) else float("nan")
    return trouble, len(some), chance, float(some["value_at_risk"].sum())
