"""Which models wait for a person, by what their gate said."""

import datetime as dt

import pytest

from crm.config import read_settings
from crm.reporting.waiting import waiting
from crm.tracking import CHALLENGER, CHAMPION, Registered, Version

DAY = dt.date(2018, 1, 10)


def version(number: str, *aliases: str, **tags: str) -> Version:
    return Version("cross-sell", number, DAY, aliases, {f"crm.{name}": told for name, told in tags.items()}, "")


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "crm.toml").write_text('[source]\nkind = "cdnow"\n[clock]\nas_of = 2018-01-01\n')
    (tmp_path / "mlruns").mkdir()
    return read_settings(tmp_path / "crm.toml")


@pytest.mark.parametrize(
    ("versions", "asks"),
    [
        ([version("1", CHAMPION)], ""),
        ([version("2", CHALLENGER)], ""),
        ([version("2", CHALLENGER), version("1", CHAMPION)], "crm review cross-sell"),
        ([version("2", CHALLENGER, gate="not judged"), version("1", CHAMPION)], "crm review cross-sell"),
        ([version("2", CHALLENGER, gate="passed"), version("1", CHAMPION)],
         "crm promote cross-sell --version 2 --reviewer WHO --reason WHY"),
        ([version("2", CHALLENGER, gate="failed"), version("1", CHAMPION)], ""),
    ],
    ids=["champion alone", "no champion", "never judged", "not judged", "passed", "failed"],
)  # fmt: skip
def test_a_challenger_waits_unless_its_gate_has_refused_it(settings, monkeypatch, versions, asks):
    monkeypatch.setattr(
        "crm.tracking.registered", lambda _: {"cross-sell": Registered("cross-sell", versions, ("1",))}
    )
    assert [one.command for one in waiting(None, settings, today=DAY)] == ([asks] if asks else [])


def test_a_page_of_a_review_that_is_there_is_linked(settings, monkeypatch):
    both = (version("2", CHALLENGER, gate="passed"), version("1", CHAMPION))
    monkeypatch.setattr("crm.tracking.registered", lambda _: {"cross-sell": Registered("cross-sell", both, ("1",))})
    page = settings.folders.reports / "review" / "cross-sell.html"
    assert [one.report for one in waiting(None, settings, today=DAY)] == [""]
    page.parent.mkdir(parents=True)
    page.write_text("")
    (one,) = waiting(None, settings, today=DAY)
    assert one.report == "review/cross-sell.html"
    assert one.what == "A better model waits: version 2 of cross sell, as of 2018-01-10, passed its gate."
