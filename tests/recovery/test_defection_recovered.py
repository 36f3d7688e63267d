"""The sample company: does the model find who is leaving, and do its reasons name what they leave for?"""

import datetime as dt

import pandas as pd
import pytest

from crm.analyses.defection import analyse_defection
from crm.analyses.defection.model import fit_defection_model
from crm.analyses.defection.reasons import reasons_for
from crm.facts import read_facts
from crm.measures.chances import auc, expected_calibration_error
from crm.sources.sample_company import read_truth

AS_OF = dt.date(2018, 1, 1)
AFTER_THE_RISE = dt.date(2017, 5, 15)  # ten weeks after prices rose: the newest lessons have seen who left for it


@pytest.fixture(scope="module")
def company(settings_for):
    """4,000 customers, whose truth is kept beside their data."""
    return read_facts(settings_for("sample_company", AS_OF.isoformat(), source="customers = 4000\nseed = 4"))


@pytest.fixture(scope="module")
def truth(company):
    folder = next((company.settings.folders.data / "raw" / "sample_company").glob("4000-customers-seed-4"))
    return read_truth(folder, "customers").set_index("customer_id")


@pytest.fixture(scope="module")
def today(company):
    return analyse_defection(company, AS_OF)


def gone_for(defection, truth, cause):
    """Customers at stake who had left already, unseen, for this cause, and are told reasons."""
    table = defection.customers.set_index("customer_id").join(truth)
    left = pd.to_datetime(table["died_on"]) < pd.Timestamp(defection.as_of)
    return table[left & (table["cause"] == cause) & (table["reasons"] != "")]


def test_who_leaves_is_found_and_how_many(today, truth):
    table = today.customers.set_index("customer_id").join(truth)
    came = (table["purchase_days_next_56"] == 0).to_numpy("float64")
    chance = table["probability"].to_numpy()
    assert auc(came, chance) > 0.75
    assert expected_calibration_error(came, chance) < 0.05
    assert today.expected_low < came.sum() < today.expected_high


def test_those_who_leave_for_late_deliveries_are_told_so(today, truth):
    left = gone_for(today, truth, "late deliveries")
    named = left["causes"].str.contains("deliveries")
    assert len(left) >= 30
    assert named.mean() >= 0.7
    assert left["causes"].str.startswith("deliveries").mean() > 0.5  # and first of all


def test_a_cause_is_not_named_to_everybody(today, truth):
    table = today.customers.set_index("customer_id").join(truth)
    others = table[(table["cause"] == "nothing") & (table["reasons"] != "")]
    assert others["causes"].str.contains("prices").mean() < 0.1


def test_late_deliveries_lead_what_the_company_itself_did(today):
    own = today.drivers[today.drivers["theme"].isin(["deliveries", "service", "returns", "prices", "campaigns"])]
    assert own["theme"].iloc[0] == "deliveries"


@pytest.fixture(scope="module")
def told_prices(company, truth):
    """Of those at stake after the rise: were prices named; and their truth."""
    model = fit_defection_model(company, AFTER_THE_RISE)
    known = model.known_on(company, AFTER_THE_RISE)
    told = reasons_for(model, known, company, AFTER_THE_RISE)
    table = truth.loc[known["customer_id"]]
    gone = pd.to_datetime(table["died_on"]) < pd.Timestamp(AFTER_THE_RISE)
    soon = pd.to_datetime(table["died_on"]) < pd.Timestamp(AFTER_THE_RISE) + pd.Timedelta(days=56)
    named = [any(one.theme == "prices" for one in reasons) for reasons in told]
    return table.assign(named=named, gone=gone, leaves=soon)


def test_those_who_leave_for_prices_are_told_so_once_it_was_seen(told_prices):
    """Ten weeks after the only rise there ever was, the newest lesson has seen who left for it: a model names what it
    has seen. 76 to 82 % in four companies; a month before, no lesson had."""
    for_prices = told_prices[told_prices["gone"] & (told_prices["cause"] == "price")]
    assert len(for_prices) >= 40
    assert for_prices["named"].mean() >= 0.7


def test_prices_are_named_to_few_whom_they_did_not_drive_away(told_prices):
    """Of those who leave for nothing, for late deliveries, or stay. Everybody met the rise, and who minds it is not
    in the tables: even by the true share of dearer things, to find 70 % is to name 17 to 40 % of the others."""
    others = told_prices[told_prices["leaves"] & (told_prices["cause"] != "price")]
    stay = told_prices[~told_prices["leaves"]]
    assert len(others) >= 80
    assert others["named"].mean() < 0.4
    assert stay["named"].mean() < 0.33
