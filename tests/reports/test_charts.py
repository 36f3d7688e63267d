"""Charts say in words what they show, carry their numbers, and come out the same every time."""

import hashlib
import itertools
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crm.errors import RequestError
from crm.reporting import charts, style
from crm.reporting.chart import LARGEST_SVG

MONTHS = pd.period_range("2017-01", periods=4, freq="M")
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def read(opened):
    """The HTML of a chart as elements."""
    page = opened.__globals__["Page"]
    return lambda chart: page(chart._repr_html_())


def sales(values=(100, 400, 250, 300), **more) -> pd.DataFrame:
    return pd.DataFrame({"month": MONTHS[: len(values)], "net_sales": values, **more})


def departments() -> pd.DataFrame:
    return pd.DataFrame({"department": ["Meat", "Grocery", EVIL], "net_sales": [-30.0, 1200.25, 900.5]})


def cells(names=("Champions", "Lost"), value=None) -> pd.DataFrame:
    pairs = [(a, b) for a in names for b in names]
    values = value or [10 * (n + 1) for n in range(len(pairs))]
    return pd.DataFrame(pairs, columns=["before", "now"]).assign(customers=values)


def shares() -> pd.DataFrame:
    rows = [
        ("Champions", "customers", 0.1),
        ("Champions", "margin", 0.35),
        ("Lost", "customers", 0.2),
        ("Lost", "margin", 0.04),
    ]
    return pd.DataFrame(rows, columns=["segment", "of", "share"])


def profile() -> pd.DataFrame:
    rows = [
        ("Champions", "Basket", 210),
        ("Champions", "Promotions", 60),
        ("Lost", "Basket", 45),
        ("Lost", "Returns", 0),
    ]
    return pd.DataFrame(rows, columns=["segment", "feature", "index"])


def curve() -> pd.DataFrame:
    n = np.arange(1, 1001) / 1000
    return pd.DataFrame({"share_of_customers": n, "share_of_net_sales": n**0.5})


def scores() -> pd.DataFrame:
    rows = [
        (k, m, v) for k in (2, 3, 4) for m, v in (("silhouette", 0.5 - k / 20), ("stability", 1 - (k - 3) ** 2 / 5))
    ]
    return pd.DataFrame(rows, columns=["k", "measure", "score"])


def events() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "month": list(MONTHS[:2]) * 2,
            "event": ["new", "new", "lapsed", "lapsed"],
            "customers": [112, 47, -124, -127],
        }
    )


DRAWN = {
    "line": lambda t: charts.draw_line(t, x="month", y="net_sales", title="T", unit="USD"),
    "bars": lambda t: charts.draw_bars(t, label="department", value="net_sales", title="T", unit="USD"),
    "stacked": lambda t: charts.draw_stacked_bars(
        t, x="month", value="customers", colour_by="event", title="T", unit="customers"
    ),
    "heatmap": lambda t: charts.draw_heatmap(
        t, rows="before", columns="now", value="customers", title="T", unit="customers"
    ),
    "dots": lambda t: charts.draw_dots(t, label="segment", value="share", colour_by="of", title="T", unit="share"),
    "profile": lambda t: charts.draw_profile(t, group="segment", feature="feature", index="index", title="T"),
    "concentration": lambda t: charts.draw_concentration(
        t, share_of_customers="share_of_customers", share_of_value="share_of_net_sales", title="T"
    ),
    "scatter": lambda t: charts.draw_scatter(
        t, x="k", y="score", colour_by="measure", join="by_colour", mark=3, title="T", unit=""
    ),
}
TABLES = {
    "line": sales,
    "bars": departments,
    "stacked": events,
    "heatmap": cells,
    "dots": shares,
    "profile": profile,
    "concentration": curve,
    "scatter": scores,
}
IN_WORDS = {
    "line": "Line chart by month. Net sales: 4 points, from 100 USD (Jan 2017) to 300 USD (Apr 2017); "
    "highest 400 USD (Feb 2017), lowest 100 USD (Jan 2017).",
    "bars": f"Bar chart of net sales, 3 bars: Grocery 1,200 USD; {EVIL} 900 USD; Meat −30 USD.",
    "stacked": "Stacked bars of customers, 2 from Jan 2017 to Feb 2017, made of 2 parts: "
    "new from 112 customers to 47 customers; lapsed from −124 customers to −127 customers.",
    "heatmap": "Heat map of customers: 2 rows (before) and 2 columns (now), 4 cells with a value. "
    "Highest 40 customers (Lost, Lost), lowest 10 customers (Champions, Champions). "
    "Unchanged: Champions 10 customers; Lost 40 customers.",
    "dots": "Dot chart of share, 2 rows. Champions: customers 10% and margin 35%; Lost: customers 20% and margin 4%.",
    "profile": "What sets each group apart; the average customer is 100. "
    "Champions: Basket 210 and Promotions 60; Lost: Basket 45 and Returns 0.",
    "concentration": "Curve of share of net sales by customers, best first: the best 1% of customers bring 10%, "
    "the best 10% of customers bring 32%, "
    "the best 20% of customers bring 45% and the best 50% of customers bring 71%.",
    "scatter": "Points along k. silhouette: 3 points, highest 0.400 at 2, lowest 0.300 at 4; "
    "stability: 3 points, highest 1 at 3, lowest 0.800 at 2. Chosen: 3.",
}


@pytest.mark.parametrize("kind", DRAWN)
def test_a_chart_says_in_words_what_it_shows(kind):
    assert DRAWN[kind](TABLES[kind]()).alt == IN_WORDS[kind]


@pytest.mark.parametrize("kind", DRAWN)
def test_a_chart_is_a_figure_with_title_picture_words_and_numbers(kind, read):
    page = read(DRAWN[kind](TABLES[kind]()))
    assert page.unbalanced == []
    assert page.one("figcaption").text == "T"
    assert page.one("img").attributes["alt"] == IN_WORDS[kind]
    assert page.one("img").attributes["src"].startswith("data:image/svg+xml;base64,")
    assert page.one("summary").text == "The numbers behind"
    assert page.all("tr")


@pytest.mark.parametrize("kind", DRAWN)
def test_a_picture_is_a_whole_svg_that_refers_to_nothing_outside(kind):
    picture = DRAWN[kind](TABLES[kind]()).picture
    root = ET.fromstring(picture.content)
    assert root.tag.endswith("svg")
    links = [value for e in root.iter() for name, value in e.attrib.items() if name.endswith("href")]
    assert all(link.startswith("#") for link in links)
    assert not [
        e.tag for e in root.iter() if e.tag.endswith(("script", "text", "image", "metadata", "foreignObject"))
    ]
    assert len(picture.content) < LARGEST_SVG


@pytest.mark.parametrize("kind", DRAWN)
def test_an_empty_table_gives_one_line_instead_of_an_empty_chart(kind, read):
    chart = DRAWN[kind](TABLES[kind]().head(0))
    assert chart.picture is None
    page = read(chart)
    assert [e.tag for e in page.elements] == ["p"]
    assert page.one("p").text == "Nothing to show for “T”: the table has no value to draw."


@pytest.mark.parametrize("kind", DRAWN)
def test_values_that_are_all_missing_give_the_same_line(kind):
    table = TABLES[kind]()
    numbers = table.select_dtypes("number").columns
    assert DRAWN[kind](table.assign(**dict.fromkeys(numbers, np.nan))).picture is None


@pytest.mark.parametrize("kind", DRAWN)
def test_one_row_is_enough_and_a_gap_does_no_harm(kind):
    table = TABLES[kind]()
    assert DRAWN[kind](table.head(1)).picture is not None
    value = table.select_dtypes("number").columns[-1]
    gap = table.assign(**{value: table[value].astype("Float64").where(table.index != 1, pd.NA)})
    assert DRAWN[kind](gap).picture is not None
    assert DRAWN[kind](table.assign(**{value: [np.inf, *table[value][1:]]})).picture is not None


@pytest.mark.parametrize("kind", DRAWN)
def test_a_table_is_left_as_it_was(kind):
    table = TABLES[kind]()
    before = table.copy()
    DRAWN[kind](table)
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize("kind", DRAWN)
def test_a_column_that_is_not_there_is_named(kind):
    table = TABLES[kind]()
    with pytest.raises(RequestError, match=f"no column {re.escape(table.columns[-1])} among"):
        DRAWN[kind](table.iloc[:, :-1])


def test_words_instead_of_numbers_are_refused():
    with pytest.raises(RequestError, match="column net_sales"):
        DRAWN["line"](sales(("many", "few")))


def test_the_same_table_gives_the_same_bytes_in_another_process(tmp_path):
    code = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
import test_charts as t
print(*(hashlib.sha256(t.DRAWN[kind](t.TABLES[kind]()).picture.content).hexdigest() for kind in ("line", "heatmap")))
"""
    here = [hashlib.sha256(DRAWN[kind](TABLES[kind]()).picture.content).hexdigest() for kind in ("line", "heatmap")]
    folder = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", code, folder], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"}
    )
    assert done.stdout.split() == here


def test_names_from_data_are_text_everywhere(read):
    page = read(DRAWN["bars"](departments()))
    assert EVIL in page.one("img").attributes["alt"]
    assert EVIL in [h.text for h in page.all("th")]
    assert not page.all("script")


def test_names_that_are_hard_to_draw_are_drawn():
    names = ["$5 off $10", "a\x00b\x1b[31m", "🍕 pizza", "x" * 200, "", "-->", "日本茶", "&amp;"]
    table = pd.DataFrame({"department": names, "net_sales": range(len(names))})
    ET.fromstring(DRAWN["bars"](table).picture.content)


def test_thousands_of_points_become_pixels():
    points = pd.DataFrame({"x": np.arange(20_000), "y": np.sin(np.arange(20_000))})
    chart = charts.draw_scatter(points, x="x", y="y", title="T", unit="")
    assert chart.picture.kind == "png"
    assert chart.picture.content.startswith(b"\x89PNG")
    again = charts.draw_scatter(points, x="x", y="y", title="T", unit="")
    assert chart.picture.content == again.picture.content


def test_what_is_not_drawn_is_said_and_kept_in_the_numbers():
    many = pd.DataFrame({"department": [f"d{n}" for n in range(50)], "net_sales": range(50)})
    chart = charts.draw_bars(
        many, label="department", value="net_sales", title="T", unit="USD", most=5, note="In 2017."
    )
    assert chart.note == "In 2017. 5 of 50 are drawn; the numbers behind hold all."
    assert len(chart.numbers) == 50
    assert chart.alt.startswith("Bar chart of net sales, 50 bars: d49 49 USD; d48 48 USD;")

    lines = pd.concat([sales().assign(segment=f"s{n}") for n in range(12)])
    chart = charts.draw_line(lines, x="month", y="net_sales", colour_by="segment", title="T", unit="USD")
    assert "8 of 12 lines are drawn" in chart.note


@pytest.mark.parametrize(("order", "first"), [("largest_first", "Grocery 1,200 USD"), ("as_given", "Meat −30 USD")])
def test_bars_come_largest_first_or_as_given(order, first):
    chart = charts.draw_bars(departments(), label="department", value="net_sales", title="T", unit="USD", order=order)
    assert chart.alt.startswith(f"Bar chart of net sales, 3 bars: {first};")


def test_a_line_shows_interval_comparison_and_forecast_and_says_so():
    table = sales(
        low=[90, 380, 240, 200], high=[110, 420, 260, 420], plan=[120, 300, 310, 320], foreseen=[False] * 3 + [True]
    )
    chart = charts.draw_line(
        table,
        x="month",
        y="net_sales",
        title="T",
        unit="USD",
        interval=("low", "high"),
        comparison="plan",
        forecast="foreseen",
    )
    for words in (
        "A dashed line shows plan.",
        "Dotted points are forecast, not observed.",
        "A band shows the interval",
    ):
        assert words in chart.alt
    svg = chart.picture.content.decode().lower()
    for colour in (style.ACTUAL, style.COMPARISON, style.FORECAST):
        assert colour.lower() in svg


def test_a_segment_has_its_colour_in_every_kind_of_chart():
    table = pd.DataFrame({"segment": ["At risk", "Champions"], "customers": [5, 7], "k": [1, 2]})
    bars = charts.draw_bars(table, label="segment", value="customers", colour_by="segment", title="T", unit="")
    points = charts.draw_scatter(table, x="k", y="customers", colour_by="segment", title="T", unit="")
    own = {"At risk": "#123456", "Champions": "#654321"}
    renamed = charts.draw_bars(
        table, label="segment", value="customers", colour_by="segment", colours=own, title="T", unit=""
    )
    for chart in (bars, points):
        assert b"#d55e00" in chart.picture.content.lower()
        assert b"#004b7a" in chart.picture.content.lower()
    assert b"#123456" in renamed.picture.content


def test_a_heat_map_refuses_a_cell_that_is_there_twice():
    with pytest.raises(RequestError, match="1 more, first for Champions and Champions"):
        DRAWN["heatmap"](pd.concat([cells(), cells().head(1)]))


def test_names_that_look_the_same_are_told_apart_in_a_heat_map():
    table = pd.DataFrame({"row": ["tea", "tea "], "column": ["a\tb", "a b"], "value": [1.0, 2.0]})
    chart = charts.draw_heatmap(table, rows="row", columns="column", value="value", title="Two", unit="")
    assert chart.numbers.columns.tolist() == ["Row", "a b", "a b (2)"]
    assert chart.numbers["Row"].tolist() == ["tea", "tea (2)"]


def test_a_heat_map_shows_its_numbers_as_a_grid(read):
    cohorts = pd.DataFrame(
        {"joined": [MONTHS[0], MONTHS[0], MONTHS[1]], "months_since": [0, 1, 0], "share_bought": [1.0, 0.45, 1.0]}
    )
    chart = charts.draw_heatmap(
        cohorts, rows="joined", columns="months_since", value="share_bought", title="T", unit="share"
    )
    assert [row.text for row in read(chart).all("tr")] == ["Joined01", "Jan 2017100.0%45.0%", "Feb 2017100.0%–"]


def test_a_wide_heat_map_can_be_scrolled_by_keyboard(read):
    names = [f"Segment {n}" for n in range(15)]
    page = read(DRAWN["heatmap"](cells(names)))
    assert page.one("figure", class_="wide")
    assert page.one("div", class_="picture").attributes["tabindex"] == "0"


def test_the_curve_is_labelled_with_rows_of_its_table():
    chart = DRAWN["concentration"](curve())
    assert list(chart.numbers["share_of_customers"])[:3] == [0.001, 0.01, 0.1]
    assert chart.numbers.set_index("share_of_customers")["share_of_net_sales"][0.01] == pytest.approx(0.1)


def test_drawing_leaves_no_figure_open():
    import matplotlib.pyplot as plt

    for kind in DRAWN:
        DRAWN[kind](TABLES[kind]())
    assert plt.get_fignums() == []


def test_labels_keep_apart_and_in_order():
    from crm.reporting.charts.labels import spread

    placed = spread([0.50, 0.51, 0.52, 0.99], gap=0.1)
    assert placed == sorted(placed)
    assert min(b - a for a, b in itertools.pairwise(placed)) >= 0.1 - 1e-9
    assert placed[-1] <= 1
    assert spread([0.1, 0.8], gap=0.1) == [0.1, 0.8]
