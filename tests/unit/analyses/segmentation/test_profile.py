"""What sets segments apart: by hand, and without being fooled by chance."""

import numpy as np
import pandas as pd
import pytest

from crm.analyses.segmentation.behaviour import Trait
from crm.analyses.segmentation.profile import composition, named_for, profile, standing_out

DICTIONARY = pd.DataFrame(
    [
        ("purchase_days_365d", "count", "days with a purchase", "", "timing"),
        ("usual_gap", "days", "median gap", "bought once", "timing"),
        ("discount_rate", "share", "discount over list price", "", "promotion"),
        ("main_channel", "word", "channel with most orders", "", "place"),
        ("T", "days", "for models", "", "timing"),
    ],
    columns=["feature", "type", "meaning", "empty_means", "group"],
)


def test_means_against_the_average_customer(draw):
    snapshot = draw(
        """
        customer_id  purchase_days_365d  usual_gap  discount_rate  main_channel  T
        ann          30                  2          0.1            web           9
        bob          10                  4          0.1            web           9
        cat          5                   -          0.1            web           9
        dan          15                  6          0.1            web           9
        """
    )
    table = profile(snapshot, pd.Series(["a", "a", "b", "b"]), order=["b", "a"], dictionary=DICTIONARY)
    assert list(table["segment"].drop_duplicates()) == ["b", "a"]
    assert set(table["feature"]) == {"purchase_days_365d", "usual_gap", "discount_rate"}
    row = table.set_index(["segment", "feature"]).loc[("a", "purchase_days_365d")]
    assert (row["customers"], row["mean"], row["average"]) == (2, 20.0, 15.0)
    assert row["index"] == pytest.approx(133.333, abs=1e-3)
    assert row["chance_higher"] == 0.75  # 30 > 5, 30 > 15, 10 > 5, but 10 < 15
    gap = table.set_index(["segment", "feature"]).loc[("b", "usual_gap")]
    assert (gap["customers"], gap["mean"], gap["average"]) == (1, 6.0, 4.0)
    assert np.isnan(gap["index_low"])  # one customer has no interval
    assert not gap["stands_out"]


def many(seed=1, n=600):
    chance = np.random.default_rng(seed)
    segment = pd.Series(np.repeat(["a", "b", "c"], n // 3))
    snapshot = pd.DataFrame(
        {
            "purchase_days_365d": chance.poisson(np.where(segment == "a", 30, 10)),
            "usual_gap": chance.gamma(2, 5, n),
            "discount_rate": np.where(segment == "c", chance.beta(6, 4, n), chance.beta(3, 7, n)),
            "main_channel": "web",
            "T": 1,
        }
    )
    return snapshot, segment


def test_planted_differences_stand_out_and_chance_does_not():
    snapshot, segment = many()
    table = profile(snapshot, segment, order=["a", "b", "c"], dictionary=DICTIONARY)
    found = standing_out(table)
    pairs = set(zip(found["segment"], found["feature"], strict=True))
    assert {("a", "purchase_days_365d"), ("c", "discount_rate")} <= pairs
    assert not [feature for _, feature in pairs if feature == "usual_gap"]
    a = found.set_index(["segment", "feature"]).loc[("a", "purchase_days_365d")]
    assert a["index_low"] < a["index"] < a["index_high"]
    assert a["index"] == pytest.approx(180, abs=5)


def test_one_feature_a_theme_strongest_first():
    snapshot, segment = many()
    both = snapshot.assign(usual_gap=1 / snapshot["purchase_days_365d"].clip(lower=1))
    found = standing_out(profile(both, segment, order=["a", "b", "c"], dictionary=DICTIONARY), most=2)
    assert not found.duplicated(["segment", "theme"]).any()
    strengths = (found["chance_higher"] - 0.5).abs().groupby(found["segment"], sort=False)
    assert all(values.is_monotonic_decreasing for _, values in strengths)


def test_departments_by_hand():
    wide = pd.DataFrame({"food": [90.0, 10.0, 100.0], "wine": [10.0, 90.0, 0.0]})
    table = composition(wide, pd.Series(["a", "b", "a"]), order=["a", "b"], name="department")
    a = table[table["segment"] == "a"].set_index("department")
    assert a["share"].to_dict() == {"food": 0.95, "wine": 0.05}
    assert a["average_share"].to_dict() == pytest.approx({"food": 200 / 300, "wine": 100 / 300})
    assert a["index"].to_dict() == pytest.approx({"food": 142.5, "wine": 15.0})
    assert a["customers"].to_dict() == {"food": 2, "wine": 1}
    assert table.groupby("segment")["share"].sum().to_numpy() == pytest.approx(1)


def test_a_segment_without_purchases_has_no_shares():
    wide = pd.DataFrame({"food": [1.0, 0.0], "wine": [1.0, 0.0]})
    table = composition(wide, pd.Series(["a", "b"]), order=["a", "b"], name="department")
    assert set(table["segment"]) == {"a"}
    assert composition(wide * 0, pd.Series(["a", "b"]), order=["a", "b"], name="department").empty


def test_the_interval_of_a_share_is_as_wide_as_other_samples_differ():
    def share(seed):
        chance = np.random.default_rng(seed)
        total = chance.gamma(1, 100, 500)
        part = total * chance.beta(2, 6, 500)
        wide = pd.DataFrame({"wine": part, "food": total - part})
        return composition(wide, pd.Series(["a"] * 500), order=["a"], name="department").iloc[0]

    rows = [share(seed) for seed in range(60)]
    wide = np.mean([row["share_high"] - row["share_low"] for row in rows]) / 2
    assert wide / (1.96 * np.std([row["share"] for row in rows])) == pytest.approx(1, abs=0.25)


def test_nobody_stands_out_among_nobody():
    snapshot, segment = many(n=3)
    nobody = profile(snapshot.head(0), segment.head(0), order=[], dictionary=DICTIONARY)
    assert standing_out(nobody).empty
    assert list(standing_out(nobody).columns) == list(nobody.columns)


def test_the_traits_behind_a_name_by_hand():
    table = pd.DataFrame({"lines of food": [6.0, 2.0, 2.0], "lines": [8.0, 4.0, 8.0], "days": [2.0, 4.0, 9.0]})
    traits = (
        Trait("share of food", "departments", "lines of food", "lines", more="heavy on food"),
        Trait("days", "activity", "days", more="frequent buyers", less="seldom buyers"),
    )
    names = pd.Series(["Seldom buyers, heavy on food (2)", "Seldom buyers, heavy on food (2)", "Others"])
    found = named_for(table, names, order=["Seldom buyers, heavy on food (2)", "Others"], traits=traits)
    assert list(found["feature"]) == ["days", "share of food"]  # in the order of the name; "Others" speaks of nothing
    days, food = found.to_dict("records")
    assert (days["mean"], days["average"], days["index"], days["customers"]) == (3, 5, 60, 2)
    assert (food["mean"], food["average"]) == (8 / 12, 0.5)
    half = 1.959964 * np.sqrt((6 - 8 * 2 / 3) ** 2 + (2 - 4 * 2 / 3) ** 2) / 12
    assert food["index_high"] == pytest.approx((8 / 12 + half) / 0.5 * 100)
