"""Every page of a whole run in a real browser: read by everybody, on every screen, by keyboard, and on paper."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pyarrow.parquet as pq
import pytest

pytest_plugins = "reports.browser"
pytestmark = pytest.mark.slow

NOTEBOOKS = sorted(path.stem for path in (Path(__file__).parents[2] / "notebooks").glob("[0-9][0-9]_*.ipynb"))
PAGES = ["front", "index", *NOTEBOOKS, *(f"{name}.as_run" for name in NOTEBOOKS)]
MOST_BYTES = {"front": 300_000, "index": 300_000}


@pytest.fixture(scope="module")
def path_of(real_run):
    """Where a page of the run stands."""
    front = {"front": real_run.home / "reports" / "index.html"}
    return lambda name: front.get(name, real_run.latest.resolve() / f"{name}.html")


every_page = pytest.mark.parametrize("name", PAGES)
every_report = pytest.mark.parametrize("name", NOTEBOOKS)


def test_these_are_all_pages_of_the_run(real_run):
    there = {page.stem for page in real_run.latest.glob("*.html")}
    assert there == set(PAGES) - {"front"}


@every_page
def test_it_asks_for_nothing_and_sticks_out_nowhere(name, path_of, tab):
    tab.open(path_of(name))
    assert tab.faults() == []
    assert tab.requests == [path_of(name).as_uri()]


@every_page
def test_everybody_can_read_and_use_it(name, path_of, tab):
    """In four views; an as-run copy, which is the report with its code, in two."""
    tab.open(path_of(name))
    assert (tab.violations_briefly() if name.endswith("as_run") else tab.violations()) == []


@every_page
def test_it_is_small_has_a_language_and_one_heading(name, path_of, tab):
    assert path_of(name).stat().st_size <= MOST_BYTES.get(name, 1_500_000)
    page = tab.open(path_of(name))
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("h1").count() == 1


@every_page
def test_its_links_lead_somewhere(name, path_of, tab):
    path = path_of(name)
    links = tab.open(path).evaluate("[...document.links].map(link => link.getAttribute('href'))")
    assert len(links) >= 5
    gone = [link for link in links if not leads_somewhere(path, link)]
    assert gone == []


def leads_somewhere(path: Path, link: str) -> bool:
    """Is there such a file, and such a place in it?"""
    file, _, anchor = unquote(link).partition("#")
    target = path.parent / file if file else path
    return target.is_file() and (not anchor or f'id="{anchor}"' in target.read_text(encoding="utf-8"))


CELLS = """
(table, at) => [...table.tBodies[0].rows].map(row => {
  const cell = row.cells[at];
  return cell.dataset.sort === undefined ? cell.textContent.trim() : Number(cell.dataset.sort);
})
"""
MISSING = ("", "–", "under 5")


def column_of(table, at):
    return table.evaluate(f"table => ({CELLS})(table, {at})")


def is_sorted(column, *, falling):
    """Are numbers in this order, and what is missing last?"""
    there = [value for value in column if value not in MISSING]
    assert column[: len(there)] == there
    numbers = [value for value in there if not isinstance(value, str)]
    return numbers == sorted(numbers, reverse=falling)


@every_report
def test_its_tables_are_sorted_by_keyboard(name, path_of, tab):
    page = tab.open(path_of(name))
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    tables = [table for table in page.locator("div.table > table").all() if table.locator("tbody tr").count() >= 3]
    assert tables
    for table in tables:
        headings = table.locator("thead th[scope=col]")
        assert headings.count() == headings.locator("button.sort").count()
        sort_by_keyboard(page, table, headings, headings.count() - 1)


def sort_by_keyboard(page, table, headings, at):
    """Three presses on the heading of a column: rising, falling, as it was."""
    before, heading = column_of(table, at), headings.nth(at)
    heading.locator("button").focus()
    for key, direction in (("Enter", "ascending"), ("Space", "descending")):
        page.keyboard.press(key)
        assert heading.get_attribute("aria-sort") == direction
        assert is_sorted(column_of(table, at), falling=direction == "descending"), heading.text_content()
        assert table.locator("th[aria-sort]").count() == 1
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") is None
    assert column_of(table, at) == before


@every_report
def test_its_long_tables_are_searched_by_keyboard(name, path_of, tab):
    page = tab.open(path_of(name))
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    long = [table for table in page.locator("div.table > table").all() if table.locator("tbody tr").count() >= 12]
    fields = page.locator("div.search input[type=search]").all()
    assert len(fields) == len(long)
    for field, table in zip(fields, long, strict=True):
        search_by_keyboard(page, field, table)


def search_by_keyboard(page, field, table):
    """The words of a row's first cell leave the rows that hold them; Escape brings all others back."""
    rows = table.locator("tbody tr")
    texts = [text.lower() for text in rows.evaluate_all("rows => rows.map(row => row.textContent)")]
    words = rows.last.locator("th, td").first.text_content()
    found = sum(all(word in text for word in words.lower().split()) for text in texts)
    field.focus()
    page.keyboard.type(words)
    assert table.locator("tbody tr:not([hidden])").count() == found >= 1
    count = field.locator("xpath=ancestor::div[@role='search']").get_by_role("status")
    assert count.text_content() == f"{found:,} of {len(texts):,} rows"
    page.keyboard.press("Escape")
    assert field.input_value() == ""
    assert count.text_content() == ""
    assert table.locator("tbody tr:not([hidden])").count() == len(texts)


@every_report
def test_its_words_are_explained_where_they_stand(name, path_of, tab):
    page = tab.open(path_of(name))
    words, tip = page.locator("a.word"), page.get_by_role("tooltip")
    assert words.count() >= 2
    for word in words.all()[:3]:
        word.focus()
        assert tip.is_visible()
        meaning = page.locator(f"dt{word.get_attribute('href')} + dd .meaning").text_content()
        assert tip.text_content() == meaning
        assert word.get_attribute("aria-describedby") == tip.get_attribute("id")
        page.keyboard.press("Escape")
        assert not tip.is_visible()
        assert word.evaluate("word => word === document.activeElement")
    words.first.blur()
    words.first.hover()
    assert tip.is_visible()
    tip.hover()
    page.wait_for_timeout(400)
    assert tip.is_visible(), "the pointer may move onto what is said"
    page.mouse.move(0, 0)
    tip.wait_for(state="hidden", timeout=2000)


@every_page
def test_it_prints_on_a4_with_its_stamp_and_no_chart_is_cut(name, path_of, real_run, tab):
    page = tab.open(path_of(name))
    figures, pictures = (page.locator(what).count() for what in ("figure", "figure img"))
    printed = tab.printed()
    assert printed.is_a4
    receipt = real_run.receipt
    for said in (receipt["status"], receipt["run_id"], receipt["as_of"], receipt["source"]["fingerprint"][:12]):
        assert said in line(printed.first)
    assert len(printed.pictures) >= figures + pictures
    assert [sheets for sheets in printed.pictures if len(sheets) != 1] == []


def line(text: str) -> str:
    """A sentence as it can be compared: one line, plain hyphens and blanks."""
    return " ".join(re.sub("[\u2010\u2011\u2060]", "-", text).replace("\u00a0", " ").split())


@every_report
def test_its_findings_are_those_of_the_results(name, path_of, real_run, tab):
    findings = {one["name"]: line(one["sentence"]) for one in real_run.results["notebooks"][name]["findings"]}
    shown = tab.open(path_of(name)).locator("p.finding[data-finding]")
    said = shown.evaluate_all("all => all.map(one => [one.dataset.finding, one.textContent])")
    assert said
    assert said[0][0] == next(iter(findings)), "the answer is the first finding"
    assert {which: line(sentence) for which, sentence in said}.items() <= findings.items()


NUMBER = re.compile(r"(?<![\w.-])[\u2212-]?\d[\d,]*(?:\.\d+)?%?(?![\w-])")


@every_report
def test_every_number_of_its_answer_is_in_the_results(name, path_of, real_run, tab):
    first = real_run.results["notebooks"][name]["findings"][0]
    said = line(tab.open(path_of(name)).locator("p.finding").first.text_content())
    numbers = numbers_in(said)
    assert len(numbers) >= 2
    assert [text for text in numbers if not is_one_of(text, first["values"])] == []


def numbers_in(said: str) -> list[str]:
    """The numbers of a sentence as they are written, without its dates."""
    return NUMBER.findall(re.sub(r"\d{4}-\d\d-\d\d", "", said))


def is_one_of(text: str, values: dict[str, object]) -> bool:
    """Is a number as it is written one of these values, rounded as it is written?"""
    plain = text.replace(",", "").replace("\u2212", "-")
    digits = len(plain.rstrip("%").partition(".")[2])
    scale = 100 if plain.endswith("%") else 1
    written = abs(float(plain.rstrip("%")))
    numbers = [abs(v) for v in values.values() if isinstance(v, int | float)]
    words = " ".join(v for v in values.values() if isinstance(v, str))
    return text in words or any(abs(v * scale - written) <= 0.51 * 10**-digits for v in numbers)


CARDS = """
cards => cards.map(card => [card.querySelector('data').value, card.querySelector('data').textContent,
  card.querySelector('.what').textContent, card.querySelector('p.first').textContent])
"""


@pytest.mark.parametrize("name", ["front", "index"])
def test_its_headlines_are_numbers_of_the_results(name, path_of, real_run, tab):
    cards = tab.open(path_of(name)).locator("li.answer").evaluate_all(CARDS)
    shown = {line(label): (float(value), written, line(said)) for value, written, label, said in cards}
    notebooks = real_run.results["notebooks"]
    assert len(shown) == len(notebooks) == len(NOTEBOOKS)
    for one in notebooks.values():
        headline = one["headline"]
        number, written, said = shown[line(headline["label"])]
        found = next(finding["values"] for finding in one["findings"] if finding["name"] == headline["finding"])
        assert number == headline["number"] == found[headline["value"]]
        assert is_one_of(written, {"number": number})
        assert said == line(headline["sentence"])
        assert [text for text in numbers_in(said) if not is_one_of(text, found)] == []


def ids_of(home: Path) -> set[str]:
    """Every customer there is in what the run read and made."""
    files = [file for folder in ("mart", "scores", "lists") for file in (home / "data" / folder).rglob("*.parquet")]
    holding = [file for file in files if "customer_id" in pq.read_schema(file).names]
    return {one for file in holding for one in pd.read_parquet(file, columns=["customer_id"])["customer_id"].dropna()}


DRAWN = re.compile(r"data:image/svg\+xml;base64,([\w/+=]+)")


def said_on(page: Path) -> set[str]:
    """Every word of a page, those of its drawings and its attributes included."""
    text = page.read_text(encoding="utf-8")
    drawn = [base64.b64decode(one).decode("utf-8") for one in DRAWN.findall(text)]
    return set(re.findall(r"\w+", " ".join([re.sub(r"base64,[\w/+=]+", "", text), *drawn])))


def test_nobody_is_named_on_any_page(company_run):
    ids = ids_of(company_run.home)
    assert len(ids) > 5000
    pages = [company_run.home / "reports" / "index.html", *company_run.latest.glob("*.html")]
    assert len(pages) == len(PAGES)
    assert {page.name: sorted(named)[:3] for page in pages if (named := said_on(page) & ids)} == {}
