"""Data too few for an analysis leave it out, with the reason, and everything else is published; on real kernels."""

from __future__ import annotations

import json
from pathlib import Path

from crm.facts import read_facts
from crm.runner.run import Result, first_findings

REASON = "A fit needs 100 customers. Found: 12 of 2,469. Read more months."
THIN = """\
from crm.errors import NotEnoughData
def fit():
    raise NotEnoughData("A fit needs 100 customers.", found="12 of 2,469", do="Read more months.")
"""
FITS = "print('on the way')\nfit()  # a secret of the cell"
SUBCLASS = """\
from crm.errors import NotEnoughData
class NobodyCameBack(NotEnoughData):
    "Of a library of one's own."
"""
RAISES_SUBCLASS = 'raise NobodyCameBack("Somebody must\\nhave come back.", found="nobody", do="Wait.")'


def ended(result: Result) -> dict[str, str]:
    return {record.name: record.status for record in result.receipt.notebooks}


def reasons(result: Result) -> dict[str, str | None]:
    return {record.name: record.reason for record in result.receipt.left_out}


def test_what_the_data_are_too_few_for_is_left_out_and_the_rest_is_published(project):
    project.notebook("00_data")
    project.notebook("01_base")
    project.notebook("02_kinds", THIN, FITS)
    project.notebook("03_value", SUBCLASS, RAISES_SUBCLASS)
    project.notebook("04_lists", "1 / 0", needs=["01_base", "02_kinds"])
    project.notebook("05_letters", needs=["04_lists", "03_value"])
    result = project.run()
    receipt = result.receipt
    assert (receipt.status, result.published, result.exit_status, receipt.error) == ("COMPLETE", True, 0, None)
    assert list(ended(result).values()) == ["COMPLETE", "COMPLETE", *["LEFT_OUT"] * 4]
    assert reasons(result) == {
        "02_kinds": REASON,
        "03_value": "Somebody must have come back. Found: nobody. Wait.",
        "04_lists": f"02_kinds, whose scores it reads, is left out: {REASON}",
        "05_letters": "04_lists and 03_value, whose scores it reads, are left out: "
        f"02_kinds, whose scores it reads, is left out: {REASON}",
    }
    left_out = receipt.notebooks[2]
    assert (left_out.title, left_out.error, left_out.page) == ("What of kinds?", None, "02_kinds.html")
    assert (left_out.last_lines, left_out.mlflow_run_ids, left_out.was_there_in) == ((), (), None)
    assert left_out.seconds
    results = json.loads((result.folder / "results.json").read_text())
    assert list(results["notebooks"]) == ["00_data", "01_base"]
    assert results["left_out"] == reasons(result)
    assert [name for name, _ in first_findings(result)] == ["00_data", "01_base"]
    assert sorted(path.name for path in (project.scores / "1998-07-01").iterdir()) == ["base.parquet", "data.parquet"]
    kept = sorted(path.name for path in (result.folder / "notebooks").iterdir())
    assert kept == ["00_data.ipynb", "01_base.ipynb", "02_kinds.ipynb", "03_value.ipynb"]
    assert list(reasons(result)) == [name for name in reasons(result) if has_calm_page(result.folder, name)]


def has_calm_page(folder: Path, name: str) -> bool:
    """A page with its question and nothing of code or traceback, found from the index."""
    page = (folder / f"{name}.html").read_text()
    assert f"<h1>What of {name[3:]}?</h1>" in page
    assert page.count("<strong>Left out:</strong>") == 1
    for copy in (page, (folder / f"{name}.as_run.html").read_text()):
        assert "<strong>Left out:</strong>" in copy
        assert not [
            word for word in ("Traceback", "NotEnoughData:", "fit()", "a secret", "on the way") if word in copy
        ]
    return f'href="{name}.html"' in (folder / "index.html").read_text()


FOREIGN = """\
class NotEnoughData(Exception):
    rule, found, do = "A fit needs 100 customers.", "12", "Read more."
"""


def test_only_the_error_itself_leaves_out_and_only_where_it_ended_the_notebook(project):
    project.notebook("01_base")
    project.notebook("02_named_so", FOREIGN, "NotEnoughData.__module__ = 'crm.errors'", "raise NotEnoughData('x')")
    project.notebook(
        "03_cause", THIN, "try:\n    fit()\nexcept NotEnoughData as e:\n    raise ValueError('y') from e"
    )
    project.notebook("04_exits", THIN, "import os\ntry:\n    fit()\nexcept NotEnoughData:\n    os._exit(1)")
    project.notebook("05_goes_on", THIN, "get_ipython().run_cell('fit()')", "1 / 0")
    project.notebook("06_shows", THIN, "get_ipython().run_cell('fit()')")
    result = project.run()
    assert (result.receipt.status, result.published, reasons(result)) == ("PARTIAL", False, {})
    errors = {record.name: (record.error or "").split(" (in")[0] for record in result.receipt.notebooks}
    assert errors == {
        "01_base": "",
        "02_named_so": "x",
        "03_cause": "ValueError: y",
        "04_exits": "the kernel ended itself (exit status 1) in cell [4]",
        "05_goes_on": "ZeroDivisionError: division by zero",
        "06_shows": REASON,
    }
    assert set(ended(result).values()) == {"COMPLETE", "FAILED"}


def test_what_it_had_handed_over_before_is_taken_back(project):
    project.notebook("01_base")
    path = project.notebook("02_kinds", THIN)
    content = json.loads(path.read_text())
    content["cells"].append({**content["cells"][-1], "id": "more", "source": "fit()"})
    path.write_text(json.dumps(content))
    result = project.run()
    assert (result.published, ended(result)["02_kinds"]) == (True, "LEFT_OUT")
    assert sorted(path.name for path in (result.folder / "parts").iterdir()) == ["01_base.json"]
    assert [path.name for path in (project.scores / "1998-07-01").iterdir()] == ["base.parquet"]


def test_a_run_without_any_analysis_is_not_published_and_says_why(project):
    project.notebook("00_data")
    project.notebook("01_base", THIN, FITS)
    project.notebook("02_kinds", needs=["01_base"])
    done = project.command("run")
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["No analysis could be made: 01_base, 02_kinds are left out."]
    assert f"01_base is left out: {REASON}" in done.stdout.splitlines()
    assert "Not published; latest stays as it was." in done.stdout
    assert not (project.reports / "latest").exists()
    (receipt,) = project.receipts
    assert receipt.status == "FAILED"
    assert [record.page for record in receipt.notebooks] == ["00_data.html", "01_base.html", "02_kinds.html"]
    again = project.run("00_data")
    assert (ended(again)["01_base"], again.receipt.missing) == ("LEFT_OUT", ())
    assert (again.receipt.status, again.published, again.exit_status) == ("COMPLETE", False, 0)
    assert "It could not be published: No analysis could be made" in project.command("status").stdout
    assert "No complete run yet" in (project.reports / "index.html").read_text()


def test_one_notebook_alone_that_is_left_out_exits_1_and_the_others_are_completed_by_it(project):
    project.notebook("01_base")
    project.notebook("02_kinds", THIN, FITS)
    project.notebook("03_lists", needs=["02_kinds"])
    project.notebook("04_letters", needs=["03_lists"])
    early = project.run("02_kinds")
    assert (early.receipt.status, early.published, early.exit_status) == ("FAILED", False, 1)
    assert early.receipt.error == "No analysis could be made: 02_kinds is left out."
    assert (ended(early)["04_letters"], early.receipt.missing) == ("LEFT_OUT", ("01_base",))
    late = project.run("01_base")
    assert (late.receipt.status, late.published, late.receipt.missing) == ("COMPLETE", True, ())
    assert list(ended(late).values()) == ["COMPLETE", *["LEFT_OUT"] * 3]
    assert late.receipt.notebooks[1].carried_from == early.receipt.run_id
    assert reasons(late)["04_letters"] == (
        f"03_lists, whose scores it reads, is left out: 02_kinds, whose scores it reads, is left out: {REASON}"
    )
    assert all(has_calm_page(late.folder, name) for name in ("02_kinds", "03_lists", "04_letters"))
    assert "COMPLETE" in (late.folder / "02_kinds.html").read_text()
    project.notebook("02_kinds", "# it needs less now")
    third = project.run("03_lists")
    assert (ended(third), third.receipt.missing) == (
        {"01_base": "CARRIED", "03_lists": "SKIPPED"},
        ("02_kinds", "04_letters"),
    )


def test_what_was_there_before_and_is_left_out_now_is_said_loudly_once(project):
    project.notebook("01_base")
    project.notebook("02_kinds")
    project.notebook("03_value", THIN, FITS)
    first = project.run()
    project.notebook("02_kinds", THIN, FITS)
    done = project.command("run")
    assert done.returncode == 0, done.stderr
    loud = f"02_kinds was there in run {first.receipt.run_id}, and is now left out: {REASON}"
    quiet = f"03_value is left out: {REASON}"
    assert done.stderr.splitlines() == [loud]
    assert done.stdout.splitlines()[-2:] == ["  01_base: They are worth 3.", quiet]
    status = project.command("status")
    assert status.returncode == 0
    assert {loud, quiet} <= set(status.stdout.splitlines())
    receipt = project.receipts[0]
    assert [one.was_there_in for one in receipt.notebooks] == [None, first.receipt.run_id, None]
    third = project.run()
    assert (third.published, [one.was_there_in for one in third.receipt.notebooks]) == (True, [None] * 3)


def test_every_notebook_sees_the_facts_that_the_run_has_read(project):
    facts = read_facts(project.settings)
    assert str(facts.folder) in "".join(facts.as_environment().values())
    project.notebook("01_base", f"import os\nassert {facts.as_environment()!r}.items() <= os.environ.items()")
    result = project.run()
    assert result.published, result.receipt.notebooks
