"""Whatever is bought: the features on DuckDB equal a plain recomputation, customer by customer, in pandas."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.engine import to_pandas
from crm.features import customer_features
from crm.periods import day_number

AS_OF = dt.date(2018, 1, 1)
PRODUCTS = pd.DataFrame(
    {
        "product_id": ["p1", "p2", "p3"],
        "department": ["food", "food", "drinks"],
        "category": ["bread", "milk", "wine"],
        "margin_rate": [0.5, None, 0.25],
    }
)

lines = st.lists(
    st.fixed_dictionaries(
        {
            "customer_id": st.sampled_from(["ann", "bob", "cat", "dan"]),
            "order_id": st.sampled_from([f"o{i}" for i in range(12)]),
            "days_back": st.integers(-60, 800),
            "hour": st.integers(0, 23),
            "cents": st.integers(0, 50_000),
            "discount": st.integers(0, 900),
            "coupon": st.sampled_from([0, 0, 100]),
            "quantity": st.integers(1, 9),
            "product_id": st.sampled_from(["p1", "p2", "p3", "unheard-of"]),
            "channel": st.sampled_from(["store", "web", None]),
            "store_id": st.sampled_from(["s1", "s2", None]),
        }
    ),
    min_size=1,
    max_size=60,
)


def purchases_from(drawn):
    table = pd.DataFrame(drawn)
    days = pd.Timestamp(AS_OF) - pd.to_timedelta(table["days_back"], unit="D")
    return pd.DataFrame(
        {
            "customer_id": table["customer_id"],
            "order_id": table["order_id"],
            "ordered_at": days + pd.to_timedelta(table["hour"], unit="h"),
            "net_amount": table["cents"] / 100,
            "discount_amount": table["discount"] / 100,
            "coupon_amount": table["coupon"] / 100,
            "quantity": table["quantity"].astype("float64"),
            "product_id": table["product_id"],
            "channel": table["channel"],
            "store_id": table["store_id"],
        }
    )


def recomputed(one: pd.DataFrame) -> dict:
    """The features of one customer, the long way round: no window of the engine, no rollup, no shared code."""
    last = day_number(AS_OF)
    day = (one["ordered_at"].dt.normalize() - pd.Timestamp("1970-01-01")).dt.days
    days = np.unique(day)
    gaps = np.diff(days)
    year = one[day >= last - 365]
    by_order = year.assign(day=day[year.index]).groupby(["day", "order_id"])
    sales = year["net_amount"].sum()
    with_products = year.merge(PRODUCTS, on="product_id", how="left")
    department = with_products["department"].fillna("(unknown)")
    by_department = with_products["net_amount"].groupby(department).sum().round(4)
    channels = year["channel"].fillna("(unknown)")
    per_channel = year.assign(channel=channels, store=year["store_id"].fillna("(unknown)"), day=day[year.index])
    orders = per_channel.drop_duplicates(["day", "channel", "store", "order_id"])["channel"].value_counts()
    known = with_products["margin_rate"].notna()
    nothing = year.empty

    def net_of(window):
        return one.loc[day >= last - window, "net_amount"].sum()

    return {
        "purchase_days": len(days),
        **{f"purchase_days_{w}d": int((days >= last - w).sum()) for w in (7, 14, 28, 56, 91, 182, 365)},
        "purchase_days_fading": sum(0.5 ** ((last - each) / 42) for each in days),
        "longest_gap": gaps.max() if len(gaps) else np.nan,
        "last_gap": gaps[-1] if len(gaps) else np.nan,
        "frequency": len(days) - 1,
        "recency": days[-1] - days[0],
        "T": last - days[0],
        "days_since_last_purchase": last - days[-1],
        "usual_gap": np.median(gaps) if len(gaps) else np.nan,
        "mean_gap": gaps.mean() if len(gaps) else np.nan,
        "sd_gap": gaps.std(ddof=1) if len(gaps) > 1 else np.nan,
        "mean_log_gap": np.log(gaps).mean() if len(gaps) else np.nan,
        "gap_ratio": (last - days[-1]) / np.median(gaps) if len(gaps) else np.nan,
        "net_sales_ever": one["net_amount"].sum(),
        "net_sales_28d": net_of(28),
        "net_sales_14d": net_of(14),
        "net_sales_56d": net_of(56),
        "net_sales_182d": net_of(182),
        "net_sales_fading": (one["net_amount"] * 0.5 ** ((last - day) / 42)).sum(),
        "net_sales_365d": sales,
        "spend_trend": net_of(91) / net_of(182) if net_of(182) > 0 else np.nan,
        "orders_365d": by_order.ngroups,
        "lines_365d": len(year),
        "units_365d": year["quantity"].sum(),
        "order_value_365d": sales / by_order.ngroups if not nothing else np.nan,
        "margin_known_365d": (with_products["net_amount"] * with_products["margin_rate"])[known].round(4).sum(),
        "sales_margin_unknown_365d": with_products.loc[~known, "net_amount"].sum(),
        "discount_365d": year["discount_amount"].sum(),
        "coupons_365d": year["coupon_amount"].sum(),
        "share_bought_on_promotion": year.loc[year["discount_amount"] > 0, "net_amount"].sum() / sales
        if sales > 0
        else np.nan,
        "share_bought_with_coupon": (year["coupon_amount"] > 0).mean() if not nothing else np.nan,
        "tenure": last - days[0],
        "categories_365d": with_products["category"].nunique(),
        "departments_365d": with_products["department"].nunique(),
        "top_department": None if nothing else by_department[by_department == by_department.max()].index.min(),
        "stores_365d": year["store_id"].nunique(),
        "main_channel": None if nothing else orders[orders == orders.max()].index.min(),
    }


@pytest.mark.parametrize("engine", ["duckdb", "pandas"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=lines)
def test_features_equal_a_plain_recomputation(engine, mart_of, drawn):
    purchases = purchases_from(drawn)
    known = purchases[purchases["ordered_at"] < pd.Timestamp(AS_OF)]
    features = to_pandas(customer_features(mart_of(engine, purchases=purchases, products=PRODUCTS), AS_OF))
    features = features.set_index("customer_id").sort_index()
    assert features.index.tolist() == sorted(known["customer_id"].unique())
    for customer, one in known.groupby("customer_id"):
        for name, expected in recomputed(one).items():
            found = features.loc[customer, name]
            if expected is None or (isinstance(expected, float) and np.isnan(expected)):
                assert pd.isna(found), (customer, name, found)
            elif isinstance(expected, str):
                assert found == expected, (customer, name)
            else:
                grid = 1e-4 if name.endswith("_fading") else 1e-8 if name == "mean_log_gap" else 1e-9
                assert found == pytest.approx(expected, rel=1e-9, abs=grid), (customer, name)
