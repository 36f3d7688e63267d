"""Who stops buying, on Complete Journey as of 2017-11-06: against rules of thumb and strong models off the shelf.

Measured beforehand by others on the same question, days of trade cut in UTC (2,213 active, 133 gone); ours are cut in
the shops' own zone (2,215 active, 131 gone), which moves every figure a little. AUC / average precision / lift in the
top tenth / expected calibration error:

|                                              | defection                     | partial defection             |
|---|---|---|
| days since last purchase                     | 0.758 / 0.187 / 3.3           | 0.658 / 0.334 / 2.0           |
| XGBoost, default settings                    | 0.822 / 0.217 / 3.7 / 0.035   | 0.670 / 0.334 / 1.9 / 0.094   |
| random forest                                | 0.848 / 0.277 / 4.2 / 0.012   | 0.720 / 0.398 / 2.3 / 0.040   |
| logistic regression on logs + MBG/CNBD-k     | 0.860 / 0.275 / 5.0 / 0.007   | 0.729 / 0.384 / 2.2 / 0.023   |
| XGBoost tuned + MBG/CNBD-k                   | 0.859 / 0.281 / 5.0 / 0.011   | 0.731 / 0.416 / 2.3 / 0.020   |
| mean of the last three                       | 0.858 / 0.284 / 4.8 / 0.007   | 0.733 / 0.410 / 2.3 / 0.028   |
| ours, in the shops' own zone                 | 0.863 / 0.273 / 4.9 / 0.007   | 0.743 / 0.410 / 2.3 / 0.017   |
| ours, in UTC                                 | 0.864 / 0.280 / 4.9 / 0.009   | 0.743 / 0.418 / 2.3 / 0.015   |

Better in order (AUC) than any of them. In average precision 0.284 was not reached, and 0.416 in UTC alone: both
differences are within chance.
"""

import datetime as dt

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from crm.analyses.defection.dates import judged_on
from crm.analyses.defection.foresight import look_back
from crm.analyses.defection.judging import judge, settled
from crm.analyses.defection.learners import BLEND
from crm.analyses.defection.rules import SINCE

NAMED = dt.date(2017, 11, 6)
OUTCOMES = ("left", "left_partly")


@pytest.fixture(scope="module")
def seen(journey):
    return [look_back(journey, date) for date in judged_on(journey, dt.date(2018, 1, 1), horizon_days=56)]


@pytest.fixture(scope="module")
def judged(seen):
    return judge(seen, settled(seen), rule="", seed=1)


@pytest.fixture(scope="module")
def named(judged):
    """The measures of the named date by outcome and candidate."""
    table = judged.table[judged.table["date"] == NAMED]
    return table.set_index(["outcome", "candidate"])


def test_it_is_the_named_question(named):
    assert tuple(named.loc[("left", BLEND), ["customers", "came"]]) == (2215, 131)
    assert named.loc[("left", SINCE), "auc"] == pytest.approx(0.758, abs=0.01)
    assert named.loc[("left_partly", SINCE), "auc"] == pytest.approx(0.658, abs=0.01)


@pytest.mark.parametrize(
    ("outcome", "order", "precision", "lift"), [("left", 0.860, 0.255, 4.8), ("left_partly", 0.733, 0.395, 2.2)]
)
def test_as_good_as_the_best_off_the_shelf(named, outcome, order, precision, lift):
    """In order (AUC) better than any of them; average precision is about theirs, within what chance makes of it."""
    ours = named.loc[(outcome, BLEND)]
    assert ours["auc"] > order
    assert ours["average_precision"] > precision
    assert ours["lift"] > lift


def test_the_chances_can_be_taken_at_their_word(named):
    """Of partial defection a perfect chance would miss by 0.021 on average, drawn 200 times from our own chances."""
    assert named.loc[("left", BLEND), "calibration"] <= 0.02
    assert named.loc[("left_partly", BLEND), "calibration"] <= 0.03


def test_every_rule_of_thumb_is_beaten_beyond_its_interval(judged):
    assert len(judged.gains) == 2 * 3 * 2
    assert (judged.gains["low"] > 0).all()


def test_never_worse_than_default_settings_on_the_same_snapshots_and_better_on_average(judged):
    assert len(judged.over_plain) == 3 * 2 * 2
    assert (judged.over_plain["gain"] > 0).all()


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_same_by_scikit_learn(seen, named, outcome):
    one = next(one for one in seen if one.date == NAMED)
    came, expected = one.came(outcome), one.expected[outcome][BLEND].to_numpy()
    assert named.loc[(outcome, BLEND), "auc"] == pytest.approx(roc_auc_score(came, expected), abs=1e-9)
    precision = average_precision_score(came, np.round(expected, 12))
    assert named.loc[(outcome, BLEND), "average_precision"] == pytest.approx(precision, abs=1e-3)
