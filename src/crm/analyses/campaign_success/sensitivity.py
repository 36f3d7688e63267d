"""How strong would a cause have to be that nobody sees, to explain a difference away?

After Cinelli & Hazlett (2020), "Making sense of sensitivity: extending omitted variable bias", for the regression of
the outcome on having been contacted and on what is known: a cause that explains the share r of what is left of who
was chosen, and the same share of what is left of what they bought, moves the effect by at most r / sqrt(1 - r)
standard deviations (of what is left of the outcome over what is left of who was chosen). `robustness` is the share
that moves it to zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.float64]

USUAL_ERRORS = 1.96
MOST_SHARE = 0.999
"""Of who was chosen that anything is said to explain: beyond it the bound has no end."""

BENCHMARKS = ("known", "of_chosen", "of_outcome", "as_strong_as", "effect_left")


@dataclass(frozen=True)
class Sensitivity:
    """Shares between 0 and 1, NaN where an outcome does not vary.

    effect:         of the regression, per customer.
    robustness:     of what is left of both, that an unseen cause would have to explain to leave no effect.
    of_interval:    ... to let the 95 % interval reach zero; 0 where it does so already.
    benchmarks:     `BENCHMARKS`, one row per group of known things, the strongest first: the share an unseen cause
                    just as strong explains of who was chosen and of the outcome, the equal share of both that does as
                    much, and the effect that it would leave.
    """

    effect: float
    robustness: float
    of_interval: float
    benchmarks: pd.DataFrame = field(repr=False)

    @property
    def strongest(self) -> str:
        """The strongest known thing; empty where there is none."""
        return str(self.benchmarks["known"].iloc[0]) if len(self.benchmarks) else ""

    @property
    def strongest_share(self) -> float:
        """The equal share of both that does as much as the strongest known thing."""
        return float(self.benchmarks["as_strong_as"].iloc[0]) if len(self.benchmarks) else float("nan")


def sensitivity(
    outcome: FloatArray, chosen: npt.NDArray[np.bool_], known: FloatArray, groups: Mapping[str, Sequence[int]]
) -> Sensitivity:
    """How sensitive the regression's effect is.

    known: one column per thing known before, scaled.     groups: by name, its columns.
    """
    rows = np.column_stack([np.ones(len(known)), known, chosen.astype("float64"), outcome])
    products = rows.T @ rows
    given, treated, bought = list(range(1 + known.shape[1])), 1 + known.shape[1], 2 + known.shape[1]
    spread = _left(products, treated, treated, given)
    unexplained = _left(products, bought, bought, [*given, treated])
    df = len(rows) - treated - 1
    if df < 1 or spread <= 1e-9 * len(rows) or unexplained <= 1e-12 * max(products[bought, bought], 1e-12):
        nothing = pd.DataFrame(columns=list(BENCHMARKS))
        return Sensitivity(float("nan"), float("nan"), float("nan"), nothing)
    effect = _left(products, treated, bought, given) / spread
    deviations = (unexplained / spread) ** 0.5
    benchmarks = pd.DataFrame(
        [
            (name, *_benchmark(products, given, [1 + one for one in places]))
            for name, places in groups.items()
            if places
        ],
        columns=list(BENCHMARKS[:3]),
    )
    factor = np.sqrt(benchmarks["of_outcome"] * benchmarks["of_chosen"] / (1 - benchmarks["of_chosen"]))
    benchmarks = benchmarks.assign(
        as_strong_as=[_equal_share(float(one)) for one in factor],
        effect_left=effect - np.sign(effect) * factor * deviations,
    ).sort_values("as_strong_as", ascending=False, kind="stable", ignore_index=True)
    f = abs(effect) / deviations
    beyond_chance = max(f - USUAL_ERRORS / df**0.5, 0.0)
    return Sensitivity(effect, _equal_share(f), _equal_share(beyond_chance), benchmarks)


def _benchmark(products: FloatArray, given: Sequence[int], places: Sequence[int]) -> tuple[float, float]:
    """What a cause as strong as these columns, and unlike all known ones, explains of both (their section 4.4)."""
    treated, bought = len(given), len(given) + 1
    others = [place for place in given if place not in places]
    of_chosen = _explained(products, treated, others, given)
    of_outcome = _explained(products, bought, [*others, treated], [*given, treated])
    share = of_chosen / (1 - of_chosen) if of_chosen < 1 else 1.0
    if share >= MOST_SHARE or of_outcome >= 1:
        return min(share, MOST_SHARE), 1.0
    stretched = (1 + share) ** 2 / (1 - share**2)
    return share, min(stretched * of_outcome / (1 - of_outcome), 1.0)


def _explained(products: FloatArray, one: int, without: Sequence[int], with_them: Sequence[int]) -> float:
    """The share of what is left without them that they explain."""
    left = _left(products, one, one, without)
    return min(max(1 - _left(products, one, one, with_them) / left, 0.0), 1.0) if left > 0 else 0.0


def _left(products: FloatArray, one: int, other: int, given: Sequence[int]) -> float:
    """The product of two columns after least squares has taken the given ones out of both."""
    places = list(given)
    inverse = np.linalg.pinv(products[np.ix_(places, places)], rcond=1e-10, hermitian=True)
    return float(products[one, other] - products[one, places] @ inverse @ products[places, other])


def _equal_share(f: float) -> float:
    """The share r with r / sqrt(1 - r) = f."""
    return float((np.sqrt(f**4 + 4 * f**2) - f**2) / 2) if np.isfinite(f) else 1.0


__all__ = ["BENCHMARKS", "Sensitivity", "sensitivity"]
