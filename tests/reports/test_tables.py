"""Tables for people: what belongs to what, how numbers stand, and nothing of the data taken for HTML."""

import datetime as dt

import pandas as pd
import pytest

from crm.errors import RequestError
from crm.reporting import show_table


@pytest.fixture
def read(opened):
    """The HTML of a table as elements."""
    page = opened.__globals__["Page"]
    return lambda table: page(table._repr_html_())


def rows(page) -> list[str]:
    return [row.text for row in page.all("tr")]


def test_a_table_says_what_it_is_and_which_heading_belongs_to_what(read):
    frame = pd.DataFrame(
        {"segment": ["Champions", "Lost"], "customers": [1200, 34], "share_of_customers": [0.972, 0.028]}
    )
    page = read(show_table(frame, caption="Segments, as of 2018-01-01"))

    assert page.unbalanced == []
    assert page.one("caption").text == "Segments, as of 2018-01-01"
    assert [(h.text, h.attributes["scope"]) for h in page.all("th")] == [
        ("Segment", "col"), ("Customers", "col"), ("Share of customers", "col"),
        ("Champions", "row"), ("Lost", "row"),
    ]  # fmt: skip
    assert [cell.text for cell in page.all("td", class_="number")] == ["1,200", "97.2%", "34", "2.8%"]
    region = page.one("div", role="region")
    assert (region.attributes["tabindex"], region.attributes["aria-label"]) == ("0", "Segments, as of 2018-01-01")


def test_nothing_of_the_data_is_taken_for_html(read):
    evil = "<script>alert(1)</script>"
    html = show_table(pd.DataFrame({evil: [evil, '"><img src=x>']}), caption=evil, notes=evil)._repr_html_()
    assert "<script" not in html
    assert "<img" not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 5  # label, caption, heading, cell, note


def test_missing_values_dates_and_formats(read):
    frame = pd.DataFrame(
        {
            "customer": ["a", None],
            "first": [dt.date(2017, 3, 1), None],
            "money": [4596039.58, None],
            "change": [0.092, -0.05],
            "year": [2017, 2018],
        }
    )
    page = read(show_table(frame, caption="c", formats={"money": ",.2f", "change": "+.1%", "year": "d"}))
    assert rows(page)[1:] == ["a2017-03-014,596,039.58+9.2%2017", "–––-5.0%2018"]
    assert [cell.text for cell in page.all("td", class_="date")] == ["2017-03-01", "–"]


def test_an_index_that_says_something_is_shown(read):
    frame = pd.DataFrame({"customers": [1, 2]}, index=pd.Index(["a", "b"], name="segment"))
    assert rows(read(show_table(frame, caption="c"))) == ["SegmentCustomers", "a1", "b2"]
    assert rows(read(show_table(frame.reset_index(), caption="c"))) == ["SegmentCustomers", "a1", "b2"]
    wide = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("now", "customers"), ("now", "money")]))
    assert rows(read(show_table(wide, caption="c")))[0] == "now · customersnow · money"


def test_a_long_table_is_cut_and_says_so(read):
    page = read(show_table(pd.DataFrame({"n": range(1000)}), caption="Numbers", most_rows=3))
    assert len(page.all("tr")) == 4
    assert page.one("caption").text == "Numbers The first 3 of 1,000 rows."


@pytest.mark.parametrize("frame", [pd.DataFrame({"segment": [], "customers": []}), pd.DataFrame()])
def test_an_empty_table_says_so(read, frame):
    assert read(show_table(frame, caption="c")).one("td").text == "Nothing to show."


def test_a_format_of_a_column_that_is_not_there_is_refused():
    with pytest.raises(RequestError, match="no column 'monye' among money"):
        show_table(pd.DataFrame({"money": [1]}), caption="c", formats={"monye": ",.0f"})


def test_the_frame_is_left_as_it_was():
    frame = pd.DataFrame({"money": [1.5, None]})
    before = frame.copy()
    show_table(frame, caption="c")._repr_html_()
    pd.testing.assert_frame_equal(frame, before)
