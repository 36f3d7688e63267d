"""Defection in a real store: all a reviewer needs, no customer, and a model that gives the published scores.

The chances of a small company are real ones: about half a minute, once for the file.
"""

import datetime as dt
import json
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest
from mlflow.models import Model

from crm.analyses.defection import analyse_defection
from crm.analyses.standing import Standing
from crm.facts import read_facts
from crm.review import drift_of
from crm.tracking import approve_published, champions, recall
from crm.tracking.defection import GIVEN, model_card, track_defection
from crm.tracking.store import store_of

pytestmark = pytest.mark.xdist_group("tracking")

AS_OF = dt.date(2018, 1, 1)


@pytest.fixture(scope="module")
def made(settings_for):
    """A small sample company, and who of its customers may leave."""
    facts = read_facts(settings_for("sample_company", AS_OF.isoformat(), source="customers = 250\nseed = 5"))
    return facts, analyse_defection(facts, AS_OF)


@pytest.fixture
def defection(made):
    return made[1]


@pytest.fixture
def known(made, defection):
    """What the model reads of each customer at stake, in the order of the scores."""
    table = defection.model.known_on(made[0], AS_OF).set_index("customer_id")
    return table.loc[defection.scores["customer_id"]]


def client_of(facts):
    return store_of(facts.settings).client


def scored_by_champion(defection):
    """The same, as it is where the champion scored and nothing was fitted."""
    return replace(defection, fitted=None, shipped=replace(defection.shipped, version="1"))


def test_a_draft_is_not_logged(facts, defection):
    assert track_defection(defection, facts=facts, run_folder="") == ()
    assert client_of(facts).get_experiment_by_name("defection") is None


def test_what_a_reviewer_finds(facts, defection, run_folder, known, drawn):
    drift = drift_of(defection.model.as_record(), known, facts.settings.review)
    figures = drawn("by_date")
    (run_id,) = track_defection(defection, facts=facts, run_folder=run_folder, figures=figures, drift=drift)
    approve_published([run_id], facts.settings)
    client = client_of(facts)
    run = client.get_run(run_id)
    assert run.info.status == "FINISHED"
    params, measures = run.data.params, run.data.metrics
    assert params["horizon_days"] == "56"
    assert params["leaving_is"] == "silence"
    assert params["assumption.kept_by_contact"] == "0.1"
    assert params["judged_on"] == ", ".join(map(str, defection.judged.dates))

    mean = defection.judged.mean.query("outcome == 'left'").set_index("candidate")
    shipped = mean[mean["shipped"]].iloc[0]
    assert measures["auc"] == pytest.approx(shipped["auc"])
    assert measures["best_rule_auc"] == pytest.approx(mean.loc[mean["kind"] == "rule", "auc"].max())
    gains = defection.judged.gains.query("outcome == 'left' and measure == 'auc'")
    assert measures["gain_auc_low"] == pytest.approx(gains.loc[gains["theirs"].idxmax(), "low"])
    assert measures["expected_to_leave"] == pytest.approx(defection.scores["probability"].sum())
    assert measures["drift_features_moved"] == drift.moved < 0.1 * measures["drift_features"]

    files = {file.path for folder in ("", "tables", "figures") for file in client.list_artifacts(run_id, folder)}
    tables = ("candidates_by_date", "candidates_mean", "gains", "over_plain", "calibration", "groups", "drivers",
              "sensitivity", "decision_curve", "changes", "partial", "drift")  # fmt: skip
    assert {
        "model_card.md",
        "population.json",
        "figures/by_date.svg",
        *(f"tables/{name}.csv" for name in tables),
    } <= files
    assert "figures/nothing.svg" not in files
    version = client.get_model_version_by_alias("defection", "champion")
    assert version.tags["crm.reviewed_by"] == "nobody"
    assert version.description == model_card(defection, facts)
    assert champions(facts.settings) == {"defection": {"version": "1", "run": run_folder.name}}


def test_the_measures_by_date_come_in_the_order_of_the_dates(facts, defection, run_folder):
    (run_id,) = track_defection(defection, facts=facts, run_folder=run_folder)
    points = client_of(facts).get_metric_history(run_id, "auc_by_date")
    shipped = defection.judged.table.query("shipped and outcome == 'left'").sort_values("date")
    assert {point.step: point.value for point in points} == pytest.approx(dict(enumerate(shipped["auc"])))
    assert len(points) == len(defection.judged.dates) > 1


def test_the_card_says_what_a_reviewer_must_know(facts, defection):
    card = model_card(defection, facts)
    headings = ("Purpose", "Population", "Horizon", "Data", "Features", "What ships", "Candidates and rules of thumb",
                "Calibration", "Where it fails", "What moves it", "Assumptions", "Limits", "To load it",
                "Reviewed by")  # fmt: skip
    for heading in headings:
        assert f"**{heading}.**" in card
    for name in ("trust", "assumptions", "contact", "shipped"):
        assert defection.findings[name].sentence in card, name
    for candidate in defection.judged.mean["candidate"]:
        assert f"| {candidate} |" in card
    assert "The groups with the worst order" in card
    assert "Nobody reviewed it yet" in card
    assert "| nan |" not in card


def test_the_card_of_a_history_too_short_to_judge_is_whole(facts, defection):
    tables = ("table", "mean", "gains", "over_plain", "calibration", "groups")
    nothing = {name: getattr(defection.judged, name).head(0) for name in tables}
    unjudged = replace(defection, judged=replace(defection.judged, dates=(), **nothing))
    assert "Judged on\nno date" in model_card(unjudged, facts)


def test_the_champion_that_scores_is_logged_without_a_model(facts, defection, run_folder, known):
    approve_published(track_defection(defection, facts=facts, run_folder=run_folder), facts.settings)
    drift = drift_of(defection.model.as_record(), known, facts.settings.review)
    (run_id,) = track_defection(scored_by_champion(defection), facts=facts, run_folder=run_folder, drift=drift)
    run = client_of(facts).get_run(run_id)
    assert run.data.tags["crm.scored_by"] == "1"
    assert run.data.metrics["drift_features_moved"] == drift.moved
    assert run.data.metrics["expected_to_leave"] == pytest.approx(defection.expected_to_leave)
    approve_published([run_id], facts.settings)
    assert len(client_of(facts).search_model_versions("name = 'defection'")) == 1


def test_a_challenger_is_registered_and_the_champion_logged_beside_it(facts, defection, run_folder):
    approve_published(track_defection(defection, facts=facts, run_folder=run_folder), facts.settings)
    other = replace(defection.fitted, seed=defection.fitted.seed + 1)
    both = replace(defection, fitted=other, shipped=replace(defection.shipped, version="1"))
    ids = track_defection(both, facts=facts, run_folder=run_folder)
    assert len(ids) == 2
    approve_published(ids, facts.settings)
    aliases = client_of(facts).get_registered_model("defection").aliases
    assert {alias: int(number) for alias, number in aliases.items()} == {"champion": 1, "challenger": 2}


def test_the_champion_comes_back_from_its_record_and_scores_the_same(made, facts, defection, run_folder):
    approve_published(track_defection(defection, facts=facts, run_folder=run_folder), facts.settings)
    found = recall("defection", facts, AS_OF)
    standing = Standing(record=found.record, version=found.version.number, as_of=found.as_of, retrain=False)
    again = analyse_defection(made[0], AS_OF, standing=standing)
    assert again.fitted is None
    assert again.shipped.version == "1"
    pd.testing.assert_frame_equal(again.scores, defection.scores, check_exact=True)


LOAD = """
import sys
import mlflow, pandas as pd
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/defection@champion")
model.predict(pd.read_parquet(sys.argv[2])).to_parquet(sys.argv[3])
"""


def test_the_registered_model_gives_the_scores_without_pickle(facts, defection, run_folder, tmp_path, known):
    approve_published(track_defection(defection, facts=facts, run_folder=run_folder), facts.settings)
    known[list(defection.model.columns)].astype("float64").to_parquet(tmp_path / "known.parquet")
    uri = store_of(facts.settings).uri
    subprocess.run(
        [sys.executable, "-W", "error::UserWarning:mlflow", "-c", LOAD, uri, tmp_path / "known.parquet",
         tmp_path / "found.parquet"],
        check=True,
    )  # fmt: skip
    found = pd.read_parquet(tmp_path / "found.parquet").set_axis(known.index)
    scores = defection.scores.set_index("customer_id")[list(GIVEN)]
    pd.testing.assert_frame_equal(found, scores, check_names=False, rtol=0, atol=1e-8)
    files = [file for file in facts.settings.home.rglob("*") if file.is_file()]
    assert not [file for file in files if file.suffix in {".pkl", ".pickle", ".joblib", ".skops"}]


def test_the_input_example_has_no_row_and_the_signature_every_column(facts, defection, run_folder):
    track_defection(defection, facts=facts, run_folder=run_folder)
    example = next(facts.settings.home.rglob("input_example.json"))
    assert json.loads(example.read_text())["data"] == []
    model = Model.load(next(facts.settings.home.rglob("MLmodel")))
    assert tuple(model.signature.inputs.input_names()) == defection.model.columns
    assert tuple(model.signature.outputs.input_names()) == GIVEN


def test_no_customer_is_stored(facts, defection, run_folder):
    track_defection(defection, facts=facts, run_folder=run_folder)
    ids = [name.encode() for name in defection.scores["customer_id"]]
    for file in facts.settings.home.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert not [name for name in ids if name in content], file
