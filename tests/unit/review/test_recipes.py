"""Real models before the judge: what they answer, up to when they learnt, and that they can be fitted again."""

import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pytest

from crm.analyses.defection.model import fit_defection_model
from crm.analyses.lifetime_value import reviewing
from crm.config import Review
from crm.facts import read_facts
from crm.review import Candidate, judge, reviewable_of
from crm.snapshots import snapshot
from crm.tracking import TrackingError

AS_OF, EARLIER = dt.date(2018, 1, 1), dt.date(2017, 12, 4)
SAMPLE = "customers = 100\nseed = 5"
DEFECTION, VALUE = reviewable_of("defection"), reviewable_of("lifetime-value")


@pytest.fixture(scope="module")
def facts(settings_for):
    return read_facts(settings_for("sample_company", AS_OF.isoformat(), source=SAMPLE))


@pytest.fixture(scope="module")
def leaving(facts):
    """As the analysis ships it: at a level of its date."""
    return replace(fit_defection_model(facts, EARLIER), level={"left": 1.0})


def asking(facts, **definitions):
    """The same facts, and other settings."""
    settings = facts.settings
    changed = settings.definitions.model_copy(update=definitions)
    return replace(facts, settings=settings.model_copy(update={"definitions": changed}))


@pytest.mark.parametrize(
    ("definitions", "says"),
    [
        ({}, ""),
        ({"defected_after_days": 28}, "it tells who leaves within 56 days, and 28 are asked"),
        ({"active_within_days": 182}, "it tells of those who bought within {within} days, and 182 are asked"),
    ],
    ids=["the same", "other horizon", "other customers"],
)
def test_what_defection_is_asked(facts, leaving, definitions, says):
    record = leaving.as_record()
    within = record["stake"]["active_within_days"]
    assert DEFECTION.other_question(record, asking(facts, **definitions)) == says.format(within=within)


def test_what_lifetime_value_is_asked(facts):
    asked = facts.settings.definitions.value_horizon_days
    assert VALUE.other_question({"horizon_days": asked}, facts) == ""
    said = VALUE.other_question({"horizon_days": asked}, asking(facts, value_horizon_days=28))
    assert said == f"it tells the value within {asked} days, and 28 are asked"


def test_up_to_when_they_learnt(leaving):
    newest = max(leaving.learnt_from)
    assert DEFECTION.learnt_through(leaving.as_record()) == newest + dt.timedelta(days=56) <= EARLIER
    assert DEFECTION.learnt_through({"learnt_from": [], "stake": {"after_days": 56}}) is None
    learners = {"dates": ["2017-08-01", "2017-08-15"], "days": 84}
    assert VALUE.learnt_through({"learners": learners}) == dt.date(2017, 11, 7)
    assert VALUE.learnt_through({"learners": None}) is None


def test_the_level_of_a_date_belongs_to_no_model(facts, leaving):
    itself, twin = (DEFECTION.score(one, facts, AS_OF) for one in (leaving, DEFECTION.twin(leaving, facts, EARLIER)))
    np.testing.assert_allclose(itself, twin, rtol=1e-6)


def test_broken_trees_are_said_clearly(facts, leaving):
    record = leaving.as_record()
    broken = json.loads(json.dumps(record))
    assert broken["learners"]["left"], "there is something to break"
    broken["learners"]["left"]["trees"] = "{"
    with pytest.raises(TrackingError, match="files of version 2 of defection must be as they were written"):
        judge(DEFECTION, facts, AS_OF, champion=Candidate("1", record), challenger=Candidate("2", broken),
              settings=Review(), seed=1)  # fmt: skip


@pytest.mark.slow
def test_a_value_can_be_fitted_again_as_of_any_date_and_scores_later_ones(facts):
    past, today = dt.date(2017, 10, 2), snapshot(facts, AS_OF)
    then, young = VALUE.twin(None, facts, past), VALUE.twin(None, facts, EARLIER)
    assert (VALUE.fitted_through(then), VALUE.fitted_through(young)) == (past, EARLIER)
    again = reviewing._fitted(facts, past)
    np.testing.assert_allclose(VALUE.score(again, facts, past), VALUE.score(then, facts, past), rtol=1e-9)
    assert len(VALUE.score(then, facts, AS_OF)) == len(VALUE.score(young, facts, AS_OF)) == len(today)
