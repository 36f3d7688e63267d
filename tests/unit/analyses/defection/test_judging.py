"""Which candidate told best who leaves: planted so that the answer is known."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from unit.analyses.defection.worlds import AS_OF, SAMPLE, foresight, model_of

from crm.analyses.defection.judging import against_rules, drift, judge, rule_to_ship, settled
from crm.analyses.defection.labels import label
from crm.analyses.defection.learners import BLEND, PLAIN, chance, log_odds_of
from crm.analyses.defection.model import ship_rule
from crm.analyses.defection.reasons import reasons_for
from crm.analyses.defection.rules import ALIVE, SINCE, by_rules
from crm.facts import read_facts
from crm.measures.chances import expected_calibration_error
from crm.snapshots import snapshot

DATES = (dt.date(2017, 7, 17), dt.date(2017, 9, 11), dt.date(2017, 11, 6))
CUSTOMERS = 500


def world(candidates, *, level=0.0, year_ago=np.nan):
    """Three dates on which the truth is a number: `candidates(truth, chance)` says what each makes of it."""
    rng, seen = np.random.default_rng(5), []
    for date in DATES:
        truth = rng.normal(-2, 1.5, CUSTOMERS)
        left = (rng.random(CUSTOMERS) < chance(truth + level)).astype("float64")
        seen.append(foresight(date, left, candidates(truth, rng), year_ago=year_ago))
    return seen


def noise(rng):
    return rng.normal(-2, 1, CUSTOMERS)


WORLDS = {
    "the blend knows": lambda t, rng: {SINCE: noise(rng), ALIVE: np.ones(len(t)), BLEND: t, PLAIN: t + noise(rng)},
    "the rule knows": lambda t, rng: {SINCE: np.exp(t), ALIVE: noise(rng), BLEND: t + 2 * noise(rng)},
    "nobody knows": lambda t, rng: {SINCE: np.ones(CUSTOMERS), BLEND: noise(rng)},
}  # fmt: skip


@pytest.fixture(scope="module")
def worlds():
    found = {}
    for name, candidates in WORLDS.items():
        seen = world(candidates)
        expected = settled(seen)
        found[name] = (seen, expected, against_rules(list(zip(seen, expected, strict=True)), ships=BLEND, seed=1))
    return found


@pytest.mark.parametrize(
    ("name", "ships"), [("the blend knows", ""), ("the rule knows", SINCE), ("nobody knows", SINCE)]
)
def test_a_rule_ships_where_the_blend_does_not_beat_it(worlds, name, ships):
    assert rule_to_ship(worlds[name][2]) == ships


def test_a_random_score_beats_nobody_not_even_a_constant(worlds):
    gains = worlds["nobody knows"][2]
    auc = gains[(gains["measure"] == "auc") & (gains["outcome"] == "left")].iloc[0]
    assert auc["theirs"] == 0.5
    assert auc["low"] < 0 < auc["high"]
    assert (auc["dates"], auc["customers"]) == (3, 3 * CUSTOMERS)


def test_of_two_rules_that_are_not_beaten_the_better_ships():
    seen = world(lambda t, rng: {SINCE: noise(rng), ALIVE: np.exp(t), BLEND: noise(rng)})
    gains = against_rules(list(zip(seen, settled(seen), strict=True)), ships=BLEND, seed=1)
    assert rule_to_ship(gains) == ALIVE


def test_no_rule_ships_where_nobody_left_and_nothing_could_be_judged():
    seen = [foresight(date, np.zeros(50), {SINCE: np.arange(50.0), BLEND: np.arange(50.0)}) for date in DATES]
    gains = against_rules(list(zip(seen, settled(seen), strict=True)), ships=BLEND, seed=1)
    assert gains["low"].isna().all()
    assert rule_to_ship(gains) == ""


def test_nothing_judged_ships_no_rule():
    assert rule_to_ship(against_rules([], ships=BLEND, seed=1)) == ""


def test_the_measures_are_those_of_scikit_learn(worlds):
    seen, expected, _ = worlds["the blend knows"]
    judged = judge(seen, expected, rule="", seed=1)
    assert judged.dates == DATES[::-1]
    table = judged.table.set_index(["outcome", "date", "candidate"])
    for one in seen:
        came, told = one.came("left"), chance(one.expected["left"][BLEND].to_numpy())
        row = table.loc[("left", one.date, BLEND)]
        assert row["auc"] == pytest.approx(roc_auc_score(came, told))
        assert row["average_precision"] == pytest.approx(average_precision_score(came, told))
        assert row["brier"] == pytest.approx(brier_score_loss(came, told))
        assert row["expected"] == pytest.approx(told.sum() / came.sum())
        assert (row["customers"], row["came"], row["shipped"]) == (CUSTOMERS, came.sum(), True)
        assert row["calibration"] < 0.05
    rule = table.loc[("left", DATES[0], SINCE)]
    assert np.isnan([rule["brier"], rule["calibration"], rule["expected"]]).all(), "a rule tells no chance"
    mean = judged.mean.set_index(["outcome", "candidate"])
    assert mean.loc[("left", BLEND), "auc"] == pytest.approx(
        table.loc["left"].xs(BLEND, level="candidate")["auc"].mean()
    )


def test_beside_the_default_settings(worlds):
    seen, expected, _ = worlds["the blend knows"]
    over = judge(seen, expected, rule="", seed=1).over_plain
    assert len(over) == 2 * 3 * 2  # outcomes, dates, measures
    np.testing.assert_allclose(over["gain"], over["ours"] - over["plain"])
    assert (over["gain"] > 0).all()
    one = over[(over["date"] == DATES[0]) & (over["outcome"] == "left") & (over["measure"] == "auc")].iloc[0]
    assert one["plain"] == pytest.approx(roc_auc_score(seen[0].came("left"), seen[0].expected["left"][PLAIN]))


def test_calibration_and_groups_add_up(worlds):
    seen, expected, _ = worlds["the blend knows"]
    judged = judge(seen, expected, rule="", seed=1)
    bins = judged.calibration[judged.calibration["outcome"] == "left"]
    assert (bins["customers"].sum(), len(bins)) == (3 * CUSTOMERS, 10)
    assert (bins["customers"] * bins["came"]).sum() == pytest.approx(sum(one.came("left").sum() for one in seen))
    assert ((bins["low"] <= bins["expected"]) & (bins["expected"] <= bins["high"])).sum() >= 8
    groups = judged.groups[judged.groups["outcome"] == "left"]
    assert (groups["customers"].sum(), groups["came"].sum()) == (CUSTOMERS, seen[-1].came("left").sum())


def test_the_level_of_a_date_is_settled_by_dates_before_it_alone():
    """Three times as many leave as the model says, and the year before said so: the first date cannot know yet."""
    told = float(log_odds_of(0.4))
    seen = world(lambda t, rng: {SINCE: t, BLEND: t}, level=1.5, year_ago=told)
    means = [one["left"][BLEND].mean() for one in settled(seen)]
    own = [chance(one.expected["left"][BLEND].to_numpy()).mean() for one in seen]
    assert means[0] == pytest.approx(own[0])
    assert means[1:] == pytest.approx([0.4, 0.4])
    assert drift(seen, settled(seen)) > drift(seen[1:], settled(seen)[1:])


def test_drift_by_hand():
    """Twice as many came as expected on one date, half as many on the other: off by the logarithm of two."""
    told = log_odds_of(np.full(100, 0.2))
    seen = [foresight(date, (np.arange(100) < came).astype("float64"), {BLEND: told}) for date, came in
            zip(DATES, (40, 10), strict=False)]  # fmt: skip
    assert drift(seen, settled(seen)) == pytest.approx(np.log(2))
    assert np.isnan(drift([], []))


@pytest.fixture(scope="module")
def facts(settings_for):
    return read_facts(settings_for("sample_company", AS_OF.isoformat(), source=SAMPLE))


@pytest.fixture(scope="module")
def ruled(facts):
    """Days since the last purchase, shipped in place of the blend."""
    return ship_rule(model_of(facts), facts, SINCE)


def test_the_chances_of_a_rule_follow_its_order_and_are_calibrated(facts, ruled):
    assert (ruled.name, ruled.rule, ruled.columns) == (SINCE, SINCE, (SINCE,))
    left, told = [], []
    for date in ruled.learnt_from:
        known = ruled.known_on(facts, date)
        order = by_rules(known, snapshot(facts, date))[SINCE]
        chances = ruled.chances(known)
        assert (chances.iloc[np.argsort(order, kind="stable")].diff().dropna() >= -1e-12).all().all()
        told.append(chances["left"].to_numpy())
        left.append(label(facts, date)["left"].to_numpy("float64"))
    came, expected = np.concatenate(left), np.concatenate(told)
    assert expected.mean() == pytest.approx(came.mean(), rel=1e-3), "on the dates it was fitted to"
    assert expected_calibration_error(came, expected) < 0.05
    assert np.ptp(expected) > 0.02


def test_who_is_scored_by_a_rule_can_be_kept(ruled, facts):
    again = type(ruled).from_record(ruled.as_record())
    known = again.known_on(facts, AS_OF)
    pd.testing.assert_frame_equal(again.chances(known), ruled.chances(known), check_exact=True)
    assert again.content == ruled.content != model_of(facts).content


def test_who_is_scored_by_a_rule_is_told_the_rule_as_reason(ruled, facts):
    known = ruled.known_on(facts, AS_OF)
    reasons = reasons_for(ruled, known, facts, AS_OF)
    likeliest = np.argmax(ruled.chances(known)["left"].to_numpy())
    assert [reason.theme for reason in reasons[likeliest]] == ["silence"]
