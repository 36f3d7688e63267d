"""What must not pass: another question, a false date, a champion set by hand, and files that somebody broke."""

import datetime as dt
import json
import shutil
import warnings
from dataclasses import dataclass, replace

import planted_scores
import pytest
from planted_scores import AS_OF, Planted, planted_record, tracked
from typer.testing import CliRunner

from crm.cli import app
from crm.config import read_settings
from crm.review import reviewable, standing_model
from crm.tracking import approve_published, recall, registered_model, track_model
from crm.tracking.store import store_of

pytestmark = pytest.mark.xdist_group("tracking")

FITTED = dt.date(1997, 8, 1)
WHO = ("--reviewer", "Ann Lee", "--reason", "it is right")


@dataclass(frozen=True)
class Asked(Planted):
    """Its models tell something within `days`, and learn up to `learnt`."""

    def other_question(self, record, facts):
        asked, tells = facts.settings.definitions.defected_after_days, record.get("days", 56)
        return "" if asked == tells else f"it tells who leaves within {tells} days, and {asked} are asked"

    def learnt_through(self, record):
        return dt.date.fromisoformat(record["learnt"]) if "learnt" in record else None


@pytest.fixture
def facts(cdnow, empty_store, tmp_path, monkeypatch):
    """CDNOW, in a project of its own with an empty store, where planted models can be reviewed."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setitem(reviewable._WHERE, "planted", "planted_scores:REVIEWABLE")
    monkeypatch.setattr(planted_scores, "REVIEWABLE", Asked())
    home = tmp_path / "home"
    (home / "mlruns").mkdir(parents=True)
    shutil.copy(empty_store, home / "mlruns" / "mlflow.db")
    folders = cdnow.settings.folders
    (home / "crm.toml").write_text(
        f'[source]\nkind = "cdnow"\n[clock]\nas_of = {AS_OF}\n[review]\nmost_score_psi = 9.0\n[definitions]\n'
        f'defected_after_days = 56\n[folders]\ndata = "{folders.data}"\nnotebooks = "{folders.notebooks}"\n'
    )
    return replace(cdnow, settings=read_settings(home / "crm.toml"))


@pytest.fixture
def crm(facts):
    """The command, on that project."""

    def call(command, *arguments, exits=0):
        given = [command, *map(str, arguments), "--config", str(facts.settings.home / "crm.toml")]
        done = CliRunner().invoke(app, given, catch_exceptions=False, env={"COLUMNS": "160"})
        assert done.exit_code == exits, done.output
        return " ".join(done.output.split())

    return call


def publish(facts, *models):
    """Track planted models, each with more for its record, and let them count, as published runs do."""
    for says, more in models:
        ids = track_model(
            tracked(says, as_of=FITTED, **more), facts=facts, run_folder=facts.settings.home / "reports" / says
        )
        approve_published(ids, facts.settings)


def record_file(facts, says):
    """The record of a version, among its files."""
    return next(file for file in facts.settings.home.rglob("planted.json") if f'"says": "{says}"' in file.read_text())


def tag(facts, number, name, value):
    store_of(facts.settings).client.set_model_version_tag("planted", number, name, value)


def champion(facts):
    return registered_model("planted", facts.settings).champion.number


def test_a_champion_that_answers_another_question_neither_scores_nor_is_judged(facts, crm):
    publish(facts, ("vague", {}), ("true", {"days": 28}))
    assert standing_model("planted", facts, AS_OF, retrain="auto").version == "1"
    assert "not judged. Version 2 answers another question: it tells who leaves within 28 days, and 56" in crm(
        "review", exits=1
    )
    toml = facts.settings.home / "crm.toml"
    toml.write_text(toml.read_text().replace("defected_after_days = 56", "defected_after_days = 28"))
    other = replace(facts, settings=read_settings(toml))
    found = standing_model("planted", other, AS_OF, retrain="auto")
    assert (found.record, found.retrain) == (None, True)
    assert found.why == (
        "The champion, version 1, answers another question: it tells who leaves within 56 days, and 28 are asked. "
        "A model is fitted, and it scores."
    )
    assert "Version 1 answers another question" in crm("promote", "planted", "--version", 2, *WHO, exits=2)


@pytest.mark.parametrize(
    ("more", "says_tag", "said"),
    [
        ({"learnt": "1997-08-01"}, "1997-08-01", "passed every gate"),
        ({"learnt": "1997-08-02"}, "1997-08-01", "as of 1997-08-01, and has learnt from outcomes up to 1997-08-02"),
        ({}, "1997-07-01", "its record is as of 1997-08-01, its tag crm.as_of says 1997-07-01"),
    ],
    ids=["up to its date", "past its date", "another tag"],
)
def test_a_false_date_is_refused_as_a_leak(facts, crm, more, says_tag, said):
    publish(facts, ("vague", {}), ("true", more))
    tag(facts, "2", "crm.as_of", says_tag)
    found = crm("review")
    assert said in found
    assert ("refused. A leak" in found) == ("passed" not in said)
    store_of(facts.settings).client.set_registered_model_alias("planted", "champion", "2")
    assert standing_model("planted", facts, AS_OF, retrain="auto").version == ("2" if "passed" in said else "")


@pytest.mark.parametrize(("says", "gate"), [("random", "failed"), ("short", "must give every"), ("true", "passed")])
def test_a_champion_set_by_hand_goes_through_the_gate_when_it_is_signed(facts, crm, says, gate):
    publish(facts, ("vague", {}), (says, {}))
    store_of(facts.settings).client.set_registered_model_alias("planted", "champion", "2")
    sign = ("promote", "planted", "--version", 2, *WHO)
    if says == "true":
        assert "version 2 is champion; the gate: passed" in crm(*sign)
        return
    if says == "short":
        assert gate in crm(*sign, exits=1)
        return
    assert "must pass the gate" in crm(*sign, exits=2)
    assert registered_model("planted", facts.settings).by_hand
    assert "promoted despite the gate" in crm(*sign, "--despite-gate")
    assert "Promoted despite the gate" in registered_model("planted", facts.settings).champion.card


def test_nobody_has_an_easier_time_beside_a_bad_champion_set_by_hand(facts, crm):
    publish(facts, ("true", {}), ("random", {}), ("vague", {}))
    store_of(facts.settings).client.set_registered_model_alias("planted", "champion", "2")
    assert "version 3 beside the champion, version 1: failed" in crm("review")
    assert "version 1 is champion in place of version 2; the gate: passed" in crm(
        "promote", "planted", "--version", 1, *WHO
    )


def test_the_first_champion_of_a_published_run_is_signed_as_it_stands(facts, crm):
    publish(facts, ("vague", {}))
    assert "version 1 is champion; the gate: not judged. Reviewed by Ann Lee" in crm(
        "promote", "planted", "--version", 1, *WHO
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "JSONDecodeError: Expecting property name"),
        ("[1]", "AttributeError: 'list' object has no attribute 'items'"),
        (json.dumps({"says": "true"}), "KeyError: 'as_of'"),
        (json.dumps({**planted_record("true", as_of=FITTED), "says": "trees"}), "KeyError: 'trees'"),
        (None, "must be a date such as 2017-12-31. Found: 'yesterday'"),
    ],
    ids=["not JSON", "a list", "a key is missing", "broken within", "a tag that is no date"],
)
def test_what_somebody_broke_is_one_clear_line(facts, crm, text, said):
    publish(facts, ("vague", {}), ("true", {}))
    if text is None:
        tag(facts, "2", "crm.as_of", "yesterday")
    else:
        record_file(facts, "true").write_text(text)
    found = crm("review", exits=1)
    assert said in found
    assert "ersion 2 of planted" in found
    assert "Traceback" not in found
    if text == "{":
        assert recall("planted", facts, AS_OF).version.number == "1"


def test_beyond_the_data_nothing_is_judged(facts, crm):
    publish(facts, ("vague", {}), ("true", {}))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        said = crm("review", "--as-of", "1999-01-01", exits=1)
    assert "not judged. 1999-01-01 lies beyond the data: the last date on which all is known is 1998-07-01" in said
    assert not planted_scores.REVIEWABLE.asked
    beyond = ("promote", "planted", "--version", 2, *WHO, "--as-of", "1999-01-01")
    assert "not judged" in crm(*beyond, exits=2)
    assert champion(facts) == "1"
    assert "despite the gate" in crm(*beyond, "--despite-gate")
