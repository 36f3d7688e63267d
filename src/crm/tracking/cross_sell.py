"""Track what customers would buy next: how every candidate did, the model that gives the chance, and what scored."""

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
    from crm.analyses.cross_sell import CrossSell, CrossSellModel

NAME = "cross-sell"
GIVEN = ("probability",)
_RULE = "Best-sellers"
_MEASURES = ("hit_rate_5", "map_5", "ndcg_5", "recall_10", "coverage", "calibration_error", "mean_chance", "came")
_ENDS = {"": "gain", "_low": "low", "_high": "high"}


def track_cross_sell(
    one: CrossSell,
    *,
    facts: Facts,
    run_folder: str | Path,
    figures: Mapping[str, Drawn] | None = None,
    drift: Moved | None = None,
) -> tuple[str, ...]:
    """Log what was expected as MLflow runs, and give their ids; nothing for a draft, or where no item is known.

    A model that was fitted is registered. Where the champion scored, that is logged as a run of its own.
    drift: how far the pairs of today are from those that what scores was fitted on.
    See `track_model` and `track_scoring`. Raises TrackingError.
    """
    if not str(run_folder) or one.model is None:
        return ()
    ids: tuple[str, ...] = ()
    if (fitted := _fitted(one)) is not None:
        model, spread = _tracked(one, fitted, facts), fitted.population
        ids += track_model(model, facts=facts, run_folder=run_folder, figures=figures, population=spread)
    if one.standing.record is not None:
        ids += track_scoring(
            NAME,
            version=one.standing.version,
            facts=facts,
            run_folder=run_folder,
            measures=_today(one) | (dict(drift.measures) if drift else {}),
            tables=_judged_tables(one) | ({"drift": drift.features} if drift and len(drift.features) else {}),
        )
    return ids


def _fitted(one: CrossSell) -> CrossSellModel | None:
    """What was fitted in this run: a challenger beside a champion, or what scores where there is none."""
    return one.challenger if one.standing.record is not None else one.model


def _tracked(one: CrossSell, model: CrossSellModel, facts: Facts) -> TrackedModel:
    judged = one.judged
    return TrackedModel(
        name=NAME,
        as_of=one.as_of.isoformat(),
        content=model.content,
        parameters=_parameters(one, model),
        measures=(_today(one) if model is one.model else {}) | _of_candidates(one, model) | _gains(judged.gains),
        by_step=_by_date(judged.table, model.ships),
        tables=_judged_tables(one) | _other_tables(one),
        card=model_card(one, facts),
        files=JsonFiles("cross_sell", model.as_record(), list(model.as_record()["columns"]), GIVEN),
    )


def _parameters(one: CrossSell, model: CrossSellModel) -> dict[str, object]:
    learners = model.learners
    return {
        "as_of": model.as_of,
        "horizon_days": model.horizon_days,
        "level": model.level,
        "most_items": model.most_items,
        "items": len(one.items),
        "ships": model.ships,
        "learnt_from": in_a_row(learners.dates) if learners else "",
        "pairs_learnt": learners.pairs if learners else 0,
        "judged_on": in_a_row(_judged_on(one)),
        "columns": len(model.as_record()["columns"]),
        "seed": model.seed,
    }


def _today(one: CrossSell) -> dict[str, float]:
    """What is expected of the customers of today."""
    return {
        "customers": float(one.scored.customers),
        "items": float(len(one.items)),
        "expected_buyers": float(one.scored.items["expected_buyers"].sum()),
        "offers": float(len(one.offers)),
        "expected_margin_of_offers": float(one.offers["expected_margin"].sum()),
        "more_margin_than_likeliest": float(one.offers["more_margin"].sum()),
        "up_sell_margin": float(one.up.customers["expected_extra_margin"].sum()),
    }


def _of_candidates(one: CrossSell, model: CrossSellModel) -> dict[str, float]:
    """The measures of what ships, and of the best-sellers beside it, means over the judged dates."""
    mean = one.judged.mean
    measures: dict[str, float] = {}
    for prefix, candidate in (("", model.ships), ("best_sellers_", _RULE)):
        for row in rows_of(mean[mean["candidate"] == candidate]):
            measures |= {f"{prefix}{name}": float(row[name]) for name in _MEASURES}
    return measures


def _gains(gains: pd.DataFrame) -> dict[str, float]:
    """Over the best-sellers, with its interval."""
    measures: dict[str, float] = {}
    for row in rows_of(gains[gains["against"] == _RULE]):
        measures |= {f"gain_{row['measure']}{end}": float(row[at]) for end, at in _ENDS.items()}
    return measures


def _by_date(table: pd.DataFrame, ships: str) -> dict[str, list[tuple[int, float]]]:
    """The measures of what ships on each judged date; the step is the date's place, the oldest first."""
    rows = table[table["candidate"] == ships].sort_values("date", kind="stable")
    return {f"{name}_by_date": list(enumerate(rows[name].astype("float64").tolist())) for name in _MEASURES}


def _judged_tables(one: CrossSell) -> dict[str, pd.DataFrame]:
    judged = one.judged
    return {
        "candidates_by_date": judged.table,
        "candidates_mean": judged.mean,
        "gains": judged.gains,
        "calibration": judged.calibration,
    }


def _other_tables(one: CrossSell) -> dict[str, pd.DataFrame]:
    items = one.items
    pairs = one.together.pairs if one.together else pd.DataFrame()
    lines = one.up.categories
    offers = one.judged.offers.table if one.judged.offers else pd.DataFrame()
    return {
        "items": items[items["new_to"] >= FEWEST_SHOWN],
        "goes_with": pairs,
        "offers_judged": offers,
        "up_sell": lines[lines["customers"] >= FEWEST_SHOWN] if len(lines) else lines,
    }


def model_card(one: CrossSell, facts: Facts) -> str:
    """What a reviewer reads first, in Markdown; of the model that was fitted, or else of what scores."""
    model = _fitted(one) or one.model
    assert model is not None
    source, judged, columns = facts.source_record(), one.judged, model.as_record()["columns"]
    learnt = "Nothing was learnt from earlier dates: each item's share of new buyers stands for everybody."
    if model.learners is not None:
        learnt = (
            f"Learnt from {model.learners.pairs:,} pairs of customer and item, {model.learners.bought:,} of them "
            f"bought, on {in_a_row(model.learners.dates)}, by what came in the {model.learners.days} days after each."
        )
    return f"""# What would each customer buy next, as of {model.as_of}

**Purpose.** To offer each customer the few things that they do not buy yet and probably would, and to choose whom to
write to about an item. Not to decide about a single person's price, credit or rights.

**Population.** {one.scored.customers:,} active customers on {one.as_of}, each with every item that they have never
bought.

**Items.** {len(one.items):,}, at the level of the {model.level}. {said(one.findings, "items", "grouped", "unknown")}

**Horizon.** {model.horizon_days} days. Relevant: an item that was new to the customer and was bought within it.

**Data.** {source["kind"]}, purchases of {source["first_date"]} to {source["last_date"]}, fingerprint
{facts.fingerprint}.

**Columns.** {len(columns)} numbers of a pair, known before the date, none of which names an item or says what a
customer is rather than does: {", ".join(columns)}.

**What ships.** {model.ships}. {said(one.findings, "rule_ships")} {one.standing.why}

{learnt} Of the pairs that came to nothing a sample is read, and the chance is corrected for it.

**Candidates.** {said(one.findings, "gain")} Judged on {in_a_row(_judged_on(one)) or "no date"}, each against the
{judged.days} days after it, which nothing that expected it had seen; customers who bought something new. Means over
these dates:

{markdown(judged.mean, decimals=4)}

The blend against every other candidate on these dates together, with 95% intervals:

{markdown(judged.gains, decimals=4)}

**Calibration.** {said(one.findings, "calibration", "offers_judged", "up_sell_judged")}

{markdown(judged.calibration, decimals=4)}

**Assumptions.** {said(one.findings, "best_offer")} Expected margin is the chance times the margin rate
times what a purchase of the item brings; a margin rate that is not known is the assumed
{facts.settings.money.gross_margin:.0%}.

**Limits.** The settings of the regression and the trees were chosen with Complete Journey in view, so that figures on
it flatter it a little. It says what customers would buy, not what an offer causes: an experiment with a hold-out
group would. It expects what goes on as before, so that an item of a season is expected beyond it.
{said(one.findings, "season", "shorter", "not_there")}

**To load it.** This model needs the package analytical-crm in the version named in its requirements. It reads JSON
and no pickle, takes the columns named above as floats, a row per pair of customer and item, and gives
{" and ".join(GIVEN)}.

**Reviewed by.** Nobody reviewed it yet.
"""


def _judged_on(one: CrossSell) -> list[object]:
    return sorted(dict.fromkeys(one.judged.table["date"]))
