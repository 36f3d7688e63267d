"""A segmentation in a real store: all a reviewer needs, no customer, and a model that needs no trust to load."""

import datetime as dt
import json
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
from crm.tracking import TrackingError, approved_segments, attach_notebook, track_model, track_segmentation
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
def facts(made, tmp_path, monkeypatch):
    """The facts, in a project with a store of its own."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return replace(made[0], settings=made[0].settings.model_copy(update={"home": tmp_path / "home"}))


@pytest.fixture
def segmentation(made):
    return made[1]


@pytest.fixture
def run_folder(tmp_path):
    folder = tmp_path / "reports" / "2018-01-01_20180102T030000Z_3f2a"
    folder.mkdir(parents=True)
    (folder / "receipt.json").write_text(json.dumps({"code": {"git_commit": "abc123", "git_dirty": False}}))
    return folder


def client_of(facts):
    return store_of(facts.settings).client


def test_a_draft_is_not_logged_and_no_store_is_made(facts, segmentation):
    assert track_segmentation(segmentation, facts=facts, run_folder="") == ()
    assert approved_segments(facts.settings) is None
    assert not facts.settings.home.exists()


def test_what_a_reviewer_finds(facts, segmentation, run_folder):
    figures = {"choice_of_k": Chart(Picture()), "nothing": Chart(None)}
    (run_id,) = track_segmentation(segmentation, facts=facts, run_folder=run_folder, figures=figures)
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
        track_segmentation(segmentation, facts=facts, run_folder=run_folder)
    client = client_of(facts)
    assert len(client.search_model_versions("name = 'segmentation'")) == 1
    assert set(client.get_registered_model("segmentation").aliases) == {"champion"}

    names = [f"{name}!" for name in segmentation.model.names]
    other = replace(segmentation, model=segmentation.model.named(segmentation.model.numbers, names))
    track_segmentation(other, facts=facts, run_folder=run_folder)
    aliases = client.get_registered_model("segmentation").aliases
    assert {alias: int(number) for alias, number in aliases.items()} == {"champion": 1, "challenger": 2}
    assert len(client.search_runs([client.get_experiment_by_name("segmentation").experiment_id])) == 3
    assert approved_segments(facts.settings) == segmentation.model, "a person promotes, nobody else"


def test_the_approved_segments_keep_their_names(facts, segmentation, run_folder):
    renamed = segmentation.model.named(
        [number + 20 for number in segmentation.model.numbers], [f"our {name}" for name in segmentation.model.names]
    )
    track_segmentation(replace(segmentation, model=renamed), facts=facts, run_folder=run_folder)
    again = segment_customers(facts, AS_OF, earlier=approved_segments(facts.settings))
    assert again.model.names == renamed.names
    assert again.model.numbers == renamed.numbers


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
    track_segmentation(segmentation, facts=facts, run_folder=run_folder)
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


def test_a_table_of_customers_is_refused(facts, segmentation, run_folder):
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
    track_segmentation(segmentation, facts=facts, run_folder=run_folder)
    assert client.get_model_version_by_alias("segmentation", "champion").version == 1


def test_a_champion_without_files_is_one_clear_error(facts, segmentation, run_folder):
    track_segmentation(segmentation, facts=facts, run_folder=run_folder)
    next(facts.settings.home.rglob("segments.json")).unlink()
    with pytest.raises(TrackingError, match="must be there") as error:
        approved_segments(facts.settings)
    assert "alias champion" in error.value.do


def test_git_is_never_run(facts, segmentation, run_folder, tmp_path, monkeypatch):
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\ntouch {tmp_path}/git-was-run\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(fake.parent), prepend=":")
    track_segmentation(segmentation, facts=facts, run_folder=run_folder)
    assert not (tmp_path / "git-was-run").exists()
