"""Track what customers are worth: how every candidate did, and the model that values a customer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from crm.facts import Facts
from crm.tracking.card import Moved, in_a_row, markdown, rows_of, said
from crm.tracking.json_files import JsonFiles
from crm.tracking.models import Drawn, TrackedModel, track_model, track_scoring

if TYPE_CHECKING:  # the analysis is heavy, and whoever tracks one has it loaded already
    from crm.analyses.lifetime_value import LifetimeValue

NAME = "lifetime-value"
GIVEN = ("expected_purchases", "expected_value", "probability_alive", "chance_of_no_purchase")
_MEASURES = ("gini", "total", "mae", "deviance")
_AMOUNTS = ("purchases", "value")


def track_lifetime_value(
    value: LifetimeValue,
    *,
    facts: Facts,
    run_folder: str | Path,
    figures: Mapping[str, Drawn] | None = None,
    drift: Moved | None = None,
) -> tuple[str, ...]:
    """Log what was expected as MLflow runs, and give their ids; nothing for a draft.

    A model that was fitted is registered. Where the champion scored, that is logged as a run of its own.
    drift: how far the customers of today are from those that what scores was fitted on.
    See `track_model` and `track_scoring`. Raises TrackingError.
    """
    if not str(run_folder):
        return ()
    ids: tuple[str, ...] = ()
    if (fitted := value.as_fitted) is not None:
        model = _tracked(fitted, facts, today=_portfolio(value) if fitted is value else {})
        ids += track_model(model, facts=facts, run_folder=run_folder, figures=figures)
    if value.shipped.version:
        ids += track_scoring(
            NAME,
            version=value.shipped.version,
            facts=facts,
            run_folder=run_folder,
            measures=_portfolio(value) | (dict(drift.measures) if drift else {}),
            tables={"drift": drift.features} if drift and len(drift.features) else {},
        )
    return ids


def _tracked(value: LifetimeValue, facts: Facts, *, today: Mapping[str, float]) -> TrackedModel:
    """today: what is expected of the customers of today, where this model scores."""
    judged, shipped = value.judged, value.shipped
    return TrackedModel(
        name=NAME,
        as_of=value.as_of.isoformat(),
        content=value.model.content,
        parameters=_parameters(value),
        measures=dict(today) | _of_shipped(judged.mean) | _gains(judged.against_best_rule) | _covered(value),
        by_step=_by_date(judged.table),
        tables={
            "candidates_by_date": judged.table,
            "candidates_mean": judged.mean,
            "against_best_rule": judged.against_best_rule,
            "coverage": judged.coverage,
            "weekly": judged.weekly,
            "shares": shipped.shares,
            "purchase_models": shipped.purchase_models,
            "looks_at": shipped.looks_at,
            "assumptions": _assumptions(value),
        },
        card=model_card(value, facts),
        files=JsonFiles("lifetime_value", value.model.as_record(), list(value.model.columns), GIVEN),
    )


def _parameters(value: LifetimeValue) -> dict[str, object]:
    shipped = value.shipped
    parameters: dict[str, object] = {
        "as_of": value.as_of,
        "horizon_days": value.horizon_days,
        "shipped": shipped.name,
        "learnt_days": shipped.learnt_days,
        "learnt_from": in_a_row(shipped.learnt_from),
        "judged_days": value.judged.days,
        "judged_on": in_a_row(value.judged.dates),
        "columns": len(value.model.columns),
        "seed": value.seed,
    }
    for what, where in shipped.level_from.items():
        parameters[f"level_from.{what}"] = where
    for row in shipped.shares.to_dict("records"):
        parameters |= {f"share_of_{what}.{row['part']}": row[what] for what in _AMOUNTS}
    for row in shipped.purchase_models.to_dict("records"):
        parameters |= {f"k.{row['model']}": row["k"]} if pd.notna(row.get("k")) else {}
    return parameters | {f"assumption.{row['assumption']}": row["value"] for row in rows_of(_assumptions(value))}


def _portfolio(value: LifetimeValue) -> dict[str, float]:
    portfolio = value.portfolio
    measures: dict[str, float] = {}
    for name in ("purchases", "value", "margin", "long_margin"):
        amount = getattr(portfolio, name)
        measures |= {f"portfolio_{name}{end}": float(getattr(amount, at)) for end, at in _ENDS.items()}
    parts = {name: getattr(portfolio, name) for name in ("from_refits", "from_chance", "from_drift")}
    return measures | parts | {"customers": float(portfolio.customers), "interval_level": portfolio.level}


_ENDS = {"": "value", "_low": "low", "_high": "high"}


def _of_shipped(mean: pd.DataFrame) -> dict[str, float]:
    """The measures of what ships, and of the best rule of thumb beside it, means over the judged dates."""
    measures: dict[str, float] = {}
    for row in rows_of(mean[mean["shipped"].astype("bool")]):
        measures |= {name: float(row[name]) for name in _measures_of(mean)}
    rules = mean[mean["kind"] == "rule"].sort_values("value_gini", ascending=False, kind="stable").head(1)
    for row in rows_of(rules):
        measures |= {f"best_rule_{name}": float(row[name]) for name in _measures_of(mean)}
    return measures


def _gains(against_best_rule: pd.DataFrame) -> dict[str, float]:
    return {
        f"gain_{row['measure']}{end}": float(row[at])
        for row in rows_of(against_best_rule)
        for end, at in {"": "gain", "_low": "low", "_high": "high"}.items()
    }


def _covered(value: LifetimeValue) -> dict[str, float]:
    coverage = value.judged.coverage
    if coverage.empty:
        return {}
    return {name: float(coverage[name].astype("float64").mean()) for name in ("nominal", "covered", "below", "above")}


def _by_date(table: pd.DataFrame) -> dict[str, list[tuple[int, float]]]:
    """The measures of what ships on each judged date; the step is the date's place, the oldest first."""
    shipped = table[table["shipped"].astype("bool")].sort_values("date", kind="stable")
    return {
        f"{name}_by_date": list(enumerate(shipped[name].astype("float64").tolist())) for name in _measures_of(table)
    }


def _measures_of(table: pd.DataFrame) -> list[str]:
    names = [f"{what}_{measure}" for what in _AMOUNTS for measure in _MEASURES]
    return [name for name in [*names, *(f"{what}_mae_typical" for what in _AMOUNTS)] if name in table]


def _assumptions(value: LifetimeValue) -> pd.DataFrame:
    known = value.assumptions
    names = ("gross_margin", "known_margin", "yearly_discount_rate", "contact_cost", "case_cost", "long_days",
             "churn_known")  # fmt: skip
    return pd.DataFrame([(name, str(getattr(known, name))) for name in names], columns=["assumption", "value"])


def _middle(value: LifetimeValue) -> str:
    """What the middle of what may come is made of, in a sentence."""
    from crm.analyses.lifetime_value.chance import LEARNT

    learners, drawn = value.model.candidates.learners, "the median of what the purchase models draw"
    if learners is None or not learners.middles:
        return f"The middle is {drawn}."
    return (
        f"The middle is {LEARNT:.0%} learnt, by trees with the absolute error as their aim that start from what the "
        f"other trees expect, and for the rest {drawn}."
    )


def model_card(value: LifetimeValue, facts: Facts) -> str:
    """What a reviewer reads first, in Markdown."""
    source, shipped, judged = facts.source_record(), value.shipped, value.judged
    told = [name for name in _measures_of(judged.mean) if "deviance" not in name]
    learnt = f"after {in_a_row(shipped.learnt_from)}, {shipped.learnt_days} days ahead" if shipped.learnt_from else ""
    return f"""# What each customer is worth, as of {value.as_of}

**Purpose.** To decide how much may be spent to keep or to win customers, and whom to look after first. Not to decide
about a single person's price, credit or rights.

**Population.** {value.portfolio.customers:,} customers with a purchase before {value.as_of}. New customers are not in
it.

**Horizon.** {value.horizon_days} days; margin also over {value.assumptions.long_days:,} days, discounted.
{said(value.findings, "horizon_shortened")}

**Data.** {source["kind"]}, purchases of {source["first_date"]} to {source["last_date"]}, fingerprint
{facts.fingerprint}.

**Features.** {len(value.model.columns)} numbers of a snapshot, none of what a customer is rather than does:
{", ".join(value.model.columns)}.

**What ships.** {said(value.findings, "shipped", "fallback")}

{markdown(shipped.shares)}

{f"Learnt from what came {learnt}." if learnt else "Nothing was learnt from earlier dates."}

**Candidates and rules of thumb.** {said(value.findings, "trust")} Judged on {in_a_row(judged.dates) or "no date"},
each against the {judged.days} days after it, which nothing that expected it had seen. Gini: 1 is the order of what
came, 0 chance; total: expected over actual; mae: distance per customer of what is expected, typical:
of the middle of what may come. {_middle(value)} Means over these dates:

{markdown(judged.mean[["candidate", "kind", *told]])}

What the blend gains over the best rule of thumb on these dates together, with 95% intervals:

{markdown(judged.against_best_rule)}

**Calibration.** {said(value.findings, "coverage", "interval")}

{markdown(judged.coverage)}

**Where it fails.** {said(value.findings, "independence", "churn_unknown", "not_one_person")} A season moves all
customers at once: it is known where the same weeks of a year ago are in the data, and nowhere else. Customers with
few purchases stand near the average.

**Assumptions.** {said(value.findings, "assumptions")}

**Limits.** The settings of the regression and the trees were chosen with Complete Journey and CDNOW in view, so that
figures on these two flatter it a little. It expects what goes on as before; it does not say what an offer would
change: an experiment would. What customers buy elsewhere is not in the data. {said(value.findings, "not_there")}

**To load it.** Unlike a model that travels whole, this one needs the package analytical-crm in the version named in
its requirements: the mathematics of the purchase models is too long for one page. It reads JSON and no pickle, takes
the numbers of a snapshot as floats and gives {", ".join(GIVEN)}.

**Reviewed by.** Nobody reviewed it yet.
"""
