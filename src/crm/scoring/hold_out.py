"""Whom of a list do we leave alone on purpose, and will the list show what the contact caused?

Each customer has a mark on each list, a number from 0 to 1 that anybody can compute again,

    int.from_bytes(hashlib.sha256(f"{list_id}\\t{customer_id}".encode()).digest()[:8], "big") / 2**64

and those with the lowest marks are held out. The mark depends on list and customer alone: not on the order of the
list, not on who else is on it; one list's marks say nothing of another's. Who else is on the list moves only the
place up to which is held out, so that the share is kept as exactly as whole customers allow; with a larger share
those held out before stay held out.

In each stratum the share is kept to within one customer, and over all as well. Where it would be a broken number, a
mark of the list itself (that of an empty customer_id) decides which strata get the customer more, each as often as
its fraction says: everybody on the list is held out with the same chance, however small the strata are.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm.analyses.campaign_success.planning import POWER, power_of, smallest_audience, smallest_effect
from crm.errors import CrmError

MOST_HELD_OUT = 0.5
"""More than half held out shows less than half."""

BETWEEN = "\t"
_DIGITS = 9


def mark(list_id: str, customer_id: str) -> float:
    """Where a customer stands in the lot of a list: from 0, drawn first, to 1."""
    return _drawn(list_id, customer_id) / 2**64


def _drawn(list_id: str, customer_id: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{list_id}{BETWEEN}{customer_id}".encode()).digest()[:8], "big")


def hold_out(
    customer_ids: Iterable[Any], list_id: str, share: float, strata: Iterable[Any] | None = None
) -> npt.NDArray[np.bool_]:
    """Who of the list is held out, in the order of `customer_ids`.

    share:  from 0 to 1. strata: of each customer, the group within which the share is kept, such as programme; a
            missing one is a stratum of its own.
    """
    ids = np.asarray([str(one) for one in customer_ids], dtype=object)
    groups = _groups(strata, len(ids))
    _check(ids, list_id, share)
    drawn = np.asarray([_drawn(list_id, one) for one in ids], dtype="uint64")
    order = np.lexsort((ids.astype("str"), drawn, groups))
    sizes = np.bincount(groups, minlength=1)
    places = np.arange(len(ids)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    held_out = np.zeros(len(ids), dtype=bool)
    held_out[order] = places < np.repeat(_many(sizes, list_id, share), sizes)
    return held_out


def _groups(strata: Iterable[Any] | None, count: int) -> npt.NDArray[np.int64]:
    """A number for each stratum, in the order of their names."""
    if strata is None:
        return np.zeros(count, dtype="int64")
    named = pd.Series(list(strata), dtype="object")
    if len(named) != count:
        raise CrmError(
            "Each customer of a list has one stratum.",
            found=f"{len(named):,} strata of {count:,} customers",
            do="Give the strata in the order of the customers.",
        )
    codes, _ = pd.factorize(named.astype("str").where(named.notna()), sort=True)
    return np.asarray(codes, dtype="int64") + 1


def _check(ids: npt.NDArray[Any], list_id: str, share: float) -> None:
    if not 0 <= share <= 1:
        raise CrmError("A hold-out share is from 0 to 1.", found=str(share), do="Give 0.2 to hold out a fifth.")
    if not list_id or BETWEEN in list_id:
        raise CrmError(
            "A list has a name, without a tab.",
            found=repr(list_id),
            do="Name it as it will stand in `contacts`.",
        )
    again = pd.Series(ids)[pd.Series(ids).duplicated()]
    if len(again):
        raise CrmError(
            "A customer is on a list once.",
            found=f"{len(again):,} customers again, such as {', '.join(again.unique()[:3])}",
            do="Let `assign` choose one action for each.",
        )


def _many(sizes: npt.NDArray[np.int64], list_id: str, share: float) -> npt.NDArray[np.int64]:
    """How many of each stratum: the whole numbers that are passed on the way, from where the list's mark says."""
    whole = np.round(share * np.cumsum(sizes), _DIGITS)
    passed = np.floor(whole + mark(list_id, "")).astype("int64")
    return np.diff(passed, prepend=0)


# Will it show?


@dataclass(frozen=True)
class Measurable:
    """What a list can show of its own effect.

    held_out, contacted: customers. smallest_effect: per contacted customer, that would be seen with the power wanted.
    power: the chance that the expected effect is seen. seen: that chance is as large as wanted. share_needed: the
    smallest share held out, up to one half, with which it is; NaN where none is. smallest_list: the fewest customers,
    at this share. words: one sentence.
    """

    audience: int
    share: float
    held_out: int
    contacted: int
    effect: float
    smallest_effect: float
    power: float
    seen: bool
    share_needed: float
    smallest_list: float
    words: str

    @property
    def share_to_hold_out(self) -> float:
        """The share asked for, or the larger one that measuring needs, if there is one."""
        return self.share if math.isnan(self.share_needed) else max(self.share, self.share_needed)


def measurable(audience: int, share: float, sd: float, effect: float, power: float = POWER) -> Measurable:
    """Would a list of so many customers show the effect that is expected of it?

    sd: of what one customer brings while it is measured. effect: expected per contacted customer. Both in the same
    currency. What is not known is NaN, and then nothing is promised.
    """
    held_out = round(audience * share)
    true_share = held_out / audience if audience else share
    smallest = smallest_effect(audience, sd, true_share, power=power)
    reached = power_of(audience, effect, sd, true_share)
    seen = effect > 0 and reached >= power
    needed = share_needed(audience, sd, effect, power)
    fewest = smallest_audience(effect, sd, share, power) if effect > 0 else math.nan
    return Measurable(
        audience=audience,
        share=share,
        held_out=held_out,
        contacted=audience - held_out,
        effect=effect,
        smallest_effect=smallest,
        power=reached,
        seen=seen,
        share_needed=needed,
        smallest_list=fewest,
        words=_words(audience, share, effect, smallest, seen, needed, fewest),
    )


def share_needed(audience: int, sd: float, effect: float, power: float = POWER) -> float:
    """The smallest share to hold out, up to one half, that shows the effect; NaN where none does."""
    low, high = 0, math.floor(audience * MOST_HELD_OUT)
    if high < 1 or not effect > 0 or not power_of(audience, effect, sd, high / audience) >= power:
        return math.nan
    while high - low > 1:
        middle = (low + high) // 2
        shown = power_of(audience, effect, sd, middle / audience) >= power
        low, high = (low, middle) if shown else (middle, high)
    return high / audience


def _words(
    audience: int, share: float, effect: float, smallest: float, seen: bool, needed: float, fewest: float
) -> str:
    part = f"{share:.0%}" if share >= 0.01 or not share else f"{100 * share:g} %"
    asked = f"With {part} of {audience:,} {'customer' if audience == 1 else 'customers'} held out"
    if math.isnan(effect) or math.isnan(smallest):
        return f"{asked}, nobody can say what the list would show: effect or spread is not known."
    if effect <= 0:
        return f"{asked}, there is nothing to be shown: no gain is expected."
    if seen:
        return f"{asked}, the list shows gains from {smallest:,.2f} a customer; {effect:,.2f} is expected."
    if not math.isnan(needed):
        return (
            f"{asked}, the expected gain of {effect:,.2f} a customer would not be seen; with {needed:.1%} it would."
        )
    far = f" {fewest:,.0f} customers would be needed at this share." if math.isfinite(fewest) else ""
    return (
        f"The list is too small to be measured: of {audience:,} customers, whatever share is held out, the expected "
        f"gain of {effect:,.2f} a customer would not be seen.{far}"
    )


__all__ = ["Measurable", "hold_out", "mark", "measurable", "share_needed"]
