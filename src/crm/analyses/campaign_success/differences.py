"""By how much do two arms drawn by lot differ, and how sure is that?

The plain difference of means, and the same after what was known before the campaign has been taken out of the noise
(regression adjustment; with one covariate it is known as CUPED: Deng, Xu, Kohavi & Walker 2013). Each arm has slopes
of its own (Lin 2013), so that adjusting does no harm to large experiments, whatever the arms' sizes; in small ones
the plain difference stands where adjusting would widen the interval.

Errors let the arms vary differently, which alone fails where few buy: a small arm that by luck holds no buyers has a
low mean and hardly varies, and the interval would claim an effect from that luck. So the more unsure an arm's own
variance is, the nearer the error comes to that of arms that vary alike, where that is larger (`_larger`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import linalg, stats

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

LEVEL = 0.95
SMALLEST_ARM = 2
CUSTOMERS_PER_COVARIATE = 20
"""Of the smaller arm, for each covariate that is taken out."""

UNSURE = 0.05
"""Squared relative error of the smaller arm's variance from which the arms are taken to vary alike."""


@dataclass(frozen=True)
class Difference:
    """Treated less held out, per customer.

    effect, low, high: the difference with its interval.    se: its standard error.    df: its degrees of freedom.
    usual:      what the treated would have had: their mean less the effect.
    plain, plain_se: the difference of means before adjustment.
    covariates: what was taken out; none where the plain difference stands.
    treated, held_out: how many customers.
    """

    effect: float
    se: float
    df: float
    usual: float
    plain: float
    plain_se: float
    covariates: tuple[str, ...] = field(repr=False)
    treated: int
    held_out: int

    @property
    def low(self) -> float:
        """Lower end of the 95 % interval."""
        return self.interval()[0]

    @property
    def high(self) -> float:
        """Upper end of the 95 % interval."""
        return self.interval()[1]

    @property
    def plain_interval(self) -> tuple[float, float]:
        """The 95 % interval before adjustment."""
        half = self.plain_se * _t(self.df, LEVEL)
        return self.plain - half, self.plain + half

    @property
    def p(self) -> float:
        """Chance of a difference at least as large by luck alone, two-sided; NaN where it cannot be told."""
        if not (np.isfinite(self.se) and self.se > 0):
            return float("nan")
        return float(2 * stats.t.sf(abs(self.effect) / self.se, self.df))

    @property
    def variance_reduction(self) -> float:
        """Share of the plain difference's variance that adjusting took out."""
        return 1 - (self.se / self.plain_se) ** 2 if self.plain_se > 0 else 0.0

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """The interval at another level."""
        half = self.se * _t(self.df, level)
        return self.effect - half, self.effect + half


def differences(
    outcomes: pd.DataFrame, treated: BoolArray, known: pd.DataFrame | None = None
) -> Mapping[str, Difference]:
    """For each column of outcomes the difference between the arms; NaN intervals where an arm has less than two.

    outcomes: one row per customer.     treated: who was.     known: columns from before the campaign, the most
    telling first; as many are taken out as the smaller arm bears.
    """
    values = outcomes.to_numpy(dtype="float64")
    plain = [_plain(values[:, place], treated) for place in range(values.shape[1])]
    covariates, names = _covariates(known, treated)
    adjusted = _adjusted(values, treated, covariates) if covariates is not None else None
    return {
        str(name): _narrower(plain[place], adjusted[place] if adjusted else None, names)
        for place, name in enumerate(outcomes.columns)
    }


def corrected(chances: Sequence[float]) -> FloatArray:
    """p values corrected for their number (Holm 1979); NaN stays and does not count."""
    given = np.asarray(chances, dtype="float64")
    known = np.flatnonzero(np.isfinite(given))
    order = known[np.argsort(given[known], kind="stable")]
    result = np.full(len(given), np.nan)
    result[order] = np.minimum(np.maximum.accumulate(given[order] * np.arange(len(order), 0, -1)), 1.0)
    return result


def _plain(values: FloatArray, treated: BoolArray) -> Difference:
    """Difference of means. Its error is Welch's, or nearer to that of arms that vary alike (`_larger`)."""
    one, other = values[treated], values[~treated]
    if min(len(one), len(other)) < SMALLEST_ARM:
        nothing = float("nan")
        return Difference(nothing, nothing, nothing, nothing, nothing, nothing, (), len(one), len(other))
    sizes, spreads = np.array([len(one), len(other)]), np.array([one.var(ddof=1), other.var(ddof=1)])
    parts = spreads / sizes
    alike = np.average(spreads, weights=sizes - 1) * (1 / sizes).sum()
    uncertain = (parts**2 / (sizes - 1)).sum()
    df = float(parts.sum() ** 2 / uncertain) if uncertain > 0 else len(values) - 2.0
    squared = np.concatenate([one - one.mean(), other - other.mean()])[:, None] ** 2
    se = float(np.sqrt(_larger(parts.sum(), alike, squared, int(sizes.min()))[0]))
    effect = float(one.mean() - other.mean())
    return Difference(effect, se, df, float(other.mean()), effect, se, (), len(one), len(other))


def _adjusted(values: FloatArray, treated: BoolArray, covariates: FloatArray) -> list[tuple[float, float]] | None:
    """Effect and error of each outcome from y = a + effect t + b x + c t x, with x centred; None where that fails.

    Errors are HC3 (MacKinnon & White 1985), as if each customer were told by the others: amounts are skewed, and arms
    of a hundred customers leave errors of another kind too small; or nearer to those of residuals spread alike in
    both arms (`_larger`).
    """
    arm = treated.astype("float64")[:, None]
    design = np.hstack([np.ones_like(arm), arm, covariates, covariates * arm])
    q, r = np.linalg.qr(design)
    diagonal = np.abs(np.diag(r))
    if diagonal.min() < 1e-9 * diagonal.max():
        return None
    coefficients = linalg.solve_triangular(r, q.T @ values)
    leverage = (q**2).sum(axis=1)
    if leverage.max() > 1 - 1e-9:
        return None
    residuals = (values - design @ coefficients) / (1 - leverage)[:, None]
    weights = q @ linalg.solve_triangular(r, np.eye(len(r)))[1]
    squared = residuals**2
    alike = (weights**2).sum() * ((1 - leverage)[:, None] * squared).mean(axis=0)
    variances = _larger(weights**2 @ squared, alike, squared, int(min(treated.sum(), (~treated).sum())))
    return list(zip(coefficients[1].tolist(), np.sqrt(variances).tolist(), strict=True))


def _larger(apart: FloatArray, alike: FloatArray, squared: FloatArray, smaller: int) -> FloatArray:
    """A variance of the difference between that of arms that vary differently and that of arms that vary alike.

    The variance of an arm is unsure by its kurtosis less 1 over its size (squared, relative); `UNSURE` from which the
    second counts in full. Never smaller than the first.     squared: residuals, customers by outcomes.
    """
    spread = np.maximum(squared.mean(axis=0), np.finfo("float64").tiny)
    unsure = ((squared / spread) ** 2).mean(axis=0) - 1
    result: FloatArray = apart + np.clip(unsure / smaller / UNSURE, 0, 1) * np.maximum(alike - apart, 0)
    return result


def _narrower(plain: Difference, adjusted: tuple[float, float] | None, names: tuple[str, ...]) -> Difference:
    if adjusted is None or not adjusted[1] < plain.se:
        return plain
    effect, se = adjusted
    usual = plain.usual + plain.plain - effect
    return Difference(effect, se, plain.df, usual, plain.plain, plain.plain_se, names, plain.treated, plain.held_out)


def _covariates(known: pd.DataFrame | None, treated: BoolArray) -> tuple[FloatArray | None, tuple[str, ...]]:
    """Centred and scaled, without those that say what others before them say."""
    bearable = int(min(treated.sum(), (~treated).sum())) // CUSTOMERS_PER_COVARIATE
    if known is None or bearable == 0:
        return None, ()
    values = known.to_numpy(dtype="float64")
    centred = values - values.mean(axis=0)
    scale = centred.std(axis=0)
    varies = scale > 1e-12 * (1 + np.abs(values).max(axis=0, initial=0))
    scaled = centred[:, varies] / scale[varies]
    own = _own(scaled)[:bearable]
    if not len(own):
        return None, ()
    names = known.columns[varies][own]
    return scaled[:, own], tuple(map(str, names))


def _own(scaled: FloatArray) -> npt.NDArray[np.intp]:
    """The columns that are no mixture of those before them."""
    if not scaled.shape[1]:
        return np.array([], dtype=np.intp)
    left = np.abs(np.diag(np.linalg.qr(scaled, mode="r"))) / np.sqrt(max(len(scaled), 1))
    return np.flatnonzero(left > 1e-4)


def _t(df: float, level: float) -> float:
    return float(stats.t.ppf((1 + level) / 2, df)) if np.isfinite(df) else float("nan")


__all__ = ["LEVEL", "Difference", "corrected", "differences"]
