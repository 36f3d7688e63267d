"""Cross-sell against what a sample company's customers truly like, and which categories truly bring others."""

import datetime as dt

import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from crm.analyses.cross_sell import cross_sell
from crm.facts import read_facts
from crm.sources.sample_company import read_truth

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def company(settings_for):
    return read_facts(settings_for("sample_company", "2018-01-01", source="customers = 10_000\nseed = 1"))


@pytest.fixture(scope="module")
def answer(company):
    return cross_sell(company, dt.date(2018, 1, 1))


@pytest.fixture(scope="module")
def truth(company):
    folder = company.settings.folders.data / "raw" / "sample_company" / "10000-customers-seed-1"
    return {name: read_truth(folder, name) for name in ("affinities", "complements")}


def test_planted_complements_are_among_the_strongest_pairs(answer, truth):
    """Measured: five of six among the fifteen strongest of 1,770; each of the six is beyond chance."""
    pairs = [{str(one), str(other)} for one, other in answer.together.pairs[["item", "goes_with"]].to_numpy()]
    planted = [{row.category, row.brings} for row in truth["complements"].itertuples()]
    assert sum(pair in pairs[:15] for pair in planted) >= 5
    market, items = answer.seen.market, answer.seen.items
    assert all(market.goes_with[tuple(items.place(name) for name in sorted(pair))] for pair in planted)


def test_planted_tastes_are_told_from_others(answer, truth):
    """Is a category one of the customer's five favourites? By the chance of what is new to them."""
    seen, model = answer.seen, answer.model
    active = seen.active(56)
    chance = pd.DataFrame(
        model.probability(active, seen.market), index=active.customer_ids, columns=seen.items.names
    )
    chance = chance.stack().dropna()
    liked = pd.MultiIndex.from_frame(truth["affinities"][["customer_id", "category"]])
    auc = roc_auc_score(chance.index.isin(liked), chance.to_numpy())
    assert auc > 0.65, auc


def test_every_model_beats_the_best_sellers(answer):
    """Measured: NDCG of the first five 0.179 against 0.135."""
    mean = answer.judged.mean.set_index("candidate")["ndcg_5"]
    assert mean["Blend"] > mean["Best-sellers"] + 0.02
    assert answer.model.ships == "Blend"


def test_chances_and_what_is_expected_of_all(answer):
    row = answer.judged.mean.set_index("candidate").loc["Blend"]
    assert row["calibration_error"] < 0.01
    assert answer.scores["probability"].between(0, 1).all()
    assert answer.items["expected_buyers"].sum() > 0
