"""How should the next campaign be drawn, so that it can be said afterwards what it caused?

An audience is split by lot: `held_out_share` of it is left alone, the others are contacted. What the contacted bring
more on average is the effect; it is read as a difference of two means. With n contacted, m held out and the standard
deviation s of what one customer brings,

    standard error = s * sqrt(1 / n + 1 / m)
    power          = P(|z + effect / standard error| > z of the level)        z standard normal

the chance that the interval excludes zero. Assumptions: customers do not influence each other; the spread is alike in
both parts; there are enough customers for a mean to be normal (hundreds, with amounts as skewed as purchases).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
import pandas as pd

from crm.analyses.campaign_success.windows import FloatArray, customer_windows
from crm.facts import Facts
from crm.periods import day_number

POWER, LEVEL = 0.8, 0.05
HELD_OUT_SHARE = 0.2
HELD_OUT_SHARES = (0.05, 0.10, 0.20, 0.30, 0.50)
AUDIENCES = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Audiences of the power curve, as shares of those there are."""

USUAL_GAIN = 0.10
"""What is planned for where no campaign has shown an effect: so much of the usual margin."""

CAMPAIGN_DAYS = 28
MOST = 10**9
"""An audience larger than this is none."""

SHOWN, LOWER = "effect shown so far", "lower end of its interval"
BREAK_EVEN, TENTH = "break-even", "10 % of the usual margin"

_NORMAL = NormalDist()

CURVE = ("audience", "contacted", "held_out", "planned_for", "effect", "power", "smallest_effect")
CHOICES = (
    "held_out_share", "held_out", "contacted", "power", "smallest_effect", "forgone", "forgone_low", "forgone_high",
)  # fmt: skip
PROFIT = (
    "contacted", "margin", "margin_low", "margin_high", "cost", "profit", "profit_low", "profit_high",
    "chance_of_profit",
)  # fmt: skip
AUDIENCE = ("planned_for", "effect", "smallest_audience", "smallest_audience_adjusted", "power", "power_adjusted")


def power_of(audience: float, effect: float, sd: float, held_out_share: float, *, level: float = LEVEL) -> float:
    """The chance that an experiment of so many customers shows this effect; NaN where it cannot be said."""
    return _power(effect, _error(audience, sd, sd, held_out_share), level)


def smallest_effect(
    audience: float, sd: float, held_out_share: float, *, power: float = POWER, level: float = LEVEL
) -> float:
    """The smallest effect that so many customers would show with this power; NaN where it cannot be said."""
    return _shown(power, level) * _error(audience, sd, sd, held_out_share)


def smallest_audience(
    effect: float, sd: float, held_out_share: float, power: float = POWER, level: float = LEVEL
) -> float:
    """The fewest customers, contacted and held out together, that show this effect with this power.

    Infinite where no audience would (an effect of 0, or nobody in one of the arms), NaN where effect or spread is not
    known.
    """
    return _fewest(lambda audience: power_of(audience, effect, sd, held_out_share, level=level), effect, sd, power)


def power_of_shares(
    audience: float, usual: float, effect: float, held_out_share: float, *, level: float = LEVEL
) -> float:
    """As `power_of`, of a share: `usual` of the held out buy (or answer), `usual + effect` of the contacted."""
    treated, held_out = _sd_of_share(usual + effect), _sd_of_share(usual)
    return _power(effect, _error(audience, treated, held_out, held_out_share), level)


def smallest_audience_of_shares(
    usual: float, effect: float, held_out_share: float, power: float = POWER, level: float = LEVEL
) -> float:
    """As `smallest_audience`, of a share."""

    def of(audience: float) -> float:
        return power_of_shares(audience, usual, effect, held_out_share, level=level)

    return _fewest(of, effect, _sd_of_share(usual) + _sd_of_share(usual + effect), power)


def smallest_effect_of_shares(
    audience: float, usual: float, held_out_share: float, *, power: float = POWER, level: float = LEVEL
) -> float:
    """The smallest gain in a share that so many customers would show; NaN where none would be."""
    low, high = 0.0, 1.0 - usual
    if not power_of_shares(audience, usual, high, held_out_share, level=level) >= power:
        return math.nan
    return _where(lambda gain: power_of_shares(audience, usual, gain, held_out_share, level=level), power, low, high)


def _sd_of_share(share: float) -> float:
    return math.sqrt(share * (1 - share)) if 0 <= share <= 1 else math.nan


def _error(audience: float, sd_treated: float, sd_held_out: float, held_out_share: float) -> float:
    """The standard error of the difference; infinite where an arm has nobody."""
    treated, held_out = audience * (1 - held_out_share), audience * held_out_share
    if not (treated > 0 and held_out > 0):
        return math.nan if math.isnan(audience) else math.inf
    return math.sqrt(sd_treated**2 / treated + sd_held_out**2 / held_out)


def _power(effect: float, error: float, level: float) -> float:
    if math.isnan(effect) or math.isnan(error):
        return math.nan
    if math.isinf(error) or not error:
        return 0.0 if math.isinf(error) else float(effect != 0)
    z, off = _NORMAL.inv_cdf(1 - level / 2), abs(effect) / error
    return _NORMAL.cdf(off - z) + _NORMAL.cdf(-off - z)


def _shown(power: float, level: float) -> float:
    """The effect in standard errors that has this power."""
    return _where(lambda off: _power(off, 1.0, level), power, 0.0, 40.0)


def _fewest(power_at: Callable[[float], float], effect: float, sd: float, power: float) -> float:
    if math.isnan(effect) or math.isnan(sd):
        return math.nan
    if not power_at(MOST) >= power:
        return math.inf
    return float(max(math.ceil(_where(power_at, power, 0.0, float(MOST)) - 1e-6), 2))


def _where(rising: Callable[[float], float], wanted: float, low: float, high: float) -> float:
    """Where a rising function reaches a value: halved until the last digit."""
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (low, middle) if rising(middle) >= wanted else (middle, high)
    return high


def power_curve(
    effects: Mapping[str, float],
    audiences: Sequence[float],
    *,
    sd: float,
    held_out_share: float,
    power: float = POWER,
    level: float = LEVEL,
) -> pd.DataFrame:
    """`CURVE`: one row per effect (by what it is called) and audience. smallest_effect: at `power`."""
    rows = [
        (
            *_arms(audience, held_out_share),
            name,
            effect,
            power_of(audience, effect, sd, held_out_share, level=level),
            smallest_effect(audience, sd, held_out_share, power=power, level=level),
        )
        for name, effect in effects.items()
        for audience in audiences
    ]
    return pd.DataFrame(rows, columns=list(CURVE))


def hold_out_choices(
    audience: int,
    effect: float,
    *,
    sd: float,
    cost: float,
    low: float = math.nan,
    high: float = math.nan,
    shares: Sequence[float] = HELD_OUT_SHARES,
    power: float = POWER,
    level: float = LEVEL,
) -> pd.DataFrame:
    """`CHOICES`: what holding out more shows, and what it costs. One row per share.

    forgone: the profit that those left alone would have brought, (effect - cost) times held_out, with the interval of
    the effect; below zero, leaving them alone saves money.
    """
    rows = []
    for share in shares:
        _, contacted, held_out = _arms(audience, share)
        forgone = [held_out * (one - cost) for one in (effect, low, high)]
        shown = power_of(audience, effect, sd, share, level=level)
        smallest = smallest_effect(audience, sd, share, power=power, level=level)
        rows.append((share, held_out, contacted, shown, smallest, *forgone))
    return pd.DataFrame(rows, columns=list(CHOICES))


def expected_profit(
    audience: int, effect: float, low: float, high: float, *, cost: float, held_out_share: float = 0.0
) -> pd.DataFrame:
    """`PROFIT`: what contacting the audience (without those held out) would bring; one row.

    low, high: 95 % interval of the effect. chance_of_profit: that the effect is larger than the cost, if its error is
    normal; NaN without an interval. The effect is taken to be the same the next time: that is an assumption.
    """
    _, contacted, _ = _arms(audience, held_out_share)
    margin = [contacted * one for one in (effect, low, high)]
    spent = contacted * cost
    row = (contacted, *margin, spent, *(one - spent for one in margin), _chance_above(cost, effect, low, high))
    return pd.DataFrame([row], columns=list(PROFIT))


def _chance_above(cost: float, effect: float, low: float, high: float) -> float:
    error = (high - low) / (2 * _NORMAL.inv_cdf(0.975))
    if math.isnan(error) or math.isnan(cost) or math.isnan(effect):
        return math.nan
    return float(effect > cost) if error <= 0 else _NORMAL.cdf((effect - cost) / error)


def _arms(audience: float, held_out_share: float) -> tuple[int, int, int]:
    """Everybody, the contacted and the held out; none where the audience is not known."""
    everybody = 0 if math.isnan(audience) else round(audience)
    held_out = round(everybody * held_out_share)
    return everybody, everybody - held_out, held_out


@dataclass(frozen=True)
class Usual:
    """What the customers who may be contacted bring without anything new, over as many days as a campaign lasts.

    customers: bought within the active days, or those asked for. margin: of each, on average; sd: its standard
    deviation; sd_adjusted: what is left of it when each is compared with their own window before.
    """

    days: int
    customers: int
    margin: float
    sd: float
    sd_adjusted: float


@dataclass(frozen=True)
class Plan:
    """The next experiment.

    planned_for: what the effect in the tables is; the first of `audiences`.
    effect, low, high: margin per contacted customer; low and high NaN where no campaign has shown it.
    sd, sd_adjusted: of one customer's margin, plain and after adjusting for what was known before.
    audiences: `AUDIENCE`, one row per effect that may be planned for, power for the audience there is.
    curve:     `CURVE`, with the adjusted spread where it is known.
    choices:   `CHOICES`, of the first effect; nothing is said of what is forgone where that was never shown.
    profit:    `PROFIT`, of the first effect; empty where that was never shown: it is then no forecast.
    enough:    the audience there is shows the first effect with the wanted power.
    said:      what was planned for, and why; what could not be.
    """

    as_of: dt.date
    planned_for: str
    effect: float
    low: float
    high: float
    sd: float
    sd_adjusted: float
    cost: float
    audience_available: int
    held_out_share: float
    power: float
    usual: Usual
    audiences: pd.DataFrame = field(repr=False)
    curve: pd.DataFrame = field(repr=False)
    choices: pd.DataFrame = field(repr=False)
    profit: pd.DataFrame = field(repr=False)
    enough: bool
    said: tuple[str, ...]


def plan_next(
    facts: Facts,
    as_of: dt.date,
    *,
    effect: tuple[float, float, float] | None = None,
    sd: float = math.nan,
    sd_adjusted: float = math.nan,
    cost: float = math.nan,
    audience_available: int | None = None,
    held_out_share: float = HELD_OUT_SHARE,
    power: float = POWER,
    days: int = CAMPAIGN_DAYS,
) -> Plan:
    """Plan the next experiment on what is known before `as_of`.

    effect:   margin per contacted customer and its 95 % interval, as campaigns have shown it; beside it the lower end
              of its interval is planned for, if that is above zero. None (or an effect that is not above zero):
              planned for the break-even effect, one that pays the contact, and for a tenth of the usual margin.
    sd, sd_adjusted: of one customer's margin in a campaign; without them, that of active customers in the last `days`
              days, adjusted for as many days before.
    cost:     of one contact.
    audience_available: how many may be contacted or held out; without it, all active customers.
    """
    usual = usual_margin(facts, as_of, days=days)
    plain, adjusted = _spread(sd, sd_adjusted, usual)
    shown = effect is not None and effect[0] > 0
    wanted = _shown_effects(effect) if effect is not None and shown else _planned(cost, usual)
    audience = usual.customers if audience_available is None else audience_available
    name, first = next(iter(wanted.items()), (TENTH, math.nan))
    low, high = (effect[1], effect[2]) if effect is not None and shown else (math.nan, math.nan)
    used = adjusted if not math.isnan(adjusted) else plain
    reached = power_of(audience, first, used, held_out_share)
    gain_cost = cost if shown else math.nan  # what was never shown is no forecast: no money is computed from it
    profit = expected_profit(audience, first, low, high, cost=cost, held_out_share=held_out_share)
    steps = sorted({round(audience * step) for step in AUDIENCES if audience * step >= 2})
    return Plan(
        as_of=as_of,
        planned_for=name,
        effect=first,
        low=low,
        high=high,
        sd=plain,
        sd_adjusted=adjusted,
        cost=cost,
        audience_available=audience,
        held_out_share=held_out_share,
        power=power,
        usual=usual,
        audiences=_audiences(wanted, plain, adjusted, audience, held_out_share, power),
        curve=power_curve(wanted, steps, sd=used, held_out_share=held_out_share, power=power),
        choices=hold_out_choices(audience, first, sd=used, cost=gain_cost, low=low, high=high, power=power),
        profit=profit if shown else profit.iloc[:0],
        enough=reached >= power,
        said=_said(effect, wanted, usual, cost, plain, math.isnan(sd)),
    )


def usual_margin(
    facts: Facts, as_of: dt.date, *, days: int = CAMPAIGN_DAYS, customers: Iterable[str] | None = None
) -> Usual:
    """What customers active `days` days before `as_of` brought from then on: nothing of it is after `as_of`.

    customers: these instead, active or not; who did not buy brought nothing.
    """
    start = day_number(as_of) - days
    windows = {"active": (-facts.settings.definitions.active_within_days, 0), "before": (-days, 0), "now": (0, days)}
    table = customer_windows(facts, start, windows)
    if customers is None:
        chosen, count = table[table["purchase_days_active"] > 0], _active(facts, as_of)
    else:
        chosen = table.set_index("customer_id").reindex(pd.Index(list(customers), dtype="str")).fillna(0.0)
        count = len(chosen)
    now, before = chosen["margin_now"].to_numpy(), chosen["margin_before"].to_numpy()
    sd = float(np.std(now, ddof=1)) if len(now) > 1 else math.nan
    return Usual(days, count, float(now.mean()) if len(now) else math.nan, sd, _adjusted(now, before))


def _active(facts: Facts, as_of: dt.date) -> int:
    windows = {"active": (-facts.settings.definitions.active_within_days, 0)}
    return int((customer_windows(facts, day_number(as_of), windows)["purchase_days_active"] > 0).sum())


def _adjusted(now: FloatArray, before: FloatArray) -> float:
    """The standard deviation of what the window before does not tell."""
    if len(now) < 3:
        return math.nan
    spread = float(np.var(before, ddof=1))
    slope = float(np.cov(now, before)[0, 1]) / spread if spread > 0 else 0.0
    return float(np.std(now - slope * before, ddof=1))


def _spread(sd: float, sd_adjusted: float, usual: Usual) -> tuple[float, float]:
    """The spread that campaigns showed, else the usual one; the adjusted one is of the same origin."""
    if math.isnan(sd):
        return usual.sd, usual.sd_adjusted
    return sd, sd_adjusted


def _shown_effects(effect: tuple[float, float, float]) -> dict[str, float]:
    return {SHOWN: effect[0], LOWER: effect[1]} if effect[1] > 0 else {SHOWN: effect[0]}


def _planned(cost: float, usual: Usual) -> dict[str, float]:
    """What to plan for where nothing was shown: what can be said, the largest effect first."""
    effects = {BREAK_EVEN: cost, TENTH: USUAL_GAIN * usual.margin}
    return dict(sorted(((name, effect) for name, effect in effects.items() if effect > 0), key=lambda one: -one[1]))


def _audiences(
    effects: Mapping[str, float], plain: float, adjusted: float, audience: float, held_out_share: float, power: float
) -> pd.DataFrame:
    rows = [
        (
            name,
            effect,
            *(smallest_audience(effect, sd, held_out_share, power) for sd in (plain, adjusted)),
            *(power_of(audience, effect, sd, held_out_share) for sd in (plain, adjusted)),
        )
        for name, effect in effects.items()
    ]
    return pd.DataFrame(rows, columns=list(AUDIENCE))


def _said(
    effect: tuple[float, float, float] | None,
    wanted: Mapping[str, float],
    usual: Usual,
    cost: float,
    sd: float,
    own_spread: bool,
) -> tuple[str, ...]:
    usually = f"{usual.margin:,.2f} of margin in {usual.days} days"
    reasons = {
        SHOWN: "Planned for the effect that campaigns have shown so far; that it will be the same is an assumption.",
        LOWER: "Beside it for the lower end of its interval: what shows first is often more than what comes again.",
        BREAK_EVEN: f"Planned for the effect that pays a contact ({cost:,.2f}): no margin above 0 has been shown.",
        TENTH: f"Planned for a tenth of what a customer usually brings ({usually}), which no campaign has shown.",
    }
    said = [reasons[name] for name in wanted]
    if SHOWN not in wanted and not cost > 0:
        said.append("The break-even effect is not planned for: what a contact costs is not known, or nothing.")
    if effect is not None and SHOWN not in wanted:
        said.append(f"The effect found, {effect[0]:,.2f} per contacted customer, is not above zero.")
    if own_spread and not math.isnan(sd):
        said.append(f"How much customers differ is taken from the last {usual.days} days.")
    if math.isnan(sd):
        said.append("Too few customers are active to say how much they differ: no audience can be planned.")
    return tuple(said)


__all__ = [
    "Plan",
    "Usual",
    "expected_profit",
    "hold_out_choices",
    "plan_next",
    "power_curve",
    "power_of",
    "power_of_shares",
    "smallest_audience",
    "smallest_audience_of_shares",
    "smallest_effect",
    "smallest_effect_of_shares",
    "usual_margin",
]
