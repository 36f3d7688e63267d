"""The page of a review: the verdict first, nothing from outside, and nothing that people wrote becomes HTML."""

import datetime as dt
import re

import pandas as pd
import pytest

from crm.reporting.review import render_review
from crm.review import Gate, Verdict
from crm.tracking import Registered, Version

EVIL = "<script>alert(1)</script>"


def version(number, *aliases, card="# A card"):
    return Version("planted", number, dt.date(2018, 1, 1), aliases, {}, card)


def page_of(tmp_path, **more):
    verdict = Verdict("planted", dt.date(2018, 1, 1), "1", "2", "key", **more)
    model = Registered("planted", (version("2", "challenger", card=EVIL), version("1", "champion")), ("1",))
    return render_review(tmp_path / "review" / "planted.html", model, verdict, next_step="Read its card.").read_text()


def words(page):
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<style>.*?</style>", "", page)).split())


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"gates": (Gate("AUC: better", 0.02, True, 0.0, 0.01, 0.03),)}, "passed every gate"),
        (
            {"gates": (Gate("AUC: better", -0.02, False, 0.0, -0.03, -0.01),)},
            "AUC: better (found -0.02, -0.03 to -0.01",
        ),
        ({"refused": "Too good to be true"}, "refused. Too good to be true."),
        ({"unjudged": "There is no date yet."}, "not judged. There is no date yet."),
        ({"by_person": True}, "a person must look"),
    ],
    ids=["passed", "failed", "refused", "not judged", "by a person"],
)
def test_the_verdict_is_said(tmp_path, found, said):
    told = words(page_of(tmp_path, **found))
    assert said in told
    assert told.index(said) < told.index("The model cards")
    assert "Read its card." in told


def test_nothing_that_people_wrote_becomes_html(tmp_path):
    groups = pd.DataFrame({"group": [EVIL], "customers": [60], "champion": [0.8], "challenger": [0.7],
                           "gain": [-0.1], "low": [-0.2], "high": [0.0]})  # fmt: skip
    page = page_of(tmp_path, by_group=groups, notes=(EVIL,), unjudged=EVIL)
    assert page.count("<script") == 1  # the page's own
    assert page.count("&lt;script&gt;") >= 4
    assert "default-src 'none'" in page
