"""Intervals hold as many customers as they promise where the model is true, and learn where it is not."""

import numpy as np
import pandas as pd
import pytest

from crm.analyses.lifetime_value.chance import (
    LEVELS,
    NOMINAL,
    Quantiles,
    Silence,
    _gamma,
    _Grid,
    covered,
    covering_level,
    draw_quantiles,
    fit_silence,
)
from crm.analyses.lifetime_value.spend import SpendModel
from crm.purchase_models.fitting import model_from_record
from crm.purchase_models.histories import Histories

CUSTOMERS = 3_000


def cnbd(**parameters):
    """MBG/CNBD-k with these parameters, in days."""
    return model_from_record({"name": "MBG/CNBD-k", "parameters": parameters, "log_likelihood": 0.0})


MODEL = cnbd(k=2, r=1.2, alpha=30.0, a=0.5, b=5.0)
SPEND = SpendModel(4.0, 5.0, 40.0, "all purchase days")
UNLEARNT = pd.DataFrame()


def histories_of(rng, most, earliest, latest):
    """Customers known for 300 days with fewer than `most` repeat purchases, the last between two days."""
    frequency = rng.integers(0, most, CUSTOMERS)
    recency = np.where(frequency > 0, rng.uniform(earliest, latest, CUSTOMERS), 0.0)
    gaps = np.where(frequency > 0, np.log(np.maximum(recency / np.maximum(frequency, 1), 1)), np.nan)
    return Histories(frequency, recency, np.full(CUSTOMERS, 300.0), gaps)


@pytest.fixture(scope="module")
def drawn():
    """Customers whose next 90 days are drawn from the models' own description, and the quantiles said beforehand."""
    rng = np.random.default_rng(5)
    histories = histories_of(rng, 20, 100, 299)
    model, spend = MODEL, SPEND
    days = histories.frequency + 1.0
    own = rng.gamma(4.0, 10.0, CUSTOMERS)
    each = spend.expected_value(days, own)
    quantiles = draw_quantiles(model, histories, 90.0, spend=spend, purchase_days=days, each=each, seed=1)
    chances = np.cumsum(model.count_probabilities(histories, 90.0, 90), axis=1)
    counts = np.array(
        [np.searchsorted(row, point) for row, point in zip(chances, rng.random(CUSTOMERS), strict=True)]
    )
    known = spend.p * days + spend.q
    mean = each * (known - 1) / rng.gamma(known)
    value = np.where(counts > 0, rng.gamma(np.maximum(spend.p * counts, 1e-9)) / spend.p * mean, 0.0)
    return quantiles, value, model.expected_purchases(histories, 90.0) * each


def test_the_mean_of_the_draws_is_the_expectation(drawn):
    quantiles, _, expected = drawn
    assert quantiles.mean.sum() == pytest.approx(expected.sum(), rel=0.01)
    assert np.corrcoef(quantiles.mean, expected)[0, 1] > 0.99


def test_ninety_of_a_hundred_fall_inside_where_the_model_is_true(drawn):
    quantiles, value, expected = drawn
    for level in (0.5, 0.8, 0.9, 0.98):
        # Whole counts and a mass at zero: an interval can hold more than it promises, never less.
        assert level - 0.02 <= covered(quantiles, expected, value, level)
    assert covered(quantiles, expected, value, 0.9) < 0.97


def test_a_customers_interval_depends_on_nobody_else():
    rng = np.random.default_rng(8)
    frequency = rng.integers(0, 9, 60)
    recency = np.where(frequency > 0, rng.uniform(100, 299, 60), 0.0)
    histories = Histories(frequency, recency, np.full(60, 300.0), np.where(frequency > 0, 2.0, np.nan))
    each, days = rng.gamma(4, 10, 60), frequency + 1.0

    def high(places):
        found = draw_quantiles(
            MODEL, histories.take(places), 90.0, spend=SPEND, purchase_days=days[places], each=each[places], seed=1
        )
        return found.at(0.9, each[places])[2]

    everybody = high(np.arange(60))
    backwards = high(np.arange(60)[::-1])
    assert backwards[::-1] == pytest.approx(everybody, rel=1e-9)
    for one in (0, 17, 59):
        assert high(np.array([one])) == pytest.approx(everybody[[one]], rel=1e-9)


def test_gamma_amounts_have_their_mean_and_spread():
    grid = _Grid.of(1)
    for shape in (0.3, 0.47, 1.0, 3.0, 40.0):
        drawn = _gamma(np.array([[shape]]), grid.spend, grid.small)[0]
        assert drawn.mean() == pytest.approx(shape, rel=0.06)
        assert drawn.std() == pytest.approx(np.sqrt(shape), rel=0.12)
        assert (drawn >= 0).all()


def test_wider_levels_contain_narrower_ones(drawn):
    quantiles, _, _ = drawn
    assert (np.diff(quantiles.low, axis=1) <= 0).all()
    assert (np.diff(quantiles.high, axis=1) >= 0).all()
    low, middle, high = quantiles.at(0.9, quantiles.mean)
    assert ((low <= middle) & (middle <= high)).all()


MIDDLES = """
median_days  mean_days  expected  nothing  typical
          0        0.4       0.4     0.80        0
          1        1.2       1.2     0.30        1
         10       10.5      15.8     0.00       15
         10       10.5       6.3     0.01        6
          4        4.4       4.4     0.50        0
          0        0.9       0.9     0.45        1
          0        0.0       0.0     1.00        0
          2        2.0     900.0     0.00        6
"""


def test_the_typical_number_of_purchase_days_is_whole_and_none_where_none_is_as_likely(draw):
    """The middle is scaled as the mean is, threefold at most; who is likelier to buy than not buys once at least."""
    table = draw(MIDDLES)
    none = np.zeros(len(table))
    drawn = {name: table[name].to_numpy(dtype="float64") for name in ("median_days", "mean_days")}
    quantiles = Quantiles(low=none, high=none, median=none, mean=none, total_spread=0.0, **drawn)
    days, _ = quantiles.typical(table["expected"].to_numpy(), none, table["nothing"].to_numpy(), UNLEARNT)
    assert days.tolist() == table["typical"].tolist()


MIDDLES_OF_VALUE = """
median  mean  expected  nothing  learnt  typical
    20    25      25.0     0.10       -     20.0
    20    25      50.0     0.40       -     40.0
    20    25      25.0     0.50       -      0.0
     0    10      12.0     0.45       -      3.0
    20    25      25.0     0.10     0.5     15.0
    20    25      25.0     0.10     1.1     25.0
    20    25      25.0     0.60     1.1      0.0
     0    10      12.0     0.45     0.0      1.0
"""


def test_the_typical_value_is_scaled_and_none_where_nothing_is_as_likely(draw):
    """The learnt middle, if any, weighs two thirds; who is likelier to buy than not brings something."""
    for line in draw(MIDDLES_OF_VALUE).to_dict("records"):
        one = {name: np.array([float(line[name])]) for name in ("median", "mean", "expected", "nothing")}
        quantiles = Quantiles(
            low=one["mean"], high=one["mean"], median=one["median"], mean=one["mean"], total_spread=0.0,
            median_days=np.ones(1), mean_days=np.ones(1),
        )  # fmt: skip
        learnt = pd.DataFrame({"purchases": [1.0], "value": [line["learnt"]]}).dropna(axis=1)
        learnt = learnt if "value" in learnt else UNLEARNT
        days, value = quantiles.typical(np.ones(1), one["expected"], one["nothing"], learnt)
        assert value.tolist() == pytest.approx([float(line["typical"])])
        assert (days > 0).tolist() == (value > 0).tolist()


def test_the_typical_number_of_purchase_days_errs_less_than_the_mean_where_many_buy_nothing():
    rng = np.random.default_rng(9)
    histories = histories_of(rng, 4, 20, 200)
    days, each = histories.frequency + 1.0, np.full(CUSTOMERS, 40.0)
    drawn = draw_quantiles(MODEL, histories, 90.0, spend=SPEND, purchase_days=days, each=each, seed=1)
    chances = np.cumsum(MODEL.count_probabilities(histories, 90.0, 90), axis=1)
    came = (chances < rng.random((CUSTOMERS, 1))).sum(axis=1)
    expected = MODEL.expected_purchases(histories, 90.0)
    typical, _ = drawn.typical(expected, expected * each, MODEL.chance_of_no_purchase(histories, 90.0), UNLEARNT)
    assert drawn.mean_days.sum() == pytest.approx(expected.sum(), rel=0.01)
    assert (typical == 0).mean() > 0.5
    assert np.abs(came - typical).mean() < 0.95 * np.abs(came - expected).mean()
    assert (came <= typical).mean() >= 0.5


def test_a_total_is_far_surer_than_its_customers(drawn):
    quantiles, _, _ = drawn
    assert 0 < quantiles.total_spread < 0.05


def test_the_level_is_widened_where_customers_surprised_before(drawn):
    quantiles, value, expected = drawn
    rng = np.random.default_rng(6)
    wild = value * np.exp(rng.normal(0, 1.0, len(value)))
    assert covering_level([]) == NOMINAL
    wider = covering_level([(quantiles, expected, wild)])
    assert wider > covering_level([(quantiles, expected, value)])
    assert covered(quantiles, expected, wild, wider) >= NOMINAL or wider == LEVELS[-1]


def test_the_chance_of_silence_is_drawn_to_what_came():
    rng = np.random.default_rng(7)
    true = rng.uniform(0.02, 0.98, 20_000)
    silent = rng.random(20_000) < true
    said = 1 / (1 + np.exp(-(2 * np.log(true / (1 - true)) + 1)))  # too sure, and too high
    learnt = fit_silence([(said, np.ones(20_000), np.where(silent, 0.0, 3.0))])
    assert np.abs(learnt.chance(said, np.ones(20_000)) - true).mean() < 0.02
    assert np.abs(said - true).mean() > 0.1


@pytest.mark.parametrize("came", [np.zeros(500), np.ones(500)])
def test_where_all_did_the_same_nothing_is_learnt(came):
    assert fit_silence([(np.full(500, 0.5), np.ones(500), came)]) == Silence()
    assert fit_silence([]) == Silence()
    assert Silence().chance(np.array([0.25]), np.array([2.0])) == pytest.approx([0.25])
