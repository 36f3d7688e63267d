"""Lives as they are watched, the curves over them, and when in their life customers leave."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from crm.analyses.defection.labels import stake_of
from crm.analyses.defection.understanding.curves import EVERYBODY, defection_curves, holm, log_rank, staying
from crm.analyses.defection.understanding.lives import lives
from crm.analyses.defection.understanding.returning import coming_back, silences
from crm.analyses.defection.understanding.when import by_purchase, by_tenure


def drawn_lives(*pairs):
    """Lives of these days; a + after the number: still there."""
    days = [int(str(one).rstrip("+")) for one in pairs]
    return pd.DataFrame({"days": days, "left": [not str(one).endswith("+") for one in pairs]})


def test_lives_by_silence(drawn, bought, on):
    """Horizon ten days, known until day 60: who bought on day 50 or later stays, watched until then."""
    facts = drawn("2017-03-02", purchases=bought(
        stays=[1, 11, 21, 31, 41, 51], back=[1, 5, 30, 40, 50], silent=[3, 8, 49], ten=[40, 50, 60], once=[45],
        new=[50, 55],
    ))  # fmt: skip
    found = lives(facts, on("2017-03-02"), stake_of(facts)).set_index("customer_id")
    assert found[["days", "left", "purchases"]].to_dict("index") == {
        "back": {"days": 4, "left": True, "purchases": 2},
        "once": {"days": 0, "left": True, "purchases": 1},
        "silent": {"days": 5, "left": True, "purchases": 2},
        "stays": {"days": 50, "left": False, "purchases": 6},
        "ten": {"days": 11, "left": False, "purchases": 3},
        "new": {"days": 1, "left": False, "purchases": 2},
    }


def test_nothing_that_is_not_known_yet_ends_a_life(drawn, bought, on):
    """The same customers as of day 40: later purchases and silences change nothing."""
    early, late = (drawn("2017-03-02", purchases=bought(ann=[1, 12, 14, *more], bob=[2, 20, 38]))
                   for more in ([], [35, 70, 90]))  # fmt: skip
    as_of = on("2017-02-01")
    pd.testing.assert_frame_equal(lives(early, as_of, stake_of(early)), lives(late, as_of, stake_of(late)))


def test_who_was_gone_and_came_back(drawn, bought, on):
    """Gone ten days after the last purchase; back some days later, or watched until day 60."""
    facts = drawn("2017-03-02", purchases=bought(back=[1, 14, 40], gone=[30], never=[51, 60], ten=[40, 50, 60]))
    found = silences(facts, on("2017-03-02"), stake_of(facts)).set_index("customer_id")
    assert found[["days", "left"]].to_dict("index") == {
        "back": {"days": 3, "left": True}, "gone": {"days": 21, "left": False}
    }  # fmt: skip


def test_the_curve_by_hand():
    """1, 2 of 6 and 5: (1 - 1/6) x (1 - 1/5) x (1 - 1/2); who is there longer than day 2 is not known of 2+."""
    curve = staying(drawn_lives(1, 2, "2+", "4+", 5, "9+"), np.array([0, 1, 2, 4, 5])).set_index("days")
    assert curve["share_staying"].tolist() == pytest.approx([1, 5 / 6, 4 / 6, 4 / 6, 1 / 3])
    assert curve["at_risk"].tolist() == [6, 6, 5, 3, 2]
    share, greenwood = 2 / 3, 1 / (6 * 5) + 1 / (5 * 4)
    wide = 1.959964 * greenwood**0.5 / abs(np.log(share))
    assert curve.loc[2, ["low", "high"]].tolist() == pytest.approx([share ** np.exp(wide), share ** np.exp(-wide)])


@pytest.mark.parametrize(
    ("some", "share", "low", "high"),
    [(["9+"] * 10, 1.0, 0.05**0.1, 1.0), ([3] * 10, 0.0, 0.0, 1 - 0.05**0.1)],
    ids=["nobody left", "everybody left"],
)
def test_an_interval_where_all_do_the_same(some, share, low, high):
    row = staying(drawn_lives(*some), np.array([5])).iloc[0]
    assert row[["share_staying", "low", "high"]].tolist() == pytest.approx([share, low, high])


def test_small_groups_have_no_curve():
    some = drawn_lives(*[7] * 6, *["20+"] * 6, *[9] * 4)
    names = pd.Series(["web"] * 6 + ["store"] * 6 + ["phone"] * 4)
    unknown = pd.Series(["(unknown)"] * 8 + ["web"] * 8)
    kinds = {"all": pd.Series([EVERYBODY] * 16), "channel": names, "department": unknown}
    curves = defection_curves(some, kinds)
    assert list(curves.groupby(["group_kind", "group"]).groups) == [
        ("all", EVERYBODY), ("channel", "store"), ("channel", "web")
    ]  # fmt: skip
    web = curves[curves["group"] == "web"].set_index("days")
    assert web["at_risk"].to_dict() == {0: 6, 7: 6, 14: 0}
    assert web["share_staying"].tolist() == [1, 0, 0]
    test = log_rank(some, {"channel": names, "department": unknown})
    assert test[["group_kind", "groups", "customers", "comparisons"]].values.tolist() == [["channel", 2, 12, 1]]
    assert test["differ"].tolist() == [True]


def test_the_log_rank_test_by_hand():
    """Two of group a leave on day 1, of 10: 1 expected; one of b on day 2, of 8, five of which are b."""
    some = drawn_lives(1, 1, *["3+"] * 3, 2, *["3+"] * 4)
    row = log_rank(some, {"kind": pd.Series(["a"] * 5 + ["b"] * 5)}).iloc[0]
    observed, expected = 2, 2 * 5 / 10 + 1 * 3 / 8
    variance = 2 * 0.25 * (10 - 2) / (10 - 1) + (3 / 8) * (5 / 8)
    assert row["statistic"] == pytest.approx((observed - expected) ** 2 / variance)


def test_holm_is_holm():
    p = pd.Series(np.random.default_rng(1).random(12) ** 3, index=list("lkjihgfedcba"))
    assert holm(p).to_numpy() == pytest.approx(multipletests(p, method="holm")[1])


def test_after_which_purchase_they_leave():
    """Of five who are known after the first purchase two left; of two after the second, none are told."""
    some = pd.DataFrame({"purchases": [1, 1, 2, 3, 3], "left": [True, True, True, False, False]})
    assert by_purchase(some)[["purchase", "customers", "left", "share_leaving"]].values.tolist() == [["1", 5, 2, 0.4]]


def test_in_which_part_of_their_life_they_leave():
    """Ten start, one leaves at once; of the nine watched on day 28, three leave before day 56."""
    table = by_tenure(drawn_lives(0, 30, 30, 55, *["60+"] * 6))
    assert table[["from_day", "to_day", "customers", "left"]].values.tolist() == [[0, 28, 10, 1], [28, 56, 9, 3]]
    assert table["share_leaving"].tolist() == pytest.approx([0.1, 1 / 3])


def test_nobody_was_gone():
    assert coming_back(drawn_lives(1, 2, "3+")).empty


def test_half_came_back():
    table = coming_back(drawn_lives(*[6] * 5, *["40+"] * 5)).set_index("days")
    assert table.loc[7, "share_returned"] == pytest.approx(0.5)
    assert table.loc[0, "share_returned"] == 0
