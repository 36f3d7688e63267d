"""Cross-sell in a real store: all a reviewer needs, no customer, and a model that gives the published chances.

A small sample company, learnt and judged once for the file: some twenty seconds.
"""

import dataclasses
import datetime as dt
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from crm.analyses.cross_sell import cross_sell_to_customers
from crm.analyses.cross_sell.pairs import COLUMNS, describe
from crm.analyses.cross_sell.panel import read_panel
from crm.analyses.standing import Standing
from crm.facts import read_facts
from crm.review import drift_of
from crm.review.reviewable import reviewable_of
from crm.tracking import approve_published, champions, recall, track_cross_sell
from crm.tracking.cross_sell import model_card
from crm.tracking.store import store_of

pytestmark = pytest.mark.xdist_group("tracking")

AS_OF = dt.date(2018, 1, 1)


@pytest.fixture(scope="module")
def made(settings_for):
    """A small sample company, and what its customers would buy next."""
    facts = read_facts(settings_for("sample_company", AS_OF.isoformat(), source="customers = 250\nseed = 5"))
    return facts, cross_sell_to_customers(facts, AS_OF)


@pytest.fixture
def found(made):
    return made[1]


def client_of(facts):
    return store_of(facts.settings).client


def test_a_draft_and_data_without_products_are_not_logged(facts, found, run_folder):
    assert track_cross_sell(found, facts=facts, run_folder="") == ()
    assert track_cross_sell(replace(found, model=None), facts=facts, run_folder=run_folder) == ()
    assert client_of(facts).get_experiment_by_name("cross-sell") is None


def test_what_a_reviewer_finds_and_no_customer(facts, found, run_folder, drawn):
    figures = drawn("gains")
    (run_id,) = track_cross_sell(found, facts=facts, run_folder=run_folder, figures=figures)
    approve_published([run_id], facts.settings)
    client = client_of(facts)
    run = client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["horizon_days"] == "56"
    assert run.data.params["ships"] == found.model.ships
    dates = sorted(set(found.judged.table["date"]))
    assert run.data.params["judged_on"] == ", ".join(map(str, dates))

    measures, mean = run.data.metrics, found.judged.mean.set_index("candidate")
    assert measures["ndcg_5"] == pytest.approx(mean.loc[found.model.ships, "ndcg_5"])
    assert measures["best_sellers_map_5"] == pytest.approx(mean.loc["Best-sellers", "map_5"])
    gains = found.judged.gains.query("against == 'Best-sellers' and measure == 'ndcg_5'").iloc[0]
    assert measures["gain_ndcg_5_low"] == pytest.approx(gains["low"])
    assert measures["more_margin_than_likeliest"] == pytest.approx(found.offers["more_margin"].sum())
    points = client.get_metric_history(run_id, "ndcg_5_by_date")
    assert sorted(point.step for point in points) == list(range(len(dates)))

    files = {file.path for folder in ("", "tables", "figures") for file in client.list_artifacts(run_id, folder)}
    tables = ("candidates_by_date", "candidates_mean", "gains", "calibration", "items", "goes_with", "up_sell")
    assert {
        "model_card.md",
        "population.json",
        "figures/gains.svg",
        *(f"tables/{name}.csv" for name in tables),
    } <= files
    assert "figures/nothing.svg" not in files
    version = client.get_model_version_by_alias("cross-sell", "champion")
    assert version.description == model_card(found, facts)
    assert champions(facts.settings) == {"cross-sell": {"version": "1", "run": run_folder.name}}
    ids = [name.encode() for name in found.scores["customer_id"].unique()]
    for file in facts.settings.home.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert not [name for name in ids if name in content], file
            assert file.suffix not in {".pkl", ".pickle", ".joblib", ".skops"}


def test_the_card_says_what_a_reviewer_must_know(facts, found):
    card = model_card(found, facts)
    headings = ("Purpose", "Population", "Items", "Horizon", "Data", "Columns", "What ships", "Candidates",
                "Calibration", "Assumptions", "Limits", "To load it", "Reviewed by")  # fmt: skip
    for heading in headings:
        assert f"**{heading}.**" in card
    for candidate in found.judged.mean["candidate"]:
        assert f"| {candidate} |" in card
    assert found.findings["gain"].sentence in card
    assert "| nan |" not in card
    nothing = {name: getattr(found.judged, name).head(0) for name in ("table", "mean", "gains", "calibration")}
    unjudged = replace(found, judged=replace(found.judged, **nothing))
    assert "Judged on no date" in model_card(unjudged, facts)


def test_the_champion_comes_back_scores_the_same_and_a_challenger_stands_beside_it(made, facts, found, run_folder):
    approve_published(track_cross_sell(found, facts=facts, run_folder=run_folder), facts.settings)
    recalled = recall("cross-sell", facts, AS_OF)
    standing = Standing(recalled.record, recalled.version.number, recalled.version.as_of, retrain=False)
    again = cross_sell_to_customers(made[0], AS_OF, standing=standing)
    assert again.challenger is None
    pd.testing.assert_frame_equal(again.scores, found.scores, check_exact=True)
    (run_id,) = track_cross_sell(again, facts=facts, run_folder=run_folder)
    assert client_of(facts).get_run(run_id).data.tags["crm.scored_by"] == "1"

    both = replace(again, challenger=replace(found.model, seed=found.model.seed + 1))
    ids = track_cross_sell(both, facts=facts, run_folder=run_folder)
    assert len(ids) == 2
    approve_published(ids, facts.settings)
    aliases = client_of(facts).get_registered_model("cross-sell").aliases
    assert {alias: int(number) for alias, number in aliases.items()} == {"champion": 1, "challenger": 2}


LOAD = """
import sys
import mlflow, pandas as pd
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/cross-sell@champion")
model.predict(pd.read_parquet(sys.argv[2])).to_parquet(sys.argv[3])
"""


def test_the_registered_model_gives_the_published_chances(made, facts, found, run_folder, tmp_path):
    approve_published(track_cross_sell(found, facts=facts, run_folder=run_folder), facts.settings)
    first = found.scores[found.scores["rank"] == 1].head(50)
    panel = read_panel(made[0], found.seen.items, AS_OF, list(first["customer_id"]))
    wanted = np.zeros(panel.days.shape, dtype=bool)
    wanted[np.arange(len(first)), [found.seen.items.place(item) for item in first["item"]]] = True
    rows = pd.DataFrame(describe(panel, found.seen.market, wanted), columns=list(COLUMNS)).astype("float64")
    rows.to_parquet(tmp_path / "pairs.parquet")
    uri = store_of(facts.settings).uri
    subprocess.run(
        [sys.executable, "-c", LOAD, uri, tmp_path / "pairs.parquet", tmp_path / "found.parquet"], check=True
    )
    given = pd.read_parquet(tmp_path / "found.parquet")["probability"]
    assert given.to_numpy() == pytest.approx(first["probability"].to_numpy(), abs=1e-4)
    example = next(facts.settings.home.rglob("input_example.json"))
    assert json.loads(example.read_text())["data"] == []


def test_review_judges_one_new_item_of_each_customer(made, found):
    facts, reviewable = made[0], reviewable_of("cross-sell")
    date = reviewable.dates(facts, AS_OF)[0]
    rows, again = reviewable.rows(facts, date), reviewable.rows(facts, date)
    pd.testing.assert_frame_equal(rows, again)
    assert rows["customer_id"].is_unique
    assert set(rows["outcome"]) == {0.0, 1.0}
    assert set(rows["group"]) == {"small", "middle", "large"}
    model = reviewable.load(found.model.as_record())
    chances = reviewable.score(model, facts, date)
    assert len(chances) == len(rows)
    assert ((chances > 0) & (chances < 1)).all()
    assert reviewable.fitted_through(model) == AS_OF
    plain = dataclasses.replace(model, learners=None)
    assert len(np.unique(reviewable.score(plain, facts, date))) <= len(found.seen.items)
    today = drift_of(found.model.as_record(), reviewable.population(facts, AS_OF), facts.settings.review)
    assert today.known
    assert today.moved == 0, "it was fitted for the customers of today"
    record = found.model.as_record()
    assert reviewable.other_question(record, facts) == ""
    assert "department" in reviewable.other_question(record | {"level": "department"}, facts)
    assert reviewable.learnt_through(record) <= AS_OF
