"""Who buys (nearly) only on discount, what does that cost, and who would have bought anyway?"""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest

from crm.analyses.campaign_success.promotions import (
    BANDS,
    BY_BAND,
    CUSTOMERS,
    FAR_MORE,
    LESS,
    MORE,
    MOSTLY,
    NEARLY_ALL,
    NONE,
    UP_TO_HALF,
    USUAL,
    bought_anyway,
    promotion_dependence,
)
from crm.facts import read_facts
from crm.sources.sample_company.truth import read_truth

AS_OF = dt.date(2017, 6, 1)

# Of tea (20 of 100) a fifth is usually taken off, of cups (5 of 100) a twentieth.
PURCHASES = """
customer_id order_id ordered_at net_amount discount_amount product_id
anna        1        2017-01-05 8          2               tea
anna        2        2017-02-05 8          2               tea
anna        3        2017-03-05 8          2               tea
ben         4        2017-01-05 10         0               tea
ben         5        2017-02-05 10         0               tea
ben         6        2017-03-05 10         0               tea
cleo        7        2017-01-05 10         0               cup
cleo        8        2017-02-05 5          5               cup
cleo        9        2017-03-05 10         0               cup
cleo        10       2017-04-05 16         4               tea
dora        11       2017-01-05 6          10              tea
dora        12       2017-02-05 4          0               pen
emil        13       2017-01-05 70         0               cup
emil        14       2017-02-05 4          0               tea
emil        15       2017-05-31 0.5        0               pen
emil        16       2017-06-01 1000       9000            tea
old         17       2016-05-31 1000       9000            tea
"""


@pytest.fixture(scope="module")
def facts(company, draw):
    """The purchases above; a margin of 10 %."""
    return company({"purchases": draw(PURCHASES)}, AS_OF.isoformat(), "[money]\ngross_margin = 0.1\n")


@pytest.fixture(scope="module")
def found(facts):
    """The dependence on promotions in the year before."""
    return promotion_dependence(facts, AS_OF)


@pytest.mark.parametrize(
    ("customer", "net_sales", "discount", "share", "rate", "usual", "band", "against"),
    [
        ("anna", 24, 6, 1.0, 6 / 30, 6.0, NEARLY_ALL, USUAL),
        ("ben", 30, 0, 0.0, 0.0, 6.0, NONE, LESS),
        ("cleo", 41, 9, 21 / 41, 9 / 50, 4.0 + 1.5, MOSTLY, MORE),
        ("emil", 74.5, 0, 0.0, 0.0, 0.8 + 3.5, NONE, LESS),
    ],
)
def test_a_customers_dependence_can_be_counted(
    found, customer, net_sales, discount, share, rate, usual, band, against
):
    row = found.customers.set_index("customer_id").loc[customer]
    told = row[["net_sales", "discount", "share_on_promotion", "discount_rate"]].astype("float64")
    assert told.tolist() == pytest.approx([net_sales, discount, share, rate])
    assert row["margin"] == pytest.approx(0.1 * net_sales)
    assert row[["usual_discount", "against_usual"]].tolist() == pytest.approx([usual, discount / usual])
    assert row[["band", "band_against_usual"]].tolist() == [band, against]


def test_two_days_are_no_habit(found):
    assert "dora" not in set(found.customers["customer_id"])
    assert found.too_few_days == 1
    assert found.only_on_promotion["customer_id"].tolist() == ["anna"]


def test_nothing_from_the_as_of_date_on_and_nothing_older_than_a_year_counts(found):
    assert "old" not in set(found.customers["customer_id"])
    assert found.share_on_promotion == pytest.approx((24 + 21 + 6) / (24 + 30 + 41 + 10 + 74.5))
    assert found.discount_rate == pytest.approx(25 / (179.5 + 25))


def test_bands_add_up(found):
    table = found.by_share.set_index("band")
    assert table.index.tolist() == list(BANDS)
    assert table["customers"].tolist() == [2, 0, 1, 1]
    assert table["discount"].tolist() == [0, 0, 9, 6]
    assert table["net_sales"].tolist() == [104.5, 0, 41, 24]
    assert table["share_of_discount"].tolist() == pytest.approx([0, 0, 0.6, 0.4])
    assert table.loc[NEARLY_ALL, "above_usual"] == pytest.approx(6 - 6)
    assert table["by_chance"].sum() == pytest.approx(4)
    assert math.isnan(table.loc[UP_TO_HALF, "margin_rate"])


def test_against_the_usual_discount_of_the_same_products(found):
    table = found.by_usual.set_index("band")
    assert table["customers"].to_dict() == {LESS: 2, USUAL: 1, MORE: 1, FAR_MORE: 0}
    assert table["above_usual"].tolist() == pytest.approx([-10.3, 0, 3.5, 0])
    assert table["by_chance"].isna().all()


@pytest.mark.parametrize(
    ("amounts", "discounts", "band"),
    [
        ((10, 10, 10, 10), (0, 0, 0, 0), NONE),
        ((10, 10, 10, 11), (1, 1, 0, 0), UP_TO_HALF),
        ((10, 10, 10, 10), (1, 1, 0, 0), MOSTLY),
        ((30, 30, 30, 10.1), (1, 1, 1, 0), MOSTLY),
        ((30, 30, 30, 10), (1, 1, 1, 0), NEARLY_ALL),
        ((10, 10, 10, 10), (1, 1, 1, 1), NEARLY_ALL),
    ],
    ids=["none", "just below half", "half", "just below 90 %", "90 %", "all"],
)
def test_the_edges_of_the_bands(company, amounts, discounts, band):
    purchases = pd.DataFrame(
        {
            "customer_id": "anna",
            "order_id": ["1", "2", "3", "4"],
            "ordered_at": pd.to_datetime(["2017-01-05", "2017-02-05", "2017-03-05", "2017-04-05"]),
            "net_amount": np.array(amounts, dtype="float64"),
            "discount_amount": np.array(discounts, dtype="float64"),
        }
    )
    found = promotion_dependence(company({"purchases": purchases}, "2017-06-01"), AS_OF)
    assert found.customers["band"].tolist() == [band]


def test_days_shuffled_among_customers_are_what_chance_would_give(company):
    """Half buy on promotion always and half never, six days each: by chance hardly anybody would."""
    rows = [(f"c{i:03d}", d) for i in range(200) for d in range(6)]
    purchases = pd.DataFrame(
        {
            "customer_id": [name for name, _ in rows],
            "order_id": [f"{name}-{d}" for name, d in rows],
            "ordered_at": [pd.Timestamp("2017-01-05") + pd.Timedelta(days=9 * d) for _, d in rows],
            "net_amount": 10.0,
            "discount_amount": [5.0 * (int(name[1:]) % 2) for name, _ in rows],
        }
    )
    table = promotion_dependence(company({"purchases": purchases}, "2017-06-01"), AS_OF).by_share.set_index("band")
    assert table["customers"].tolist() == [100, 0, 0, 100]
    assert table.loc[NEARLY_ALL, "by_chance"] == pytest.approx(200 / 2**6, abs=2)
    assert table.loc[NONE, "by_chance"] == pytest.approx(200 / 2**6, abs=2)


def test_without_discounts_it_is_said_that_nothing_can_be_told(company, draw):
    found = promotion_dependence(
        company({"purchases": draw(PURCHASES).drop(columns="discount_amount")}, "2017-06-01"), AS_OF
    )
    assert found.tells == ("No discount is recorded: who depends on promotions cannot be told.",)
    assert found.by_usual["customers"].sum() == 0


def test_before_anybody_has_bought_the_tables_are_empty(facts):
    found = promotion_dependence(facts, dt.date(2016, 1, 1))
    assert (len(found.customers), tuple(found.customers)) == (0, CUSTOMERS)
    assert (len(found.by_share), tuple(found.by_share)) == (0, BY_BAND)
    assert "nothing is judged" in found.tells[0]


def test_in_complete_journey_half_of_everything_is_on_promotion_and_it_says_what_that_means(journey):
    found = promotion_dependence(journey, dt.date(2018, 1, 1))
    assert found.share_on_promotion == pytest.approx(2_342_260.36 / 4_596_039.58, abs=1e-6)
    assert found.tells[1].startswith("51% of all net sales are on promotion")
    # Every discount is usual for somebody: over all customers both are the same.
    everybody = found.by_share["discount"].sum()
    assert abs(found.by_share["above_usual"].sum()) < 0.01 * everybody


@pytest.mark.parametrize(
    ("effect", "low", "high", "responded", "share", "least", "most"),
    [
        (0.05, 0.02, 0.08, 100, 0.5, 0.2, 0.8),
        (0.05, -0.02, 0.12, 100, 0.5, 0.0, 1.0),
        (-0.05, -0.08, -0.02, 100, 1.0, 1.0, 1.0),
        (0.2, 0.1, 0.3, 100, 0.0, 0.0, 0.0),
        (0.05, math.nan, math.nan, 100, 0.5, math.nan, math.nan),
    ],
    ids=["half", "unsure", "harm", "more than answered", "no interval"],
)
def test_how_many_would_have_bought_anyway(effect, low, high, responded, share, least, most):
    found = bought_anyway(effect, low, high, responded=responded, contacted=1000)
    assert [found.share, found.low, found.high] == pytest.approx([share, least, most], nan_ok=True)
    assert found.incremental == pytest.approx(1000 * effect)
    assert "observational" not in found.how
    assert not found.why_not


def test_the_share_of_a_drawn_experiment_is_found_in_its_interval():
    """A tenth buys because of the coupon, and all of them use it; a third buys anyway, and half of them use it."""
    rng, customers = np.random.default_rng(4), 40_000
    anyway, persuaded = rng.random(2 * customers) < 1 / 3, rng.random(2 * customers) < 0.1
    contacted = np.arange(2 * customers) < customers
    bought = anyway | (contacted & persuaded)
    used = contacted & ((anyway & (rng.random(2 * customers) < 0.5)) | (persuaded & ~anyway))
    effect = bought[contacted].mean() - bought[~contacted].mean()
    error = math.sqrt(bought[contacted].var() / customers + bought[~contacted].var() / customers)
    found = bought_anyway(effect, effect - 1.96 * error, effect + 1.96 * error, int(used.sum()), customers)
    truth = anyway[used].mean()
    assert found.low < truth < found.high
    assert found.high - found.low < 0.1


def test_an_observational_effect_is_called_so():
    found = bought_anyway(0.05, 0.02, 0.08, responded=100, contacted=1000, observational=True)
    assert found.observational
    assert "observational" in found.how


@pytest.mark.parametrize(
    ("effect", "responded", "why"),
    [(0.05, 0, "Nobody answered."), (math.nan, 10, "Its effect on buying is not known.")],
    ids=["no answers", "no effect"],
)
def test_where_it_cannot_be_said_the_reason_is(effect, responded, why):
    found = bought_anyway(effect, effect, effect, responded=responded, contacted=1000)
    assert math.isnan(found.share)
    assert found.why_not == why


def test_planted_bargain_hunters_are_found(settings_for):
    """In a sample company the true share bought on promotion is known of each customer."""
    settings = settings_for("sample_company", "2018-01-01", source="customers = 1_000\nseed = 5")
    facts = read_facts(settings)
    found = promotion_dependence(facts, dt.date(2018, 1, 1)).customers
    folder = settings.folders.data / "raw" / "sample_company" / "1000-customers-seed-5"
    truth = read_truth(folder, "customers").set_index("customer_id")["promotion_share"]
    true = found["customer_id"].map(truth)
    assert found["share_on_promotion"].corr(true, method="spearman") > 0.7
    hunters = found["band"] == NEARLY_ALL
    assert true[hunters].mean() > true[~hunters].mean() + 0.3
