"""Who has an event while a list is sent: dates in all their forms, leap days, and what is not there."""

import datetime as dt

import pandas as pd
import pytest

from crm.config import Programme, read_settings
from crm.facts import read_facts
from crm.scoring.events import events_of

AS_OF = dt.date(2018, 2, 20)  # 14 days of sending: the last is 5 March
BOUGHT = {"a": "2017-02-21", "b": "2018-02-19", "c": "2018-01-25", "d": "2016-03-05", "e": "2017-03-06"}


@pytest.fixture
def company(tmp_path):
    """Facts of customers who bought once each, with further tables."""

    def build(bought=BOUGHT, **tables):
        (tmp_path / "notebooks").mkdir()
        rows = [(customer, f"o{customer}", pd.Timestamp(day), 10.0) for customer, day in bought.items()]
        purchases = pd.DataFrame(rows, columns=["customer_id", "order_id", "ordered_at", "net_amount"])
        for name, table in {"purchases": purchases, **tables}.items():
            table.to_parquet(tmp_path / f"{name}.parquet", index=False)
        sections = "".join(f'[source.tables.{name}]\npath = "{name}.parquet"\n' for name in ("purchases", *tables))
        (tmp_path / "crm.toml").write_text(
            f'[source]\nkind = "files"\n{sections}[clock]\nas_of = {AS_OF}\n[quality]\nmost_rows_set_aside = 0.9\n'
        )
        return read_facts(read_settings(tmp_path / "crm.toml"))

    return build


def asked(event, **more):
    return Programme(kind="event", event=event, **more)


def dates(events):
    """Customer by customer, the date of the event."""
    assert list(events.customers.columns) == ["customer_id", "date", "reason"]
    return {row.customer_id: str(row.date.date()) for row in events.customers.itertuples()}


def people(values, joined=None):
    ids = list("abcdefghijklmnop")[: len(values)]
    joined = [pd.NaT] * len(values) if joined is None else pd.to_datetime(joined, format="ISO8601")
    return pd.DataFrame({"customer_id": ids, "joined_at": joined, "birthday": values})


def test_birthdays_written_as_text(company):
    values = ["1980-02-20", "03-05", "--02-28", "1992-02-29", "1999-03-06", "2000-02-19", "1981-02-29", "21.02.1980",
              "1900-02-21", None, " 1975-02-21T00:00:00 ", "1980-13-01", "02-30", "02-29", ""]  # fmt: skip
    events = events_of(company(customers=people(values)), AS_OF, asked("birthday"))
    assert dates(events) == {
        "a": "2018-02-20", "b": "2018-03-05", "c": "2018-02-28", "d": "2018-02-28", "k": "2018-02-21",
        "n": "2018-02-28",
    }  # fmt: skip
    assert events.customers["reason"].tolist()[:2] == ["birthday on 20 February", "birthday on 5 March"]
    assert events.said == (
        "2 of 15 registered customers have no birthday.",
        "5 cannot be read as a date or are placeholders, such as those of g, h, i; written YYYY-MM-DD or MM-DD "
        "they would be.",
    )
    assert not events.why_not


@pytest.mark.parametrize(
    "values",
    [
        pd.to_datetime(["1980-02-20", "1992-02-29", None, "1990-06-01"]),
        pd.Series([dt.date(1980, 2, 20), dt.date(1992, 2, 29), None, dt.date(1990, 6, 1)], dtype=object),
        pd.to_datetime(["1980-02-20", "1992-02-29", None, "1990-06-01"]).tz_localize("UTC"),
    ],
    ids=["timestamp", "date", "moment_with_zone"],
)
def test_birthdays_of_other_types(company, values):
    events = events_of(company(customers=people(values)), AS_OF, asked("birthday"))
    assert dates(events) == {"a": "2018-02-20", "b": "2018-02-28"}


@pytest.mark.parametrize(("year", "date"), [(2019, "2019-02-28"), (2020, "2020-02-29")])
def test_a_29_february_in_other_years(company, year, date):
    facts = company(bought={"a": "2017-01-01"}, customers=people(["1992-02-29"]))
    assert dates(events_of(facts, dt.date(year, 2, 20), asked("birthday"))) == {"a": date}


def test_the_turn_of_the_year(company):
    facts = company(bought={"a": "2017-01-01"}, customers=people(["12-31", "01-01", "01-06", "12-22"]))
    events = events_of(facts, dt.date(2017, 12, 23), asked("birthday"))
    assert dates(events) == {"a": "2017-12-31", "b": "2018-01-01"}


def test_who_joins_later_is_not_known_yet(company):
    customers = people(["02-21", "02-21", "02-21"], joined=["2017-01-01", "2018-02-20", None])
    assert set(dates(events_of(company(customers=customers), AS_OF, asked("birthday")))) == {"a", "c"}


def test_anniversaries_of_joining_and_of_the_first_purchase(company):
    joined = ["2015-02-20 13:00", "2017-06-01", None, "2018-02-19", "2016-02-29", "2018-02-28"]
    events = events_of(company(customers=people([None] * 6, joined)), AS_OF, asked("joined"))
    assert dates(events) == {"a": "2018-02-20", "e": "2018-02-28"}
    assert events.customers["reason"].tolist() == [
        "3 years a customer on 20 February", "2 years a customer on 28 February",
    ]  # fmt: skip
    assert events.said == ("For 1 of 5 the first purchase stands in: when they joined is not known.",)


def test_anniversaries_without_a_table_of_customers(company):
    events = events_of(company(), AS_OF, asked("joined"))
    assert dates(events) == {"a": "2018-02-21", "d": "2018-03-05"}
    assert events.customers["reason"].tolist() == [
        "1 year since the first purchase on 21 February", "2 years since the first purchase on 5 March",
    ]  # fmt: skip
    assert events.said == ("There is no table customers: the first purchase stands in for joining, for 5.",)


def test_the_end_of_a_contract(company):
    rows = [("a", "2017-01-01", "2018-02-20"), ("b", "2017-01-01", "2018-03-05"), ("c", "2017-01-01", "2018-03-06"),
            ("d", "2018-02-20", "2018-03-01"), ("e", "2017-01-01", None), ("f", "2017-01-01", "2018-02-19"),
            ("a", "2017-01-01", "2018-02-25")]  # fmt: skip
    contracts = pd.DataFrame(rows, columns=["customer_id", "started_at", "ended_at"])
    contracts = contracts.assign(started_at=pd.to_datetime(contracts["started_at"]))
    contracts = contracts.assign(ended_at=pd.to_datetime(contracts["ended_at"]))
    events = events_of(company(subscriptions=contracts), AS_OF, asked("end_of_contract"))
    assert dates(events) == {"a": "2018-02-20", "b": "2018-03-05"}
    assert events.customers["reason"][0] == "the contract ends on 20 February"
    assert "written in the table subscriptions now" in events.said[0]


def test_days_after_the_first_purchase(company):
    facts = company()
    assert dates(events_of(facts, AS_OF, asked("first_purchase", days=1))) == {"b": "2018-02-20"}
    events = events_of(facts, AS_OF, asked("first_purchase", days=30))
    assert dates(events) == {"c": "2018-02-24"}
    assert events.customers["reason"].tolist() == ["30 days after the first purchase on 24 February"]


def test_a_day_that_everybody_has(company):
    facts = company()
    events = events_of(facts, AS_OF, asked("day", date="03-05"))
    assert dates(events) == {"b": "2018-03-05", "c": "2018-03-05"}
    assert events.said == ("Everybody active counts: who bought in the 56 days before 2018-02-20.",)
    assert set(dates(events_of(facts, AS_OF, asked("day", date="02-29"))).values()) == {"2018-02-28"}
    late = events_of(facts, AS_OF, asked("day", date="03-06"))
    assert late.why_not == "The next 03-06 is on 2018-03-06, and this list is sent from 2018-02-20 to 2018-03-05."
    with pytest.raises(ValueError, match="date must be month and day, such as '12-24'"):
        asked("day", date="02-30")


@pytest.mark.parametrize(
    ("programme", "tables", "why_not"),
    [
        (asked("birthday"), {}, "There is no table customers, so no birthday is known."),
        (asked("birthday", attribute="birthdy"), {"customers": people(["02-21"])},
         "The table customers has no column birthdy: the nearest is birthday."),
        (asked("birthday", attribute="xyz"), {"customers": people(["02-21"])}, "it has customer_id, joined_at"),
        (asked("end_of_contract"), {}, "There is no table subscriptions"),
        (asked("first_purchase"), {}, "days is 0"),
    ],
    ids=["no_customers", "nearest_column", "no_column", "no_contracts", "no_days"],
)  # fmt: skip
def test_what_is_not_there_is_said(company, programme, tables, why_not):
    events = events_of(company(**tables), AS_OF, programme)
    assert why_not in events.why_not
    assert events.customers.empty
    assert list(events.customers.columns) == ["customer_id", "date", "reason"]
