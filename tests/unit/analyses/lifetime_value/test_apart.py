"""What sets the top tier apart: by hand, against counting pairs, and not by chance."""

import numpy as np
import pandas as pd
import pytest

from crm.analyses.lifetime_value.apart import chance_higher, set_apart, without_window


def pairs(inside, outside):
    """The chance of having more, by counting every pair."""
    difference = np.subtract.outer(np.asarray(inside, dtype=float), np.asarray(outside, dtype=float))
    return float((difference > 0).mean() + (difference == 0).mean() / 2)


@pytest.mark.parametrize(
    ("inside", "outside", "expected"),
    [
        ([3, 4], [1, 2], 1.0),
        ([1, 2], [3, 4], 0.0),
        ([1, 1], [1, 1], 0.5),
        ([2, 3], [1, 2], 0.875),  # of four pairs, three and a half
        ([1, 5, 5], [2, 5, 9, 0], (1 + 2.5 + 2.5) / 12),
    ],
)
def test_the_chance_of_having_more(inside, outside, expected):
    chance, low, high = chance_higher(np.array(inside, dtype=float), np.array(outside, dtype=float))
    assert chance == pytest.approx(expected)
    assert chance == pytest.approx(pairs(inside, outside))
    assert 0 <= low <= chance <= high <= 1


def test_the_interval_is_delongs():
    """Its variance by the definition: of each one's share of pairs won, on either side."""
    rng = np.random.default_rng(1)
    inside, outside = rng.integers(2, 12, 30).astype(float), rng.integers(0, 10, 50).astype(float)
    won = [pairs([one], outside) for one in inside]
    lost_to = [pairs(inside, [one]) for one in outside]
    half = 1.959964 * np.sqrt(np.var(won, ddof=1) / 30 + np.var(lost_to, ddof=1) / 50)
    chance, low, high = chance_higher(inside, outside)
    assert (low, high) == (pytest.approx(chance - half), pytest.approx(chance + half))


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    rng, held = np.random.default_rng(2), 0
    for _ in range(400):
        # one normal number above another by half a standard deviation: Phi(0.5 / sqrt(2)) = 0.638
        _, low, high = chance_higher(rng.normal(0.5, 1, 40), rng.normal(0, 1, 80))
        held += low < 0.63816 < high
    assert 0.91 <= held / 400 <= 0.98


def dictionary(*features):
    return pd.DataFrame([{"feature": name, "type": kind, "meaning": f"what {name} is"} for name, kind in features])


def drawn(rows=400, seed=3):
    rng = np.random.default_rng(seed)
    top = pd.Series(rng.random(rows) < 0.2)
    snapshot = pd.DataFrame(
        {
            "order_value_365d": rng.normal(30, 8, rows) + 12 * top,
            "usual_gap": np.where(rng.random(rows) < 0.1, np.nan, rng.gamma(2, 8, rows) * np.where(top, 0.4, 1)),
            "noise": rng.normal(0, 1, rows),
            "net_sales_365d": 100.0 + 500 * top,
            "purchase_days_28d": 1 + 5 * top,
            "T": rng.normal(200, 5, rows) + 100 * top,
            "always": 1.0,
            "empty": np.nan,
            "main_channel": "store",
        }
    )
    told = dictionary(
        ("noise", "number"), ("order_value_365d", "money"), ("usual_gap", "days"), ("net_sales_365d", "money"),
        ("purchase_days_28d", "count"), ("T", "days"), ("always", "count"), ("empty", "number"),
        ("main_channel", "word"),
    )  # fmt: skip
    return snapshot, top, told


def test_what_was_planted_is_told_and_what_says_value_again_is_not():
    snapshot, top, told = drawn()
    table = set_apart(snapshot, top, dictionary=told)
    assert sorted(table["feature"]) == ["order_value_365d", "usual_gap"]
    strength = (table["chance_higher"] - 0.5).abs()
    assert strength.is_monotonic_decreasing
    rows = table.set_index("feature")
    assert rows.loc["order_value_365d", "type"] == "money"
    assert rows.loc["order_value_365d", "top"] == pytest.approx(snapshot.loc[top, "order_value_365d"].mean())
    assert rows.loc["usual_gap", "high"] < 0.5  # they have less of it
    assert rows.loc["usual_gap", "others"] == pytest.approx(snapshot.loc[~top, "usual_gap"].mean())  # of those known


def test_at_most_eight_are_told():
    rng = np.random.default_rng(4)
    top = pd.Series([True] * 50 + [False] * 150)
    snapshot = pd.DataFrame({f"f{n}": rng.normal(0, 1, 200) + (1 + n / 5) * top for n in range(12)})
    table = set_apart(snapshot, top, dictionary=dictionary(*((name, "number") for name in snapshot)))
    assert len(table) == 8
    assert "f11" in set(table["feature"])
    assert "f0" not in set(table["feature"])


@pytest.mark.parametrize("top", [[False] * 10, [True] * 10, [True] * 4 + [False] * 6])
def test_nobody_can_be_set_apart_from_nobody(top):
    snapshot = pd.DataFrame({"order_value_365d": [9.0, 8, 9, 7, 5, 4, 3, 2, 1, 0]})
    table = set_apart(snapshot, pd.Series(top), dictionary=dictionary(("order_value_365d", "money")))
    assert table.empty  # nor four from six: too few to tell
    assert list(table.columns) == ["feature", "meaning", "type", "top", "others", "chance_higher", "low", "high"]


@pytest.mark.parametrize(
    ("feature", "words"),
    [("order_value_365d", "order value"), ("usual_gap", "usual gap"), ("visits_91d", "visits")],
)
def test_features_in_words(feature, words):
    assert without_window(feature) == words


def test_what_few_customers_may_show_by_chance_is_not_told():
    values, top = [1.0, 3, 5, 7, 9, 11, 0, 2, 2.5, 4, 6, 8], pd.Series([True] * 6 + [False] * 6)
    chance, low, _ = chance_higher(np.array(values[:6]), np.array(values[6:]))
    assert chance > 0.6
    assert low < 0.5
    snapshot = pd.DataFrame({"order_value_365d": values})
    assert set_apart(snapshot, top, dictionary=dictionary(("order_value_365d", "money"))).empty
