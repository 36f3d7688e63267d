"""Which expectation served best on dates whose outcome is known?

On each judged date the blend uses weights, and the intervals a level, that were learnt from dates before it alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy import stats

from crm.analyses.lifetime_value.blend import BLEND, Weights, by_rule, choose_weights
from crm.analyses.lifetime_value.candidates import PURCHASE_MODELS, Expected
from crm.analyses.lifetime_value.chance import NOMINAL, Silence, covering_level, fit_silence
from crm.analyses.lifetime_value.foresight import Foresight
from crm.analyses.lifetime_value.learners import REGRESSION, TREES
from crm.analyses.lifetime_value.result import Judged
from crm.analyses.lifetime_value.rules import RULES
from crm.engine import to_pandas
from crm.facts import Facts
from crm.mart import open_mart
from crm.measures.amounts import all_measures, mean_absolute_error, normalised_gini
from crm.periods import day_number, happened_within, known_before
from crm.purchase_models.histories import FloatArray, IntArray

KINDS = {
    **dict.fromkeys(RULES, "rule"),
    **dict.fromkeys(PURCHASE_MODELS, "purchase model"),
    REGRESSION: "learner",
    TREES: "learner",
    BLEND: "blend",
}
BOOTSTRAPS = 200
AMOUNTS = ("purchases", "value")


@dataclass(frozen=True)
class Mixed:
    """A foresight with its blend: expected purchases and value, the level of intervals, the chance of silence."""

    seen: Foresight
    weights: dict[str, Weights]
    factors: dict[str, float]
    purchases: FloatArray = field(repr=False)
    value: FloatArray = field(repr=False)
    interval_level: float = NOMINAL
    silence: Silence = field(default_factory=Silence)


def mix(seen: Foresight, earlier: Sequence[Mixed], *, rule: str = "") -> Mixed:
    """The blend of one date, with what was learnt from the dates before it; or the rule of thumb of this name."""
    weights, mixed, factors = {}, {}, {}
    for what in AMOUNTS:
        table = _table(seen.expected, what)
        judged = [
            (_table(one.seen.expected, what), _came(one.seen, what), _season(one.seen, what)) for one in earlier
        ]
        season, counts = _season(seen, what), what == "purchases"
        weights[what] = by_rule(rule) if rule else choose_weights(judged, table, season=season, counts=counts)
        factors[what] = weights[what].level(table, season=season)
        mixed[what] = weights[what].mix(table) * factors[what]
    known = [
        (one.seen.quantiles, one.value, one.seen.came_value) for one in earlier if one.seen.quantiles is not None
    ]
    silent = [(one.seen.silence, one.purchases, one.seen.came_purchases) for one in earlier if len(one.seen.silence)]
    return Mixed(
        seen,
        weights,
        factors,
        purchases=mixed["purchases"],
        value=mixed["value"],
        interval_level=covering_level(known),
        silence=fit_silence(silent),
    )


def mix_all(seen: Sequence[Foresight]) -> list[Mixed]:
    """The blends of these dates, the oldest first, each with what the older ones taught."""
    mixed: list[Mixed] = []
    for one in sorted(seen, key=lambda one: one.date):
        mixed.append(mix(one, mixed))
    return mixed


def judge(mixed: Sequence[Mixed], facts: Facts, *, days: int, seed: int) -> Judged:
    """The tables of every candidate on every judged date, the blend marked as what ships."""
    table = pd.DataFrame([row for one in reversed(mixed) for row in _rows(one)], columns=_COLUMNS)
    measures = [column for column in table if "_" in str(column)]
    mean = table.groupby(["candidate", "kind", "shipped"], sort=False)[measures].mean().reset_index()
    gains = _against_best_rule(mixed, mean, seed=seed)
    return Judged(
        days=days,
        table=table,
        mean=mean,
        against_best_rule=gains,
        coverage=pd.DataFrame([_coverage(one, number) for number, one in enumerate(mixed)][::-1], columns=_COVERAGE),
        weekly=_weekly(mixed, facts),
    )


def typical_of(one: Mixed) -> tuple[FloatArray, FloatArray]:
    """The middle of the purchase days, and of the value, that may come of each customer."""
    assert one.seen.quantiles is not None
    nothing = one.silence.chance(one.seen.silence, one.purchases)
    return one.seen.quantiles.typical(one.purchases, one.value, nothing, one.seen.expected.typical)


def rule_to_ship(gains: pd.DataFrame, mean: pd.DataFrame) -> str:
    """The rule of thumb that stands where the blend beats it, beyond its interval, neither in order nor in error.

    gains: the table `against_best_rule`; mean: the measures by candidate. Empty where the blend is better, where the
    rule misses the total by more than the blend does, or where nothing could be judged.
    """
    if gains.empty or bool((gains["low"] > 0).any()):
        return ""
    rule = str(gains["rule"].iloc[0])
    off = np.log(mean.set_index("candidate")["value_total"]).abs()
    return rule if off[rule] <= off[BLEND] else ""


def drift(mixed: Sequence[Mixed]) -> tuple[float, int]:
    """How far totals were off: root mean square of the logarithm of came over expected, and of how many dates."""
    off = [np.log(came / one.value.sum()) for one in mixed if (came := one.seen.came_value.sum()) > 0]
    return (float(np.sqrt(np.mean(np.square(off)))), len(off)) if off else (float("nan"), 0)


_MEASURES = ("gini", "mae", "total", "deviance")
_COLUMNS = [
    "date", "candidate", "kind", "shipped", "customers",
    *(f"{what}_{measure}" for what in AMOUNTS for measure in _MEASURES),
    *(f"{what}_mae_typical" for what in AMOUNTS),
]  # fmt: skip
_COVERAGE = ["date", "nominal", "calibrated_on", "customers", "covered", "below", "above", "covered_top"]


def _rows(one: Mixed) -> list[dict[str, object]]:
    rows = []
    for candidate in one.seen.expected.purchases:
        pair = [one.seen.expected.purchases[candidate].to_numpy(), one.seen.expected.value[candidate].to_numpy()]
        rows.append(_row(one, str(candidate), pair))
    rows.append(_row(one, BLEND, [one.purchases, one.value]))
    if one.seen.quantiles is not None:
        for what, typical in zip(AMOUNTS, typical_of(one), strict=True):
            rows[-1][f"{what}_mae_typical"] = mean_absolute_error(_came(one.seen, what), typical)
    return rows


def _row(one: Mixed, candidate: str, expected: Sequence[FloatArray]) -> dict[str, object]:
    row: dict[str, object] = {
        "date": one.seen.date,
        "candidate": candidate,
        "kind": KINDS[candidate],
        "shipped": candidate == BLEND,
        "customers": len(one.value),
        **{f"{what}_mae_typical": float("nan") for what in AMOUNTS},
    }
    for what, amount in zip(AMOUNTS, expected, strict=True):
        found = all_measures(_came(one.seen, what), amount, counts=what == "purchases")
        row |= {f"{what}_{name}": number for name, number in found.items()}
    return row


def _against_best_rule(mixed: Sequence[Mixed], mean: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """The blend's mean gain over the best rule of thumb on all judged dates, by bootstrap over customers."""
    columns = ["measure", "rule", "gain", "low", "high", "customers", "dates"]
    rules = mean[mean["kind"] == "rule"]
    if rules.empty:
        return pd.DataFrame(columns=columns)
    rng = np.random.default_rng(seed)
    draws = [[rng.integers(0, len(one.value), len(one.value)) for one in mixed] for _ in range(BOOTSTRAPS)]
    counts = (sum(len(one.value) for one in mixed), len(mixed))
    rows = []
    for name, better, column in (("gini", max, "value_gini"), ("mae", min, "value_mae")):
        if rules[column].isna().all():
            continue
        ranked = rules.dropna(subset=[column])
        rule = str(better(zip(ranked[column], ranked["candidate"], strict=True))[1])
        gains = [_mean_gain(name, mixed, rule, at) for at in draws]
        low, high = np.nanquantile(gains, [0.025, 0.975])
        everybody = [np.arange(len(one.value)) for one in mixed]
        row = (name, rule, _mean_gain(name, mixed, rule, everybody), float(low), float(high), *counts)
        rows.append(dict(zip(columns, row, strict=True)))
    return pd.DataFrame(rows, columns=columns)


def _mean_gain(measure: str, mixed: Sequence[Mixed], rule: str, at: Sequence[IntArray]) -> float:
    """Over the dates where something was bought, for these customers of each date."""
    gains = [
        _gain(measure, one.seen.came_value[some], one.value[some], one.seen.expected.value[rule].to_numpy()[some])
        for one, some in zip(mixed, at, strict=True)
    ]
    return float(np.nanmean(gains)) if np.isfinite(gains).any() else float("nan")


def _gain(measure: str, came: FloatArray, ours: FloatArray, rule: FloatArray) -> float:
    """Positive where the blend is better."""
    if measure == "gini":
        return normalised_gini(came, ours) - normalised_gini(came, rule)
    return mean_absolute_error(came, rule) - mean_absolute_error(came, ours)


def _coverage(one: Mixed, learnt_from: int) -> dict[str, object]:
    row: dict[str, object] = {"date": one.seen.date, "nominal": NOMINAL, "calibrated_on": learnt_from}
    row |= {"customers": len(one.value), **dict.fromkeys(_COVERAGE[4:], float("nan"))}
    if one.seen.quantiles is not None:
        low, _, high = one.seen.quantiles.at(one.interval_level, one.value)
        came = one.seen.came_value
        below, above = float((came < low).mean()), float((came > high).mean())
        top = _bring_half(one.value)
        held = float(((came >= low) & (came <= high))[top].mean())
        row |= {"covered": 1 - below - above, "below": below, "above": above, "covered_top": held}
    return row


def _bring_half(value: FloatArray) -> IntArray:
    """The fewest customers expected to bring half of the value."""
    order = np.argsort(-value, kind="stable")
    return order[: int(np.searchsorted(np.cumsum(value[order]), value.sum() / 2)) + 1]


def judge_by_rule(mixed: Sequence[Mixed], judged: Judged, facts: Facts, rule: str) -> tuple[list[Mixed], Judged]:
    """The judged dates as the rule of thumb saw them, which ships: its totals, its weeks, and no intervals."""
    by_it = [mix(one.seen, (), rule=rule) for one in mixed]
    coverage = judged.coverage.assign(**dict.fromkeys(_COVERAGE[4:], float("nan")))
    table, mean = (one.assign(shipped=one["candidate"] == rule) for one in (judged.table, judged.mean))
    return by_it, replace(judged, table=table, mean=mean, coverage=coverage, weekly=_weekly(by_it, facts))


def _weekly(mixed: Sequence[Mixed], facts: Facts) -> pd.DataFrame:
    """Cumulative net sales of the newest judged date's customers by week, came and expected with its band."""
    if not mixed:
        return pd.DataFrame(columns=["week", "days", "actual", "expected", "low", "high"])
    newest = mixed[-1]
    seen = newest.seen
    came = _cumulative(facts, seen.date, seen.weeks["days"].to_list(), within=seen.days)
    expected = float(newest.value.sum()) * seen.weeks["share"].to_numpy()
    off, dates = drift(mixed[:-1])
    chance = seen.quantiles.total_spread if seen.quantiles else 0.0
    spread = max(off, chance) if dates else np.nan
    wide = np.exp(spread * stats.t.ppf((1 + NOMINAL) / 2, dates)) if dates else np.nan
    return pd.DataFrame(
        {
            "week": np.arange(1, len(came) + 1),
            "days": seen.weeks["days"].to_numpy(),
            "actual": came,
            "expected": expected,
            "low": expected / wide,
            "high": expected * wide,
        }
    )


def _cumulative(facts: Facts, date: dt.date, ends: Sequence[int], *, within: int) -> list[float]:
    days = open_mart(facts)["customer_days"]
    known = known_before(days, date).select("customer_id").unique()
    sold = to_pandas(
        happened_within(days, date, within).join(known, on="customer_id", how="inner").select("day", "net_sales")
    )
    after = sold["day"] - day_number(date)
    return [float(sold.loc[after < end, "net_sales"].sum()) for end in ends]


def _table(expected: Expected, what: str) -> pd.DataFrame:
    return expected.purchases if what == "purchases" else expected.value


def _season(seen: Foresight, what: str) -> float | None:
    return None if seen.season is None else seen.season.of(what)


def _came(seen: Foresight, what: str) -> FloatArray:
    return seen.came_purchases if what == "purchases" else seen.came_value
