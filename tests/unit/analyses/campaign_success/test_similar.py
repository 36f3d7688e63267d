"""Untouched customers like the treated: worked examples, and what weighting must hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crm.analyses.campaign_success.similar import balance, explaining, find_similar

# Ten who buy often, of whom four were contacted, and ten who seldom do, of whom one was. Among the often, untouched
# bought 7 on average; among the seldom, 2. The contacted bought 9, 9, 8, 10 and 4: each one 2 more than their likes.
DRAWN = """
often  contacted  bought
1      1          9
1      1          9
1      1          8
1      1          10
1      0          6
1      0          7
1      0          8
1      0          7
1      0          6
1      0          8
0      1          4
0      0          1
0      0          2
0      0          3
0      0          2
0      0          2
0      0          1
0      0          3
0      0          2
0      0          2
"""


@pytest.fixture(scope="module")
def drawn(draw):
    return draw(DRAWN)


def test_each_is_compared_with_their_likes(drawn):
    treated = (drawn["contacted"] == 1).to_numpy()
    similar = find_similar(explaining(drawn[["often"]]), treated)
    row = similar.differ(drawn[["bought"]]).table.iloc[0]
    assert row["effect"] == pytest.approx(2.0, abs=0.005)
    assert row["usual"] == pytest.approx((4 * 7 + 2) / 5, abs=0.005)
    assert row["low"] < 2 < row["high"]
    plain = drawn.groupby("contacted")["bought"].mean()
    assert plain[1] - plain[0] == pytest.approx(4.0)
    often = (drawn["often"] == 1).to_numpy()[similar.untouched]
    assert similar.weights[often].sum() == pytest.approx(0.8, abs=0.001)
    assert similar.overlap.effective == pytest.approx(1 / (0.8**2 / 6 + 0.2**2 / 9), rel=0.01)
    assert similar.overlap.with_support == 1.0


def crowd(count: int = 1500, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """What is known, who was chosen by it, and their chance."""
    rng = np.random.default_rng(seed)
    known = pd.DataFrame({"days": rng.poisson(rng.gamma(2.0, 2.0, count)), "sales": rng.gamma(2.0, 50.0, count)})
    chance = 1 / (1 + np.exp(2.5 - np.log1p(known["days"]) - 0.004 * known["sales"]))
    return known, rng.random(count) < chance, np.asarray(chance)


def test_weighted_they_have_the_same_past():
    known, treated, _ = crowd()
    similar = find_similar(explaining(known), treated)
    table = balance(known, treated, similar)
    assert table["before"].abs().is_monotonic_decreasing
    assert table["before"].abs().min() > 0.2
    assert table["after"].abs().max() < 0.02
    assert similar.weights.sum() == pytest.approx(1.0)
    assert 1 < similar.overlap.effective < similar.overlap.untouched


@pytest.mark.parametrize("wrong", ["nothing", "outcome"])
def test_intervals_hold_the_truth(wrong):
    """200 crowds, an effect of 3 for everybody; what is bought bends as no regression here does, or not."""
    held, errors = 0, []
    for seed in range(200):
        known, treated, _ = crowd(400, seed)
        rng = np.random.default_rng(1000 + seed)
        usual = 5 * known["days"] if wrong == "nothing" else 10 * np.sqrt(known["days"] * known["sales"] / 100)
        bought = usual + 3 * treated + rng.standard_normal(400) * 10
        row = find_similar(explaining(known), treated).differ(bought.to_frame("bought")).table.iloc[0]
        held += row["low"] <= 3 <= row["high"]
        errors.append(row["effect"] - 3)
    assert held >= 182
    assert abs(np.mean(errors)) < 3 * np.std(errors) / np.sqrt(200) + 0.1


def test_whoever_has_no_like_is_left_out_and_counted():
    known, treated, _ = crowd()
    alone = pd.DataFrame({"days": [200.0] * 15, "sales": [9000.0] * 15})
    everybody = pd.concat([known, alone], ignore_index=True)
    chosen = np.concatenate([treated, np.ones(15, dtype=bool)])
    similar = find_similar(explaining(everybody), chosen)
    assert similar.treated.max() < len(known)
    assert similar.overlap.treated == len(similar.treated) <= treated.sum()
    assert similar.overlap.with_support == len(similar.treated) / (treated.sum() + 15)


@pytest.mark.parametrize("untouched", [0, 1, 4])
def test_few_untouched_are_nobodys_likes(untouched):
    known, *_ = crowd(40)
    assert find_similar(explaining(known), np.arange(40) >= untouched) is None


def test_nothing_known_compares_nobody():
    known = pd.DataFrame({"days": np.ones(40)})
    assert find_similar(explaining(known), np.arange(40) < 10) is None


def test_an_outcome_that_does_not_vary():
    known, treated, _ = crowd(300)
    found = find_similar(explaining(known), treated).differ(pd.DataFrame({"none": np.zeros(300)}))
    row = found.table.iloc[0]
    assert (row["effect"], row["low"], row["high"]) == (0.0, 0.0, 0.0)
    assert np.isnan(row["p"])
    assert np.isnan(found.p_together(("none",)))


def test_outcomes_are_judged_together_as_one_where_they_say_the_same():
    known, treated, _ = crowd(600)
    bought = np.random.default_rng(5).standard_normal(600)
    found = find_similar(explaining(known), treated).differ(pd.DataFrame({"a": bought, "b": 2 * bought}))
    assert found.p_together(("a",)) == pytest.approx(found.table["p"].iloc[0], rel=1e-6)
    assert found.p_together(("a", "b")) >= found.p_together(("a",))
