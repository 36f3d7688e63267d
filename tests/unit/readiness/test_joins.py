"""Do the tables meet? Each case: the ids of one table and the other, how many meet, and what keeps them apart."""

from __future__ import annotations

import pytest

from crm.readiness.joins import PAIRS, idle_tables, meeting

HEADER = "customer_id,order_id,ordered_at,net_amount,product_id"
CONTACTS = "campaign_id,customer_id"


def buying(customers):
    return [HEADER, *(f"{one},o{n},2017-03-01,10,p{n}" for n, one in enumerate(customers))]


def chosen(customers):
    return [CONTACTS, *(f"k1,{one}" for one in customers)]


CASES = [
    # what, ids bought, ids contacted, met, cause, examples
    ("all meet", ["a", "b"], ["a", "b"], 2, "", ()),
    ("half meets", ["a", "b"], ["a", "z"], 1, "", ()),
    ("leading zeros there", ["007", "008", "0100"], ["7", "8", "100"], 0, "leading zeros",
     (("100", "0100"), ("7", "007"), ("8", "008"))),
    ("leading zeros here", ["7", "8"], ["007", "008"], 0, "leading zeros", (("007", "7"), ("008", "8"))),
    ("capital letters", ["ab1", "ab2"], ["AB1", "AB2"], 0, "capital and small letters",
     (("AB1", "ab1"), ("AB2", "ab2"))),
    ("marks", ["AB-12", "AB-13"], ["ab 12", "ab 13"], 0, "blanks, dashes or other marks within",
     (("ab 12", "AB-12"), ("ab 13", "AB-13"))),
    ("letters", ["12", "13"], ["C012", "C013"], 0, "letters before or behind a number",
     (("C012", "12"), ("C013", "13"))),
    ("a decimal comma", ["12", "13"], ["12,0", "13,0"], 0, "a decimal point behind a whole number",
     (("12,0", "12"), ("13,0", "13"))),
    ("other people", ["a", "b"], ["x", "y", "z", "a"], 1, "", ()),
    ("other things", ["12", "13"], ["a@b.example", "c@d.example"], 0, "", ()),
]  # fmt: skip


@pytest.mark.parametrize(
    ("bought", "contacted", "met", "cause", "pairs"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_ids_meet_or_it_is_said_what_keeps_them_apart(company, bought, contacted, met, cause, pairs):
    quoted = [f'"{one}"' for one in contacted]
    (join,) = company({"purchases": buying(bought), "contacts": chosen(quoted)}).readiness.joins
    assert (join.table, join.column, join.other) == ("contacts", "customer_id", "purchases")
    assert (join.rows, join.met, join.cause) == (len(contacted), met, cause)
    assert join.doubtful == (met < len(contacted) / 2)
    if pairs:
        assert tuple(zip(join.here, join.there, strict=True)) == pairs
    elif join.doubtful:
        assert set(join.here) == {*contacted} - {*bought}
        assert set(join.there) == {*bought} - {*contacted}


def test_what_brings_the_ids_together_is_named_for_the_side_that_needs_it(company):
    tables = {"purchases": buying(["007", "008"]), "contacts": ["campaign_id,Kunden Nr", "k1,7", "k1,8"]}
    mapping = 'columns = {customer_id = "Kunden Nr"}'
    (join,) = company(tables, {"contacts": mapping}).readiness.joins
    assert join.do == "Bring them into one form: ltrim(\"customer_id\", '0') in the query of purchases."
    query = 'query = "SELECT * REPLACE (ltrim(\\"customer_id\\", \'0\') AS customer_id) FROM file"'
    (join,) = company(tables, {"contacts": mapping, "purchases": query}).readiness.joins
    assert (join.met, join.cause) == (2, "")


def test_a_row_without_a_value_is_not_asked_to_meet(company):
    products = ["product_id,name", "p0,A"]
    lines = [*buying(["a", "b"]), "c,o9,2017-03-01,5,"]
    (join,) = company({"purchases": lines, "products": products}).readiness.joins
    assert (join.rows, join.met, join.ids) == (2, 1, 2)


@pytest.mark.parametrize(
    ("table", "lines", "idle"),
    [
        ("products", ["product_id", "q1"], {"products"}),
        ("contacts", ["campaign_id,customer_id", "k1,zz"], {"contacts"}),
        ("deliveries", ["order_id,delivered_at", "zz,2017-03-05"], {"deliveries"}),
        ("returns", ["customer_id,returned_at,amount,order_id", "a,2017-03-05,5,credit"], set()),
    ],
)
def test_a_table_none_of_whose_ids_is_found_says_nothing(company, table, lines, idle):
    joins = company({"purchases": buying(["a"]), table: lines}).readiness.joins
    assert idle_tables(joins) == idle


def test_every_column_that_should_meet_exists():
    from crm.contracts import CONTRACTS

    for pair in PAIRS:
        assert CONTRACTS[pair.table].column(pair.column).kind == "text"
        assert CONTRACTS[pair.other].column(pair.other_column).kind == "text"
        assert pair.idle in ("", pair.table, pair.other)


def test_complete_journey_meets(journey):
    joins = {(join.table, join.column): join for join in meeting(journey)}
    assert {name: join.share for name, join in joins.items() if join.share < 1} == {
        ("purchases", "product_id"): pytest.approx(0.99998, abs=1e-5)
    }
    assert len(joins) == 6
