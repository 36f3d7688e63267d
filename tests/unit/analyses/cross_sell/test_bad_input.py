"""Cross-sell of data that are not as one would wish."""

import numpy as np
import pandas as pd
import pytest

from crm.analyses.cross_sell import cross_sell
from crm.analyses.cross_sell.items import choose_items
from crm.analyses.cross_sell.price_tiers import price_tiers
from crm.analyses.cross_sell.share_elsewhere import share_elsewhere
from crm.errors import NotEnoughData

AS_OF = "2018-01-01"


def test_without_a_product_column_the_page_says_what_it_needs(drawn, company, on):
    facts = company({"purchases": drawn.purchases(60).drop(columns="product_id")}, AS_OF)
    answer = cross_sell(facts, on(AS_OF))
    assert answer.scores.empty
    assert list(answer.scores) == [
        "customer_id", "item", "probability", "rank", "expected_margin", "because", "because_share", "model_version",
    ]  # fmt: skip
    assert "product_id" in answer.findings["not_possible"].sentence
    assert answer.headline is None
    assert "scores" in answer.unsaid
    assert answer.for_customer("C0001") == []


def test_a_third_of_the_products_without_a_category_are_unknown_and_never_offered(drawn, company, on):
    products = drawn.products().assign(category=lambda table: table["category"].where(table.index % 3 != 0))
    facts = company({"purchases": drawn.purchases(120), "products": products}, AS_OF)
    items = choose_items(facts, on(AS_OF), level="category", most=300)
    assert "(unknown)" not in items.names
    assert 0.2 < items.unknown < 0.5


def test_many_products_are_bounded_and_the_rest_is_grouped(drawn, company, on):
    """100,000 products of which each is sold once, beside ninety that are sold often."""
    rng = np.random.default_rng(1)
    once = pd.DataFrame(
        {
            "customer_id": "C" + pd.Series(rng.integers(0, 120, 100_000)).astype(str).str.zfill(4),
            "order_id": [f"once-{number}" for number in range(100_000)],
            "ordered_at": pd.Timestamp("2017-12-01"),
            "net_amount": 1.0,
            "quantity": 1.0,
            "product_id": [f"p{number:06d}" for number in range(100_000)],
        }
    )
    purchases = pd.concat([drawn.purchases(120), once], ignore_index=True)
    facts = company({"purchases": purchases}, AS_OF)
    items = choose_items(facts, on(AS_OF), level="product", most=50)
    assert len(items) == 50
    assert not any(name.startswith("p0") for name in items.names)
    assert items.grouped.query("why == 'bought by too few'")["items"].sum() >= 100_000
    assert items.grouped.query("why == 'not among the most bought'")["items"].sum() == 40


def test_too_few_customers_are_refused_with_the_figures(drawn, company, on):
    with pytest.raises(NotEnoughData, match="20 active customers"):
        cross_sell(company({"purchases": drawn.purchases(8), "products": drawn.products()}, AS_OF), on(AS_OF))


def test_a_short_history_ships_the_best_sellers_and_says_so(drawn, company, on):
    late = drawn.purchases(150)
    late = late[late["ordered_at"] >= "2017-11-25"]
    answer = cross_sell(company({"purchases": late, "products": drawn.products()}, AS_OF), on(AS_OF))
    assert answer.model.ships == "Best-sellers"
    assert len(answer.scores) > 0
    assert "judged" in answer.unsaid
    assert answer.horizon_days < answer.wanted_days


@pytest.mark.parametrize("drop", ["quantity", "products"])
def test_without_quantities_or_products_no_lines_are_told(drawn, company, on, drop):
    tables = {"purchases": drawn.purchases(40), "products": drawn.products()}
    if drop == "quantity":
        tables["purchases"] = tables["purchases"].drop(columns="quantity")
    else:
        del tables["products"]
    assert price_tiers(company(tables, AS_OF), on(AS_OF)).empty


def test_lines_are_found_by_unit_price(shop, on):
    tiers = price_tiers(shop, on(AS_OF))
    planted = tiers["product_id"].str.split("-").str[1]
    dear = tiers["tier"] == "dearer"
    assert (tiers.loc[planted == "lower", "tier"] != "dearer").all()
    assert (planted[dear] != "lower").all()


def test_what_is_bought_elsewhere_is_told_against_the_middle_of_similar_customers(answer):
    panel = answer.seen.panel
    table = share_elsewhere(panel, answer.seen.items)
    assert (table["share_elsewhere"] <= 1).all()
    assert table["net_sales_elsewhere"].to_numpy() == pytest.approx(
        (table["similar_spend"] - table["net_sales"]).to_numpy(), abs=1e-3
    )
