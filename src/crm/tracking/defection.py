"""Track who is about to leave: how every candidate did, the model that gives the chance, and what scored."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from crm.facts import Facts
from crm.headline import FEWEST_SHOWN
from crm.tracking.card import Moved, in_a_row, markdown, rows_of, said
from crm.tracking.json_files import JsonFiles
from crm.tracking.models import Drawn, TrackedModel, track_model, track_scoring

if TYPE_CHECKING:  # the analysis is heavy, and whoever tracks one has it loaded already
    from crm.analyses.defection import Defection
    from crm.analyses.defection.model import DefectionModel

NAME = "defection"
GIVEN = ("probability", "partial_probability")
_OUTCOMES = {"left": "", "left_partly": "partly_"}
_MEASURES = ("auc", "average_precision", "lift", "capture", "brier", "calibration", "expected")
_ENDS = {"": "gain", "_low": "low", "_high": "high"}
_WORST_GROUPS = 5


def track_defection(
    defection: Defection,
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
    if defection.fitted is not None:
        model = _tracked(defection, defection.fitted, facts, drift)
        spread = defection.fitted.population
        ids += track_model(model, facts=facts, run_folder=run_folder, figures=figures, population=spread)
    if defection.shipped.version:
        tables = _judged_tables(defection) | _drift_tables(drift)
        ids += track_scoring(
            NAME,
            version=defection.shipped.version,
            facts=facts,
            run_folder=run_folder,
            measures=_today(defection) | _drift_measures(drift),
            tables=tables,
        )
    return ids


def _tracked(defection: Defection, model: DefectionModel, facts: Facts, drift: Moved | None) -> TrackedModel:
    judged = defection.judged
    scores = not defection.shipped.version
    return TrackedModel(
        name=NAME,
        as_of=defection.as_of.isoformat(),
        content=model.content,
        parameters=_parameters(defection, model),
        measures=(_today(defection) | _drift_measures(drift) if scores else {})
        | _of_shipped(judged.mean)
        | _gains(judged.gains)
        | _over_plain(judged.over_plain),
        by_step=_by_date(judged.table),
        tables=_judged_tables(defection) | _other_tables(defection) | (_drift_tables(drift) if scores else {}),
        card=model_card(defection, facts),
        files=JsonFiles("defection", model.as_record(), list(model.columns), GIVEN),
    )


def _parameters(defection: Defection, model: DefectionModel) -> dict[str, object]:
    decision = defection.decision
    parameters: dict[str, object] = {
        "as_of": defection.as_of,
        "leaving_is": defection.stake.kind,
        "active_within_days": defection.stake.active_within_days,
        "horizon_days": model.horizon_days,
        "shipped": model.name,
        "learnt_from": in_a_row(model.learnt_from),
        "judged_on": in_a_row(defection.judged.dates),
        "columns": len(model.columns),
        "seed": defection.seed,
        "assumption.kept_by_contact": decision.kept,
        "assumption.contact_cost": decision.cost,
        "assumption.channel": decision.channel,
        "assumption.value_days": decision.value_days,
        "assumption.value_from": decision.value_from,
    }
    return parameters | {f"level_from.{outcome}": where for outcome, where in model.level_from.items()}


def _today(defection: Defection) -> dict[str, float]:
    """What is expected of the customers of today."""
    customers, decision = defection.customers, defection.decision
    return {
        "customers": float(len(customers)),
        "gone": float(defection.gone),
        "expected_to_leave": float(defection.expected_to_leave),
        "expected_to_leave_low": float(defection.expected_low),
        "expected_to_leave_high": float(defection.expected_high),
        "value_at_risk": float(customers["value_at_risk"].sum(min_count=1)),
        "contacted": float(decision.contacted),
        "net_gain": float(decision.gain),
        "net_gain_low": float(decision.low),
        "net_gain_high": float(decision.high),
        "break_even": float(decision.break_even),
    }


def _drift_measures(drift: Moved | None) -> dict[str, float]:
    return dict(drift.measures) if drift is not None else {}


def _drift_tables(drift: Moved | None) -> dict[str, pd.DataFrame]:
    return {"drift": drift.features} if drift is not None and len(drift.features) else {}


def _of_shipped(mean: pd.DataFrame) -> dict[str, float]:
    """The measures of what ships, and of the best rule of thumb beside it, means over the judged dates."""
    measures: dict[str, float] = {}
    for outcome, prefix in _OUTCOMES.items():
        rows = mean[mean["outcome"] == outcome]
        for row in rows_of(rows[rows["shipped"].astype("bool")]):
            measures |= {f"{prefix}{name}": float(row[name]) for name in _measures_of(mean)}
        rules = rows[rows["kind"] == "rule"].sort_values("auc", ascending=False, kind="stable").head(1)
        for row in rows_of(rules):
            measures |= {f"best_rule_{prefix}{name}": float(row[name]) for name in _measures_of(mean)}
    return measures


def _gains(gains: pd.DataFrame) -> dict[str, float]:
    """Over the best rule of thumb by order, with its interval."""
    measures: dict[str, float] = {}
    for outcome, prefix in _OUTCOMES.items():
        rows = gains[gains["outcome"] == outcome]
        best = rows[rows["measure"] == "auc"].sort_values("theirs", ascending=False, kind="stable").head(1)
        for row in rows_of(rows[rows["rule"].isin(best["rule"])]):
            measures |= {f"gain_{prefix}{row['measure']}{end}": float(row[at]) for end, at in _ENDS.items()}
    return measures


def _over_plain(table: pd.DataFrame) -> dict[str, float]:
    means = table.groupby(["outcome", "measure"])[["gain"]].mean().reset_index()
    return {f"over_plain_{_OUTCOMES[row['outcome']]}{row['measure']}": float(row["gain"]) for row in rows_of(means)}


def _by_date(table: pd.DataFrame) -> dict[str, list[tuple[int, float]]]:
    """The measures of what ships on each judged date; the step is the date's place, the oldest first."""
    steps: dict[str, list[tuple[int, float]]] = {}
    for outcome, prefix in _OUTCOMES.items():
        rows = table[(table["outcome"] == outcome) & table["shipped"].astype("bool")].sort_values("date")
        steps |= {
            f"{prefix}{name}_by_date": list(enumerate(rows[name].astype("float64").tolist()))
            for name in _measures_of(table)
        }
    return steps


def _measures_of(table: pd.DataFrame) -> list[str]:
    return [name for name in _MEASURES if name in table]


def _judged_tables(defection: Defection) -> dict[str, pd.DataFrame]:
    judged = defection.judged
    return {
        "candidates_by_date": judged.table,
        "candidates_mean": judged.mean,
        "gains": judged.gains,
        "over_plain": judged.over_plain,
        "calibration": judged.calibration,
        "groups": judged.groups[judged.groups["customers"] >= FEWEST_SHOWN],
    }


def _other_tables(defection: Defection) -> dict[str, pd.DataFrame]:
    return {
        "drivers": defection.drivers,
        "sensitivity": defection.decision.sensitivity,
        "decision_curve": defection.decision.curve,
        "changes": defection.understanding.changes,
        "partial": defection.understanding.partial,
    }


def model_card(defection: Defection, facts: Facts) -> str:
    """What a reviewer reads first, in Markdown; of the model that was fitted, or else of what scores."""
    source, judged = facts.source_record(), defection.judged
    model = defection.fitted if defection.fitted is not None else defection.model
    told = _measures_of(judged.mean)
    learnt = "Nothing was learnt from earlier dates."
    if model.learnt_from:
        learnt = f"Learnt from what came after {in_a_row(model.learnt_from)}, {model.horizon_days} days ahead."
    return f"""# Who is about to leave, as of {defection.as_of}

**Purpose.** To decide whom to contact so that they stay, and to see early who falls silent. Not to decide about a
single person's price, credit or rights.

**Population.** {len(defection.customers):,} customers at stake on {defection.as_of}: {_at_stake(defection)}. Another
{defection.gone:,} have left already: they are counted, and not scored.

**Horizon.** {model.horizon_days} days. Left: {_left(defection)} Left partly: came down to less than half of the
usual.

**Data.** {source["kind"]}, purchases of {source["first_date"]} to {source["last_date"]}, fingerprint
{facts.fingerprint}.

**Features.** {len(model.columns)} numbers known before the date, none of what a customer is rather than does:
{", ".join(model.columns)}.

**What ships.** {model.name}. {said(defection.findings, "shipped", "fallback")} {defection.shipped.why}

{learnt}

**Candidates and rules of thumb.** {said(defection.findings, "trust", "trust_partly", "over_plain")} Judged on
{in_a_row(judged.dates) or "no date"}, each against the {model.horizon_days} days after it, which nothing that
expected it had seen. auc: 0.5 is chance, 1 is perfect; capture: of all who left, the share in the tenth of
highest chance; calibration: expected calibration error; expected: over the share that left. Means over these dates:

{markdown(judged.mean[["outcome", "candidate", "kind", "shipped", *told]])}

What ships against every rule of thumb on these dates together, with 95% intervals:

{markdown(judged.gains)}

**Calibration.** {said(defection.findings, "calibration")}

{markdown(judged.calibration)}

**Where it fails.** {said(defection.findings, "where_it_fails", "not_one_person")} The groups with the worst order
on the newest judged date:

{markdown(_worst(judged.groups))}

A season moves all customers at once: it is known where the same weeks of a year ago are in the data, and nowhere
else. Whoever bought on one day only is taken to be much like the others.

**What moves it.** {said(defection.findings, "drivers", "reasons")}

{markdown(defection.drivers)}

**Assumptions.** {said(defection.findings, "assumptions", "contact")}

**Limits.** The settings of the regression and the trees were chosen with Complete Journey in view, so that figures on
it flatter it a little. It says who is likely to leave, not whom a contact would keep: an experiment with a hold-out
group would. Reasons say what moves the chance, not what causes leaving. What customers buy elsewhere is not in the
data.
{said(defection.findings, "not_there")}

**To load it.** This model needs the package analytical-crm in the version named in its requirements. It reads JSON
and no pickle, takes the columns named above as floats and gives {" and ".join(GIVEN)}.

**Reviewed by.** Nobody reviewed it yet.
"""


def _at_stake(defection: Defection) -> str:
    if defection.stake.kind == "cancellation":
        return "a contract of theirs is running"
    return f"they bought within {defection.stake.active_within_days} days before it"


def _left(defection: Defection) -> str:
    if defection.stake.kind == "cancellation":
        return "no contract of theirs is running at its end."
    return "bought nothing in it."


def _worst(groups: pd.DataFrame) -> pd.DataFrame:
    told = groups[(groups["customers"] >= FEWEST_SHOWN) & groups["auc"].notna()]
    return told.sort_values("auc", kind="stable").groupby("outcome", sort=False).head(_WORST_GROUPS)
