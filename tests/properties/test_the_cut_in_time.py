"""The poison test and its sibling: what happens on or after the as-of date changes no feature, however wild it is."""

import datetime as dt

import narwhals as nw
import numpy as np
import pandas as pd
import pytest

from crm.engine import connection, to_pandas
from crm.features import GROUPS, customer_features, features_of
from crm.mart import Mart, open_mart
from crm.periods import known_before

AS_OF = dt.date(2017, 10, 1)

EVENT = {
    "purchases": "ordered_at",
    "service_cases": "opened_at",
    "deliveries": "delivered_at",
    "returns": "returned_at",
    "contacts": "contacted_at",
    "responses": "responded_at",
    "visits": "visited_at",
    "customers": "joined_at",
    "subscriptions": "started_at",
}


def history(seed=1, customers=60, lines=1_500):
    """A small company with every table that has features, half of it after the as-of date."""
    rng = np.random.default_rng(seed)
    who = np.array([f"c{i}" for i in range(customers)])

    def moments(count):
        seconds = rng.integers(0, 2 * 365 * 86_400, count)
        return pd.Timestamp("2016-10-01") + pd.to_timedelta(seconds, unit="s")

    def some(values, count):
        return rng.choice(np.array(values, dtype=object), count)

    orders = np.array([f"o{i}" for i in range(lines // 2)])
    order_of = rng.integers(0, len(orders), lines)
    at, buyer = moments(len(orders)), some(who, len(orders))
    return {
        "purchases": pd.DataFrame(
            {
                "customer_id": buyer[order_of], "order_id": orders[order_of], "ordered_at": at[order_of],
                "net_amount": rng.integers(0, 9_000, lines) / 100, "quantity": rng.integers(1, 5, lines) * 1.0,
                "discount_amount": rng.integers(0, 200, lines) / 100,
                "coupon_amount": rng.integers(0, 2, lines) * 1.0,
                "product_id": some(["p1", "p2", "p3"], lines), "channel": some(["web", "store"], lines),
                "store_id": some(["s1", "s2"], lines),
            }
        ),
        "products": pd.DataFrame({"product_id": ["p1", "p2"], "department": ["a", "b"], "category": ["x", "y"],
                                  "margin_rate": [0.3, None]}),
        "customers": pd.DataFrame({"customer_id": who, "joined_at": moments(customers)}),
        "returns": pd.DataFrame({"customer_id": some(who, 200), "returned_at": moments(200), "amount": 1.0}),
        "contacts": pd.DataFrame({"campaign_id": some(["k1", "k2"], 200), "customer_id": some(who, 200),
                                  "contacted_at": moments(200), "arm": some(["treated", "held_out"], 200)}),
        "responses": pd.DataFrame({"campaign_id": some(["k1", "k2"], 99), "customer_id": some(who, 99),
                                   "responded_at": moments(99)}),
        "visits": pd.DataFrame({"customer_id": some(who, 300), "visited_at": moments(300)}),
        "service_cases": pd.DataFrame({"case_id": np.arange(150).astype(str), "customer_id": some(who, 150),
                                       "opened_at": (opened := moments(150)),
                                       "closed_at": opened + pd.to_timedelta(rng.integers(1, 60, 150), unit="D"),
                                       "satisfaction": rng.integers(1, 6, 150) * 1.0}),
        "subscriptions": pd.DataFrame({"customer_id": some(who, 90), "started_at": (started := moments(90)),
                                       "ended_at": started + pd.to_timedelta(rng.integers(1, 400, 90), unit="D"),
                                       "monthly_fee": rng.integers(1, 20, 90) * 1.0}),
        "deliveries": pd.DataFrame({"order_id": orders, "promised_at": at + pd.Timedelta(days=2),
                                    "delivered_at": at + pd.to_timedelta(rng.integers(1, 5, len(orders)), unit="D"),
                                    "complete": rng.random(len(orders)) < 0.9}),
    }  # fmt: skip


def without_the_future(tables):
    cut = pd.Timestamp(AS_OF)
    kept = {name: t[t[EVENT[name]] < cut] if name in EVENT else t for name, t in tables.items()}
    cases = kept["service_cases"].copy()
    later = cases["closed_at"] >= cut  # not closed yet, and no mark given yet
    cases.loc[later, "closed_at"] = pd.NaT
    cases.loc[later, "satisfaction"] = np.nan
    contracts = kept["subscriptions"].copy()
    contracts.loc[contracts["ended_at"] >= cut, "ended_at"] = pd.NaT  # not ended yet
    return kept | {"service_cases": cases, "subscriptions": contracts}


def poisoned(tables):
    """Every value of the future replaced by nonsense; moments stay after the cut, where they would be."""
    cut = pd.Timestamp(AS_OF)
    worse = {}
    for name, table in tables.items():
        table = table.copy()
        if name in EVENT:
            future = table[EVENT[name]] >= cut
            for column in table.columns:
                if pd.api.types.is_datetime64_any_dtype(table[column]):
                    table.loc[future, column] = cut + pd.Timedelta(days=3_000)
                elif pd.api.types.is_float_dtype(table[column]):
                    table.loc[future, column] = 1e12
        if name == "service_cases":
            later = table["closed_at"] >= cut
            table.loc[later, "closed_at"] = cut
            table.loc[later, "satisfaction"] = -1e12
        if name == "subscriptions":
            table.loc[table["ended_at"] >= cut, "ended_at"] = cut
        worse[name] = table
    extra = worse["purchases"].tail(50).assign(
        customer_id="c0", order_id="poison", ordered_at=cut, net_amount=1e9, discount_amount=1e9
    )  # fmt: skip
    return worse | {"purchases": pd.concat([worse["purchases"], extra], ignore_index=True)}


def features(mart_of, tables, engine="duckdb"):
    frame = to_pandas(customer_features(mart_of(engine, **tables), AS_OF))
    return frame.sort_values("customer_id", ignore_index=True)


@pytest.fixture(scope="module")
def honest(mart_of):
    return features(mart_of, history())


def test_every_group_of_features_is_under_test(mart_of):
    tested = {feature.name for feature in features_of(mart_of("duckdb", **history()))}
    assert tested == {feature.name for group in GROUPS for feature in group.features}


@pytest.mark.parametrize("change", [poisoned, without_the_future], ids=["poison the future", "delete the future"])
def test_the_future_changes_nothing(mart_of, honest, change):
    pd.testing.assert_frame_equal(features(mart_of, change(history())), honest)


def test_the_past_does(mart_of, honest):
    """The test above can fail: the same nonsense before the as-of date is seen."""
    tables = history()
    late = tables["purchases"]["ordered_at"].between("2017-09-01", "2017-09-30")
    assert late.any()
    changed = tables["purchases"].assign(net_amount=tables["purchases"]["net_amount"].where(~late, 1e9))
    assert not features(mart_of, tables | {"purchases": changed}).equals(honest)


def test_real_data_without_their_future_give_the_same_features(journey):
    """Complete Journey cut off at the as-of date, through the rollups, feature for feature."""
    mart = open_mart(journey)
    cut = {}
    for name, frame in mart.tables.items():
        timed = "day" in frame.collect_schema().names() and name != "customers"
        (known_before(frame, AS_OF) if timed else frame).to_native().create(f"cut_{name}")
        cut[name] = nw.from_native(connection().sql(f"SELECT * FROM cut_{name}"))
    whole = to_pandas(customer_features(mart, AS_OF)).sort_values("customer_id", ignore_index=True)
    pd.testing.assert_frame_equal(
        to_pandas(customer_features(Mart(cut), AS_OF)).sort_values("customer_id", ignore_index=True), whole
    )
