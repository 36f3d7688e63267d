"""The ways in: a run's index and the front page, whatever the runs left behind."""

import json

import pytest

from crm.reporting import render_front_page, render_run_index

FIRST, SECOND, THIRD = (
    "2017-12-01_20261022T151800Z_aaaa",
    "2018-01-01_20261122T151800Z_bbbb",
    "2018-01-01_20261123T091500Z_cccc",
)
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def front(runs, opened):
    """The front page over the runs there are."""
    return lambda: opened(render_front_page(runs.reports))


def links(page) -> list[str]:
    return [a.attributes["href"] for a in page.all("a") if not a.attributes["href"].startswith("#")]


def test_before_the_first_run(front):
    page = front()
    assert page.one("h1").text == "Our customers"
    assert "Nothing has been run so far. The command crm run makes the first report." in page.text
    assert not page.all("table")


def test_the_published_run_is_shown_with_its_answers(front, runs):
    render_run_index(runs.add(SECOND, "COMPLETE"))
    runs.publish(SECOND)
    page = front()

    assert page.one("h1").text == "Our customers, as of 2018-01-01"
    assert [e.text for e in page.all("span", class_="badge")] == ["COMPLETE", "COMPLETE"]
    assert page.one("h3").text == "Who are our customers?"
    assert page.one("p", class_="first").text == "2,469 customers spent 4,596,040 USD."
    assert "The best tenth & co brought 35%." in page.text
    assert "up to date" in page.text
    assert "1 min 15 s" in page.text
    assert links(page) == [f"runs/{SECOND}/01_customer_base.html", f"runs/{SECOND}/index.html"]
    assert all((runs.reports / link).is_file() for link in links(page))
    assert not page.all("div", class_="warning")


def test_older_runs_are_listed_the_newest_first(front, runs):
    for run_id, status in ((FIRST, "COMPLETE"), (THIRD, "COMPLETE"), (SECOND, "FAILED")):
        render_run_index(runs.add(run_id, status))
    runs.publish(THIRD)
    page = front()
    assert [e.text for e in page.all("td") if e.text.startswith("20")] == [
        "2026-11-22 15:18 UTC",
        SECOND,
        "2026-10-22 15:18 UTC",
        FIRST,
    ]
    assert not page.all("div", class_="warning")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("PARTIAL", "The newest run is PARTIAL: part of it failed."),
        ("FAILED", "The newest run FAILED."),
        ("RUNNING", "The newest run has not ended: it is still under way, or was stopped before it could say so."),
        ("ODD", "The newest run ended as ODD."),
    ],
)
def test_a_newer_run_that_is_not_complete_is_a_visible_warning(front, runs, status, words):
    runs.add(SECOND, "COMPLETE")
    runs.publish(SECOND)
    render_run_index(runs.add(THIRD, status, error=f"{EVIL} went wrong"))
    page = front()

    warning = " ".join(page.one("div", class_="warning").text.split())
    assert warning.startswith(
        f"{words} It is run {THIRD}, as of 2018-01-01, started 2026-11-23 09:15 UTC. {EVIL} went"
    )
    assert warning.endswith("How far it got. What stands below is from the last published run.")
    assert page.one("p", class_="first").text == "2,469 customers spent 4,596,040 USD."
    assert f"runs/{THIRD}/index.html" in links(page)


def test_no_run_was_complete_so_far(front, runs):
    runs.add(FIRST, "FAILED", error="The source could not be read.")
    page = front()
    assert "No complete run yet" in [e.text for e in page.all("h2")]
    assert "The newest run FAILED." in page.one("div", class_="warning").text
    assert "last published run" not in page.text
    assert page.one("table")


@pytest.mark.parametrize("content", ["{broken", "[]", '"text"', "", "\x00", None])
def test_a_broken_receipt_is_a_line_and_no_more(front, runs, content):
    runs.add(FIRST, "COMPLETE")
    runs.publish(FIRST)
    broken = runs.add(SECOND, "COMPLETE")
    (broken / "receipt.json").unlink()
    if content is not None:
        (broken / "receipt.json").write_text(content)
    render_run_index(broken)
    page = front()
    assert "The newest run left no receipt that can be read." in page.one("div", class_="warning").text
    assert "as of 2018-01-01" in page.one("div", class_="warning").text  # its folder's name still tells
    assert "UNREADABLE" in page.one("table").text
    assert page.one("h1").text == "Our customers, as of 2017-12-01"


def test_a_receipt_of_the_wrong_shapes_does_no_harm(front, runs, opened):
    wrong = {
        "as_of": 7, "started_at": None, "seconds": "long", "selection": 3, "source": [], "code": "x", "latency": None,
        "notebooks": [None, 1, {"name": None, "seconds": "x", "last_lines": "x", "page": "../../../etc/passwd"}],
    }  # fmt: skip
    folder = runs.add(SECOND, "COMPLETE", **wrong)
    (folder / "results.json").write_text('{"notebooks": {"01_customer_base": [1]}}')
    opened(render_run_index(folder))
    assert "passwd" not in "".join(links(front()))
    assert "Traceback" not in front().text


def test_latest_wins_over_a_newer_complete_run_and_a_dead_link_does_no_harm(front, runs):
    runs.add(SECOND, "COMPLETE")
    runs.add(THIRD, "COMPLETE")
    runs.publish(SECOND)
    assert "is COMPLETE but was not published" in front().one("div", class_="warning").text
    runs.publish("2016-01-01_20200101T000000Z_gone")
    page = front()
    assert not page.all("div", class_="warning")
    assert f"runs/{THIRD}/01_customer_base.html" in links(page)


@pytest.mark.parametrize(
    ("ended", "shown"),
    [
        ({"00_data": "COMPLETE", "01_base": "LEFT_OUT"}, False),
        ({"00_data": "COMPLETE", "01_base": "CARRIED", "02_kinds": "LEFT_OUT"}, True),
        ({"00_data": "COMPLETE"}, True),
    ],
    ids=["all left out", "one left out", "none left out"],
)
def test_without_latest_a_run_counts_that_says_something_of_the_customers(front, runs, recorded, ended, shown):
    runs.add(SECOND, "COMPLETE", notebooks=[recorded(name, f"{name}?", status) for name, status in ended.items()])
    page = front()
    assert ("No complete run yet" not in page.text) is shown
    assert [e.text for e in page.all("h3")] == ([f"{name}?" for name in ended] if shown else [])


def test_a_run_in_the_making_and_stray_files_are_no_runs(front, runs):
    runs.add(".2018-01-01_20261122T151800Z_building", "RUNNING")
    (runs.reports / "runs" / "notes.txt").write_text("mine")
    assert "Nothing has been run so far" in front().text


def test_the_index_of_a_run_tells_how_every_notebook_ended(runs, opened, recorded):
    notebooks = [
        recorded("01_customer_base", f"Who are they {EVIL}?", "COMPLETE"),
        recorded(
            "03_lifetime_value",
            "What are they worth?",
            "FAILED",
            error="NotEnoughData: 12",
            last_lines=["one", "two"],
        ),
        recorded("04_defection", "Who is leaving?", "SKIPPED", error="it reads the scores of 03_lifetime_value"),
        recorded("02_segmentation", "Which kinds?", "CARRIED", carried_from=FIRST, page=None),
    ]
    folder = runs.add(SECOND, "PARTIAL", notebooks=notebooks, error="1 of 4 notebooks failed.")
    (folder / "03_lifetime_value.html").write_text("")
    results = json.loads((folder / "results.json").read_text())
    results["notebooks"]["02_segmentation"] = {"findings": [{"sentence": "289 are at risk."}]}
    (folder / "results.json").write_text(json.dumps(results))
    page = opened(render_run_index(folder))

    assert "Part of this run failed. 1 of 4 notebooks failed." in page.text
    assert [e.text for e in page.all("h3")] == [
        f"Who are they {EVIL}?", "What are they worth?", "Who is leaving?", "Which kinds?",
    ]  # fmt: skip
    answers = [" ".join(e.text.split()) for e in page.all("li", class_="answer")]
    assert answers[1] == (
        "What are they worth? It failed; its page shows how far it got. NotEnoughData: 12 The last lines one two "
        "FAILED 12 s 03_lifetime_value"
    )
    assert answers[2] == (
        "Who is leaving? It was not run: it reads the scores of 03_lifetime_value SKIPPED 04_defection"
    )
    assert answers[3] == (
        f"Which kinds? 289 are at risk. It was not run this time; this is what run {FIRST} found. "
        "CARRIED 02_segmentation"
    )
    assert links(page) == ["01_customer_base.html", "03_lifetime_value.html"]


def test_what_is_left_out_is_one_line_and_what_was_there_before_is_a_warning(front, runs, opened, recorded):
    reason = f"A fit needs 100 {EVIL} customers. Found: 12. Read more months."
    left_out = {"seconds": None, "reason": reason}
    notebooks = [
        recorded("01_customer_base", "Who are they?", "COMPLETE"),
        recorded("02_segmentation", "Which kinds?", "LEFT_OUT", was_there_in=FIRST, **left_out),
        recorded("03_lifetime_value", "What are they worth?", "LEFT_OUT", **left_out),
    ]
    folder = runs.add(SECOND, "COMPLETE", notebooks=notebooks)
    for name in ("02_segmentation", "03_lifetime_value"):
        (folder / f"{name}.html").write_text("")
    runs.publish(SECOND)
    for page, within in ((opened(render_run_index(folder)), ""), (front(), f"runs/{SECOND}/")):
        warning = " ".join(page.one("div", class_="warning").text.split())
        assert warning == f"“Which kinds?” was answered in run {FIRST}, and is now left out: {reason}"
        answers = [" ".join(e.text.split()) for e in page.all("li", class_="answer")]
        assert answers[1:] == [
            f"Which kinds? Left out: {reason} LEFT OUT 02_segmentation",
            f"What are they worth? Left out: {reason} LEFT OUT 03_lifetime_value",
        ]
        assert {f"{within}02_segmentation.html", f"{within}03_lifetime_value.html"} <= set(links(page))


def test_the_index_of_a_run_tells_how_it_was_made(runs, opened):
    page = opened(render_run_index(runs.add(SECOND, "COMPLETE")))
    said = page.one("dl", class_="facts").text
    for words in (
        "complete_journey",
        "2017-01-01 – 2017-12-31",
        "20180101",
        "6f81466 with changes not committed",
        "3.11.7",
    ):
        assert words in said
    assert [row.text for row in page.one("table").text and page.all("tr")] == [
        "TableRowsKeptSet asideFirstLast",
        "purchases1,469,3071,460,4678,8402017-01-012017-12-31",
    ]


def test_a_run_without_results_says_so(runs, opened):
    folder = runs.add(SECOND, "COMPLETE")
    (folder / "results.json").unlink()
    assert "No finding was published." in opened(render_run_index(folder)).text


def test_pages_can_be_read_by_others_and_leave_nothing_beside_them(runs):
    folder = runs.add(SECOND, "COMPLETE")
    for path in (render_run_index(folder), render_front_page(runs.reports)):
        assert path.stat().st_mode & 0o444 == (folder / "receipt.json").stat().st_mode & 0o444
        assert not list(path.parent.glob(".*"))
