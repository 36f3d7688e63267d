"""Whatever customers are like, each gets a finite expectation, and the page says what could not be fitted."""

import inspect
import json
import re

import numpy as np
import pandas as pd
import pytest

from crm.analyses.lifetime_value import LifetimeModel, value_customers
from crm.errors import NotEnoughData
from crm.publishing import publish
from crm.reporting import lifetime_value as page
from crm.reporting import lifetime_value_trust as trust
from crm.snapshots import snapshot, snapshot_in_parts

AS_OF = "2018-01-01"
CHANCE = np.random.default_rng(11)


def bought(rows):
    """Purchases from customer, days before the as-of date, and amount."""
    table = pd.DataFrame(rows, columns=["customer_id", "before", "net_amount"])
    table["ordered_at"] = pd.Timestamp(AS_OF) - pd.to_timedelta(table.pop("before"), unit="D")
    return table.assign(order_id=[f"o{number}" for number in range(len(table))])


def regulars(customers, days, *, first=1.0):
    """Customers of different rhythm and purse, some of whom stop early."""
    rows = []
    for number in range(customers):
        gap, purse = CHANCE.gamma(2, 8) + 2, CHANCE.gamma(3, 10) + 1
        day, last = (
            days - CHANCE.integers(0, days // 3),
            0 if CHANCE.random() < 0.7 else CHANCE.integers(1, days // 2),
        )
        while day > last:
            rows.append((f"c{number:03d}", int(day) or 1, round(CHANCE.gamma(4, purse / 4), 2)))
            day -= max(1, round(CHANCE.gamma(2, gap / 2)))
    return rows


NOBODY_REPEATS = [(f"c{number}", int(CHANCE.integers(1, 300)), 10 + number % 7) for number in range(150)]
ONE_DAY = [(f"c{number}", 60, 10 + number) for number in range(50)]
COMPANIES = {
    "nobody repeats": (NOBODY_REPEATS, "none of 150 customers bought on a second day"),
    "one customer": ([("c1", 9 * number + 1, 20) for number in range(30)], "there is one customer"),
    "all on one day": (ONE_DAY, "one and the same day"),
    "a till among customers": ([("till", day, 5) for day in range(1, 5_001)] + regulars(80, 500), ""),
    "nothing was paid": ([(name, day, 0) for name, day, _ in regulars(60, 400)], "spend model was not fitted"),
    "bought yesterday for the first time": (regulars(80, 200) + [(f"new{n}", 1, 30) for n in range(40)], ""),
    "forty days of history": (regulars(60, 40), "too short to learn from"),
}


@pytest.fixture(scope="module")
def valued(company):
    """Each company valued once."""
    known = {}

    def value(name, more=""):
        if (name, more) not in known:
            facts = company({"purchases": bought(COMPANIES[name][0])}, AS_OF, more)
            known[name, more] = (facts, value_customers(facts, facts.settings.as_of))
        return known[name, more]

    return value


@pytest.mark.parametrize("name", COMPANIES)
def test_every_customer_gets_a_number_and_the_page_its_reasons(valued, name):
    _, value = valued(name)
    scores = value.scores
    assert len(scores) == len({row[0] for row in COMPANIES[name][0]})
    money = scores[["expected_purchases", "expected_value", "expected_margin", "long_margin"]]
    assert np.isfinite(money.to_numpy()).all()
    assert (money >= 0).to_numpy().all()
    assert COMPANIES[name][1] in " ".join(value.shipped.why_not)
    assert value.findings.names
    assert "nan" not in str(value.findings).lower().split()
    json.dumps(value.model.as_record())


def test_a_purchase_model_without_anybody_who_repeats_is_not_faked(valued):
    _, value = valued("nobody repeats")
    assert value.shipped.purchase_models.empty
    assert value.shipped.name in ("Rate so far", "As in the last period", "Monthly spend and retention")
    assert value.scores["probability_alive"].isna().all()


def test_the_till_does_not_lift_the_others(valued):
    """5,000 purchase days of one account: its own value is its own, and those of the others stay in their range."""
    _, value = valued("a till among customers")
    scores = value.scores.set_index("customer_id")
    assert 70 <= scores.at["till", "expected_purchases"] <= 95, "it bought on each of the days before"
    most = max(amount for name, _, amount in COMPANIES["a till among customers"][0] if name != "till")
    others = scores.drop("till")
    assert (others["expected_value"] < 91 * most).all()
    assert others["expected_purchases"].max() < 60


def test_returns_beyond_purchases_make_nobody_worth_less_than_nothing(company):
    rows = bought(regulars(60, 400))
    back = (
        rows.groupby("customer_id").head(1).assign(returned_at=lambda t: t["ordered_at"], amount=500.0, quantity=1.0)
    )
    returns = back[["customer_id", "order_id", "returned_at", "amount", "quantity"]]
    facts = company({"purchases": rows, "returns": returns}, AS_OF)
    value = value_customers(facts, facts.settings.as_of)
    assert (value.valued.customers["cost_to_serve"] > 0).any()
    assert (value.scores["expected_margin"] >= -1e-9).all(), "at worst the whole margin goes back"
    assert np.isfinite(value.scores["expected_value"]).all()


def test_a_horizon_longer_than_the_history_is_carried_and_said(valued):
    _, near = valued("bought yesterday for the first time", "[definitions]\nvalue_horizon_days = 60\n")
    _, far = valued("bought yesterday for the first time", "[definitions]\nvalue_horizon_days = 730\n")
    assert far.judged.days < 730
    assert "horizon_shortened" in far.findings.names
    assert "horizon_shortened" not in near.findings.names
    assert far.portfolio.value.value > near.portfolio.value.value


def test_less_than_four_weeks_are_refused_with_the_figures(company):
    facts = company({"purchases": bought(regulars(20, 20))}, AS_OF)
    with pytest.raises(NotEnoughData, match="28 days of history"):
        value_customers(facts, facts.settings.as_of)


def test_nothing_after_the_date_is_known(company):
    """The poison test: everything from the as-of date on is corrupted, and every number stays the same."""
    rows = regulars(70, 400)
    later = [(name, -day, amount * 100) for name, day, amount in rows if day < 100]
    clean, poisoned = (company({"purchases": bought(some)}, AS_OF) for some in (rows, rows + later))
    assert poisoned.last_day > clean.last_day
    values = [value_customers(facts, facts.settings.as_of) for facts in (clean, poisoned)]
    pd.testing.assert_frame_equal(values[0].scores, values[1].scores)
    pd.testing.assert_frame_equal(values[0].judged.table, values[1].judged.table)


def test_the_model_can_be_kept_and_values_a_part_like_the_whole(valued):
    facts, value = valued("bought yesterday for the first time")
    kept = LifetimeModel.from_record(json.loads(json.dumps(value.model.as_record())))
    assert kept.content == value.model.content
    customers = snapshot(facts, facts.settings.as_of)
    whole = kept.score(customers)
    expected = ["expected_purchases", "expected_value", "probability_alive", "chance_of_no_purchase"]
    pd.testing.assert_frame_equal(whole, value.model.score(customers))
    part = kept.score(customers.iloc[20:30])
    pd.testing.assert_frame_equal(part[expected], whole.iloc[20:30][expected], rtol=1e-9)
    read = snapshot_in_parts(facts, facts.settings.as_of, columns=kept.reads, at_once=17)
    told = pd.concat(kept.score_in_parts(read), ignore_index=True)
    assert told["customer_id"].tolist() == customers["customer_id"].tolist()
    pd.testing.assert_frame_equal(told[expected], whole[expected], rtol=1e-9)


def test_a_model_saved_before_the_middle_was_learnt_keeps_its_name_and_takes_that_of_the_draws(valued):
    facts, value = valued("a till among customers")
    record = json.loads(json.dumps(value.model.as_record()))
    assert set(record["learners"].pop("middles")) == {"purchases", "value"}
    older = LifetimeModel.from_record(record)
    assert older.as_record() == record
    customers = snapshot(facts, facts.settings.as_of)
    scores, learnt = older.score(customers), value.model.score(customers)
    typical = ["typical_purchases", "typical_value"]
    pd.testing.assert_frame_equal(scores.drop(columns=typical), learnt.drop(columns=typical))
    assert not scores[typical].equals(learnt[typical])
    for one in (scores, learnt):
        silent = one["chance_of_no_purchase"] >= 0.5
        assert 0 < silent.sum() < len(silent)
        assert (one.loc[silent, typical] == 0).all(axis=None)
        assert (one.loc[~silent, typical] > 0).all(axis=None)


@pytest.mark.parametrize("name", ["nobody repeats", "one customer", "all on one day", "forty days of history"])
def test_the_page_of_odd_customers_has_no_hole(valued, name):
    facts, value = valued(name)
    lines = [str(finding) for finding in value.findings]
    for room in (page, trust):
        for called, function in inspect.getmembers(room, inspect.isfunction):
            if function.__module__ == room.__name__ and called.startswith(("show_", "draw_")):
                shown = function(value)
                text = re.sub(r"<[^>]+>", " ", shown._repr_html_())
                assert "Nothing to show" not in text, called
                lines.append(f"{called}: {text}")
    for line in lines:
        assert not re.search(r"\bnan\b|\bNaN\b|\binf\b|∞|\b1 (customers|days|months|cohorts)\b", line), line
    publish(
        "03_lifetime_value",
        settings=facts.settings,
        run_folder="",
        findings=value.findings,
        headline=value.headline,
        measures=value.measures,
        scores={"lifetime_value": value.scores},
    )
