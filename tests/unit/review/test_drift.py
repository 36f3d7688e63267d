"""Drift is told from chance, and where nothing is known that is said."""

import math

import numpy as np
import pandas as pd
import pytest

from crm.config import Review
from crm.measures.stability import Population
from crm.review import SCORE, drift_of

RNG = np.random.default_rng(1)
THEN = pd.DataFrame({"spend": RNG.gamma(2, 50, 900), "gap": RNG.gamma(2, 9, 900), SCORE: RNG.random(900)})
RECORD = {"columns": ["spend", "gap"], "population": Population.of(THEN).as_record()}


@pytest.mark.parametrize(
    ("now", "scores", "sentence", "reason"),
    [
        (THEN, None, "0 of 2 columns moved", ""),
        (THEN, THEN[SCORE], "0 of 2 columns moved, and the score's stability index is 0.00", ""),
        (THEN * 2, None, "2 of 2 columns moved", "2 of 2 columns moved, 100% (more than 25%)"),
        (THEN.head(15) * 1.5, None, "0 of 2 columns moved", ""),  # fifteen customers are no evidence
        (THEN[[]], None, "none of its columns is among today's", ""),
        (
            THEN,
            THEN[SCORE] ** 4,
            "0 of 2 columns moved, and the score's stability index is 1.",
            "the score's stability index is 1.",
        ),
    ],
    ids=["the same", "scores, too", "twice as much", "few", "its own columns", "other scores"],
)
def test_what_is_said_of_today(now, scores, sentence, reason):
    drift = drift_of(RECORD, now, Review(), scores=None if scores is None else scores.to_numpy())
    assert drift.sentence.startswith(sentence)
    assert drift.reason(Review()).startswith(reason)
    assert bool(drift.reason(Review())) == bool(reason)
    assert all(math.isfinite(value) for value in drift.measures.values())
    assert ("drift_score_psi" in drift.measures) == (scores is not None)


@pytest.mark.parametrize("record", [{}, {"population": None}])
def test_unknown_drift_is_said_and_is_no_reason(record):
    drift = drift_of(record, THEN, Review())
    assert "drift is unknown" in drift.sentence
    assert (drift.reason(Review()), drift.measures) == ("", {})
