"""CDNOW as published: 23,570 customers, 69,659 transactions (the full data set of Fader & Hardie)."""

from crm.engine import to_pandas
from crm.snapshots import snapshot


def test_every_transaction_is_there(cdnow):
    purchases = cdnow.tables.set_index("table").loc["purchases"]
    assert purchases["rows"] == purchases["kept"] == 69_659
    buyers = to_pandas(cdnow["purchases"].select("customer_id").unique())
    assert len(buyers) == 23_570


def test_everybody_joined_in_the_first_quarter_of_1997(cdnow, on, day):
    customers = snapshot(cdnow, on("1998-01-01"))
    assert len(customers) == 23_570
    assert customers["first_day"].min() == day("1997-01-01")
    assert customers["first_day"].max() == day("1997-03-25"), "the cohort's last day of joining"
