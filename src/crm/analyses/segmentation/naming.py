"""What sets a segment apart, in two words; and which segment of today is which of yesterday.

A name is made of what its customers do more, or less, than the others. Once given it is kept: segments found anew, on
another date, inherit number and name from the earlier segment with which they share most customers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from scipy.stats import rankdata

from crm.analyses.segmentation.behaviour import Trait

MARKED = 0.64
"""From this chance on that a customer of the segment has more of something than another customer, the segment is
marked by it: as much as half a standard deviation (Cohen's medium effect)."""

SHARED = 0.5
"""Segments that share less than this of the larger one's customers are not the same segment."""

NEARLY = 0.8
AVERAGE = "Close to average"
_WORDS = 2
_COUNTED_ON = re.compile(r" \(\d+\)$")


@dataclass(frozen=True)
class Mark:
    """One thing that sets a segment apart: in a word, how strongly (0 to 0.5), and what to do about it."""

    trait: str
    theme: str
    word: str
    strength: float
    action: str


def chance_higher(values: np.ndarray, inside: np.ndarray) -> float:
    """The chance that a row inside has a larger value than one outside, equal values counting half.

    The area under the ROC curve: 0.5 is no difference, and what is said where one side is empty.
    """
    n, others = int(inside.sum()), int((~inside).sum())
    if not n or not others:
        return 0.5
    above = rankdata(values)[inside].sum() - n * (n + 1) / 2
    return float(above / n / others)


def marks_of(table: pd.DataFrame, inside: np.ndarray, traits: Sequence[Trait]) -> list[Mark]:
    """What sets these rows of a behaviour table apart from the others, strongest first, at most one mark a theme.

    Told by what customers did, not by positions: a customer of one order is near the average there by design.
    """
    found: dict[str, list[Mark]] = {}
    for trait in traits:
        if mark := _mark(trait, table, inside):
            found.setdefault(mark.theme, []).append(mark)
    return sorted((_told(marks) for marks in found.values()), key=lambda mark: (-mark.strength, mark.trait))


def names_of(marks: Sequence[Sequence[Mark]], *, taken: Sequence[str] = ()) -> list[str]:
    """A name for each segment from its marks: two words, more where that name is already taken."""
    used = set(taken)
    names = []
    for own in marks:
        name = _free_name(_possible_names(own), used)
        used.add(name)
        names.append(name)
    return names


def traits_in(name: str, traits: Sequence[Trait]) -> list[Trait]:
    """The traits that a name speaks of, in its order; also in a name kept from an earlier date."""
    said = f", {_COUNTED_ON.sub('', name).lower()}, "
    places = [
        (said.find(f", {word.lower()}, "), trait) for trait in traits for word in (trait.more, trait.less) if word
    ]
    return [trait for place, trait in sorted(places, key=lambda pair: pair[0]) if place >= 0]


def values_of(table: pd.DataFrame, trait: Trait) -> np.ndarray:
    """What each row of a behaviour table has of a trait; zero where there is nothing to take a share of."""
    part = table[trait.part].to_numpy(dtype="float64")
    whole = table[trait.whole].to_numpy(dtype="float64") if trait.whole else np.ones(len(table))
    return np.asarray(np.divide(part, whole, out=np.zeros(len(table)), where=whole > 0))


def heirs(today: np.ndarray, earlier: np.ndarray, *, segments: int, earlier_segments: int) -> dict[int, int]:
    """Which earlier segment does each of today's continue? Places of today's -> places of the earlier.

    today, earlier: the place of the segment of each customer, found anew and by the earlier centres. Each earlier
    segment has one heir at most, chosen so that the most customers stay under their name (Hungarian method), and only
    where they share at least half of the larger of the two. One segment of everybody has and is no heir.
    """
    if min(segments, earlier_segments) < 2:
        return {}
    shared = np.zeros((segments, earlier_segments), dtype="int64")
    np.add.at(shared, (today, earlier), 1)
    rows, columns = linear_sum_assignment(-shared)
    larger = np.maximum(shared.sum(axis=1)[rows], shared.sum(axis=0)[columns])
    return {
        int(row): int(column)
        for row, column, size in zip(rows, columns, larger, strict=True)
        if size and shared[row, column] >= SHARED * size
    }


def _mark(trait: Trait, table: pd.DataFrame, inside: np.ndarray) -> Mark | None:
    part = table[trait.part].to_numpy(dtype="float64")
    whole = table[trait.whole].to_numpy(dtype="float64") if trait.whole else np.ones(len(table))
    chance = chance_higher(values_of(table, trait), inside)
    pooled, others = (_pooled(part, whole, rows) for rows in (inside, ~inside))
    if trait.more and chance >= MARKED and pooled > max(others, trait.named_from):
        return Mark(trait.name, trait.theme, trait.more, chance - 0.5, trait.do_more)
    if trait.less and chance <= 1 - MARKED and pooled < others:
        return Mark(trait.name, trait.theme, trait.less, 0.5 - chance, trait.do_less)
    return None


def _told(marks: Sequence[Mark]) -> Mark:
    """Of the marks of one theme, the first that is nearly as strong as the strongest: words are listed by clarity."""
    strongest = max(mark.strength for mark in marks)
    clearest = next(mark for mark in marks if mark.strength >= NEARLY * strongest)
    return replace(clearest, strength=strongest)


def _pooled(part: np.ndarray, whole: np.ndarray, rows: np.ndarray) -> float:
    """What the rows did together: one customer of two orders counts little, one of a hundred much."""
    total = float(whole[rows].sum())
    return float(part[rows].sum()) / total if total > 0 else 0.0


def _possible_names(marks: Sequence[Mark]) -> list[str]:
    words = [mark.word for mark in marks]
    if not words:
        return [AVERAGE]
    return [_sentence_case(", ".join(words[:count])) for count in range(min(_WORDS, len(words)), len(words) + 1)]


def _free_name(possible: Sequence[str], used: set[str]) -> str:
    for name in possible:
        if name not in used:
            return name
    count = 2
    while f"{possible[-1]} ({count})" in used:
        count += 1
    return f"{possible[-1]} ({count})"


def _sentence_case(text: str) -> str:
    return text[0].upper() + text[1:]
