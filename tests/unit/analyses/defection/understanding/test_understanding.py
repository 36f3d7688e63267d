"""All of it together: contracts, and companies of which little can be said."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from crm.analyses.defection.understanding import understand_defection
from crm.analyses.defection.understanding.findings import all_findings
from crm.reporting.defection_understanding import draw_changes, draw_lost_by_sign, show_losses

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


def with_losses(one, everybody, signs, *, to_a_year=0):
    """The same, with so many who left, and of each sign (customers, low, share of stayers)."""
    rows = [("everybody", "everybody", everybody, 1.0, 1.0, np.nan)]
    rows += [("sign", name, number, number / everybody, low, beside) for name, (number, low, beside) in signs.items()]
    table = pd.DataFrame(rows, columns=["kind", "group", "customers", "share", "low", "share_of_stayers"])
    money = {"net_sales": 900.0, "margin": 90.0, "share_of_net_sales": 0.5, "to_a_year": to_a_year}
    one = replace(one, losses=table.assign(high=1.0, **money))
    return replace(one, findings=all_findings(one))


LATE, DEARER = "after late deliveries", "after prices rose"


@pytest.mark.parametrize(
    ("signs", "said", "not_said"),
    [
        ({LATE: (20, 0.3, 0.1)}, f"Most was lost {LATE}: 20 of those", "Neither"),
        ({LATE: (4, 0.03, 0.01), DEARER: (20, 0.3, 0.1)}, f"Most was lost {DEARER}: 20 of those", LATE),
        ({LATE: (20, 0.1, 0.3)}, f"Neither late deliveries.*{LATE}, for example, left 20 \\(40.0%", "Most"),
        ({LATE: (3, 0.01, 0.04)}, f"{LATE}, for example, left 6.0% \\(interval 1.0%", r"\b3\b"),
    ],
)
def test_signs_of_few_customers_are_not_counted_aloud(understood, signs, said, not_said):
    sentence = with_losses(understood["some left"], 50, signs).findings["signs"].sentence
    assert re.search(said, sentence)
    assert not re.search(not_said, sentence)


def test_what_went_with_few_is_not_said(understood):
    assert "lost" in with_losses(understood["some left"], 5, {}).findings.names
    assert "lost" not in with_losses(understood["some left"], 4, {}).findings.names


@pytest.mark.parametrize("to_a_year", [0, 3])
def test_that_amounts_were_brought_to_a_year_is_said_where_they_were(understood, to_a_year):
    one = with_losses(understood["some left"], 50, {LATE: (20, 0.3, 0.1)}, to_a_year=to_a_year)
    shown = SimpleNamespace(understanding=one)
    for said in (one.findings["lost"].sentence, str(show_losses(shown).notes), draw_lost_by_sign(shown).note):
        assert ("brought to a year where the history is shorter" in said) == bool(to_a_year), said


@pytest.mark.parametrize(("left", "said"), [(0, ", 0 (0"), (4, ", fewer than 5 bought nothing"), (5, ", 5 (")])
def test_so_few_who_left_are_not_counted_aloud(understood, left, said):
    one = understood["some left"]
    findings = all_findings(replace(one, partial=one.partial.assign(left=left, left_share=left / 100, partly=9)))
    assert said in findings["left"].sentence
    assert ("left_partly" in findings.names) == (left != 4)


def test_beside_what_was_lost_stands_how_many_usually_come_back(understood):
    """Of a hundred who were gone, eighty are back after 91 days; the point of four watched is too thin to tell."""
    returned = pd.DataFrame(
        {
            "days": [0, 49, 91, 98],
            "share_returned": [0, 0.6, 0.8, 0.9],
            "low": 0.5,
            "high": 0.9,
            "at_risk": [99, 40, 20, 4],
        }
    )
    one = with_losses(replace(understood["some left"], returned=returned), 50, {LATE: (20, 0.3, 0.1)})
    assert "silent for more than 10 days, 80% usually come back by themselves within another 91." in (
        one.findings["lost"].sentence
    )
    for show, note in ((show_losses, "notes"), (draw_lost_by_sign, "note")):
        assert "80% of those who are gone come back" in str(getattr(show(SimpleNamespace(understanding=one)), note))
    unknown = with_losses(replace(one, returned=returned.head(0)), 50, {})
    assert unknown.findings["lost"].sentence.endswith("How many of such come back by themselves is not known.")


def test_the_note_has_the_numbers_of_the_comparison_it_is_of(understood):
    one = understood["some left"]
    table = one.changes.head(2).assign(pairs=[352, 395], stayers=1_407)
    note = draw_changes(SimpleNamespace(understanding=replace(one, changes=table))).note
    assert "Change of 352 to 395 who left less that of 1,407 similar customers" in note
    assert f"{one.pairs} who left" not in note


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
