"""What may be spent and done at most."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from crm.errors import CrmError
from crm.scoring.prices import BUDGET, CAPACITY, PROGRAMME_BUDGET, SIZE


@dataclass(frozen=True)
class Limits:
    """What may be spent and done at most; what is not named, None or infinite has no limit.

    budget: of everything, in the currency. budgets: by programme, in the currency. sizes: customers by programme.
    capacities: contacts by channel, such as hours of calls times calls an hour.
    """

    budget: float | None = None
    budgets: Mapping[str, float | None] = field(default_factory=dict)
    sizes: Mapping[str, float | None] = field(default_factory=dict)
    capacities: Mapping[str, float | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        wrong = [(*key, most) for *key, most in self._named() if math.isnan(most) or most < 0]
        if wrong:
            kind, of, most = wrong[0]
            raise CrmError(
                "A limit is a number that is not below zero, or none.",
                found=f"{kind}{f' of {of}' if of else ''}: {most}",
                do="Correct it, or leave it out where there is no limit.",
            )

    def _named(self) -> Iterator[tuple[str, str, float]]:
        yield BUDGET, "", _or_none(self.budget)
        for kind, mapping in ((PROGRAMME_BUDGET, self.budgets), (SIZE, self.sizes), (CAPACITY, self.capacities)):
            for of, most in mapping.items():
                yield kind, of, _or_none(most)

    @property
    def finite(self) -> list[tuple[str, str, float]]:
        """Kind of limit, of which programme or channel, and how much: those that can bind."""
        return [named for named in self._named() if math.isfinite(named[2])]


def _or_none(most: float | None) -> float:
    return math.inf if most is None else float(most)
