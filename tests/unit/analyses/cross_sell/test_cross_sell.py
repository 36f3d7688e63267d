"""What each customer would buy next, in a small shop whose habits are drawn."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from crm.analyses.cross_sell import CrossSellModel, allowed, cross_sell, next_best_offers
from crm.analyses.cross_sell.candidates import BLEND
from crm.analyses.standing import Standing
from crm.errors import RequestError


def test_only_what_is_new_is_offered_to_active_customers_alone(answer, bought):
    scores = answer.scores
    known = bought.groupby("customer_id")["category"].agg(set)
    assert not any(
        item in known[customer] for customer, item in zip(scores["customer_id"], scores["item"], strict=True)
    )
    last = bought.groupby("customer_id")["day"].max()
    assert (last[scores["customer_id"].unique()] >= bought["day"].max() - 55).all()


def test_fifteen_at_most_in_falling_order_of_a_chance(answer):
    scores = answer.scores
    grouped = scores.groupby("customer_id")
    assert grouped["rank"].agg(lambda ranks: list(ranks) == list(range(1, len(ranks) + 1))).all()
    assert grouped.size().max() <= 15
    assert not answer.scores.duplicated(["customer_id", "item"]).any()
    assert scores["probability"].between(0, 1).all()
    assert grouped["probability"].agg(lambda chances: chances.is_monotonic_decreasing).all()


def test_whoever_takes_the_row_of_most_margin_makes_the_offer_of_the_page(answer):
    """The action lists read the published scores: they must hold the item worth most, likely or not.

    Here as if only the two likeliest were kept, so that what is worth most is often not among them.
    """
    top = answer.scored.top
    two = replace(answer.scored, top=top[top["rank"] <= 2].reset_index(drop=True))
    one = replace(answer, scored=two, offers=next_best_offers(two))
    scores = one.scores.sort_values(["customer_id", "expected_margin", "item"], ascending=[True, False, True])
    best = scores.drop_duplicates("customer_id").reset_index(drop=True)
    offers = one.offers[["customer_id", "item", "probability", "expected_margin"]]
    pd.testing.assert_frame_equal(best[list(offers)], offers)
    assert (best["rank"] > 2).sum() > 20
    assert one.scores.groupby("customer_id")["probability"].agg(lambda some: some.is_monotonic_decreasing).all()
    first = one.scores[one.scores["rank"] <= 2].reset_index(drop=True)
    pd.testing.assert_frame_equal(first[["customer_id", "item"]], two.top[["customer_id", "item"]])


def test_margin_is_chance_times_rate_times_value_of_a_purchase(answer):
    scores = answer.scores.merge(answer.items, on="item", suffixes=("", "_of_item"))
    wanted = scores["probability"] * scores["margin_rate"] * scores["value_of_a_purchase"]
    assert scores["expected_margin"].to_numpy() == pytest.approx(wanted.to_numpy(), abs=1e-4)
    assert answer.items.set_index("item")["margin_rate"]["hoses"] == pytest.approx(0.6)


def test_who_has_bought_everything_is_offered_nothing_and_counted(answer):
    assert "all" not in set(answer.scores["customer_id"])
    assert answer.scored.without >= 1
    assert "nothing is new to them" in answer.findings["everything"].sentence
    headline = answer.headline
    assert headline.number == answer.findings["expected"].values[headline.value]


def test_a_new_product_without_history_is_no_item_yet(answer):
    assert "robots" not in set(answer.items["item"])


def test_paint_goes_with_brushes_and_the_counts_are_right(answer, bought):
    pairs = answer.together.pairs
    row = pairs[(pairs["item"] == "paint") & (pairs["goes_with"] == "brushes")].iloc[0]
    owners = {name: set(bought.loc[bought["category"] == name, "customer_id"]) for name in ("paint", "brushes")}
    both = len(owners["paint"] & owners["brushes"])
    assert (row["customers"], row["together"]) == (len(owners["paint"]), both)
    assert row["share"] == pytest.approx(both / len(owners["paint"]), abs=1e-4)
    assert row["q"] < 0.05
    assert row["lift"] > 1
    assert answer.together.heatmap.shape[0] <= 20


def test_reasons_are_true_when_counted_again(answer, bought):
    owners = bought.groupby("category")["customer_id"].agg(set)
    days = bought.groupby(["customer_id", "category"])["day"].nunique()
    some = answer.scores[answer.scores["because"] != ""].head(40)
    reasons = answer.reasons(some)
    assert len(reasons) == 40
    for reason, because in zip(reasons, some["because"], strict=True):
        assert reason.signs[0] == because
        such = set.intersection(*(owners[sign] for sign in reason.signs)) - {reason.customer_id}
        assert (reason.such, reason.do) == (len(such), len(such & owners[reason.item]))
        assert reason.customer_id not in owners[reason.item]
        assert all(days[reason.customer_id, sign] >= 1 for sign in reason.signs)
        assert f"never {reason.item}; {100 * reason.do / reason.such:.0f} % of such customers do" in reason.sentence


def test_three_reasons_for_a_customer_and_none_for_a_stranger(answer):
    customer = answer.scores["customer_id"].iloc[0]
    assert len(answer.for_customer(customer)) == 3
    assert answer.for_customer("nobody") == []


def test_whom_to_write_to_adds_up(answer):
    listed = answer.for_item("brushes")
    assert listed["probability"].is_monotonic_decreasing
    assert listed["expected_buyers"].to_numpy() == pytest.approx(listed["probability"].cumsum().to_numpy(), abs=1e-5)
    row = answer.items.set_index("item").loc["brushes"]
    assert len(listed) == row["new_to"]
    assert listed["expected_buyers"].iloc[-1] == pytest.approx(row["expected_buyers"], abs=1e-3)


def test_an_unknown_item_is_refused_with_those_there_are(answer):
    with pytest.raises(RequestError, match="brushe"):
        answer.for_item("brush")


def test_the_best_offer_is_never_worth_less_than_the_likeliest(answer):
    offers = answer.offers
    assert offers["customer_id"].is_unique
    assert (offers["more_margin"] >= 0).all()
    assert (offers["likeliest_probability"] >= offers["probability"] - 1e-9).all()
    assert (offers["item"] != offers["likeliest"]).any()


def test_filters_act_on_what_is_shown_alone(answer):
    offers = answer.offers
    first = offers.iloc[[0]][["customer_id", "item"]]
    without = next_best_offers(answer.scored, out_of_stock=["hoses"], already=first)
    assert not {"hoses"} & (set(without["item"]) | set(without["likeliest"]))
    changed = without[without["customer_id"] == first["customer_id"].iloc[0]]
    assert changed["item"].iloc[0] != first["item"].iloc[0]
    same = offers[~offers["item"].isin(["hoses"]) & ~offers["likeliest"].isin(["hoses"])].iloc[1:]
    kept = without.set_index("customer_id").loc[same["customer_id"], "item"]
    assert kept.tolist() == same["item"].tolist()
    ranks = allowed(answer.scored.top, out_of_stock=["hoses"]).groupby("customer_id")["rank"]
    assert ranks.agg(lambda rank: list(rank) == list(range(1, len(rank) + 1))).all()


def test_pairs_without_their_columns_are_refused(answer):
    with pytest.raises(RequestError, match="Add item"):
        next_best_offers(answer.scored, not_for=pd.DataFrame({"customer_id": ["C0001"]}))


def test_the_same_again_byte_for_byte_and_from_its_record(answer, shop, on):
    model = CrossSellModel.from_record(json.loads(json.dumps(answer.model.as_record())))
    assert model.content == answer.model.content
    again = model.score(shop, on("2018-01-01"))
    pd.testing.assert_frame_equal(again.top, answer.scored.top, check_exact=True)
    pd.testing.assert_frame_equal(again.lists, answer.scored.lists, check_exact=True)


def test_customers_by_the_thousand_or_one_by_one_are_scored_alike(answer, shop, on, monkeypatch):
    monkeypatch.setattr("crm.analyses.cross_sell.model.AT_ONCE", 37)
    again = answer.model.score(shop, on("2018-01-01"))
    assert again.top[["customer_id", "item", "rank"]].equals(answer.scored.top[["customer_id", "item", "rank"]])
    assert np.abs(again.top["probability"] - answer.scored.top["probability"]).max() < 1e-5


def test_the_champion_scores_and_the_new_one_is_beside_it(answer, shop, on):
    champion = answer.model.as_record()
    kept = cross_sell(shop, on("2018-01-01"), standing=Standing(champion, retrain=False))
    assert kept.model.content == answer.model.content
    assert kept.challenger is None
    assert kept.scores.equals(answer.scores)


def test_every_candidate_is_judged_and_the_rule_ships_where_nothing_beats_it(answer):
    judged = answer.judged
    assert set(judged.table["candidate"]) >= {"Best-sellers", "Association", "Similar items", "Factorisation", BLEND}
    surely = judged.gains.query("against == 'Best-sellers' and measure in ['map_5', 'ndcg_5']")["low"] > 0
    assert (judged.ships == BLEND) == bool(surely.all())
    assert answer.model.ships == judged.ships


def test_findings_are_sentences_with_their_numbers(answer):
    assert len(answer.findings) >= 8
    assert all("nan" not in sentence.split() for sentence in map(str, answer.findings))
    assert answer.measures["items"] == 15


def test_who_may_move_up_is_told_with_a_margin_that_can_be_counted(answer):
    up = answer.up
    assert len(up.customers) > 20
    assert up.customers["probability"].between(0, 1).all()
    assert (up.customers["dearer_price"] > 1.2 * up.customers["lower_price"]).all()
    rates = answer.items.set_index("item")["margin_rate"]
    table = up.customers
    wanted = (
        table["probability"]
        * table["dearer_units"]
        * (table["dearer_price"] - table["lower_price"])
        * table["category"].map(rates)
    )
    assert table["expected_extra_margin"].to_numpy() == pytest.approx(wanted.to_numpy(), abs=2e-3)
    assert up.categories["expected_movers"].sum() == pytest.approx(table["probability"].sum(), abs=1e-2)


def test_segments_name_their_own_items(answer, shop, on):
    half = answer.scores["customer_id"].unique()
    segments = pd.DataFrame({"customer_id": half, "cluster_name": np.where(np.arange(len(half)) % 2, "odd", "even")})
    model = answer.model.as_record()
    table = cross_sell(shop, on("2018-01-01"), segments=segments, standing=Standing(model, retrain=False)).by_segment
    assert table.groupby("segment").size().to_dict() == {"even": 3, "odd": 3}
    assert table["share"].between(0, 1).all()
