"""The headline numbers of the customer-base page, a second way: plain pandas over the package's own file."""

import pandas as pd
import pytest

from crm.analyses.customer_base import describe_customer_base
from crm.sources.complete_journey import data_folder


@pytest.fixture(scope="module")
def base(journey):
    return describe_customer_base(journey, journey.settings.as_of)


@pytest.fixture(scope="module")
def lines():
    table = pd.read_parquet(data_folder() / "transactions.parquet")
    table = table[(table["quantity"] != 0) | (table["sales_value"].round(4) != 0)]
    local = (
        table["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert("America/New_York").dt.tz_localize(None)
    )
    return table.assign(at=local, month=local.dt.to_period("M"))


def test_customers_and_sales(base, lines):
    values = base.findings["customers"].values
    assert values["customers"] == lines["household_id"].nunique() == 2_469
    assert values["net_sales"] == pytest.approx(lines["sales_value"].sum(), abs=0.005)
    recent = lines["at"] >= pd.Timestamp("2018-01-01") - pd.Timedelta(days=56)
    assert values["active"] == lines.loc[recent, "household_id"].nunique()


def test_every_month(base, lines):
    grouped = lines.groupby("month")
    months = base.months.set_index("starts_at")
    assert months["net_sales"].tolist() == pytest.approx(grouped["sales_value"].sum().tolist(), abs=0.005)
    assert months["customers"].tolist() == grouped["household_id"].nunique().tolist()
    assert months["orders"].tolist() == grouped["basket_id"].nunique().tolist()


def test_the_last_month_against_the_one_before(base, lines):
    sales = lines.groupby("month")["sales_value"].sum()
    change = sales["2017-12"] / sales["2017-11"] - 1
    assert base.findings["last_month"].values["before"] == pytest.approx(change, abs=1e-6)


def test_the_best_tenth(base, lines):
    spent = lines.groupby("household_id")["sales_value"].sum().sort_values(ascending=False)
    values = base.findings["concentration"].values
    assert values["customers"] == 247
    assert values["share"] == pytest.approx(spent.head(247).sum() / spent.sum())


def test_departments_of_the_last_quarter(base, lines):
    products = pd.read_parquet(data_folder() / "products.parquet").set_index("product_id")["department"]
    recent = lines[lines["at"] >= pd.Timestamp("2018-01-01") - pd.Timedelta(days=91)]
    department = recent["product_id"].map(products).fillna("(unknown)")
    expected = recent.groupby(department)["sales_value"].sum()
    found = base.departments.set_index("department")["net_sales"]
    assert found[found > 0].sort_index().to_dict() == pytest.approx(expected.sort_index().to_dict(), abs=0.011)
    orders = base.departments.set_index("department")["orders"]
    assert orders["GROCERY"] == recent.loc[department == "GROCERY", "basket_id"].nunique()


def test_retention_of_the_february_cohort(base, lines):
    joined = lines.groupby("household_id")["month"].min()
    cohort = joined[joined == pd.Period("2017-02")].index
    in_may = lines.loc[(lines["month"] == pd.Period("2017-05")), "household_id"].unique()
    table = base.retention
    row = table[(table["cohort_starts_at"].astype("str") == "2017-02-01") & (table["months_since"] == 3)].iloc[0]
    assert row["customers"] == len(cohort)
    assert row["bought"] == len(set(cohort) & set(in_may))
