"""Lifetime value in a real store: all a reviewer needs, no customer, and a model that gives the published scores.

The values of a small company are real ones: about twenty seconds, once for the file.
"""

import datetime as dt
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from mlflow.models import Model

from crm.analyses.lifetime_value import value_customers
from crm.analyses.lifetime_value.season import season_of
from crm.facts import read_facts
from crm.review import standing_model
from crm.snapshots import snapshot
from crm.tracking import approve_published, champions
from crm.tracking.json_files import requirements
from crm.tracking.lifetime_value import GIVEN, model_card, track_lifetime_value
from crm.tracking.store import store_of

pytestmark = pytest.mark.xdist_group("tracking")

AS_OF = dt.date(2018, 1, 1)


@pytest.fixture(scope="module")
def made(settings_for):
    """A small sample company, and what its customers are worth."""
    facts = read_facts(settings_for("sample_company", AS_OF.isoformat(), source="customers = 250\nseed = 5"))
    return facts, value_customers(facts, AS_OF)


@pytest.fixture
def value(made):
    return made[1]


def client_of(facts):
    return store_of(facts.settings).client


def test_a_draft_is_not_logged(facts, value):
    assert track_lifetime_value(value, facts=facts, run_folder="") == ()
    assert client_of(facts).get_experiment_by_name("lifetime-value") is None


def test_what_a_reviewer_finds(facts, value, run_folder, drawn):
    figures = drawn("weekly")
    (run_id,) = track_lifetime_value(value, facts=facts, run_folder=run_folder, figures=figures)
    approve_published([run_id], facts.settings)
    client = client_of(facts)
    run = client.get_run(run_id)
    assert run.info.status == "FINISHED"
    params, measures = run.data.params, run.data.metrics
    assert params["horizon_days"] == str(value.horizon_days)
    assert params["money.gross_margin"] == "0.25"
    assert params["judged_on"] == ", ".join(map(str, value.judged.dates))
    for row in value.shipped.shares.to_dict("records"):
        assert float(params[f"share_of_value.{row['part']}"]) == row["value"]
    for what, where in value.shipped.level_from.items():
        assert params[f"level_from.{what}"] == where

    mean = value.judged.mean.set_index("candidate")
    assert measures["value_gini"] == pytest.approx(mean.loc["Blend", "value_gini"])
    rules = mean[mean["kind"] == "rule"]
    assert measures["best_rule_value_gini"] == pytest.approx(rules["value_gini"].max())
    assert measures["portfolio_value"] == pytest.approx(value.portfolio.value.value)
    assert measures["portfolio_long_margin_high"] == pytest.approx(value.portfolio.long_margin.high)
    assert measures["covered"] == pytest.approx(value.judged.coverage["covered"].mean())

    files = {file.path for folder in ("", "tables", "figures") for file in client.list_artifacts(run_id, folder)}
    tables = ("candidates_by_date", "candidates_mean", "against_best_rule", "coverage", "weekly", "shares",
              "purchase_models", "looks_at", "assumptions")  # fmt: skip
    assert {"model_card.md", "figures/weekly.svg", *(f"tables/{name}.csv" for name in tables)} <= files
    assert "figures/nothing.svg" not in files
    version = client.get_model_version_by_alias("lifetime-value", "champion")
    assert version.tags["crm.reviewed_by"] == "nobody"
    assert version.description == model_card(value, facts)
    assert champions(facts.settings) == {"lifetime-value": {"version": "1", "run": run_folder.name}}


def test_the_measures_by_date_come_in_the_order_of_the_dates(facts, value, run_folder):
    (run_id,) = track_lifetime_value(value, facts=facts, run_folder=run_folder)
    points = client_of(facts).get_metric_history(run_id, "value_total_by_date")
    shipped = value.judged.table.query("shipped").sort_values("date")
    assert {point.step: point.value for point in points} == pytest.approx(dict(enumerate(shipped["value_total"])))
    assert len(points) == len(value.judged.dates) > 1


def test_the_card_says_what_a_reviewer_must_know(facts, value):
    card = model_card(value, facts)
    headings = ("Purpose", "Population", "Horizon", "Data", "Features", "What ships", "Candidates and rules of thumb",
                "Calibration", "Where it fails", "Assumptions", "Limits", "To load it")  # fmt: skip
    for heading in headings:
        assert f"**{heading}.**" in card
    for name in ("trust", "coverage", "interval", "assumptions", "shipped", "independence"):
        assert value.findings[name].sentence in card, name
    for candidate in value.judged.mean["candidate"]:
        assert f"| {candidate} |" in card
    assert "The middle is 67% learnt" in card
    candidates = value.model.candidates
    drawn = replace(candidates, learners=replace(candidates.learners, middles={}))
    without = model_card(replace(value, model=replace(value.model, candidates=drawn)), facts)
    assert "The middle is the median" in without
    assert "Nobody reviewed it yet" in card
    assert "needs the package analytical-crm" in card
    assert "| nan |" not in card


def test_the_card_of_a_history_too_short_to_judge_is_whole(facts, value):
    judged = replace(value.judged, **{name: getattr(value.judged, name).head(0) for name in
                     ("table", "mean", "against_best_rule", "coverage", "weekly")})  # fmt: skip
    shipped = replace(value.shipped, learnt_from=(), learnt_days=0)
    card = model_card(replace(value, judged=judged, shipped=shipped), facts)
    assert "Judged on no date" in card
    assert "Nothing was learnt from earlier dates." in card


def test_a_history_too_short_to_judge_is_tracked_all_the_same(facts, value, run_folder):
    judged = replace(value.judged, **{name: getattr(value.judged, name).head(0) for name in
                     ("table", "mean", "against_best_rule", "coverage", "weekly")})  # fmt: skip
    (run_id,) = track_lifetime_value(replace(value, judged=judged), facts=facts, run_folder=run_folder)
    measures = client_of(facts).get_run(run_id).data.metrics
    assert "portfolio_value" in measures
    assert "value_gini" not in measures


def test_the_same_model_is_registered_once_and_another_becomes_challenger(facts, value, run_folder):
    for one in (value, value, replace(value, model=replace(value.model, seed=value.model.seed + 1))):
        approve_published(track_lifetime_value(one, facts=facts, run_folder=run_folder), facts.settings)
    aliases = client_of(facts).get_registered_model("lifetime-value").aliases
    assert {alias: int(number) for alias, number in aliases.items()} == {"champion": 1, "challenger": 2}


LOAD = """
import sys
import mlflow, pandas as pd
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/lifetime-value@champion")
model.predict(pd.read_parquet(sys.argv[2])).to_parquet(sys.argv[3])
"""


def test_the_registered_model_gives_the_scores_without_pickle(facts, value, run_folder, tmp_path):
    approve_published(track_lifetime_value(value, facts=facts, run_folder=run_folder), facts.settings)
    known = snapshot(facts, AS_OF)
    known[list(value.model.columns)].astype("float64").to_parquet(tmp_path / "known.parquet")
    uri = store_of(facts.settings).uri
    subprocess.run(
        [sys.executable, "-W", "error::UserWarning:mlflow", "-c", LOAD, uri, tmp_path / "known.parquet",
         tmp_path / "found.parquet"],
        check=True,
    )  # fmt: skip
    found = pd.read_parquet(tmp_path / "found.parquet").set_axis(known["customer_id"].to_numpy())
    scores = value.scores.set_index("customer_id")[list(GIVEN)].loc[found.index]
    pd.testing.assert_frame_equal(found, scores, check_names=False, check_exact=True)
    files = [file for file in facts.settings.home.rglob("*") if file.is_file()]
    assert not [file for file in files if file.suffix in {".pkl", ".pickle", ".joblib", ".skops"}]
    asked = next(file for file in files if file.name == "requirements.txt").read_text().split()
    assert asked == requirements()
    assert {one.partition("==")[0] for one in asked} >= {"analytical-crm", "lifetimes", "scipy", "mlflow"}
    assert [one for one in asked if one.startswith("xgboost")]


def test_the_input_example_has_no_row_and_the_signature_every_column(facts, value, run_folder):
    track_lifetime_value(value, facts=facts, run_folder=run_folder)
    example = next(facts.settings.home.rglob("input_example.json"))
    assert json.loads(example.read_text())["data"] == []
    model = Model.load(next(facts.settings.home.rglob("MLmodel")))
    assert tuple(model.signature.inputs.input_names()) == value.model.columns
    assert tuple(model.signature.outputs.input_names()) == GIVEN


def test_no_customer_is_stored(facts, value, run_folder):
    track_lifetime_value(value, facts=facts, run_folder=run_folder)
    ids = [name.encode() for name in value.scores["customer_id"]]
    for file in facts.settings.home.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert not [name for name in ids if name in content], file


def test_a_champion_scores_and_what_is_fitted_beside_it_is_its_challenger(facts, value, run_folder):
    """The champion of three months before: its weights, at the level of today; its scoring is a run of its own."""
    before = AS_OF - dt.timedelta(days=91)
    champion = value_customers(facts, before)
    approve_published(track_lifetime_value(champion, facts=facts, run_folder=run_folder), facts.settings)
    standing = standing_model("lifetime-value", facts, AS_OF, retrain="never")
    assert (standing.version, standing.as_of) == ("1", before)
    never = value_customers(facts, AS_OF, standing=standing)
    assert (never.model.content, never.challenger, never.as_fitted) == (champion.model.content, None, None)
    assert set(never.scores["model_version"]) == {champion.model.content[:12]}
    customers = snapshot(facts, AS_OF)
    season = season_of(facts, AS_OF, never.horizon_days)
    for what, place in (("purchases", 0), ("value", 1)):
        weights, expected = champion.model.weights[what], champion.model.candidates.expect(customers)
        table = getattr(expected, what)
        level = weights.level(table, season=None if season is None else season.of(what))
        by_hand = weights.mix(table, floor=champion.model.floors[what]) * level
        np.testing.assert_allclose(never.model.in_season(customers, season).expect(customers)[place], by_hand)
    assert never.valued.customers["expected_value"].to_numpy() == pytest.approx(by_hand, abs=1e-4)
    (scoring,) = track_lifetime_value(never, facts=facts, run_folder=run_folder)
    assert client_of(facts).get_run(scoring).data.params["champion_version"] == "1"

    again = value_customers(facts, AS_OF, standing=replace(standing, retrain=True))
    pd.testing.assert_frame_equal(again.scores, never.scores)
    assert again.challenger.content == value.model.content, "what is fitted does not depend on what stands"
    assert again.as_fitted.findings["shipped"].sentence == value.findings["shipped"].sentence
    fitted, scored = track_lifetime_value(again, facts=facts, run_folder=run_folder)
    approve_published((fitted, scored), facts.settings)
    client = client_of(facts)
    assert client.get_model_version_by_alias("lifetime-value", "champion").run_id != fitted
    assert client.get_model_version_by_alias("lifetime-value", "challenger").run_id == fitted
    assert "portfolio_value" in client.get_run(scored).data.metrics
    assert "portfolio_value" not in client.get_run(fitted).data.metrics
