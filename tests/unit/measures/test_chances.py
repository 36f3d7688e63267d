"""Measures of chances: by hand on a few customers, as a library has them on many, and nothing for luck."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from statsmodels.stats.proportion import proportion_confint

from crm.measures.chances import (
    auc,
    average_precision,
    brier,
    calibration_table,
    capture,
    expected_calibration_error,
    lift,
)

NAN = float("nan")


def arrays(text):
    """`came chance` pairs, drawn: "1 .9  0 .4"."""
    numbers = np.array(text.split(), dtype="float64").reshape(-1, 2)
    return numbers[:, 0], numbers[:, 1]


@pytest.mark.parametrize(
    ("drawn", "auc_is", "precision_is"),
    [
        ("1 .9  0 .4  0 .3", 1.0, 1.0),
        ("0 .9  0 .4  1 .3", 0.0, 1 / 3),
        ("1 .9  0 .4  1 .3  0 .1", 3 / 4, (1 + 2 / 3) / 2),
        ("1 .5  0 .5  0 .5  1 .5", 0.5, 1 / 2),  # a constant says nothing
        ("1 .5  0 .5  0 .1", 3 / 4, 1 / 2),  # one pair tied, one right
        ("1 .5  1 .4", NAN, NAN),  # nobody to tell them from
        ("0 .5  0 .4", NAN, NAN),
        ("", NAN, NAN),
    ],
)
def test_the_order_of_a_few_customers(drawn, auc_is, precision_is):
    came, chance = arrays(drawn)
    assert auc(came, chance) == pytest.approx(auc_is, nan_ok=True)
    assert average_precision(came, chance) == pytest.approx(precision_is, nan_ok=True)


@pytest.mark.parametrize(
    ("drawn", "share", "captured"),
    [
        ("1 .9  0 .4  0 .3  0 .2", 0.25, 1.0),
        ("0 .9  1 .4  1 .3  0 .2", 0.5, 0.5),
        ("1 .9  0 .4  0 .3  0 .2", 0.1, 0.4),  # a tenth of four is less than half a customer
        ("1 .5  0 .5  0 .5  1 .5", 0.25, 0.25),  # tied: nobody is picked out
        ("0 .9  0 .4", 0.5, NAN),
    ],
)
def test_what_the_highest_share_holds(drawn, share, captured):
    came, chance = arrays(drawn)
    assert capture(came, chance, share) == pytest.approx(captured, nan_ok=True)
    assert lift(came, chance, share) == pytest.approx(captured / share, nan_ok=True)


@pytest.mark.parametrize("digits", [8, 2, 1])
def test_equal_to_a_librarys(digits):
    rng = np.random.default_rng(digits)
    chance = np.round(rng.random(3_000), digits)
    came = (rng.random(3_000) < chance**2).astype(float)
    assert auc(came, chance) == pytest.approx(roc_auc_score(came, chance))
    assert average_precision(came, chance) == pytest.approx(average_precision_score(came, chance))
    assert brier(came, chance) == pytest.approx(brier_score_loss(came, chance))


def test_a_random_order_is_worth_nothing():
    rng = np.random.default_rng(1)
    came, chance = (rng.random(40_000) < 0.1).astype(float), rng.random(40_000)
    assert auc(came, chance) == pytest.approx(0.5, abs=0.02)
    assert average_precision(came, chance) == pytest.approx(0.1, abs=0.01)
    assert lift(came, chance) == pytest.approx(1.0, abs=0.1)


def test_calibration_by_hand():
    came, chance = arrays("0 .1  0 .1  1 .1  0 .1   1 .6  1 .6  1 .6  0 .6")
    table = calibration_table(came, chance, bins=2)
    assert table[["bin", "customers"]].to_numpy().tolist() == [[1, 4], [2, 4]]
    assert table["expected"].tolist() == pytest.approx([0.1, 0.6])
    assert table["came"].tolist() == [0.25, 0.75]
    assert expected_calibration_error(came, chance, bins=2) == pytest.approx(0.15)
    for row, count in zip(table.to_dict("records"), (1, 3), strict=True):
        assert (row["low"], row["high"]) == pytest.approx(proportion_confint(count, 4, method="wilson"))


def test_customers_of_the_same_chance_are_in_the_same_bin():
    chance = np.array([0.1] * 7 + [0.2, 0.3, 0.4])
    table = calibration_table((chance > 0.25).astype(float), chance, bins=5)
    assert table["bin"].tolist() == [2, 4, 5]
    assert table["customers"].tolist() == [7, 1, 2]
    constant = calibration_table(np.array([0.0, 1.0]), np.full(2, 0.5))
    assert constant["customers"].tolist() == [2]


def test_calibration_where_it_is_perfect_where_it_is_off_and_where_nobody_is():
    rng = np.random.default_rng(3)
    chance = rng.random(50_000)
    came = (rng.random(50_000) < chance).astype(float)
    assert expected_calibration_error(came, chance) < 0.01
    assert expected_calibration_error(came, np.clip(chance + 0.1, 0, 1)) == pytest.approx(0.095, abs=0.01)
    nobody = np.empty(0)
    assert np.isnan(expected_calibration_error(nobody, nobody))
    assert np.isnan(brier(nobody, nobody))
    assert calibration_table(nobody, nobody).empty
