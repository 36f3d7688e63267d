"""What a contact brings of what is at stake: an assumption, until lists that were sent have shown another."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from lists_drawn import a_list, kept

from crm import read_facts
from crm.scoring import plan_actions
from crm.scoring.learned import share_brought

AS_OF = dt.date(2018, 1, 1)
SENT = "2017-10-02"
HEAD = (
    '[money]\ngross_margin = 0.5\ncontact_cost = {mail = 0.5}\n[contacts]\nconsents = "elsewhere"\n'
    '[programmes.keep]\nkind = "retain"\nmakes_the_difference = 0.1\nheld_out_share = 0.2\nmeasure_after_days = 56\n'
)
AT_STAKE = 10.0


@pytest.fixture
def after_a_list(company, tmp_path):
    """Facts of 2018-01-01 after a list to 600 customers, half of them left alone, 10 at stake with each; a contact
    brought `more` net sales, of which half is margin. `sent` None: nobody said that it was."""

    def build(more, *, sent=SENT, programme="keep", count=600, seed=0):
        rng = np.random.default_rng(seed)
        ids = [f"c{number:04d}" for number in range(count)]
        treated = rng.permutation(np.arange(count) % 2 == 0)
        before = pd.DataFrame(
            {"customer_id": ids, "order_id": [f"{one}-0" for one in ids], "ordered_at": pd.Timestamp("2017-08-20"),
             "net_amount": rng.gamma(4.0, 5.0, count)}
        )  # fmt: skip
        during = before.assign(
            order_id=[f"{one}-1" for one in ids],
            ordered_at=pd.Timestamp("2017-10-20"),
            net_amount=before["net_amount"] + rng.gamma(4.0, 2.0, count) + more * treated,
        )
        lately = during.tail(1).assign(order_id="the last", ordered_at=pd.Timestamp("2017-12-31"), net_amount=1.0)
        facts = company({"purchases": pd.concat([before, during, lately])}, AS_OF.isoformat(), HEAD)
        rows = pd.DataFrame(
            {"customer_id": ids, "arm": np.where(treated, "treated", "held_out"), "channel": "mail",
             "at_stake": AT_STAKE}
        )  # fmt: skip
        kept(facts.settings.folders.data, a_list(rows, as_of="2017-10-01", programme=programme, held_out_share=0.5),
             sent=sent, written="2017-10-01")  # fmt: skip
        read = read_facts(facts.settings)  # with the list
        return read, share_brought(read, AS_OF, "keep", read.settings.programmes["keep"])

    return build


def test_one_list_and_the_assumption_are_weighed_by_how_sure_they_are(after_a_list):
    """4 of margin where 10 were at stake: a share of 0.4, beside an assumed 0.1 give or take 0.1."""
    _, told = after_a_list(8.0)
    error = (told.high - told.low) / (2 * 1.959964)
    assert told.lists == 1
    assert told.assumed == 0.1
    assert told.low < 0.4 < told.high
    assert error < 0.06
    assert told.share == pytest.approx(
        (told.measured / error**2 + 0.1 / 0.1**2) / (1 / error**2 + 1 / 0.1**2), rel=1e-9
    )
    assert 0.1 < told.share < told.measured


def test_a_small_list_moves_the_assumption_less_than_a_large_one(after_a_list):
    shares = [after_a_list(8.0, count=count)[1].share for count in (60, 600)]
    assert 0.1 < shares[0] < shares[1]


@pytest.mark.parametrize(
    "told", [{"sent": None}, {"sent": "2017-12-20"}, {"programme": "other"}], ids=["not sent", "running", "another's"]
)
def test_what_is_not_measured_yet_leaves_the_assumption(after_a_list, told):
    _, found = after_a_list(8.0, **told)
    assert (found.share, found.lists) == (0.1, 0)
    assert np.isnan(found.measured)


def test_contacts_that_brought_less_than_nothing_are_not_made_again(after_a_list):
    facts, told = after_a_list(-12.0)
    assert told.high < 0
    assert told.share == 0.0
    actions = plan_actions(facts, AS_OF, scores={"defection": _leaving(facts)})
    assert len(actions.of("keep").rows) == 0
    assert set(actions.ledger["reason"]) == {"not worth its cost"}


def test_lists_are_planned_and_said_by_what_was_measured(after_a_list):
    facts, told = after_a_list(8.0)
    actions = plan_actions(facts, AS_OF, scores={"defection": _leaving(facts)})
    one = actions.of("keep")
    assert one.brings == told
    treated = one.treated
    np.testing.assert_allclose(treated["expected_gain"], treated["at_stake"] * told.share, atol=1e-5)
    sentence = actions.findings["assumption"].sentence
    assert f"{told.share:.1%} for keep (assumed 10%; 1 list brought {told.measured:.1%}" in sentence
    assert "reckoned, by what earlier lists showed," in sentence


def _leaving(facts):
    ids = [f"c{number:04d}" for number in range(600)]
    return pd.DataFrame(
        {"customer_id": ids, "probability": 0.5, "rank": range(1, 601), "reasons": "silent", "value_at_risk": 20.0}
    )
