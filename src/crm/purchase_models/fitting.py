"""Fitting a purchase model, and saying in words why there is none where the data do not determine one.

BG/NBD, MBG/NBD and Pareto/NBD are fitted by the package lifetimes, MBG/CNBD-k here. Each model is fitted to an even
sample of at most 4,000 customers from several starts; the best of them is where the fit to all begins. A fit whose
estimates run beyond what any customer base shows is none: it says that the data do not tell the model's parts apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from crm.purchase_models.geometric import BgNbd, MbgNbd
from crm.purchase_models.histories import FloatArray, Grouped, weighted_sum
from crm.purchase_models.lifetimes_package import fit_geometric, fit_pareto
from crm.purchase_models.mbg_cnbd import MOST_STAGES, PARAMETERS, MbgCnbd, climb, log_constant
from crm.purchase_models.model import PurchaseModel
from crm.purchase_models.pareto_nbd import ParetoNbd

FEWEST_REPEAT_BUYERS = 10
"""Four or five estimates from fewer customers who bought again say nothing."""

SAMPLE = 4000
"""Customers from whom the best of several starts is found."""

BOUNDS: Mapping[str, tuple[float, float]] = {
    "r": (1e-3, 1e3),
    "a": (1e-3, 1e3),
    "b": (1e-3, 1e5),  # one purchase in thousands is somebody's last, where people buy every other day and stay
    "s": (1e-3, 1e3),
    "alpha": (1e-6, 1e3),  # alpha and beta in units of the longest history
    "beta": (1e-6, 1e3),
}
"""Estimates beyond these are not believed: the likelihood has no top that the data determine, only a long ridge."""

TIME_PARAMETERS = {"alpha", "beta"}

GEOMETRIC_STARTS = tuple(
    (float(np.log(r)), float(np.log(alpha)), float(np.log(a)), float(np.log(b)))
    for r, alpha, a, b in ((1.1, 1.1, 1.1, 1.1), (0.5, 0.1, 0.5, 2.0), (2.0, 0.1, 0.2, 3.0), (0.3, 0.3, 2.0, 8.0))
)
PARETO_STARTS = ((1.0, 1.0, 1.0, 1.0), (0.5, 0.2, 0.5, 0.2), (1.5, 0.1, 0.3, 1.0))
WIDE, NARROW = 0.3, 0.02
PARETO_SAMPLE, PARETO_CUSTOMERS = 500, 20_000

Fitted: TypeAlias = BgNbd | MbgNbd | MbgCnbd | ParetoNbd
Start: TypeAlias = tuple[float, ...]


@dataclass(frozen=True)
class Fit:
    """A fitted model, or in words a manager reads why there is none."""

    model: PurchaseModel | None
    why_not: str = ""


def fit_purchase_model(
    name: str, grouped: Grouped, *, weights: FloatArray | None = None, like: PurchaseModel | None = None
) -> Fit:
    """Fit BG/NBD, MBG/NBD, Pareto/NBD or MBG/CNBD-k.

    `weights`, one per group, take the place of the groups' numbers of customers; see `Grouped.weighted`.
    `like`, a model of much the same customers and of the same name, is where the search begins, with its k; where
    that leads nowhere, it begins anew.
    """
    groups = grouped if weights is None else grouped.weighted(weights)
    thin = _too_thin(groups)
    if thin:
        return Fit(None, f"{name} was not fitted: {thin}.")
    near = _fit_near(like, groups) if like is not None and like.name == name else Fit(None)
    fit = near if near.model else MODELS[name](groups)
    return fit if fit.model else replace(fit, why_not=f"{name} was not fitted: {fit.why_not}.")


def fit_with_fallback(names: Sequence[str], grouped: Grouped) -> tuple[PurchaseModel | None, tuple[str, ...]]:
    """The first of the models that the data determine, and why each one before it is not."""
    reasons: list[str] = []
    for name in names:
        fit = fit_purchase_model(name, grouped)
        if fit.model:
            return fit.model, tuple(reasons)
        reasons.append(fit.why_not)
    return None, tuple(reasons)


def model_from_record(record: Mapping[str, Any]) -> PurchaseModel:
    """The model that `as_record` wrote."""
    values = {name: float(value) for name, value in record["parameters"].items()}
    log_likelihood = float(record["log_likelihood"])
    if record["name"] == "Pareto/NBD":
        return ParetoNbd(values, log_likelihood)
    return GEOMETRIC[record["name"]](record["name"], values, log_likelihood)


GEOMETRIC: Mapping[str, type[BgNbd] | type[MbgNbd] | type[MbgCnbd]] = {
    "BG/NBD": BgNbd,
    "MBG/NBD": MbgNbd,
    "MBG/CNBD-k": MbgCnbd,
}


def log_likelihood(model: Fitted, groups: Grouped) -> float:
    """Of these groups under a model, with every constant, in days."""
    constant = log_constant(groups, model.k) if isinstance(model, MbgCnbd) else 0.0
    return constant + sum(weighted_sum(part.weight, np.logaddexp(*model.parts(part))) for part in groups.parts())


def log_parameter_covariance(model: PurchaseModel, groups: Grouped) -> FloatArray | None:
    """How uncertain the estimates are: the covariance of their logarithms (k apart), in the order of `parameters`.

    The inverse of the curvature of the log-likelihood, by differences; None where that is not a top.
    """
    assert isinstance(model, BgNbd | MbgNbd | MbgCnbd | ParetoNbd)
    names = [name for name in model.parameters if name != "k"]
    values = np.array([model.parameters[name] for name in names])

    def at(steps: FloatArray) -> float:
        moved = dict(zip(names, (values * np.exp(steps)).tolist(), strict=True))
        return log_likelihood(replace(model, parameters={**model.parameters, **moved}), groups)

    curvature = -_second_differences(at, len(names))
    if not np.isfinite(curvature).all() or np.linalg.eigvalsh(curvature).min() <= 0:
        return None
    inverse = np.linalg.inv(curvature)
    return np.asarray((inverse + inverse.T) / 2)


STEP = 1e-3


def _second_differences(at: Callable[[FloatArray], float], size: int) -> FloatArray:
    """The matrix of second derivatives of a function at zero."""
    steps, middle = np.eye(size) * STEP, at(np.zeros(size))
    single = [at(step) + at(-step) for step in steps]
    found = np.diag([(both - 2 * middle) / STEP**2 for both in single])
    for i in range(size):
        for j in range(i):
            both = at(steps[i] + steps[j]) + at(-steps[i] - steps[j])
            found[i, j] = found[j, i] = (both - single[i] - single[j] + 2 * middle) / (2 * STEP**2)
    return found


@dataclass(frozen=True)
class _Model:
    """A model, how to fit it from one start, and where to begin.

    An attempt takes the groups, a start and, near the top, the inverse of the curvature per customer.
    insist: where a sample has no best fit, look among all customers.
    """

    attempt: Callable[[Grouped, Start, FloatArray | None], Fitted | None]
    begin_at: Callable[[Fitted, float], Start]
    starts: tuple[Start, ...]
    sample: int = SAMPLE
    insist: bool = True


def _climbed(groups: Grouped, model: _Model) -> Fitted | None:
    """The best of several starts on a sample; where there are more customers, on from there with all of them."""
    sample = groups.sample(model.sample)
    best = _best_of_starts(sample, model)
    if sample is groups:
        return best
    onward = _onward(best, sample, groups, model)
    return onward or (_best_of_starts(groups, model) if model.insist else best)


def _best_of_starts(groups: Grouped, model: _Model) -> Fitted | None:
    """The likeliest end, of those to be believed if there are any: a climb may run onto a ridge past a top."""
    ends = [end for start in model.starts if (end := _valued(model.attempt(groups, start, None), groups))]
    return max(ends, key=lambda end: (not _ran_off(end, groups), end.log_likelihood), default=None)


def _onward(best: Fitted | None, sample: Grouped, groups: Grouped, model: _Model) -> Fitted | None:
    """From the best fit to a sample to the fit to all customers, if the sample had one to be believed."""
    if best is None or _ran_off(best, sample):
        return None
    spread = log_parameter_covariance(best, sample)
    near = None if spread is None else spread * sample.customers
    return _valued(model.attempt(groups, model.begin_at(best, float(groups.T.max())), near), groups)


def _valued(end: Fitted | None, groups: Grouped) -> Fitted | None:
    """A fit with its log-likelihood, if that is a number."""
    if end is None or not all(0 < value < np.inf for value in end.parameters.values()):
        return None
    value = log_likelihood(end, groups)
    return replace(end, log_likelihood=value) if np.isfinite(value) else None


def _fit_climbed(model: _Model, groups: Grouped) -> Fit:
    return _judged(_climbed(groups, model), groups, len(model.starts))


def _fit_regular(groups: Grouped) -> Fit:
    """MBG/CNBD-k: one more stage to a purchase as long as the likelihood rises."""
    best: Fitted | None = None
    for k in range(1, MOST_STAGES + 1):
        end = _climbed(groups, _regular(k, best, float(groups.T.max())))
        if end is None or (best and end.log_likelihood <= best.log_likelihood):
            break
        best = end
    return _judged(best, groups, len(GEOMETRIC_STARTS))


def _fit_near(like: PurchaseModel, groups: Grouped) -> Fit:
    """From where a model of much the same customers ended."""
    longest = float(groups.T.max())
    if isinstance(like, ParetoNbd):
        model = replace(PARETO, starts=(_scaled(like, longest),))
    elif isinstance(like, MbgCnbd):
        model = replace(_regular(like.k, None, longest), starts=(_scaled_logs(like, longest),))
    elif isinstance(like, BgNbd | MbgNbd):
        model = replace(_geometric(like.name, type(like)), starts=(_scaled_logs(like, longest),))
    else:
        return Fit(None)
    return _judged(_best_of_starts(groups, model), groups, 1)


def _geometric(name: str, kind: type[BgNbd] | type[MbgNbd]) -> _Model:
    def attempt(groups: Grouped, start: Start, near: FloatArray | None) -> Fitted | None:
        found = fit_geometric(name, groups, start, near)
        return kind(name, found.parameters, np.nan) if found else None

    return _Model(attempt, _scaled_logs, GEOMETRIC_STARTS)


def _regular(k: int, fewer: Fitted | None, longest: float) -> _Model:
    """MBG/CNBD-k of one k; begins where one stage fewer ended, with stages that much shorter."""

    def attempt(groups: Grouped, start: Start, near: FloatArray | None) -> Fitted | None:
        scale = np.array([0.0, np.log(groups.T.max()), 0.0, 0.0])
        room = [_room(name, shift) for name, shift in zip(PARAMETERS, scale, strict=True)]
        end = climb(groups, k, np.asarray(start) + scale, room, near)
        values = dict(zip(PARAMETERS, np.exp(end.logs).tolist(), strict=True))
        return MbgCnbd("MBG/CNBD-k", {**values, "k": float(k)}, end.log_likelihood) if end.is_top else None

    if fewer is None:
        return _Model(attempt, _scaled_logs, GEOMETRIC_STARTS)
    r, alpha, a, b = _scaled_logs(fewer, longest)
    return _Model(attempt, _scaled_logs, ((r, alpha + float(np.log((k - 1) / k)), a, b), GEOMETRIC_STARTS[1]))


def _room(name: str, log_scale: float) -> tuple[float, float]:
    """The bounds of a climb, in logarithms: beyond those within which estimates are believed."""
    least, most = BOUNDS[name]
    return float(np.log(least / 10) + log_scale), float(np.log(most * 10) + log_scale)


def _pareto(groups: Grouped, start: Start, near: FloatArray | None) -> Fitted | None:
    """Its likelihood is an integral per customer: with very many, those of an even sample do."""
    found = fit_pareto(groups.sample(PARETO_CUSTOMERS), start, WIDE if near is None else NARROW)
    return ParetoNbd(found.parameters, np.nan) if found else None


def _scaled_logs(end: Fitted, longest: float) -> Start:
    r, alpha, a, b = (end.parameters[name] for name in PARAMETERS)
    return tuple(np.log([r, alpha / longest, a, b]).tolist())


def _scaled(end: Fitted, longest: float) -> Start:
    r, alpha, s, beta = (end.parameters[name] for name in ("r", "alpha", "s", "beta"))
    return r, alpha / longest, s, beta / longest


def _judged(end: Fitted | None, groups: Grouped, starts: int) -> Fit:
    """A model whose estimates can be believed, or why there is none."""
    if end is None:
        return Fit(None, f"the search found no best fit from any of {starts} starting points")
    ran = _ran_off(end, groups)
    if ran:
        return Fit(None, f"its estimates ran to the boundary, so that the data do not determine it: {ran}")
    return Fit(end)


def _ran_off(end: Fitted, groups: Grouped) -> str:
    """Which estimates are beyond their bounds, and how far; nothing if none is."""
    longest = float(groups.T.max())
    words = [_beyond(name, value, longest) for name, value in end.parameters.items() if name != "k"]
    return "; ".join(word for word in words if word)


def _beyond(name: str, value: float, longest: float) -> str:
    """In words, how far an estimate is beyond its bounds and what that would mean; nothing if it is within."""
    least, most = (bound * (longest if name in TIME_PARAMETERS else 1.0) for bound in BOUNDS[name])
    if least <= value <= most:
        return ""
    unit = " days" if name in TIME_PARAMETERS else ""
    side, bound = ("below", least) if value < least else ("above", most)
    return f"{name} = {value:,.6g}{unit}, {side} {bound:,.6g}{unit} ({MEANING[name, side]})"


MEANING = {
    ("r", "below"): "nearly all purchases are those of very few customers",
    ("r", "above"): "all customers buy at one and the same rate",
    ("alpha", "below"): "customers buy faster than days can tell",
    ("alpha", "above"): "hardly anybody buys again, or all buy at the same rate",
    ("a", "below"): "hardly anybody ever leaves, or some leave at once and the others never",
    ("a", "above"): "all customers leave with one and the same chance, or all at once",
    ("b", "below"): "nearly everybody leaves at once",
    ("b", "above"): "hardly anybody ever leaves, or all with one and the same chance",
    ("s", "below"): "hardly anybody ever leaves",
    ("s", "above"): "all customers leave at one and the same rate",
    ("beta", "below"): "most customers leave at once",
    ("beta", "above"): "hardly anybody ever leaves, or all leave at the same rate",
}


def _too_thin(groups: Grouped) -> str:
    """Why no model can be fitted to these customers, or nothing."""
    if groups.customers <= 1:
        return f"there {'is one customer' if len(groups) else 'are no customers'}"
    if groups.T.max() <= 0:
        return "all customers bought for the first time on the as-of date, so that no day has passed since"
    if groups.repeat_buyers == 0 and len(np.unique(groups.T)) == 1:
        return f"all {groups.customers:,.0f} customers bought on one and the same day, and nobody since"
    if groups.repeat_buyers == 0:
        return f"none of {groups.customers:,.0f} customers bought on a second day"
    if groups.repeat_buyers < FEWEST_REPEAT_BUYERS:
        return (
            f"{groups.repeat_buyers:,.0f} of {groups.customers:,.0f} customers bought on a second day, "
            f"and fewer than {FEWEST_REPEAT_BUYERS} tell nothing"
        )
    return ""


PARETO = _Model(_pareto, _scaled, PARETO_STARTS, PARETO_SAMPLE, insist=False)

MODELS: Mapping[str, Callable[[Grouped], Fit]] = {
    "BG/NBD": partial(_fit_climbed, _geometric("BG/NBD", BgNbd)),
    "MBG/NBD": partial(_fit_climbed, _geometric("MBG/NBD", MbgNbd)),
    "Pareto/NBD": partial(_fit_climbed, PARETO),
    "MBG/CNBD-k": _fit_regular,
}
