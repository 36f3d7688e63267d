"""Defection before the judge: who is judged, and that a twin is what was fitted then."""

import datetime as dt
import inspect

import numpy as np
import pytest
from unit.analyses.defection.worlds import AS_OF, SAMPLE, model_of

from crm.analyses.defection.dates import judged_on
from crm.analyses.defection.labels import label
from crm.analyses.defection.reviewing import REVIEWABLE
from crm.facts import read_facts
from crm.review import reviewable_of
from crm.review.reviewable import Reviewable, population_of

BEFORE = dt.date(2017, 11, 6)


@pytest.fixture(scope="module")
def facts(settings_for):
    return read_facts(settings_for("sample_company", AS_OF.isoformat(), source=SAMPLE))


@pytest.fixture(scope="module")
def model(facts):
    return REVIEWABLE.load(model_of(facts, BEFORE).as_record())


def test_it_offers_what_the_judge_asks():
    assert reviewable_of("defection") is REVIEWABLE
    assert (REVIEWABLE.name, REVIEWABLE.kind) == ("defection", "chance")
    asked = [name for name, _ in inspect.getmembers(Reviewable, inspect.isfunction) if not name.startswith("_")]
    assert {"load", "fitted_through", "dates", "rows", "score", "twin"} <= set(asked)
    for name in asked:
        wanted, offered = (inspect.signature(getattr(one, name)) for one in (Reviewable, type(REVIEWABLE)))
        assert list(wanted.parameters) == list(offered.parameters), name


def test_its_twin_is_what_was_fitted_then(facts, model):
    twin = REVIEWABLE.twin(model, facts, BEFORE)
    assert REVIEWABLE.fitted_through(model) == REVIEWABLE.fitted_through(twin) == BEFORE
    assert twin.content == model.content
    np.testing.assert_array_equal(REVIEWABLE.score(twin, facts, BEFORE), REVIEWABLE.score(model, facts, BEFORE))


def test_whom_it_is_judged_on(facts, model):
    dates = REVIEWABLE.dates(facts, AS_OF)
    assert dates == judged_on(facts, AS_OF, horizon_days=56)
    assert dates[0] == BEFORE
    rows, labelled = REVIEWABLE.rows(facts, BEFORE), label(facts, BEFORE)
    assert list(rows) == ["customer_id", "outcome", "group"]
    assert rows["customer_id"].tolist() == labelled["customer_id"].tolist()
    assert rows["outcome"].sum() == labelled["left"].sum() > 0
    thirds = rows["group"].value_counts()
    assert thirds.max() - thirds.min() <= 1
    spent = labelled.groupby(rows["group"])["net_sales_182d"]
    assert spent.max()["small"] <= spent.min()["middle"]
    assert spent.max()["middle"] <= spent.min()["large"]


def test_scores_stand_in_the_order_of_the_rows(facts, model):
    rows, scores = REVIEWABLE.rows(facts, BEFORE), REVIEWABLE.score(model, facts, BEFORE)
    known = model.known_on(facts, BEFORE)
    by_customer = dict(zip(known["customer_id"], model.chances(known)["left"], strict=True))
    assert scores.tolist() == [by_customer[customer] for customer in rows["customer_id"]]
    assert ((scores > 0) & (scores < 1)).all()


def test_it_scores_a_date_whose_outcome_is_not_known(facts, model):
    population = population_of(REVIEWABLE, facts, AS_OF)
    assert len(REVIEWABLE.score(model, facts, AS_OF)) == len(population)
    assert set(model.columns) <= set(population)
