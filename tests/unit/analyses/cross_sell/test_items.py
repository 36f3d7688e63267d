"""The items that may be offered, on a shop small enough to be counted by hand."""

import numpy as np
import pandas as pd
import pytest

from crm.analyses.cross_sell.items import choose_items
from crm.analyses.cross_sell.panel import read_panel
from crm.analyses.cross_sell.price_tiers import price_tiers

AS_OF = "2017-03-01"


@pytest.fixture(scope="module")
def corner_shop(company, draw):
    """Candles stand in two departments. Five customers; C1 buys candles of both on one day, and again another day."""
    products = draw(
        """
        product_id  department  category
        wax         home        candles
        cake        food        candles
        rye         food        bread
        lamp        home        lamps
        """
    )
    days = draw(
        """
        customer_id  ordered_at  product_id  net_amount
        C1           2017-01-02  wax         6
        C1           2017-01-02  cake        2
        C1           2017-01-09  wax         4
        C1           2017-01-09  rye         1
        """
    )
    others = pd.DataFrame(
        [
            {"customer_id": f"C{number}", "ordered_at": "2017-02-01", "product_id": product, "net_amount": 3.0}
            for number in range(2, 6)
            for product in ("wax", "rye", "lamp")
        ]
    )
    purchases = pd.concat([days, others], ignore_index=True)
    purchases["ordered_at"] = pd.to_datetime(purchases["ordered_at"])
    purchases["order_id"] = purchases["customer_id"].astype(str) + purchases["ordered_at"].dt.strftime("%m%d")
    return company({"purchases": purchases, "products": products}, AS_OF)


def test_a_category_of_two_departments_is_bought_once_on_a_day(corner_shop, on):
    """Candles: six days of buying them (C1 on two), 24 in all, most of them under home."""
    items = choose_items(corner_shop, on(AS_OF), level="category", most=10)
    table = items.table.set_index("item")
    assert table.loc["candles", "department"] == "home"
    assert table.loc["candles", "customers"] == 5
    assert table.loc["candles", "value_of_a_purchase"] == pytest.approx(24 / 6)
    panel = read_panel(corner_shop, items, on(AS_OF), ["C1"])
    assert panel.days[0, items.place("candles")] == 2


def test_a_department_is_bought_once_on_a_day(corner_shop, on):
    """Home: C1 on two days, four others on one each; candles and a lamp on one day are one purchase of home."""
    table = choose_items(corner_shop, on(AS_OF), level="department", most=10).table.set_index("item")
    assert table.loc["home", "value_of_a_purchase"] == pytest.approx((6 + 4 + 4 * 6) / 6, abs=1e-4)
    assert table.loc["food", "value_of_a_purchase"] == pytest.approx((2 + 1 + 4 * 3) / 6, abs=1e-4)


def test_products_of_one_price_are_of_one_line(company, on):
    """Nine wines of 3, 6 and 9 a bottle, three of each, sold alike; of each price the quantities are odd ones."""
    rng = np.random.default_rng(3)
    names = [f"wine-{number}" for number in range(9)]
    price = {name: 3.0 * (1 + number // 3) for number, name in enumerate(names)}
    lines = [(f"C{customer}", name, int(rng.integers(1, 4))) for customer in range(40) for name in names]
    purchases = pd.DataFrame(lines, columns=["customer_id", "product_id", "quantity"])
    purchases["net_amount"] = purchases["quantity"] * purchases["product_id"].map(price) / 3 * 2.99
    purchases["ordered_at"] = pd.Timestamp("2017-02-01")
    purchases["order_id"] = purchases["customer_id"]
    purchases["quantity"] = purchases["quantity"].astype("float64")
    products = pd.DataFrame({"product_id": names, "department": "drinks", "category": "wine"})
    tiers = price_tiers(company({"purchases": purchases, "products": products}, AS_OF), on(AS_OF))
    assert tiers.groupby("unit_price")["tier"].nunique().eq(1).all()
    assert list(tiers["tier"]) == ["lower"] * 3 + ["middle"] * 3 + ["dearer"] * 3
