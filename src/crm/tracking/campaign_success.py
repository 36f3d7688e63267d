"""Track who would answer a campaign and whom it changes: how every candidate did, the model, and what scored."""

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
    from crm.analyses.campaign_success import CampaignSuccess
    from crm.analyses.campaign_success.model import CampaignResponseModel

NAME = "campaign-response"
GIVEN = ("probability", "uplift", "expected_margin_added")
_RULE = "Share of campaigns answered"
_MEASURES = ("auc", "average_precision", "lift", "brier", "calibration")


def track_campaigns(
    one: CampaignSuccess,
    *,
    facts: Facts,
    run_folder: str | Path,
    figures: Mapping[str, Drawn] | None = None,
    drift: Moved | None = None,
) -> tuple[str, ...]:
    """Log what was learnt as MLflow runs, and give their ids; nothing for a draft, or where nothing can be learnt.

    A model that was fitted is registered. Where the champion scored, that is logged as a run of its own.
    drift: how far the customers of today are from those that what scores was fitted on.
    See `track_model` and `track_scoring`. Raises TrackingError.
    """
    if not str(run_folder) or one.targeting.model is None:
        return ()
    ids: tuple[str, ...] = ()
    if (fitted := _fitted(one)) is not None:
        spread = fitted.population
        ids += track_model(
            _tracked(one, fitted, facts), facts=facts, run_folder=run_folder, figures=figures, population=spread
        )
    if one.standing.record is not None:
        ids += track_scoring(
            NAME,
            version=one.standing.version,
            facts=facts,
            run_folder=run_folder,
            measures=_today(one) | (dict(drift.measures) if drift else {}),
            tables=_tables(one) | ({"drift": drift.features} if drift and len(drift.features) else {}),
        )
    return ids


def _fitted(one: CampaignSuccess) -> CampaignResponseModel | None:
    """What was fitted in this run: a challenger beside a champion, or what scores where there is none."""
    return one.targeting.challenger if one.standing.record is not None else one.targeting.model


def _tracked(one: CampaignSuccess, model: CampaignResponseModel, facts: Facts) -> TrackedModel:
    targeting = one.targeting
    return TrackedModel(
        name=NAME,
        as_of=one.as_of.isoformat(),
        content=model.content,
        parameters={
            "as_of": model.as_of,
            "ships": model.response.ships,
            "targets": targeting.target or "nothing",
            "learnt_from": in_a_row(model.response.learnt_from),
            "learnt_through": model.learnt_through or "",
            "columns": len(model.columns),
            "judged_by": one.judged_by,
            "seed": model.seed,
        },
        measures=_today(one) | _of_candidates(one) | _effects(one),
        by_step=_by_campaign(targeting.response.table, model.response.ships),
        tables=_tables(one),
        card=model_card(one, facts),
        files=JsonFiles("campaign_response", model.as_record(), list(model.columns), GIVEN),
    )


def _today(one: CampaignSuccess) -> dict[str, float]:
    """What is expected of the customers of today, and what campaigns showed."""
    scores, verdicts = one.scores, one.summary["verdict"]
    told = {word.replace(" ", "_"): float((verdicts == word).sum()) for word in ("caused more", "caused less")}
    return {
        "customers": float(scores["customer_id"].nunique()),
        "mean_chance": float(scores["probability"].mean()) if len(scores) else 0.0,
        "campaigns": float(len(one.summary)),
        "experiments": float(len(one.experiments)),
        **told,
    }


def _of_candidates(one: CampaignSuccess) -> dict[str, float]:
    """The measures of what ships and of the rule of thumb, means over the judged campaigns, and the gain."""
    response = one.targeting.response
    mean = response.table.groupby("candidate")[list(_MEASURES)].mean() if len(response.table) else pd.DataFrame()
    measures: dict[str, float] = {}
    for prefix, candidate in (("", response.ships), ("rule_", _RULE)):
        if candidate in mean.index:
            measures |= {f"{prefix}{name}": float(mean.loc[candidate, name]) for name in _MEASURES}  # type: ignore[arg-type]
    for row in rows_of(response.gains[response.gains["candidate"] == response.ships]):
        ends = {"": "gain", "_low": "low", "_high": "high"}
        measures |= {f"gain_{row['measure']}{end}": float(row[at]) for end, at in ends.items()}
    return measures


def _effects(one: CampaignSuccess) -> dict[str, float]:
    """What experiments showed together, and whether customers can be told apart by it."""
    measures: dict[str, float] = {}
    if (found := one.together(one.judged_by)) is not None:
        measures |= {"effect": found.effect, "effect_low": found.low, "effect_high": found.high}
    table, model = one.targeting.uplift, one.targeting.model
    order = (model.uplift.rule if model is not None and model.uplift is not None else "") or "DR-learner"
    for row in rows_of(table[(table["learner"] == order) & (table["judged_on"] == "customers apart")]):
        for name, at in (("qini", "qini"), ("qini_low", "low"), ("qini_high", "high")):
            measures[f"{name}_{row['target']}"] = float(row[at])
    return measures


def _by_campaign(table: pd.DataFrame, ships: str) -> dict[str, list[tuple[int, float]]]:
    """The measures of what ships on each judged campaign; the step is its place, the oldest first."""
    rows = table[table["candidate"] == ships].sort_values(["date", "campaign_id"], kind="stable")
    return {f"{name}_by_campaign": list(enumerate(rows[name].astype("float64").tolist())) for name in _MEASURES}


def _tables(one: CampaignSuccess) -> dict[str, pd.DataFrame]:
    targeting = one.targeting
    return {
        "campaigns": one.summary,
        "candidates_by_campaign": targeting.response.table,
        "gains": targeting.response.gains,
        "calibration": targeting.response.calibration,
        "whom_it_changes": targeting.uplift,
        "groups": targeting.groups,
        "policy": targeting.policy.curve,
    }


def model_card(one: CampaignSuccess, facts: Facts) -> str:
    """What a reviewer reads first, in Markdown; of the model that was fitted, or else of what scores."""
    model, targeting = _fitted(one) or one.targeting.model, one.targeting
    assert model is not None
    source, response = facts.source_record(), targeting.response
    mean = response.table.groupby("candidate")[list(_MEASURES)].mean().reset_index() if len(response.table) else None
    campaigns = one.summary[["name", "evidence", "verdict", "usual", "effect", "low", "high"]]
    return f"""# Who would answer a campaign, and whom it changes, as of {model.as_of}

**Purpose.** To choose whom the next campaign reaches, together with a hold-out group. Not to decide about a single
person's price, credit or rights, and not to say what a campaign caused: that is measured, campaign by campaign.

**Population.** {one.scores["customer_id"].nunique():,} active customers on {one.as_of}, for each kind of campaign of
the last year.

**What it gives.** probability: that a contacted customer answers within the campaign. uplift: by how much a contact
changes the chance of a purchase in its days; expected_margin_added: what it adds in {one.currency}, its cost not yet
taken off. The last two are empty without an experiment. Where no order is likely to be better than chance, uplift is
the same for everybody, and the average margin is spread by who would answer.

**Data.** {source["kind"]}, purchases of {source["first_date"]} to {source["last_date"]}, fingerprint
{facts.fingerprint}. Learnt from {in_a_row(model.response.learnt_from) or "no campaign"}, closed before
{model.learnt_through or "the date"}.

**Columns.** {len(model.columns)} numbers known on a campaign's first day, none of which says what a customer is
rather than does: {", ".join(model.columns)}.

**What ships.** {model.response.ships}. {one.standing.why}

**Candidates.** {said(one.findings, "who_answers")} Each later campaign is told by what had been closed when it began.
Means over these campaigns:

{markdown(mean) if mean is not None else "(no campaign could be judged)"}

Gains over the rule of thumb, with 95% intervals by customer:

{markdown(response.gains)}

**Calibration.**

{markdown(response.calibration)}

**Whom a contact changes.** {said(one.findings, "whom_it_changes", "nothing_to_target")} {targeting.why_no_uplift}
Judged by doubly robust scores: a random or a constant order has a Qini of 0, whatever the size of the arms.

{markdown(targeting.uplift)}

**What campaigns caused.** {said(one.findings, "verdicts", "together", "profit")}

{markdown(campaigns)}

**Limits.** Who answers is not who is changed. Past campaigns chose whom to contact: of customers they never chose,
chances are guessed from those alike. {said(one.findings, "observational", "overlap", "not_there")}

**To load it.** This model needs the package analytical-crm in the version named in its requirements. It reads JSON
and no pickle, takes the columns named above as floats, a row per customer, and gives
{", ".join(GIVEN)}, of no kind of campaign in particular.

**Reviewed by.** Nobody reviewed it yet.
"""
