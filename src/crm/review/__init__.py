"""Review: which model scores, when another is fitted, and whether that one may follow it.

`standing_model(name, facts, as_of, retrain=...)` says in a notebook which model scores and why;
`drift_today(name, record, facts, as_of)` how far today's customers are from those it was fitted on.
`judge(reviewable, facts, as_of, ...)` holds a challenger against the champion; `review_version`, `promote_version`
and `roll_back_model` do what the commands of the same names do.
"""

from crm.review.drift import SCORE, Drift, drift_of
from crm.review.judging import Candidate, judge
from crm.review.reviewable import Kind, Reviewable, reviewable_of, reviewables
from crm.review.reviewing import (
    Promotion,
    models_to_review,
    nothing_to_review,
    promote_version,
    review_version,
    roll_back_model,
)
from crm.review.standing import RETRAIN, check_retrain, drift_today, standing_model
from crm.review.verdict import Gate, Verdict

__all__ = [
    "RETRAIN",
    "SCORE",
    "Candidate",
    "Drift",
    "Gate",
    "Kind",
    "Promotion",
    "Reviewable",
    "Verdict",
    "check_retrain",
    "drift_of",
    "drift_today",
    "judge",
    "models_to_review",
    "nothing_to_review",
    "promote_version",
    "review_version",
    "reviewable_of",
    "reviewables",
    "roll_back_model",
    "standing_model",
]
