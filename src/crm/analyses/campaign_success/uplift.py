"""Whom does a contact change? Learnt from all closed experiments together, and judged on customers not learnt from.

What a contact changes in one customer is never seen, so that learning it is easily fooled: default-sized trees put
customers in no better order than chance, and the best of many learners is chosen by luck. So what may ship is named
before anything is looked at, and is three orders alone: a doubly robust learner (a strongly held regression of added
purchase days), who would answer, and both together (`money`). T-, S- and X-learner with small trees and a linear
T-learner are shown beside them.

That customers can be told apart is said only where the Qini interval of the order that is used, in added purchase
days, is above zero. Else there is nothing to target on: an order that is likely is used, much held back, and where
none is, everybody is expected to be changed by the average, which in money is spread by who would answer.

Customers are divided into parts by lot, and each part is judged by what was learnt from the parts before it (Wager,
2024). Where every part is judged by all others, two parts judge each other by the same chance pattern: the interval
is then too short by a factor of up to the square root of two, and false alarms are two to three times as many as it
says (measured here as well).

Assumptions. 1. The lot was fair within each experiment. 2. A contact changes nothing in anybody else. 3. Whom
contacts change is much the same in all experiments, though by how much on average may differ. 4. A contact changes
how often somebody buys, and not how much a purchase brings of them (`money.beyond` looks).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm.analyses.campaign_success.contacted import USUAL, Contacted
from crm.analyses.campaign_success.money import (
    ANSWERING,
    ANSWERS,
    BOTH,
    CHANGED,
    DR,
    NOT_BY_VALUE,
    RULES,
    Chosen,
    Part,
    beyond,
    choose,
    mean_by,
    money_apart,
    slope_of,
    spread_of,
    together,
)
from crm.analyses.campaign_success.response import (
    Linear,
    Response,
    Trees,
    closed_before,
    fit_response,
    fit_ridge,
    fit_trees,
)
from crm.measures.amounts import FloatArray
from crm.measures.uplift import Judge, doubly_robust

T, S, X, LINEAR_T = "T-learner", "S-learner", "X-learner", "Linear T-learner"
LEARNERS = (DR, T, S, X, LINEAR_T)
TARGETS = {"margin": "margin", "purchase": "bought", "orders": "purchase_days"}
"""What is asked of an effect, and the column that tells it."""
JUDGED = ("margin", "orders")
"""What orders are judged by: money (`money`) and purchase days."""

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
RIDGE = 20_000.0

_SMALL: dict[str, Any] = {
    "objective": "reg:squarederror", "max_depth": 2, "eta": 0.05, "subsample": 0.7, "colsample_bytree": 0.5,
    "lambda": 50.0, "min_child_weight": 30.0, "max_bin": 64,
    "nthread": 1,  # one thread adds up in one order: the same inputs give the same scores
}  # fmt: skip
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
        return np.clip(came, *np.quantile(came, [OUTLYING, 1 - OUTLYING])) if len(came) else came

    @cached_property
    def usual(self) -> FloatArray:
        """What a purchase day brings of each."""
        return self.rows[USUAL].to_numpy(dtype="float64")

    def some(self, at: Bools, *, folds: int = FOLDS) -> Experiments:
        """Some of the rows, in folds of their own."""
        rows = self.rows[at].reset_index(drop=True)
        return Experiments(rows, self.columns, folds_of(rows["customer_id"], folds, seed=self.seed + 1), self.seed)


@dataclass(frozen=True)
class Uplift:
    """The uplift part of a model: what a contact changes in each customer.

    rule:     by which customers are ordered: one of `RULES`; empty: no order is likely, and all have the average.
    average:  by target, the mean effect of a contact in all experiments; of margin, purchase days times what one
              usually brings, and `beyond`.
    slope:    by target, by how much the effect grows with the order, as found on customers not learnt from, held
              back by how unsure the order is.
    parts:    by signal of the order, its mean among those learnt from and its spread.
    beyond:   what a contact adds in money besides purchase days (`money.beyond`).
    effect:   the added purchase days, an order first of all.     answers: who would answer; None where not asked.
    without:  the chance of a purchase in the days of a campaign without a contact; None where it is not known.
    """

    rule: str
    average: Mapping[str, float]
    slope: Mapping[str, float]
    parts: Mapping[str, Part]
    beyond: float
    effect: Linear | None = field(repr=False)
    answers: Response | None = field(repr=False)
    without: Trees | None = field(repr=False)
    learnt_from: tuple[str, ...]

    def of(self, known: pd.DataFrame, target: str) -> FloatArray:
        """The expected effect of a contact on `purchase` (the chance of one), on `orders` (purchase days) or on
        `margin`: one entry per row."""
        if not self.rule:
            return self.average[target] * (self._spread(known) if target == "margin" else np.ones(len(known)))
        order = together(self._signals(known), self.parts)
        if target == "margin" and self.rule not in NOT_BY_VALUE:
            added = self.average["orders"] + self.slope["orders"] * order
            return np.asarray(added * known[USUAL].to_numpy(dtype="float64") + self.beyond)
        return self.average[target] + self.slope[target] * order

    def _spread(self, known: pd.DataFrame) -> FloatArray:
        """The chance of an answer over that of all, where the average is spread by it; a loss is not spread."""
        usual, _ = self.parts.get(ANSWERING, (0.0, 0.0))
        if self.answers is None or usual <= 0 or self.average["margin"] <= 0:
            return np.ones(len(known))
        return answering(self.answers, known) / usual

    def _signals(self, known: pd.DataFrame) -> Mapping[str, FloatArray]:
        signals = {}
        if self.effect is not None:
            signals[CHANGED] = self.effect.value(known)
        if self.answers is not None:
            signals[ANSWERING] = answering(self.answers, known)
        return signals

    def chance_without(self, known: pd.DataFrame) -> FloatArray:
        """Of a purchase in the days of a campaign, uncontacted; NaN where it is not known."""
        if self.without is None:
            return np.full(len(known), np.nan)
        return np.clip(self.without.value(known), 0.0, 1.0)

    def as_record(self) -> dict[str, Any]:
        """Plain numbers and words, fit for JSON; all but who would answer, which the model has."""
        return {
            "rule": self.rule,
            "average": dict(self.average),
            "slope": dict(self.slope),
            "parts": {name: list(part) for name, part in self.parts.items()},
            "beyond": self.beyond,
            "effect": self.effect and self.effect.as_record(),
            "without": self.without and self.without.as_record(),
            "learnt_from": list(self.learnt_from),
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any], answers: Response | None = None) -> Uplift:
        """What `as_record` wrote; answers: of the same model."""
        effect, without = record["effect"], record["without"]
        return cls(
            record["rule"],
            {name: float(one) for name, one in record["average"].items()},
            {name: float(one) for name, one in record["slope"].items()},
            {name: (float(centre), float(spread)) for name, (centre, spread) in record["parts"].items()},
            float(record["beyond"]),
            Linear.from_record(effect) if effect else None,
            answers if ANSWERING in record["parts"] else None,
            Trees.from_record(without) if without else None,
            tuple(record["learnt_from"]),
        )


@dataclass(frozen=True)
class UpliftJudged:
    """How every learner did with customers, and with campaigns, that it had not learnt from.

    table:   one row per target, learner and way of judging: `TABLE`. Qini with interval (0: a random order), in money
             for margin and in purchase days for orders; over_answers: by how much it is above that of who would
             answer. `ships` is true of what surely tells customers apart.
    effects: the average effect by target, with interval: `EFFECTS`; of margin, that of the margin itself.
    chosen:  by what customers are ordered, and whether it is sure.
    orders:  by rule, the order of each row of the experiments in added purchase days, learnt from the parts before;
             money: the same as expected money. Both of use for the rows of `Experiments.judged` alone.
    spreads: of the signals that rules order by.     beyond: `money.beyond`.
    scores:  per target the doubly robust score of each row; of margin, as `money` tells it.
    without: the chance of a purchase without contact.
    """

    table: pd.DataFrame = field(repr=False)
    effects: pd.DataFrame = field(repr=False)
    chosen: Chosen
    orders: Mapping[str, FloatArray] = field(repr=False)
    money: Mapping[str, FloatArray] = field(repr=False)
    spreads: Mapping[str, float] = field(repr=False)
    beyond: float
    scores: Mapping[str, FloatArray] = field(repr=False)
    without: FloatArray = field(repr=False)

    @property
    def target(self) -> str:
        """By what it was shown that customers can be targeted; empty: nothing to target on."""
        return "orders" if self.chosen.sure else ""

    @property
    def order(self) -> FloatArray:
        """Of what ships, in purchase days added; the same for everybody where there is nothing to target on."""
        return self.orders[self.chosen.rule] if self.target else np.zeros(len(self.without))

    @property
    def worth(self) -> FloatArray:
        """The same by the money it adds."""
        return self.money[self.chosen.rule] if self.target else np.zeros(len(self.without))

    def judge_of(self, experiments: Experiments, target: str) -> Judge:
        """For whoever asks more of the judged rows."""
        return _judge(experiments, self.scores[target], experiments.judged)


def judge_uplift(contacted: Contacted, experiments: Experiments, *, ships: str, seed: int) -> UpliftJudged:
    """Every learner on customers apart, and what may ship on later campaigns too.

    ships: of the candidates of the response, by which customers are ordered by who would answer.
    """
    at, within = experiments.judged, experiments.within
    raw = {target: robust_scores(experiments, experiments.outcome(target)) for target in TARGETS}
    worth = robust_scores(experiments, experiments.outcome("orders") * experiments.usual)
    more = beyond(raw["margin"], worth)
    scores = {**raw, "margin": worth + more}
    answers = _answers_apart(contacted, experiments, ships=ships, seed=seed)
    found = {ANSWERS: answers, **_apart(experiments)}
    signals = {CHANGED: found[DR], ANSWERING: answers}
    spreads = {name: spread_of(signal[at], within[at]) for name, signal in signals.items()}
    found[BOTH] = together({name: one - mean_by(one, within) for name, one in signals.items()}, _parts(spreads))
    money = {name: _money(experiments, name, order, scores["orders"]) for name, order in found.items()}
    judges = {target: _judge(experiments, scores[target], at) for target in JUDGED}
    rows = _told("margin", APART, judges["margin"], experiments, at, money)
    rows += _told("orders", APART, judges["orders"], experiments, at, found)
    rows += _told_later(contacted, experiments, scores["orders"], ships=ships, seed=seed)
    table = pd.DataFrame(rows, columns=list(TABLE))
    chosen = _chosen(table)
    named = chosen.rule if chosen.sure else ""
    shipped = (table["target"] == "orders") & (table["learner"] == named) & (table["judged_on"] == APART)
    return UpliftJudged(
        table=table.assign(ships=shipped),
        effects=_effects(experiments, raw),
        chosen=chosen,
        orders={name: found[name] for name in RULES},
        money={name: money[name] for name in RULES},
        spreads=spreads,
        beyond=more,
        scores=scores,
        without=_expected(experiments, experiments.outcome("purchase"))[1],
    )


def fit_uplift(experiments: Experiments, judged: UpliftJudged, answers: Response | None = None) -> Uplift:
    """Fit to all experiments the order that was chosen, held back by how unsure it is; else the average effect alone.

    answers: who would answer, for a rule that asks for it.
    """
    average = {name: float(scores.mean()) for name, scores in judged.scores.items()}
    average["margin"] = average["orders"] * float(experiments.usual.mean()) + judged.beyond
    without = _surface(experiments.known, experiments.outcome("purchase"), experiments.treated == 0, experiments.seed)
    rule, held_back = judged.chosen.rule, judged.chosen.held
    if not rule:
        who = answers if judged.chosen.spread else None
        chance = float(answering(who, experiments.known).mean()) if who else 0.0
        parts = {ANSWERING: (chance, 1.0)} if chance > 0 else {}
        nothing = dict.fromkeys(TARGETS, 0.0)
        return Uplift("", average, nothing, parts, judged.beyond, None, who, without, experiments.campaigns)
    at, asked, within = experiments.judged, RULES[rule], experiments.within[experiments.judged]
    order = judged.orders[rule][at]
    slope = {name: held_back * slope_of(judged.scores[name][at], order, within) for name in TARGETS}
    effect = fit_effect(experiments) if CHANGED in asked else None
    values = {CHANGED: effect.value(experiments.known)} if effect else {}
    if ANSWERING in asked and answers is not None:
        values[ANSWERING] = answering(answers, experiments.known)
    spreads = judged.spreads if len(asked) > 1 else dict.fromkeys(asked, 1.0)
    parts = {name: (float(value.mean()), spreads[name]) for name, value in values.items()}
    who = answers if ANSWERING in asked else None
    return Uplift(rule, average, slope, parts, judged.beyond, effect, who, without, experiments.campaigns)


def fit_effect(experiments: Experiments) -> Linear:
    """The doubly robust learner (Kennedy, 2023): doubly robust scores of purchase days, cross-fitted, regressed on
    what is known."""
    inner = experiments.some(np.ones(len(experiments), dtype="bool"), folds=INNER_FOLDS)
    scores = _less_campaign(robust_scores(inner, inner.held("orders")), inner)
    return fit_ridge(inner.known, scores, penalty=RIDGE)


def answering(response: Response, known: pd.DataFrame) -> FloatArray:
    """The chance of an answer, of no kind of campaign in particular; 0 where it is not known who answers."""
    return np.nan_to_num(response.chance(known, ""), nan=0.0)


def robust_scores(experiments: Experiments, outcome: FloatArray) -> FloatArray:
    """A doubly robust score of each row; what is expected of it comes from customers of the other folds."""
    expected = _expected(experiments, outcome)
    share = experiments.rows["share"].to_numpy(dtype="float64")
    return doubly_robust(
        outcome, experiments.treated, share, expected_treated=expected[0], expected_held_out=expected[1]
    )


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


def _parts(spreads: Mapping[str, float]) -> Mapping[str, Part]:
    """Of signals that are centred."""
    return {name: (0.0, spread) for name, spread in spreads.items()}


def _money(experiments: Experiments, name: str, order: FloatArray, added: FloatArray) -> FloatArray:
    """An order as expected money; `added`: the scores of purchase days."""
    if name in NOT_BY_VALUE:
        return order
    return money_apart(
        order,
        added,
        experiments.usual,
        fold=experiments.fold,
        within=experiments.within,
        at=experiments.judged,
    )


def _apart(experiments: Experiments) -> Mapping[str, FloatArray]:
    """What each learner expects of the customers of a part, having learnt from the parts before it."""
    found: dict[str, FloatArray] = {name: np.zeros(len(experiments)) for name in LEARNERS}
    for fold in range(ONLY_LEARNT_FROM, FOLDS):
        here = experiments.fold == fold
        known = experiments.known[here]
        for name, value in _learnt(experiments.some(experiments.fold < fold)):
            found[name][here] = value(known)
    return found


def _learnt(experiments: Experiments) -> Iterator[tuple[str, Values]]:
    """Every learner, fitted."""
    known, treated = experiments.known, experiments.treated == 1
    came = _less_campaign(experiments.held("orders"), experiments)
    seed = experiments.seed
    yield DR, fit_effect(experiments).value
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
        found[here] = answering(fit, experiments.rows[here])
    return found


def _told_later(
    contacted: Contacted, experiments: Experiments, scores: FloatArray, *, ships: str, seed: int
) -> list[tuple[object, ...]]:
    """What may ship, on the newest experiments, in purchase days; no row without any."""
    later = _later(contacted, experiments, ships=ships, seed=seed)
    if later is None:
        return []
    signals = {CHANGED: later.order, ANSWERING: later.answers}
    spreads = {name: spread_of(one[later.at], later.within[later.at]) for name, one in signals.items()}
    centred = {name: one - mean_by(one, later.within) for name, one in signals.items()}
    found = {ANSWERS: later.answers, DR: later.order, BOTH: together(centred, _parts(spreads))}
    judge = _judge(experiments, scores, later.at, later.within)
    return _told("orders", LATER, judge, experiments, later.at, found)


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

    @cached_property
    def order(self) -> FloatArray:
        """What the doubly robust learner expects of them."""
        found = np.zeros(len(self.experiments))
        for campaign_id in self.campaigns:
            here, earlier = _before(self.experiments, campaign_id)
            found[here] = fit_effect(self.experiments.some(earlier)).value(self.experiments.known[here])
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
        answers[here] = answering(fit, experiments.rows[here])
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


def _chosen(table: pd.DataFrame) -> Chosen:
    apart = table[table["judged_on"] == APART].set_index("learner")
    return choose(apart[apart["target"] == "orders"], apart[apart["target"] == "margin"])


def _effects(experiments: Experiments, scores: Mapping[str, FloatArray]) -> pd.DataFrame:
    size = (len(experiments), len(experiments.campaigns))
    everybody = np.ones(len(experiments), dtype="bool")
    rows = [(target, *_judge(experiments, scores[target], everybody).ate(), *size) for target in scores]
    return pd.DataFrame(rows, columns=list(EFFECTS))


def _less_campaign(values: FloatArray, experiments: Experiments) -> FloatArray:
    """Without the mean of each experiment, so that what differs between them is not learnt as of customers."""
    return values - mean_by(values, pd.factorize(experiments.rows["campaign_id"])[0])


__all__ = [
    "ANSWERS",
    "APART",
    "BOTH",
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
