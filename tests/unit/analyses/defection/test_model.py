"""The model that scores: its chances, its record, and that it knows no outcome of the date it scores."""

import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from unit.analyses.defection.worlds import AS_OF, SAMPLE, bought, comers_and_goers, model_of

from crm.analyses.defection.dates import lessons_for
from crm.analyses.defection.labels import at_stake_now, label
from crm.analyses.defection.learners import BLEND, chance
from crm.analyses.defection.model import SCORE, DefectionModel, fit_defection_model, read_lessons
from crm.facts import read_facts
from crm.measures.chances import auc


@pytest.fixture(scope="module")
def facts(settings_for):
    return read_facts(settings_for("sample_company", AS_OF.isoformat(), source=SAMPLE))


@pytest.fixture(scope="module")
def model(facts):
    return model_of(facts)


@pytest.fixture(scope="module")
def lessons(facts):
    return read_lessons(facts, AS_OF)


@pytest.fixture(scope="module")
def known(facts, model):
    return model.known_on(facts, AS_OF)


def test_chances_lie_between_0_and_1_and_partly_is_at_least_wholly(facts, model, known):
    assert known["customer_id"].tolist() == at_stake_now(facts, AS_OF)["customer_id"].tolist()
    chances = model.chances(known)
    assert chances["left"].between(0, 1, inclusive="neither").all()
    assert chances["left_partly"].between(0, 1, inclusive="neither").all()
    assert (chances["left_partly"] >= chances["left"]).all()
    assert (chances["left_partly"] > chances["left"]).any()


def test_what_it_is_made_of(facts, model):
    assert (model.name, model.rule, model.horizon_days) == (BLEND, "", 56)
    assert model.learnt_from == lessons_for(facts, AS_OF, horizon_days=56)
    assert set(model.columns) == set(model.known_on(facts, AS_OF)) - {"customer_id"}
    labelled = label(facts, model.learnt_from[0])
    assert model.share["left"] == pytest.approx(labelled["left"].mean())


def test_what_is_typical_is_the_median_of_those_who_stayed(lessons, model):
    parts = [lesson.known[lesson.left == 0] for lesson in lessons.by_outcome["left"]]
    for column in ("days_since_last_purchase", "net_sales_56d", "log_odds_of_silence"):
        assert model.typical[column] == pytest.approx(np.nanmedian(np.concatenate([part[column] for part in parts])))


def test_contributions_and_level_are_the_log_odds(model, known):
    moved = replace(model, level={"left": 0.7})
    np.testing.assert_allclose(moved.log_odds(known), model.log_odds(known) + 0.7)
    np.testing.assert_allclose(moved.chances(known)["left"], chance(model.log_odds(known) + 0.7))
    everybody = model.learners["left"].contributions(known).iloc[:, -1]
    np.testing.assert_allclose(model.contributions(known).sum(axis=1) + everybody, model.log_odds(known), atol=1e-4)


def test_the_record_gives_the_same_chances_bit_for_bit(model, known):
    kept = DefectionModel.from_record(json.loads(json.dumps(model.of_population(known).as_record())))
    pd.testing.assert_frame_equal(kept.chances(known), model.chances(known), check_exact=True)
    assert kept.content == model.of_population(known).content != model.content
    assert SCORE in json.dumps(kept.population.as_record())
    part = known.iloc[10:20]
    pd.testing.assert_frame_equal(kept.chances(part), model.chances(known).iloc[10:20], rtol=1e-9)


def test_the_same_facts_and_date_give_the_same_model(facts, lessons, model):
    assert fit_defection_model(facts, AS_OF, lessons=lessons).content == model.content


def test_where_a_column_is_not_there_any_more_it_still_scores(model, known):
    poorer = known.assign(late_last=np.nan, price_change=np.nan)
    assert model.chances(poorer)["left"].between(0, 1).all()


FITTED, SCORED = dt.date(2017, 10, 2), dt.date(2018, 1, 1)


def test_neither_fitting_nor_scoring_sees_an_outcome(company):
    """Fitted on 2017-10-02, scored on 2018-01-01: once with what came later, once with nonsense instead."""
    rows = comers_and_goers(150, 650)
    cut = [row for row in rows if row[1] > 56]
    some = [
        company({"purchases": bought(part, SCORED + dt.timedelta(days=56))}, "2018-01-01")
        for part in (rows, [*cut, *((who, 56 - day % 56, 9e4) for who, day, _ in rows if day < 200)])
    ]
    models = [model_of(facts, FITTED) for facts in some]
    assert models[0].learners["left"] is not None
    assert len({one.content for one in models}) == 1
    scores = [one.chances(one.known_on(facts, SCORED)) for one, facts in zip(models, some, strict=True)]
    pd.testing.assert_frame_equal(scores[0], scores[1], check_exact=True)
    came = label(some[0], SCORED)["left"].to_numpy("float64")
    assert auc(came, scores[0]["left"].to_numpy()) > 0.6
