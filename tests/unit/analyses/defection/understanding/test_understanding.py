"""All of it together: contracts, and companies of which little can be said."""

import re

import numpy as np
import pandas as pd
import pytest

from crm.analyses.defection.understanding import understand_defection

AS_OF = "2017-05-01"  # day 121


def shop(count, *, days, seed=1, **columns):
    """So many customers who buy on these days, from day `start` of each."""
    rng = np.random.default_rng(seed)
    rows = [(f"c{number}", day) for number in range(count) for day in days(number, rng)]
    table = pd.DataFrame(rows, columns=["customer_id", "day"])
    at = pd.Timestamp("2017-01-01 12:00") + pd.to_timedelta(table.pop("day"), unit="D")
    return table.assign(
        ordered_at=at, order_id=np.arange(len(table)).astype(str), net_amount=10.0, **columns
    )  # fmt: skip


def often(number, rng):
    """Every five days for all the time."""
    return range(number % 5, 121, 5)


def until(last):
    """Every four days, from the customer's own first day on, until the last one."""
    return lambda number, rng: range(number % 40, last + number % 40, 4)


NOBODY_LEFT = shop(30, days=often)
EVERYBODY_LEFT = pd.concat(
    [shop(30, days=lambda number, rng: [number % 20, number % 20 + 6]),
     shop(1, days=lambda number, rng: [90, 119]).assign(customer_id="last", order_id=["x", "y"])]
)  # fmt: skip
COMPANIES = {
    "nobody left": NOBODY_LEFT,
    "everybody left": EVERYBODY_LEFT,
    "one customer": shop(1, days=often),
    "one purchase": shop(1, days=lambda number, rng: [3]),
    "a short history": shop(30, days=lambda number, rng: [105 + number % 9, 118]),
    "a shorter history than a horizon": shop(9, days=lambda number, rng: [118, 119]),
    "some left": shop(60, days=lambda number, rng: until(30 + 8 * (number % 9))(number, rng)),
}


@pytest.fixture(scope="module")
def understood(drawn):
    """What is understood of each company; purchases alone, without products, channels and all else."""
    return {name: understand_defection(drawn(AS_OF, purchases=table), AS_OF) for name, table in COMPANIES.items()}


@pytest.mark.parametrize("name", list(COMPANIES))
def test_whoever_the_customers_are_what_is_empty_has_its_reason(understood, name):
    one = understood[name]
    for part in ("by_purchase", "by_tenure", "partial", "changes", "dropped", "returned"):
        assert getattr(one, part).empty == (part in one.unsaid), part
    kinds = set(one.curves["group_kind"])
    for kind in ("segment", "cohort", "department", "channel"):
        assert (kind in kinds) != (f"curves_by_{kind}" in one.unsaid)
    assert {"measure_late_deliveries", "measure_basket_price", "signs"} <= set(one.unsaid)
    for sentence in [*one.unsaid.values(), *(finding.sentence for finding in one.findings)]:
        assert sentence.endswith(".")
        assert not re.search(r"\bnan\b|\binf\b|None|\{|-0\.0%", sentence), sentence
    assert len(set(one.findings.names)) == len(one.findings)


def test_nobody_left(understood):
    one = understood["nobody left"]
    assert (one.left, one.leavers, one.gone) == (0, 0, 0)
    assert (one.curves["share_staying"] == 1).all()
    assert one.partial["left"].sum() == 0
    assert "nobody left within 10 days" in one.unsaid["changes"]
    assert "Of 30 customers at stake on 2017-04-21, 0 (0.0%, interval 0.0% to 11.4%)" in one.findings["left"].sentence


def test_everybody_left(understood):
    one = understood["everybody left"]
    assert one.left == one.lives == 31
    assert one.curves["share_staying"].iloc[-1] == 0
    assert one.pairs == 0
    assert "nobody similar who stayed" in one.unsaid["changes"]


def test_one_customer_makes_no_curve(understood):
    assert understood["one customer"].curves.empty
    assert understood["one customer"].lives == 1


def test_a_short_history(understood):
    one = understood["a shorter history than a horizon"]
    assert one.dates == ()
    assert "it takes 10 days of history before a date" in one.unsaid["partial"]
    assert one.findings.names == ()


def test_the_same_again_gives_the_same(drawn):
    one, other = (understand_defection(drawn(AS_OF, purchases=COMPANIES["some left"]), AS_OF) for _ in range(2))
    assert one.findings == other.findings
    pd.testing.assert_frame_equal(one.changes, other.changes)
    pd.testing.assert_frame_equal(one.losses, other.losses)


def test_the_order_of_the_rows_changes_nothing(drawn):
    table = COMPANIES["some left"]
    mixed = table.sample(frac=1, random_state=3)
    one, other = (understand_defection(drawn(AS_OF, purchases=rows), AS_OF) for rows in (table, mixed))
    assert one.findings == other.findings
    pd.testing.assert_frame_equal(one.changes, other.changes)


def test_what_happens_later_changes_nothing(drawn):
    table = COMPANIES["some left"]
    later = table.assign(ordered_at=table["ordered_at"] + pd.Timedelta(days=121), net_amount=1e6)
    both = pd.concat([table, later.assign(order_id="later")], ignore_index=True)
    known = pd.concat([table, table.tail(1).assign(ordered_at=pd.Timestamp("2017-04-30"), order_id="newest")])
    both = pd.concat([both, known.tail(1)])
    one, other = (understand_defection(drawn(AS_OF, purchases=rows), AS_OF) for rows in (known, both))
    assert one.findings == other.findings
    pd.testing.assert_frame_equal(one.curves, other.curves)
    pd.testing.assert_frame_equal(one.losses, other.losses)


@pytest.fixture(scope="module")
def contractual(drawn):
    """Forty contracts: basic ones are ended after 40 days, half of those customers begin another 15 days later."""
    start = pd.Timestamp("2017-01-01")
    first = pd.DataFrame({"customer_id": [f"c{number}" for number in range(40)], "plan": ["basic", "plus"] * 20})
    began = start + pd.to_timedelta(np.arange(40) % 50, unit="D")
    ended = began.to_series(index=first.index) + pd.Timedelta(days=40)
    first = first.assign(started_at=began, ended_at=ended.where(first["plan"] == "basic"), monthly_fee=10.0)
    again = first[first["plan"] == "basic"].iloc[::2]
    again = again.assign(plan="plus", started_at=again["ended_at"] + pd.Timedelta(days=15), ended_at=pd.NaT)
    purchases = shop(40, days=lambda number, rng: range(number % 40, 121, 7))
    table = pd.concat([first, again], ignore_index=True)
    return understand_defection(drawn(AS_OF, purchases=purchases, subscriptions=table), AS_OF)


def test_the_lives_of_contracts(contractual):
    assert contractual.stake.kind == "cancellation"
    assert (contractual.lives, contractual.left) == (50, 20)
    curves = contractual.curves[contractual.curves["group_kind"] == "plan"].set_index(["group", "days"])
    assert curves.loc[("basic", 35), "share_staying"] == 1
    assert curves.loc[("basic", 42), "share_staying"] == 0
    assert (curves.loc["plus", "share_staying"] == 1).all()
    tests = contractual.tests.set_index("group_kind")
    assert tests.loc["plan", "differ"]


def test_who_made_another_contract(contractual):
    assert (contractual.gone, contractual.came_back) == (20, 10)
    returned = contractual.returned.set_index("days")["share_returned"]
    assert returned[14] == 0
    assert returned[21] == pytest.approx(0.5)


def test_contracts_are_spoken_of_as_contracts(contractual):
    text = str(contractual.findings)
    assert "had no contract 10 days later" in contractual.findings["left"].sentence
    assert "contracts" in contractual.findings["staying"].sentence
    assert "had no contract any more" in contractual.findings["came_back"].sentence
    assert "silent" not in text
    assert "bought nothing" not in text
