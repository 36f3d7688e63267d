"""Of each customer the reason against a contact, and the gravest of several."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

MOST_NAMED = 3
Words = npt.NDArray[np.object_]
"""Of each customer the reason against a contact; empty where there is none."""


def reason_where(those: npt.NDArray[np.bool_], words: str) -> Words:
    """These words for those, nothing for the others."""
    found = np.full(len(those), "", dtype=object)
    found[those] = words
    return found


def gravest(*rules: Words) -> Words:
    """Of each customer the first reason."""
    found = rules[0]
    for reasons in rules[1:]:
        found = np.where(found == "", reasons, found)
    return found


def counted(count: int, what: str) -> str:
    """So many of what: "1 contact", "2 contacts"."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
