"""The MLflow store: opened once, quietly, and cleared of what killed processes left.

Two processes that create one SQLite store at the same time destroy it, so everything that writes to a local store
does so under a file lock beside it. MLflow is imported when it is first needed: it takes seconds.
"""

from __future__ import annotations

import contextlib
import os
import platform
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock

from crm.config import Settings
from crm.errors import CrmError

SQLITE = "sqlite:///"
HOST, PROCESS, PROCESS_STARTED = "crm.host", "crm.pid", "crm.pid_started"
"""Tags that say which process writes a run: one that is still RUNNING when its process is gone was killed."""

_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
_PAGE = 1_000


class TrackingError(CrmError):
    """The MLflow store cannot be read or written."""


@dataclass(frozen=True)
class Store:
    """An MLflow store by its address; `client` speaks to it."""

    uri: str

    @cached_property
    def client(self) -> Any:
        """MLflow's client of this store."""
        _be_quiet()
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self.uri, registry_uri=os.environ.get("MLFLOW_REGISTRY_URI") or self.uri)

    @property
    def database(self) -> Path | None:
        """The SQLite file; None for a server or another database."""
        return Path(self.uri.removeprefix(SQLITE)) if self.uri.startswith(SQLITE) else None

    @property
    def is_server(self) -> bool:
        """Does a server speak for the store, so that it finds by itself what belongs to it?"""
        return self.uri.startswith("http")

    @property
    def exists(self) -> bool:
        """Is there something to read? Of a server it is taken for granted."""
        return self.database is None or self.database.is_file()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else writes to a local store meanwhile; servers take care of themselves."""
        if self.database is None:
            yield
            return
        self.database.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.database.with_name(f".{self.database.name}.lock")):
            yield

    def experiment(self, name: str) -> str:
        """The id of the experiment of this name, made where there is none; call it under `locked`."""
        found = self.client.get_experiment_by_name(name)
        if found is None:
            return str(self.client.create_experiment(name, artifact_location=self._artifacts(name)))
        if found.lifecycle_stage == "deleted":
            self.client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)

    def _artifacts(self, experiment: str) -> str | None:
        """Artifacts of a local store lie beside it; a server has a place of its own."""
        return None if self.database is None else (self.database.parent / "artifacts" / experiment).as_uri()


def store_of(settings: Settings) -> Store:
    """The store of MLFLOW_TRACKING_URI, or else of the settings."""
    return Store(os.environ.get("MLFLOW_TRACKING_URI") or settings.tracking_uri)


def start_store(settings: Settings) -> None:
    """Make the store ready: created if it is not there yet, and runs whose process was killed closed as KILLED.

    To be called once before the notebooks of a run start. Raises TrackingError.
    """
    store = store_of(settings)
    with reachable(store), store.locked():
        for experiment in store.client.search_experiments(max_results=_PAGE):
            _close_killed(store, experiment.experiment_id)


@contextlib.contextmanager
def reachable(store: Store) -> Iterator[None]:
    """Turns what MLflow raises when it cannot read or write its store into one clear error."""
    try:
        yield
    except CrmError:
        raise
    except Exception as error:
        if not _is_of_the_store(error):
            raise
        raise TrackingError(
            "The MLflow store must be readable and writable.",
            found=f"{store.uri}: {str(error).splitlines()[0][:200]}",
            do="Look at [tracking] in crm.toml and at MLFLOW_TRACKING_URI.",
        ) from error


def this_process() -> dict[str, str]:
    """Tags that let another process find out whether this one still lives."""
    process = psutil.Process()
    return {HOST: platform.node(), PROCESS: str(process.pid), PROCESS_STARTED: f"{process.create_time():.2f}"}


def _close_killed(store: Store, experiment_id: str) -> None:
    running = store.client.search_runs([experiment_id], filter_string="attributes.status = 'RUNNING'")
    for run in running:
        if _is_gone(run.data.tags):
            store.client.set_terminated(run.info.run_id, status="KILLED")


def _is_gone(tags: dict[str, str]) -> bool:
    """Was the run written by a process of this machine that no longer exists? Of other machines nothing is known."""
    if tags.get(HOST) != platform.node() or not tags.get(PROCESS, "").isdigit():
        return False
    try:
        return f"{psutil.Process(int(tags[PROCESS])).create_time():.2f}" != tags.get(PROCESS_STARTED)
    except psutil.NoSuchProcess:
        return True


def _is_of_the_store(error: Exception) -> bool:
    """Does the error come from MLflow, its database or its network, rather than from our own code?"""
    origin = {cls.__module__.partition(".")[0] for cls in type(error).__mro__}
    return bool(origin & {"mlflow", "sqlalchemy", "sqlite3", "alembic", "requests", "urllib3"}) or isinstance(
        error, OSError
    )


def _be_quiet() -> None:
    """No telemetry, no chatter, no long waits; whoever has set one of these keeps it. To be called before MLflow."""
    warnings.filterwarnings("ignore", message="IProgress not found")  # MLflow's progress bars, which nobody sees
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
