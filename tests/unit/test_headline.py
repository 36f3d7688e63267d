"""A headline says the number of its finding, and no other."""

import datetime as dt
import math

import pytest

from crm.finding import Finding
from crm.headline import Headline, Trail

AS_OF = dt.date(2018, 1, 1)
VALUES = {"margin": 1234.5, "low": 1000.0, "high": 1500.0, "days": 91, "currency": "USD", "level": 0.9, "of": "gin"}
WORTH = Finding("worth", "{margin:,.0f} {currency} in {days} days.", VALUES, AS_OF)


def headline(**other):
    usual = {
        "label": "margin in {days} days", "unit": "{currency}", "sentence": "{margin:,.0f} in {days} days.",
        "interval": "{level:.0%} interval", "better": "more",
    }  # fmt: skip
    return Headline.of(WORTH, "margin", **(usual | other))


def test_everything_it_says_is_filled_from_the_finding():
    one = headline()
    assert (one.number, one.low, one.high) == (1234.5, 1000.0, 1500.0)
    assert (one.label, one.unit, one.interval) == ("margin in 91 days", "USD", "90% interval")
    assert one.sentence == "1,234 in 91 days."
    assert one.name == "worth.margin"


@pytest.mark.parametrize("field", ["label", "sentence", "unit", "interval"])
def test_a_number_of_its_own_is_an_error(field):
    with pytest.raises(ValueError, match="come from its finding"):
        headline(**{field: "within 91 days"})


def test_digits_in_the_values_are_the_findings_own():
    assert headline(sentence="{of}{days}").sentence == "gin91"


@pytest.mark.parametrize(
    ("finding", "value"),
    [
        (None, "margin"),
        (WORTH, "sales"),
        (WORTH, "currency"),
        (Finding("f", "", {"margin": math.nan}, AS_OF), "margin"),
    ],
    ids=["no finding", "no such number", "a text", "not a number"],
)
def test_there_is_none_of_what_was_not_found(finding, value):
    assert Headline.of(finding, value, label="", sentence="") is None


@pytest.mark.parametrize("ends", [{"low": "nothing"}, {"high": "currency"}], ids=["one end", "no number"])
def test_half_an_interval_is_none(ends):
    one = headline(**ends)
    assert (one.low, one.high, one.interval) == (None, None, "")


def test_what_is_written_is_read_again():
    one = headline(trail=Trail.of("By month", ["2017-11", "2017-12"], [1, 2.5], unit="USD"))
    assert Headline.read(one.as_record()) == one


@pytest.mark.parametrize(
    "record",
    [None, 7, [], {}, {"number": "7"}, {"number": None}, {"number": True}, {"number": math.inf}],
    ids=["nothing", "a number", "a list", "empty", "text", "null", "truth", "infinite"],
)
def test_what_is_no_headline_is_read_as_none(record):
    assert Headline.read(record) is None


def test_a_broken_record_keeps_what_can_be_read():
    record = {"number": 7, "label": None, "better": "worse", "low": 1, "high": "x", "trail": {"points": [[1]]}}
    assert Headline.read(record) == Headline("", "", 7.0, "", "")


@pytest.mark.parametrize(
    ("drawn", "kept"), [("line", ("d6", "d29")), ("bars", ("d0", "d23")), ("named", ("d0", "d4"))]
)
def test_a_trail_keeps_as_many_points_as_can_be_told_apart(drawn, kept):
    trail = Trail.of("Days", (f"d{day}" for day in range(30)), range(30), drawn=drawn)
    assert (trail.points[0][0], trail.points[-1][0]) == kept


def test_a_trail_leaves_out_what_is_not_known_and_is_none_of_one_point():
    assert Trail.of("x", "abc", [1, math.nan, 3]).points == (("a", 1.0), ("c", 3.0))
    assert Trail.of("x", "ab", [1, None]) is None


@pytest.mark.parametrize(
    ("other", "same"), [({}, True), ({"label": "margin in a year"}, False), ({"unit": "EUR"}, False)]
)
def test_numbers_of_another_definition_are_not_compared(other, same):
    assert headline().same_measure(headline(**other)) is same
