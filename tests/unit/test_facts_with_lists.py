"""Lists that were sent are campaigns and contacts of the facts, whatever the source; nothing else of them is."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from lists_drawn import a_list, kept, write_lists

from crm.analyses.campaign_success.campaigns import read_campaigns
from crm.analyses.data_quality import examine_data
from crm.config import Settings, read_settings
from crm.engine import to_pandas
from crm.facts import PINNED, Facts, read_facts
from crm.snapshots import snapshot
from crm.written_lists import ListError, keep_lists, lists_folder, mark_sent

PURCHASES = """\
customer_id,order_id,ordered_at,net_amount
ann,1,2017-11-03,10
ben,2,2017-11-04,20
cyd,3,2018-01-20,30
dan,4,2018-02-10,40
"""
CAMPAIGNS = """\
campaign_id,starts_at,ends_at,name,channel
fall,2017-10-01,2017-10-31,Fall,mail
"""
CONTACTS = "campaign_id,customer_id,contacted_at\nfall,ann,2017-10-02\nfall,dan,\n"
BOTH = {"campaigns": CAMPAIGNS, "contacts": CONTACTS}
LIST = "retain-2018-01-01"


@pytest.fixture
def company(tmp_path: Path) -> Callable[..., Settings]:
    """A company with these tables in CSV files, or, as a database, in DuckDB."""
    (tmp_path / "notebooks").mkdir()

    def write(*, as_of: str = "2018-06-01", kind: str = "files", **tables: str) -> Settings:
        tables = {"purchases": PURCHASES, **tables}
        for name, text in tables.items():
            (tmp_path / f"{name}.csv").write_text(text)
        key = "path" if kind == "files" else "table"
        where = {name: f"{name}.csv" if kind == "files" else name for name in tables}
        blocks = "\n".join(f'[source.tables.{name}]\n{key} = "{place}"' for name, place in where.items())
        database = tmp_path / "company.duckdb"
        if kind == "database":
            database.unlink(missing_ok=True)
            with duckdb.connect(str(database)) as con:
                for name in tables:
                    con.execute(f"CREATE TABLE {name} AS SELECT * FROM read_csv('{tmp_path / name}.csv')")
        more = f'database = "{database}"' if kind == "database" else ""
        (tmp_path / "crm.toml").write_text(f'[source]\nkind = "{kind}"\n{more}\n{blocks}\n[clock]\nas_of = {as_of}\n')
        return read_settings(tmp_path / "crm.toml")

    return write


def table(facts: Facts, name: str, *columns: str) -> list[tuple[object, ...]]:
    """The rows of a table, in order; moments as dates, nothing as None."""
    frame = to_pandas(facts[name].select(*columns)).sort_values(list(columns[:2]))
    frame = frame.map(lambda cell: cell.date().isoformat() if isinstance(cell, dt.datetime) else cell)
    return [tuple(None if pd.isna(cell) else cell for cell in row) for row in frame.to_numpy(dtype=object)]


CAMPAIGN_COLUMNS = (
    "campaign_id", "name", "kind", "channel", "starts_at", "ends_at", "contact_cost", "held_out_share", "programme",
    "expected_gain",
)  # fmt: skip
OF_LIST = (LIST, "Retain, 2018-01-01", "retain", "mail", "2018-01-05", "2018-03-01", 1.5, 0.2, "retain", 30.0)
CONTACT_COLUMNS = ("campaign_id", "customer_id", "contacted_at", "arm", "day", "date_stands_in")
SENT = 17536  # the day number of 2018-01-05
CONTACTS_OF_LIST = [
    (LIST, "ann", "2018-01-05", "treated", SENT, False),
    (LIST, "ben", "2018-01-05", "held_out", SENT, True),  # they were left alone: the campaign's first day stands in
    (LIST, "cyd", "2018-01-05", "treated", SENT, False),
]


@pytest.mark.parametrize("kind", ["files", "database"])
def test_a_list_that_was_sent_is_a_campaign_with_its_contacts_where_the_source_has_no_such_tables(company, kind: str):
    settings = company(kind=kind)
    kept(settings.folders.data, a_list(), sent="2018-01-05")
    facts = read_facts(settings)
    assert table(facts, "campaigns", *CAMPAIGN_COLUMNS) == [OF_LIST]
    assert table(facts, "contacts", *CONTACT_COLUMNS) == CONTACTS_OF_LIST
    assert facts.remarks == (
        "Action lists that were sent are among the campaigns and contacts: retain-2018-01-01 (2 contacted, 1 held "
        "out).",
    )


@pytest.mark.parametrize("kind", ["files", "database"])
def test_it_stands_beside_the_campaigns_of_the_source_which_stay_as_they_were(company, kind: str):
    settings = company(kind=kind, **BOTH)
    before = read_facts(settings)
    kept(settings.folders.data, a_list(), sent="2018-01-05")
    facts = read_facts(settings)
    (fall,) = table(before, "campaigns", *CAMPAIGN_COLUMNS)
    assert table(facts, "campaigns", *CAMPAIGN_COLUMNS) == [fall, OF_LIST]
    assert table(facts, "contacts", *CONTACT_COLUMNS) == [
        *table(before, "contacts", *CONTACT_COLUMNS), *CONTACTS_OF_LIST
    ]  # fmt: skip
    assert facts.fingerprint != before.fingerprint


@pytest.mark.parametrize(
    ("kind", "source"), [("cdnow", ""), ("sample_company", "customers = 100\n")], ids=["cdnow", "sample_company"]
)
def test_also_of_the_sources_that_come_along(tmp_path: Path, kind: str, source: str):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "crm.toml").write_text(f'[source]\nkind = "{kind}"\n{source}[clock]\nas_of = 2018-06-01\n')
    settings = read_settings(tmp_path / "crm.toml")
    kept(settings.folders.data, a_list(), sent="2018-01-05")
    facts = read_facts(settings)
    assert OF_LIST in table(facts, "campaigns", *CAMPAIGN_COLUMNS)
    assert [row for row in table(facts, "contacts", *CONTACT_COLUMNS) if row[0] == LIST] == CONTACTS_OF_LIST


def test_rows_that_come_in_are_kept_or_set_aside_and_the_budget_is_that_of_the_source_alone(company):
    dirty = CONTACTS + "fall,,2017-10-02\n"
    more = {**BOTH, "contacts": dirty}
    settings = company(**more)
    many = "customer_id arm channel\n" + "\n".join(f"c{number} treated mail" for number in range(200))
    kept(settings.folders.data, a_list(many), sent="2018-01-05")
    facts = read_facts(settings, within_budget=False)
    counts = facts.tables.set_index("table")[["rows", "kept", "set_aside"]].astype(int)
    assert counts.loc["contacts"].tolist() == [203, 202, 1]
    assert counts.loc["campaigns"].tolist() == [2, 2, 0]
    with pytest.raises(Exception, match=r"contacts: 1 of 3 rows \(33.3%"):
        read_facts(settings)
    mended = company(**BOTH)
    told = examine_data(read_facts(mended), mended.as_of).tables.set_index("table")
    assert (told["from_purchases"] == 0).all()
    assert str(told.loc["contacts", "last"]) == "2018-01-05T00:00:00"


EXPORTED = {
    "campaigns": {"campaigns": CAMPAIGNS + f"{LIST},2018-01-06,2018-02-06,From the CRM,mail\n", "contacts": CONTACTS},
    "contacts": {"campaigns": CAMPAIGNS, "contacts": CONTACTS + f"{LIST},ann,2018-01-06\n"},
}


@pytest.mark.parametrize("where", list(EXPORTED))
def test_where_the_source_has_that_campaign_its_own_rows_stand_and_the_list_is_left_out_with_a_remark(company, where):
    settings = company(**EXPORTED[where])
    without = read_facts(settings)
    kept(settings.folders.data, a_list(), sent="2018-01-05")
    kept(settings.folders.data, a_list(as_of="2018-02-01"), sent="2018-02-05")
    facts = read_facts(settings)
    for name, columns in (("campaigns", CAMPAIGN_COLUMNS), ("contacts", CONTACT_COLUMNS)):
        own = [row for row in table(facts, name, *columns) if row[0] != "retain-2018-02-01"]
        assert own == table(without, name, *columns)
    assert facts.remarks[0] == (
        f"The action list {LIST} is not read as a campaign: the source has rows of that campaign_id in {where}, and "
        "these stand."
    )
    assert len(facts.remarks) == 2


@pytest.mark.parametrize(
    ("marking", "as_of"),
    [(None, "2018-06-01"), ("never", "2018-06-01"), ("2018-01-05", "2018-01-05"), ("2018-01-05", "2018-01-01")],
    ids=["not sent", "never to be sent", "sent on the as-of date", "sent after it"],
)
def test_of_what_was_not_sent_before_the_as_of_date_nothing_is_there(company, marking: str | None, as_of: str):
    settings = company(as_of=as_of, **BOTH)
    before = read_facts(settings)
    one = kept(settings.folders.data, a_list(), sent=marking if marking != "never" else None)
    if marking == "never":
        mark_sent(settings.folders.data, one.list_id, on=None, today=dt.date(2018, 6, 1), said_at="then")
    facts = read_facts(settings)
    assert (facts.fingerprint, facts.remarks) == (before.fingerprint, ())


def test_features_and_campaigns_of_an_earlier_date_are_as_if_it_had_never_been_sent(company):
    settings = company(**BOTH)
    before = read_facts(settings)
    kept(settings.folders.data, a_list(), sent="2018-01-05")
    facts = read_facts(settings)
    sent, next_day = dt.date(2018, 1, 5), dt.date(2018, 1, 6)
    pd.testing.assert_frame_equal(snapshot(facts, sent), snapshot(before, sent))
    assert [one.campaign.campaign_id for one in read_campaigns(facts, sent).chosen] == ["fall"]
    received = {
        (one["customer_id"], one["campaigns_received_365d"]) for one in snapshot(facts, next_day).to_dict("records")
    }
    assert received == {("ann", 2), ("ben", 0)}  # the held-out received nothing
    fall, ours = read_campaigns(facts, next_day).chosen
    assert fall.campaign.campaign_id == "fall"
    assert (ours.in_arm("treated"), ours.in_arm("held_out"), ours.randomised) == (2, 1, True)
    assert (ours.campaign.first_date, ours.campaign.last_date) == (sent, dt.date(2018, 3, 1))
    assert (ours.campaign.contact_cost, ours.campaign.cost_assumed) == (1.5, False)
    assert len(ours.faults) == 0


def test_another_day_or_another_list_makes_other_facts_and_what_was_not_sent_does_not(company):
    settings = company()
    data = settings.folders.data
    kept(data, a_list(), sent="2018-01-05")
    seen = [read_facts(settings).fingerprint]
    kept(data, a_list(as_of="2018-02-01"))
    assert read_facts(settings).fingerprint == seen[0]
    day = dt.date(2018, 1, 6)
    mark_sent(data, LIST, on=day, today=day, said_at="then", again=True)
    seen.append(read_facts(settings).fingerprint)
    day = dt.date(2018, 2, 5)
    mark_sent(data, "retain-2018-02-01", on=day, today=day, said_at="then")
    seen.append(read_facts(settings).fingerprint)
    assert len(set(seen)) == 3


def test_facts_that_a_run_has_pinned_stay_as_they_are(company, monkeypatch: pytest.MonkeyPatch):
    settings = company()
    pinned = read_facts(settings)
    for name, value in pinned.as_environment().items():
        monkeypatch.setenv(name, value)
    kept(settings.folders.data, a_list(), sent="2018-01-05")
    os.truncate(lists_folder(settings.folders.data) / LIST / "list.json", 5)  # not even looked at
    assert read_facts(settings).fingerprint == pinned.fingerprint
    assert not read_facts(settings).has("campaigns")
    monkeypatch.delenv(PINNED)
    with pytest.raises(ListError, match=rf"{LIST}\. Found: a record that cannot be read"):
        read_facts(settings)


def test_two_channels_are_none_and_the_cost_is_that_of_a_contact(company):
    settings = company()
    rows = "customer_id arm channel\nann treated mail\nben treated phone\ncyd treated phone"
    kept(settings.folders.data, a_list(rows, cost=10.0, programme="win_back", expected_gain=None), sent="2018-01-05")
    (row,) = table(read_facts(settings), "campaigns", "name", "channel", "contact_cost", "expected_gain")
    assert row == ("Win back, 2018-01-01", None, 3.3333, None)


def test_ids_come_back_as_they_were(company):
    settings = company()
    odd = pd.DataFrame({"customer_id": ["007", "a'b", "=1", "Zoë, K."], "arm": "held_out", "channel": "mail"})
    odd.loc[0, "arm"] = "treated"
    folder = write_lists(settings.folders.data.parent / "run", a_list(odd))
    keep_lists(settings.folders.data, folder, run_id="r", written_on=dt.date(2018, 1, 2))
    day = dt.date(2018, 1, 5)
    mark_sent(settings.folders.data, LIST, on=day, today=day, said_at="then")
    contacts = table(read_facts(settings), "contacts", "customer_id", "arm")
    assert contacts == [("007", "treated"), ("=1", "held_out"), ("Zoë, K.", "held_out"), ("a'b", "held_out")]
