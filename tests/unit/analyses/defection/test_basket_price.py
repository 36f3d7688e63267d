"""By how much prices rose of what each customer used to buy: by hand, from drawn purchases."""

import datetime as dt

import pandas as pd
import pytest
from unit.analyses.defection.worlds import bought

from crm.analyses.defection.basket_price import basket_price

AS_OF = dt.date(2018, 1, 1)
DAYS = 20  # newest: 5 days before the date; now: 10; then: 21 to 80 days before

# customer, product, days before the date, pieces, paid, discount
LINES = [
    # bread rose from 1.00 to 1.20 four days ago, a wardrobe always cost 100
    *(("others", "bread", day, 1, 1.00, 0.0) for day in (10, 9, 8, 7, 6, 30, 31, 32)),
    *(("others", "bread", day, 1, 1.20, 0.0) for day in (4, 3, 2)),
    *(("others", "wardrobe", day, 1, 100.0, 0.0) for day in (8, 7, 6, 5, 4, 40, 50, 60)),
    # oil rose from 4.00 to 5.00, and is sold too seldom for the newest days alone: 10 days tell it
    *(("others", "oil", day, 2, 10.0, 0.0) for day in (9, 8, 4)),
    *(("others", "oil", day, 1, 3.0, 1.0) for day in (30, 40, 50)),
    # salt is sold too seldom at all
    *(("others", "salt", day, 1, 1.0, 0.0) for day in (4, 30)),
    *(("ann", "bread", day, 1, 1.00, 0.0) for day in (25, 35, 45)), ("ann", "wardrobe", 45, 1, 100.0, 0.0),
    *(("bob", "oil", day, 1, 4.0, 0.0) for day in (25, 35)), ("bob", "salt", 35, 1, 1.0, 0.0),
    ("carl", "bread", 25, 1, 1.0, 0.0), *(("carl", "salt", day, 1, 1.0, 0.0) for day in (22, 23)),
    ("dora", "bread", 25, 50, 50.0, 0.0), ("dora", "wardrobe", 26, 1, 90.0, 10.0),
    ("new", "bread", 12, 1, 1.0, 0.0),
    *(("others", "bread", day, 1, 9.0, 0.0) for day in (0, -1, -2, -3)),  # later: not known
]  # fmt: skip


@pytest.fixture(scope="module")
def index(company):
    table = bought([(who, day, paid) for who, _, day, _, paid, _ in LINES])
    table["product_id"], table["quantity"] = [line[1] for line in LINES], [float(line[3]) for line in LINES]
    table["discount_amount"] = [line[5] for line in LINES]
    products = pd.DataFrame({"product_id": ["bread", "wardrobe", "oil", "salt"], "department": "all"})
    facts = company({"purchases": table, "products": products}, AS_OF.isoformat())
    return basket_price(facts, AS_OF, pd.Index(["ann", "bob", "carl", "dora", "new", "nobody"]), days=DAYS)


@pytest.mark.parametrize(
    ("customer", "expected"),
    [
        pytest.param("ann", (1.2 + 1.2 + 1.2 + 1.0) / 4, id="every-line-counts-the-same-however-dear"),
        pytest.param("bob", 5 / 4, id="seldom-sold-is-told-by-ten-days-and-salt-not-at-all"),
        pytest.param("carl", float("nan"), id="one-line-of-three-comparable-is-too-little"),
        pytest.param("dora", (1.2 + 1.0) / 2, id="pieces-of-a-line-do-not-count-nor-does-a-discount"),
        pytest.param("new", float("nan"), id="no-basket-before-the-last-window"),
        pytest.param("nobody", float("nan"), id="bought-nothing"),
    ],
)
def test_the_rise_of_a_basket(index, customer, expected):
    assert index[customer] == pytest.approx(expected, abs=1e-6, nan_ok=True)
