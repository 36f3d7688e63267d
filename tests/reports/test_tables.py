"""Tables for people: what belongs to what, how numbers stand, and nothing of the data taken for HTML."""

import datetime as dt

import pandas as pd
import pytest

from crm.errors import RequestError
from crm.reporting import draw_bars, draw_heatmap, show_table


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
    frame = pd.DataFrame({"orders": [1, 2]}, index=pd.Index(["a", "b"], name="segment"))
    assert rows(read(show_table(frame, caption="c"))) == ["SegmentOrders", "a1", "b2"]
    assert rows(read(show_table(frame.reset_index(), caption="c"))) == ["SegmentOrders", "a1", "b2"]
    wide = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("now", "customers"), ("now", "money")]))
    assert rows(read(show_table(wide, caption="c")))[0] == "now · customersnow · money"


def test_a_long_table_is_cut_and_says_so(read):
    page = read(show_table(pd.DataFrame({"n": range(1000)}), caption="Numbers", most_rows=3))
    assert len(page.all("tr")) == 4
    assert page.one("caption").text == "Numbers The first 3 of 1,000 rows."
    assert page.one("div", class_="table").attributes["data-of"] == "1,000"  # the page's search says so too


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


def test_numbers_carry_their_exact_value_for_sorting(read):
    frame = pd.DataFrame(
        {
            "name": ["a", "b", "c"],
            "money": [1234.5678, None, float("inf")],
            "share": [0.1 + 0.2, -0.5, 1.0],
            "n": [3, 2, 1],
        }
    )
    page = read(show_table(frame, caption="c", formats={"money": ",.0f"}))
    exact = [cell.attributes.get("data-sort") for cell in page.all("td")]
    assert exact == ["1234.5678", "0.30000000000000004", "3", None, "-0.5", "2", "Infinity", "1", "1"]


SEGMENTS = pd.DataFrame(
    {
        "segment": ["Champions", "Lost", "Seldom", "Nobody"],
        "customers": [120, 4, 5, 0],
        "share_of_customers": [0.93, 0.031, 0.039, 0.0],
        "net_sales": [900.0, 25.5, 10.0, 0.0],
    }
)
HIDDEN = "fewer than 5 customers; so that nobody is singled out, the numbers are not told."


def test_a_row_of_fewer_than_five_customers_does_not_tell_its_numbers(read):
    page = read(show_table(SEGMENTS, caption="c"))
    assert rows(page)[1:] == ["Champions12093.0%900.0", "Lostunder 5––", "Seldom53.9%10.0", "Nobody00.0%0.0"]
    assert [note.text for note in page.all("p", class_="note")] == [f"One row counts {HIDDEN}"]
    assert "25.5" not in page.source  # nor by what it is sorted


@pytest.mark.parametrize(
    ("column", "values", "shown"),
    [
        ("n_customers", [3, 9], ["under 5", "9"]),
        ("Active customers", [3, 9], ["under 5", "9"]),
        ("customers_before", [3, 9], ["under 5", "9"]),
        ("customers", [-3, -9], ["under 5", "-9"]),  # customers lost
        ("customers", pd.array([3, None], dtype="Int64"), ["under 5", "–"]),
        ("share_of_customers", [1, 0], ["100.0%", "0.0%"]),
        ("mean_customers", [3, 9], ["3", "9"]),
        ("customers", [0.25, 0.5], ["0.250", "0.500"]),  # a share
        ("customers", ["the best", "others"], []),
        ("net_sales_per_customer", [3, 9], ["3", "9"]),
        ("orders", [3, 9], ["3", "9"]),
    ],
)
def test_what_counts_customers_is_known_by_its_name(read, column, values, shown):
    page = read(show_table(pd.DataFrame({"group": ["a", "b"], column: values}), caption="c"))
    assert [cell.text for cell in page.all("td", class_="number")] == shown


def test_a_table_may_say_which_columns_count_customers(read):
    table = pd.DataFrame({"list": ["a", "b"], "treated": [40, 3], "held_out": [4, 9], "cost": [12.5, 7.5]})
    page = read(show_table(table, caption="c", customers=["treated"], counts=["held_out"]))
    assert rows(page)[1:] == ["a40under 512.50", "bunder 59–"]
    assert page.one("p", class_="note").text == f"2 rows count {HIDDEN}"
    plain = pd.DataFrame({"planned": ["a"], "customers": [3]})
    assert rows(read(show_table(plain, caption="c", customers=())))[1:] == ["a3"]


def test_a_chart_does_not_draw_a_group_of_fewer_than_five_customers(read):
    chart = draw_bars(SEGMENTS, label="segment", value="net_sales", title="T", unit="USD", note="In USD.")
    assert chart.note == "In USD. Not drawn: one group of fewer than 5 customers."
    assert "Lost" not in chart.alt
    assert "25.5" not in read(chart).source
    alone = draw_bars(SEGMENTS.iloc[[1]], label="segment", value="net_sales", title="T", unit="USD")
    assert "each group has fewer than 5 customers" in alone._repr_html_()


def test_a_heat_map_leaves_small_cells_empty_and_rows_of_nothing_else_out():
    rows = [("a", "x", 50), ("a", "y", 2), ("b", "x", 1), ("b", "y", 4), ("c", "x", 8), ("c", "y", 7)]
    moved = pd.DataFrame(rows, columns=["before", "now", "customers"]).assign(change=[9.0, 8.0, 7.0, 6.0, 5.0, 4.0])
    for value in ("customers", "change"):
        chart = draw_heatmap(moved, rows="before", columns="now", value=value, title="T", unit="")
        assert chart.numbers["Before"].tolist() == ["a", "c"]
        assert chart.numbers["y"].isna().tolist() == [True, False]
        assert chart.note == "Not drawn: 3 groups of fewer than 5 customers."


def test_texts_that_begin_with_a_number_are_sorted_by_it(read):
    """An interval by its low end, a band by its lower one; names, months and mixed columns by their letters."""
    frame = pd.DataFrame(
        {
            "band": ["under 1%", "1% to 2%", "50% or more"],
            "interval": ["-0.13 to +0.19", "\u22129.77 to +0.1", "+1,200.5 to +1,300"],
            "month": ["2017-01", "2017-02", "2017-03"],
            "name": ["3 for 2", "Wine", "Beer"],
        }
    )
    page = read(show_table(frame, caption="c"))
    cells = [e for e in page.elements if e.tag == "td" or e.attributes.get("scope") == "row"]
    kept = [cell.attributes.get("data-sort") for cell in cells]
    band, interval, month, name = (kept[at::4] for at in range(4))
    assert [float(one) for one in band] == pytest.approx([1, 1, 50], abs=1e-6)
    assert float(band[0]) < float(band[1])
    assert [float(one) for one in interval] == [-0.13, -9.77, 1200.5]
    assert month == name == [None] * 3
