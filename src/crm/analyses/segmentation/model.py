"""The clustering as a small object: what one coordinate means, where the centres lie, how the segments are called."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from crm.analyses.segmentation.behaviour import COMPOSITIONS, Trait
from crm.analyses.segmentation.nearest_centre import (
    DECIMALS,
    nearest,
    positions,
    scaled,
    segments_of,
    trait_values,
)

NOBODY = 0, "Bought nothing for a year"
"""Number and name of the customers without a purchase in the last 365 days: they have no behaviour to go by."""

EVERYBODY = "All who bought"
"""The name where there are too few customers, or too little that differs, for more than one segment."""

TAILS = (0.01, 0.99)
"""Values beyond these quantiles count as these quantiles: one bulk buyer must not make a segment."""


@dataclass(frozen=True)
class FittedTrait:
    """A trait with what was learned about it from the customers of one date; see `nearest_centre`."""

    name: str
    part: str
    whole: str
    strength: float
    average: float
    scale: str
    low: float
    high: float
    centre: float
    spread: float
    weight: float


@dataclass(frozen=True)
class ClusterModel:
    """Segments by behaviour, as of a date.

    Assumptions: 1. two customers are alike when their positions are near (Euclidean distance over the traits, each on
    a log or root scale, without its tails, in standard deviations, each theme with the same weight); 2. segments are
    compact; 3. what a customer did in 365 days tells how they buy.

    traits:  one per coordinate.     centres: one row per segment.
    numbers: of the segments, kept over refits; 0 is `NOBODY`.     names: of the segments.
    """

    as_of: dt.date
    customers: int
    traits: tuple[FittedTrait, ...]
    centres: tuple[tuple[float, ...], ...]
    numbers: tuple[int, ...]
    names: tuple[str, ...]

    def __repr__(self) -> str:
        return f"ClusterModel({len(self.centres)} segments of {self.customers:,} customers as of {self.as_of})"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the behaviour table it reads."""
        used = {"purchase_days_365d": None}
        for trait in self.traits:
            used |= dict.fromkeys([trait.part, trait.whole] if trait.whole else [trait.part])
        return tuple(used)

    @property
    def content(self) -> str:
        """A hash of what decides about a customer's segment and its name; not of when that was learned."""
        record = self.as_record()
        del record["as_of"], record["customers"]
        return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:16]

    def as_record(self) -> dict[str, Any]:
        """The model in plain values, as `nearest_centre` reads it."""
        return {
            "as_of": self.as_of.isoformat(),
            "customers": self.customers,
            "traits": [asdict(trait) for trait in self.traits],
            "centres": [list(centre) for centre in self.centres],
            "numbers": list(self.numbers),
            "names": list(self.names),
            "nobody": list(NOBODY),
        }

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> ClusterModel:
        """The model of a record that `as_record` gave."""
        return cls(
            as_of=dt.date.fromisoformat(record["as_of"]),
            customers=record["customers"],
            traits=tuple(FittedTrait(**trait) for trait in record["traits"]),
            centres=tuple(tuple(centre) for centre in record["centres"]),
            numbers=tuple(record["numbers"]),
            names=tuple(record["names"]),
        )

    def named(self, numbers: Sequence[int], names: Sequence[str]) -> ClusterModel:
        """The same segments under other numbers and names, in the order of the centres."""
        return replace(self, numbers=tuple(numbers), names=tuple(names))

    def segments_of(self, table: pd.DataFrame) -> pd.DataFrame:
        """cluster and cluster_name of each row of a behaviour table, in its order and under its index."""
        return segments_of(self.as_record(), table)


def fit_traits(table: pd.DataFrame, traits: Sequence[Trait]) -> tuple[FittedTrait, ...]:
    """What is usual among the rows of a behaviour table; traits in which nobody differs are left out.

    A theme of n traits counts the square root of n: its traits' squared weights add up to that, equally, or, in a
    composition, in proportion to how much customers differ in each.
    """
    fitted = [(trait.theme, _fit(trait, table)) for trait in traits]
    themes: dict[str, list[FittedTrait]] = {}
    for theme, trait in fitted:
        if trait.spread > 0:
            themes.setdefault(theme, []).append(trait)
    return tuple(trait for theme, members in themes.items() for trait in _weighted(theme, members))


def _weighted(theme: str, traits: list[FittedTrait]) -> Iterator[FittedTrait]:
    importance = np.array([t.spread**2 if theme in COMPOSITIONS else 1.0 for t in traits])
    squares = importance / importance.sum() * np.sqrt(len(traits))
    for trait, square in zip(traits, squares, strict=True):
        yield replace(trait, weight=round(float(np.sqrt(square)), DECIMALS))


def positions_of(table: pd.DataFrame, traits: Sequence[FittedTrait]) -> np.ndarray:
    """Where each row of a behaviour table stands: one coordinate per trait."""
    return positions([asdict(trait) for trait in traits], table)


def as_seen_by(earlier: ClusterModel, table: pd.DataFrame, traits: Sequence[FittedTrait]) -> np.ndarray:
    """The place of the earlier segment each row would be in, had the earlier centres been today's.

    Centres are held against today's customers relative to today's average: that everybody buys more in December moves
    nobody. Traits that only one of the two has (a department that came or went) are left aside.
    """
    by_name = {trait.name: trait for trait in traits}
    shared = [place for place, trait in enumerate(earlier.traits) if trait.name in by_name]
    alike = [replace(by_name[earlier.traits[p].name], weight=earlier.traits[p].weight) for p in shared]
    centres = np.array(earlier.centres, dtype="float64")[:, shared]
    return nearest(positions_of(table, alike), centres)


def _fit(trait: Trait, table: pd.DataFrame) -> FittedTrait:
    whole = float(table[trait.whole].sum()) if trait.whole else 0.0
    average = round(float(table[trait.part].sum()) / whole, DECIMALS) if whole > 0 else 0.0
    unfitted = FittedTrait(
        trait.name, trait.part, trait.whole, trait.strength, average, trait.scale,
        low=0.0, high=0.0, centre=0.0, spread=0.0, weight=1.0,
    )  # fmt: skip
    values = scaled(trait_values(asdict(unfitted), table), trait.scale)
    low, high = np.quantile(values, TAILS) if len(values) else (0.0, 0.0)
    inner = values.clip(low, high)
    centre, spread = (inner.mean(), inner.std()) if len(inner) else (0.0, 0.0)
    low, high, centre, spread = (round(float(value), DECIMALS) for value in (low, high, centre, spread))
    return replace(unfitted, low=low, high=high, centre=centre, spread=spread)
