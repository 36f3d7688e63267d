"""What left with them: the yearly net sales and margin of those who left, by what went before and by group.

A sign is not a cause: of those who stayed some met with the same, and their share stands beside.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from crm.analyses.defection.understanding.changes import Matched
from crm.analyses.defection.understanding.curves import FEWEST, UNTOLD
from crm.analyses.defection.understanding.occasions import YEAR
from crm.analyses.defection.understanding.when import wilson

LATE, CASE, DEARER, NO_SIGN = (
    "after late deliveries", "after an open case or a bad mark", "after prices rose", "no sign"
)  # fmt: skip

ROSE = 1.05
"""Prices rose for a customer whose earlier basket costs at least so many times what it did."""

OTHER = "(other)"

LOSS_COLUMNS = {
    "kind": "str", "group": "str", "customers": "int64", "share": "float64", "low": "float64", "high": "float64",
    "share_of_stayers": "float64", "net_sales": "float64", "margin": "float64", "share_of_net_sales": "float64",
    "to_a_year": "int64",
}  # fmt: skip


def signs(recent: pd.DataFrame) -> pd.Series[str] | None:
    """What each customer met with lately: the first that fits of late deliveries, an open case or a bad mark, and
    prices that rose; None where the tables know of none of these.

    recent: the recent values of the measures, one row per customer.
    """
    met = {
        LATE: recent.get("late_deliveries", _NONE) > 0,
        CASE: (recent.get("open_cases", _NONE) > 0) | (recent.get("bad_marks", _NONE) > 0),
        DEARER: recent.get("basket_price", _NONE) >= ROSE,
    }
    known = {name: sign.to_numpy() for name, sign in met.items() if len(sign) == len(recent) and len(sign)}
    if not known:
        return None
    return pd.Series(np.select(list(known.values()), list(known), NO_SIGN), index=recent.index, dtype="str")


def losses(
    occasions: pd.DataFrame, pairs: Matched, groups: Mapping[str, pd.Series[str]], *, history_days: pd.Series[float]
) -> pd.DataFrame:
    """One row per sign, and per group of each kind, the largest loss first within its kind.

    kind (everybody, sign, or the kinds of `groups`), group, customers (who left and have not come back, each once),
    share (of those) with low, high (95 %, Wilson), share_of_stayers (the share that met with the
    same among the similar who stayed; missing for other kinds), net_sales and margin (per year, as in the last 365
    days before the date), share_of_net_sales, to_a_year (of how many the history was shorter and their amounts were
    brought to a year). By sign only those with somebody similar who stayed. Groups of fewer
    than five go together as "(other)".

    occasions: those who left, as of `still_gone`.     pairs: theirs, and the similar who stayed.
    groups: per kind, the group of each customer, by customer_id.     history_days: per row of `occasions`, how much
    history there was before; shorter ones than a year are scaled.
    """
    times = YEAR / history_days.clip(upper=YEAR)
    lost = occasions.assign(
        net_sales=occasions["net_sales_365d"] * times,
        margin=occasions["margin_365d"] * times,
        to_a_year=(times > 1).astype("int64"),
    )
    parts = [_by_group(lost, pd.Series("everybody", index=lost.index), kind="everybody")]
    met = signs(pairs.recent)
    if met is not None:
        stayed = met[~pairs.rows["left"]].value_counts(normalize=True)
        told = met[pairs.rows["left"]]
        parts.append(_by_group(lost.loc[told.index], told, kind="sign", stayers=stayed))
    for kind, names in groups.items():
        told = lost["customer_id"].map(names.astype("object"))
        told = told[told.notna() & ~told.isin(list(UNTOLD))].astype("str")
        parts.append(_by_group(lost.loc[told.index], told, kind=kind))
    empty = pd.DataFrame(columns=list(LOSS_COLUMNS))
    return pd.concat([empty, *(part for part in parts if not part.empty)], ignore_index=True).astype(LOSS_COLUMNS)


_NONE: pd.Series[float] = pd.Series(dtype="float64")


def _by_group(
    lost: pd.DataFrame, names: pd.Series[str], *, kind: str, stayers: pd.Series[float] | None = None
) -> pd.DataFrame:
    if lost.empty:
        return pd.DataFrame(columns=list(LOSS_COLUMNS))
    if stayers is None and kind != "everybody":
        names = names.where(names.map(names.value_counts()) >= FEWEST, OTHER)
    table = lost.groupby(names.to_numpy()).agg(
        customers=("net_sales", "size"),
        net_sales=("net_sales", "sum"),
        margin=("margin", "sum"),
        to_a_year=("to_a_year", "sum"),
    )
    total = pd.Series(len(lost), index=table.index)
    low, high = wilson(table["customers"], total) if kind != "everybody" else (1.0, 1.0)
    whole = float(table["net_sales"].sum())
    beside = stayers.reindex(table.index).fillna(0.0) if stayers is not None and len(stayers) else np.nan
    table = table.assign(
        kind=kind, share=table["customers"] / total, low=low, high=high, share_of_stayers=beside,
        share_of_net_sales=table["net_sales"] / whole if whole > 0 else 0.0,
    )  # fmt: skip
    table = table.rename_axis("group").reset_index()
    table = table.assign(last=table["group"].isin([OTHER, NO_SIGN]))
    return table.sort_values(["last", "net_sales", "group"], ascending=[True, False, True])[list(LOSS_COLUMNS)]
