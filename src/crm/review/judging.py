"""One judge: champion and challenger on the same customers of the same dates.

On each date a model stands as it would have then: itself where it was fitted before, otherwise its twin, the same
recipe fitted to what was known on that date. So nobody is judged on an outcome that was seen in fitting. That the
challenger is itself what this recipe gives is seen from today's scores.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from crm.config import Review
from crm.errors import CrmError, NotEnoughData
from crm.facts import Facts
from crm.measures.amounts import FloatArray
from crm.measures.chances import calibration_table
from crm.measures.resampling import Pair, gains
from crm.measures.stability import score_stability
from crm.review.drift import UNKNOWN, Drift, asks_for_scores, drift_of
from crm.review.measured import YARDSTICKS, Yardstick, highest_order
from crm.review.reviewable import Kind, Reviewable, population_of
from crm.review.verdict import Gate, Verdict
from crm.tracking.registry import legible

CHAMPION, CHALLENGER = "champion", "challenger"
FEWEST_IN_GROUP = 50
SAME_ORDER = 0.95
"""Rank correlation from which on a model is what its recipe gives: another machine may round otherwise."""

TOP = 0.1
AMOUNT_BINS = 10


@dataclass(frozen=True)
class Candidate:
    """A version that is judged: its number, and its model as the analysis wrote it down."""

    version: str
    record: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Seen:
    """One date: who was there, what came, and what each of the two expected of them, and how it stood."""

    date: dt.date
    rows: pd.DataFrame = field(repr=False)
    actual: FloatArray = field(repr=False)
    expected: Mapping[str, FloatArray] = field(repr=False)
    stood: Mapping[str, str]


def judge(
    reviewable: Reviewable,
    facts: Facts,
    as_of: dt.date,
    *,
    champion: Candidate,
    challenger: Candidate,
    settings: Review,
    seed: int,
    key: str = "",
) -> Verdict:
    """Hold the challenger against the champion, by the thresholds of `[review]`.

    Raises CrmError where a model gives no number for a customer, or one too many or too few.
    """
    models, today = {}, {}
    for who, one in ((CHAMPION, champion), (CHALLENGER, challenger)):
        with legible(f"version {one.version} of {reviewable.name}"):
            models[who] = reviewable.load(one.record)
            today[who] = _score(reviewable, models[who], facts, as_of, None)
    with legible(f"version {challenger.version} of {reviewable.name}"):
        drift = _drift(reviewable, facts, as_of, challenger.record, settings, scores=today[CHALLENGER])
    seen, notes = _look(reviewable, facts, as_of, models)
    unknown = () if drift.known else (f"Drift: {UNKNOWN}.",)
    judgement = _Judgement(reviewable.kind, seen, settings, seed)
    recipe, why = _recipe(reviewable, models[CHALLENGER], facts, as_of, scores=today[CHALLENGER])
    gates = (*judgement.gates(), recipe, *_today(today, settings), _features(drift, settings))
    verdict = Verdict(
        reviewable.name,
        as_of,
        champion.version,
        challenger.version,
        key,
        gates=gates,
        refused=judgement.refused,
        unjudged=judgement.unjudged,
        by_date=judgement.by_date,
        by_group=judgement.by_group,
        calibration=judgement.calibration,
        features=drift.features,
        notes=(*notes, *why, *_said(seen), *unknown),
    )
    if verdict.unjudged or verdict.failing or not verdict.unknown:
        return verdict
    return replace(verdict, unjudged=f"What it must show is not known: {'; '.join(verdict.unknown)}.")


def _look(
    reviewable: Reviewable, facts: Facts, as_of: dt.date, models: Mapping[str, Any]
) -> tuple[list[Seen], list[str]]:
    """The dates on which both can stand, the oldest first, and why others are left out."""
    seen, notes = [], []
    for date in sorted(reviewable.dates(facts, as_of)):
        rows = reviewable.rows(facts, date).reset_index(drop=True)
        try:
            stands = {who: _standing(reviewable, model, facts, date) for who, model in models.items()}
        except NotEnoughData as error:
            notes.append(f"{date} is left out: {error.rule} Found: {error.found}.")
            continue
        expected = {who: _score(reviewable, model, facts, date, len(rows)) for who, (model, _) in stands.items()}
        actual = rows["outcome"].to_numpy(dtype="float64")
        seen.append(Seen(date, rows, actual, expected, {who: how for who, (_, how) in stands.items()}))
    return seen, notes


def _standing(reviewable: Reviewable, model: Any, facts: Facts, date: dt.date) -> tuple[Any, str]:
    if reviewable.fitted_through(model) <= date:
        return model, "itself"
    return reviewable.twin(model, facts, date), "its twin"


def _score(reviewable: Reviewable, model: Any, facts: Facts, date: dt.date, rows: int | None) -> FloatArray:
    scores = np.asarray(reviewable.score(model, facts, date), dtype="float64")
    wrong = int((~np.isfinite(scores)).sum())
    if wrong or (rows is not None and len(scores) != rows):
        raise CrmError(
            f"A model of {reviewable.name} must give every customer one number.",
            found=f"on {date} {len(scores):,} numbers for {len(scores) if rows is None else rows:,} customers, "
            f"{wrong:,} of them empty or without bounds",
            do="Look at its columns in MLflow; it cannot be judged, and should not score.",
        )
    return scores


def _recipe(
    reviewable: Reviewable, model: Any, facts: Facts, as_of: dt.date, *, scores: FloatArray
) -> tuple[Gate, tuple[str, ...]]:
    """Is the challenger itself, which is mostly younger than every judged date, what its recipe gives?

    With the gate comes a note where that cannot be found out.
    """
    must = "It is what its recipe gives: today's order is that of its twin of the same date (rank correlation)"
    date = reviewable.fitted_through(model)
    try:
        twin = _score(reviewable, reviewable.twin(model, facts, date), facts, as_of, len(scores))
    except NotEnoughData as error:
        note = f"No twin could be fitted as of {date}: {error.rule} Found: {error.found}."
        return Gate(must, math.nan, None, SAME_ORDER), (note,)
    alike = _rank_correlation(scores, twin)
    return Gate(must, alike, None if math.isnan(alike) else alike >= SAME_ORDER, SAME_ORDER), ()


def _rank_correlation(ours: FloatArray, theirs: FloatArray) -> float:
    """Spearman's; 0 where one of the two gives everybody the same, NaN where both do or there is nobody."""
    flat = [len(np.unique(one)) < 2 for one in (ours, theirs)]
    if any(flat):
        return math.nan if all(flat) else 0.0
    first, second = (pd.Series(one).rank().to_numpy() for one in (ours, theirs))
    return float(np.corrcoef(first, second)[0, 1])


def _said(seen: Sequence[Seen]) -> Iterator[str]:
    """What the reader of the table by date has to know."""
    stood = {how for one in seen for how in one.stood.values()}
    if "its twin" in stood:
        yield (
            "Its twin: a model that was fitted after a date stands there as the same recipe, in today's code, fitted "
            "to what was known on that date."
        )
    if seen and all(np.array_equal(one.expected[CHAMPION], one.expected[CHALLENGER]) for one in seen):
        yield (
            "On every judged date both gave the same scores: the recipe is the same, and the dates on which these "
            "two fits differ have no outcome yet. There can be no gain; look at how much today's scores change."
        )
    elif seen and stood == {"its twin"}:
        yield (
            "Both were fitted after every judged date, so that recipes are compared and not these two fits: where "
            "the recipe did not change there is nothing to gain."
        )


@dataclass(frozen=True)
class _Judgement:
    """Everything that is found out on the dates that lie back."""

    kind: Kind
    seen: Sequence[Seen]
    settings: Review
    seed: int

    @property
    def _yardstick(self) -> Yardstick:
        return YARDSTICKS[self.kind]

    @property
    def unjudged(self) -> str:
        """Why nothing can be said; empty where it can."""
        if not self.seen:
            return "There is no date yet whose outcome is known and on which both can stand."
        if math.isnan(self._found(self._yardstick.order[0])["gain"]):
            return "What came was the same for everybody on every date, so that no order is better than another."
        return ""

    @property
    def refused(self) -> str:
        """Why the challenger is refused outright; empty where it is not."""
        if self._is_constant:
            return "The challenger says the same of everybody (a constant score)"
        if self._highest > self.settings.too_good_to_be_true:
            name = self._yardstick.order[0]
            return (
                f"Too good to be true: {name} {self._highest:.3f} on one date, above "
                f"{self.settings.too_good_to_be_true:g}; the outcome has leaked into what the challenger reads"
            )
        return ""

    def gates(self) -> Iterator[Gate]:
        """In the order in which a reviewer reads them."""
        review, (order, _), (second, _), (calibration, _) = (
            self.settings,
            self._yardstick.order,
            self._yardstick.second,
            self._yardstick.calibration,
        )
        limit, highest = review.too_good_to_be_true, self._highest
        known = None if math.isnan(highest) else highest <= limit
        yield Gate(f"Its {order} is not too good to be true", highest, known, limit)
        differ = None if math.isnan(self._different) else not self._is_constant
        yield Gate("Customers get different scores (scores per customer)", self._different, differ)
        must_gain = review.challenger_must == "gain"
        says = "better, beyond its interval" if must_gain else "not worse beyond its interval"
        yield _gain_gate(f"{order}: {says}", self._found(order), must_gain=must_gain)
        yield _gain_gate(f"{_capital(second)}: not worse beyond its interval", self._found(second), must_gain=False)
        yield _loss_gate(
            f"{_capital(calibration)}: not larger", self._found(calibration), review.most_calibration_loss
        )
        yield self._worst_group(f"No group of {FEWEST_IN_GROUP} is put in much worse order", review.most_group_loss)

    @property
    def by_date(self) -> pd.DataFrame:
        """One row per date and model, the newest first."""
        rows = [
            {"date": one.date.isoformat(), "customers": len(one.actual), "model": who, "stood_as": one.stood[who]}
            | {name: measure(one.actual, one.expected[who]) for name, measure in self._yardstick.shown.items()}
            for one in reversed(self.seen)
            for who in (CHAMPION, CHALLENGER)
        ]
        return pd.DataFrame(rows)

    @cached_property
    def _gains(self) -> pd.DataFrame:
        return gains(self._pairs(), self._yardstick.paired, seed=self.seed)

    @cached_property
    def by_group(self) -> pd.DataFrame:
        """One row per group, the one that loses most first."""
        if not self.seen:
            return pd.DataFrame()
        everybody = pd.concat([one.rows[["customer_id", "group"]] for one in self.seen])
        sizes = everybody.groupby("group")["customer_id"].nunique()
        order = dict([self._yardstick.order])
        parts = [
            gains(self._pairs(str(group)), order, seed=self.seed).assign(group=str(group), customers=int(customers))
            for group, customers in sizes.items()
            if group and customers >= FEWEST_IN_GROUP
        ]
        if not parts:
            return pd.DataFrame()
        table = pd.concat(parts, ignore_index=True).rename(columns={"ours": CHALLENGER, "theirs": CHAMPION})
        columns = ["group", "customers", "measure", CHAMPION, CHALLENGER, "gain", "low", "high"]
        return table.dropna(subset=["gain"]).sort_values("gain", kind="stable", ignore_index=True)[columns]

    @property
    def calibration(self) -> pd.DataFrame:
        """One row per model and bin, all dates together."""
        parts = [
            _calibration(self.kind, _all(self.seen, None), _all(self.seen, who)).assign(model=who)
            for who in (CHAMPION, CHALLENGER)
            if self.seen
        ]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    @property
    def _is_constant(self) -> bool:
        """On any date; one customer alone is no evidence."""
        return any(len(np.unique(scores)) == 1 for scores in self._scores)

    @property
    def _different(self) -> float:
        """Different scores over customers, on the date where there are fewest."""
        return min((len(np.unique(scores)) / len(scores) for scores in self._scores), default=math.nan)

    @property
    def _scores(self) -> list[FloatArray]:
        return [one.expected[CHALLENGER] for one in self.seen if len(one.actual) > 1]

    @property
    def _highest(self) -> float:
        found = [highest_order(self.kind, one.actual, one.expected[CHALLENGER]) for one in self.seen]
        known = [value for value in found if not math.isnan(value)]
        return max(known) if known else math.nan

    def _found(self, measure: str) -> dict[str, float]:
        row = self._gains[self._gains["measure"] == measure].iloc[0]
        return {name: float(row[name]) for name in ("gain", "low", "high")}

    def _pairs(self, group: str | None = None) -> list[Pair]:
        ids = pd.concat([one.rows["customer_id"] for one in self.seen]) if self.seen else pd.Series(dtype="str")
        codes, start, pairs = pd.factorize(ids)[0].astype("int64"), 0, []
        for one in self.seen:
            own = codes[start : start + len(one.rows)]
            start += len(one.rows)
            some = np.ones(len(own), dtype=bool) if group is None else (one.rows["group"] == group).to_numpy()
            sides = (one.actual[some], one.expected[CHALLENGER][some], one.expected[CHAMPION][some])
            pairs.append(Pair(own[some], *sides))
        return pairs

    def _worst_group(self, must: str, limit: float) -> Gate:
        """The group that loses most, of those that lose beyond chance where there are any."""
        if self.by_group.empty:
            return Gate(must, math.nan, None, limit)
        shown_worse = self.by_group.query("high < 0")
        table = shown_worse if len(shown_worse) else self.by_group
        found = {name: float(table[name].to_numpy()[0]) for name in ("gain", "low", "high")}
        return _loss_gate(must, found, limit)


def _gain_gate(must: str, found: Mapping[str, float], *, must_gain: bool) -> Gate:
    known = not math.isnan(found["low"])
    passed = (found["low"] > 0 if must_gain else found["high"] >= 0) if known else None
    return Gate(must, found["gain"], passed, 0.0 if must_gain else math.nan, found["low"], found["high"])


def _loss_gate(must: str, found: Mapping[str, float], limit: float) -> Gate:
    """A loss counts where it is above the limit and beyond chance."""
    loss, low, high = (0.0 - found[name] for name in ("gain", "high", "low"))
    passed = None if math.isnan(loss) else not (loss > limit and not low <= 0)
    return Gate(must, loss, passed, limit, low, high)


def _today(scores: Mapping[str, FloatArray], settings: Review) -> Iterator[Gate]:
    """How much the scores of today's customers would change."""
    psi = score_stability(scores[CHAMPION], scores[CHALLENGER])
    known = None if math.isnan(psi) else psi <= settings.most_score_psi
    yield Gate("Today's scores are spread as the champion's (stability index)", psi, known, settings.most_score_psi)
    changed = _top_changed(scores[CHAMPION], scores[CHALLENGER])
    yield Gate("Share of today's top tenth that changes", changed, None, decides=False)


def _features(drift: Drift, settings: Review) -> Gate:
    share, limit = drift.share_moved, settings.most_features_moved
    known = None if math.isnan(share) else share <= limit
    return Gate("Share of its columns that moved since it was fitted", share, known, limit)


def _drift(
    reviewable: Reviewable,
    facts: Facts,
    as_of: dt.date,
    record: Mapping[str, Any],
    settings: Review,
    *,
    scores: FloatArray,
) -> Drift:
    customers = population_of(reviewable, facts, as_of) if record.get("population") else pd.DataFrame()
    return drift_of(record, customers, settings, scores=scores if asks_for_scores(record) else None)


def _top_changed(before: FloatArray, after: FloatArray) -> float:
    """Of those in the champion's top tenth, the share that is not in the challenger's; ties by their place."""
    count = round(TOP * len(before))
    if not count or len(before) != len(after):
        return math.nan
    first, second = (set(np.argsort(-one, kind="stable")[:count].tolist()) for one in (before, after))
    return 1 - len(first & second) / count


def _all(seen: Sequence[Seen], who: str | None) -> FloatArray:
    return np.concatenate([one.actual if who is None else one.expected[who] for one in seen])


def _calibration(kind: Kind, actual: FloatArray, expected: FloatArray) -> pd.DataFrame:
    if kind == "chance":
        return calibration_table(actual, expected)
    order = np.argsort(expected, kind="stable")
    parts = [part for part in np.array_split(order, AMOUNT_BINS) if len(part)]
    return pd.DataFrame(
        [
            {"bin": number, "customers": len(part), "expected": expected[part].mean(), "came": actual[part].mean()}
            for number, part in enumerate(parts, start=1)
        ]
    )


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
