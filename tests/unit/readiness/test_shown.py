"""On a screen: what a person reads at 80 and at 120 columns, in colour or not, whatever stands in the data."""

from __future__ import annotations

import dataclasses
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from crm.readiness import next_step, show
from crm.readiness.visible import quoted, visible

HEADER = "customer_id,order_id,ordered_at,net_amount,channel"
STRANGE = [
    "[bold]web[/bold]",
    "שלום עולם",
    "🧀 shop",
    "a\x1b[31mred\x07",
    "\u202eevil",
    "日本語の店",
    "<b>&amp;</b>",
    "x" * 500,
]
GOOD = [f"c{n % 9},o{n},2017-0{1 + n % 9}-0{1 + n % 5},{10 + n},web" for n in range(40)]
DIRTY = [*GOOD, *[f',d{n},2017-03-01,10,"{text}"' for n, text in enumerate(STRANGE)]]
CONTACTS = ["campaign_id,customer_id", *(f'k1,"{text}"' for text in STRANGE)]


def printed(readiness, *, width=80, colour=False, options=()):
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=colour, color_system="standard" if colour else None)
    console.print(show(readiness, options=options), highlight=False)
    return file.getvalue()


@pytest.fixture
def dirty(company):
    return company({"purchases": [HEADER, *DIRTY], "contacts": CONTACTS}).readiness


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_screen_and_nothing_steers_it(dirty, width):
    text = printed(dirty, width=width)
    for line in text.splitlines():
        assert cell_len(line) <= width
        assert not [c for c in line if unicodedata.category(c) in ("Cc", "Cf")], repr(line)


def test_what_stands_in_the_data_is_shown_as_it_stands(dirty):
    text = " ".join(printed(dirty, width=120).split())
    assert "channel [bold]web[/bold]" in text
    assert '"<b>&amp;</b>", "[bold]web[/bold]", "a\\x1b[31mred\\x07"' in text


def test_without_colour_the_words_say_it(dirty):
    plain, coloured = printed(dirty), printed(dirty, colour=True)
    assert "\x1b" not in plain
    assert "\x1b[31m" in coloured
    for words in (
        "Can a run start? Not yet.",
        "over the budget of 2.0%",
        "reduced",
        "set aside: customer_id is missing",
    ):
        assert words in plain


def test_the_parts_come_in_their_order_and_the_last_line_says_what_to_type(dirty):
    lines = printed(dirty).splitlines()
    starts = [number for number, line in enumerate(lines) if line[:2] in ("1.", "2.", "3.", "4.", "5.")]
    assert [lines[number][0] for number in starts] == list("12345")
    assert lines[-1].endswith("then type: crm check")


def test_what_is_set_aside_is_told_with_share_money_example_cause_and_place(dirty):
    text = " ".join(printed(dirty, width=120).split())
    assert "set aside: customer_id is missing 8 16.7% 80.00" in text
    assert "Such as: order_id d0, ordered_at 2017-03-01, net_amount 10" in text
    assert "It looks like sales to nobody known." in text
    assert "data/rejected/2018-01-01/purchases.parquet" in text
    assert '[quality.accepted_reasons] "customer_id is missing" = 0.17' in text


def test_a_table_with_many_reasons_is_told_by_the_most_frequent(company):
    lines = ['c1,"o1",2017-03-01,1' + ",x" * n for n in range(2, 15) for _ in range(20 - n)]
    more = "[quality]\nmost_rows_set_aside = 1.0\nmost_money_set_aside = 1.0\n"
    found = company({"purchases": [HEADER, *GOOD, *lines]}, more=more).readiness
    told = printed(found)
    assert len(found.tables[0].reasons) > 6
    assert told.count("purchases: the line") == 6
    assert "other reasons" in told


@pytest.mark.parametrize(
    ("as_of", "words"),
    [
        ("2017-01-01", "Every purchase lies on that date or later. All would be known with --as-of 2017-09-06."),
        ("2017-06-01", "Purchases from the as-of date on are not looked at."),
        ("2030-01-01", "Nobody counts as active then. All purchases would be known with --as-of 2017-09-06."),
    ],
)
def test_an_as_of_date_that_is_odd_is_said(company, as_of, words):
    lines = [*GOOD, "c1,last,2017-09-05,1,web"]
    assert words in " ".join(printed(company({"purchases": [HEADER, *lines]}, as_of=as_of).readiness).split())


def test_the_next_step_is_the_first_that_helps(company, dirty):
    good = company({"purchases": [HEADER, *GOOD]}).readiness
    assert next_step(good) == "Next, type: crm run"
    options = ("--config", "my shop.toml", "--as-of", "2018-01-01")
    assert next_step(good, options=options) == "Next, type: crm run --config 'my shop.toml' --as-of 2018-01-01"
    assert next_step(dirty, options=options[2:]).endswith("then type: crm check --as-of 2018-01-01")
    assert "part 1" in next_step(dirty)
    assert "report notebooks" in next_step(dataclasses.replace(good, notebooks=()))
    assert "part 4" in next_step(dataclasses.replace(good, can_describe=False))
    before = dataclasses.replace(good, can_describe=False, measured=dict.fromkeys(good.measured, 0))
    after = next_step(before, options=("--config", "x.toml", "--as-of", "1900-01-01"))
    assert after.startswith("Next, type: crm check --config x.toml --as-of 20")
    assert "no purchase is left" in next_step(dataclasses.replace(good, first=None))
    lost = dataclasses.replace(good, tables=(dataclasses.replace(good.tables[0], unaccounted=2),))
    assert not lost.ok
    assert "report the defect" in next_step(lost)
    assert "A DEFECT of crm, not of your data: unaccounted for in purchases: 2 rows." in printed(lost, width=120)


def test_nothing_at_all_is_shown_too(company):
    text = printed(company({"purchases": [HEADER]}).readiness)
    assert "There is no purchase that could be kept." in text
    assert "purchases: everything: without purchases nothing runs" in text


@tried(max_examples=300, deadline=None)
@given(text=st.text(), most=st.integers(1, 80))
def test_whatever_is_shown_stays_on_its_line_and_hides_nothing(text, most):
    shown = visible(text, most)
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs")]
    assert shown.endswith("…") == (len(text) > most or (len(text) <= most and text.endswith("…")))
    shown.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("007", '"007"'),
        (" 7", '" 7"'),
        ("7\u00a0", '"7\\xa0"'),
        ("a\tb\r\n", '"a\\tb\\r\\n"'),
        ("\u202eevil", '"\\u202eevil"'),
        ("👩\u200d🔧", '"👩\u200d🔧"'),
        ("x" * 50, '"' + "x" * 40 + '…"'),
    ],
)
def test_what_cannot_be_seen_is_shown_by_its_code(text, shown):
    assert quoted(text) == shown
