"""A shop whose customers are drawn: paint brings brushes, and who likes one thing likes its like."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from crm.analyses.cross_sell import cross_sell

DEPARTMENTS = {
    "diy": ("paint", "brushes", "nails", "wood", "glue"),
    "food": ("bread", "milk", "cheese", "pasta", "sauce"),
    "garden": ("seeds", "pots", "soil", "hoses", "lamps"),
}
CATEGORIES = [(department, name) for department, names in DEPARTMENTS.items() for name in names]
PRICE = {"lower": 2.0, "middle": 4.0, "dearer": 9.0}
LAST_DAY = pd.Timestamp("2017-12-31")
AS_OF = "2018-01-01"


def drawn_products() -> pd.DataFrame:
    """Two products of each category and price line, and one that is new and was never sold."""
    rows = [
        {
            "product_id": f"{category}-{line}-{number}",
            "department": department,
            "category": category,
            "margin_rate": 0.6 if category == "hoses" else 0.2,
        }
        for department, category in CATEGORIES
        for line in PRICE
        for number in (1, 2)
    ]
    new = {"product_id": "robot-1", "department": "garden", "category": "robots", "margin_rate": 0.3}
    return pd.DataFrame([*rows, new])


def drawn_purchases(customers: int = 260, seed: int = 1) -> pd.DataFrame:
    """A year of visits; a department of its own each, some curiosity; paint brings brushes within weeks."""
    rng, rows = np.random.default_rng(seed), []
    lines = list(PRICE)
    for number in range(customers):
        own = int(rng.integers(3))
        taste = rng.dirichlet(np.where(np.repeat(np.arange(3), 5) == own, 1.0, 0.15))
        for visit, day in enumerate(np.sort(rng.choice(365, rng.integers(6, 26), replace=False))):
            bought = {int(one) for one in rng.choice(15, 2, p=taste)}
            if 0 in bought and rng.random() < 0.7:
                bought.add(1)
            for place in sorted(bought):
                line = lines[int(rng.choice(3, p=[0.7, 0.2, 0.1]))]
                rows.append((number, visit, day, CATEGORIES[place][1], line, int(rng.integers(1, 3))))
    table = pd.DataFrame(rows, columns=["number", "visit", "day", "category", "line", "product"])
    return pd.DataFrame(
        {
            "customer_id": "C" + table["number"].astype(str).str.zfill(4),
            "order_id": table["number"].astype(str) + "-" + table["visit"].astype(str),
            "ordered_at": LAST_DAY - pd.to_timedelta(364 - table["day"], unit="D") + pd.Timedelta(hours=12),
            "net_amount": table["line"].map(PRICE) * table["product"],
            "quantity": table["product"].astype("float64"),
            "product_id": table["category"] + "-" + table["line"] + "-" + table["product"].astype(str),
        }
    )


def everything(day: str = "2017-12-20") -> pd.DataFrame:
    """One customer who has bought of every category."""
    return pd.DataFrame(
        {
            "customer_id": "all",
            "order_id": "all-1",
            "ordered_at": pd.Timestamp(day),
            "net_amount": 2.0,
            "quantity": 1.0,
            "product_id": [f"{category}-lower-1" for _, category in CATEGORIES],
        }
    )


@pytest.fixture(scope="session")
def shop(company):
    """The shop's facts, with one customer who has bought everything."""
    purchases = pd.concat([drawn_purchases(), everything()], ignore_index=True)
    return company({"purchases": purchases, "products": drawn_products()}, AS_OF)


@pytest.fixture(scope="session")
def answer(shop, on):
    """Cross-sell of the shop."""
    return cross_sell(shop, on(AS_OF))


@pytest.fixture(scope="session")
def bought(shop):
    """Who bought what, as the owner of the shop would count it: one row per customer, category and day."""
    purchases = shop["purchases"].collect("pandas").to_native()
    lines = purchases.merge(shop["products"].collect("pandas").to_native(), on="product_id")
    return lines[["customer_id", "category", "day"]].drop_duplicates()


@pytest.fixture(scope="session")
def drawn():
    """What the shop sells and sold, to be spoilt: `products()`, `purchases(customers)`."""
    return SimpleNamespace(products=drawn_products, purchases=drawn_purchases)
