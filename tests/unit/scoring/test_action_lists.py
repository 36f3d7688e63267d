"""Whom do we contact? Small companies whose best lists can be told by hand, and what must hold of every list."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from crm.errors import NotEnoughData
from crm.publishing import publish
from crm.scoring import plan_actions
from crm.scoring.action_lists import NO_ROOM, NOT_WORTH_IT, OTHER_PROGRAMME
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


def planned(company, sections, *, scores=None, **tables):
    facts = company({"purchases": PURCHASES, **tables}, AS_OF.isoformat(), MONEY + sections)
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
    assert actions.findings["nobody"].sentence.startswith("As of 2018-01-01, nobody is to be contacted")


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
    assert "retain" in actions.findings["too_small_to_measure"].sentence


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
    assert "Of 2 earlier lists 1 were sent, 3.0 days" in again.findings["decision_latency"].sentence
