"""Values are written the same way everywhere: worked examples."""

import datetime as dt
import math
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from crm.reporting import wording


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [
        (4_596_039.58, "USD", "4.60 M USD"),
        (999_600, "USD", "1.00 M USD"),
        (412_345.2, "", "412 k"),
        (99_949, "", "99,949"),
        (9_876.4, "", "9,876"),
        (62, "customers", "62 customers"),
        (12.34, "", "12.3"),
        (1.234, "", "1.23"),
        (0.1234, "", "0.123"),
        (-4_500, "USD", "−4,500 USD"),
        (2.5e9, "", "2.50 bn"),
        (0, "USD", "0 USD"),
        (0.412, "share", "41%"),
        (0.0421, "share", "4.2%"),
        (0.0101, "share", "1%"),
        (0.0004, "share", "0.04%"),
        (0.9999, "share", "100%"),
        (0, "share", "0%"),
        (-0.123, "share", "−12%"),
        (float("nan"), "USD", "–"),
        (None, "USD", "–"),
        (pd.NA, "USD", "–"),
        (math.inf, "", "∞"),
        (Decimal("12.5"), "", "12.5"),
        (np.int64(3), "", "3"),
    ],
)
def test_a_number_keeps_three_or_four_digits(value, unit, written):
    assert wording.quantity(value, unit) == written


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [(400_000, "", "400 k"), (12_000, "", "12 k"), (1_200, "", "1,200"), (0.05, "share", "5%"), (0.25, "", "0.25"),
     (1_500_000, "", "1.5 M"), (-200, "", "−200")],
)  # fmt: skip
def test_a_tick_is_as_short_as_its_number_is_round(value, unit, written):
    assert wording.tick(value, unit) == written


def test_months_and_dates():
    months = pd.Series(pd.period_range("2017-11", periods=3, freq="M"))
    assert wording.moments(months) == ["Nov 2017", "Dec 2017", "Jan 2018"]
    assert wording.moments([dt.date(2017, 11, 1), dt.date(2017, 11, 8)]) == ["2017-11-01", "2017-11-08"]
    assert wording.moments([0, 1.5, "week 3", None]) == ["0", "1.5", "week 3", "–"]


def test_headings_are_made_of_column_names_and_leave_words_alone():
    names = ["net_sales", "customers", "k", "Share of customers", "the month before", "USD"]
    said = ["Net sales", "Customers", "k", "Share of customers", "the month before", "USD"]
    assert [wording.heading(name) for name in names] == said


def test_text_from_data_comes_on_one_line_without_control_characters():
    assert wording.clean("a\tb\n\n c\x00\x1b[31m\u202e d") == "a b c [31m d"
    assert wording.shortened("Frozen meat and dinners", 12) == "Frozen meat…"
    assert wording.shortened("Meat", 12) == "Meat"


@pytest.mark.parametrize(
    ("seconds", "written"), [(None, "–"), (4.26, "4.3 s"), (46.2, "46 s"), (192, "3 min 12 s"), (3900, "1 h 5 min")]
)
def test_durations(seconds, written):
    assert wording.duration(seconds) == written


@pytest.mark.parametrize(
    ("values", "written"),
    [
        ([1_469_307, 0, None], ["1,469,307", "0", "–"]),
        ([1234.5, 2.0], ["1,234.5", "2.0"]),
        ([12.345, 1.0], ["12.35", "1.00"]),
        ([0.1234, 0.5], ["0.123", "0.500"]),
        ([12_345.6, float("nan")], ["12,346", "–"]),
        ([1.5, math.inf], ["1.50", "∞"]),
        ([True, False, None], ["yes", "no", "–"]),
        ([dt.date(2017, 3, 1), None], ["2017-03-01", "–"]),
        ([pd.Timestamp("2017-03-01 14:05"), pd.NaT], ["2017-03-01 14:05", "–"]),
        ([Decimal("4596039.58"), Decimal("0.10")], ["4,596,040", "0"]),
        (["a <b>", None], ["a <b>", "–"]),
    ],
)
def test_a_column_is_written_as_its_values_need(values, written):
    assert wording.cells(pd.Series(values, name="value")) == written


def test_a_share_is_a_per_cent_and_a_format_is_obeyed():
    assert wording.cells(pd.Series([0.123, 1.0], name="share_of_customers")) == ["12.3%", "100.0%"]
    assert wording.cells(pd.Series([4596039.58], name="money"), ",.2f") == ["4,596,039.58"]
    assert wording.cells(pd.Series([2017], name="year"), "d") == ["2017"]
