"""Segments by behaviour of one date: found, named, and recognised from an earlier one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from crm.analyses.segmentation.clusters import find_clusters
from crm.analyses.segmentation.model import EVERYBODY, NOBODY, ClusterModel, as_seen_by, fit_traits, positions_of
from crm.analyses.segmentation.naming import Mark, heirs, marks_of, names_of
from crm.analyses.segmentation.nearest_centre import nearest
from crm.analyses.segmentation.segments import Known

NOBODY_MEANS = "bought before, and nothing in the last 365 days"
NOBODY_ACTION = "Do not spend on them; ask a few why they left."
AVERAGE_MEANS = "not far from the average customer in anything"
AVERAGE_ACTION = "Treat them as customers are treated by default."


@dataclass(frozen=True)
class BehaviourKinds:
    """The kinds of customers by behaviour on one date.

    model:     centres, numbers and names.     choice: how their number was chosen; empty where it was given.
    segments:  cluster and cluster_name of each customer, in the order of the snapshot, indexed by customer_id.
    words:     one row per segment, also `NOBODY`: segment, meaning, action.
    agreement: share of this date's customers whose segment the earlier centres would give them too; NaN without.
    """

    model: ClusterModel
    choice: pd.DataFrame
    segments: pd.DataFrame = field(repr=False)
    words: pd.DataFrame = field(repr=False)
    agreement: float = float("nan")

    @property
    def numbers(self) -> dict[str, int]:
        """The number of each name, by number; that of `NOBODY` last, where there is anybody in it."""
        numbers = dict(sorted(zip(self.model.names, self.model.numbers, strict=True), key=lambda pair: pair[1]))
        nobody, name = NOBODY
        return numbers | ({name: nobody} if (self.segments["cluster"] == nobody).any() else {})


def find_kinds(known: Known, *, seed: int, earlier: ClusterModel | None, k: int | None = None) -> BehaviourKinds:
    """The kinds of customers of one date; `k` of them where it is given.

    earlier: segments whose numbers and names are kept where they are found again. Raises nothing for few or equal
    customers: they are then one segment.
    """
    behaviour = known.behaviour
    table = behaviour.table[behaviour.table["purchase_days_365d"] > 0]
    traits = fit_traits(table, behaviour.traits)
    found = find_clusters(table, traits, seed=seed, k=k)
    places = nearest(positions_of(table, traits), found.centres)
    marks = [marks_of(table, places == place, behaviour.traits) for place in range(len(found.centres))]
    unnamed = ClusterModel(
        known.as_of,
        len(table),
        traits,
        tuple(tuple(float(value) for value in centre) for centre in found.centres),
        numbers=tuple(range(1, len(found.centres) + 1)),
        names=(EVERYBODY,) if len(found.centres) == 1 else tuple(names_of(marks)),
    )
    seen = None if earlier is None else as_seen_by(earlier, table, traits)
    model = (
        unnamed if earlier is None or seen is None else _renamed(unnamed, earlier, marks, places=places, seen=seen)
    )
    return BehaviourKinds(
        model,
        found.choice,
        segments=model.segments_of(behaviour.table),
        words=_words(model.names, marks),
        agreement=_agreement(model, earlier, places=places, seen=seen),
    )


def _renamed(
    model: ClusterModel,
    earlier: ClusterModel,
    marks: Sequence[Sequence[Mark]],
    *,
    places: np.ndarray,
    seen: np.ndarray,
) -> ClusterModel:
    """The model under the numbers and names of the earlier segments it found again; the others get new ones."""
    inherited = heirs(places, seen, segments=len(model.centres), earlier_segments=len(earlier.centres))
    if len(model.centres) == 1:
        return model
    new = [place for place in range(len(model.centres)) if place not in inherited]
    names = dict(zip(new, names_of([marks[place] for place in new], taken=earlier.names), strict=True))
    numbers = dict(zip(new, range(max(earlier.numbers) + 1, max(earlier.numbers) + 1 + len(new)), strict=True))
    names |= {place: earlier.names[source] for place, source in inherited.items()}
    numbers |= {place: earlier.numbers[source] for place, source in inherited.items()}
    everywhere = range(len(model.centres))
    return model.named([numbers[place] for place in everywhere], [names[place] for place in everywhere])


def _agreement(
    model: ClusterModel, earlier: ClusterModel | None, *, places: np.ndarray, seen: np.ndarray | None
) -> float:
    if earlier is None or seen is None or not len(seen):
        return float("nan")
    return float((np.array(model.numbers)[places] == np.array(earlier.numbers)[seen]).mean())


def _words(names: Sequence[str], marks: Sequence[Sequence[Mark]]) -> pd.DataFrame:
    rows = [
        {
            "segment": name,
            "meaning": ", ".join(mark.word for mark in own) or AVERAGE_MEANS,
            "action": " ".join(mark.action for mark in own[:2]) or AVERAGE_ACTION,
        }
        for name, own in zip(names, marks, strict=True)
    ]
    return pd.DataFrame([*rows, {"segment": NOBODY[1], "meaning": NOBODY_MEANS, "action": NOBODY_ACTION}])


def previous_kinds(before: Known, today: ClusterModel, *, seed: int) -> BehaviourKinds:
    """The kinds of the previous date, found anew there, under today's names where they are the same."""
    return find_kinds(before, seed=seed, earlier=today, k=len(today.centres))
