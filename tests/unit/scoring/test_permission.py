"""May we contact them? Everybody who may not is told the gravest reason; nobody slips through."""

import csv
import datetime as dt

import pandas as pd
import pyarrow as pa
import pytest

from crm.config import read_settings
from crm.errors import ContractError, SettingsError, SourceError
from crm.facts import read_facts
from crm.scoring.permission import COLUMNS, ELSEWHERE, NO_TABLE, UNDECIDED, consents_now, may_contact, remarks_of
from crm.written_lists import ListToWrite, keep_lists, mark_sent, write_list

AS_OF = dt.date(2018, 1, 1)
BUYERS = [f"{name},o{place},2017-0{1 + place % 9}-11,10" for place, name in enumerate("abcdefghij")]
PURCHASES = ["customer_id,order_id,ordered_at,net_amount", *BUYERS]
DECISIONS = "customer_id,channel,purpose,granted,recorded_at,expires_at"
ALL_GRANTED = [DECISIONS, *(f"{name},mail,marketing,true,2017-01-01 09:00," for name in "abcdefghij")]


def write_company(home, permission='consents = "table"', **tables):
    """Facts of tables given as lines of CSV, with further lines of [contacts]."""
    (home / "notebooks").mkdir(exist_ok=True)
    sections = ""
    for name, lines in {"purchases": PURCHASES, **tables}.items():
        (home / f"{name}.csv").write_text("\n".join(lines) + "\n")
        sections += f'[source.tables.{name}]\npath = "{name}.csv"\n'
    (home / "crm.toml").write_text(
        f'[source]\nkind = "files"\n{sections}[clock]\nas_of = {AS_OF}\n[contacts]\n{permission}\n'
        "[quality]\nmost_rows_set_aside = 0.5\n"
    )
    return read_facts(read_settings(home / "crm.toml"))


@pytest.fixture
def company(tmp_path):
    """See `write_company`."""
    return lambda *said, **tables: write_company(tmp_path, *said, **tables)


def reasons(facts, customers, channel="mail", **more):
    ledger = may_contact(facts, AS_OF, customers, [channel], **more)
    assert list(ledger["customer_id"]) == list(customers)
    return list(ledger["reason"])


REFUSED = "refused mail for marketing"
NEVER = "never allowed mail for marketing before 2018-01-01"
LAPSED = "the consent to mail for marketing does not hold through 2018-01-15"

DECIDED = {
    "granted": (["true,2017-05-01,"], ""),
    "refused": (["false,2017-05-01,"], REFUSED),
    "never_decided": ([], NEVER),
    "withdrawn": (["true,2017-05-01,", "false,2017-06-01,"], REFUSED),
    "the_order_of_rows_does_not_matter": (["false,2017-06-01,", "true,2017-05-01,"], REFUSED),
    "granted_again": (["false,2017-05-01,", "true,2017-06-01,"], ""),
    "same_moment": (["true,2017-05-01 10:00,", "false,2017-05-01 10:00,"], REFUSED),
    "same_moment_other_order": (["false,2017-05-01 10:00,", "true,2017-05-01 10:00,"], REFUSED),
    "granted_on_the_day": (["true,2018-01-01,"], NEVER),
    "granted_later": (["true,2018-02-01,"], NEVER),
    "granted_the_day_before": (["true,2017-12-31 23:59:59,"], ""),
    "withdrawn_later_is_not_known": (["true,2017-05-01,", "false,2018-01-01,"], ""),
    "lapses_on_the_last_day": (["true,2017-05-01,2018-01-15"], LAPSED),
    "lapses_within_the_last_day": (["true,2017-05-01,2018-01-15 18:00"], LAPSED),
    "holds_to_the_end": (["true,2017-05-01,2018-01-16"], ""),
    "same_moment_the_shorter_one_counts": (["true,2017-05-01,", "true,2017-05-01,2017-06-01"], LAPSED),
    "lapsed_and_renewed": (["true,2017-05-01,2017-06-01", "true,2017-08-01,"], ""),
}


@pytest.fixture(scope="module")
def decided(tmp_path_factory):
    """The reason of each case of `DECIDED`: a customer each, in one company."""
    lines = [f"{case},mail,marketing,{one}" for case, (decisions, _) in DECIDED.items() for one in decisions]
    facts = write_company(tmp_path_factory.mktemp("decided"), consents=[DECISIONS, *lines])
    return dict(zip(DECIDED, reasons(facts, DECIDED, until=dt.date(2018, 1, 15)), strict=True))


@pytest.mark.parametrize("case", DECIDED)
def test_the_newest_decision_known_before_the_date_counts(decided, case):
    assert decided[case] == DECIDED[case][1]


def test_a_consent_is_for_a_channel_and_a_purpose(company):
    lines = [DECISIONS, "a,Email,Marketing,true,2017-01-01,", "a,email,market research,false,2017-06-01,",
             "b,email,market research,true,2017-01-01,"]  # fmt: skip
    facts = company(consents=lines)
    ledger = may_contact(facts, AS_OF, ["a", "b"], ["email", "phone"])
    assert ledger["allowed"].tolist() == [True, False, False, False]
    assert ledger["reason"].tolist()[1:] == [
        f"never allowed {what} for marketing before 2018-01-01" for what in ("phone", "email", "phone")
    ]


def test_the_ledger_has_everybody_once_a_channel(company):
    facts = company(consents=ALL_GRANTED)
    ledger = may_contact(facts, AS_OF, ["b", "a", "b", "nobody"], ["mail", "phone", "mail"])
    assert list(ledger.columns) == list(COLUMNS)
    assert list(zip(ledger["customer_id"], ledger["channel"], strict=True)) == [
        (customer, channel) for customer in ("b", "a", "nobody") for channel in ("mail", "phone")
    ]
    assert ledger["allowed"].tolist() == [True, False, True, False, False, False]
    assert may_contact(facts, AS_OF, [], ["mail"]).empty


@pytest.mark.parametrize(
    ("said", "tables", "allowed", "reason"),
    [
        ('consents = "elsewhere"', {}, True, ELSEWHERE),
        ('consents = "elsewhere"', {"consents": [DECISIONS, "a,mail,marketing,false,2017-01-01,"]}, True, ELSEWHERE),
        ("", {"consents": ALL_GRANTED}, False, UNDECIDED),
        ('consents = "table"', {}, False, NO_TABLE),
    ],
    ids=["elsewhere", "elsewhere_though_a_table_is_there", "undecided", "no_table"],
)
def test_where_consent_is_kept(company, said, tables, allowed, reason):
    facts = company(said, **tables)
    ledger = may_contact(facts, AS_OF, ["a", "b"], ["mail"])
    assert ledger["allowed"].tolist() == [allowed] * 2
    assert ledger["reason"].tolist() == [reason] * 2
    assert any(("check before sending" if allowed else reason) in remark for remark in remarks_of(facts, AS_OF))


def test_a_decision_that_cannot_be_read_may_be_a_withdrawal(company):
    facts = company(
        consents=[*ALL_GRANTED, "a,mail,marketing,false,some day in May,", ",mail,marketing,true,2017-01-01,"]
    )
    assert reasons(facts, ["a", "b"]) == ["a decision of theirs about consent could not be read", ""]
    assert reasons(facts, ["a", "b"], consents=consents_now(facts.settings)) == reasons(facts, ["a", "b"])
    assert remarks_of(facts, AS_OF) == (
        "1 decision about consent could not be read. Each may be a withdrawal, so nobody of whom there is one is "
        "contacted (1 customer): look at data/rejected.",
    )


@pytest.mark.parametrize("columns", ['customer_id = "Who"', "customer_id = 1"], ids=["by_name", "by_position"])
def test_whose_decision_cannot_be_read_is_told_by_the_mapping(company, tmp_path, columns):
    company(consents=[*ALL_GRANTED, "a,mail,marketing,false,in May,"])
    decisions, file = tmp_path / "consents.csv", tmp_path / "crm.toml"
    decisions.write_text(decisions.read_text().replace("customer_id", "Who"))
    file.write_text(file.read_text().replace('"consents.csv"\n', f'"consents.csv"\ncolumns = {{{columns}}}\n'))
    facts = read_facts(read_settings(file))
    assert reasons(facts, ["a", "b"]) == ["a decision of theirs about consent could not be read", ""]


CASES = "case_id,customer_id,opened_at,closed_at"
CONTACTS = "campaign_id,customer_id,contacted_at,arm"


TROUBLES = {
    "case_lately": ("service_cases", ["2017-12-18,2017-12-19"], "a service case in the last 14 days"),
    "case_long_ago": ("service_cases", ["2017-12-17,2017-12-19"], ""),
    "case_open": ("service_cases", ["2017-05-01,"], "a service case is open"),
    "case_not_yet_closed": ("service_cases", ["2017-05-01,2018-01-01"], "a service case is open"),
    "case_of_the_day_is_not_known": ("service_cases", ["2018-01-01,"], ""),
    "contacted_twice": ("contacts", ["2017-12-02,treated", "2017-12-31,"], "2 contacts or more in the last 30 days"),
    "one_contact_too_long_ago": ("contacts", ["2017-12-01,treated", "2017-12-31,"], ""),
    "held_out_counts_alike": ("contacts", ["2017-12-02,held_out", "2017-12-31,"],
                              "2 contacts or more in the last 30 days"),
    "held_out_once": ("contacts", ["2017-12-02,held_out"], ""),
    "contact_of_the_day_is_not_known": ("contacts", ["2017-12-02,treated", "2018-01-01,"], ""),
}  # fmt: skip


@pytest.fixture(scope="module")
def troubled(tmp_path_factory):
    """The reason of each case of `TROUBLES`: a customer each, in one company, all of whom consented."""
    tables = {"service_cases": [CASES], "contacts": [CONTACTS]}
    for case, (table, lines, _) in TROUBLES.items():
        tables[table] += [f"{case}-{place},{case},{line}" for place, line in enumerate(lines)]
    tables["consents"] = [DECISIONS, *(f"{case},mail,marketing,true,2017-01-01," for case in TROUBLES)]
    facts = write_company(tmp_path_factory.mktemp("troubled"), **tables)
    return dict(zip(TROUBLES, reasons(facts, TROUBLES), strict=True))


@pytest.mark.parametrize("case", TROUBLES)
def test_quiet_after_a_case_and_contact_limits(troubled, case):
    assert troubled[case] == TROUBLES[case][2]


def test_cases_that_are_never_closed_count_for_their_days_alone(company):
    facts = company(consents=ALL_GRANTED, service_cases=[CASES, "c1,a,2016-05-01,", "c2,b,2017-12-25,"])
    assert reasons(facts, ["a", "b"]) == ["", "a service case in the last 14 days"]
    assert "No service case has a closing date" in remarks_of(facts, AS_OF)[0]


LISTS = """
list_id             as_of       sent_on     treated  held_out
best-2017-09-01     2017-09-01  2017-09-05  a        b
best-2017-12-01     2017-12-01  2017-12-05  c        d
letter-2017-12-20   2017-12-20  -           e        f
letter-2017-11-01   2017-11-01  -           g        h
letter-2017-12-22   2017-12-22  never       i        j
letter-2018-01-01   2018-01-01  -           a        b
late-2017-12-25     2017-12-25  2018-01-02  k        l
"""  # each to be sent within 14 days and measured 56 days after


@pytest.mark.parametrize("most", [1, 2])
def test_who_is_on_an_earlier_list_waits_until_it_is_measured(tmp_path, draw, most):
    """The held-out are left alone by everybody; the treated, and who is on a list not sent yet, were contacted."""
    everybody = "abcdefghijkl"
    consents = [DECISIONS, *(f"{name},mail,marketing,true,2017-01-01," for name in everybody)]
    facts = write_company(tmp_path, f'consents = "table"\nmost_contacts = {most}', consents=consents)
    for row in draw(LISTS).itertuples():
        keep_list(facts.settings.folders.data, tmp_path / "run", row)
    refused = {name: why for name, why in zip(everybody, reasons(facts, everybody), strict=True) if why}
    alone = {
        "d": "left alone on purpose until 2018-01-30, so that best-2017-12-01 can be measured",
        "f": "left alone on purpose until 2018-02-28, so that letter-2017-12-20 can be measured",
        "l": "left alone on purpose until 2018-03-05, so that late-2017-12-25 can be measured",
    }
    counted = {
        "c": "on best-2017-12-01, which is measured on 2018-01-30",
        "e": "on letter-2017-12-20, which may still be sent",
        "k": "on late-2017-12-25, which may still be sent",
    }
    assert refused == (alone | counted if most == 1 else alone)


def keep_list(data, run, row):
    """Keep a list as a run does, and say what became of it."""
    as_of = dt.date.fromisoformat(row.as_of)
    rows = pd.DataFrame(
        {"customer_id": [row.treated, row.held_out], "arm": ["treated", "held_out"], "channel": "mail"}
    )
    send_by = as_of + dt.timedelta(days=14)
    one = ListToWrite(
        list_id=row.list_id, programme=row.list_id.split("-")[0], kind="develop", owner="", channels=["mail"],
        as_of=as_of, send_by=send_by, measure_on=send_by + dt.timedelta(days=56), held_out_share=0.5,
        expected_gain=None, expected_low=None, expected_high=None, cost=1.0, settings={}, rows=rows,
        csv=f"customer_id\r\n{row.treated}\r\n".encode(),
    )  # fmt: skip
    folder = run / row.list_id
    folder.mkdir(parents=True)
    write_list(folder, one, pa.Table.from_pandas(rows, preserve_index=False), record=one.as_record())
    keep_lists(data, folder, run_id="run", written_on=as_of)
    if pd.notna(row.sent_on):
        on = None if row.sent_on == "never" else dt.date.fromisoformat(row.sent_on)
        mark_sent(data, row.list_id, on=on, today=dt.date(2018, 3, 1), said_at="2018-03-01T10:00:00")


EVERY_WAY = {
    "of_every_channel": (["mail,marketing,true,2017-05-01,", "all,marketing,false,2017-06-01,"], REFUSED),
    "in_capitals": (["mail,marketing,true,2017-05-01,", "ANY,marketing,false,2017-06-01,"], REFUSED),
    "for_every_purpose": (["mail,marketing,true,2017-05-01,", "mail,*,false,2017-06-01,"], REFUSED),
    "of_everything": (["mail,marketing,true,2017-05-01,", "*,any,false,2017-06-01,"], REFUSED),
    "at_the_same_moment": (["mail,marketing,true,2017-06-01,", "all,all,false,2017-06-01,"], REFUSED),
    "allowed_since": (["all,all,false,2017-05-01,", "mail,marketing,true,2017-06-01,"], ""),
    "for_another_purpose": (["mail,marketing,true,2017-05-01,", "all,research,false,2017-06-01,"], ""),
    "a_permission_of_everything_is_none": (["all,all,true,2017-05-01,"], NEVER),
    "a_later_permission_of_everything_is_none": (
        ["mail,marketing,false,2017-05-01,", "all,marketing,true,2017-06-01,"], REFUSED),
    "of_nothing": (["mail,marketing,true,2017-05-01,", ",marketing,false,2017-06-01,"],
                   "a decision of theirs about consent could not be read"),
}  # fmt: skip


def test_a_refusal_of_everything_is_one_of_each_channel(company):
    lines = [f"{case},{one}" for case, (decisions, _) in EVERY_WAY.items() for one in decisions]
    facts = company(consents=[DECISIONS, *lines])
    expected = {case: reason for case, (_, reason) in EVERY_WAY.items()}
    assert dict(zip(EVERY_WAY, reasons(facts, EVERY_WAY), strict=True)) == expected


def test_channels_are_spelled_in_several_ways(company):
    """E-mail is email; a refusal of a channel that crm.toml calls otherwise is told."""
    lines = ["a,E-Mail,marketing,true,2017-01-01,", "b,email,marketing,true,2017-01-01,",
             "b,e-mail,marketing,false,2017-02-01,", "c,letter,marketing,false,2017-02-01,",
             "d,letter,marketing,false,2017-02-01,", "d,fax,marketing,false,2017-02-01,",
             "e,pigeon,marketing,true,2017-02-01,", "e,all,marketing,false,2017-02-01,"]  # fmt: skip
    facts = company(consents=[DECISIONS, *lines])
    assert reasons(facts, ["a", "b"], "email") == ["", "refused email for marketing"]
    assert reasons(facts, ["a"], "E-mail") == [""]
    assert remarks_of(facts, AS_OF) == (
        "3 refusals are of channels that crm.toml does not know (letter 2, fax 1), and so of none of the programmes: "
        "see that channels are called there as in the table consents.",
    )


def test_no_contact_at_all(company):
    facts = company('consents = "table"\nmost_contacts = 0', consents=ALL_GRANTED)
    assert reasons(facts, ["a"]) == ["no contact is allowed: most_contacts = 0 under [contacts]"]


PEOPLE = ["customer_id,status,deceased_at", "a,Deceased ,", "b,active,2017-03-01", "c,active,", "d,barred,"]


def test_blocked_and_deceased(company):
    blocked = 'consents = "table"\nblocked_where = {status = ["deceased", "barred", "frozen"]}'
    facts = company(blocked, customers=PEOPLE, consents=ALL_GRANTED)
    assert reasons(facts, ["a", "b", "c", "d"]) == [
        "blocked: status is deceased", "deceased, says deceased_at of the table customers", "",
        "blocked: status is barred",
    ]  # fmt: skip
    assert remarks_of(facts, AS_OF) == (
        "No customer has frozen as status, so these block nobody: is the spelling right?",
    )


@pytest.mark.parametrize("tables", [{"customers": PEOPLE}, {}], ids=["nearest", "no_table"])
def test_a_blocking_column_that_is_not_there(company, tables):
    facts = company('consents = "table"\nblocked_where = {statuss = ["x"]}', consents=ALL_GRANTED, **tables)
    with pytest.raises(SettingsError, match="the nearest is status" if tables else "the table has no row"):
        reasons(facts, ["a"])


def suppressing(company, tmp_path, content, encoding="utf-8"):
    (tmp_path / "never.csv").write_text(content, encoding=encoding)
    return company('consents = "table"\nsuppressed = "never.csv"', consents=ALL_GRANTED)


@pytest.mark.parametrize("separator", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_the_suppressed(company, tmp_path, separator):
    lines = [("Reason", "customer_id"), ("asked us to", " a "), ("", "b"), ("", "xx"), ("", "")]
    content = "\n".join(separator.join(line) for line in lines)
    facts = suppressing(company, tmp_path, content, "utf-8-sig")
    assert reasons(facts, ["a", "b", "c"]) == ["on the suppression list: asked us to", "on the suppression list", ""]
    assert remarks_of(facts, AS_OF) == (
        "1 of 3 suppressed ids are no customers: see that they are written as in the data.",
    )


def test_suppressed_ids_may_be_nasty(company, tmp_path):
    nasty = ["=a", 'b"b', "c,d", "ü\u2028e", "line\nbreak"]
    with (tmp_path / "never.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["", "customer_id"], *([place, one] for place, one in enumerate(nasty))])
    facts = company('consents = "elsewhere"\nsuppressed = "never.csv"')
    assert reasons(facts, [*nasty, "a"]) == ["on the suppression list"] * 5 + [ELSEWHERE]


@pytest.mark.parametrize(
    ("content", "encoding", "error"),
    [
        ("id,reason\na,x\n", "utf-8", "must have a column customer_id. Found: the columns id, reason"),
        ("", "utf-8", r"Found: the columns \(none\)"),
        ("customer_id\nMüller\n", "latin-1", "Found: it is not UTF-8"),
    ],
    ids=["no_column", "empty", "encoding"],
)
def test_a_list_of_the_suppressed_that_cannot_be_read(company, tmp_path, content, encoding, error):
    facts = suppressing(company, tmp_path, content, encoding)
    with pytest.raises((SettingsError, SourceError), match=error):
        reasons(facts, ["a"])


def test_a_list_of_the_suppressed_that_is_gone(company, tmp_path):
    facts = suppressing(company, tmp_path, "customer_id\na\n")
    (tmp_path / "never.csv").unlink()
    with pytest.raises(SettingsError, match=r"never\.csv, must be a CSV that can be read\. Found: No such file"):
        reasons(facts, ["a"])


def test_the_gravest_reason_is_told(company, tmp_path):
    """Each customer lacks one trouble more than the one before; the first that is left is told."""
    every = list("abcdefgh")
    troubled = {
        "customers": ["customer_id,status,deceased", "a,barred,yes", *(f"{one},barred," for one in "b"),
                      *(f"{one},fine,no" for one in "cdefgh")],
        "consents": [DECISIONS, *(f"{one},mail,marketing,false,2017-01-01," for one in "abcd"),
                     *(f"{one},mail,marketing,true,2017-01-01,2017-12-31" for one in "f"),
                     *(f"{one},mail,marketing,true,2017-01-01," for one in "gh")],
        "service_cases": [CASES, "c0,z,2016-01-01,2016-01-02", *(f"c{one},{one},2017-12-30," for one in "abcdefg")],
        "contacts": [CONTACTS, *(f"k{n},{one},2017-12-30," for one in every for n in (1, 2))],
    }  # fmt: skip
    (tmp_path / "never.csv").write_text("customer_id\na\nb\nc\n")
    blocking = 'suppressed = "never.csv"\nblocked_where = {status = ["barred"]}\nconsents = "table"'
    assert reasons(company(blocking, **troubled), every) == [
        "deceased, says deceased of the table customers", "blocked: status is barred", "on the suppression list",
        REFUSED, NEVER, "the consent to mail for marketing does not hold through 2018-01-01",
        "a service case is open", "2 contacts or more in the last 30 days",
    ]  # fmt: skip


def test_who_withdraws_between_scoring_and_writing_is_left_out(company, tmp_path, monkeypatch):
    """A run has read and pinned its facts; then somebody writes to the file of consents."""
    facts = company(consents=ALL_GRANTED)
    for name, value in facts.as_environment().items():
        monkeypatch.setenv(name, value)
    later = "c,mail,marketing,false,2018-01-01 08:00,"
    (tmp_path / "consents.csv").write_text(
        "\n".join(
            [*ALL_GRANTED[:-1], "a,mail,marketing,false,2017-12-31,", later, "x,mail,marketing,true,2018-01-02,"]
        )
    )
    again = read_facts(facts.settings)
    assert reasons(again, ["a", "c", "j", "b"]) == [""] * 4
    now = consents_now(facts.settings)
    assert reasons(again, ["a", "c", "j", "b", "x"], consents=now) == [REFUSED, REFUSED, NEVER, "", NEVER]


def test_only_consents_are_read_now_and_they_are_checked(company, tmp_path):
    facts = company(consents=ALL_GRANTED)
    (tmp_path / "purchases.csv").write_text("nonsense")
    assert len(consents_now(facts.settings)) == 10
    (tmp_path / "consents.csv").write_text("\n".join([DECISIONS, *(["a,mail,marketing,perhaps,2017-01-01,"] * 3)]))
    with pytest.raises(ContractError, match="granted is not true or false"):
        consents_now(facts.settings)
    (tmp_path / "consents.csv").unlink()
    with pytest.raises(SettingsError):
        consents_now(facts.settings)


def test_a_company_without_consents_has_none_now(company, cdnow):
    assert consents_now(company().settings) is None
    assert consents_now(cdnow.settings) is None


def test_a_database_is_asked_for_its_consents_alone(tmp_path):
    import duckdb

    def decide(granted):
        with duckdb.connect(str(tmp_path / "shop.duckdb")) as con:
            con.execute("CREATE OR REPLACE TABLE bought AS SELECT 'a' AS customer_id, 'o' AS order_id, "
                        "DATE '2017-05-05' AS ordered_at, 10.0 AS net_amount")  # fmt: skip
            con.execute(f"CREATE OR REPLACE TABLE said AS SELECT 'a' AS customer_id, 'mail' AS channel, 'marketing' "
                        f"AS purpose, {granted} AS granted, TIMESTAMP '2017-06-01' AS recorded_at")  # fmt: skip

    decide("true")
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "crm.toml").write_text(
        '[source]\nkind = "database"\ndatabase = "shop.duckdb"\n[source.tables.purchases]\ntable = "bought"\n'
        f'[source.tables.consents]\ntable = "said"\n[clock]\nas_of = {AS_OF}\n[contacts]\nconsents = "table"\n'
    )
    facts = read_facts(read_settings(tmp_path / "crm.toml"))
    decide("false")
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as con:
        con.execute("DROP TABLE bought")
    assert reasons(facts, ["a"]) == [""]
    assert reasons(facts, ["a"], consents=consents_now(facts.settings)) == [REFUSED]
    assert reasons(read_facts(facts.settings), ["a"]) == [""], "what the run has read is as it was"
    decide("true")
    assert reasons(facts, ["a"], consents=consents_now(facts.settings)) == [""], "and asked again each time"
