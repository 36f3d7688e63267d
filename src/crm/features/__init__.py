"""Features: what is known about each customer before an as-of date. One file per theme, one dictionary for all.

To add a feature: add it to the `features` of its group and compute it there; the data dictionary, the poison test
and the check that nothing is missing from the dictionary follow by themselves.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

import narwhals as nw
import pandas as pd

from crm.engine import Lazy
from crm.features.assortment import ASSORTMENT
from crm.features.contact import ANSWERED, RECEIVED
from crm.features.feature import Feature, FeatureGroup
from crm.features.place import PLACE
from crm.features.promotion import PROMOTION
from crm.features.service import CASES, DELIVERIES, RETURNS, VISITS
from crm.features.spend import SPEND
from crm.features.subscriptions import SUBSCRIPTIONS
from crm.features.tenure import TENURE
from crm.features.timing import TIMING
from crm.mart import Mart
from crm.periods import AsOf

GROUPS: tuple[FeatureGroup, ...] = (
    TIMING, SPEND, PROMOTION, TENURE, ASSORTMENT, PLACE, RECEIVED, ANSWERED, RETURNS, DELIVERIES, CASES, VISITS,
    SUBSCRIPTIONS,
)  # fmt: skip


def groups_of(mart: Mart) -> tuple[FeatureGroup, ...]:
    """The groups whose needs this mart meets."""
    return tuple(group for group in GROUPS if all(mart.has(table) for table in group.needs))


def features_of(mart: Mart) -> tuple[Feature, ...]:
    """The features a snapshot of this mart has, in their order."""
    return tuple(feature for group in groups_of(mart) for feature in group.features)


def customer_features(mart: Mart, as_of: AsOf) -> Lazy:
    """One row per customer with a purchase before `as_of`; one column per feature, known strictly before it."""
    first, *others = groups_of(mart)
    frame = first.compute(mart, as_of)
    for group in others:
        frame = frame.join(group.compute(mart, as_of), on="customer_id", how="left")
    zero = [f.name for f in features_of(mart) if f.type in ("count", "money") and not f.missing]
    frame = frame.with_columns(*(nw.col(name).fill_null(0) for name in zero))
    return frame.select("customer_id", *(feature.name for feature in features_of(mart)))


def data_dictionary(mart: Mart | None = None) -> pd.DataFrame:
    """The features of a mart (of every possible one by default): feature, type, meaning, missing, group."""
    groups = GROUPS if mart is None else groups_of(mart)
    rows = [{"feature": f.name, "type": f.type, "meaning": f.meaning, "empty_means": f.missing, "group": group.name}
            for group in groups for f in group.features]  # fmt: skip
    return pd.DataFrame(rows)


def dictionary_hash(mart: Mart) -> str:
    """Changes when a feature is added, removed or means something else."""
    entries = [asdict(feature) for feature in features_of(mart)]
    return hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()[:16]


__all__ = [
    "GROUPS",
    "Feature",
    "FeatureGroup",
    "customer_features",
    "data_dictionary",
    "dictionary_hash",
    "features_of",
]
