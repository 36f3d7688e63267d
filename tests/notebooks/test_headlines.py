"""The numbers of the front page, on a real run: each is one of its page's findings."""

import re

import pytest

from crm.headline import Headline

NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


@pytest.fixture(scope="session", params=["company_run", "real_run"])
def run(request):
    return request.getfixturevalue(request.param)


def said(notebook: dict, name: str) -> str:
    """What results.json has of a finding: its values, in every way that a sentence writes them."""
    (finding,) = (one for one in notebook["findings"] if one["name"] == name)
    ways = ("{:,}", "{:,.0f}", "{:,.1f}", "{:.0%}", "{:.1%}")
    written = [
        way.format(value) for value in finding["values"].values() if isinstance(value, int | float) for way in ways
    ]
    return " ".join([finding["sentence"], *written, *(str(value) for value in finding["values"].values())])


def test_every_page_has_a_headline_that_is_a_number_of_its_findings(run):
    for name, notebook in run.results["notebooks"].items():
        record = notebook["headline"]
        assert record is not None, name
        (finding,) = (one for one in notebook["findings"] if one["name"] == record["finding"])
        assert record["number"] == finding["values"][record["value"]], name
        assert Headline.read(record).as_record() == record, name


def test_every_number_of_a_headline_stands_in_results_json(run):
    for name, notebook in run.results["notebooks"].items():
        record = notebook["headline"]
        known = NUMBER.findall(said(notebook, record["finding"]))
        for number in NUMBER.findall(f"{record['label']} {record['sentence']} {record['interval']}"):
            assert number in known, f"{name}: {number} in {record['sentence']}"


def test_every_headline_stands_large_on_the_front_page(run):
    page = (run.home / "reports" / "index.html").read_text()
    shown = set(re.findall(r'<data value="([^"]*)">', page))
    assert shown == {str(notebook["headline"]["number"]) for notebook in run.results["notebooks"].values()}
    assert len(page.encode()) <= 300_000
