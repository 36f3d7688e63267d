"""What a report needs is measured once, the same for whoever asks; what is found is said with its figures."""

import datetime as dt

import pytest

from crm.analyses import (
    Addition,
    Minimum,
    Requirements,
    absent,
    counted,
    crowded_accounts,
    in_words,
    left_out,
    measure_base,
    not_one_person,
    not_there,
    refuse_thin,
    thin,
)
from crm.errors import NotEnoughData

PURCHASES = """
customer_id  order_id  ordered_at   net_amount  quantity  channel
ann          1         2017-01-02   10          1         -
ann          2         2017-02-27   10          1         -
bob          3         2017-02-20   20          1         -
bob          4         2017-02-20   20          1         -
cat          5         2017-01-15   30          1         -
dan          6         2017-03-01   99          1         -
"""
AS_OF = dt.date(2017, 3, 1)
REQUIREMENTS = Requirements(
    "09_test",
    "Is it enough?",
    minima=(Minimum("customers", 4, "three are no crowd"), Minimum("repeat_customers", 1, "somebody must come back")),
    additions=(
        Addition("purchases", "quantity", "units"),
        Addition("purchases", "channel", "channels"),
        Addition("products", "department", "departments"),
        Addition("products", "brand", "brands"),
        Addition("plan", None, "the plan"),
    ),
)


@pytest.fixture(scope="module")
def facts(company, draw):
    return company({"purchases": draw(PURCHASES)}, AS_OF.isoformat(), "[definitions]\nactive_within_days = 30\n")


def test_a_base_is_measured_before_the_as_of_date(facts):
    assert measure_base(facts, AS_OF) == {
        "customers": 3,  # dan comes on the as-of date itself
        "repeat_customers": 1,  # ann; bob's two orders are of one day
        "purchase_days": 4,
        "history_days": 58,  # from 2017-01-02
        "active_customers": 2,  # ann and bob, since 2017-01-30
        "campaigns": 0,
        "programmes": 0,
    }


def test_before_the_first_purchase_there_is_nothing(facts):
    assert set(measure_base(facts, dt.date(2017, 1, 2)).values()) == {0}


def test_the_minima_that_are_not_met(facts):
    assert [unmet.what for unmet in thin(REQUIREMENTS, measure_base(facts, AS_OF))] == ["customers"]
    assert thin(REQUIREMENTS, measure_base(facts, dt.date(2017, 3, 2))) == []


@pytest.mark.parametrize(
    ("as_of", "message"),
    [
        (
            AS_OF,
            "This report needs at least 4 customers, because three are no crowd. Found: 3 customers before "
            "2017-03-01. Add purchases of 1 more customer, or choose a later as-of date.",
        ),
        (
            dt.date(2017, 1, 3),
            "This report needs at least 4 customers, because three are no crowd, and 1 customer who bought on two "
            "days or more, because somebody must come back. Found: 1 customer and 0 customers who bought on two days "
            "or more before 2017-01-03. Add purchases of 3 more customers and a second purchase day of 1 more "
            "customer, or choose a later as-of date.",
        ),
    ],
)
def test_thin_data_are_refused_with_the_figures_and_the_smallest_addition(facts, as_of, message):
    with pytest.raises(NotEnoughData) as refused:
        refuse_thin(REQUIREMENTS, facts, as_of)
    assert str(refused.value) == message


def test_a_later_date_is_offered_only_where_there_are_later_purchases(facts):
    needs = Requirements("09_test", "", (Minimum("customers", 9, "so it is"),), ())
    with pytest.raises(NotEnoughData) as refused:
        refuse_thin(needs, facts, dt.date(2018, 1, 1))
    assert refused.value.do == "Add purchases of 5 more customers."


def test_a_column_without_a_value_is_as_absent_as_a_table(facts):
    lacking = absent(REQUIREMENTS, facts)
    assert [addition.name for addition in lacking] == [
        "purchases.channel", "products.department", "products.brand", "plan",
    ]  # fmt: skip
    assert left_out(lacking) == (
        "Left out: channels, departments, brands and the plan. It takes the column channel of the table purchases, "
        "the columns department and brand of the table products and the table plan, which the data do not have."
    )
    finding = not_there(lacking[1:3], AS_OF)
    assert str(finding) == "Left out for want of data: departments (products.department); brands (products.brand)."
    assert not_there([], AS_OF) is None


def test_one_and_several():
    assert in_words("customers", 1) == "1 customer"
    assert in_words("history_days", 2_000) == "2,000 days of history"
    assert counted("n", 1, "day").format(n=1) == "1 day"
    assert counted("n", 1_200, "person", "people").format(n=1_200) == "1,200 people"


def lines_of(**accounts):
    rows = ["customer_id order_id ordered_at net_amount"]
    return "\n".join(
        rows + [f"{name} {name}{line} 2017-01-02 1" for name, lines in accounts.items() for line in range(lines)]
    )


MANY = {f"c{number}": 3 for number in range(20)}
ACCOUNTS = {
    "a till among twenty customers": (MANY | {"till": 40}, ["till"]),
    "a till and a reseller": (MANY | {"till": 40, "shop": 31}, ["till", "shop"]),
    "ten times the usual is not over it": (MANY | {"good": 30}, []),
    "the best of few is a person": ({"a": 40, "b": 30, "c": 30}, []),
    "one customer": ({"a": 9}, []),
}


@pytest.mark.parametrize("case", ACCOUNTS)
def test_an_account_with_many_of_the_lines_is_not_one_person(company, draw, case):
    accounts, crowded = ACCOUNTS[case]
    facts = company({"purchases": draw(lines_of(**accounts))}, "2017-03-01")
    found = crowded_accounts(facts, AS_OF)
    assert found["customer_id"].tolist() == crowded
    assert found["lines"].tolist() == [accounts[name] for name in crowded]
    assert bool(crowded) == (not_one_person(found, AS_OF) is not None)


def test_what_is_said_of_such_an_account(company, draw):
    facts = company({"purchases": draw(lines_of(**MANY, till=40))}, "2017-03-01")
    assert str(not_one_person(crowded_accounts(facts, AS_OF), AS_OF)) == (
        "The account till is probably not one person but a till, a reseller or a shared card: it has 40% of all "
        "order lines and 40% of the money. It counts as one customer."
    )
    assert crowded_accounts(facts, dt.date(2017, 1, 2)).empty, "nothing is known yet"
