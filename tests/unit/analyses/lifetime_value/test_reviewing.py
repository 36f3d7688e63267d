"""A lifetime value before the judge: it stands on earlier dates as it would have then."""

import datetime as dt

import numpy as np
import pytest

from crm.analyses.lifetime_value import value_customers
from crm.analyses.lifetime_value.reviewing import REVIEWABLE
from crm.facts import read_facts
from crm.review import reviewable_of
from crm.snapshots import snapshot

pytestmark = pytest.mark.slow

AS_OF, BEFORE = dt.date(2018, 1, 1), dt.date(2017, 10, 2)


@pytest.fixture(scope="module")
def facts(settings_for):
    return read_facts(settings_for("sample_company", AS_OF.isoformat(), source="customers = 100\nseed = 5"))


@pytest.fixture(scope="module")
def record(facts):
    """The model as of the newest judged date."""
    return value_customers(facts, BEFORE).model.as_record()


def test_its_twin_is_what_was_fitted_then(facts, record):
    assert reviewable_of("lifetime-value") is REVIEWABLE
    model = REVIEWABLE.load(record)
    assert REVIEWABLE.fitted_through(model) == BEFORE
    twin = REVIEWABLE.twin(model, facts, BEFORE)
    assert REVIEWABLE.fitted_through(twin) == BEFORE
    np.testing.assert_allclose(
        REVIEWABLE.score(twin, facts, BEFORE), REVIEWABLE.score(model, facts, BEFORE), rtol=1e-9
    )


def test_whom_it_is_judged_on(facts):
    dates = REVIEWABLE.dates(facts, AS_OF)
    assert dates[0] == BEFORE
    assert list(dates) == sorted(dates, reverse=True)
    rows = REVIEWABLE.rows(facts, BEFORE)
    customers = snapshot(facts, BEFORE)
    assert rows["customer_id"].tolist() == customers["customer_id"].tolist()
    assert set(rows["group"]) <= {"bought once", "2 to 9 purchase days", "10 or more purchase days"}
    assert set(customers.loc[rows["group"] == "bought once", "purchase_days"]) == {1}
    assert rows["outcome"].sum() > 0
