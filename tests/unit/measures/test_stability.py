"""The population stability index: by hand, of the same people, of others, and of few."""

import json

import numpy as np
import pandas as pd
import pytest

from crm.measures.stability import Population, score_stability, stability


def of(then, now, **options):
    """The row of one column."""
    table = stability(Population.of(pd.DataFrame({"x": then})), pd.DataFrame({"x": now}), **options)
    return table.iloc[0]


def test_the_index_by_hand():
    """Half of them zero then, four of five now: (0.8 - 0.5) log(0.8 / 0.5) + (0.2 - 0.5) log(0.2 / 0.5)."""
    found = of([0.0] * 5_000 + [1.0] * 5_000, [0.0] * 8_000 + [1.0] * 2_000)
    assert found["psi"] == pytest.approx(0.3 * np.log(1.6) + 0.3 * np.log(2.5), rel=1e-3)
    assert found["moved"]


def test_the_same_people_have_not_moved_and_others_have():
    rng = np.random.default_rng(1)
    then = pd.DataFrame({"same": rng.gamma(2, 9, 3_000), "more": rng.gamma(2, 9, 3_000), "gone": 1.0})
    now = pd.DataFrame({"same": rng.gamma(2, 9, 3_000), "more": rng.gamma(2, 18, 3_000), "new": 1.0})
    table = stability(Population.of(then), now).set_index("feature")
    assert table.index.tolist() == ["gone", "more", "same"], "the most moved first, new columns not at all"
    assert table["moved"].to_dict() == {"gone": True, "more": True, "same": False}
    assert stability(Population.of(then), then)["psi"].abs().max() < 1e-12


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ([5.0] * 500, [3.0] * 500),  # a constant sinks
        ([5.0] * 500, [7.0] * 500),  # and rises
        ([1.0, 2.0] * 250, [np.nan, 2.0] * 250),  # half of them become empty
        ([np.nan] * 500, [1.0] * 500),
        ([True, False] * 250, [True] * 500),
    ],
)
def test_what_must_be_seen(then, now):
    found = of(then, now)
    assert np.isfinite(found["psi"])
    assert found["moved"]


def test_few_rows_do_not_alarm():
    """Chance alone: on average the index is (bins - 1) (1/n + 1/m), and never is that called moved."""
    rng = np.random.default_rng(2)
    rows = [of(rng.normal(size=100), rng.normal(size=60)) for _ in range(200)]
    psi = np.array([row["psi"] for row in rows])
    assert (psi > 0.25).mean() > 0.2, "taken literally, the custom would cry wolf"
    assert sum(row["moved"] for row in rows) <= 2
    assert psi.mean() == pytest.approx(rows[0]["by_chance"], rel=0.25)
    assert rows[0]["by_chance"] == pytest.approx(9 * (1 / 100 + 1 / 60))


def test_only_numbers_are_looked_at_and_nobody_is_in_the_record():
    frame = pd.DataFrame(
        {"customer_id": [f"c{n}" for n in range(50)], "number": range(50), "yes": [True, False] * 25,
         "some": pd.array([1, None] * 25, dtype="Int64"), "when": pd.Timestamp("2018-01-01")}
    )  # fmt: skip
    population = Population.of(frame)
    assert list(population.columns) == ["number", "yes", "some"]
    text = json.dumps(population.as_record())
    assert "c1" not in text
    assert Population.from_record(json.loads(text)) == population


def test_bounds_and_nobody():
    found = of([1.0, np.inf, -np.inf, 4.0] * 50, [1.0, np.inf, 2.0, 4.0] * 50)
    assert np.isfinite(found["psi"])
    assert np.isnan(of([1.0, 2.0], [])["psi"])
    assert not of([1.0, 2.0], [])["moved"]
    assert stability(Population.of(pd.DataFrame()), pd.DataFrame()).empty


def test_scores_of_two_models():
    rng = np.random.default_rng(4)
    one = rng.random(2_000)
    assert score_stability(one, one) == pytest.approx(0, abs=1e-12)
    assert score_stability(one, one**3) > 0.25
    assert not of(one, one**1.2, moved_from=0.5)["moved"]
