"""Pages in a real browser: nothing is asked for, nothing foreign runs, nothing sticks out, all can be read."""

from __future__ import annotations

import http.server
import threading
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from crm.reporting import render_front_page, render_page, render_run_index, show_table

pytest_plugins = "reports.browser"

FOCUSED = """() => {
  const here = document.activeElement;
  if (here === document.body) return '';
  return here.tagName + ' ' + (here.getAttribute('aria-label') || here.textContent.trim());
}"""


@pytest.fixture(scope="module")
def pages(report, broken_report, stamp, tmp_path_factory) -> dict[str, Path]:
    """Every kind of page: the front page, a run's index, a report, its as-run copy, a report that failed."""
    reports = tmp_path_factory.mktemp("reports")
    folder = reports / "runs" / stamp.run_id
    folder.mkdir(parents=True)
    partial = replace(stamp, status="PARTIAL")
    for notebook in (report, broken_report):
        render_page(notebook, folder, stamp=partial)
    (folder / "receipt.json").write_text('{"status": "PARTIAL", "error": "1 of 2 notebooks failed."}')
    render_run_index(folder)
    render_front_page(reports)
    return {"front": reports / "index.html"} | {path.stem: path for path in sorted(folder.glob("*.html"))}


def test_pages_ask_for_nothing_and_stick_out_nowhere(pages, tab):
    for path in pages.values():
        tab.open(path)
        assert tab.faults() == [], path.name
        assert tab.requests == [path.as_uri()]


def test_everybody_can_read_and_use_them(pages, tab):
    for path in pages.values():
        tab.open(path)
        assert tab.violations() == [], path.name


def test_what_cannot_be_read_or_stands_out_is_found(tab, tmp_path):
    """The two checks above do fail where they should."""
    wrong = tmp_path / "wrong.html"
    wrong.write_text(
        '<!DOCTYPE html><html><head><title>x</title></head><body><p style="color: #999">pale</p><img src="gone.png">'
        '<div style="width: 2000px">wide</div><script>missing()</script></body></html>'
    )
    tab.open(wrong)
    assert {line.split(":")[0] for line in tab.violations()} == {"color-contrast", "html-has-lang", "image-alt"}
    faults = "\n".join(tab.faults())
    for found in (
        "asked for file://",
        "complained: missing is not defined",
        "scrolls sideways by",
        "sticks out: DIV",
        "not drawn",
    ):
        assert found in faults


def test_a_page_is_dark_where_dark_is_wanted_and_its_charts_stay_on_white(pages, tab):
    colour = "part => getComputedStyle(document.querySelector(part)).backgroundColor"
    seen = []
    page = tab.open(pages["01_customer_base"])
    for scheme in ("light", "dark"):
        tab.view(width=1440, scheme=scheme)
        seen.append([page.evaluate(colour, part) for part in ("main", ".picture")])
    assert seen == [["rgb(255, 255, 255)"] * 2, ["rgb(19, 26, 33)", "rgb(255, 255, 255)"]]


def test_the_keyboard_reaches_content_links_numbers_and_tables(pages, tab):
    page = tab.open(pages["01_customer_base"])
    reached = []
    page.keyboard.press("Tab")
    while focused := page.evaluate(FOCUSED):
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", focused
        reached.append(focused)
        page.keyboard.press("Tab")
    assert reached == [
        "A To the content", "A All answers of this run", "A Show the code",
        "A the run's overview", "A By month", "A By department", "A Movement",
        "SUMMARY The numbers behind", "SUMMARY The numbers behind",
        "DIV Sales by department", "BUTTON Department", "BUTTON Net sales",
        "DIV Wide chart", "SUMMARY The numbers behind", "DIV A table", "PRE What was printed",
        "SUMMARY What this notebook was run with",
    ]  # fmt: skip


def test_a_page_prints_on_a4_with_its_stamp(pages, tab, stamp):
    page = tab.open(pages["01_customer_base"])
    page.emulate_media(media="print")
    assert not page.locator(".band nav").is_visible()
    assert page.locator("figure").first.is_visible()
    printed = tab.printed()
    assert printed.is_a4
    assert "PARTIAL" in printed.first
    assert stamp.run_id in printed.first
    assert len(printed.pictures) == 6, "three figures, and the picture in each"
    assert all(len(sheets) == 1 for sheets in printed.pictures), "cut over two sheets"


SALES = """
    product net_sales
    bread   900.5
    wine    1200.25
    milk    -
    tea     -30.0
    <script>alert(1)</script> 10.0
    apples 9.0
    pears 100.0
    plums 33.0
    rice 5.0
    oats 6.0
    nuts 7.0
    figs 1.0
"""
FIRST = "rows => rows.filter(row => !row.hidden).map(row => row.cells[0].textContent)"


@pytest.fixture(scope="module")
def shop(draw, stamp, tmp_path_factory) -> Path:
    """A page with a table of twelve rows, of which one is hostile, and a word of the glossary."""
    folder = tmp_path_factory.mktemp("shop")
    table = show_table(draw(SALES), caption="Sales by product")
    shown = new_output("display_data", {"text/html": table._repr_html_()})
    cells = [
        new_markdown_cell("# What sold?\n\nBy cohort, and of what is known before the as-of date."),
        new_code_cell("1", outputs=[shown], execution_count=1),
    ]
    nbformat.write(new_notebook(cells=cells), folder / "01_customer_base.ipynb")
    return render_page(folder / "01_customer_base.ipynb", folder, stamp=stamp)


def test_a_table_is_sorted_by_keyboard_and_comes_back(shop, tab, draw):
    page, rows = tab.open(shop), tab.page.locator("tbody tr")
    as_it_was = rows.evaluate_all(FIRST)
    assert as_it_was == list(draw(SALES)["product"])
    heading = page.get_by_role("columnheader", name="Net sales")
    heading.get_by_role("button", name="Net sales").focus()
    for key, direction, first, last in (
        ("Enter", "ascending", "tea", "milk"),
        ("Space", "descending", "wine", "milk"),
    ):
        page.keyboard.press(key)
        assert heading.get_attribute("aria-sort") == direction
        order = rows.evaluate_all(FIRST)
        assert (order[0], order[-1]) == (first, last), "what is missing stays last"
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") is None
    assert rows.evaluate_all(FIRST) == as_it_was


def test_a_long_table_is_searched_by_keyboard_and_escape_brings_all_back(shop, tab):
    page, rows = tab.open(shop), tab.page.locator("tbody tr")
    field, count = page.get_by_label("Search these 12 rows"), page.get_by_role("status")
    field.focus()
    page.keyboard.type("SCRIPT alert")
    assert rows.evaluate_all(FIRST) == ["<script>alert(1)</script>"]
    assert count.text_content() == "1 of 12 rows"
    page.keyboard.press("Escape")
    assert len(rows.evaluate_all(FIRST)) == 12
    assert (field.input_value(), count.text_content()) == ("", "")
    assert tab.complaints == []


def test_a_word_is_explained_where_it_stands_until_escape(shop, tab):
    page = tab.open(shop)
    word, tip = page.locator("a.word").first, page.get_by_role("tooltip")
    assert not tip.is_visible()
    word.focus()
    assert tip.text_content() == page.locator(f"dt{word.get_attribute('href')} + dd .meaning").text_content()
    assert word.get_attribute("aria-describedby") == tip.get_attribute("id")
    page.keyboard.press("Escape")
    assert not tip.is_visible()
    assert word.evaluate("word => word === document.activeElement")


def test_on_paper_and_without_scripts_there_is_nothing_to_press(shop, tab):
    page = tab.open(shop)
    page.emulate_media(media="print")
    assert not page.get_by_role("searchbox").is_visible()
    assert "button" not in shop.read_text().split("<script")[0]


class _Listener(http.server.BaseHTTPRequestHandler):
    heard: list[str] = []  # noqa: RUF012  (one list for the one server of the test)

    def do_GET(self) -> None:
        self.heard.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def listener():
    """A server on this machine, and what was asked of it."""
    _Listener.heard.clear()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", _Listener.heard
    server.shutdown()


def test_hostile_outputs_run_nothing_and_load_nothing(listener, stamp, tmp_path, tab):
    address, heard = listener
    hostile = f"""
        <img src="{address}/image"><script>document.title = "ran"; fetch("{address}/fetch")</script>
        <script src="{address}/script"></script><iframe src="{address}/frame"></iframe>
        <link rel="stylesheet" href="{address}/style"><div style="background: url({address}/background)">x</div>
        <img src="x" onerror="document.title = 'ran'"><style>body {{ background: url({address}/css) }}</style>
    """
    shown = new_output("display_data", {"text/html": hostile})
    drawn = new_output("display_data", {"image/svg+xml": f'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script>'
                                                          f'<image href="{address}/svg"/></svg>'})  # fmt: skip
    cells = [
        new_markdown_cell(f"# Why?\n\n![x]({address}/markdown)\n\n{hostile}"),
        new_code_cell("1", outputs=[shown, drawn], execution_count=1),
    ]
    nbformat.write(new_notebook(cells=cells), tmp_path / "05_cross_sell.ipynb")
    page = render_page(tmp_path / "05_cross_sell.ipynb", tmp_path, stamp=stamp)
    (tmp_path / "bare.html").write_text(f"<title>x</title>{hostile}")
    tab.open(tmp_path / "bare.html")
    assert heard, "the same HTML without our page does load and run"
    assert tab.page.title() == "ran"
    heard.clear()
    tab.open(page)
    assert heard == []
    assert tab.requests == [page.as_uri()]
    assert tab.page.title().startswith("Why?")
