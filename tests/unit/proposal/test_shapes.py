"""What values look like: each form counted over all rows, wherever the evidence lies."""

import duckdb
import pytest

from crm.proposal.matching import Match, Matched
from crm.proposal.profile import profile
from crm.proposal.written import examine_writing, format_of


@pytest.fixture
def column():
    """The profile of a column of these values, text unless a type is named."""

    def make(values, kind="VARCHAR"):
        con = duckdb.connect()
        con.execute(f"CREATE TABLE raw (v {kind})")
        con.executemany("INSERT INTO raw VALUES (?)", [[value] for value in values])
        return profile(con, "raw")["v"]

    return make


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("5", "whole"),
        ("-5", "whole"),
        ("5-", "whole"),
        ("1'234", "whole"),
        ("1 234", "whole"),
        ("007", "whole"),
        ("1.50", "point"),
        (".5", "point"),
        ("(1.50)", "point"),
        ("$1.50", "point"),
        ("1.50 USD", "point"),
        ("USD 1.50", "point"),
        ("-$1.50", "point"),
        ("1,234.50", "point"),
        ("1,234,567", "point"),
        ("1,50", "comma"),
        ("1.234,50", "comma"),
        ("1,50 €", "comma"),
        ("€ 1,50", "comma"),
        ("1.234.567", "comma"),
        ("1,234", "thousand or comma"),
        ("1.234", "thousand or point"),
        ("1.2E+05", "scientific"),
    ],
)
def test_numbers_as_people_write_them(value, kind, column):
    assert column([value]).forms.numbers == {kind: 1}


@pytest.mark.parametrize(
    "value", ["A12", "12-34", "1.2.3", "12:30", "-", "n/a", "1 piece", "five", "2017-03-05", "5%"]
)
def test_what_is_no_number(value, column):
    assert not column([value]).forms.numbers


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("2017-03-05", "year first"),
        ("2017-03-05 08:26", "year first"),
        ("2017-03-05T08:26:00.123", "year first"),
        ("2017/3/5", "year first"),
        ("2017-03-05T08:26:00Z", "year first, with zone"),
        ("2017-03-05 08:26:00 +0100", "year first, with zone"),
        ("2017-03-05 08:26:00+01:00", "year first, with zone"),
        ("2017-03-05 08:26:00 UTC", "year first, with zone"),
        ("5/3/2017", "slashed"),
        ("05.03.17", "slashed"),
        ("05-03-2017 08:26", "slashed"),
        ("5/3/2017 8:26:00 PM", "slashed"),
        ("5 March 2017", "named"),
        ("Mar 5, 2017", "named"),
        ("05-Mar-17", "named"),
        ("March 5, 2017 8:26 AM", "named"),
    ],
)
def test_dates_as_people_write_them(value, form, column):
    assert column([value]).forms.dates == {form: 1}


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (["1488702360", "1588702360"], "epoch"),
        (["1488702360123"], "epoch_ms"),
        (["42799.35", "42800"], "excel"),
        (["2017-03", "2017-12"], "%Y-%m"),
        (["20170305 082600"], "%Y%m%d %H%M%S"),
        (["Sun, 05 Mar 2017 08:26:00 +0000"], "%a, %d %b %Y %H:%M:%S %z"),
        (["20170305"], ""),
        (["5/3/2017"], ""),
        (["hello"], ""),
    ],
)
def test_formats_that_must_be_named(values, form, column):
    assert format_of(column(values)) == form


def test_evidence_that_comes_late_is_found(column):
    late = column(["1,234"] * 5_000 + ["1.5"] + ["7"] * 5_000)
    assert late.forms.numbers == {"thousand or comma": 5_000, "point": 1, "whole": 5_000}


def test_empty_words_and_blanks_are_nothing(column):
    found = column([" a ", "a", "", "  ", "NULL", None, "nan", "b"])
    assert (found.rows, found.filled, found.distinct, found.padded) == (8, 3, 2, 2)
    assert found.words == (("a", 2), ("b", 1))


@pytest.mark.parametrize(
    ("values", "kind", "number", "date", "decimals"),
    [
        ([1, 2, None], "BIGINT", True, False, False),
        ([1.5, 2.0], "DOUBLE", True, False, True),
        ([17850.0, 17851.0], "DOUBLE", True, False, False),
        (["1.25"], "DECIMAL(9, 2)", True, False, True),
        (["2017-03-05"], "DATE", False, True, False),
        (["2017-03-05 08:26:00"], "TIMESTAMP", False, True, False),
    ],
)
def test_columns_with_types_of_their_own(values, kind, number, date, decimals, column):
    found = column(values, kind)
    assert (found.is_number, found.is_date, found.has_decimals) == (number, date, decimals)


@pytest.mark.parametrize(
    ("values", "answer", "rows"),
    [
        (["13/02/2017", "01/02/2017"], True, (1, 0)),
        (["02/13/2017", "01/02/2017"], False, (0, 1)),
        (["01/02/2017", "03/04/2017"], None, (0, 0)),
        (["13/02/2017", "02/13/2017"], None, (1, 1)),
        (["01/02/2017"] * 3_000 + ["31/01/2017"], True, (1, 0)),
    ],
)
def test_which_part_is_the_day(values, answer, rows):
    con = duckdb.connect()
    con.execute("CREATE TABLE raw (v VARCHAR)")
    con.executemany("INSERT INTO raw VALUES (?)", [[value] for value in values])
    table = profile(con, "raw")
    found = examine_writing(con, table, Matched("purchases", {"ordered_at": Match("v", 1.0)}, 1.0))
    assert found.day_first is answer
    assert (found.days["v"].only_day, found.days["v"].only_month) == rows


def test_both_readings_of_ambiguous_dates_are_told():
    con = duckdb.connect()
    con.execute("CREATE TABLE raw AS SELECT unnest(['01/02/2017', '01/03/2017', '03/04/2017', '12/04/2017']) AS v")
    table = profile(con, "raw")
    days = examine_writing(con, table, Matched("purchases", {"ordered_at": Match("v", 1.0)}, 1.0)).days["v"]
    assert days.as_day == ("2017-02-01", "2017-04-12")
    assert days.as_month == ("2017-01-02", "2017-12-04")
