"""The sample company behaves as its truth says: what was planted can be found again in the tables.

Bands are about four standard errors wide, so that a wrong story fails and another stream of chance does not.
"""

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from crm.sources.sample_company import read_truth, write_sample_company

AS_OF = pd.Timestamp(2018, 1, 1)
START = pd.Timestamp(2016, 1, 1)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty thousand customers without faults."""
    return write_sample_company(tmp_path_factory.mktemp("made") / "company", customers=40_000, seed=7, faults=False)


@pytest.fixture(scope="module")
def customers(company: Path) -> pd.DataFrame:
    """The true customers, with the day on which their known time of buying ends."""
    true = read_truth(company, "customers").set_index("customer_id")
    until = pd.to_datetime(true["died_on"]).fillna(AS_OF).clip(upper=AS_OF)
    since = pd.to_datetime(true["joined_on"]).clip(lower=START)
    return true.assign(since=since, until=until, joined_here=pd.to_datetime(true["joined_on"]) >= START)


@pytest.fixture(scope="module")
def orders(company: Path) -> pd.DataFrame:
    """One row per order."""
    query = f"""
        SELECT order_id, any_value(customer_id) AS customer_id, any_value(ordered_at) AS ordered_at,
            sum(net_amount) AS net_sales, any_value(channel) AS channel
        FROM '{company}/purchases/*.parquet' GROUP BY order_id"""
    return duckdb.sql(query).df()


@pytest.fixture(scope="module")
def deliveries(company: Path, orders: pd.DataFrame, customers: pd.DataFrame) -> pd.DataFrame:
    """Deliveries that arrived, with order, region and planted chance to be late."""
    arrived = pd.read_parquet(company / "deliveries").dropna(subset=["delivered_at"]).merge(orders, on="order_id")
    regions = pd.read_parquet(company / "customers")[["customer_id", "region"]]
    arrived = arrived.assign(
        december=arrived["ordered_at"].dt.month == 12, late=arrived["delivered_at"] > arrived["promised_at"]
    )
    arrived = arrived.merge(regions, on="customer_id").merge(
        read_truth(company, "lateness"), on=["region", "december"]
    )
    return arrived.merge(customers[["segment"]], left_on="customer_id", right_index=True)


@pytest.fixture(scope="module")
def chosen(company: Path, orders: pd.DataFrame) -> pd.DataFrame:
    """One row per customer chosen: orders and net sales within the window, and what the truth expects."""
    contacts = pd.read_parquet(company / "contacts")[["campaign_id", "customer_id", "arm"]]
    rows = contacts.merge(read_truth(company, "campaign_effects"), on=["campaign_id", "customer_id"])
    campaigns = pd.read_parquet(company / "campaigns")
    within = orders.merge(campaigns, how="cross", suffixes=("", "_of_campaign"))
    day = within["ordered_at"].dt.normalize()
    within = within[(day >= within["starts_at"]) & (day <= within["ends_at"])]
    bought = within.groupby(["campaign_id", "customer_id"]).agg(
        orders=("order_id", "size"), net_sales=("net_sales", "sum")
    )
    rows = rows.merge(bought, on=["campaign_id", "customer_id"], how="left")
    return rows.fillna({"orders": 0, "net_sales": 0}).merge(read_truth(company, "campaigns"), on="campaign_id")


def test_segments_have_their_shares(company: Path, customers: pd.DataFrame) -> None:
    planted = read_truth(company, "segments").set_index("name")["share"]
    measured = customers["segment"].value_counts(normalize=True)
    assert (measured - planted).abs().max() < 0.01


def test_purchase_days_follow_the_true_rates(customers: pd.DataFrame, orders: pd.DataFrame) -> None:
    """Over whole years of 2016 to 2017 a lively week is a week; whoever joins within them buys that day."""
    always = customers[(customers["since"] == START) & (customers["until"] == AS_OF) & customers["buys"]]
    always = always[~always["joined_here"] & (always["uplift_group"].isin(["sure thing", "lost cause"]))]
    days = orders["ordered_at"].dt.normalize().groupby(orders["customer_id"]).nunique()
    measured = days.reindex(always.index, fill_value=0)
    expected = always["purchase_rate"] * (AS_OF - START).days / 7
    assert len(always) > 5000
    assert measured.sum() / expected.sum() == pytest.approx(1, abs=0.01)
    by_rate = pd.qcut(always["purchase_rate"], 10)
    ratio = measured.groupby(by_rate, observed=True).sum() / expected.groupby(by_rate, observed=True).sum()
    assert ratio.between(0.93, 1.07).all()


def test_orders_are_worth_what_the_truth_expects(
    company: Path, customers: pd.DataFrame, orders: pd.DataFrame
) -> None:
    rise = pd.Timestamp(read_truth(company, "price_rise")["from_day"].iloc[0])
    after = orders[orders["ordered_at"] >= rise].merge(customers, left_on="customer_id", right_index=True)
    sums = after.groupby("segment")[["net_sales", "order_value"]].sum()
    assert sums["net_sales"].sum() / sums["order_value"].sum() == pytest.approx(1, abs=0.01)
    assert (sums["net_sales"] / sums["order_value"]).between(0.96, 1.04).all()


def test_late_deliveries_have_their_planted_share(deliveries: pd.DataFrame) -> None:
    """The newest orders are left aside: of them only what was quick has arrived."""
    settled = deliveries[deliveries["ordered_at"] < pd.Timestamp(2017, 11, 20)]
    groups = settled.groupby(["region", "december"])
    measured, planted, n = groups["late"].mean(), groups["chance"].mean(), groups.size()
    error = np.sqrt(planted * (1 - planted) / n)
    assert len(measured) == 16
    assert ((measured - planted).abs() < 4 * error).all()


@pytest.mark.parametrize("segment", ["night owls", "premium", "loyal families", "bargain hunters"])
def test_a_late_delivery_makes_the_planted_share_leave(
    company: Path, customers: pd.DataFrame, deliveries: pd.DataFrame, segment: str
) -> None:
    """Of late deliveries to living customers, the share that was followed by leaving the next day."""
    late = deliveries[deliveries["late"] & (deliveries["segment"] == segment)]
    late = late.merge(customers[["died_on", "cause"]], left_on="customer_id", right_index=True)
    died = pd.to_datetime(late["died_on"])
    arrived = late["delivered_at"].dt.normalize()
    alive = died.isna() | (died > arrived)
    left = alive & (late["cause"] == "late deliveries") & (died == arrived + pd.Timedelta(days=1))
    planted = read_truth(company, "segments").set_index("name")["leaves_when_late"][segment]
    error = np.sqrt(planted * (1 - planted) / alive.sum())
    assert alive.sum() > 500
    assert abs(left.sum() / alive.sum() - planted) < 4 * error


def test_prices_drive_out_bargain_hunters_who_buy_what_rose(company: Path, customers: pd.DataFrame) -> None:
    rise = pd.Timestamp(read_truth(company, "price_rise")["from_day"].iloc[0])
    died = pd.to_datetime(customers["died_on"])
    there = customers[customers["buys"] & (customers["since"] < rise) & (died.isna() | (died > rise))]
    left = there["cause"] == "price"
    planted = read_truth(company, "segments").set_index("name")["price_leavers"]
    share = left.groupby(there["segment"]).mean()
    assert share["bargain hunters"] == pytest.approx(planted["bargain hunters"], abs=0.04)
    assert share["bargain hunters"] > 4 * share["loyal families"]
    hunters = there[there["segment"] == "bargain hunters"]
    half = hunters["risen_share"] > hunters["risen_share"].median()
    assert left[hunters.index][half].mean() > 1.5 * left[hunters.index][~half].mean()


class TestCampaigns:
    @staticmethod
    def difference(rows: pd.DataFrame, measure: str, planted: str = "added_orders") -> tuple[float, float, float]:
        """Treated minus held out, its standard error, and what was planted; campaigns weighed by their precision."""
        arms = rows.groupby(["campaign_id", "arm"])[measure].agg(["mean", "var", "size"]).unstack("arm")
        gap = arms["mean"]["treated"] - arms["mean"]["held_out"]
        weight = 1 / sum(arms["var"][arm] / arms["size"][arm] for arm in ("treated", "held_out"))
        expected = rows.groupby("campaign_id")[planted].mean()
        measured, true = ((values * weight).sum() / weight.sum() for values in (gap, expected))
        return float(measured), float(1 / np.sqrt(weight.sum())), float(true)

    @pytest.mark.parametrize(("measure", "planted"), [("orders", "added_orders"), ("net_sales", "added_net_sales")])
    def test_experiments_measure_the_planted_effect(self, chosen: pd.DataFrame, measure: str, planted: str) -> None:
        experiments = chosen[chosen["arm"].notna() & (chosen["strength"] > 0)]
        measured, error, true = self.difference(experiments, measure, planted)
        assert abs(measured - true) < 4 * error
        assert true > 0

    def test_the_effect_on_orders_is_plain_to_see(self, chosen: pd.DataFrame) -> None:
        measured, error, _ = self.difference(chosen[chosen["arm"].notna() & (chosen["strength"] > 0)], "orders")
        assert measured > 2 * error

    @pytest.mark.parametrize(
        ("group", "sign"), [("persuadable", 1), ("do not disturb", -1), ("sure thing", 0), ("lost cause", 0)]
    )
    def test_each_uplift_group_reacts_as_planted(self, chosen: pd.DataFrame, group: str, sign: int) -> None:
        rows = chosen[chosen["arm"].notna() & (chosen["strength"] > 0) & (chosen["uplift_group"] == group)]
        measured, error, true = self.difference(rows, "orders")
        assert np.sign(true) == sign
        assert abs(measured - true) < 4 * error
        assert sign * measured > 4 * error or sign == 0

    def test_one_experiment_changes_nothing(self, chosen: pd.DataFrame) -> None:
        nothing = chosen[chosen["arm"].notna() & (chosen["strength"] == 0)]
        measured, error, _ = self.difference(nothing, "orders")
        assert nothing["campaign_id"].nunique() == 1
        assert (nothing["added_orders"] == 0).all()
        assert abs(measured) < 4 * error

    def test_who_was_chosen_for_being_good_would_have_bought_anyway(
        self, chosen: pd.DataFrame, customers: pd.DataFrame, orders: pd.DataFrame
    ) -> None:
        """Comparing the contacted with everybody else overstates the effect many times over."""
        targeted = chosen[chosen["arm"].isna()]
        per_customer = targeted.groupby("campaign_id")["orders"].mean().mean()
        everybody = len(orders) / len(customers) * 28 / (AS_OF - START).days
        planted = targeted.groupby("campaign_id")["added_orders"].mean().mean()
        assert per_customer - everybody > 5 * planted > 0

    def test_extra_orders_are_answered_most(self, company: Path, chosen: pd.DataFrame) -> None:
        answered = pd.read_parquet(company / "responses")[["campaign_id", "customer_id"]].drop_duplicates()
        rows = chosen.merge(answered, on=["campaign_id", "customer_id"], how="left", indicator="answered")
        rows = rows[(rows["arm"] != "held_out") & (rows["orders"] > 0)]
        rate = (rows["answered"] == "both").groupby(rows["extra_order"]).mean()
        assert rate[True] > 0.7
        assert rate[False] < 0.4


def test_complements_are_bought_together(company: Path) -> None:
    purchases = pd.read_parquet(company / "purchases", columns=["order_id", "product_id"])
    bought = purchases.merge(pd.read_parquet(company / "products")[["product_id", "category"]], on="product_id")
    orders_with = {name: set(rows) for name, rows in bought.groupby("category")["order_id"]}
    for pair in read_truth(company, "complements").itertuples():
        first, second = orders_with[pair.category], orders_with[pair.brings]
        share = len(first & second) / len(first)
        apart = len(second - first) / (bought["order_id"].nunique() - len(first))
        assert share > pair.chance > 2 * apart, pair.category


def test_purchases_follow_the_true_affinities(company: Path) -> None:
    """For customers with many lines, the favourite category's share of lines is the affinity, complements aside."""
    query = f"""
        WITH lines AS (SELECT customer_id, category, count(*) AS n
            FROM '{company}/purchases/*.parquet' JOIN '{company}/products/*.parquet' USING (product_id) GROUP BY ALL),
        total AS (SELECT customer_id, sum(n) AS lines FROM lines GROUP BY 1 HAVING lines >= 100)
        SELECT a.affinity, coalesce(l.n, 0) / t.lines AS share
        FROM '{company}/truth/affinities/*.parquet' a JOIN total t USING (customer_id)
        LEFT JOIN lines l USING (customer_id, category)"""
    both = duckdb.sql(query).df()
    assert len(both) > 10_000
    assert both["affinity"].corr(both["share"]) > 0.9
    assert both["share"].mean() / both["affinity"].mean() == pytest.approx(1, abs=0.10)


def test_segments_can_be_found_from_behaviour(company: Path, customers: pd.DataFrame) -> None:
    """Plain k-means on shares and logarithms finds the six kinds again, though not perfectly: they overlap."""
    departments = pd.read_parquet(company / "products")["department"].unique()
    shares = ", ".join(f"avg((department = '{name}')::INT) AS \"{name}\"" for name in departments)
    query = f"""
        WITH returned AS (SELECT customer_id, count(*) AS n FROM '{company}/returns/*.parquet' GROUP BY 1)
        SELECT customer_id, ln(date '2018-01-15' - min(ordered_at)::DATE) AS tenure,
            ln(count(DISTINCT ordered_at::DATE) / (date '2018-01-15' - min(ordered_at)::DATE)) AS rate,
            ln(count(*) / count(DISTINCT order_id)) AS basket,
            ln(sum(net_amount) / sum(quantity)) AS price, avg((discount_amount > 0)::INT) AS promotion,
            avg((channel = 'web')::INT) AS web, avg((hour(ordered_at + INTERVAL 3 HOUR) < 7)::INT) AS night,
            sqrt(coalesce(any_value(n), 0) / count(*)) AS returned, {shares}
        FROM '{company}/purchases/*.parquet' JOIN '{company}/products/*.parquet' USING (product_id)
        LEFT JOIN returned USING (customer_id) GROUP BY customer_id
        HAVING max(ordered_at) >= TIMESTAMP '2017-11-06' ORDER BY customer_id"""
    behaviour = duckdb.sql(query).df().set_index("customer_id")
    found = KMeans(6, n_init=3, random_state=0).fit_predict(StandardScaler().fit_transform(behaviour))
    agreement = adjusted_rand_score(customers["segment"].reindex(behaviour.index), found)
    assert len(behaviour) > 15_000
    assert 0.55 < agreement < 0.95
