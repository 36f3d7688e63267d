"""How far to trust expected values: candidates on dates whose outcome is known, intervals, and what is learnt."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING

import pandas as pd

from crm.reporting.chart import Chart
from crm.reporting.charts import draw_bars, draw_dots, draw_line
from crm.reporting.left_out import LeftOut
from crm.reporting.lifetime_value import capital, in_words, money, span
from crm.reporting.style import ACTUAL, FORECAST
from crm.reporting.tables import Table, show_table
from crm.reporting.wording import listed, quantity

if TYPE_CHECKING:  # the analysis is heavy, and whoever shows one has it loaded already
    from crm.analyses.lifetime_value import LifetimeValue
    from crm.analyses.lifetime_value.result import Judged, Shipped

_MOST_LOOKED_AT = 10
_NOT_JUDGED = "The history is too short to compare what was expected on an earlier date with what came."
_MEASURES = {"gini": "ranking", "total": "total", "mae": "error", "mae_typical": "error_of_typical"}
_READ_SO = (
    "Ranking: 1 puts customers in the order of what they then brought, 0 is chance. Total: expected over actual. "
    "Error: mean distance per customer, which rewards expecting too little where most buy nothing; read it beside "
    "the total."
)
_PARTS = {
    "from_chance": "What customers happen to do",
    "from_refits": "Other customers observed",
    "from_drift": "Totals of earlier dates off",
}


def draw_weekly(value: LifetimeValue) -> Chart | LeftOut:
    """Net sales that came against those expected, week by week since the newest judged date."""
    weekly = value.judged.weekly
    if why := _why_not_judged(value, "weekly", weekly):
        return LeftOut(why)
    since, last = value.judged.dates[0], weekly.iloc[-1].to_dict()
    came, expected = (quantity(last[name], value.currency) for name in ("actual", "expected"))
    missing = pd.Series(float("nan"), index=weekly.index)
    lines = [
        weekly[["week"]].assign(line="Came", net_sales=weekly["actual"], low=missing, high=missing, expected=False),
        weekly[["week"]].assign(
            line="Expected", net_sales=weekly["expected"], low=weekly["low"], high=weekly["high"], expected=True
        ),
    ]
    return draw_line(
        pd.concat(lines, ignore_index=True).rename(columns={"net_sales": "net_sales_so_far"}),
        x="week",
        y="net_sales_so_far",
        colour_by="line",
        interval=("low", "high"),
        forecast="expected",
        colours={"Came": ACTUAL, "Expected": FORECAST},
        unit=value.currency,
        title=f"After {since}: {expected} were expected, {came} came{_against_band(last)}",
        note=f"Added up from {since}, of the customers of that date. {_band(last, level=value.portfolio.level)} "
        "Nothing after that date was known to what expected it.",
    )


def _against_band(last: Mapping[Hashable, float]) -> str:
    """On which side of the band the actual amount ended; empty inside it, or where there is none."""
    if last["actual"] > last["high"]:
        return ", more than the band holds"
    return ", less than the band holds" if last["actual"] < last["low"] else ""


def _band(last: Mapping[Hashable, float], *, level: float) -> str:
    if math.isnan(last["low"]):
        return "Without a band: before that date no total could be judged."
    return f"Band: {level:.0%} interval, from how far the totals of earlier dates were off."


def draw_ranking(value: LifetimeValue) -> Chart | LeftOut:
    """How well each candidate ranked customers by what they then brought, date by date."""
    judged = value.judged
    if why := _why_not_judged(value, "judged", judged.table):
        return LeftOut(why)
    if judged.table["value_gini"].isna().all():
        return LeftOut("Nobody bought anything after any earlier date, so that there is no order to be met.")
    return draw_dots(
        _beyond_rule(judged),
        label="candidate",
        value="ranking_beyond_rule",
        colour_by="date",
        unit="",
        title=_how_it_ranks(judged, shipped=value.shipped.name),
        note=f"How much better than the rule of thumb that ranks best on average, by net sales of the "
        f"{span(judged.days)} after each date: 0 is as good. Perfect is 1, chance 0, of the ranking itself.",
    )


def _beyond_rule(judged: Judged) -> pd.DataFrame:
    """Each candidate's ranking on each date, and how far it is from the best rule of thumb's; the best first."""
    mean = judged.mean.sort_values("value_gini", ascending=False, kind="stable")
    rule = mean.loc[mean["kind"] == "rule", "candidate"].iloc[0]
    table = judged.table.sort_values("date", ascending=False, kind="stable")
    table = table.sort_values(
        "candidate", key=lambda names: names.map(mean["candidate"].tolist().index), kind="stable"
    )
    of_rule = table[table["candidate"] == rule].set_index("date")["value_gini"]
    beyond = table["value_gini"] - table["date"].map(of_rule)
    table = table.assign(date=[str(date) for date in table["date"]], ranking_beyond_rule=beyond)
    columns = ["candidate", "kind", "date", "customers", "value_gini", "ranking_beyond_rule"]
    return table[columns].rename(columns={"value_gini": "ranking"})


def show_candidates(value: LifetimeValue) -> Table | LeftOut:
    """Every candidate's expected net sales against those that came: mean over the judged dates."""
    return _show_mean(value, "value", what="net sales")


def show_candidates_purchases(value: LifetimeValue) -> Table | LeftOut:
    """The same for purchase days."""
    return _show_mean(value, "purchases", what="purchase days")


def show_by_date(value: LifetimeValue) -> Table | LeftOut:
    """Every candidate on every judged date."""
    judged = value.judged
    if why := _why_not_judged(value, "judged", judged.table):
        return LeftOut(why)
    table = judged.table.sort_values("date", ascending=False, kind="stable")
    columns = {"date": "date", "candidate": "candidate", "customers": "customers"}
    columns |= {f"value_{name}": word for name, word in _MEASURES.items() if name != "mae_typical"}
    columns |= {"purchases_gini": "ranking_by_purchases"}
    shown = {name: word for name, word in columns.items() if name in table and table[name].notna().any()}
    return show_table(
        table[list(shown)].rename(columns=shown).reset_index(drop=True),
        caption=f"Every candidate on every judged date: net sales of the {span(judged.days)} after it",
        formats=_formats(shown.values(), error=money(table["value_mae"])),
        notes="Read as above; error in the currency.",
        most_rows=60,
    )


def show_gain(value: LifetimeValue) -> Table | LeftOut:
    """What the blend gains over the best rule of thumb, with intervals."""
    gain = value.judged.against_best_rule
    if why := _why_not_judged(value, "judged", gain):
        return LeftOut(why)
    return show_table(
        gain.assign(measure=[_measure(name, value.currency) for name in gain["measure"]]),
        caption="What the blend, as it was judged, gains over the best rule of thumb",
        formats=dict.fromkeys(["gain", "low", "high"], "+.3g"),
        notes="Mean over all judged dates, with 95% intervals; customers of all dates together. A gain whose "
        "interval holds 0 may be chance. A positive gain is better: a higher ranking, a smaller error.",
    )


def show_coverage(value: LifetimeValue) -> Table | LeftOut:
    """How many customers brought what their interval says."""
    coverage = value.judged.coverage
    if why := _why_not_judged(value, "coverage", coverage.dropna(subset="covered")):
        return LeftOut(why)
    shares = {"nominal": ".0%"} | dict.fromkeys(["covered", "below", "above", "covered_top"], ".1%")
    return show_table(
        coverage.rename(columns={"calibrated_on": "dates_calibrated_on"}),
        caption="How many customers fell inside their interval",
        formats=shares,
        notes="Nominal: as many as should. Below and above: brought less, and more, than the interval says. "
        "Covered top: of the fewest customers expected to bring half of the value.",
    )


def draw_interval_parts(value: LifetimeValue) -> Chart | LeftOut:
    """Where the width of the total's interval comes from."""
    portfolio = value.portfolio
    table = pd.DataFrame(
        [(words, getattr(portfolio, name)) for name, words in _PARTS.items()], columns=["part", "share_of_variance"]
    )
    there = table.dropna()
    if not there["share_of_variance"].sum() > 0:
        return LeftOut("Where the width of the interval comes from cannot be said: nothing could be measured.")
    largest = there.nlargest(1, "share_of_variance").to_dict("records")[0]
    unmeasured = " How far earlier totals were off could not be measured: the interval is too narrow."
    return draw_bars(
        table,
        label="part",
        value="share_of_variance",
        unit="share",
        title=f"{largest['part']}: {largest['share_of_variance']:.0%} of the uncertainty of the total",
        note=f"Shares of the variance of the total.{unmeasured if pd.isna(portfolio.from_drift) else ''}",
    )


def show_shipped(value: LifetimeValue) -> Table | LeftOut:
    """What the expected numbers are made of."""
    shipped = value.shipped
    alone = f"{shipped.name} stands as it is: nothing is mixed with it. {shipped.why}".strip()
    if why := _empty(shipped.shares, alone):
        return LeftOut(why)
    notes = (_where_level_is_from(shipped.level_from), _learnt(shipped), shipped.why)
    table = shipped.shares.rename(columns={"purchases": "purchase_days", "value": "net_sales"})
    return show_table(
        table,
        caption=f"{shipped.name}: how much each part weighs",
        formats={name: ".0%" for name in ("purchase_days", "net_sales") if name in table},
        notes=tuple(filter(None, notes)),
    )


def _where_level_is_from(level_from: Mapping[str, str]) -> str:
    if len(set(level_from.values())) == 1:
        return f"The sum over all customers is that of {next(iter(level_from.values()))}."
    said = listed([f"of {what} it is that of {where}" for what, where in level_from.items()])
    return f"The sum over all customers: {said}." if said else ""


def _learnt(shipped: Shipped) -> str:
    if not shipped.learnt_from:
        return ""
    first, last = min(shipped.learnt_from), max(shipped.learnt_from)
    when = str(first) if first == last else f"{len(shipped.learnt_from)} dates from {first} to {last}"
    return f"Learnt from what came in {span(shipped.learnt_days)} after {when}."


def draw_looks_at(value: LifetimeValue) -> Chart | LeftOut:
    """What the trees look at when they expect net sales."""
    looks = value.shipped.looks_at
    if why := _empty(looks, "Nothing is learnt from earlier dates, so that there is nothing the trees look at."):
        return LeftOut(why)
    most = looks.sort_values("value", ascending=False, kind="stable").head(_MOST_LOOKED_AT)
    most = most.assign(feature=[in_words(column) for column in most["column"]])
    first = most.to_dict("records")[0]
    return draw_bars(
        most.rename(columns={"value": "share_of_gain"})[["feature", "share_of_gain"]],
        label="feature",
        value="share_of_gain",
        unit="share",
        title=f"The trees look most at “{first['feature']}” ({first['value']:.0%})",
        note=f"Share of what the trees gain for net sales; the first {len(most)} of {len(looks)}. It says what they "
        "look at, not what causes anything.",
    )


def show_purchase_models(value: LifetimeValue) -> Table | LeftOut:
    """The purchase models that were fitted, with their estimates."""
    models = value.shipped.purchase_models
    why_not = " ".join(value.shipped.why_not) or "No purchase model could be fitted to so few repeated purchases."
    if why := _empty(models, why_not):
        return LeftOut(why)
    shown = [name for name in models.columns if models[name].notna().any()]
    return show_table(
        models[shown],
        caption="The purchase models",
        formats={"log_likelihood": ",.1f"},
        notes="Log-likelihood: the higher, the better it fits the same purchases.",
    )


def _show_mean(value: LifetimeValue, amount: str, *, what: str) -> Table | LeftOut:
    judged = value.judged
    if why := _why_not_judged(value, "judged", judged.mean):
        return LeftOut(why)
    mean = _ships(judged.mean, value.shipped.name)
    mean = mean.sort_values(f"{amount}_gini", ascending=False, kind="stable")
    mean = mean.assign(shipped=mean["shipped"].map({True: "yes", False: ""}))
    mean = mean.assign(dates=mean["candidate"].map(judged.table["candidate"].value_counts()))
    columns = {"candidate": "candidate"} | {f"{amount}_{name}": word for name, word in _MEASURES.items()}
    columns |= {"dates": "dates", "kind": "kind", "shipped": "shipped"}
    shown = {name: word for name, word in columns.items() if name in mean and mean[name].notna().any()}
    dates = "one date" if len(judged.dates) == 1 else f"{len(judged.dates)} dates"
    unit = f" (error in {value.currency})" if amount == "value" else ""
    return show_table(
        mean[list(shown)].rename(columns=shown).reset_index(drop=True),
        caption=f"Expected {what} against those of {span(judged.days)}, mean over {dates}{unit}",
        formats=_formats(shown.values(), error=money(mean[f"{amount}_mae"])),
        notes=_READ_SO if amount == "value" else "Read as above; error in purchase days.",
    )


def _formats(columns: object, *, error: str) -> dict[str, str]:
    specs = {"ranking": ".3f", "total": ".2f", "error": error, "error_of_typical": error}
    specs |= {"ranking_by_purchases": ".3f"}
    return {name: spec for name, spec in specs.items() if name in list(columns)}  # type: ignore[call-overload]


def _how_it_ranks(judged: Judged, *, shipped: str) -> str:
    """What ships against the best rule of thumb, on average and by the number of dates."""
    mean = _ships(judged.mean, shipped).sort_values("value_gini", ascending=False, kind="stable").to_dict("records")
    ships = next((row for row in mean if row["shipped"]), mean[0])
    rule = next(row for row in mean if row["kind"] == "rule")
    if ships["kind"] == "rule":
        return f"What ships is a rule of thumb, “{shipped}”: it ranks customers at {ships['value_gini']:.2f}"
    by_date = judged.table.pivot_table(index="date", columns="candidate", values="value_gini")
    better = int((by_date[ships["candidate"]] > by_date[rule["candidate"]]).sum())
    dates = "the one date" if len(by_date) == 1 else f"{better} of {len(by_date)} dates"
    if len(by_date) == 1 and not better:
        dates = "no date"
    return (
        f"{ships['candidate']} ranks customers better than “{rule['candidate']}” on {dates} "
        f"({ships['value_gini']:.2f} against {rule['value_gini']:.2f})"
    )


def _ships(mean: pd.DataFrame, shipped: str) -> pd.DataFrame:
    """The candidates with the one marked that ships: the one of that name, or else the blend as it was judged."""
    named = mean["candidate"] == shipped
    return mean.assign(shipped=named) if named.any() else mean


def _measure(name: str, currency: str) -> str:
    what = {"gini": "ranking", "mae": f"error ({currency})"}
    return capital(what.get(name, name))


def _why_not_judged(value: LifetimeValue, section: str, table: pd.DataFrame) -> str:
    """Why a section on judged dates is left out; empty where it is there."""
    return value.unsaid.get(section, "") or ("" if len(table) else value.unsaid.get("judged", _NOT_JUDGED))


def _empty(table: pd.DataFrame, otherwise: str) -> str:
    return "" if len(table) else otherwise
