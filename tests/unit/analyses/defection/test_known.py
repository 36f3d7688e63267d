"""What is known of each customer on a date: by hand for a few, and nothing of what came on it or after it."""

import numpy as np
import pandas as pd
import pytest
from unit.analyses.defection.worlds import bought, regulars

from crm.analyses.defection.known import SIGNED, THEMES, known_on, plain_on, purchase_model_on, theme_of

TEN_DAYS = "[definitions]\nactive_within_days = 10\ndefected_after_days = 10\n"
AS_OF = "2018-01-01"

ANN = [("ann", 1, 4.0), ("ann", 4, 10.0), ("ann", 12, 20.0), ("ann", 25, 30.0), ("ann", 60, 16.0)]
BOB = [("bob", 9, 5.0)]
GONE = [("gone", 11, 5.0), ("gone", 200, 5.0)]
LATER = [("ann", 0, 999.0), ("bob", -5, 999.0), ("gone", 0, 999.0), ("new", -1, 999.0)]


@pytest.fixture(scope="module")
def by_hand(company):
    """Horizon of ten days: `last` is days 1 to 10 before the date, `before` 11 to 20, `earlier` 21 to 30."""
    facts = company({"purchases": bought([*ANN, *BOB, *GONE, *LATER])}, AS_OF, TEN_DAYS)
    return plain_on(facts, facts.settings.as_of).set_index("customer_id")


def test_at_stake_is_who_bought_in_the_ten_days_before(by_hand):
    assert list(by_hand.index) == ["ann", "bob"]


@pytest.mark.parametrize(
    ("column", "ann", "bob"),
    [
        ("net_sales_last", 14, 5), ("net_sales_half", 14, 0), ("net_sales_quarter", 4, 0),
        ("net_sales_before", 20, 0), ("net_sales_earlier", 30, 0),
        ("purchase_days_last", 2, 1), ("purchase_days_before", 1, 0),
        ("last_basket", 4, 5), ("weeks_bought", 4, 1), ("mean_basket", 16, 5), ("basket_spread", np.sqrt(78.4), 0),
        ("usual_net_sales", 64 / 3, 5 / 3), ("last_over_usual", 14 * 3 / 64, 3), ("half_over_usual", 28 * 3 / 64, 0),
        ("quarter_over_usual", 4 * 5 * 3 / 64, 0), ("before_over_usual", 20 * 3 / 64, 0),
        # six half horizons: 14, 0, 20, 0, 30, 0
        ("most_of_a_part", 30, 5), ("least_of_a_part", 0, 0),
        ("part_spread", np.sqrt(1496 / 6 - (64 / 6) ** 2), np.sqrt(25 / 6 - (5 / 6) ** 2)),
        ("last_basket_over_mean", 4 / 16, 1), ("basket_spread_over_mean", np.sqrt(78.4) / 16, 0),
        # gaps of 35, 13, 8 and 3 days; silent for one
        ("since_over_longest_gap", 1 / 35, np.nan), ("since_over_mean_gap", 1 / 14.75, np.nan),
        ("since_in_spreads", (1 - 14.75) / np.std([35, 13, 8, 3], ddof=1), np.nan),
        ("purchase_rate", 5 / 60, 1 / 9), ("rate_change", 4 / 28 - 5 / 91, 1 / 28 - 1 / 91),
        ("days_since_last_purchase", 1, 9),
    ],
)  # fmt: skip
def test_windows_by_hand(by_hand, column, ann, bob):
    found = by_hand[column]
    assert found["ann"] == pytest.approx(ann, abs=1e-4)
    assert found["bob"] == pytest.approx(bob, abs=1e-4, nan_ok=True)


def test_what_nobody_knows_is_no_category(company):
    """Bought 4 and 12 days before, in windows of ten days: of late tea and a mystery, before that a mystery alone."""
    lines = bought([("ann", 4, 1.0), ("ann", 4, 1.0), ("ann", 12, 1.0)]).assign(product_id=["tea", "?", "?"])
    products = pd.DataFrame({"product_id": ["tea"], "department": ["drinks"], "category": ["tea"]})
    facts = company({"purchases": lines, "products": products}, AS_OF, TEN_DAYS)
    ann = plain_on(facts, facts.settings.as_of).set_index("customer_id").loc["ann"]
    assert ann[["categories_last", "categories_half", "categories_before"]].tolist() == [1, 1, 0]
    assert ann[["categories_365d", "departments_365d"]].tolist() == [1, 1]


def test_somebody_who_buys_evenly_has_no_spread(company):
    """Every five days for 30 days: each of the six half horizons has one purchase of the same."""
    facts = company({"purchases": bought([("even", 5 * n + 3, 7.0) for n in range(6)])}, AS_OF, TEN_DAYS)
    even = plain_on(facts, facts.settings.as_of).iloc[0]
    assert even[["least_of_a_part", "most_of_a_part", "part_spread", "basket_spread"]].tolist() == [7, 7, 0, 0]


def test_the_price_change_of_a_drawn_case(company):
    """Tea rose from 2.00 to 2.20 a piece; ann and bob used to buy it, bob for half of his basket, carl milk alone."""
    rows = [  # customer, days before, product, pieces, paid, discount
        *(("ann", day, "tea", 2, 4.00, 0.0) for day in (12, 20, 30)),
        *(("bob", day, "tea", 1, 1.50, 0.5) for day in (14, 24)), ("bob", 24, "salt", 1, 4.00, 0.0),
        ("carl", 15, "milk", 1, 1.00, 0.0),
        *(("new", day, "tea", 1, 2.20, 0.0) for day in (1, 2, 3, 4)),
        *((who, 5, "bread", 1, 1.00, 0.0) for who in ("ann", "bob", "carl")),
        *(("new", day, "tea", 1, 99.0, 0.0) for day in (0, -1, -2, -3, -4)),  # later: not known
    ]  # fmt: skip
    table = bought([(who, day, paid) for who, day, _, _, paid, _ in rows])
    for place, name in enumerate(("product_id", "quantity", "net_amount", "discount_amount"), start=2):
        table[name] = [row[place] for row in rows]
    facts = company(
        {"purchases": table.astype({"quantity": "float64"}),
         "products": pd.DataFrame({"product_id": ["tea", "salt", "milk", "bread"], "department": "food"})},
        AS_OF, TEN_DAYS,
    )  # fmt: skip
    change = plain_on(facts, facts.settings.as_of).set_index("customer_id")["price_change"]
    assert change["ann"] == pytest.approx(0.1)
    assert change["bob"] == pytest.approx(0.1), "2 of his 3 lines are comparable"
    assert np.isnan(change["carl"])
    assert np.isnan(change["new"]), "bought nothing before: has no basket"


def everything(*, poison=False):
    """60 customers with every table; `poison`: what happened on the as-of date and after it is nonsense."""
    cut, rng = pd.Timestamp(AS_OF), np.random.default_rng(9)
    past, future = regulars(60, 400), [(who, 1 - day, amount) for who, day, amount in regulars(60, 120, seed=8)]
    lines = bought([*past, *future])
    number = len(lines)
    lines = lines.assign(
        product_id=rng.choice(["p1", "p2", "p3"], number), quantity=rng.integers(1, 4, number) * 1.0,
        discount_amount=rng.integers(0, 3, number) * 0.5, coupon_amount=0.0,
        channel=rng.choice(["web", "store"], number), store_id=rng.choice(["s1", "s2"], number),
    )  # fmt: skip
    who = [f"c{place:03d}" for place in range(60)]

    def moments(count):
        return cut - pd.Timedelta(days=300) + pd.to_timedelta(rng.integers(0, 400 * 24, count), unit="h")

    opened = moments(150)
    tables = {
        "purchases": lines,
        "products": pd.DataFrame({"product_id": ["p1", "p2", "p3"], "department": ["a", "b", "b"],
                                  "category": ["x", "y", "z"], "margin_rate": [0.3, 0.2, 0.1]}),
        "returns": pd.DataFrame({"customer_id": rng.choice(who, 150), "returned_at": moments(150), "amount": 1.0}),
        "service_cases": pd.DataFrame({"case_id": np.arange(150).astype("str"), "customer_id": rng.choice(who, 150),
                                       "opened_at": opened,
                                       "closed_at": opened + pd.to_timedelta(rng.integers(1, 60, 150), unit="D"),
                                       "satisfaction": rng.integers(1, 6, 150) * 1.0}),
        "deliveries": pd.DataFrame({"order_id": lines["order_id"], "promised_at": lines["ordered_at"],
                                    "delivered_at": lines["ordered_at"]
                                    + pd.to_timedelta(rng.integers(0, 3, number), unit="D"),
                                    "complete": rng.random(number) < 0.9}),
        "visits": pd.DataFrame({"customer_id": rng.choice(who, 300), "visited_at": moments(300)}),
        "subscriptions": pd.DataFrame({"customer_id": who[:20], "started_at": cut - pd.Timedelta(days=200),
                                       "ended_at": moments(20).where(np.arange(20) < 9), "monthly_fee": 3.0}),
    }  # fmt: skip
    tables["subscriptions"] = tables["subscriptions"][
        ~(tables["subscriptions"]["ended_at"] < tables["subscriptions"]["started_at"])
    ]
    return poisoned(tables, cut) if poison else tables


def poisoned(tables, cut):
    """Purchases at a hundred times the price, of another product; deliveries years late; cases, returns, visits."""
    worse = {name: table.copy() for name, table in tables.items()}
    lines, arriving = worse["purchases"], worse["deliveries"]
    late = lines["ordered_at"] >= cut
    lines.loc[late, ["net_amount", "discount_amount"]] *= 100
    lines.loc[late, "product_id"], lines.loc[late, "store_id"] = "p1", "s9"
    arriving.loc[arriving["delivered_at"] >= cut, "delivered_at"] = cut + pd.Timedelta(days=900)
    cases = worse["service_cases"]
    later = cases["closed_at"] >= cut
    cases.loc[later, "closed_at"], cases.loc[later, "satisfaction"] = pd.NaT, np.nan
    worse["service_cases"] = cases[cases["opened_at"] < cut]
    worse["returns"].loc[worse["returns"]["returned_at"] >= cut, "amount"] = 1e6
    worse["visits"] = worse["visits"][worse["visits"]["visited_at"] < cut]
    ended = worse["subscriptions"]["ended_at"]
    worse["subscriptions"]["ended_at"] = ended.where(~(ended >= cut), cut)
    extra = lines[~late].tail(200).assign(ordered_at=cut, order_id=lambda t: "again-" + t["order_id"], net_amount=5e3)
    return worse | {"purchases": pd.concat([lines, extra], ignore_index=True)}


@pytest.fixture(scope="module")
def honest(company):
    facts = company(everything(), AS_OF)
    return known_of(facts)


def known_of(facts):
    model = purchase_model_on(facts, facts.settings.as_of)
    assert model is not None
    return known_on(facts, facts.settings.as_of, model)


def test_the_future_changes_not_a_byte(company, honest, tmp_path):
    """The poison test of this table, the purchase model's chances among its columns."""
    found = known_of(company(everything(poison=True), AS_OF))
    files = [tmp_path / "honest.parquet", tmp_path / "poisoned.parquet"]
    for table, file in zip((honest, found), files, strict=True):
        table.to_parquet(file)
    pd.testing.assert_frame_equal(found, honest, check_exact=True)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_the_past_does(company, honest):
    """The test above can fail: the same done a month earlier is seen."""
    tables = everything()
    found = known_of(company(poisoned(tables, pd.Timestamp("2017-12-01")), AS_OF))
    changed = [name for name in found if name in honest and not found[name].equals(honest[name])]
    assert {"net_sales_last", "late_last", "price_change", "returned_last", "mean_satisfaction"} <= set(changed)


def test_the_chances_of_the_purchase_model_are_added_for_each(company):
    facts = company(everything(), AS_OF)
    known = known_on(facts, facts.settings.as_of, None)
    added = known_of(facts)[["log_odds_of_silence", "expected_purchases"]]
    assert "log_odds_of_silence" not in known
    often, seldom = known["purchase_days"].idxmax(), known["purchase_days"].idxmin()
    assert added.loc[often, "log_odds_of_silence"] < added.loc[seldom, "log_odds_of_silence"]
    assert added.loc[often, "expected_purchases"] > added.loc[seldom, "expected_purchases"]


def test_every_column_is_a_number_of_one_row_per_customer(honest):
    assert honest["customer_id"].is_unique
    assert honest["customer_id"].is_monotonic_increasing
    assert all(pd.api.types.is_numeric_dtype(kind) for kind in honest.drop(columns="customer_id").dtypes)
    assert not np.isinf(honest.drop(columns="customer_id").to_numpy()).any()
    assert set(honest) >= SIGNED


ABOUT = {
    "silence": "days_since_last_purchase gap_ratio since_over_longest_gap since_over_mean_gap "
               "since_in_spreads log_odds_of_silence expected_purchases",
    "rhythm": "purchase_days purchase_days_7d purchase_days_14d purchase_days_28d purchase_days_56d "
              "purchase_days_91d purchase_days_182d purchase_days_365d purchase_days_fading frequency "
              "usual_gap mean_gap sd_gap longest_gap mean_log_gap purchase_days_last purchase_days_before "
              "weeks_bought purchase_rate rate_change",
    "spending": "net_sales_ever net_sales_14d net_sales_28d net_sales_56d net_sales_91d net_sales_182d "
                "net_sales_365d net_sales_fading margin_known_365d sales_margin_unknown_365d orders_365d "
                "lines_365d units_365d spend_trend order_value_365d lines_per_order_365d net_sales_last "
                "net_sales_half net_sales_quarter net_sales_before net_sales_earlier last_basket mean_basket "
                "basket_spread most_of_a_part least_of_a_part part_spread usual_net_sales last_over_usual "
                "half_over_usual quarter_over_usual before_over_usual least_over_usual most_over_usual "
                "spread_over_usual basket_spread_over_mean last_basket_over_mean expected_over_usual "
                "half_of_usual_in_spreads",
    "breadth": "categories_365d departments_365d share_of_top_department categories_last categories_half "
               "categories_before",
    "promotions": "discount_365d coupons_365d share_bought_on_promotion share_bought_with_coupon "
                  "discount_rate",
    "prices": "price_change",
    "deliveries": "deliveries_365d late_deliveries_365d faulty_deliveries_365d late_last faulty_last "
                  "last_delivery_late",
    "service": "cases_365d open_cases mean_satisfaction cases_last",
    "returns": "returns_365d returned_365d returns_last returned_last",
    "visits": "visits_91d",
    "tenure": "T tenure recency",
    "place": "stores_365d share_of_main_channel",
    "contract": "running_contracts monthly_fee contract_days ended_contracts",
}  # fmt: skip
UNCLEAR = {"price_per_line_365d": "spending", "last_gap": "rhythm"}


def test_every_column_is_in_the_table_of_themes(honest):
    told = {column for columns in ABOUT.values() for column in columns.split()} | set(UNCLEAR)
    assert set(honest.columns) - {"customer_id"} == told
    assert set(ABOUT) | {"campaigns"} == set(THEMES)


@pytest.mark.parametrize("theme", ABOUT)
def test_what_each_column_is_about(theme):
    assert {column: theme_of(column) for column in ABOUT[theme].split()} == dict.fromkeys(ABOUT[theme].split(), theme)


def test_campaigns_are_about_campaigns():
    assert {theme_of(f"campaigns_{done}_365d") for done in ("received", "answered")} == {"campaigns"}


@pytest.mark.parametrize("column", UNCLEAR)
def test_what_these_columns_are_about(column):
    assert theme_of(column) == UNCLEAR[column]
