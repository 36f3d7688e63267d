"""What is learnt from earlier dates: the mean and the middle of what comes, where both are planted."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from crm.analyses.lifetime_value.learners import TREES, Lesson, learn

CUSTOMERS, SPREAD = 4_000, 0.8
MEDIAN_OVER_MEAN = np.exp(-(SPREAD**2) / 2)


def lesson(seed, *, level=1.0):
    """Customers with a rate; how much comes of each is lognormal around it, so that the middle is known."""
    rng = np.random.default_rng(seed)
    rate = rng.uniform(2.0, 40.0, CUSTOMERS)
    known = pd.DataFrame({"rate": rate, "noise": rng.normal(size=CUSTOMERS)})
    value = level * 10 * rate * np.exp(SPREAD * rng.normal(size=CUSTOMERS) - SPREAD**2 / 2)
    return Lesson(dt.date(2017, 1, 1), known, purchases=rng.poisson(level * rate).astype("float64"), value=value)


@pytest.fixture(scope="module")
def learnt():
    return learn([lesson(1)], days=91, seed=1)


def test_the_middle_over_the_mean_is_what_was_planted(learnt):
    """Half and more below the mean where the tail is long; about the mean where counts are even."""
    *_, middles = learnt.expect(lesson(2).known)
    assert np.median(middles["value"]) == pytest.approx(MEDIAN_OVER_MEAN, abs=0.06)
    assert np.median(middles["purchases"]) == pytest.approx(1.0, abs=0.06)


@pytest.mark.parametrize("level", [0.7, 1.0, 1.4])
def test_in_another_season_the_middle_of_the_right_mean_errs_less_than_the_mean(learnt, level):
    """The lessons lie in a season of their own: what is carried over is the ratio."""
    later = lesson(3, level=level)
    _, value, middles = learnt.expect(later.known)
    mean = level * value[TREES]
    error = np.abs(later.value - mean * middles["value"]).mean()
    assert error < 0.96 * np.abs(later.value - mean).mean()
    assert error < 1.02 * np.abs(later.value - MEDIAN_OVER_MEAN * level * 10 * later.known["rate"]).mean()


def test_the_same_lessons_give_the_same_middle_and_a_part_the_same_as_the_whole(learnt):
    known = lesson(4).known
    *_, middles = learnt.expect(known)
    *_, again = learn([lesson(1)], days=91, seed=1).expect(known)
    *_, part = learnt.expect(known.iloc[100:107])
    for what, middle in middles.items():
        np.testing.assert_array_equal(middle, again[what])
        np.testing.assert_array_equal(middle[100:107], part[what])
