"""Campaign response in a real store: all a reviewer needs, no customer, and a model that gives the published chances.

A small sample company, read, learnt and judged once for the file: some twenty seconds.
"""

import datetime as dt
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from crm.analyses.campaign_success import analyse_campaigns
from crm.analyses.campaign_success.campaigns import read_campaigns
from crm.analyses.campaign_success.model import today_of
from crm.analyses.standing import Standing
from crm.facts import read_facts
from crm.review import drift_of
from crm.review.reviewable import reviewable_of
from crm.tracking import approve_published, champions, recall, track_campaigns
from crm.tracking.campaign_success import GIVEN, model_card
from crm.tracking.store import store_of

pytestmark = pytest.mark.xdist_group("tracking")

AS_OF = dt.date(2018, 1, 1)
NAME = "campaign-response"


@pytest.fixture(scope="module")
def made(settings_for):
    """A small sample company, and what its campaigns caused."""
    facts = read_facts(settings_for("sample_company", AS_OF.isoformat(), source="customers = 1_000\nseed = 5"))
    return facts, analyse_campaigns(facts, AS_OF)


@pytest.fixture
def found(made):
    return made[1]


def test_a_draft_and_what_nothing_was_learnt_from_are_not_logged(facts, found, run_folder):
    assert track_campaigns(found, facts=facts, run_folder="") == ()
    nothing = replace(found, targeting=replace(found.targeting, model=None))
    assert track_campaigns(nothing, facts=facts, run_folder=run_folder) == ()
    assert store_of(facts.settings).client.get_experiment_by_name(NAME) is None


def test_what_a_reviewer_finds_and_no_customer(facts, found, run_folder, drawn):
    (run_id,) = track_campaigns(found, facts=facts, run_folder=run_folder, figures=drawn("effects"))
    approve_published([run_id], facts.settings)
    client = store_of(facts.settings).client
    run = client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["ships"] == found.targeting.model.response.ships
    gains = found.targeting.response.gains
    row = gains[(gains["candidate"] == found.targeting.response.ships) & (gains["measure"] == "auc")]
    if len(row):
        assert run.data.metrics["gain_auc_low"] == pytest.approx(row["low"].iloc[0])
        assert run.data.metrics["rule_auc"] < run.data.metrics["auc"]
    assert run.data.metrics["effect"] == pytest.approx(found.together(found.judged_by).effect)
    files = {file.path for folder in ("", "tables", "figures") for file in client.list_artifacts(run_id, folder)}
    assert {"model_card.md", "population.json", "figures/effects.svg", "tables/campaigns.csv"} <= files
    assert champions(facts.settings) == {NAME: {"version": "1", "run": run_folder.name}}
    assert client.get_model_version_by_alias(NAME, "champion").description == model_card(found, facts)
    ids = [name.encode() for name in found.scores["customer_id"].unique()]
    for file in facts.settings.home.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert not [name for name in ids if name in content], file
            assert file.suffix not in {".pkl", ".pickle", ".joblib", ".skops"}


def test_the_card_says_what_a_reviewer_must_know(facts, found):
    card = model_card(found, facts)
    headings = ("Purpose", "Population", "What it gives", "Data", "Columns", "What ships", "Candidates",
                "Calibration", "Whom a contact changes", "What campaigns caused", "Limits", "To load it",
                "Reviewed by")  # fmt: skip
    for heading in headings:
        assert f"**{heading}.**" in card
    assert "| nan |" not in card
    for name in found.summary["name"]:
        assert f"| {name} |" in card


def test_the_champion_comes_back_scores_the_same_and_a_challenger_stands_beside_it(made, facts, found, run_folder):
    approve_published(track_campaigns(found, facts=facts, run_folder=run_folder), facts.settings)
    recalled = recall(NAME, facts, AS_OF)
    standing = Standing(recalled.record, recalled.version.number, recalled.version.as_of, retrain=False)
    again = analyse_campaigns(made[0], AS_OF, standing=standing)
    assert again.targeting.challenger is None
    pd.testing.assert_frame_equal(again.scores, found.scores, check_exact=True)
    (run_id,) = track_campaigns(again, facts=facts, run_folder=run_folder)
    assert store_of(facts.settings).client.get_run(run_id).data.tags["crm.scored_by"] == "1"


LOAD = """
import sys
import mlflow, pandas as pd
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/campaign-response@champion")
model.predict(pd.read_parquet(sys.argv[2])).to_parquet(sys.argv[3])
"""


def test_the_registered_model_gives_what_the_model_gives(made, facts, found, run_folder, tmp_path):
    approve_published(track_campaigns(found, facts=facts, run_folder=run_folder), facts.settings)
    model, today = found.targeting.model, today_of(made[0], read_campaigns(made[0], AS_OF), AS_OF)
    known = today.known(today.newest_kind)[list(model.columns)].astype("float64").head(40)
    known.to_parquet(tmp_path / "known.parquet")
    uri = store_of(facts.settings).uri
    subprocess.run(
        [sys.executable, "-c", LOAD, uri, tmp_path / "known.parquet", tmp_path / "told.parquet"], check=True
    )
    told = pd.read_parquet(tmp_path / "told.parquet")
    assert tuple(told.columns) == GIVEN
    assert told["probability"].to_numpy() == pytest.approx(model.response.chance(known, ""), abs=1e-9)


def test_review_judges_whoever_was_contacted(made, found):
    facts, reviewable = made[0], reviewable_of(NAME)
    dates = reviewable.dates(facts, AS_OF)
    assert dates
    rows = reviewable.rows(facts, dates[0])
    assert rows["customer_id"].is_unique
    assert set(rows["outcome"]) == {0.0, 1.0}
    model = reviewable.load(found.targeting.model.as_record())
    chances = reviewable.score(model, facts, dates[0])
    assert len(chances) == len(rows)
    assert np.isfinite(chances).all()
    assert reviewable.fitted_through(model) == AS_OF
    today = drift_of(found.targeting.model.as_record(), reviewable.population(facts, AS_OF), facts.settings.review)
    assert today.known
    assert today.moved == 0, "it was fitted for the customers of today"
