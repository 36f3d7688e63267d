"""Whom, about what, through which channel: worked examples by hand, planted ties, prices checked by solving again."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from crm.errors import CrmError
from crm.scoring.assignment import Limits, assign
from crm.scoring.assignment.integer_programme import solve_relaxed
from crm.scoring.assignment.reading import COLUMNS, read_options
from crm.scoring.prices import prices_in_words

BOTH_WAYS = pytest.mark.parametrize("exact_below", [60_000, 0], ids=["exact", "by prices"])


def options_of(*rows):
    """Drawn as "customer programme channel gain cost"."""
    frame = pd.DataFrame([row.split() for row in rows], columns=list(COLUMNS), dtype="str")
    return frame.astype({"gain": "float64", "cost": "float64"})


def said(found):
    return [f"{row.customer_id} {row.programme} {row.channel}" for row in found.chosen.itertuples()]


TABLE = options_of(
    "ann  retain call 30 4",  #  net 26
    "ann  retain mail 22 1",  #      21
    "ann  thank  mail 12 1",  #      11
    "bob  retain call 25 4",  #      21
    "bob  thank  mail 10 1",  #       9
    "cat  thank  call  9 4",  #       5
    "cat  thank  mail  3 4",  #      -1
)


@BOTH_WAYS
@pytest.mark.parametrize(
    ("limits", "chosen", "value"),
    [
        (Limits(), ["ann retain call", "bob retain call", "cat thank call"], 52),
        (Limits(capacities={"call": 1}), ["ann retain mail", "bob retain call"], 42),
        (Limits(capacities={"call": 0}), ["ann retain mail", "bob thank mail"], 30),
        (Limits(sizes={"retain": 1}), ["ann retain call", "bob thank mail", "cat thank call"], 40),
        (Limits(budget=5), ["ann retain mail", "bob retain call"], 42),
        (Limits(budget=4.99), ["ann retain mail", "bob thank mail"], 30),
        (Limits(budgets={"retain": 4}), ["ann retain call", "bob thank mail", "cat thank call"], 40),
        (Limits(budgets={"retain": 1}, capacities={"call": 0}), ["ann retain mail", "bob thank mail"], 30),
        (Limits(budget=0), [], 0),
        (Limits(budget=math.inf, sizes={"nobody has it": 3}, capacities={"call": None}), None, 52),
    ],
    ids=["free", "one call", "no call", "one retained", "budget 5", "a cent less", "retain 4", "two", "zero", "none"],
)
def test_worked_examples(limits, chosen, value, exact_below):
    found = assign(TABLE, limits, exact_below=exact_below)
    assert found.value == pytest.approx(value)
    assert chosen is None or said(found) == chosen
    assert found.bound >= found.value
    assert found.left_out.set_index("reason")["options"].tolist() == [0, 1, 6 - len(found.chosen)]


@BOTH_WAYS
def test_nobody_no_option_and_what_is_not_known(exact_below):
    nothing = assign(TABLE.iloc[:0], Limits(budget=5, sizes={"retain": 2}), exact_below=exact_below)
    assert (len(nothing.chosen), nothing.value, nothing.bound, nothing.gap) == (0, 0, 0, 0)
    assert nothing.prices["price"].tolist() == [0, 0]
    assert "net" in nothing.chosen
    odd = options_of("ann thank mail nan 1", "bob thank mail 5 nan", "cat thank mail inf 1", "dan thank mail 1 1")
    found = assign(odd, Limits(budget=5), exact_below=exact_below)
    assert found.chosen.empty
    assert found.left_out["options"].tolist() == [3, 1, 0]


@BOTH_WAYS
def test_further_columns_stay_and_nothing_given_is_changed(exact_below):
    table = TABLE.assign(reason=[f"reason {row}" for row in range(len(TABLE))]).set_index(TABLE.index[::-1])
    before = table.copy()
    found = assign(table, Limits(capacities={"call": 1}), exact_below=exact_below)
    assert found.chosen["reason"].tolist() == ["reason 1", "reason 3"]
    assert found.chosen["net"].tolist() == [21, 21]
    pd.testing.assert_frame_equal(table, before)


@BOTH_WAYS
def test_of_those_alike_the_first_by_id_is_served_with_the_programme_first_in_order(exact_below):
    rows = [f"c{who:02d} {programme} mail 10 1" for who in range(40) for programme in ("b", "a")]
    table = options_of(*rows).sample(frac=1, random_state=1)
    limits = Limits(sizes={"a": 3, "b": 2})
    assert said(assign(table, limits, exact_below=exact_below)) == [
        *(f"c0{who} a mail" for who in range(3)),
        *(f"c0{who} b mail" for who in (3, 4)),
    ]
    table["programme"] = pd.Categorical(table["programme"], categories=["b", "a"])
    assert said(assign(table, limits, exact_below=exact_below)) == [
        *(f"c0{who} b mail" for who in range(2)),
        *(f"c0{who} a mail" for who in (2, 3, 4)),
    ]


def test_a_tenth_paid_ten_times_is_one():
    """Money is counted in whole millionths: 0.1 + 0.1 + ... is no more than 1."""
    table = options_of(*(f"c{who} thank mail 1 0.1" for who in range(10)))
    assert len(assign(table, Limits(budget=1.0)).chosen) == 10
    assert len(assign(table, Limits(budget=0.99)).chosen) == 9


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"cost": -1.0}, "7 options with a cost below zero, such as of ann, bob, cat"),
        ({"channel": None}, "7 rows without"),
        ({"programme": "thank", "channel": "mail"}, "4 options twice, such as of ann, bob, cat"),
    ],
    ids=["cost below zero", "no channel", "twice"],
)
def test_options_that_cannot_be(change, found):
    with pytest.raises(CrmError, match=found):
        assign(TABLE.assign(**change), Limits())


def test_a_column_that_is_missing_and_limits_that_cannot_be():
    with pytest.raises(CrmError, match="no cost"):
        assign(TABLE.drop(columns="cost"), Limits())
    with pytest.raises(CrmError, match="channel capacity of call: -1"):
        Limits(capacities={"call": -1})
    with pytest.raises(CrmError, match="budget: nan"):
        Limits(budget=math.nan)


# A company of some size.

CUSTOMERS = 1_200
LIMITS = Limits(
    budget=0.35 * CUSTOMERS,
    budgets={"retain": 0.08 * CUSTOMERS},
    sizes={"thank": 0.05 * CUSTOMERS},
    capacities={"call": 0.03 * CUSTOMERS, "mail": 0.9 * CUSTOMERS},
)


@pytest.fixture(scope="module")
def company():
    """Three programmes by call or mail: 7,200 options."""
    rng = np.random.default_rng(3)
    kinds = pd.DataFrame(itertools.product(["retain", "thank", "win back"], ["call", "mail"]), columns=["p", "c"])
    worth = np.repeat(rng.gamma(1, 40, CUSTOMERS), len(kinds))
    each = kinds.take(np.tile(np.arange(len(kinds)), CUSTOMERS))
    call = (each["c"] == "call").to_numpy()
    return pd.DataFrame(
        {
            "customer_id": [f"C{who:05d}" for who in np.repeat(np.arange(CUSTOMERS), len(kinds))],
            "programme": each["p"].to_numpy(),
            "channel": each["c"].to_numpy(),
            "gain": worth * rng.beta(1, 6, len(worth)) * np.where(call, 1.6, 1.0),
            "cost": np.where(call, 4.0, 0.9),
        }
    )


@pytest.fixture(scope="module")
def exact(company):
    return assign(company, LIMITS)


def test_by_prices_is_next_to_exact(company, exact):
    priced = assign(company, LIMITS, exact_below=0)
    assert (exact.method, priced.method) == ("exact", "by prices")
    assert exact.gap < 1e-9
    assert priced.gap < 1e-3
    assert priced.value <= exact.value * (1 + 1e-12) <= priced.bound * (1 + 1e-9)
    assert said(assign(company, LIMITS, exact_below=0)) == said(priced)


def test_better_than_the_best_first(company, exact):
    """What a manager would do: down the list by net, as long as there is room."""
    value, spent, left = 0.0, 0.0, {"retain": 96.0, "thank": 60, "call": 36}
    seen = set()
    for row in company.assign(net=company["gain"] - company["cost"]).sort_values("net", ascending=False).itertuples():
        room = {"retain": row.cost, "thank": 1}.get(row.programme, 0) <= left.get(row.programme, 0)
        room &= row.channel == "mail" or left["call"] >= 1
        if row.net > 0 and row.customer_id not in seen and room and spent + row.cost <= LIMITS.budget:
            seen.add(row.customer_id)
            value, spent = value + row.net, spent + row.cost
            left["call"] -= row.channel == "call"
            left[row.programme] = left.get(row.programme, 0) - {"retain": row.cost, "thank": 1}.get(row.programme, 0)
    assert exact.value > 1.02 * value


@pytest.mark.parametrize("calls", [0, 1, 36, 250])
def test_the_price_of_a_call_is_what_one_more_brings(company, calls):
    """To the cent, where nothing but calls is short: of the next call, not of the last."""
    now, more = (assign(company, Limits(capacities={"call": count})) for count in (calls, calls + 1))
    assert now.prices["price"][0] == pytest.approx(more.value - now.value, abs=0.005)
    assert now.prices["price"][0] > 1


@pytest.mark.parametrize(
    ("limit", "raised"),
    [
        ("budget", {"budget": 1.02 * LIMITS.budget}),
        ("programme budget", {"budgets": {"retain": 1.02 * LIMITS.budgets["retain"]}}),
        ("programme size", {"sizes": {"thank": 1.02 * LIMITS.sizes["thank"]}}),
    ],
    ids=["budget", "budget of a programme", "size"],
)
def test_a_price_is_what_a_higher_limit_brings(ten_companies, limit, raised):
    options, many, before = ten_companies
    row = before.prices.set_index("limit").loc[limit]
    brings = assign(options, replace(many, **scaled(raised)), exact_below=0).value - before.value
    assert brings == pytest.approx(0.02 * row["most"] * row["price"], rel=0.1)


@pytest.fixture(scope="module")
def ten_companies(company):
    """The same customers with other gains, so that two in a hundred more of a limit are many."""
    rng = np.random.default_rng(4)
    parts = [company.assign(customer_id=company["customer_id"] + f"-{part}") for part in range(TIMES)]
    options = pd.concat(parts, ignore_index=True)
    options["gain"] *= np.repeat(rng.uniform(0.5, 1.5, len(options) // 2), 2)
    limits = Limits(**scaled({name: getattr(LIMITS, name) for name in ("budget", "budgets", "sizes", "capacities")}))
    return options, limits, assign(options, limits, exact_below=0)


TIMES = 10


def scaled(limits):
    return {
        name: {of: TIMES * most for of, most in most.items()} if isinstance(most, dict) else TIMES * most
        for name, most in limits.items()
    }


def test_at_a_corner_the_price_is_of_the_next_unit(company, exact):
    """One call less would cost 2.63, one more is worth 2.34: found by raising the calls by a fiftieth of one."""
    task, _ = read_options(company, LIMITS)
    calls = exact.prices["of"].eq("call").to_numpy()

    def worth(more):
        return float(task.net @ solve_relaxed(replace(task, most=task.most + more * calls))[0])

    assert exact.prices["price"][calls].item() == pytest.approx((worth(0.02) - worth(0)) / 0.02, rel=0.01)


def test_prices_in_words():
    table = options_of("ann retain call 30 4", "bob retain call 24 4", "cat thank mail 5 1", "dan retain call 20 4")
    limits = Limits(budget=20_000, sizes={"thank": 4}, capacities={"call": 1})
    words = prices_in_words(assign(table, limits).prices, "EUR")
    assert [one.sentence for one in words] == [
        "One more contact by call is worth 20 EUR after costs: 1 of 1 contact is used.",
        "1,000 EUR more for everything together would bring nothing: 5 of 20,000 EUR are used.",
        "One more customer in thank would bring nothing: 1 of 4 customers are chosen.",
    ]
    assert words[0].name == "price_of_channel_capacity_call"
    assert words[0].values["price"] == pytest.approx(20)


@pytest.mark.parametrize(
    ("most", "sentence"),
    [
        (4, "0.10 EUR more for retain would bring up to 0.50 EUR after costs: 4.00 of 4.00 EUR are used."),
        (0, None),
        (3.99, None),
        (300, "10 EUR more for retain would bring nothing: 12 of 300 EUR are used."),
    ],
    ids=["binds", "zero", "below_one_contact", "slack"],
)
def test_money_in_words(most, sentence):
    table = options_of("ann retain call 30 4", "bob retain call 24 4", "dan retain call 20 4")
    prices = assign(table, Limits(budgets={"retain": most})).prices
    words = prices_in_words(prices, "EUR", contact={"retain": 4.0})
    assert [one.sentence for one in words] == ([sentence] if sentence else [])


def test_a_name_with_braces_stays_a_name():
    table = options_of("ann {retain} call 30 4", "bob {retain} call 24 4")
    (words,) = prices_in_words(assign(table, Limits(sizes={"{retain}": 1})).prices, "EUR")
    assert words.sentence.startswith("One more customer in {retain} is worth 20 EUR")
