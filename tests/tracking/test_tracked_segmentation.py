"""A segmentation in a real store: all a reviewer needs, no customer, and a model that needs no trust to load."""

import datetime as dt
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pytest
from mlflow.models import Model

from crm.analyses.segmentation import segment_customers
from crm.analyses.segmentation.behaviour import customer_behaviour
from crm.errors import RequestError
from crm.facts import read_facts
from crm.mart import open_mart
from crm.snapshots import snapshot
from crm.tracking import (
    TrackingError,
    approve_published,
    approved_segments,
    attach_notebook,
    champions,
    track_model,
    track_segmentation,
)
from crm.tracking.segmentation import _tracked
from crm.tracking.store import store_of

pytestmark = pytest.mark.xdist_group("tracking")

AS_OF = dt.date(2018, 1, 1)


@dataclass(frozen=True)
class Picture:
    content: bytes = b"<svg/>"
    kind: str = "svg"


@dataclass(frozen=True)
class Chart:
    """What reporting's charts look like from here."""

    picture: Picture | None


@pytest.fixture(scope="module")
def made(settings_for):
    """A small sample company, and its segmentation."""
    facts = read_facts(settings_for("sample_company", AS_OF.isoformat(), source="customers = 1000\nseed = 5"))
    return facts, segment_customers(facts, AS_OF)


@pytest.fixture
def without_store(made, tmp_path, monkeypatch):
    """The facts, in a project without a store."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return replace(made[0], settings=made[0].settings.model_copy(update={"home": tmp_path / "home"}))


@pytest.fixture
def facts(without_store, empty_store):
    """The facts, in a project with a store of its own."""
    database = store_of(without_store.settings).database
    database.parent.mkdir(parents=True)
    shutil.copy(empty_store, database)
    return without_store


@pytest.fixture
def segmentation(made):
    return made[1]


@pytest.fixture
def run_folder(tmp_path):
    folder = tmp_path / "reports" / "2018-01-01_20180102T030000Z_3f2a"
    folder.mkdir(parents=True)
    (folder / "receipt.json").write_text(json.dumps({"code": {"git_commit": "abc123", "git_dirty": False}}))
    return folder


def published(segmentation, facts, run_folder):
    """Track it, and let it count, as the runner does once the run is published."""
    ids = track_segmentation(segmentation, facts=facts, run_folder=run_folder)
    approve_published(ids, facts.settings)
    return ids


def renamed(segmentation, pattern, *, by=0):
    """The same segments under other names and numbers: another version."""
    model = segmentation.model
    names = [pattern.format(name) for name in model.names]
    return replace(segmentation, model=model.named([number + by for number in model.numbers], names))


def aliases_of(facts):
    aliases = client_of(facts).get_registered_model("segmentation").aliases
    return {alias: int(number) for alias, number in aliases.items()}


def client_of(facts):
    return store_of(facts.settings).client


def test_a_draft_is_not_logged_and_no_store_is_made(without_store, segmentation):
    facts = without_store
    assert track_segmentation(segmentation, facts=facts, run_folder="") == ()
    assert approved_segments(facts, AS_OF).model is None
    assert champions(facts.settings) == {}
    approve_published((), facts.settings)
    assert not facts.settings.home.exists()


def test_what_a_reviewer_finds(facts, segmentation, run_folder):
    figures = {"choice_of_k": Chart(Picture()), "nothing": Chart(None)}
    (run_id,) = track_segmentation(segmentation, facts=facts, run_folder=run_folder, figures=figures)
    approve_published([run_id], facts.settings)
    client = client_of(facts)
    run = client.get_run(run_id)
    assert run.info.status == "FINISHED"
    tags = run.data.tags
    assert tags["crm.run_id"] == run_folder.name
    assert tags["crm.as_of"] == "2018-01-01"
    assert tags["crm.git_commit"] == "abc123"
    assert tags["crm.data"] == facts.fingerprint
    assert tags["crm.model_version"] == "1"
    assert {"crm.code", "crm.features", "crm.settings", "crm.version"} <= set(tags)
    assert run.data.params["definitions.migration_days"] == "91"
    assert run.data.params["money.gross_margin"] == "0.25"
    assert run.data.params["k"] == str(len(segmentation.model.centres))

    by_k = client.get_metric_history(run_id, "silhouette_by_k")
    expected = dict(zip(segmentation.choice_of_k["k"], segmentation.choice_of_k["silhouette"], strict=True))
    assert {point.step: point.value for point in by_k} == pytest.approx(expected)
    assert run.inputs.dataset_inputs[0].dataset.digest == facts.fingerprint

    files = {file.path for folder in ("", "tables", "figures") for file in client.list_artifacts(run_id, folder)}
    assert {
        "model_card.md",
        "tables/choice_of_k.csv",
        "tables/cluster_profile.csv",
        "figures/choice_of_k.svg",
    } <= files
    assert "figures/nothing.svg" not in files
    version = client.get_model_version_by_alias("segmentation", "champion")
    assert version.version == 1
    assert version.run_id == run_id
    assert "Nobody reviewed it yet" in version.description
    assert segmentation.findings["rfm"].sentence in version.description, "the rule of thumb stands beside it"
    assert version.tags["crm.reviewed_by"] == "nobody"
    for name in segmentation.model.names:
        assert name in version.description


def test_the_executed_notebook_is_kept_with_it(facts, segmentation, run_folder):
    ids = track_segmentation(segmentation, facts=facts, run_folder=run_folder)
    notebook = run_folder / "02_segmentation.ipynb"
    notebook.write_text("{}")
    attach_notebook(ids, notebook, facts.settings)
    attach_notebook((), notebook, facts.settings)
    assert [file.path for file in client_of(facts).list_artifacts(ids[0], "notebook")] == [
        f"notebook/{notebook.name}"
    ]


def test_the_same_model_is_registered_once_and_another_becomes_challenger(facts, segmentation, run_folder):
    for _ in range(2):
        published(segmentation, facts, run_folder)
    client = client_of(facts)
    assert len(client.search_model_versions("name = 'segmentation'")) == 1
    assert aliases_of(facts) == {"champion": 1}

    ids = published(renamed(segmentation, "{}!"), facts, run_folder)
    approve_published(ids, facts.settings)
    assert aliases_of(facts) == {"champion": 1, "challenger": 2}
    assert len(client.search_runs([client.get_experiment_by_name("segmentation").experiment_id])) == 3
    assert approved_segments(facts, AS_OF).model == segmentation.model, "a person promotes, nobody else"
    client.set_registered_model_alias("segmentation", "champion", "2")
    assert approved_segments(facts, AS_OF).model.names == renamed(segmentation, "{}!").model.names


def test_a_run_that_is_not_published_approves_nothing(facts, segmentation, run_folder):
    track_segmentation(segmentation, facts=facts, run_folder=run_folder)
    assert aliases_of(facts) == {}
    assert champions(facts.settings) == {}
    assert approved_segments(facts, AS_OF).model is None
    later = run_folder.with_name("2018-01-01_20180103T030000Z_0000")
    later.mkdir()
    published(segmentation, facts, later)
    assert champions(facts.settings) == {"segmentation": {"version": "1", "run": run_folder.name}}


def test_what_was_never_registered_cannot_be_approved(facts, segmentation, run_folder):
    class Breaking:
        def save(self, folder: Path, *, about: object) -> None:
            raise ValueError("no such model")

    with pytest.raises(ValueError, match="no such model"):
        track_model(replace(_tracked(segmentation, facts), files=Breaking()), facts=facts, run_folder=run_folder)
    (run,) = client_of(facts).search_runs([client_of(facts).get_experiment_by_name("segmentation").experiment_id])
    approve_published([run.info.run_id], facts.settings)
    assert champions(facts.settings) == {}
    with pytest.raises(TrackingError):
        approve_published(["0" * 32], facts.settings)


def test_a_second_run_of_equal_inputs_gives_equal_scores(facts, segmentation, run_folder):
    published(segmentation, facts, run_folder)
    approved = approved_segments(facts, AS_OF)
    again = segment_customers(facts, AS_OF, earlier=approved.model, why_anew=approved.why_not)
    pd.testing.assert_frame_equal(again.scores, segmentation.scores)
    published(again, facts, run_folder)
    assert aliases_of(facts) == {"champion": 1}, "equal segments are the same version"
    assert again.approved == AS_OF
    assert again.approved_agreement == 1
    assert [str(finding) for finding in again.findings] == [str(finding) for finding in segmentation.findings]


def test_the_approved_segments_keep_their_names(facts, segmentation, run_folder):
    ours = renamed(segmentation, "our {}", by=20)
    published(ours, facts, run_folder)
    again = segment_customers(facts, AS_OF, earlier=approved_segments(facts, AS_OF).model)
    assert again.model.names == ours.model.names
    assert again.model.numbers == ours.model.numbers


@pytest.mark.parametrize("other", [{"seed": 6}, {"customers": 999}, {"kind": "cdnow"}])
def test_another_company_does_not_name_our_customers(facts, segmentation, run_folder, other):
    published(segmentation, facts, run_folder)
    settings = facts.settings.model_copy(update={"source": facts.settings.source.model_copy(update=other)})
    approved = approved_segments(replace(facts, settings=settings), AS_OF)
    assert approved.model is None
    assert "another source" in approved.why_not
    found = segment_customers(facts, AS_OF, earlier=approved.model, why_anew=approved.why_not)
    assert found.findings["names"].sentence.endswith("named anew: the approved segments are of another source.")


def test_equal_segments_of_another_company_are_another_version(facts, segmentation, run_folder):
    published(segmentation, facts, run_folder)
    source = facts.settings.source.model_copy(update={"seed": 6})
    other = replace(facts, settings=facts.settings.model_copy(update={"source": source}))
    published(segmentation, other, run_folder)
    assert aliases_of(facts) == {"champion": 1, "challenger": 2}


def test_the_future_does_not_name_the_past(facts, segmentation, run_folder):
    published(segmentation, facts, run_folder)
    approved = approved_segments(facts, AS_OF - dt.timedelta(days=1))
    assert approved.model is None
    assert approved.why_not == "the approved segments are of 2018-01-01, a later date"
    assert approved_segments(facts, AS_OF + dt.timedelta(days=1)).model == segmentation.model


LOAD = """
import sys
sys.modules["crm"] = None          # whoever loads the model needs nothing of ours
import mlflow, pandas as pd
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/segmentation@champion")
model.predict(pd.read_parquet(sys.argv[2])).to_parquet(sys.argv[3])
"""


def test_the_registered_model_gives_the_scores_without_pickle_and_without_us(
    facts, segmentation, run_folder, tmp_path
):
    published(segmentation, facts, run_folder)
    behaviour = customer_behaviour(snapshot(facts, AS_OF), open_mart(facts), AS_OF)
    behaviour.table[list(segmentation.model.columns)].to_parquet(tmp_path / "behaviour.parquet")
    uri = store_of(facts.settings).uri
    subprocess.run(
        [sys.executable, "-c", LOAD, uri, tmp_path / "behaviour.parquet", tmp_path / "found.parquet"], check=True
    )
    found = pd.read_parquet(tmp_path / "found.parquet")
    scores = segmentation.scores.set_index("customer_id")[["cluster", "cluster_name"]]
    pd.testing.assert_frame_equal(found, scores, check_dtype=False)
    files = [file for file in facts.settings.home.rglob("*") if file.is_file()]
    assert not [file for file in files if file.suffix in {".pkl", ".pickle", ".joblib", ".skops"}]
    requirements = next(file for file in files if file.name == "requirements.txt").read_text()
    assert "pandas==" in requirements
    assert "crm" not in requirements


def test_the_input_example_has_no_row_and_the_signature_every_column(facts, segmentation, run_folder):
    track_segmentation(segmentation, facts=facts, run_folder=run_folder)
    example = next(facts.settings.home.rglob("input_example.json"))
    assert json.loads(example.read_text())["data"] == []
    model = Model.load(next(facts.settings.home.rglob("MLmodel")))
    assert tuple(model.signature.inputs.input_names()) == segmentation.model.columns
    assert model.signature.outputs.input_names() == ["cluster", "cluster_name"]


def test_no_customer_is_stored(facts, segmentation, run_folder):
    track_segmentation(segmentation, facts=facts, run_folder=run_folder)
    ids = [name.encode() for name in segmentation.scores["customer_id"]]
    for file in facts.settings.home.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert not [name for name in ids if name in content], file


def test_a_table_of_customers_is_refused(without_store, segmentation, run_folder):
    facts = without_store
    model = replace(_tracked(segmentation, facts), tables={"scores": segmentation.scores})
    with pytest.raises(RequestError, match="No customer is ever stored") as error:
        track_model(model, facts=facts, run_folder=run_folder)
    assert "scores" in error.value.found
    assert not facts.settings.home.exists()


def test_a_fit_that_cannot_be_logged_is_a_failed_run(facts, segmentation, run_folder):
    class Breaking:
        def save(self, folder: Path, *, about: object) -> None:
            raise ValueError("no such model")

    with pytest.raises(ValueError, match="no such model"):
        track_model(replace(_tracked(segmentation, facts), files=Breaking()), facts=facts, run_folder=run_folder)
    client = client_of(facts)
    (run,) = client.search_runs([client.get_experiment_by_name("segmentation").experiment_id])
    assert run.info.status == "FAILED"
    assert not client.search_model_versions("name = 'segmentation'")
    published(segmentation, facts, run_folder)
    assert client.get_model_version_by_alias("segmentation", "champion").version == 1


def test_a_champion_without_files_is_one_clear_error(facts, segmentation, run_folder):
    published(segmentation, facts, run_folder)
    next(facts.settings.home.rglob("segments.json")).unlink()
    with pytest.raises(TrackingError, match="must be there") as error:
        approved_segments(facts, AS_OF)
    assert "alias champion" in error.value.do


def test_git_is_never_run(facts, segmentation, run_folder, tmp_path, monkeypatch):
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\ntouch {tmp_path}/git-was-run\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(fake.parent), prepend=":")
    track_segmentation(segmentation, facts=facts, run_folder=run_folder)
    assert not (tmp_path / "git-was-run").exists()
