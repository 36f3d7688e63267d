"""Review in a real store: who scores, who may follow, who decided; and a trace of it all."""

import datetime as dt
import json
import re
import shutil
from dataclasses import replace

import pandas as pd
import planted_scores
import pytest
from planted_scores import AS_OF, planted_record, tracked
from typer.testing import CliRunner

from crm.cli import app
from crm.config import read_settings
from crm.errors import RequestError
from crm.features import dictionary_hash
from crm.mart import open_mart
from crm.review import reviewable, standing_model
from crm.tracking import (
    TrackingError,
    approve_published,
    attach_notebook,
    champions,
    recall,
    registered_model,
    track_model,
    track_scoring,
)
from crm.tracking.store import store_of

pytestmark = pytest.mark.xdist_group("tracking")

FITTED = dt.date(1997, 8, 1)
WHO = ("--reviewer", "Ann Lee", "--reason", "better on *three* dates")


@pytest.fixture
def facts(cdnow, empty_store, tmp_path, monkeypatch):
    """CDNOW, in a project of its own with an empty store, where planted models can be reviewed."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setitem(reviewable._WHERE, "planted", "planted_scores:REVIEWABLE")
    home = tmp_path / "home"
    (home / "mlruns").mkdir(parents=True)
    shutil.copy(empty_store, home / "mlruns" / "mlflow.db")
    folders = cdnow.settings.folders
    (home / "crm.toml").write_text(
        f'[source]\nkind = "cdnow"\n[clock]\nas_of = {AS_OF}\n[review]\nmost_score_psi = 9.0\n'
        f'[folders]\ndata = "{folders.data}"\nnotebooks = "{folders.notebooks}"\n'
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


def publish(facts, says, *, as_of=FITTED, approve=True, **more):
    """Track a planted model and let it count, as a published run does."""
    folder = facts.settings.home / "reports" / "runs" / f"{as_of}_{says}"
    ids = track_model(tracked(says, as_of=as_of, **more), facts=facts, run_folder=folder)
    if approve:
        approve_published(ids, facts.settings)
    return ids


def client(facts):
    return store_of(facts.settings).client


def model(facts):
    return registered_model("planted", facts.settings)


def card(facts, number):
    return model(facts).by(number).card


def standing(facts, as_of=AS_OF, retrain="auto"):
    return standing_model("planted", facts, as_of, retrain=retrain)


def test_from_the_first_model_to_a_promotion_and_back(facts, crm):
    assert "Nothing to review: no model is registered yet" in crm("review")
    publish(facts, "vague")
    assert "nothing to review. Version 1, as of 1997-08-01, which nobody has reviewed, is champion" in crm("review")
    publish(facts, "true")
    front = facts.settings.folders.reports / "index.html"
    (front.parent / "runs").mkdir(parents=True, exist_ok=True)

    said = crm("review", "planted")
    assert "crm promote planted --version 2" in front.read_text()
    assert "version 2 beside the champion, version 1: passed every gate" in said
    assert "crm promote planted --version 2" in said
    page = (facts.settings.folders.reports / "review" / "planted.html").read_text()
    assert "Content-Security-Policy" in page
    assert "http" not in re.sub(r'http-equiv|"http://www.w3.org/[^"]*"', "", page)
    assert model(facts).by("2").tags["crm.gate"] == "passed"
    assert model(facts).champion.number == "1", "the judge decides nothing"

    planted_scores.REVIEWABLE.asked.clear()
    said = crm("promote", "planted", "--version", 2, *WHO)
    assert "version 2 is champion in place of version 1; the gate: passed. Reviewed by Ann Lee" in said
    assert "crm promote" not in front.read_text(), "what was decided is not asked for again"
    assert not planted_scores.REVIEWABLE.asked, "the verdict was written down already"
    version = model(facts).champion
    assert version.number == "2"
    assert model(facts).challenger is None
    assert version.tags["crm.reviewed_by"] == "Ann Lee"
    assert version.tags["crm.review_reason"] == "better on *three* dates"
    assert dt.date.fromisoformat(version.tags["crm.review_date"])
    assert "Nobody reviewed it yet" not in version.card
    assert re.search(r"- \d{4}-\d\d-\d\d, Ann Lee: promoted to champion. The gate: passed.", version.card)
    assert r"Reason: better on \*three\* dates" in version.card
    assert "Nobody reviewed it yet" in card(facts, "1")
    assert champions(facts.settings)["planted"]["version"] == "2"

    assert "version 1 is champion again in place of version 2" in crm("rollback", "planted", *WHO)
    assert model(facts).champion.number == "1"
    assert "rolled back; version 1 is champion again" in card(facts, "2")
    assert "champion again in place of version 2" in card(facts, "1")
    assert "champion version 1 and none before it" in crm("rollback", "planted", *WHO, exits=2)


def test_what_failed_needs_to_be_wanted_and_says_so_for_ever(facts, crm):
    publish(facts, "true")
    publish(facts, "random")
    said = crm("review")
    assert "version 2 beside the champion, version 1: failed" in said
    refused = crm("promote", "planted", "--version", 2, *WHO, exits=2)
    assert "must pass the gate" in refused
    assert "AUC: better, beyond its interval" in refused
    assert model(facts).champion.number == "1"

    assert "despite the gate" in crm("promote", "planted", "--version", 2, *WHO, "--despite-gate")
    marked = "**Promoted despite the gate, which it had not passed** (failed: AUC: better"
    assert marked in card(facts, "2")
    assert model(facts).champion.tags["crm.gate"] == "failed"
    crm("rollback", "planted", *WHO)
    assert marked in card(facts, "2")
    publish(facts, "too_high")
    crm("promote", "planted", "--version", 2, "--reviewer", "Bo", "--reason", "again", "--despite-gate")
    assert card(facts, "2").count("despite the gate") == 2, "each time, and the first stays"


@pytest.mark.parametrize(("says", "word"), [("leaked", "Too good to be true"), ("constant", "the same of everybody")])
def test_a_leak_and_a_constant_are_refused(facts, crm, says, word):
    publish(facts, "vague")
    publish(facts, says)
    assert f"refused. {'The challenger says ' if says == 'constant' else ''}{word}" in crm("review")
    assert word in crm("promote", "planted", "--version", 2, *WHO, exits=2)


def test_a_promotion_judges_anew_when_anything_changed(facts, crm):
    publish(facts, "vague")
    publish(facts, "true")
    crm("review")
    toml = facts.settings.home / "crm.toml"
    toml.write_text(toml.read_text().replace("most_score_psi = 9.0", "most_score_psi = 0.001"))
    assert "stability index" in crm("promote", "planted", "--version", 2, *WHO, exits=2)
    assert model(facts).by("2").tags["crm.gate"] == "failed"


def test_a_champion_made_by_hand_works_is_noticed_and_can_be_signed(facts, crm):
    publish(facts, "vague")
    publish(facts, "true")
    client(facts).set_registered_model_alias("planted", "champion", "2")
    by_hand = "Version 2 was made champion outside of crm promote: nobody is named as its reviewer."
    assert standing(facts).version == "2"
    assert by_hand in standing(facts).why
    assert champions(facts.settings)["planted"]["note"] == by_hand
    assert by_hand in crm("review")
    assert "Reviewed by Ann Lee" in crm("promote", "planted", "--version", 2, *WHO)
    assert "note" not in champions(facts.settings)["planted"]
    assert "kept as champion" in card(facts, "2")
    assert "Nothing needs to be done" in crm("promote", "planted", "--version", 2, *WHO, exits=2)
    crm("rollback", "planted", *WHO)
    assert model(facts).champion.number == "1"
    client(facts).set_registered_model_alias("planted", "champion", "2")
    crm("rollback", "planted", *WHO)
    assert model(facts).champion.number == "1", "from one chosen by hand, back to the one before"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("review", "plantd"), "no model 'plantd'"),
        (("promote", "planted", "--version", 9, *WHO), "Known are 1;"),
        (("promote", "planted", "--version", 1, "--reviewer", " ", "--reason", "x"), "--reviewer must say who"),
        (("promote", "planted", "--version", 1, "--reviewer", "A", "--reason", "x" * 501), "in up to 500 letters"),
        (("rollback", "planted", *WHO), "none before it"),
        (("rollback", "other", *WHO), "Known are planted"),
    ],
    ids=["unknown", "no such version", "nobody", "too long", "nothing before", "another"],
)
def test_wrong_requests_change_nothing(facts, crm, command, said):
    publish(facts, "vague")
    assert said in crm(*command, exits=2)
    assert "Nobody reviewed it yet" in card(facts, "1")


def test_what_cannot_be_judged_is_said_and_exits_with_one(facts, crm):
    publish(facts, "vague")
    publish(facts, "empty")
    assert "must give every customer one number" in crm("review", exits=1)
    publish(facts, "true", as_of=AS_OF)
    said = crm("review", "--as-of", "1997-12-01", exits=1)
    assert "Version 3 is as of 1998-01-01, a later date than 1997-12-01" in said
    assert "not judged" in crm("promote", "planted", "--version", 3, *WHO, "--as-of", "1997-12-01", exits=2)


def test_what_is_older_than_the_champion_does_not_challenge_it(facts):
    publish(facts, "vague", as_of=AS_OF)
    publish(facts, "true", as_of=FITTED)
    assert model(facts).challenger is None
    publish(facts, "random", as_of=AS_OF)
    assert model(facts).challenger.number == "3"


def test_the_champion_is_recalled_as_it_was_written_down(facts):
    assert recall("planted", facts, AS_OF).why_not == "There is no champion yet."
    publish(facts, "vague")
    found = recall("planted", facts, AS_OF)
    assert found.record == planted_record("vague", as_of=FITTED)
    assert (found.version.number, found.as_of) == ("1", FITTED)
    assert found.version.tags["crm.features"] == dictionary_hash(open_mart(facts))
    early = recall("planted", facts, FITTED - dt.timedelta(days=1))
    assert early.record is None
    assert early.why_not == "The champion, version 1, is as of 1997-08-01, a later date than 1997-07-31."
    source = facts.settings.source.model_copy(update={"kind": "complete_journey"})
    other = replace(facts, settings=facts.settings.model_copy(update={"source": source}))
    assert "of another source" in recall("planted", other, AS_OF).why_not
    next(facts.settings.home.rglob("planted.json")).unlink()
    with pytest.raises(TrackingError, match="files of version 1 of planted must be there"):
        recall("planted", facts, AS_OF)


def days(number):
    return FITTED + dt.timedelta(days=number)


def test_when_a_model_is_fitted_anew(facts):
    first = standing(facts)
    assert (first.record, first.retrain) == (None, True)
    assert first.why == "There is no champion yet. A model is fitted, and it scores."
    with pytest.raises(RequestError, match="there must be a champion") as refused:
        standing(facts, retrain="never")
    assert "--retrain auto" in refused.value.do
    with pytest.raises(RequestError, match="auto, always, never"):
        standing(facts, retrain="sometimes")

    publish(facts, "vague")
    young = standing(facts, days(90))
    assert (young.version, young.as_of, young.retrain) == ("1", FITTED, False)
    assert "Nothing asks for another: it is 90 days old; 0 of 1 columns moved" in young.why
    old = standing(facts, days(91))
    assert old.retrain
    assert old.record is not None
    assert "as a challenger: it is 91 days old (from 91 on)." in old.why
    assert standing(facts, days(90), "always").retrain
    never = standing(facts, days(91), "never")
    assert (never.version, never.retrain) == ("1", False)
    earlier = standing(facts, days(-1))
    assert earlier.record is None
    assert earlier.retrain
    assert "a later date than 1997-07-31" in earlier.why


def test_other_features_ask_for_another_model(facts):
    publish(facts, "vague")
    client(facts).set_model_version_tag("planted", "1", "crm.features", "0123456789abcdef")
    found = standing(facts, days(1))
    assert found.retrain
    assert "the features are others than then (dictionary 01234567, now " in found.why


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ({"spends": 300.0}, "1 of 1 columns moved, 100% (more than 25%)"),
        ({"columns": ["spend", "cases_365d"]}, "reads what is no longer there: cases_365d."),
    ],
    ids=["other customers", "a column that is gone"],
)
def test_drift_asks_for_another_model(facts, record, why):
    publish(facts, "vague", **record)
    found = standing(facts, days(1))
    assert found.retrain
    assert why in found.why


def test_the_scores_drift_too(facts):
    scores = pd.DataFrame({"spend": [1.0] * 600, "score": [0.99] * 600})
    from crm.measures.stability import Population

    publish(facts, "vague", population=Population.of(scores).as_record(), columns=[])
    toml = facts.settings.home / "crm.toml"
    toml.write_text(toml.read_text().replace("9.0", "0.25"))
    found = standing(replace(facts, settings=read_settings(toml)), days(1))
    assert found.retrain
    assert re.search(r"the score's stability index is \d+\.\d\d \(from 0.25\)", found.why)


def test_a_run_that_only_scored_is_kept_and_approves_nothing(facts, tmp_path):
    publish(facts, "vague")
    given = {"version": "1", "facts": facts, "measures": {"drift_score_psi": 0.04}}
    table = {"drift": pd.DataFrame({"feature": ["spend"], "psi": [0.01]})}
    assert track_scoring("planted", run_folder="", **given) == ()
    ids = track_scoring("planted", run_folder=tmp_path / "a-run", tables=table, **given)
    notebook = tmp_path / "04_planted.ipynb"
    notebook.write_text("{}")
    attach_notebook(ids, notebook, facts.settings)
    approve_published(ids, facts.settings)
    run = client(facts).get_run(ids[0])
    assert run.info.status == "FINISHED"
    assert run.data.tags["crm.scored_by"] == "1"
    assert run.data.tags["crm.run_id"] == "a-run"
    assert run.data.metrics == {"drift_score_psi": 0.04}
    assert run.data.params["champion_version"] == "1"
    assert len(model(facts).versions) == 1
    assert model(facts).challenger is None
    with pytest.raises(RequestError, match="No customer is ever stored"):
        track_scoring("planted", run_folder=tmp_path, tables={"all": pd.DataFrame({"customer_id": [1]})}, **given)


def test_whom_a_model_was_fitted_on_is_kept_with_its_run(facts, tmp_path):
    from crm.measures.stability import Population

    population = Population.of(pd.DataFrame({"spend": [1.0, 2.0, 3.0]}))
    (run,) = track_model(tracked("true"), facts=facts, run_folder=tmp_path / "run", population=population)
    file = client(facts).download_artifacts(run, "population.json", str(tmp_path))
    with open(file, encoding="utf-8") as text:  # noqa: PTH123 - a path from MLflow
        assert Population.from_record(json.load(text)) == population
