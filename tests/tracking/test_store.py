"""The store is made once, by whoever comes first, and cleared of what killed processes left."""

import os
import signal
import subprocess
import sys
import time

import pytest

from crm.config import read_settings
from crm.tracking import TrackingError, start_store
from crm.tracking.store import HOST, PROCESS, PROCESS_STARTED, store_of, this_process

pytestmark = pytest.mark.xdist_group("tracking")


@pytest.fixture
def project(tmp_path, root, monkeypatch):
    """A settings file in an empty folder, and another folder to work in."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    toml = tmp_path / "home" / "crm.toml"
    toml.parent.mkdir()
    toml.write_text(
        f'[source]\nkind = "cdnow"\n[clock]\nas_of = 1998-01-01\n[folders]\nnotebooks = "{root / "notebooks"}"\n'
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    return toml


def python(code, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


START = """
import sys
from crm.config import read_settings
from crm.tracking import start_store
start_store(read_settings(sys.argv[1]))
"""

RUN = (
    START
    + """
from crm.tracking.store import store_of, this_process
import time
store = store_of(read_settings(sys.argv[1]))
with store.locked():
    experiment = store.experiment("defection")
    print(store.client.create_run(experiment, tags=this_process()).info.run_id, flush=True)
time.sleep(600)
"""
)


def test_importing_costs_no_mlflow():
    code = "import sys, crm.tracking; print('mlflow' in sys.modules, 'sklearn' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).split() == ["False", "False"]


def test_several_who_start_at_once_make_one_store_that_works(project):
    processes = [python(START, project) for _ in range(3)]
    for process in processes:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
        assert said == "", "MLflow's and alembic's chatter is for nobody"
    store = store_of(read_settings(project))
    with store.locked():
        experiment = store.client.get_experiment(store.experiment("defection"))
        assert store.experiment("defection") == experiment.experiment_id
    assert experiment.artifact_location == (project.parent / "mlruns" / "artifacts" / "defection").as_uri()
    assert not list((project.parent.parent / "elsewhere").iterdir()), "nothing is left where one happens to work"


def test_runs_of_killed_processes_are_closed_and_those_of_others_left(project):
    settings = read_settings(project)
    process = python(RUN, project)
    killed = process.stdout.readline().strip()
    assert killed, process.stderr.read()
    store = store_of(settings)

    def status(run_id):
        return store.client.get_run(run_id).info.status

    start_store(settings)
    assert status(killed) == "RUNNING", "its process still lives"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    experiment = store.client.get_experiment_by_name("defection").experiment_id
    tags = this_process()
    alive = store.client.create_run(experiment, tags=tags).info.run_id
    elsewhere = store.client.create_run(experiment, tags={**tags, HOST: "another", PROCESS: "1"}).info.run_id
    reborn = store.client.create_run(experiment, tags={**tags, PROCESS_STARTED: "12.34"}).info.run_id
    foreign = store.client.create_run(experiment).info.run_id
    start_store(settings)
    assert status(killed) == "KILLED"
    assert status(reborn) == "KILLED", "the same number now belongs to another process"
    assert [status(run_id) for run_id in (alive, elsewhere, foreign)] == ["RUNNING"] * 3


def test_the_environment_goes_before_the_settings(project, tmp_path, monkeypatch):
    settings = read_settings(project)
    assert store_of(settings).database == project.parent / "mlruns" / "mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/other/store.db")
    start_store(settings)
    assert (tmp_path / "other" / "store.db").is_file()
    assert not (project.parent / "mlruns").exists()


def test_a_server_that_does_not_answer_is_one_clear_error(project, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    started = time.monotonic()
    with pytest.raises(TrackingError, match="must be readable and writable") as error:
        start_store(read_settings(project))
    assert "127.0.0.1:9" in error.value.found
    assert "MLFLOW_TRACKING_URI" in error.value.do
    assert time.monotonic() - started < 30


def test_a_broken_store_is_one_clear_error(project):
    database = project.parent / "mlruns" / "mlflow.db"
    database.parent.mkdir()
    database.write_bytes(b"this is no database" * 100)
    with pytest.raises(TrackingError, match="must be readable and writable"):
        start_store(read_settings(project))
