"""Whom does a contact change? Learnt from all closed experiments together, and judged on customers not learnt from.

What a contact changes in one customer is never seen, so that learning it is easily fooled: default-sized trees put
customers in no better order than chance. The learner that may ship is named before anything is looked at, so that no
luck is chosen: a doubly robust learner, the mean of a strongly held regression and of small trees. T-, S- and
X-learner with small trees and a linear T-learner are shown beside it.

It ships only where its Qini interval is above zero and its order is not worse than that of who would answer. Else
everybody is expected to be changed by the average: there is nothing to target on.

Customers are divided into parts by lot, and each part is judged by what was learnt from the parts before it (Wager,
2024). Where every part is judged by all others, two parts judge each other by the same chance pattern: the interval
is then too short by a factor of up to the square root of two, and false alarms are two to three times as many as it
says (measured here as well).

Assumptions. 1. The lot was fair within each experiment. 2. A contact changes nothing in anybody else. 3. Whom
contacts change is much the same in all experiments, though by how much on average may differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm.analyses.campaign_success.contacted import Contacted
from crm.analyses.campaign_success.response import (
    Linear,
    Trees,
    closed_before,
    fit_response,
    fit_ridge,
    fit_trees,
)
from crm.measures.amounts import FloatArray
from crm.measures.uplift import Judge, doubly_robust

DR, T, S, X, LINEAR_T = "DR-learner", "T-learner", "S-learner", "X-learner", "Linear T-learner"
ANSWERS = "Who would answer"
LEARNERS = (DR, T, S, X, LINEAR_T)
TARGETS = {"margin": "margin", "purchase": "bought"}
"""What is asked of an effect, and the column that tells it. Where customers can be targeted by both, the one that is
told more surely ships."""

APART, LATER = "customers apart", "later campaigns"

FEWEST_ROWS, FEWEST_OF_AN_ARM = 400, 20
"""Rows of all experiments without which nothing is learnt; of an arm, without which an experiment is left out."""
FOLDS, INNER_FOLDS = 6, 3
ONLY_LEARNT_FROM = 2
"""Parts of the customers that no part comes before; the others are judged, each by those before it."""
LATER_CAMPAIGNS = 3
DRAWS = 300
OUTLYING = 0.0025
"""Share of outcomes at either end that learning takes as no farther; judging takes them as they are."""
RIDGE = 5_000.0

_SMALL: dict[str, Any] = {
    "objective": "reg:squarederror", "max_depth": 2, "eta": 0.05, "subsample": 0.7, "colsample_bytree": 0.5,
    "lambda": 50.0, "min_child_weight": 30.0, "max_bin": 64,
    "nthread": 1,  # one thread adds up in one order: the same inputs give the same scores
}  # fmt: skip
_EFFECT = {**_SMALL, "lambda": 200.0}
_SURFACE = {**_SMALL, "max_depth": 3}
_ROUNDS, _SURFACE_ROUNDS, _JOINT_ROUNDS = 60, 80, 150

Bools = npt.NDArray[np.bool_]
Values = Callable[[pd.DataFrame], FloatArray]

TABLE = (
    "target", "learner", "judged_on", "rows", "campaigns", "qini", "low", "high", "auuc", "auuc_low", "auuc_high",
    "over_answers", "over_answers_low", "over_answers_high", "ships",
)  # fmt: skip
EFFECTS = ("target", "effect", "low", "high", "rows", "campaigns")


@dataclass(frozen=True)
class Experiments:
    """Everybody drawn into a closed experiment with enough in either arm: one row per experiment and customer.

    fold: of the customer, the same in every experiment.
    """

    rows: pd.DataFrame = field(repr=False)
    columns: tuple[str, ...]
    fold: npt.NDArray[np.int64] = field(repr=False)
    seed: int

    @classmethod
    def of(cls, contacted: Contacted, *, seed: int) -> Experiments:
        """Those of these rows."""
        rows = contacted.rows[contacted.rows["randomised"].astype("bool")]
        arms = rows.groupby("campaign_id")["treated"].agg(lambda arm: min(arm.sum(), len(arm) - arm.sum()))
        large = arms.index[arms.to_numpy(dtype="float64") >= FEWEST_OF_AN_ARM]
        rows = rows[rows["campaign_id"].isin(large)].reset_index(drop=True)
        columns = tuple(name for name in contacted.columns if rows[name].notna().any())
        return cls(rows, columns, folds_of(rows["customer_id"], FOLDS, seed=seed), seed)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def enough(self) -> bool:
        """Can anything be learnt?"""
        return len(self) >= FEWEST_ROWS and bool(self.columns)

    @property
    def campaigns(self) -> tuple[str, ...]:
        """The experiments, the oldest first."""
        return tuple(dict.fromkeys(self.rows["campaign_id"]))

    @cached_property
    def treated(self) -> FloatArray:
        """1 or 0."""
        return self.rows["treated"].to_numpy(dtype="float64")

    @cached_property
    def judged(self) -> Bools:
        """Rows of customers in the parts that are judged."""
        return self.fold >= ONLY_LEARNT_FROM

    @cached_property
    def known(self) -> pd.DataFrame:
        """What learners read."""
        return self.rows[list(self.columns)]

    @cached_property
    def within(self) -> npt.NDArray[np.int64]:
        """Experiment and fold: in each of them customers are ordered by themselves."""
        campaign = pd.factorize(self.rows["campaign_id"])[0]
        return np.asarray(campaign * FOLDS + self.fold, dtype="int64")

    def outcome(self, target: str) -> FloatArray:
        """As it came."""
        return self.rows[TARGETS[target]].to_numpy(dtype="float64")

    def held(self, target: str) -> FloatArray:
        """As it is learnt from: without what lies far out."""
        came = self.outcome(target)
        return np.clip(came, *np.quantile(came, [OUTLYING, 1 - OUTLYING])) if target == "margin" else came

    def some(self, at: Bools, *, folds: int = FOLDS) -> Experiments:
        """Some of the rows, in folds of their own."""
        rows = self.rows[at].reset_index(drop=True)
        return Experiments(rows, self.columns, folds_of(rows["customer_id"], folds, seed=self.seed + 1), self.seed)


@dataclass(frozen=True)
class Effect:
    """What the doubly robust learner makes of what is known: an order first of all, calibrated elsewhere."""

    linear: Linear
    trees: Trees

    def value(self, known: pd.DataFrame) -> FloatArray:
        """One entry per row."""
        return (self.linear.value(known) + self.trees.value(known)) / 2


@dataclass(frozen=True)
class Uplift:
    """The uplift part of a model: what a contact changes in each customer.

    target:   what the order was learnt from; empty: nothing to target on, and everybody has the average.
    average:  by target, the mean effect of a contact in all experiments.
    slope:    by target, by how much the effect grows with the order, as found on customers not learnt from.
    centre:   the mean of the order among those learnt from.
    without:  the chance of a purchase in the days of a campaign without a contact; None where it is not known.
    """

    target: str
    average: Mapping[str, float]
    slope: Mapping[str, float]
    centre: float
    effect: Effect | None = field(repr=False)
    without: Trees | None = field(repr=False)
    learnt_from: tuple[str, ...]

    def of(self, known: pd.DataFrame, target: str) -> FloatArray:
        """The expected effect of a contact on `purchase` (the chance of one) or on `margin`: one entry per row."""
        if self.effect is None:
            return np.full(len(known), self.average[target])
        return self.average[target] + self.slope[target] * (self.effect.value(known) - self.centre)

    def chance_without(self, known: pd.DataFrame) -> FloatArray:
        """Of a purchase in the days of a campaign, uncontacted; NaN where it is not known."""
        if self.without is None:
            return np.full(len(known), np.nan)
        return np.clip(self.without.value(known), 0.0, 1.0)

    def as_record(self) -> dict[str, Any]:
        """Plain numbers and words, fit for JSON."""
        effect = self.effect
        return {
            "target": self.target,
            "average": dict(self.average),
            "slope": dict(self.slope),
            "centre": self.centre,
            "effect": effect and {"linear": effect.linear.as_record(), "trees": effect.trees.as_record()},
            "without": self.without and self.without.as_record(),
            "learnt_from": list(self.learnt_from),
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Uplift:
        """What `as_record` wrote."""
        known, without = record["effect"], record["without"]
        return cls(
            record["target"],
            {name: float(one) for name, one in record["average"].items()},
            {name: float(one) for name, one in record["slope"].items()},
            float(record["centre"]),
            Effect(Linear.from_record(known["linear"]), Trees.from_record(known["trees"])) if known else None,
            Trees.from_record(without) if without else None,
            tuple(record["learnt_from"]),
        )


@dataclass(frozen=True)
class UpliftJudged:
    """How every learner did with customers, and with campaigns, that it had not learnt from.

    table:   one row per target, learner and way of judging: `TABLE`. Qini with interval (0: a random order);
             over_answers: by how much it is above that of who would answer. `ships` is true of what ships.
    effects: the average effect by target, with interval: `EFFECTS`.
    target:  what is targeted by; empty: nothing to target on.
    orders:  by target, what the learner that may ship expects of each row of the experiments, learnt from the parts
             before; of use for the rows of `Experiments.judged` alone.
    scores:  per target the doubly robust score of each row.     without: the chance of a purchase without contact.
    """

    table: pd.DataFrame = field(repr=False)
    effects: pd.DataFrame = field(repr=False)
    target: str
    orders: Mapping[str, FloatArray] = field(repr=False)
    scores: Mapping[str, FloatArray] = field(repr=False)
    without: FloatArray = field(repr=False)

    @property
    def order(self) -> FloatArray:
        """Of the target; the same for everybody where there is nothing to target on."""
        return self.orders[self.target] if self.target else np.zeros(len(self.without))

    def judge_of(self, experiments: Experiments, target: str) -> Judge:
        """For whoever asks more of the judged rows."""
        return _judge(experiments, self.scores[target], experiments.judged)


def judge_uplift(contacted: Contacted, experiments: Experiments, *, ships: str, seed: int) -> UpliftJudged:
    """Every learner on customers apart, and the one that may ship on later campaigns too.

    ships: of the candidates of the response, by which customers are ordered by who would answer.
    """
    scores, rows, orders = {}, [], {}
    answers = _answers_apart(contacted, experiments, ships=ships, seed=seed)
    later = _later(contacted, experiments, ships=ships, seed=seed)
    for target in TARGETS:
        scores[target] = robust_scores(experiments, experiments.outcome(target))
        found = {ANSWERS: answers, **_apart(experiments, target)}
        orders[target] = found[DR]
        judge = _judge(experiments, scores[target], experiments.judged)
        rows += _told(target, APART, judge, experiments, experiments.judged, found)
        if later is not None:
            judge = _judge(experiments, scores[target], later.at, later.within)
            rows += _told(
                target, LATER, judge, experiments, later.at, {ANSWERS: later.answers, DR: later.order(target)}
            )
    table = pd.DataFrame(rows, columns=list(TABLE))
    target = _targeted(table)
    shipped = (table["target"] == target) & (table["learner"] == DR) & (table["judged_on"] == APART)
    return UpliftJudged(
        table=table.assign(ships=shipped),
        effects=_effects(experiments, scores),
        target=target,
        orders=orders,
        scores=scores,
        without=_expected(experiments, experiments.outcome("purchase"))[1],
    )


def fit_uplift(experiments: Experiments, judged: UpliftJudged) -> Uplift:
    """Fit to all experiments what has shown that it can be targeted by; else the average effect alone."""
    average = dict(zip(judged.effects["target"], judged.effects["effect"].astype("float64"), strict=True))
    without = _surface(experiments.known, experiments.outcome("purchase"), experiments.treated == 0, experiments.seed)
    if not judged.target:
        return Uplift("", average, dict.fromkeys(TARGETS, 0.0), 0.0, None, without, experiments.campaigns)
    effect = fit_effect(experiments, judged.target)
    at = experiments.judged
    slope = {name: slope_of(judged.scores[name][at], judged.order[at], experiments.within[at]) for name in TARGETS}
    centre = float(effect.value(experiments.known).mean())
    return Uplift(judged.target, average, slope, centre, effect, without, experiments.campaigns)


def fit_effect(experiments: Experiments, target: str) -> Effect:
    """The doubly robust learner (Kennedy, 2023): doubly robust scores, cross-fitted, regressed on what is known."""
    inner = experiments.some(np.ones(len(experiments), dtype="bool"), folds=INNER_FOLDS)
    scores = _less_campaign(robust_scores(inner, inner.held(target)), inner)
    return Effect(
        fit_ridge(inner.known, scores, penalty=RIDGE),
        fit_trees(inner.known, scores, settings=_EFFECT, rounds=_ROUNDS, seed=inner.seed),
    )


def robust_scores(experiments: Experiments, outcome: FloatArray) -> FloatArray:
    """A doubly robust score of each row; what is expected of it comes from customers of the other folds."""
    expected = _expected(experiments, outcome)
    share = experiments.rows["share"].to_numpy(dtype="float64")
    return doubly_robust(
        outcome, experiments.treated, share, expected_treated=expected[0], expected_held_out=expected[1]
    )


def slope_of(scores: FloatArray, order: FloatArray, within: npt.NDArray[np.int64]) -> float:
    """By how much effects grow with the order within groups, least squares; never below 0 (Chernozhukov et al., 2018:
    the best linear predictor of the effect)."""
    own = order - _mean_by(order, within)
    spread = float((own**2).sum())
    return max(float((own * scores).sum()) / spread, 0.0) if spread > 1e-12 else 0.0


def folds_of(customers: pd.Series[str], folds: int, *, seed: int) -> npt.NDArray[np.int64]:
    """A fold for each customer, drawn by lot, the same in all their rows."""
    names, number = np.unique(customers.to_numpy(dtype="str"), return_inverse=True)
    return np.asarray(np.random.default_rng(seed).permutation(len(names))[number] % folds, dtype="int64")


def _expected(experiments: Experiments, outcome: FloatArray) -> tuple[FloatArray, FloatArray]:
    """With and without a contact, learnt from the customers of the other folds: one surface for all, and what each
    arm of each experiment lies above it on average."""
    expected = np.zeros((2, len(experiments)))
    campaign = pd.factorize(experiments.rows["campaign_id"])[0]
    for fold in np.unique(experiments.fold):
        other = experiments.fold != fold
        if not other.any():
            continue
        surface = _surface(experiments.known, outcome, other, experiments.seed).value(experiments.known)
        for arm in (0, 1):
            above = _above(outcome - surface, other & (experiments.treated == arm), campaign)
            here = ~other
            expected[1 - arm, here] = (surface + above[campaign])[here]
    return expected[0], expected[1]


def _above(left: FloatArray, some: Bools, campaign: npt.NDArray[np.int64]) -> FloatArray:
    """The mean of what is left, by campaign; 0 where a campaign has none of these."""
    count = int(campaign.max(initial=-1)) + 1
    rows = np.bincount(campaign[some], minlength=count)
    sums = np.bincount(campaign[some], weights=left[some], minlength=count)
    return np.asarray(sums / np.maximum(rows, 1))


def _surface(known: pd.DataFrame, outcome: FloatArray, some: Bools, seed: int) -> Trees:
    return fit_trees(known[some], outcome[some], settings=_SURFACE, rounds=_SURFACE_ROUNDS, seed=seed)


def _apart(experiments: Experiments, target: str) -> Mapping[str, FloatArray]:
    """What each learner expects of the customers of a part, having learnt from the parts before it."""
    found: dict[str, FloatArray] = {name: np.zeros(len(experiments)) for name in LEARNERS}
    for fold in range(ONLY_LEARNT_FROM, FOLDS):
        here = experiments.fold == fold
        known = experiments.known[here]
        for name, value in _learnt(experiments.some(experiments.fold < fold), target):
            found[name][here] = value(known)
    return found


def _learnt(experiments: Experiments, target: str) -> Iterator[tuple[str, Values]]:
    """Every learner, fitted."""
    known, treated = experiments.known, experiments.treated == 1
    came = _less_campaign(experiments.held(target), experiments)
    seed = experiments.seed
    yield DR, fit_effect(experiments, target).value
    one, none = (_small(known[arm], came[arm], seed) for arm in (treated, ~treated))
    yield T, lambda rows: one.value(rows) - none.value(rows)
    yield S, _joint(known, came, treated, seed)
    yield X, _crossed(known, came, treated, one, none, seed)
    parts = ((treated, float(treated.mean())), (~treated, 1 - float(treated.mean())))
    arms = [fit_ridge(known[arm], came[arm], penalty=RIDGE * part) for arm, part in parts]
    yield LINEAR_T, lambda rows: arms[0].value(rows) - arms[1].value(rows)


def _small(known: pd.DataFrame, values: FloatArray, seed: int) -> Trees:
    return fit_trees(known, values, settings=_SMALL, rounds=_ROUNDS, seed=seed)


def _joint(known: pd.DataFrame, came: FloatArray, treated: Bools, seed: int) -> Values:
    """The S-learner: the contact is one column among the others."""
    both = known.assign(contacted=treated.astype("float64"))
    trees = fit_trees(both, came, settings=_SMALL, rounds=_JOINT_ROUNDS, seed=seed)
    return lambda rows: trees.value(rows.assign(contacted=1.0)) - trees.value(rows.assign(contacted=0.0))


def _crossed(known: pd.DataFrame, came: FloatArray, treated: Bools, one: Trees, none: Trees, seed: int) -> Values:
    """The X-learner (Künzel et al., 2019): what came less what the other arm lets expect, weighed by shares."""
    added = _small(known[treated], came[treated] - none.value(known[treated]), seed)
    missed = _small(known[~treated], one.value(known[~treated]) - came[~treated], seed)
    share = float(treated.mean())
    return lambda rows: share * missed.value(rows) + (1 - share) * added.value(rows)


def _answers_apart(contacted: Contacted, experiments: Experiments, *, ships: str, seed: int) -> FloatArray:
    """The chance of an answer, learnt from the contacts of customers of other folds."""
    found = np.zeros(len(experiments))
    fold_of = dict(zip(experiments.rows["customer_id"], experiments.fold, strict=True))
    fold = contacted.rows["customer_id"].map(fold_of).fillna(-1).to_numpy()
    for number in range(ONLY_LEARNT_FROM, FOLDS):
        rows = contacted.rows[fold != number].reset_index(drop=True)
        fit = fit_response(Contacted(rows, contacted.past, contacted.columns), ships=ships, seed=seed)
        here = experiments.fold == number
        found[here] = fit.order(experiments.rows[here], ships)
    return found


@dataclass(frozen=True)
class _Later:
    """Experiments that were judged by what was learnt from earlier ones. at: their rows; the rest of all rows."""

    experiments: Experiments
    at: Bools
    campaigns: tuple[str, ...]
    answers: FloatArray

    @property
    def within(self) -> npt.NDArray[np.int64]:
        return np.asarray(pd.factorize(self.experiments.rows["campaign_id"])[0], dtype="int64")

    def order(self, target: str) -> FloatArray:
        """What the doubly robust learner expects of them."""
        found = np.zeros(len(self.experiments))
        for campaign_id in self.campaigns:
            here, earlier = _before(self.experiments, campaign_id)
            found[here] = fit_effect(self.experiments.some(earlier), target).value(self.experiments.known[here])
        return found


def _later(contacted: Contacted, experiments: Experiments, *, ships: str, seed: int) -> _Later | None:
    """The newest experiments that had enough closed ones before them; None without one."""
    told = [name for name in experiments.campaigns if _before(experiments, name)[1].sum() >= FEWEST_ROWS]
    campaigns = tuple(told[-LATER_CAMPAIGNS:])
    if not campaigns:
        return None
    at = experiments.rows["campaign_id"].isin(campaigns).to_numpy()
    answers = np.zeros(len(experiments))
    for name in campaigns:
        here, _ = _before(experiments, name)
        day = int(experiments.rows.loc[here, "day"].iloc[0])
        fit = fit_response(closed_before(contacted, day), ships=ships, seed=seed)
        answers[here] = fit.order(experiments.rows[here], ships)
    return _Later(experiments, at, campaigns, answers)


def _before(experiments: Experiments, campaign_id: str) -> tuple[Bools, Bools]:
    """The rows of an experiment, and those of the ones that were closed when it began."""
    here = (experiments.rows["campaign_id"] == campaign_id).to_numpy()
    return here, (experiments.rows["ends"] <= experiments.rows.loc[here, "day"].iloc[0]).to_numpy()


def _judge(
    experiments: Experiments, scores: FloatArray, at: Bools, within: npt.NDArray[np.int64] | None = None
) -> Judge:
    """Of some rows; `within`: of all rows, what is ordered by itself."""
    groups = experiments.within if within is None else within
    customers = experiments.rows["customer_id"].to_numpy(dtype="str")
    return Judge(scores[at], customers[at], within=groups[at], seed=experiments.seed, draws=DRAWS)


def _told(
    target: str, judged_on: str, judge: Judge, experiments: Experiments, at: Bools, found: Mapping[str, FloatArray]
) -> list[tuple[object, ...]]:
    """found: the orders, of all rows."""
    orders = {name: order[at] for name, order in found.items()}
    table = judge.table(orders, over=ANSWERS)
    size = (int(at.sum()), int(experiments.rows.loc[at, "campaign_id"].nunique()))
    columns = [f"{what}{end}" for what in ("qini", "auuc", "gain") for end in ("", "_low", "_high")]
    return [
        (target, name, judged_on, *size, *(float(one) for one in told), False)
        for name, *told in table[["ranking", *columns]].itertuples(index=False)
    ]


def _targeted(table: pd.DataFrame) -> str:
    """The target whose order is most surely better than a random one, and not worse than that of the answers."""
    ours = table[(table["learner"] == DR) & (table["judged_on"] == APART)].set_index("target")
    good = ours[(ours["low"] > 0) & (ours["over_answers"] >= 0)]
    return str((good["qini"] / (good["high"] - good["low"])).idxmax()) if len(good) else ""


def _effects(experiments: Experiments, scores: Mapping[str, FloatArray]) -> pd.DataFrame:
    size = (len(experiments), len(experiments.campaigns))
    everybody = np.ones(len(experiments), dtype="bool")
    rows = [(target, *_judge(experiments, scores[target], everybody).ate(), *size) for target in scores]
    return pd.DataFrame(rows, columns=list(EFFECTS))


def _less_campaign(values: FloatArray, experiments: Experiments) -> FloatArray:
    """Without the mean of each experiment, so that what differs between them is not learnt as of customers."""
    return values - _mean_by(values, pd.factorize(experiments.rows["campaign_id"])[0])


def _mean_by(values: FloatArray, group: npt.NDArray[Any]) -> FloatArray:
    _, number, count = np.unique(group, return_inverse=True, return_counts=True)
    return np.asarray((np.bincount(number, weights=values) / count)[number])


__all__ = [
    "ANSWERS",
    "APART",
    "DR",
    "LATER",
    "LEARNERS",
    "TARGETS",
    "Experiments",
    "Uplift",
    "UpliftJudged",
    "fit_uplift",
    "judge_uplift",
]
