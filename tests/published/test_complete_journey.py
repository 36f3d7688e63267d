"""Complete Journey, accounted for to the line and to the cent.

The figures are the package's own: 1,469,307 lines and 4,596,039.58 of sales value of 2,469 households, 27 campaigns,
6,589 contacts, 2,102 coupon redemptions; recomputed here from its files with plain pandas.
"""

from decimal import Decimal

import pandas as pd
import pytest

from crm.analyses.data_quality import examine_data
from crm.engine import to_pandas
from crm.sources.complete_journey import data_folder


@pytest.fixture(scope="module")
def transactions():
    return pd.read_parquet(data_folder() / "transactions.parquet")


def test_every_line_and_every_cent_is_accounted_for(journey, transactions):
    assert len(transactions) == 1_469_307
    assert round(transactions["sales_value"].sum(), 2) == 4_596_039.58
    outcomes = journey.outcomes[journey.outcomes["table"] == "purchases"]
    assert outcomes["rows"].sum() == 1_469_307
    quality = examine_data(journey, journey.settings.as_of)
    money = quality.money.set_index("table").loc["purchases"]
    assert money["came_in"] == Decimal("4596039.58")
    assert money["kept"] + money["set_aside"] + money["became_returns"] == money["came_in"]
    assert quality.reconciles
    sentences = " ".join(finding.sentence for finding in quality.findings)
    assert "1,469,307" in sentences
    assert "4,596,039.58" in sentences


def test_only_void_lines_are_set_aside(journey, transactions):
    void = (transactions["quantity"] == 0) & (transactions["sales_value"].round(4) == 0)
    rejected = journey.rejected("purchases")
    assert len(rejected) == void.sum() == 8_840
    assert set(rejected["reason"]) == {"nothing was sold: quantity and amount are zero"}
    assert (transactions["quantity"] == 0).sum() == 8_869, "29 lines of quantity 0 carry an amount and stay"


def test_days_of_trade_are_cut_in_the_stores_time_zone(journey, transactions):
    kept = to_pandas(journey["purchases"].select("ordered_at", "order_id", "day"))
    assert transactions["transaction_timestamp"].max() == pd.Timestamp("2018-01-01 04:01:20"), "in UTC"
    assert kept["ordered_at"].max() == pd.Timestamp("2017-12-31 23:01:20"), "in New York"
    local = transactions["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert("America/New_York")
    assert kept["ordered_at"].dt.hour.value_counts().idxmin() in (2, 3, 4, 5), "the quietest hour is at night"
    by_order = kept.drop_duplicates("order_id").set_index("order_id")["ordered_at"]
    expected = local.dt.tz_localize(None).groupby(transactions["basket_id"].astype("str")).min()
    pd.testing.assert_series_equal(
        by_order.sort_index(), expected.reindex(by_order.sort_index().index), check_names=False, check_dtype=False
    )


def test_fuel_is_counted_in_gallons(journey):
    most = to_pandas(journey["purchases"].select("quantity").sort("quantity", descending=True).head(1))
    assert most["quantity"].iloc[0] == 144, "the dearest tank was 89.6 gallons; 144 ears of corn are the most pieces"


def test_the_other_tables_are_whole(journey):
    kept = journey.tables.set_index("table")["kept"]
    assert kept[["products", "customers", "campaigns", "contacts", "responses"]].tolist() == [
        92_331, 801, 27, 6_589, 2_102,
    ]  # fmt: skip


def test_a_contact_without_a_date_happened_on_its_campaigns_first_day(journey):
    contacts = to_pandas(journey["contacts"].select("campaign_id", "day").unique()).set_index("campaign_id")["day"]
    campaigns = to_pandas(journey["campaigns"].select("campaign_id", "day")).set_index("campaign_id")["day"]
    assert contacts.sort_index().equals(campaigns.reindex(contacts.sort_index().index))
