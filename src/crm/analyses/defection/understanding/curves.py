"""Defection curves: which share of the customers stays for so many days? Kaplan–Meier, and the log-rank test.

Assumptions: 1. Whoever is still watched at some age would go on like those watched beyond it. 2. Lives are
independent of each other. Kaplan & Meier (1958), J. Am. Stat. Assoc. 53; intervals of log(-log S), as Kalbfleisch &
Prentice (1980) give them, which stay between 0 and 1.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

from crm.measures.intervals import ERRORS

FEWEST = 5
"""Of fewer customers no curve is told; and a curve ends with the first point at which fewer are still watched."""

STEP = 7
"""Days between the points of a curve."""

CURVE_COLUMNS = {
    "group_kind": "str", "group": "str", "days": "int64", "share_staying": "float64", "low": "float64",
    "high": "float64", "at_risk": "int64",
}  # fmt: skip
TEST_COLUMNS = {
    "group_kind": "str", "groups": "int64", "customers": "int64", "statistic": "float64", "p": "float64",
    "p_corrected": "float64", "comparisons": "int64", "differ": "bool",
}  # fmt: skip

UNTOLD = frozenset({"(unknown)", "nan", "None", "<NA>"})
"""Names of groups that say nothing."""


def staying(lives: pd.DataFrame, at: np.ndarray) -> pd.DataFrame:
    """The share that stays longer than each of the days `at`: days, share_staying, low, high (95 %), at_risk.

    lives: days, left.     at_risk: those still watched on that day. Where nobody has left yet, the interval is open
    downwards to what so many without a loss allow (the rule of three, 0.05 ** (1 / at_risk)).
    """
    days, left = lives["days"].to_numpy(dtype="float64"), lives["left"].to_numpy(dtype="int64")
    share, error = _product_limit(days, left, at)
    at_risk = len(days) - np.searchsorted(np.sort(days), at, side="left")
    with np.errstate(divide="ignore", invalid="ignore"):
        wide = ERRORS * error / np.abs(share * np.log(share))
        low, high = share ** np.exp(wide), share ** np.exp(-wide)
    none_left, all_left = share == 1, share == 0
    low = np.where(none_left, 0.05 ** (1 / np.maximum(at_risk, 1)), np.where(all_left, 0.0, low))
    high = np.where(none_left, 1.0, np.where(all_left, 1 - 0.05 ** (1 / max(len(days), 1)), high))
    return pd.DataFrame({"days": at, "share_staying": share, "low": low, "high": high, "at_risk": at_risk})


def curve_of(lives: pd.DataFrame) -> pd.DataFrame:
    """`staying` every seven days, until the first of them on which fewer than five are watched."""
    curve = staying(lives, np.arange(0, int(lives["days"].max()) + STEP + 1, STEP))
    return curve[curve["at_risk"].shift(1, fill_value=FEWEST) >= FEWEST]


def defection_curves(lives: pd.DataFrame, kinds: Mapping[str, pd.Series[str]]) -> pd.DataFrame:
    """One row per kind of group, group and day: group_kind, group, days, share_staying, low, high, at_risk.

    kinds: per kind, the group of each of the lives it is told of (by the index of `lives`). Groups of fewer than
    five, those without a name, and kinds with a single group are left out; a curve ends with the first day on which
    fewer than five are watched.
    """
    curves = [
        _curve(lives.loc[members.index], kind=kind, group=str(group))
        for kind, names in kinds.items()
        for group, members in _told(names)
    ]
    empty = pd.DataFrame(columns=list(CURVE_COLUMNS))
    return pd.concat([empty, *curves], ignore_index=True).astype(CURVE_COLUMNS)


def log_rank(lives: pd.DataFrame, kinds: Mapping[str, pd.Series[str]]) -> pd.DataFrame:
    """Do the groups of a kind leave at different times? One row per kind with two groups or more.

    group_kind, groups, customers, statistic (chi-squared, groups - 1 degrees of freedom), p, p_corrected (Holm, over
    the kinds), comparisons (kinds tested), differ (p_corrected < 0.05).
    """
    rows = []
    for kind, names in kinds.items():
        told = pd.concat([members for _, members in _told(names)] or [names.iloc[:0]])
        those = lives.loc[told.index]
        if told.nunique() < 2 or not those["left"].any():
            continue
        groups = pd.factorize(told, sort=True)[0]
        try:
            statistic, p = survdiff(those["days"].to_numpy(dtype="float64"), those["left"].to_numpy("int64"), groups)
        except np.linalg.LinAlgError:  # all of a group leave on one and the same day: there is nothing to compare
            continue
        rows.append(
            {"group_kind": kind, "groups": told.nunique(), "customers": len(told), "statistic": statistic, "p": p}
        )
    table = pd.DataFrame(rows, columns=list(TEST_COLUMNS))
    p = table["p"].astype("float64").fillna(1.0)
    table["p_corrected"] = holm(p)
    return table.assign(comparisons=len(table), differ=table["p_corrected"] < 0.05).astype(TEST_COLUMNS)


def holm(p: pd.Series[float]) -> pd.Series[float]:
    """These chances, corrected for as many comparisons: Holm (1979), Scand. J. Stat. 6(2)."""
    ordered = p.sort_values(kind="stable")
    times = np.arange(len(p), 0, -1)
    return (ordered * times).cummax().clip(upper=1.0).reindex(p.index).astype("float64")


def _product_limit(days: np.ndarray, left: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The share staying beyond each day, and its standard error (Greenwood)."""
    if not left.any():
        return np.ones(len(at)), np.zeros(len(at))
    with np.errstate(divide="ignore", invalid="ignore"):
        fitted = SurvfuncRight(days, left)
    step = np.searchsorted(fitted.surv_times, at, side="right")
    share = np.concatenate([[1.0], fitted.surv_prob])[step]
    error = np.concatenate([[0.0], np.nan_to_num(fitted.surv_prob_se)])[step]
    return np.where(share < 1e-12, 0.0, share), error


def _told(names: pd.Series[str]) -> list[tuple[str, pd.Series[str]]]:
    """The groups that are large enough and have a name; a kind of which only one is left tells nothing."""
    named = names[~names.isin(list(UNTOLD)) & names.notna()]
    groups = [(str(group), members) for group, members in named.groupby(named) if len(members) >= FEWEST]
    return groups if len(groups) > 1 or (groups and groups[0][0] == EVERYBODY) else []


EVERYBODY = "everybody"


def _curve(lives: pd.DataFrame, *, kind: str, group: str) -> pd.DataFrame:
    return curve_of(lives).assign(group_kind=kind, group=group)[list(CURVE_COLUMNS)]
