"""Which customers who were left alone had the same past as those a campaign chose, and by how much do both differ?

The average effect on the treated, doubly robust (Wooldridge 2007; Imbens & Wooldridge 2009, section 5):

1. The chance of having been chosen, by logistic regression on what was known before.
2. Treated without untouched customers of such a chance are left out and counted; so are untouched ones beyond it.
3. The untouched are weighted by the odds of that chance, and their outcome regressed on the same things; the treated
   are compared with what the regression says of them. It is right where the chance or the regression is.

That gives each untouched customer one weight, whatever the outcome: weighted, they have the treated's past.
Errors are by influence function, the untouched's residuals enlarged for their leverage (HC3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from sklearn.linear_model import LogisticRegression

from crm.analyses.campaign_success.differences import LEVEL, BoolArray, FloatArray

IntArray = npt.NDArray[np.intp]

MOST_CHANCE = 0.9
"""Of having been chosen, beyond which there is nobody to compare with (Crump et al. 2009)."""

SIMILAR = 5
"""Untouched customers of at least the same chance, without whom a treated one has no like."""

FEWEST = 2
"""Treated, by whom alone it can be told how much they vary."""

PENALTY = 1.0
"""Of the logistic regression, on columns of standard deviation 1: it keeps few treated from being fitted too well."""

RIDGE = 1e-4
"""Of the regression of outcomes, so that columns that say the same do not make it fail."""

MOST_LEVEL = 0.99
"""Quantile at which amounts are cut before they explain anything."""

MOST_LEVERAGE = 0.9

BALANCE = ("known", "treated", "untouched", "weighted", "before", "after")


@dataclass(frozen=True)
class Explaining:
    """What explains choice and outcome: logarithms, and amounts cut at the top, scaled, one row per customer.

    columns_of: by the name of what is known, its columns; what does not vary has none.
    """

    columns: FloatArray = field(repr=False)
    columns_of: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Overlap:
    """Who could be compared.

    treated, untouched: customers of each side.     with_support: share of the treated who have similar untouched.
    effective: how many untouched the weighted ones are worth (Kish).     most_weight: the largest share of one.
    """

    treated: int
    untouched: int
    with_support: float
    effective: float
    most_weight: float


@dataclass(frozen=True)
class Differed:
    """Treated less weighted untouched, one entry per outcome; usual: what the treated would have had.

    parts: each compared customer's part in the error, the treated first.
    """

    outcomes: tuple[str, ...]
    effect: FloatArray
    usual: FloatArray
    parts: FloatArray = field(repr=False)
    df: FloatArray = field(repr=False)

    @property
    def se(self) -> FloatArray:
        """Standard errors."""
        error: FloatArray = np.sqrt(np.square(self.parts).sum(axis=0))
        return error

    @property
    def table(self) -> pd.DataFrame:
        """One row per outcome: outcome, usual, effect, low, high, p; p is NaN where nothing varies."""
        se, effect = self.se, self.effect
        varies = se > 0
        half = np.where(varies, se * stats.t.ppf((1 + LEVEL) / 2, self.df), 0.0)
        ratio = np.divide(np.abs(effect), se, out=np.full(len(se), np.nan), where=varies)
        named = {"outcome": self.outcomes, "usual": self.usual, "effect": effect}
        return pd.DataFrame(
            {**named, "low": effect - half, "high": effect + half, "p": 2 * stats.t.sf(ratio, self.df)}
        )

    def less(self, other: Differed) -> Differed:
        """These differences less those of the same customers in other windows."""
        parts = self.parts - other.parts
        return Differed(self.outcomes, self.effect - other.effect, self.usual + other.effect, parts, self.df)

    def p_together(self, outcomes: tuple[str, ...]) -> float:
        """The chance of such differences of these outcomes by luck (Hotelling); NaN where nothing varies."""
        places = [self.outcomes.index(name) for name in outcomes]
        places = [place for place in places if self.se[place] > 0]
        if not places:
            return float("nan")
        scaled = self.parts[:, places] / self.se[places]
        distance = self.effect[places] / self.se[places]
        squared = float(distance @ np.linalg.pinv(scaled.T @ scaled, rcond=1e-9) @ distance)
        df, count = max(float(self.df[places].min()), len(places) + 1.0), len(places)
        return float(stats.f.sf(squared * (df - count + 1) / (df * count), count, df - count + 1))


@dataclass(frozen=True)
class Similar:
    """The treated who have their like, and the untouched with their weights.

    treated, untouched: who is compared, by position among the customers given.
    weights:            of the untouched; they sum to 1.
    """

    treated: IntArray = field(repr=False)
    untouched: IntArray = field(repr=False)
    weights: FloatArray = field(repr=False)
    overlap: Overlap
    _treated_rows: FloatArray = field(repr=False)
    _untouched_rows: FloatArray = field(repr=False)
    _hat: FloatArray = field(repr=False)

    def differ(self, outcomes: pd.DataFrame) -> Differed:
        """By how much both differ in each column: one row per customer given."""
        values = outcomes.to_numpy(dtype="float64")
        ours, theirs, count = values[self.treated], values[self.untouched], len(self.treated)
        slopes = self._hat @ theirs
        gap = ours - self._treated_rows @ slopes
        effect = gap.mean(axis=0)
        leverage = np.clip((self._untouched_rows * self._hat.T).sum(axis=1), 0.0, MOST_LEVERAGE)
        residuals = (theirs - self._untouched_rows @ slopes) / (1 - leverage)[:, None]
        parts = (gap - effect) / np.sqrt(count * max(count - 1, 1)), -self.weights[:, None] * residuals
        names = tuple(map(str, outcomes.columns))
        return Differed(names, effect, ours.mean(axis=0) - effect, np.vstack(parts), self._df(*parts))

    def _df(self, of_treated: FloatArray, of_untouched: FloatArray) -> FloatArray:
        """Degrees of freedom (Satterthwaite), from the number of treated and the effective number of untouched."""
        variances = [np.square(part).sum(axis=0) for part in (of_treated, of_untouched)]
        worth = max(len(self.treated) - 1, 1), max(self.overlap.effective - 1, 1)
        spread = sum(variance**2 / df for variance, df in zip(variances, worth, strict=True))
        total = (variances[0] + variances[1]) ** 2
        df: FloatArray = np.divide(total, spread, out=np.full(len(total), 1e6), where=np.asarray(spread) > 0)
        return df


def explaining(known: pd.DataFrame) -> Explaining:
    """What explains, of what is known: one row per customer, numbers only."""
    values = known.to_numpy(dtype="float64")
    logs = np.sign(values) * np.log1p(np.abs(values))
    both = np.hstack([logs, np.minimum(values, np.quantile(values, MOST_LEVEL, axis=0))])
    centred = both - both.mean(axis=0)
    scale = centred.std(axis=0)
    varies = np.flatnonzero(scale > 1e-9)
    of = {
        str(name): tuple(int(column) for column in np.flatnonzero(varies % known.shape[1] == place))
        for place, name in enumerate(known.columns)
    }
    return Explaining(centred[:, varies] / scale[varies], of)


def find_similar(explains: Explaining, treated: BoolArray) -> Similar | None:
    """Untouched customers like the treated; None where not even `FEWEST` treated have their likes."""
    columns = explains.columns
    if treated.sum() == 0 or (~treated).sum() < SIMILAR or not columns.shape[1]:
        return None
    within = _supported(_chances(columns, treated), treated)
    ours, theirs = np.flatnonzero(treated & within), np.flatnonzero(~treated & within)
    if len(ours) < FEWEST or len(theirs) < SIMILAR:
        return None
    again = _chances(columns[within], treated[within])[~treated[within]]
    rows = np.hstack([np.ones((len(columns), 1)), columns])
    return _weighted(rows[ours], rows[theirs], again / (1 - again), at=(ours, theirs), of=int(treated.sum()))


def _chances(columns: FloatArray, treated: BoolArray) -> FloatArray:
    """The chance of each of having been chosen."""
    fitted = LogisticRegression(C=1 / PENALTY, solver="newton-cholesky", max_iter=200).fit(columns, treated)
    chances: FloatArray = np.clip(fitted.predict_proba(columns)[:, 1], 1e-9, 1 - 1e-9)
    return chances


def _supported(chances: FloatArray, treated: BoolArray) -> BoolArray:
    within: BoolArray = chances <= min(MOST_CHANCE, np.sort(chances[~treated])[-SIMILAR])
    return within


def _weighted(
    ours: FloatArray, theirs: FloatArray, odds: FloatArray, *, at: tuple[IntArray, IntArray], of: int
) -> Similar:
    """With the weights that a regression weighted by these odds gives the untouched."""
    scaled = (odds / odds.sum())[:, None] * theirs
    ridge = np.diag([0.0, *np.full(ours.shape[1] - 1, RIDGE)])
    hat = np.linalg.solve(theirs.T @ scaled + ridge, scaled.T)
    weights = ours.mean(axis=0) @ hat
    effective = float(weights.sum() ** 2 / np.square(weights).sum())
    overlap = Overlap(len(ours), len(theirs), len(ours) / of, effective, float(weights.max() / weights.sum()))
    return Similar(*at, weights, overlap, ours, theirs, hat)


def balance(known: pd.DataFrame, treated: BoolArray, similar: Similar) -> pd.DataFrame:
    """`BALANCE`, per column known before: means of the treated who are compared, of all untouched, and of these as
    weighted; standardised differences before (everybody) and after weighting (who is compared); the largest first.
    """
    values = known.to_numpy(dtype="float64")
    scale = np.sqrt((values[treated].var(axis=0) + values[~treated].var(axis=0)) / 2)
    everybody, untouched = values[treated].mean(axis=0), values[~treated].mean(axis=0)
    ours, weighted = values[similar.treated].mean(axis=0), similar.weights @ values[similar.untouched]
    apart = [np.divide(gap, scale, out=np.zeros(len(scale)), where=scale > 0) for gap in
             (everybody - untouched, ours - weighted)]  # fmt: skip
    columns = (known.columns, ours, untouched, weighted, *apart)
    table = pd.DataFrame(dict(zip(BALANCE, columns, strict=True)))
    order = table["before"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)


__all__ = [
    "BALANCE",
    "FEWEST",
    "Differed",
    "Explaining",
    "Overlap",
    "Similar",
    "balance",
    "explaining",
    "find_similar",
]
