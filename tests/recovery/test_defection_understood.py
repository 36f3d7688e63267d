"""The planted causes of a sample company are what its customers who left differ in. About ten seconds."""

import datetime as dt

import pandas as pd
import pytest

from crm.analyses.defection.understanding import understand_defection
from crm.facts import read_facts
from crm.sources.sample_company import read_truth
from crm.sources.sample_company.story import PRICE_RISE_DAYS_BEFORE

AS_OF = dt.date(2018, 1, 1)


@pytest.fixture(scope="module")
def facts(settings_for):
    source = "customers = 10_000\nseed = 1"
    return read_facts(settings_for("sample_company", "2018-01-01", source=source))


@pytest.fixture(scope="module")
def understood(facts):
    return understand_defection(facts, AS_OF)


def test_late_deliveries_lead(understood):
    """Of all that may have changed, late deliveries differ most from similar customers who stayed."""
    service = understood.changes[understood.changes["side"] == "service"]
    first = service.iloc[0]
    assert first["measure"] == "late_deliveries"
    assert first["stands"]
    assert first["low"] > 0.03
    assert understood.changes["comparisons"].eq(17).all()


def test_what_was_not_planted_does_not_stand(understood):
    """Neither promotion, what is paid per unit nor what a basket is worth has anything to do with leaving."""
    table = understood.changes.set_index("measure")
    assert not table.loc[["promotion_share", "price_per_unit", "order_value", "contacts", "returns"], "stands"].any()


def test_prices_stand_out_on_the_date_after_they_rose(understood):
    rose = AS_OF - dt.timedelta(days=PRICE_RISE_DAYS_BEFORE)
    prices = understood.changes_by_date[understood.changes_by_date["measure"] == "basket_price"]
    after = prices[prices["date"] > rose].iloc[-1]
    assert after["low"] > 0
    assert after["difference"] == prices["difference"].max()
    assert understood.changes.set_index("measure").loc["basket_price", "low"] > 0


def test_more_money_left_after_late_deliveries_than_by_chance(understood):
    signs = understood.losses[understood.losses["kind"] == "sign"].set_index("group")
    late = signs.loc["after late deliveries"]
    assert late["low"] > 1.5 * late["share_of_stayers"]
    assert "after late deliveries" in understood.findings["signs"].sentence
    lost = understood.losses[understood.losses["kind"] == "everybody"].iloc[0]
    assert understood.findings["lost"].values["net_sales"] == lost["net_sales"]


def test_those_called_after_late_deliveries_left_for_them(facts, understood):
    """Pairs are of whoever is silent; of those still gone with that sign, most left for that cause."""
    from crm.analyses.defection.labels import stake_of
    from crm.analyses.defection.understanding.changes import matched
    from crm.analyses.defection.understanding.losses import LATE, signs
    from crm.analyses.defection.understanding.occasions import customers_on, dates, still_gone

    stake = stake_of(facts)
    people = pd.concat(
        [customers_on(facts, date, stake) for date in dates(facts, AS_OF, stake)[:3]], ignore_index=True
    )
    pairs = matched(
        facts, people[still_gone(facts, AS_OF, people, stake) | ~people["left"]].reset_index(drop=True), stake
    )
    folder = facts.settings.folders.data / "raw" / "sample_company" / "10000-customers-seed-1"
    cause = read_truth(folder, "customers").set_index("customer_id")["cause"]
    met = signs(pairs.recent)
    left = pairs.rows["left"] & (met == LATE)
    assert (pairs.rows.loc[left, "customer_id"].map(cause) == "late deliveries").mean() > 0.5
