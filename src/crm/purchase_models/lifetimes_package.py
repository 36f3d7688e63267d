"""The only door to the package lifetimes (archived, 0.11.3): its fitters, and nothing of them but the estimates.

Importing it sets a pandas option that is due for removal and the process' warning filters; its fitters print when
they fail, keep the training rows, warn by the dozen on the way, and give up a top that is flat to the fifth decimal
because it is not to the seventh. All of it ends here. They take time in units of
the longest history (their own choice), so that nothing overflows, and start where they are told: nothing is random.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from crm.purchase_models.histories import FloatArray, Grouped, weighted_sum
from crm.purchase_models.pareto_nbd import log_parts

FLAT = 1e-5
"""A slope per customer below this is a top, even where the search ends for want of decimals."""

PARETO_UNITS = 1000.0
PARETO_OPTIONS = {"xatol": 1e-6, "fatol": 1e-4, "maxiter": 1000, "maxfev": 400}
PARETO_ROOM = 1e-8, 1e4
"""Where Pareto/NBD's estimates are sought: wider than where they are believed, but no endless ridge is followed."""


@dataclass(frozen=True)
class Estimate:
    """What a fitter of the package found, in the units of time of the groups."""

    parameters: dict[str, float]


def fit_geometric(
    name: str, groups: Grouped, start: Sequence[float], inverse_curvature: FloatArray | None
) -> Estimate | None:
    """BG/NBD or MBG/NBD from `start`, logarithms of r, alpha over the longest history, a, b; None: no convergence.

    With the inverse of the curvature near the top, per customer, the top is a few steps away.
    """
    near = {} if inverse_curvature is None else {"hess_inv0": inverse_curvature}
    fitter = _package().BetaGeoFitter() if name == "BG/NBD" else _package().ModifiedBetaGeoFitter()
    data = groups.frequency, groups.recency, groups.T, groups.weight
    return _fitted(fitter, data, initial_params=np.asarray(start), **near)


def fit_pareto(groups: Grouped, start: Sequence[float], spread: float) -> Estimate | None:
    """Pareto/NBD from `start`: r, alpha over the longest history, s, beta over it; first `spread` around it.

    The search is the package's; its likelihood, which is not a number for heavy buyers, is replaced by a stable one.
    """
    fitter = _stable_pareto()()
    fitter.evaluations = 0
    simplex = np.tile(np.asarray(start, dtype="float64"), (5, 1))
    simplex[np.arange(1, 5), np.arange(4)] *= 1 + spread
    data = groups.frequency, groups.recency, groups.T, groups.weight
    found = _fitted(fitter, data, initial_params=simplex[0], initial_simplex=simplex, **PARETO_OPTIONS)
    return found if fitter.evaluations < PARETO_OPTIONS["maxfev"] else None  # the package does not say so itself


def fit_gamma_gamma(days: FloatArray, values: FloatArray, weights: FloatArray) -> Estimate | None:
    """Gamma-Gamma of distinct (purchase days, mean value per purchase day) and how many customers have them."""
    for start in ((0.1, 0.1, 0.1), (1.0, 1.0, 1.0), (2.0, 1.0, 3.0)):
        found = _fitted(_package().GammaGammaFitter(), (days, values, weights), initial_params=np.asarray(start))
        if found is not None:
            return found
    return None


def _fitted(fitter: Any, data: tuple[Any, ...], **options: Any) -> Estimate | None:
    """The estimates, or nothing where the search found no top."""
    with _contained():
        try:
            fitter.fit(*data, **options)
        except _package().ConvergenceError:
            return None
    return Estimate({str(name): float(value) for name, value in fitter.params_.items()})


@contextlib.contextmanager
def _contained() -> Iterator[None]:
    """Printing swallowed, warning filters restored, and warnings of overflow on the way to the top silenced."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


@dataclass(frozen=True)
class _Package:
    """The names of the package that are used."""

    BetaGeoFitter: Any
    ModifiedBetaGeoFitter: Any
    ParetoNBDFitter: Any
    GammaGammaFitter: Any
    ConvergenceError: type[Exception]


@cache
def _package() -> _Package:
    """The package, imported on first use; pandas' option and the warning filters are as before."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = pd.get_option("mode.chained_assignment")
        import lifetimes
        from lifetimes.utils import ConvergenceError

        pd.set_option("mode.chained_assignment", before)
    return _Package(
        _searching(lifetimes.BetaGeoFitter),
        _searching(lifetimes.ModifiedBetaGeoFitter),
        lifetimes.ParetoNBDFitter,
        _searching(lifetimes.GammaGammaFitter),
        ConvergenceError,
    )


def _searching(fitter: Any) -> Any:
    """A fitter of the package, with its likelihood and gradient, that tells a top as we do and computes no curvature.

    The curvature takes the package longer than the search, and makes standard errors that nobody reads.
    """
    from lifetimes.fitters import value_and_grad

    class SearchingFitter(fitter):  # type: ignore[misc]
        def _fit(
            self, data: Any, start: Any, size: int, disp: Any, tol: Any, bounds: Any = None, **options: Any
        ) -> Any:
            slope = value_and_grad(self._negative_log_likelihood)
            how: Any = {"method": "BFGS", "options": {"gtol": 1e-7, **options}}
            end: Any = minimize(slope, start, args=data, jac=True, **how)
            if end.success or np.abs(end.jac).max() < FLAT:
                return end.x, end.fun, np.eye(size)
            raise _package().ConvergenceError

    return SearchingFitter


@cache
def _stable_pareto() -> Any:
    """The package's fitter of Pareto/NBD with our likelihood."""

    class StableParetoNBDFitter(_package().ParetoNBDFitter):  # type: ignore[misc]
        evaluations = 0

        def _negative_log_likelihood(self, params: Any, *data: Any) -> float:
            self.evaluations += 1
            frequency, recency, known, weights, _ = data
            if np.any(params < PARETO_ROOM[0]) or np.any(params > PARETO_ROOM[1]):
                return float("inf")
            nothing = np.empty(0)
            groups = Grouped(frequency, recency, known, weights, nothing, nothing.astype("int64"))
            value = weighted_sum(weights, np.logaddexp(*log_parts(groups, *params))) / weights.sum()
            return float(-PARETO_UNITS * value) if np.isfinite(value) else float("inf")

    return StableParetoNBDFitter
