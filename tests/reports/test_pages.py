"""A notebook's page: the answer first, everything it showed, no code; and what a failure looks like."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from crm import reporting
from crm.errors import RequestError
from crm.reporting import render_page, style
from crm.reporting.assumptions import Assumptions, show_assumptions
from crm.reporting.glossary import glossary
from crm.reporting.page import render_left_out_page
from crm.reporting.words import Words

EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def folder(report, stamp, tmp_path_factory):
    """A run's folder with the pages of the notebook that ran to its end."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "index.html").write_text("<!DOCTYPE html>")
    assert render_page(report, folder, stamp=stamp) == folder / "01_customer_base.html"
    return folder


@pytest.fixture(scope="module")
def page(folder, opened):
    return opened(folder / "01_customer_base.html")


@pytest.fixture(scope="module")
def as_run(folder, opened):
    return opened(folder / "01_customer_base.as_run.html")


def written(cells, folder, stamp, opened, *, name="05_cross_sell"):
    """The page of a notebook made of these cells as they are."""
    nbformat.write(new_notebook(cells=cells), folder / f"{name}.ipynb")
    return opened(render_page(folder / f"{name}.ipynb", folder, stamp=stamp))


def step(source, *outputs, count=1, **metadata):
    return new_code_cell(source, outputs=list(outputs), execution_count=count, metadata=metadata)


def shown(html):
    return new_output("display_data", {"text/html": html, "text/plain": "…"})


def test_the_question_is_the_title_and_the_stamp_stands_under_it(page):
    assert page.one("h1").text == "Who are our customers?"
    assert page.one("title").text == "Who are our customers? · as of 2018-01-01 · COMPLETE"
    said = dict(zip([e.text for e in page.all("dt")], [e.text for e in page.all("dd")], strict=True))
    assert said == {
        "As of": "2018-01-01",
        "Run": "COMPLETE",
        "Data": "3 days behind",
        "Analysis took": "46 s",
        "Run id": "2018-01-01_20261122T151800Z_3f2a",
        "Data fingerprint": "9f8e7d6c5b4a",
    }
    assert "COMPLETE · as of 2018-01-01 · run 2018-01-01_20261122T151800Z_3f2a" in page.one("style").text  # in print


def test_the_finding_comes_first_and_stays_in_its_place(page):
    lead = page.one("section", class_="in-short").text.split("\n")
    assert [line for line in lead if line] == ["In short", "2,469 customers spent 2,070.75 USD."]
    assert page.one("p", class_="finding").text == "2,469 customers spent 2,070.75 USD."


def test_text_charts_and_tables_come_in_the_order_of_the_notebook(page):
    order = [e.text for e in page.elements if e.tag in ("h2", "figcaption", "caption")]
    assert order == [
        "By month",
        "Sales rose each month",
        "Sales rose each month",
        "By department",
        "Two bring nearly all",
        "Two bring nearly all",
        "Sales by department",
        "Movement",
        "They stay",
        "They stay",
    ]
    assert [a.attributes["href"] for a in page.all("a") if a.attributes["href"].startswith("#")] == [
        "#content",
        "#by-month",
        "#by-department",
        "#movement",
    ]


def test_every_picture_says_the_numbers_of_its_data(page):
    line, bars, heat = [image.attributes["alt"] for image in page.all("img")]
    assert "from 100 USD (Jan 2017) to 1,200 USD (Dec 2017)" in line
    assert f"{EVIL} 1,200 USD; Grocery 900 USD; Meat −30 USD" in bars
    assert "Highest 980 (Segment 14, Segment 14), lowest 5 (Segment 1, Segment 1)" in heat


def test_the_reader_sees_no_code_and_no_warnings(page):
    assert not page.all("div", class_="step")
    for unseen in ("import pandas", "a warning of a library", "on the way", "draw_bars"):
        assert unseen not in page.text


def test_what_the_notebook_printed_and_a_plain_frame_are_shown(page):
    assert [e.text for e in page.all("pre")] == ["as text <b>"]
    assert "dataframe" in [e.attributes.get("class") for e in page.all("table")]


def test_the_parameters_are_told(page):
    details = page.one("details", class_="parameters")
    assert [line for line in details.text.split("\n") if line] == [
        "What this notebook was run with",
        "ParameterValueMeaning",
        "as_of'2018-01-01'first day not known",
        "most3bars",
    ]


def test_of_a_file_only_its_name_is_told(stamp, tmp_path):
    """Where the project lies on the machine that ran it stands on no page, nor in its as-run copy."""
    given = 'config = "/home/ann/shop/crm.toml"\nrun_folder = "/home/ann/shop/reports/runs/r1"\nshare = "1/2"'
    declared = new_code_cell('config: str = "crm.toml"  # settings', metadata={"tags": ["parameters"]})
    injected = new_code_cell(given, metadata={"tags": ["injected-parameters"]}, execution_count=1)
    cells = [new_markdown_cell("# Why?"), declared, injected]
    nbformat.write(new_notebook(cells=cells), tmp_path / "01_why.ipynb")
    pages = [render_page(tmp_path / "01_why.ipynb", tmp_path, stamp=stamp), tmp_path / "01_why.as_run.html"]
    for page in pages:
        text = page.read_text()
        assert "/home/ann" not in text
        assert "crm.toml" in text
        assert "r1" in text
        assert "1/2" in text


def test_data_is_never_taken_for_html(folder):
    for path in folder.glob("0*.html"):
        assert path.read_text().count("<script") == 1  # the page's own: see `read_page`
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in (folder / "01_customer_base.html").read_text()


def test_the_as_run_copy_shows_code_and_warnings(as_run):
    assert [e.text for e in as_run.all("span", class_="count")][:3] == ["[1]", "[2]", "[3]"]
    for seen in ("import pandas as pd", "a warning of a library", "on the way", "as text <b>"):
        assert seen in as_run.text
    assert as_run.one("title").text.endswith("· as run")
    assert all(pre.attributes.get("tabindex") == "0" for pre in as_run.all("pre"))  # what scrolls, keys can reach


def test_page_copy_and_overview_lead_to_each_other(page, as_run):
    outward = lambda p: [a.attributes["href"] for a in p.all("a") if not a.attributes["href"].startswith("#")]  # noqa: E731
    assert outward(page) == ["index.html", "01_customer_base.as_run.html"]
    assert outward(as_run) == ["index.html", "01_customer_base.html"]


def test_the_same_notebook_gives_the_same_bytes(report, folder, stamp, tmp_path):
    render_page(report, tmp_path, stamp=stamp)
    for name in ("01_customer_base.html", "01_customer_base.as_run.html"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"01_customer_base.html", "01_customer_base.as_run.html"}


def test_pages_are_small(folder):
    assert all(path.stat().st_size < 400_000 for path in folder.glob("0*.html"))


def test_a_failed_notebook_says_where_why_and_what_is_missing(broken_report, stamp, tmp_path, opened):
    page = opened(render_page(broken_report, tmp_path, stamp=replace(stamp, status="PARTIAL")))
    assert page.one("title").text.endswith("· FAILED")
    assert "This report is not whole." in page.one("div", class_="warning").text
    stopped = page.one("section", class_="stopped")
    assert "NotEnoughData: A fit needs 100 customers. Found: 12 of 2,469. Read more months." in stopped.text
    assert "2 of its 7 steps were not run." in stopped.text
    assert "\x1b" not in stopped.text
    assert "Not reached: What to do." in page.text
    assert not page.all("section", class_="in-short")
    assert page.one("figure", class_="chart")  # what was shown before stays
    order = [e.text for e in page.all("h2")]
    assert order == ["By month", "Expected value"]


def test_the_as_run_copy_of_a_failed_notebook_shows_what_was_not_run(broken_report, stamp, tmp_path, opened):
    render_page(broken_report, tmp_path, stamp=stamp)
    page = opened(tmp_path / "03_lifetime_value.as_run.html")
    assert [e.text for e in page.all("span", class_="count")] == [
        "[1]",
        "[2]",
        "[3]",
        "[4]",
        "[5]",
        "not run",
        "not run",
    ]
    assert page.one("section", class_="stopped")


def test_a_notebook_left_out_shows_its_question_and_why_and_nothing_else(broken_report, stamp, tmp_path, opened):
    reason = f"A fit needs 100 {EVIL} customers. Found: 12 before 2018-01-01. Read more months."
    (tmp_path / "index.html").write_text("")
    path = render_left_out_page(broken_report, tmp_path, question="What are they worth?", reason=reason, stamp=stamp)
    assert path == tmp_path / "03_lifetime_value.html"
    page = opened(path)
    assert page.one("h1").text == "What are they worth?"
    assert page.one("main").text.strip() == f"Left out: {reason}"
    assert page.one("dl", class_="stamp")
    assert page.one("title").text.endswith("· LEFT OUT")
    assert page.all("span", class_="nowrap")[-1].text == "2018-01-01"
    copy = opened(tmp_path / "03_lifetime_value.as_run.html")
    assert [e.text for e in copy.all("span", class_="count")] == ["[1]", "[2]", "[3]", "[4]"]
    assert copy.text.count(f"Left out: {reason}") == 1
    for unseen in ("Traceback", "NotEnoughData:", "raise", "not run", "What to do"):
        assert unseen not in page.text + copy.text


def test_a_notebook_left_out_before_it_was_executed_has_a_page_too(stamp, tmp_path, opened):
    never = tmp_path / "notebooks" / "07_lists.ipynb"
    opened(render_left_out_page(never, tmp_path, question="Whom to call?", reason="Too few.", stamp=stamp))
    copy = opened(tmp_path / "07_lists.as_run.html")
    assert copy.one("main").text.strip() == "Left out: Too few."
    failed = replace(stamp, status="FAILED")
    page = opened(render_left_out_page(never, tmp_path, question="Whom to call?", reason="Too few.", stamp=failed))
    assert "The run this page belongs to is FAILED. Its overview says why." in page.text


def test_a_notebook_that_was_killed_says_so(stamp, tmp_path, opened):
    cells = [new_markdown_cell("# Why?"), step("1"), step("2", count=None), step("3", count=None)]
    page = written(cells, tmp_path, stamp, opened)
    assert "ended here without an error of its own" in page.one("section", class_="stopped").text
    assert "2 of its 3 steps were not run." in page.text


def test_papermill_remarks_are_left_out_and_expected_errors_do_no_harm(stamp, tmp_path, opened):
    error = new_output("error", ename="ValueError", evalue="as shown", traceback=["\x1b[31mValueError\x1b[0m"])
    cells = [
        new_markdown_cell("An Exception was encountered", metadata={"tags": ["papermill-error-cell-tag"]}),
        new_markdown_cell("# Why?"),
        step("raise ValueError", error, tags=["raises-exception"]),
        step("1", shown("<p>still here</p>"), count=2),
    ]
    page = written(cells, tmp_path, stamp, opened)
    assert "Exception was encountered" not in page.text
    assert not page.all("section", class_="stopped")
    assert "still here" in page.text


def test_a_whole_notebook_of_a_run_that_is_not_says_so(report, stamp, tmp_path, opened):
    (tmp_path / "index.html").write_text("")
    page = opened(render_page(report, tmp_path, stamp=replace(stamp, status="PARTIAL")))
    assert "The run this page belongs to is PARTIAL." in page.one("div", class_="warning").text
    assert page.one("section", class_="in-short")


def test_a_notebook_that_cannot_be_read_still_gets_a_page(stamp, tmp_path, opened):
    (tmp_path / "04_defection.ipynb").write_text('{"cells": [')
    page = opened(render_page(tmp_path / "04_defection.ipynb", tmp_path, stamp=stamp))
    assert page.one("h1").text == "Defection"
    assert "The executed notebook cannot be read" in page.text


def test_published_findings_lead_unless_the_notebook_leads_itself(stamp, tmp_path, opened):
    parts = tmp_path / "parts"
    parts.mkdir()
    (parts / "05_cross_sell.json").write_text('{"findings": [{"sentence": "Cheese & wine go together."}]}')
    chart_first = [new_markdown_cell("# Why?"), step("1", shown("<figure></figure>")), step("2", shown("<p>x</p>"))]
    page = written(chart_first, tmp_path, stamp, opened)
    assert "Cheese & wine go together." in page.one("section", class_="in-short").text

    leads = [new_markdown_cell("# Why?"), step("1", shown('<div class="findings"><p class="finding">So.</p></div>'))]
    page = written(leads, tmp_path, stamp, opened)
    assert not page.all("section", class_="in-short")


def test_pictures_of_other_libraries_are_carried_and_described(stamp, tmp_path, opened):
    pixel = new_output("display_data", {"image/png": "iVBORw0KGgo=\n", "text/plain": "<Figure>"})
    drawing = new_output("display_data", {"image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg'/>"})
    page = written([new_markdown_cell("# Why?"), step("1", pixel, drawing)], tmp_path, stamp, opened)
    assert [image.attributes["alt"] for image in page.all("img")] == ["A picture without description"] * 2


@pytest.mark.parametrize("hostile", [EVIL, '"><img src=x onerror=alert(1)>', "' onload='x", "}</style><script>"])
def test_a_hostile_stamp_and_title_stay_text(hostile, stamp, tmp_path, opened):
    marked = replace(stamp, run_id=hostile, status=hostile, fingerprint=hostile)
    cells = [new_markdown_cell(f"# Why {hostile}?"), step("1", shown(f'<p class="finding">{hostile}</p>'))]
    page = written(cells, tmp_path, marked, opened)
    assert hostile[:10] in page.text


def test_an_old_page_stays_whole_when_a_new_one_cannot_be_written(report, folder, stamp, tmp_path):
    shutil.copy(folder / "01_customer_base.html", tmp_path)
    before = (tmp_path / "01_customer_base.html").read_bytes()
    tmp_path.joinpath("01_customer_base.as_run.html").mkdir()  # in the way
    with pytest.raises(OSError):
        render_page(report, tmp_path, stamp=stamp)
    assert (tmp_path / "01_customer_base.html").read_bytes() == before
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".tmp"]


def test_letters_of_pages_can_be_read_in_light_and_dark(page):
    css = page.one("style").text
    light, dark = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", part)) for part in css.split("@media", 2)[:2])
    dark = light | dark
    pairs = [
        ("ink", "paper"), ("ink", "ground"), ("quiet", "paper"), ("quiet", "ground"), ("quiet", "tint"),
        ("ink", "tint"), ("link", "paper"), ("on-band", "band"), ("quiet-on-band", "band"), ("on-good", "good"),
        ("on-bad", "bad"), ("on-mild", "mild"), ("warn-ink", "warn-ground"), ("keyword", "ground"),
        ("string", "ground"), ("comment", "ground"), ("literal", "ground"), ("name", "ground"),
    ]  # fmt: skip
    for colours in (light, dark):
        for letters, paper in pairs:
            assert contrast(colours[letters], colours[paper]) >= 4.5, (letters, paper)  # WCAG 2.2 AA


def contrast(one: str, other: str) -> float:
    lights = sorted(
        style.luminance([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]) + 0.05 for colour in (one, other)
    )
    return lights[1] / lights[0]


PROSE = """# Why do they leave?

The margin of *active customers*, and margins again; “the margin” is a name, and `margin` is code.

## Margin and uplift

Hold-out groups tell the uplift.
"""


def test_a_word_is_explained_where_it_first_stands_and_at_the_end(stamp, tmp_path, opened):
    table = (
        "<div class='table'><table><tr><td>ledger</td></tr></table></div><p>The RFM of an experiment &amp; more</p>"
    )
    page = written([new_markdown_cell(PROSE), step("1", shown(table))], tmp_path, stamp, opened)
    assert [(a.text, a.attributes["href"]) for a in page.all("a", class_="word")] == [
        ("margin", "#word-margin"),
        ("active customers", "#word-active"),
        ("Hold-out groups", "#word-hold-out-group"),
        ("uplift", "#word-uplift"),
        ("RFM", "#word-rfm"),
        ("experiment", "#word-experiment"),
    ]
    words = page.one("section", class_="words")
    assert "Words on this page" in words.text
    assert [dt.text for dt in page.all("dt")][6:] == [
        "active",
        "experiment",
        "hold-out group",
        "margin",
        "RFM",
        "uplift",
    ]
    assert [a.attributes["href"] for a in page.all("a", class_="back")] == [
        f"#use-{slug}" for slug in ("active", "experiment", "hold-out-group", "margin", "rfm", "uplift")
    ]
    assert opened(tmp_path / "05_cross_sell.as_run.html").all("a", class_="word")


def test_findings_that_lead_a_page_are_explained_too_and_names_from_data_are_not(stamp, tmp_path, opened):
    (tmp_path / "parts").mkdir()
    said = {"sentence": f"{EVIL} and “Uplift {EVIL}” bring 12 USD of margin."}
    (tmp_path / "parts" / "05_cross_sell.json").write_text(json.dumps({"findings": [said]}))
    page = written([new_markdown_cell("# Why?"), step("1", shown("<p>margin</p>"))], tmp_path, stamp, opened)
    assert said["sentence"] in page.one("section", class_="in-short").text
    assert [a.text for a in page.all("a", class_="word")] == ["margin"]


def test_explaining_words_changes_nothing_else():
    html = (
        "<p title='margin'>a &lt;b&gt; &amp; &#39;c&#39;<br>net<em>x</em></p><pre>margin</pre><h3>margin</h3>"
        "<details><p>margin</p></details><section class='stopped'><p>margin</p></section>marginal<p>x</p>"
    )
    words = Words()
    assert words.explain(html) == html
    assert words.used == ()


@pytest.mark.parametrize("word", [word for word in glossary() if word.linked], ids=lambda word: word.slug)
def test_a_word_that_pages_explain_is_found_in_prose_and_has_a_sentence(word):
    for form in word.forms:
        words = Words()
        linked = f'<a class="word" id="use-{word.slug}" href="#word-{word.slug}">{form}</a>'
        assert words.explain(f"<p>The {form}, say.</p>") == f"<p>The {linked}, say.</p>"
        assert words.used == (word,)
    assert word.on_pages[0].isupper()
    assert word.on_pages.endswith((".", "?"))


def test_words_have_one_place_each():
    slugs = [word.slug for word in glossary()]
    forms = [form.casefold() for word in glossary() if word.linked for form in word.forms]
    assert len(slugs) == len(set(slugs))
    assert len(forms) == len(set(forms))


def test_what_is_assumed_stands_in_a_box_and_is_text(stamp, tmp_path, opened):
    box = Assumptions((f"Gross margin is 25% of {EVIL}.",), "Set in crm.toml.")
    page = written([new_markdown_cell("# Why?"), step("1", shown(box._repr_html_()))], tmp_path, stamp, opened)
    aside = page.one("aside", class_="assumptions")
    assert f"Gross margin is 25% of {EVIL}." in aside.text
    assert "Set in crm.toml." in aside.text


def test_assumptions_are_those_of_the_settings_and_of_these_data(journey):
    told = show_assumptions(journey, "gross_margin", "kept_by_contact", "yearly_discount_rate", "contact_cost")
    assert told.said == (
        "Gross margin is 25% of net sales, of whatever is bought: the data hold no product's own margin rate.",
        "A contact that is to keep a customer, by mail, costs 0.60 USD and keeps 10% of those who would have left, "
        "until an experiment says how many it keeps.",
        "Margin that is still to come is discounted by 10% a year.",
        "A contact costs 0.01 USD by email, 0.60 USD by mail and 4.00 USD by phone, where a campaign does not state "
        "a cost of its own.",
    )
    with pytest.raises(RequestError, match="'weather'"):
        show_assumptions(journey, "weather")


def test_an_error_on_a_page_names_nobody(stamp, tmp_path, opened):
    said = "Each customer must be there once. Found: 3 again, such as c0017, c0023. Mend the list."
    error = new_output("error", ename="ContractError", evalue=said, traceback=["raise", f"ContractError: {said}"])
    page = written([new_markdown_cell("# Why?"), step("1", error)], tmp_path, stamp, opened)
    copy = opened(tmp_path / "05_cross_sell.as_run.html")
    for text in (page.text, copy.text):
        assert "Found: 3 again. Mend the list." in text
        assert "c0017" not in text


SECTIONS = ["How far to trust it", "Limits", "What to do"]
NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("0*.ipynb"))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_page_answers_first_and_ends_with_trust_limits_and_what_to_do(notebook):
    cells = nbformat.read(notebook, as_version=4).cells
    texts = [cell.source for cell in cells if cell.cell_type == "markdown"]
    headings = [line[3:] for text in texts for line in text.splitlines() if line.startswith("## ")]
    assert headings[0] == "The answer"
    assert headings[-3:] == SECTIONS
    boxes = [at for at, cell in enumerate(cells) if cell.source.startswith("show_assumptions(")]
    answer = next(at for at, cell in enumerate(cells) if cell.source.startswith("## The answer"))
    assert boxes == ([] if notebook.stem.startswith("00") else [answer + 2])  # right after the answer


def test_the_script_of_a_page_is_short_and_makes_no_html_of_data_and_asks_nobody():
    script = (Path(reporting.__file__).parent / "templates" / "page.js").read_text(encoding="utf-8")
    assert len(script.splitlines()) <= 200
    risky = (
        "innerHTML outerHTML insertAdjacentHTML document.write eval( Function( fetch( XMLHttp import( </script <!--"
    )
    assert not [word for word in risky.split() if word in script]
