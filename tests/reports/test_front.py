"""The ways in: a run's index and the front page, whatever the runs left behind."""

import datetime as dt
import json

import pytest
from lists_drawn import a_list, kept
from typer.testing import CliRunner

from crm.cli import app
from crm.config import read_settings
from crm.reporting import render_front_page, render_run_index, render_ways_in

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


def waiting(page) -> str:
    """What needs a decision, in one line."""
    return " ".join(page.one("section", class_="waiting").text.split())


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
    assert [e.text for e in page.all("span", class_="badge")] == ["COMPLETE"]
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
    assert {e.text for e in page.all("h3")} == ({f"{name}?" for name in ended} if shown else set())


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
    assert links(page) == ["03_lifetime_value.html", "01_customer_base.html", "03_lifetime_value.html"]
    assert "“What are they worth?” failed. See why, mend it, and run again: crm run" in waiting(page)


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


# ---- Headlines: the number, what changed, how it went


def a_headline(number: float, **other) -> dict:
    """A headline as it stands in results.json."""
    usual = {
        "finding": "worth", "value": "margin", "number": number, "label": "margin expected in the next 91 days",
        "sentence": f"{number:,.0f} USD are expected.", "unit": "USD", "better": "more", "low": None, "high": None,
        "interval": "", "trail": None,
    }  # fmt: skip
    return usual | other


@pytest.fixture
def run_with(runs):
    """Add a complete run with this headline; `published` lets `latest` lead to it."""

    def add(run_id: str, headline: object, *, published: bool = True, **receipt):
        folder = runs.add(run_id, "COMPLETE", **receipt)
        results = json.loads((folder / "results.json").read_text())
        results["notebooks"]["01_customer_base"]["headline"] = headline
        (folder / "results.json").write_text(json.dumps(results))
        if published:
            runs.publish(run_id)
        return folder

    return add


def changed(page) -> str:
    return " ".join(page.one("p", class_="change").text.split())


def test_the_headline_is_the_number_of_results_json_and_the_first_run_has_no_change(front, run_with, opened):
    folder = run_with(SECOND, a_headline(279983.5549, low=265576.2, high=295172.5, interval="90% interval"))
    for page in (front(), opened(render_run_index(folder))):
        assert page.one("data").attributes["value"] == "279983.5549"
        assert page.one("p", class_="number").text == "279,984 USD"
        assert page.one("p", class_="what").text == "margin expected in the next 91 days"
        assert page.one("p", class_="interval").text == "265,576 to 295,172 (90% interval)"
        assert page.one("p", class_="first").text == "279,984 USD are expected."
        assert not page.all("p", class_="change")
        assert "Over time" not in [e.text for e in page.all("h2")]


@pytest.mark.parametrize(
    ("now", "then", "more", "words", "tone"),
    [
        (1200, 1000, {}, "▲ Up by 200 USD (+20.0%) since 2017-12-01: better.", "good"),
        (800, 1000, {}, "▼ Down by 200 USD (−20.0%) since 2017-12-01: worse.", "bad"),
        (1200, 1000, {"better": "less"}, "▲ Up by 200 USD (+20.0%) since 2017-12-01: worse.", "bad"),
        (1200, 1000, {"better": "neither"}, "▲ Up by 200 USD (+20.0%) since 2017-12-01.", "plain"),
        (1000.2, 1000.4, {}, "= Unchanged since 2017-12-01.", "plain"),
        (0.512, 0.5, {"unit": "share"}, "▲ Up by 1.2 percentage points since 2017-12-01: better.", "good"),
        (5, -5, {"unit": ""}, "▲ Up by 10 since 2017-12-01: better.", "good"),
        (1200, 1000, {"low": 900, "high": 1500}, "▲ Up by 200 USD (+20.0%) since 2017-12-01: within today's "
         "interval, so it may be chance.", "plain"),
        (1200, None, {}, "No number to compare with since 2017-12-01.", "plain"),
    ],
    ids=["more", "less", "less is better", "neither", "as good as the same", "share", "below zero", "may be chance",
         "none before"],
)  # fmt: skip
def test_the_change_since_the_run_before_is_said_in_words_and_not_by_colour_alone(
    front, run_with, now, then, more, words, tone
):
    run_with(FIRST, None if then is None else a_headline(then, **more))
    run_with(SECOND, a_headline(now, **more))
    page = front()
    assert changed(page) == words
    assert tone in page.one("p", class_="change").attributes["class"].split()


def test_a_number_that_was_measured_otherwise_is_not_compared(front, run_with):
    run_with(FIRST, a_headline(1000, label="margin expected in the next 56 days"))
    run_with(SECOND, a_headline(1200))
    assert changed(front()) == "No number to compare with since 2017-12-01."


def test_the_run_before_is_the_newest_of_an_earlier_date_that_was_complete(front, run_with, runs):
    run_with("2017-11-01_20261101T000000Z_old1", a_headline(1), published=False)
    run_with(FIRST, a_headline(1000), published=False)
    run_with("2017-12-01_20261021T000000Z_old2", a_headline(2), published=False)  # of the same date, started before
    runs.add("2017-12-15_20261101T000000Z_fail", "FAILED")
    run_with(SECOND, a_headline(1000))
    page = front()
    assert changed(page) == "= Unchanged since 2017-12-01."
    assert "Held against the run as of 2017-12-01, started 2026-10-22 15:18 UTC." in page.text


MORE_MARGIN = {"money": {"gross_margin": 0.3}}
SETTINGS_CHANGED = "Settings changed since, so the numbers may differ for that alone."
PROGRAM_CHANGED = "The program changed since."


@pytest.mark.parametrize(
    ("then", "said"),
    [
        ({"settings": {"money": {"gross_margin": 0.25}}}, [SETTINGS_CHANGED]),
        ({"settings": MORE_MARGIN | {"clock": {"as_of": "2017-12-01"}}}, []),
        ({"settings": MORE_MARGIN, "code": {"version": "0.0.9"}}, [PROGRAM_CHANGED]),
    ],
    ids=["settings", "the date alone", "program"],
)  # fmt: skip
def test_what_else_changed_is_said_once(front, run_with, then, said):
    run_with(FIRST, a_headline(1000), **then)
    run_with(SECOND, a_headline(1200), settings=MORE_MARGIN | {"clock": {"as_of": "2018-01-01"}})
    page = front()
    told = [words for words in (SETTINGS_CHANGED, PROGRAM_CHANGED) if words in page.text]
    assert told == said


def test_of_the_same_date_a_run_with_other_settings_is_the_one_before_and_a_repeated_one_is_not(front, run_with):
    run_with(SECOND, a_headline(1000), settings=MORE_MARGIN)
    run_with(THIRD, a_headline(1200), settings=MORE_MARGIN)
    assert not front().all("p", class_="change")
    run_with("2018-01-01_20261124T000000Z_dddd", a_headline(1500), settings={"money": {"gross_margin": 0.25}})
    assert changed(front()) == ("▲ Up by 300 USD (+25.0%) since the run before (same date, other settings): better.")


def test_headlines_over_time_stand_in_one_table_the_newest_first(front, run_with):
    for month, number in enumerate((700, 800, 900, 1000, 1100, 1200, 1300), start=1):
        run_with(f"2017-{month:02}-01_20261122T15{month:02}00Z_aaaa", a_headline(number))
    page = front()
    table = page.one("table", class_="times").text
    assert "".join(f"2017-{month:02}-01" for month in (7, 6, 5, 4, 3, 2)) in "".join(table.split())
    assert [e.text for e in page.all("td", class_="number")][:6] == ["1,300", "1,200", "1,100", "1,000", "900", "800"]
    assert page.one("svg", class_="line").attributes["aria-label"] == (
        "Margin expected in the next 91 days, USD: 2017-01-01: 700 USD first, 2017-07-01: 1,300 USD last; "
        "lowest 2017-01-01: 700 USD, highest 2017-07-01: 1,300 USD; 7 values"
    )


@pytest.mark.parametrize("drawn", ["line", "bars", "named"])
def test_names_from_the_data_are_shown_and_never_run(front, run_with, drawn):
    trail = {"label": EVIL, "points": [[EVIL, 2], [f'"{EVIL}', -1]], "drawn": drawn, "unit": EVIL}
    evil = {"finding": EVIL, "value": EVIL, "label": EVIL, "sentence": EVIL, "unit": EVIL, "interval": EVIL}
    run_with(FIRST, a_headline(1, **evil), published=False)
    run_with(SECOND, a_headline(2, trail=trail, low=1, high=3, **evil))
    page = front()  # `opened` finds no script but ours, and no handler
    assert page.one("p", class_="first").text == EVIL
    assert page.one("figcaption").text == EVIL


@pytest.mark.parametrize(
    "headline",
    [[], "x", {"number": "many"}, {"number": 3, "trail": {"drawn": "line", "points": "x"}}, {"number": 1e400}],
    ids=["list", "text", "no number", "broken trail", "infinite"],
)
def test_a_broken_headline_never_breaks_the_page(front, run_with, headline):
    run_with(FIRST, a_headline(1))
    run_with(SECOND, headline)
    assert "Our customers" in front().one("h1").text


def test_the_front_page_stays_small_with_many_runs(runs, run_with):
    points = [[f"2017-{month:02}", month * 1000.5] for month in range(1, 25)]
    for day in range(60):
        headline = a_headline(
            1000.0 + day, trail={"label": "By month", "points": points, "drawn": "line", "unit": "USD"}
        )
        run_with(f"20{17 + day // 12}-{day % 12 + 1:02}-01_20261122T15{day:02}00Z_aaaa", headline)
    assert render_front_page(runs.reports).stat().st_size <= 300_000


# ---- What needs a decision


@pytest.fixture
def project(runs, tmp_path):
    """The settings of the project whose reports these are."""
    toml = tmp_path / "crm.toml"
    toml.write_text('[source]\nkind = "cdnow"\n[clock]\nas_of = 2018-01-01\n')
    return read_settings(toml)


def on_the_day(opened, project, day: str):
    return opened(render_ways_in(project, now=dt.datetime.fromisoformat(f"{day}T12:00:00+00:00")))


def test_nothing_waits(runs, opened, project):
    runs.add(SECOND, "COMPLETE")
    assert waiting(on_the_day(opened, project, "2018-01-02")) == "Needs a decision now Nothing is waiting."


def test_a_list_waits_until_somebody_says_it_was_sent(runs, opened, project):
    runs.add(SECOND, "COMPLETE")
    runs.publish(SECOND)
    kept(project.folders.data, a_list())
    asked = "customers to contact, 1 held out) Say on which day it was sent, or --never: crm sent retain-2018-01-01"
    due = waiting(on_the_day(opened, project, "2018-01-10"))
    assert "The list retain-2018-01-01 is to be sent by 2018-01-15. retain (2 " + asked in due
    late = waiting(on_the_day(opened, project, "2018-01-16"))
    assert "was to be sent by 2018-01-15, and nobody has said so yet. retain (2 " + asked in late

    index = runs.reports / "latest" / "index.html"
    assert "retain-2018-01-01" in index.read_text()
    said = CliRunner().invoke(app, ["sent", "retain-2018-01-01", "--on", "2018-01-05", "--config",
                                    str(project.home / "crm.toml")])  # fmt: skip
    assert said.exit_code == 0, said.output
    for page in (runs.reports / "index.html", index):
        assert waiting(opened(page)) == "Needs a decision now Nothing is waiting."


def test_lists_of_one_date_are_one_thing_and_old_ones_are_counted(runs, opened, project):
    runs.add(SECOND, "COMPLETE")
    for as_of in ("2017-09-01", "2017-10-01", "2017-11-01", "2017-12-01"):
        for programme in ("retain", "win_back"):
            kept(project.folders.data, a_list(as_of=as_of, programme=programme))
    said = waiting(on_the_day(opened, project, "2017-12-10"))
    assert said.index("The 2 lists as of 2017-12-01 are to be sent by 2017-12-15.") < said.index("as of 2017-11-01")
    assert "win back (2 customers to contact, 1 held out)" in said
    assert "2 older lists are not marked as sent. See them all: crm lists" in said


def test_lists_that_cannot_be_read_are_said_and_the_page_is_whole(runs, opened, project):
    runs.add(SECOND, "COMPLETE")
    one = kept(project.folders.data, a_list())
    (one.folder / "list.json").write_text("{broken")
    page = on_the_day(opened, project, "2018-01-10")
    assert "The action lists cannot be read: A list is kept as it was written" in waiting(page)
    assert page.one("h3").text == "Who are our customers?"


def test_consents_that_nobody_checked_are_asked_for_while_a_list_waits(runs, opened, project, recorded):
    lists = recorded("07_action_lists", "Whom do we contact?", "COMPLETE")
    folder = runs.add(SECOND, "COMPLETE", notebooks=[lists])
    found = [{"name": "consents_elsewhere", "sentence": "Consents were NOT checked here."}]
    (folder / "results.json").write_text(json.dumps({"notebooks": {"07_action_lists": {"findings": found}}}))
    assert "NOT checked" not in waiting(on_the_day(opened, project, "2018-01-10"))
    kept(project.folders.data, a_list())
    assert "Consents were NOT checked here." in waiting(on_the_day(opened, project, "2018-01-10"))


@pytest.mark.parametrize(
    ("receipt", "said"),
    [
        ({"latency": {"data_days": 8}}, "The data end 8 days before the as-of date."),
        ({"latency": {"data_days": 7}}, "Nothing is waiting."),
        ({"source": {"tables": [{"table": "returns", "rows": 1000, "set_aside": 10}]}},
         "Of 1,000 rows of returns, 10 (1.0%) were set aside. See for which reasons."),
        ({"source": {"tables": [{"table": "returns", "rows": 1000, "set_aside": 9}]}}, "Nothing is waiting."),
        ({"source": {"tables": [None, {"rows": "x"}, {"rows": 0, "set_aside": 1}]}}, "Nothing is waiting."),
        ({"lists": {"a": "kept", "b": "b was sent on 2018-01-05: it must not be sent"}},
         "b was sent on 2018-01-05: it must not be sent."),
        ({"lists": "x", "source": 7}, "Nothing is waiting."),
    ],
    ids=["stale", "a week", "set aside", "few set aside", "odd tables", "not kept", "odd receipt"],
)  # fmt: skip
def test_what_is_wrong_with_the_data_waits(runs, opened, project, receipt, said):
    runs.add(SECOND, "COMPLETE", **receipt)
    assert said in waiting(on_the_day(opened, project, "2018-01-10"))


def test_a_registry_that_cannot_be_read_does_no_harm(runs, opened, project):
    runs.add(SECOND, "COMPLETE")
    store = project.home / "mlruns" / "mlflow.db"
    store.parent.mkdir()
    store.write_text("no database")
    assert waiting(on_the_day(opened, project, "2018-01-10")) == "Needs a decision now Nothing is waiting."
