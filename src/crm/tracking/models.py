"""Track one fitted model: what it was fitted on, how it did, and the model itself, for a reviewer to find again."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from crm import __version__
from crm.config import Settings
from crm.errors import RequestError
from crm.facts import Facts
from crm.features import dictionary_hash
from crm.kept import code_fingerprint
from crm.mart import open_mart
from crm.tracking.store import Store, reachable, store_of, this_process

CHAMPION, CHALLENGER = "champion", "challenger"
NOBODY = "nobody"
SOURCE = "crm.source"
_MODEL, _VERSION, _RUN, _TAGGED = "crm.model", "crm.model_version", "crm.run_id", "crm.content"
_ROOMS = (
    "analyses",
    "features",
    "mart",
    "measures",
    "outcomes",
    "periods",
    "purchase_models",
    "snapshots",
    "tracking",
)


class ModelFiles(Protocol):
    """A model that can be written in MLflow's own format, without pickle."""

    def save(self, folder: Path, *, about: Any) -> None:
        """Write it into `folder` with the `save_model` of its MLflow flavour, passing `about` as `mlflow_model`."""


class Drawn(Protocol):
    """A chart with its picture."""

    @property
    def picture(self) -> Any:
        """The picture: `content` (bytes) and `kind` (`svg` or `png`); None where there was nothing to draw."""


@dataclass(frozen=True)
class TrackedModel:
    """What is kept of one fit.

    name:     of the experiment and of the registered model.
    content:  a hash of the model; the same content is registered once.
    measures: numbers about the fit.        by_step: measures with a step (a number of segments, a date's place).
    tables:   evidence; never with a customer in it.
    card:     what a reviewer reads first: purpose, population, data, features, measures, limits.
    files:    writes the model.
    """

    name: str
    as_of: str
    content: str
    parameters: Mapping[str, object]
    measures: Mapping[str, float]
    tables: Mapping[str, pd.DataFrame] = field(repr=False)
    card: str = field(repr=False)
    files: ModelFiles = field(repr=False)
    by_step: Mapping[str, Sequence[tuple[int, float]]] = field(default_factory=dict, repr=False)


def track_model(
    model: TrackedModel, *, facts: Facts, run_folder: str | Path, figures: Mapping[str, Drawn] | None = None
) -> tuple[str, ...]:
    """Log one fit as an MLflow run and register its model; gives the MLflow run ids, none for a draft.

    run_folder: the folder of the run, as `publish` takes it; empty for a draft, which is never logged.
    figures:    charts by name.

    A model of the same content, from the same source, as a registered version is that version; otherwise it becomes
    a new one. What it is worth is decided later: see `approve_published`.
    Raises TrackingError; RequestError for a table that names customers.
    """
    if not str(run_folder):
        return ()
    _refuse_customers(model.tables)
    store = store_of(facts.settings)
    with reachable(store), store.locked():
        return (_log(store, model, facts=facts, run_folder=Path(run_folder), figures=figures or {}),)


def approve_published(mlflow_run_ids: Sequence[str], settings: Settings) -> None:
    """Let the models of a published run count: the first ever becomes champion, another one challenger.

    To be called once the run is published, so that a run nobody was shown approves nothing; a second call changes
    nothing. Nobody has reviewed a champion made so, and its version says that; a person decides between the two.
    Raises TrackingError.
    """
    if not mlflow_run_ids:
        return
    store = store_of(settings)
    with reachable(store), store.locked():
        for run_id in mlflow_run_ids:
            tags = store.client.get_run(run_id).data.tags
            if _VERSION in tags:
                _approve(store, tags[_MODEL], version=tags[_VERSION])


def champions(settings: Settings) -> dict[str, dict[str, str]]:
    """Which models are approved: `version` and `run` (the crm run that made it first) by registered name.

    Reads only: empty where there is no store yet. Raises TrackingError.
    """
    store = store_of(settings)
    if not store.exists:
        return {}
    with reachable(store):
        approved = {
            str(model.name): str(model.aliases[CHAMPION])
            for model in store.client.search_registered_models()
            if CHAMPION in model.aliases
        }
        return {
            name: {"version": version, "run": str(store.client.get_model_version(name, version).tags.get(_RUN, ""))}
            for name, version in sorted(approved.items())
        }


def source_identity(settings: Settings) -> str:
    """Which company the customers are of: the kind of source; a made-up company is told by its size and seed too."""
    source = settings.source
    of_it = {"customers", "seed"} if source.kind == "sample_company" else set()
    return json.dumps(source.model_dump(mode="json", include={"kind", *of_it}), sort_keys=True)


def attach_notebook(run_ids: Sequence[str], notebook: Path, settings: Settings) -> None:
    """Keep an executed notebook with the MLflow runs it logged. Raises TrackingError."""
    if not run_ids:
        return
    store = store_of(settings)
    with reachable(store), store.locked():
        for run_id in run_ids:
            store.client.log_artifact(run_id, str(notebook), "notebook")


def _log(store: Store, model: TrackedModel, *, facts: Facts, run_folder: Path, figures: Mapping[str, Drawn]) -> str:
    experiment = store.experiment(model.name)
    run = store.client.create_run(
        experiment, run_name=f"{model.name} {model.as_of}", tags=_tags(model, facts=facts, run_folder=run_folder)
    )
    run_id, moment = str(run.info.run_id), run.info.start_time
    try:
        _log_numbers(store, run_id, model, facts=facts, moment=moment)
        _log_files(store, run_id, model, facts=facts, figures=figures)
        version = _registered(store, model, experiment=experiment, run_id=run_id, tags=run.data.tags)
        store.client.set_tag(run_id, _VERSION, version)
    except BaseException:
        store.client.set_terminated(run_id, status="FAILED")
        raise
    store.client.set_terminated(run_id)
    return run_id


def _tags(model: TrackedModel, *, facts: Facts, run_folder: Path) -> dict[str, str]:
    receipt = run_folder / "receipt.json"
    code = json.loads(receipt.read_text(encoding="utf-8")).get("code", {}) if receipt.is_file() else {}
    tags = {
        _RUN: run_folder.name,
        _MODEL: model.name,
        SOURCE: source_identity(facts.settings),
        "crm.as_of": model.as_of,
        "crm.version": __version__,
        "crm.code": code_fingerprint(*_ROOMS),
        "crm.git_commit": code.get("git_commit"),
        "crm.settings": facts.settings.fingerprint(),
        "crm.data": facts.fingerprint,
        "crm.features": dictionary_hash(open_mart(facts)),
        _TAGGED: model.content,
        **this_process(),
    }
    return {name: str(value) for name, value in tags.items() if value}


def _log_numbers(store: Store, run_id: str, model: TrackedModel, *, facts: Facts, moment: int) -> None:
    from mlflow.entities import Metric, Param

    parameters = {**_definitions(facts), **model.parameters}
    measures = [(name, value, 0) for name, value in model.measures.items()]
    measures += [(name, value, step) for name, points in model.by_step.items() for step, value in points]
    store.client.log_batch(
        run_id,
        metrics=[Metric(name, float(v), moment, step) for name, v, step in measures if math.isfinite(v)],
        params=[Param(name, str(value)) for name, value in parameters.items()],
    )


def _definitions(facts: Facts) -> dict[str, object]:
    """The settings that decide what the words mean, as parameters such as definitions.migration_days."""
    record = facts.settings.as_record()
    return {
        f"{section}.{key}": value for section in ("definitions", "money") for key, value in record[section].items()
    }


def _log_files(store: Store, run_id: str, model: TrackedModel, *, facts: Facts, figures: Mapping[str, Drawn]) -> None:
    from mlflow.entities import Dataset, DatasetInput

    source = facts.source_record()
    dataset = Dataset(
        name=str(source["kind"]),
        digest=facts.fingerprint,
        source_type="crm",
        source=json.dumps({"kind": source["kind"], "first": source["first_date"], "last": source["last_date"]}),
        profile=json.dumps({row["table"]: row["kept"] for row in source["tables"]}),
    )
    store.client.log_inputs(run_id, datasets=[DatasetInput(dataset)])
    with tempfile.TemporaryDirectory(prefix="crm-tracking-") as place:
        for name, content in _artifacts(model, figures):
            file = Path(place) / name
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(content)
        store.client.log_artifacts(run_id, place)


def _artifacts(model: TrackedModel, figures: Mapping[str, Drawn]) -> Iterator[tuple[str, bytes]]:
    """Each file of the run: its path, its bytes."""
    yield "model_card.md", model.card.encode()
    for name, table in model.tables.items():
        yield f"tables/{name}.csv", table.to_csv(index=False, lineterminator="\n").encode()
    for name, chart in figures.items():
        if chart.picture is not None:
            yield f"figures/{name}.{chart.picture.kind}", bytes(chart.picture.content)


def _registered(store: Store, model: TrackedModel, *, experiment: str, run_id: str, tags: Mapping[str, str]) -> str:
    """The number of the registered version with this content and source, a new one where there is none yet."""
    from mlflow.exceptions import MlflowException

    client = store.client
    alike = client.search_model_versions(f"name = '{model.name}' and tags.`{_TAGGED}` = '{model.content}'")
    same = [int(version.version) for version in alike if version.tags.get(SOURCE) == tags[SOURCE]]
    if same:
        return str(max(same))
    try:
        client.get_registered_model(model.name)
    except MlflowException:
        client.create_registered_model(model.name)
    model_id, artifacts = _log_model(store, model, experiment=experiment, run_id=run_id)
    version = client.create_model_version(
        model.name,
        source=f"models:/{model_id}" if store.is_server else artifacts,
        run_id=run_id,
        model_id=model_id,
        tags={name: tags[name] for name in (_TAGGED, "crm.as_of", _RUN, SOURCE)} | {"crm.reviewed_by": NOBODY},
        description=model.card,
    )
    return str(version.version)


def _approve(store: Store, name: str, *, version: str) -> None:
    champion = store.client.get_registered_model(name).aliases.get(CHAMPION)
    if champion is None:
        store.client.set_registered_model_alias(name, CHAMPION, version)
    elif str(champion) != version:
        store.client.set_registered_model_alias(name, CHALLENGER, version)


def _log_model(store: Store, model: TrackedModel, *, experiment: str, run_id: str) -> tuple[str, str]:
    """Store the model's files; gives their id and place. Step by step, because MLflow's one call for it runs git."""
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus
    from mlflow.models import Model

    client = store.client
    logged = client.create_logged_model(experiment, name=model.name, source_run_id=run_id)
    with tempfile.TemporaryDirectory(prefix="crm-model-") as place:
        folder = Path(place) / "model"
        model.files.save(folder, about=Model(run_id=run_id, model_id=logged.model_id))
        client.log_model_artifacts(logged.model_id, str(folder))
    client.log_outputs(run_id, models=[LoggedModelOutput(logged.model_id, step=0)])
    client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
    return str(logged.model_id), str(logged.artifact_location)


def _refuse_customers(tables: Mapping[str, pd.DataFrame]) -> None:
    for name, table in tables.items():
        if "customer_id" in {*table.columns, *table.index.names}:
            raise RequestError(
                "No customer is ever stored with a model.",
                found=f"a customer_id in the table {name}",
                do="Track tables with one row per segment, date or measure.",
            )
