"""Values as people write them: what each becomes, and what stays in sight as unread."""

import duckdb
import pytest

from crm.sources.mapping.values import UNREAD, Manner, cleaned, identifier, moment, number, truth

EMPTY = ("NULL", "null", "\\N", "NaN", "nan", "None", "#N/A")


def read(text, function, **manner):
    """What the text of a cell becomes; `unread` where it cannot be read."""
    defaults = {"timezone": "UTC", "recorded_in": "UTC", "empty": EMPTY, "decimal_comma": False}
    manner = Manner(**{**defaults, "day_first": None, "date_formats": (), **manner})
    clean = f"(SELECT {cleaned('cell', 'VARCHAR', manner)} AS c FROM (SELECT ? AS cell))"
    sql = function("c", "VARCHAR") if function in (identifier, truth) else function("c", "VARCHAR", manner)
    value = duckdb.connect().execute(f"SELECT {sql} FROM {clean}", [text]).fetchall()[0][0]
    if value is not None and value.startswith(UNREAD):
        assert value == UNREAD + text.strip()
        return "unread"
    return value


@pytest.mark.parametrize(
    ("text", "point", "comma"),
    [
        ("12.50", "12.50", "unread"),
        ("12,50", "unread", "12.50"),
        ("1,234.50", "1234.50", "unread"),
        ("1.234,50", "unread", "1234.50"),
        ("1,234", "1234", "1.234"),
        ("1.234", "1.234", "1234"),
        ("1,234,567", "1234567", "unread"),
        ("12,34,567", "unread", "unread"),
        ("1'234.50", "1234.50", "unread"),
        ("1 234", "1234", "1234"),
        ("1\u202f234,50", "unread", "1234.50"),
        ("  7 ", "7", "7"),
        (".5", ".5", "unread"),
        ("-5", "-5", "-5"),
        ("5-", "-5", "-5"),
        ("(5)", "-5", "-5"),
        ("$5.25", "5.25", "unread"),
        ("-$5", "-5", "-5"),
        ("5,25 €", "unread", "5.25"),
        ("EUR 5", "5", "5"),
        ("R$ 5", "5", "5"),
        ("5 zł", "5", "5"),
        ("kr. 5", "5", "5"),
        ("US$5", "5", "5"),
        ("16.-", "16", "16"),
        ("1'234.--", "1234", "1234"),
        ("16,-", "16", "16"),
        ("16.5-", "-16.5", "unread"),
        ("5 CR", "unread", "unread"),
        ("5 USD", "5", "5"),
        ("1e3", "1e3", "1e3"),
        ("inf", "unread", "unread"),
        ("Infinity", "unread", "unread"),
        ("what", "unread", "unread"),
        ("5 pieces", "unread", "unread"),
        ("1.2.3", "unread", "unread"),
        ("--5", "unread", "unread"),
        ("=1+1", "unread", "unread"),
        ("NaN", None, None),
        ("NULL", None, None),
        ("#N/A", None, None),
        ("", None, None),
        ("  ", None, None),
        ("\u00a0", None, None),
    ],
)
def test_a_number_is_read_with_the_decimal_mark_that_is_stated_and_no_other(text, point, comma):
    assert read(text, number) == point
    assert read(text, number, decimal_comma=True) == comma


@pytest.mark.parametrize(
    ("text", "undecided", "day_first", "month_first"),
    [
        ("2017-03-05", *["2017-03-05 00:00:00"] * 3),
        ("2017-3-5 8:26", *["2017-03-05 08:26:00"] * 3),
        ("2017/03/05 08:26", *["2017-03-05 08:26:00"] * 3),
        ("2017.03.05", *["2017-03-05 00:00:00"] * 3),
        ("2017-03-05T08:26:01.5", *["2017-03-05 08:26:01.5"] * 3),
        ("2017-03-05 08:26:01,5", *["2017-03-05 08:26:01.5"] * 3),
        ("20170305", *["2017-03-05 00:00:00"] * 3),
        ("20170305082601", *["2017-03-05 08:26:01"] * 3),
        ("5 March 2017", *["2017-03-05 00:00:00"] * 3),
        ("05-Mar-2017 08:26", *["2017-03-05 08:26:00"] * 3),
        ("Mar 5, 2017", *["2017-03-05 00:00:00"] * 3),
        ("5-Mar-17", *["2017-03-05 00:00:00"] * 3),
        ("05/03/2017", "unread", "2017-03-05 00:00:00", "2017-05-03 00:00:00"),
        ("5/3/2017 8:26", "unread", "2017-03-05 08:26:00", "2017-05-03 08:26:00"),
        ("05.03.2017", "unread", "2017-03-05 00:00:00", "2017-05-03 00:00:00"),
        ("05-03-2017 08:26:01", "unread", "2017-03-05 08:26:01", "2017-05-03 08:26:01"),
        ("05/03/17", "unread", "2017-03-05 00:00:00", "2017-05-03 00:00:00"),
        ("5/3/2017 8:26 PM", "unread", "2017-03-05 20:26:00", "2017-05-03 20:26:00"),
        ("05/03/2017, 08:26", "unread", "2017-03-05 08:26:00", "2017-05-03 08:26:00"),
        ("25/12/2017", "unread", "2017-12-25 00:00:00", "unread"),
        ("12/25/2017", "unread", "unread", "2017-12-25 00:00:00"),
        ("2017-02-30", *["unread"] * 3),
        ("31/31/2017", *["unread"] * 3),
        ("yesterday", *["unread"] * 3),
        ("17500", *["unread"] * 3),
        ("NULL", *[None] * 3),
    ],
)
def test_a_date_is_read_in_one_way_only(text, undecided, day_first, month_first):
    assert read(text, moment) == undecided
    assert read(text, moment, day_first=True) == day_first
    assert read(text, moment, day_first=False) == month_first


@pytest.mark.parametrize(
    ("text", "timezone", "recorded_in", "expected"),
    [
        ("2017-01-01T02:00:00Z", "America/New_York", "UTC", "2016-12-31 21:00:00"),
        ("2017-01-01 02:00:00+02:00", "UTC", "UTC", "2017-01-01 00:00:00"),
        ("2017-01-01T02:00:00+0200", "UTC", "UTC", "2017-01-01 00:00:00"),
        ("2017-01-01 02:00:00 +0200", "UTC", "UTC", "2017-01-01 00:00:00"),
        ("2017-01-01 02:00:00 UTC", "UTC", "UTC", "2017-01-01 02:00:00"),
        ("2017-07-01 02:00:00 Europe/Berlin", "UTC", "UTC", "2017-07-01 00:00:00"),
        ("2017-01-01 02:00", "America/New_York", "UTC", "2016-12-31 21:00:00"),
        ("2017-01-01 02:00", "America/New_York", "America/New_York", "2017-01-01 02:00:00"),
        ("2017-01-01", "America/New_York", "UTC", "2017-01-01 00:00:00"),  # a date stays the same date everywhere
        ("20170101", "America/New_York", "UTC", "2017-01-01 00:00:00"),
        ("2017-03-26 00:59:59", "Europe/Berlin", "UTC", "2017-03-26 01:59:59"),  # the clock goes forward here,
        ("2017-03-26 01:00:00", "Europe/Berlin", "UTC", "2017-03-26 03:00:00"),
        ("2017-10-29 00:30:00", "Europe/Berlin", "UTC", "2017-10-29 02:30:00"),  # and back here
        ("2017-10-29 01:30:00", "Europe/Berlin", "UTC", "2017-10-29 02:30:00"),
        ("2017-03-26 02:30:00", "Europe/Berlin", "Europe/Berlin", "2017-03-26 02:30:00"),  # an hour that never was
    ],
)
def test_moments_are_turned_into_local_time_of_the_trade(text, timezone, recorded_in, expected):
    assert read(text, moment, timezone=timezone, recorded_in=recorded_in) == expected


@pytest.mark.parametrize(
    ("text", "formats", "expected"),
    [
        ("03|05|2017", ("%m|%d|%Y",), "2017-03-05 00:00:00"),
        ("2017-03-05", ("%m|%d|%Y",), "unread"),
        ("2017-03-05", ("%m|%d|%Y", "%Y-%m-%d"), "2017-03-05 00:00:00"),
        ("1488702360", ("epoch",), "2017-03-05 08:26:00"),
        ("1488702360123", ("epoch_ms",), "2017-03-05 08:26:00.123"),
        ("42799.5", ("excel",), "2017-03-05 12:00:00"),
        ("soon", ("epoch",), "unread"),
        ("2017-03-05 08:26 +0200", ("%Y-%m-%d %H:%M %z",), "2017-03-05 06:26:00"),
    ],
)
def test_a_stated_date_format_is_the_only_one(text, formats, expected):
    assert read(text, moment, date_formats=formats) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("17850", "17850"), ("17850.0", "17850"), (" 17850", "17850"), ("17850.00", "17850"),
        ("007", "007"), ("17850.5", "17850.5"), ("A-1.0", "A-1.0"), ("1.0.0", "1.0.0"), ("null", None),
    ],
)  # fmt: skip
def test_an_identifier_is_text_and_loses_only_a_decimal_point_it_never_had(text, expected):
    assert read(text, identifier) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("TRUE", "true"), ("Yes", "true"), ("1", "true"), ("ja", "true"), ("0", "false"), ("n", "false"),
     ("unsubscribed", "false"), ("maybe", "unread"), ("", None)],
)  # fmt: skip
def test_yes_and_no(text, expected):
    assert read(text, truth) == expected
