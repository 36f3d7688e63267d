"""Whom do we contact? Small companies whose best lists can be told by hand, and what must hold of every list."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from crm.analyses.campaign_success.planning import smallest_effect
from crm.errors import NotEnoughData
from crm.publishing import publish
from crm.scoring import plan_actions
from crm.scoring.action_lists import NO_ROOM, NOT_WORTH_IT, OTHER_PROGRAMME
from crm.scoring.hold_out import hold_out
from crm.written_lists import keep_lists, mark_sent

AS_OF = dt.date(2018, 1, 1)
CUSTOMERS = [f"c{number:03d}" for number in range(60)]
PURCHASES = pd.DataFrame(
    {
        "customer_id": [name for name in CUSTOMERS for _ in range(4)],
        "order_id": [f"{name}-{turn}" for name in CUSTOMERS for turn in range(4)],
        "ordered_at": [
            pd.Timestamp("2017-12-28") - pd.Timedelta(days=30 * turn + number % 9)
            for number in range(60)
            for turn in range(4)
        ],
        "net_amount": [10.0 + number + 7 * (turn * number % 5) for number in range(60) for turn in range(4)],
    }
)
MONEY = "[money]\ngross_margin = 0.5\ncontact_cost = {mail = 1.0, phone = 4.0}\n"
ELSEWHERE = '[contacts]\nconsents = "elsewhere"\n'
RETAIN = (
    '[programmes.retain]\nkind = "retain"\nmakes_the_difference = 0.1\n'
    "held_out_share = 0.2\nmeasure_after_days = 91\n"
)
DEVELOP = (
    '[programmes.best]\nkind = "develop"\nmakes_the_difference = 0.5\nheld_out_share = 0.0\nmeasure_after_days = 91\n'
)


def leaving(value=100.0, customers=CUSTOMERS):
    """Scores of defection: the later in the list, the more is at stake."""
    stake = np.linspace(1, value, len(customers))
    return pd.DataFrame(
        {
            "customer_id": customers, "probability": 0.5, "rank": range(len(customers), 0, -1), "reasons": "silent",
            "value_at_risk": stake,
        }
    )  # fmt: skip


def worth(value=40.0):
    """Scores of lifetime value: of the same margin soon, and in the long run the last ones are the best."""
    return pd.DataFrame(
        {
            "customer_id": CUSTOMERS, "expected_value": 2 * value, "expected_margin": value,
            "long_margin": np.arange(60.0), "chance_of_no_purchase": 0.1,
        }
    )  # fmt: skip


def planned(company, sections, *, scores=None, purchases=PURCHASES, **tables):
    facts = company({"purchases": purchases, **tables}, AS_OF.isoformat(), MONEY + sections)
    return plan_actions(facts, AS_OF, scores={"defection": leaving(), "lifetime_value": worth(), **(scores or {})})


def test_whoever_is_worth_more_than_a_letter_is_listed(company):
    """At stake are 1 to 100, a contact brings a tenth of it and costs 1: whoever has more than 10 at stake."""
    actions = planned(company, ELSEWHERE + RETAIN)
    one = actions.of("retain")
    expected = [name for name, stake in zip(CUSTOMERS, np.linspace(1, 100, 60), strict=True) if stake * 0.1 > 1.0]
    assert sorted(one.rows["customer_id"]) == expected
    assert one.held_out == round(0.2 * len(expected))
    treated = one.treated
    assert one.cost == len(treated)
    assert one.expected_net == pytest.approx((treated["at_stake"] * 0.1 - 1.0).sum())
    assert one.low < one.expected_net < one.high
    assert set(actions.ledger["reason"]) == {NOT_WORTH_IT}
    assert len(actions.ledger) + len(one.rows) == 60


def test_a_budget_is_kept_by_those_who_are_contacted(company):
    actions = planned(company, ELSEWHERE + RETAIN + "budget = 10\n")
    one = actions.of("retain")
    assert one.cost <= 10
    assert len(one.treated) >= 9
    assert one.rows["customer_id"].min() > "c040"  # the best of them
    assert NO_ROOM in set(actions.ledger["reason"])
    prices = actions.prices.set_index("limit")
    assert prices.loc["programme budget", "most"] == 10
    assert prices.loc["programme budget", "used"] == one.cost
    assert prices.loc["programme budget", "price"] > 1


@pytest.mark.parametrize("limit", ["budget = 0\n", "size = 0\n"])
def test_no_budget_is_an_empty_list_and_no_error(company, limit):
    actions = planned(company, ELSEWHERE + RETAIN + limit)
    assert actions.of("retain").rows.empty
    assert actions.to_write == {}
    assert set(actions.ledger["reason"]) == {NO_ROOM, NOT_WORTH_IT}
    assert actions.findings["nobody"].sentence == (
        "As of 2018-01-01, nobody is to be contacted: of 60 candidates none both may be contacted and is worth "
        "it within the budgets, sizes and capacities. The reasons stand below."
    )
    assert not actions.findings.starting("price_of_programme_budget")


def test_two_programmes_want_the_same_customer_and_one_gets_it(company):
    """A tenth of what is at stake is less than half of 40 for everybody: the best customers are thanked."""
    actions = planned(company, ELSEWHERE + RETAIN + DEVELOP)
    listed = pd.concat([one.rows for one in actions.lists])
    assert listed["customer_id"].is_unique
    best = actions.of("best").rows
    assert len(best) == 6  # a tenth of all customers
    assert (best["expected_gain"] == 20.0).all()
    other = actions.ledger[actions.ledger["reason"] == OTHER_PROGRAMME]
    assert set(other["customer_id"]) <= set(best["customer_id"])
    assert actions.findings["wanted_twice"]


def test_the_same_request_leaves_the_same_customers_alone(company):
    one = planned(company, ELSEWHERE + RETAIN).of("retain")
    again = planned(company, ELSEWHERE + RETAIN).of("retain")
    pd.testing.assert_frame_equal(one.rows, again.rows)
    other = set(one.rows.loc[one.rows["arm"] == "held_out", "customer_id"])
    assert other
    assert not other & set(one.treated["customer_id"])


def test_without_a_word_on_consents_nobody_is_contacted(company):
    actions = planned(company, RETAIN)
    assert actions.to_write == {}
    assert len(actions.ledger) == 60
    assert 'consents = "table"' in actions.findings["consents_undecided"].sentence
    assert "of 60 candidates none may be contacted." in actions.findings["nobody"].sentence
    assert actions.headline is None


def test_only_who_consented_is_on_the_list(company):
    consents = pd.DataFrame(
        {
            "customer_id": ["c059", "c058", "c058", "c057", "c056"],
            "channel": "mail",
            "purpose": "marketing",
            "granted": [True, True, False, True, True],
            "recorded_at": pd.to_datetime(["2017-01-01", "2017-01-01", "2017-06-01", "2017-01-01", "2018-02-01"]),
            "expires_at": pd.to_datetime([None, None, None, "2017-12-01", None]),
        }
    )
    actions = planned(company, '[contacts]\nconsents = "table"\n' + RETAIN, consents=consents)
    assert actions.of("retain").rows["customer_id"].tolist() == ["c059"]
    reasons = actions.ledger.set_index("customer_id")["reason"]
    assert len({reasons["c058"], reasons["c057"], reasons["c056"], reasons["c001"]}) >= 3
    assert len(actions.ledger) == 59


def test_what_stands_on_the_file_and_what_does_not(company):
    actions = planned(company, ELSEWHERE + RETAIN)
    written = actions.to_write["retain-2018-01-01"]
    lines = written.csv.decode().splitlines()
    held_out = written.rows.loc[written.rows["arm"] == "held_out", "customer_id"]
    assert len(lines) == 1 + written.treated
    assert not [name for name in held_out if f'"{name}"' in written.csv.decode()]
    draft = publish(
        "07_action_lists",
        settings=actions.facts.settings,
        run_folder="",
        findings=actions.findings,
        headline=actions.headline,
        measures=actions.measures,
        lists=actions.to_write,
        ledger=actions.ledger,
    )
    assert draft.draft


def test_a_company_without_programmes_is_told_how_to_name_one(company):
    with pytest.raises(NotEnoughData, match=r"programmes\.NAME"):
        planned(company, ELSEWHERE)


def test_a_list_too_small_to_be_measured_says_so(company):
    actions = planned(company, ELSEWHERE + RETAIN + "size = 8\n")
    one = actions.of("retain")
    assert len(one.rows) == 8
    assert not one.measurable.seen
    said = actions.findings["too_small_to_measure"].sentence
    assert said.startswith("Too small to show by itself what it is expected to achieve: retain. retain-2018-01-01 ")


def spread_of(customers, purchases=PURCHASES, days=91):
    """What is left of their margins of the last days, beside as many before; read plainly."""
    age = (pd.Timestamp(AS_OF) - purchases["ordered_at"]).dt.days
    margins = [
        (0.5 * purchases["net_amount"]).where((age > first) & (age <= first + days), 0.0) for first in (0, days)
    ]
    now, before = (
        one.groupby(purchases["customer_id"]).sum().reindex(customers).fillna(0).to_numpy() for one in margins
    )
    slope = np.cov(now, before)[0, 1] / np.var(before, ddof=1) if before.any() else 0.0
    return float(np.std(now - slope * before, ddof=1))


def test_a_list_is_measured_by_the_spread_of_its_own_customers(company):
    one = planned(company, ELSEWHERE + RETAIN + "size = 12\n").of("retain")
    own, everybody = spread_of(one.rows["customer_id"]), spread_of(CUSTOMERS)
    assert abs(own / everybody - 1) > 0.1
    assert one.measurable.smallest_effect == pytest.approx(smallest_effect(12, own, one.held_out / 12), rel=1e-4)


def test_who_brought_nothing_lately_is_measured_by_the_spread_of_the_active(company):
    """Twenty bought last 400 days ago: a list of them cannot promise to show any gain, however small."""
    gone = PURCHASES["customer_id"] < "c020"
    older = PURCHASES["ordered_at"] - pd.Timedelta(days=400)
    bought = PURCHASES.assign(ordered_at=PURCHASES["ordered_at"].where(~gone, older), net_amount=50.0)
    bought["net_amount"] += np.arange(len(bought)) % 37
    back = '[programmes.back]\nkind = "win_back"\nmakes_the_difference = 0.2\nmeasure_after_days = 91\n'
    one = planned(company, ELSEWHERE + back, scores={"lifetime_value": None}, purchases=bought).of("back")
    assert set(one.rows["customer_id"]) <= set(CUSTOMERS[:20])
    active = spread_of(CUSTOMERS[20:], bought)
    shown = smallest_effect(len(one.rows), active, one.measurable.share)
    assert one.measurable.smallest_effect == pytest.approx(shown, rel=1e-4)


def test_what_the_further_held_out_would_have_cost_is_spent_on_others(company):
    """Two of a hundred show nothing: more are held out, and the budget is still used up by the contacted."""
    few = RETAIN.replace("held_out_share = 0.2", "held_out_share = 0.02").replace("0.1", "0.25", 1)
    actions = planned(company, ELSEWHERE + "budget = 30\n" + few + "budget = 30\n")
    one = actions.of("retain")
    assert one.held_out_share > 0.05
    assert one.held_out == pytest.approx(one.held_out_share * len(one.rows), abs=1)
    assert one.cost == pytest.approx(30, abs=1)
    assert one.cost <= 30
    assert "held_out_more" in {finding.name for finding in actions.findings}


def test_where_nobody_would_be_contacted_nobody_is_held_out(company):
    """A list of one, whom the lot of this list would leave alone."""
    name = next(one for one in "abcdefgh" if hold_out(["c059"], f"{one}-{AS_OF}", 0.5).any())
    alone = RETAIN.replace("programmes.retain", f"programmes.{name}").replace("held_out_share = 0.2", "size = 1")
    actions = planned(company, ELSEWHERE + alone + 'held_out_share = 0.5\nowner = "Ann & Co"\n')
    one = actions.of(name)
    assert one.rows["arm"].tolist() == ["treated"]
    assert one.held_out_share == 0
    said = {finding.name: finding.sentence for finding in actions.findings}
    assert said["actions"].startswith("As of 2018-01-01, 1 customer is to be contacted by 1 list, until 2018-01-15. ")
    assert said[f"list_{name}"].startswith(
        f"{name}-2018-01-01: contact 1 customer (mail 1) until 2018-01-15; owner: Ann & Co; nobody is held out. "
    )
    assert "nobody is held out, so no list will tell" in said["assumption"]
    assert not [sentence for sentence in said.values() if "by lot" in sentence or "hold-out" in sentence]
    assert "too_small_to_measure" not in said
    actions.to_write[one.list_id].refuse_unfit()


def test_a_budget_that_the_held_out_alone_fit_into_is_an_empty_list(company):
    """A letter costs 1; with half held out there is room for one, whom the lot of this list leaves alone."""
    name = next(one for one in "abcdefgh" if hold_out(["c059"], f"{one}-{AS_OF}", 0.5).any())
    alone = RETAIN.replace("programmes.retain", f"programmes.{name}").replace("held_out_share = 0.2", "budget = 0.7")
    actions = planned(company, ELSEWHERE + alone + "held_out_share = 0.5\n")
    assert actions.of(name).rows.empty
    assert not actions.findings.starting("price_of")


def test_of_one_held_out_and_small_shares_it_is_said_well(company):
    """Half of a hundredth is not 0 %."""
    small = RETAIN.replace("makes_the_difference = 0.1", "makes_the_difference = 0.005")
    actions = planned(company, ELSEWHERE + small + "size = 5\n", scores={"defection": leaving(9000.0)})
    said = {finding.name: finding.sentence for finding in actions.findings}
    assert (
        "4 customers are to be contacted by 1 list, until 2018-01-15; 1 more is left alone by lot" in said["actions"]
    )
    assert "(mail 4) until 2018-01-15; 1 is held out. " in said["list_retain"]
    assert "what is at stake: 0.5 % for retain. The list still pays if" in said["assumption"]
    assert "the hold-out group will tell" in said["assumption"]


def test_what_was_measured_is_not_called_an_assumption(company):
    added = np.linspace(1.5, 9.0, 60)
    told = pd.DataFrame(
        {"customer_id": CUSTOMERS, "kind": "letter", "channel": "mail", "uplift": 0.1, "expected_margin_added": added}
    )
    persuade = '[programmes.ask]\nkind = "persuade"\n'
    actions = planned(company, ELSEWHERE + persuade, scores={"campaign_response": told})
    assert len(actions.of("ask").rows) == 60
    assert "assumption" not in {finding.name for finding in actions.findings}
    assert "as often as assumed" not in actions.findings["actions"].sentence
    both = planned(company, ELSEWHERE + persuade + RETAIN, scores={"campaign_response": told})
    assert "ask" not in both.findings["assumption"].sentence


def test_earlier_lists_are_asked_after_and_their_latency_is_told(company, tmp_path):
    """One list was written and never marked, one was sent: the run of January says both."""
    facts = planned(company, ELSEWHERE + RETAIN).facts
    folder = facts.settings.folders.data
    for as_of in (dt.date(2017, 11, 1), dt.date(2017, 12, 1)):
        known = plan_actions(facts, as_of, scores={"defection": leaving(), "lifetime_value": worth()})
        run = tmp_path / as_of.isoformat()
        run.mkdir()
        publish(
            "07_action_lists",
            settings=facts.settings.with_as_of(as_of),
            run_folder=run,
            findings=known.findings,
            lists=known.to_write,
            ledger=known.ledger,
        )
        keep_lists(folder, run / "lists", run_id="run", written_on=as_of + dt.timedelta(days=1))
    mark_sent(folder, "retain-2017-11-01", on=dt.date(2017, 11, 5), today=AS_OF, said_at="2017-11-05T10:00:00")
    again = plan_actions(facts, AS_OF, scores={"defection": leaving(), "lifetime_value": worth()})
    assert again.waiting["list_id"].tolist() == ["retain-2017-12-01"]
    assert "retain-2017-12-01" in again.findings["never_marked"].sentence
    assert "Of 2 earlier lists 1 was sent, 3.0 days after it was" in again.findings["decision_latency"].sentence
