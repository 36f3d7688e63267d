"""Which segment is a customer in? The whole of the clustering's arithmetic, on a record of plain numbers.

Needs nothing but numpy and pandas: this file travels with a registered model, so that whoever loads it reads a page
of JSON and a page of code, and trusts no pickle.

A record holds `traits`, `centres`, `numbers`, `names` and `nobody`, the number and name of customers who bought
nothing in the last 365 days. A trait says how one coordinate is made:

    value     = part                                              where it has no whole
              = (part + strength * average) / (whole + strength)  else: few observations stay close to the average
    position  = (clip(scaled(value), low, high) - centre) / spread * weight
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

SCALES = {"log": np.log1p, "root": np.sqrt}
DECIMALS = 6
"""Positions are rounded, so that a last bit that differs between machines moves nobody to another segment."""

ROWS_AT_ONCE = 20_000


def trait_values(trait: Mapping[str, Any], behaviour: pd.DataFrame) -> np.ndarray:
    """The value of one trait per row."""
    part = behaviour[trait["part"]].to_numpy(dtype="float64")
    if not trait["whole"]:
        return np.asarray(part)
    whole = behaviour[trait["whole"]].to_numpy(dtype="float64")
    return np.asarray((part + trait["strength"] * trait["average"]) / (whole + trait["strength"]))


def scaled(values: np.ndarray, scale: str) -> np.ndarray:
    """Values on the trait's scale; what is below zero counts as zero."""
    return np.asarray(SCALES[scale](np.maximum(values, 0.0)))


def positions(traits: list[Mapping[str, Any]], behaviour: pd.DataFrame) -> np.ndarray:
    """One row per row of `behaviour`, one coordinate per trait."""
    columns = [_position(trait, behaviour) for trait in traits]
    return np.column_stack(columns) if columns else np.empty((len(behaviour), 0))


def nearest(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """The place of the nearest centre per point; the first of several that are equally near."""
    places = np.zeros(len(points), dtype="int64")
    for start in range(0, len(points), ROWS_AT_ONCE):
        some = points[start : start + ROWS_AT_ONCE]
        distances = ((some[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2)
        places[start : start + ROWS_AT_ONCE] = distances.round(DECIMALS).argmin(axis=1)
    return places


def segments_of(record: Mapping[str, Any], behaviour: pd.DataFrame) -> pd.DataFrame:
    """cluster (number) and cluster_name of each row of `behaviour`, in its order and under its index."""
    places = nearest(positions(record["traits"], behaviour), np.array(record["centres"], dtype="float64"))
    numbers = np.array(record["numbers"], dtype="int64")[places]
    names = np.array(record["names"], dtype=object)[places]
    nobody = behaviour["purchase_days_365d"].to_numpy() == 0
    numbers[nobody], names[nobody] = record["nobody"]
    found = pd.DataFrame({"cluster": numbers, "cluster_name": names}, index=behaviour.index)
    return found.astype({"cluster_name": "str"})


def _position(trait: Mapping[str, Any], behaviour: pd.DataFrame) -> np.ndarray:
    values = scaled(trait_values(trait, behaviour), trait["scale"])
    standing = (values.clip(trait["low"], trait["high"]) - trait["centre"]) / trait["spread"] * trait["weight"]
    return np.asarray(standing.round(DECIMALS))
