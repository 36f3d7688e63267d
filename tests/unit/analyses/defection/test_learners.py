"""What learns who leaves: against scikit-learn, a planted truth, and labels drawn by lot."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from unit.analyses.defection.worlds import lesson

from crm.analyses.defection.learners import (
    BLEND,
    EVERYBODY,
    FEWEST_OF_EACH,
    REGRESSION,
    TREES,
    Learners,
    Lesson,
    chance,
    fit_regression,
    learn,
    log_odds_of,
    plain_chances,
    shift_to,
)
from crm.measures.chances import auc

NEWER = dt.date(2017, 11, 6)


@pytest.fixture(scope="module")
def learnt():
    """From two dates on which `rate_change` alone told who left."""
    return learn([lesson(500, seed=1), lesson(400, seed=2, date=NEWER)], horizon_days=56, seed=1)


def test_contributions_sum_to_the_log_odds_of_the_blend(learnt):
    known = lesson(200, seed=3).known
    each, added = learnt.log_odds(known), learnt.contributions(known)
    assert list(added.columns) == [*known.columns, EVERYBODY]
    np.testing.assert_allclose(added.sum(axis=1), each[BLEND], atol=1e-5)
    np.testing.assert_allclose(each[BLEND], (each[REGRESSION] + each[TREES]) / 2)


def test_the_planted_driver_leads_and_is_found_out_of_sample(learnt):
    new = lesson(600, seed=4)
    moved = learnt.contributions(new.known).drop(columns=EVERYBODY).abs().mean()
    assert moved.idxmax() == "rate_change"
    assert moved["rate_change"] > 3 * moved.drop("rate_change").max()
    truth = auc(new.left, new.known["rate_change"].to_numpy())
    for name, expected in learnt.log_odds(new.known).items():
        assert auc(new.left, expected) > truth - 0.03, name


@pytest.mark.parametrize("penalty", [0.01, 1.0])
def test_the_regression_is_that_of_scikit_learn_on_standardised_logs(penalty):
    old, new = lesson(400, seed=5), lesson(100, seed=6)

    def logs(known):
        signed = known[["rate_change", "price_change"]]
        return pd.concat([np.log1p(known[["net_sales_last", "cases_last"]]), signed], axis=1)

    scaler = StandardScaler().fit(logs(old.known))

    def standard(known):
        return np.nan_to_num(np.clip(scaler.transform(logs(known)), -4, 4))

    theirs = LogisticRegression(C=penalty, max_iter=500, tol=1e-8).fit(standard(old.known), old.left)
    ours = fit_regression(old.known, old.left, penalty=penalty)
    np.testing.assert_allclose(ours.log_odds(new.known), theirs.decision_function(standard(new.known)), atol=2e-3)


def test_what_is_empty_counts_as_the_mean(learnt):
    known = lesson(50, seed=7).known.assign(price_change=np.nan)
    added = learnt.regression.contributions(known)
    assert (added[:, list(known.columns).index("price_change")] == 0).all()


def test_a_column_never_filled_and_one_that_never_varies_say_nothing():
    one = lesson(300, seed=8)
    known = one.known.assign(never=np.nan, always=7.0)
    fitted = fit_regression(known, one.left)
    assert (fitted.contributions(known.assign(always=900.0))[:, -2:] == 0).all()


def test_the_record_gives_the_same_numbers_bit_for_bit(learnt):
    kept = Learners.from_record(json.loads(json.dumps(learnt.as_record())))
    known = lesson(200, seed=9).known
    for name, expected in learnt.log_odds(known).items():
        np.testing.assert_array_equal(kept.log_odds(known)[name], expected)
    pd.testing.assert_frame_equal(kept.contributions(known), learnt.contributions(known), check_exact=True)
    assert (kept.penalty, kept.rounds) == (learnt.penalty, learnt.rounds)


def test_the_same_lessons_and_seed_give_the_same_models_in_whatever_order(learnt):
    again = learn([lesson(400, seed=2, date=NEWER), lesson(500, seed=1)], horizon_days=56, seed=1)
    assert json.dumps(again.as_record()) == json.dumps(learnt.as_record())


def test_labels_drawn_by_lot_teach_nothing():
    learnt = learn([lesson(600, seed=10, weight=0.0)], horizon_days=56, seed=1)
    new = lesson(3000, seed=11, weight=0.0)
    assert abs(auc(new.left, learnt.log_odds(new.known)[BLEND]) - 0.5) < 0.04


@pytest.mark.parametrize("turned", [False, True], ids=["too few left", "too few stayed"])
@pytest.mark.parametrize(("few", "learns"), [(FEWEST_OF_EACH - 1, False), (FEWEST_OF_EACH, True)])
def test_nothing_is_learnt_from_fewer_than_ten_of_each(few, learns, turned):
    known, left = lesson(80).known, (np.arange(80) < few).astype("float64")
    lessons = [Lesson(NEWER, known, 1 - left if turned else left)]
    assert (learn(lessons, horizon_days=56, seed=1) is not None) is learns
    assert (plain_chances(lessons, known, seed=1) is not None) is learns


def test_nothing_is_learnt_from_nobody():
    assert learn([], horizon_days=56, seed=1) is None


@pytest.mark.parametrize("without", [0, 1], ids=["the older date lacks it", "the newer date lacks it"])
def test_a_column_that_one_of_the_dates_lacks(without):
    """The purchase model is not determined on every date: its chances are then missing there."""
    lessons = [lesson(200, seed=1), lesson(200, seed=2, date=NEWER)]
    poorer = lessons[without]
    lessons[without] = Lesson(poorer.date, poorer.known.drop(columns="price_change"), poorer.left)
    learnt = learn(lessons, horizon_days=56, seed=1)
    assert set(learnt.columns) == set(lesson(1).known.columns)


@pytest.mark.parametrize("share", [0.001, 0.06, 0.5, 0.97])
def test_the_shift_sets_the_mean_chance(share):
    log_odds = np.random.default_rng(1).normal(-2, 1.5, 500)
    assert chance(log_odds + shift_to(log_odds, share)).mean() == pytest.approx(share, rel=1e-6)
    assert chance(log_odds_of(share)) == pytest.approx(share)


def test_every_lesson_has_a_level_of_its_own_and_the_newest_s_is_kept():
    """On the older date many more left, whose numbers were higher for all alike: the column itself tells nothing."""
    old, new = lesson(2000, seed=1, weight=0.0), lesson(2000, seed=2, weight=0.0)
    known = pd.concat([old.known.assign(rate_change=old.known["rate_change"] + 2), new.known], ignore_index=True)
    draw = np.random.default_rng(3).random(4000)
    dates = np.repeat([0.0, 1.0], 2000)
    left = (draw < np.where(dates == 0, 0.6, 0.1)).astype("float64")
    at = list(known.columns).index("rate_change")
    apart, as_one = (fit_regression(known, left, penalty=1.0, dates=one) for one in (dates, None))
    assert abs(apart.weights[at]) < 0.15 < as_one.weights[at]
    assert chance(apart.log_odds(new.known)).mean() == pytest.approx(left[dates == 1].mean(), abs=0.01)


def test_what_is_usual_stands_where_one_lesson_can_judge_nothing():
    learnt = learn([lesson(400, seed=1, weight=0.0)], horizon_days=56, seed=1)
    assert (learnt.penalty, learnt.rounds) == (0.01, 250)


@pytest.mark.parametrize(
    ("weight", "usual"), [(0.1, True), (2.0, False)], ids=["hardly anything to learn", "one thing tells it all"]
)
def test_what_is_usual_is_left_only_where_the_newest_lesson_clearly_says_otherwise(weight, usual):
    lessons = [lesson(1200, seed=1, weight=weight), lesson(1200, seed=2, weight=weight, date=NEWER)]
    learnt = learn(lessons, horizon_days=56, seed=1)
    assert ((learnt.penalty, learnt.rounds) == (0.01, 250)) is usual
