"""Is ours better than a strong model off the shelf, over more than one date?

The strongest of those that were measured on 2017-11-06 was the mean of a random forest, a logistic regression on
logarithms and boosted trees, all of which read the purchase model's chance of no purchase. On one date with 133
leavers a few thousandths are chance, so the same is fitted here with scikit-learn and XGBoost alone, to
the same lessons and columns as ours, on nine dates before that one. Measured, days cut in UTC:

| nine dates, May to September | ours | off the shelf | gain, 95 % by customers |
|---|---|---|---|
| defection, average precision | 0.315 | 0.306 | +0.010 (0.001 to 0.018) |
| defection, AUC | 0.882 | 0.881 | within chance |
| partial defection, average precision | 0.382 | 0.384 | within chance |
| partial defection, AUC | 0.708 | 0.707 | within chance |
"""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from crm.analyses.defection.foresight import look_back
from crm.analyses.defection.learners import BLEND
from crm.analyses.defection.model import fit_defection_model, read_lessons
from crm.measures.resampling import Pair, gains

pytestmark = pytest.mark.slow

DATES = [dt.date(2017, 5, 22) + dt.timedelta(days=14 * number) for number in range(9)]
OUTCOMES = ("left", "left_partly")
MEASURES = {"average_precision": average_precision_score, "auc": roc_auc_score}


def off_the_shelf(known, left, now):
    """The mean of three chances, each with settings that one would try first."""
    known, now = known.astype("float64"), now[list(known)].astype("float64")

    def logs(table):
        return np.log1p(np.maximum(np.nan_to_num(table.to_numpy(), nan=0.0), 0.0))

    forest = RandomForestClassifier(300, min_samples_leaf=15, random_state=1, n_jobs=1)
    forest.fit(known.fillna(-1.0), left)
    regression = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(logs(known), left)
    settings = {"objective": "binary:logistic", "max_depth": 3, "eta": 0.05, "subsample": 0.8, "nthread": 1}
    settings |= {"colsample_bytree": 0.8, "min_child_weight": 5, "seed": 1}
    trees = xgb.train(settings, xgb.DMatrix(known, label=left), 150)
    return np.mean(
        [
            forest.predict_proba(now.fillna(-1.0))[:, 1],
            regression.predict_proba(logs(now))[:, 1],
            trees.predict(xgb.DMatrix(now)).astype("float64"),
        ],
        axis=0,
    )


@pytest.fixture(scope="module")
def found(journey_in_utc):
    """Ours beside theirs, by outcome and measure."""
    facts = journey_in_utc
    pairs = {outcome: [] for outcome in OUTCOMES}
    numbers = {}
    for date in DATES:
        lessons, seen = read_lessons(facts, date), look_back(facts, date)
        now = fit_defection_model(facts, date, lessons=lessons).known_on(facts, date)
        people = np.array([numbers.setdefault(one, len(numbers)) for one in seen.customers["customer_id"]])
        for outcome in OUTCOMES:
            taught = lessons.by_outcome[outcome]
            known, left = pd.concat([one.known for one in taught]), np.concatenate([one.left for one in taught])
            columns = known.select_dtypes("number").columns
            theirs = off_the_shelf(known[columns], left, now)
            ours = seen.expected[outcome][BLEND].to_numpy()
            pairs[outcome].append(Pair(people, seen.came(outcome), ours, theirs))
    tables = [gains(pairs[outcome], MEASURES, seed=1).assign(outcome=outcome) for outcome in OUTCOMES]
    return pd.concat(tables).set_index(["outcome", "measure"])


def test_ours_finds_leavers_better(found):
    """Beyond its interval, by a hair: a library's last digits may move the low end."""
    row = found.loc[("left", "average_precision")]
    assert row["gain"] > 0.005
    assert row["low"] > -0.004


@pytest.mark.parametrize(("outcome", "measure"), [("left", "auc"), ("left_partly", "average_precision"),
                                                  ("left_partly", "auc")])  # fmt: skip
def test_nowhere_surely_worse(found, outcome, measure):
    row = found.loc[(outcome, measure)]
    assert row["low"] < 0 < row["high"] or row["low"] > 0
    assert row["gain"] > -0.005
