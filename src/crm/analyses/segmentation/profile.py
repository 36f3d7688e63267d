"""What sets each segment apart from the average customer?

Every number comes with how many customers it is about and an interval; a difference is pointed out where it is both
large (half a standard deviation, or as much) and beyond chance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from crm.analyses.segmentation.behaviour import Trait
from crm.analyses.segmentation.naming import MARKED, chance_higher, traits_in, values_of
from crm.measures.intervals import ERRORS

NOT_TOLD = frozenset(
    {
        "purchase_days", "purchase_days_7d", "purchase_days_14d", "purchase_days_28d", "purchase_days_56d",
        "purchase_days_91d", "purchase_days_182d", "purchase_days_fading", "first_day", "last_day", "frequency",
        "recency", "T", "mean_gap", "sd_gap", "longest_gap", "last_gap", "mean_log_gap", "gap_ratio", "orders_365d",
        "lines_365d", "units_365d", "discount_365d", "coupons_365d", "net_sales_ever", "net_sales_14d",
        "net_sales_28d", "net_sales_56d", "net_sales_91d", "net_sales_182d", "net_sales_fading", "margin_known_365d",
        "sales_margin_unknown_365d",
    }
)  # fmt: skip
"""Features that say again what another says in plainer words; the models use them, the profile leaves them out."""

SMALLEST_SHARE = 0.01
"""A department or channel below this share of all is never pointed out."""

FAR_FROM_AVERAGE = 1.2
"""A share of this times the average share, or less than 1 / this, is pointed out."""

_COLUMNS = ["segment", "theme", "feature", "meaning", "customers", "mean", "average", "index", "index_low",
            "index_high", "chance_higher", "stands_out"]  # fmt: skip


def profile(
    snapshot: pd.DataFrame, segment: pd.Series[str], *, order: Sequence[str], dictionary: pd.DataFrame
) -> pd.DataFrame:
    """How does each segment differ from the average customer, feature by feature?

    dictionary: `data_dictionary` of the mart of the snapshot.
    One row per segment that has customers and numeric feature: segment, theme, feature, meaning, customers (with a
    known value), mean, average (of all customers), index (mean in per cent of the average), index_low and index_high
    (95 %), chance_higher (that a customer of the segment has more of it than another one), stands_out.
    """
    told = dictionary[(dictionary["type"] != "word") & ~dictionary["feature"].isin(NOT_TOLD)]
    rows = [
        {"theme": theme, "feature": feature, "meaning": meaning, **row}
        for feature, meaning, theme in told[["feature", "meaning", "group"]].itertuples(index=False)
        for row in _compare(snapshot[feature].to_numpy(dtype="float64"), segment.to_numpy(), order)
    ]
    return _in_order(pd.DataFrame(rows, columns=_COLUMNS), order)


def standing_out(profiled: pd.DataFrame, *, most: int = 4) -> pd.DataFrame:
    """The few features that mark each segment most, at most one a theme, strongest first; columns as `profile`."""
    # An empty profile has a column of objects, which would be taken for names of columns.
    marked = profiled[profiled["stands_out"].astype("bool")].assign(
        strength=lambda rows: (rows["chance_higher"] - 0.5).abs()
    )
    marked = marked.sort_values(["strength", "feature"], ascending=[False, True], kind="stable")
    best = marked.drop_duplicates(["segment", "theme"]).groupby("segment", sort=False).head(most)
    return _in_order(best, list(dict.fromkeys(profiled["segment"]))).drop(columns="strength")


def named_for(
    table: pd.DataFrame, segment: pd.Series[str], *, order: Sequence[str], traits: Sequence[Trait]
) -> pd.DataFrame:
    """Is it true what the segments are called? The traits that each name speaks of, in its order.

    table: rows of a behaviour table. Columns as `profile`: what the segment's customers did together against what
    all did, a mean per customer or a ratio of sums, with its interval. A kept name may have ceased to be true: here
    it shows.
    """
    rows = []
    for name in order:
        inside = (segment == name).to_numpy()
        rows += [_named_for(table, trait, inside=inside) | {"segment": name} for trait in traits_in(name, traits)]
    return pd.DataFrame(rows, columns=_COLUMNS)


def composition(wide: pd.DataFrame, segment: pd.Series[str], *, order: Sequence[str], name: str) -> pd.DataFrame:
    """On what, or where, does each segment spend, against all customers?

    wide: one row per customer, one column per department (money) or channel (orders), in the order of `segment`.
    One row per segment and column: segment, `name`, share, share_low, share_high (95 %, over customers),
    average_share (of all customers), index (share in per cent of the average share), customers (of the segment, who
    have any), stands_out.
    """
    columns = [str(column) for column in wide.columns]
    amounts = wide.to_numpy(dtype="float64")
    totals = amounts.sum(axis=1)
    average = amounts.sum(axis=0) / totals.sum() if totals.sum() > 0 else np.zeros(len(columns))
    rows = []
    for one in order:
        inside = (segment == one).to_numpy()
        if totals[inside].sum() > 0:
            rows += _shares(amounts[inside], totals[inside], segment=one, columns=columns, average=average, name=name)
    kept = ["segment", name, "share", "share_low", "share_high", "average_share", "index", "customers", "stands_out"]
    return pd.DataFrame(rows, columns=kept).astype({"stands_out": "bool"})


def without_window(features: pd.Series[str]) -> pd.Series[str]:
    """Names of features without the days they look back: `net_sales_365d` is net_sales."""
    return features.str.replace(r"_\d+d$", "", regex=True)


def _compare(values: np.ndarray, segment: np.ndarray, order: Sequence[str]) -> list[dict[str, object]]:
    """One row per segment with customers whose value is known."""
    known = np.isfinite(values)
    values, segment = values[known], segment[known]
    if not len(values):
        return []
    ranks, average = rankdata(values), float(values.mean())
    return [
        _compare_one(values, ranks, inside=inside, average=average) | {"segment": one}
        for one in order
        if (inside := segment == one).any()
    ]


def _compare_one(values: np.ndarray, ranks: np.ndarray, *, inside: np.ndarray, average: float) -> dict[str, object]:
    own = values[inside]
    n, others = len(own), len(values) - len(own)
    mean = float(own.mean())
    half = ERRORS * float(own.std(ddof=1)) / np.sqrt(n) if n > 1 else np.nan
    chance = float((ranks[inside].sum() - n * (n + 1) / 2) / n / others) if others else 0.5
    lowest = mean - half if mean < 0 else max(mean - half, 0.0)
    index, low, high = ((x / average * 100 if average > 0 else np.nan) for x in (mean, lowest, mean + half))
    more, less = chance >= MARKED and low > 100, chance <= 1 - MARKED and high < 100
    return {
        "customers": n, "mean": mean, "average": average, "index": index, "index_low": low, "index_high": high,
        "chance_higher": chance, "stands_out": bool(more or less),
    }  # fmt: skip


def _named_for(table: pd.DataFrame, trait: Trait, *, inside: np.ndarray) -> dict[str, object]:
    part = table[[trait.part]].to_numpy(dtype="float64")
    whole = table[trait.whole].to_numpy(dtype="float64") if trait.whole else np.ones(len(table))
    mean, half = (float(one[0]) for one in _ratios(part[inside], whole[inside]))
    average = float(_ratios(part, whole)[0][0])
    index, low, high = (
        x / average * 100 if average > 0 else np.nan for x in (mean, max(mean - half, 0.0), mean + half)
    )
    return {
        "theme": trait.theme, "feature": trait.name, "meaning": "what the segment is named for",
        "customers": int(inside.sum()), "mean": mean, "average": average, "index": index, "index_low": low,
        "index_high": high, "chance_higher": chance_higher(values_of(table, trait), inside), "stands_out": True,
    }  # fmt: skip


def _ratios(amounts: np.ndarray, totals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each column's sum over the sum of the totals, and half its interval, by the delta method."""
    total = totals.sum()
    if total <= 0:
        return np.full(amounts.shape[1], np.nan), np.full(amounts.shape[1], np.nan)
    share = amounts.sum(axis=0) / total
    return share, ERRORS * np.sqrt(((amounts - totals[:, None] * share) ** 2).sum(axis=0)) / total


def _shares(
    amounts: np.ndarray, totals: np.ndarray, *, segment: str, columns: Sequence[str], average: np.ndarray, name: str
) -> list[dict[str, object]]:
    """One row per column: a ratio of sums with its interval."""
    share, half = _ratios(amounts, totals)
    rows: list[dict[str, object]] = []
    for place, column in enumerate(columns):
        mine, all_of_it, to_side = float(share[place]), float(average[place]), float(half[place])
        index = mine / all_of_it * 100 if all_of_it > 0 else np.nan
        far = index >= 100 * FAR_FROM_AVERAGE or index <= 100 / FAR_FROM_AVERAGE
        rows.append(
            {
                "segment": segment, name: column, "share": mine, "share_low": max(mine - to_side, 0.0),
                "share_high": mine + to_side, "average_share": all_of_it, "index": index,
                "customers": int((amounts[:, place] > 0).sum()),
                "stands_out": bool(far and all_of_it >= SMALLEST_SHARE and abs(mine - all_of_it) > to_side),
            }
        )  # fmt: skip
    return rows


def _in_order(rows: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    place = {one: at for at, one in enumerate(order)}
    return rows.sort_values("segment", key=lambda names: names.map(place), kind="stable", ignore_index=True)
