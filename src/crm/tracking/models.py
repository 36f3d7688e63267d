"""Track one fitted model: what it was fitted on, how it did, and the model itself, for a reviewer to find again."""

from __future__ import annotations

import contextlib
import json
import math
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd

from crm import __version__
from crm.config import Settings
from crm.errors import RequestError
from crm.facts import Facts
from crm.features import dictionary_hash
from crm.kept import code_fingerprint
from crm.mart import open_mart
from crm.tracking.store import Store, reachable, store_of, this_process

if TYPE_CHECKING:  # whoever looks for drift has it loaded already
    from crm.measures.stability import Population

CHAMPION, CHALLENGER = "champion", "challenger"
NOBODY = "nobody"
SOURCE = "crm.source"
MODEL, VERSION, RUN, FEATURES = "crm.model", "crm.model_version", "crm.run_id", "crm.features"
SCORED_BY = "crm.scored_by"
"""Tag of an MLflow run in which nothing was fitted: the version of the champion that scored."""

_TAGGED = "crm.content"
_KEPT = (_TAGGED, "crm.as_of", RUN, SOURCE, FEATURES, "crm.code", "crm.data")
"""Tags of its run that a version carries itself."""

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
    model: TrackedModel,
    *,
    facts: Facts,
    run_folder: str | Path,
    figures: Mapping[str, Drawn] | None = None,
    population: Population | None = None,
) -> tuple[str, ...]:
    """Log one fit as an MLflow run and register its model; gives the MLflow run ids, none for a draft.

    run_folder: the folder of the run, as `publish` takes it; empty for a draft, which is never logged.
    figures:    charts by name.
    population: of the customers it was fitted on, for whoever looks for drift later.

    A model of the same content, from the same source, as a registered version is that version; otherwise it becomes
    a new one. What it is worth is decided later: see `approve_published`.
    Raises TrackingError; RequestError for a table that names customers.
    """
    if not str(run_folder):
        return ()
    _refuse_customers(model.tables)
    store = store_of(facts.settings)
    with reachable(store), store.locked():
        files = dict(_artifacts(model, figures or {}))
        if population is not None:
            files["population.json"] = json.dumps(population.as_record(), indent=1).encode()
        return (_log(store, model, facts=facts, run_folder=Path(run_folder), files=files),)


def track_scoring(
    name: str,
    *,
    version: str,
    facts: Facts,
    run_folder: str | Path,
    measures: Mapping[str, float],
    tables: Mapping[str, pd.DataFrame] | None = None,
) -> tuple[str, ...]:
    """Log that the champion scored and nothing was fitted; gives the MLflow run ids, none for a draft.

    version: of the champion.     measures: such as how far the customers of today are from those it was fitted on.
    Raises TrackingError; RequestError for a table that names customers.
    """
    if not str(run_folder):
        return ()
    tables = tables or {}
    _refuse_customers(tables)
    store = store_of(facts.settings)
    as_of = facts.settings.as_of.isoformat()
    tags = _tags(name, as_of, facts=facts, run_folder=Path(run_folder)) | {SCORED_BY: version}
    with reachable(store), store.locked():
        with _mlflow_run(store, name, run_name=f"{name} {as_of} scoring", tags=tags) as run:
            numbers = [(measure, value, 0) for measure, value in measures.items()]
            _log_numbers(store, run, numbers, {**_definitions(facts), "champion_version": version})
            _log_files(store, run.info.run_id, dict(_as_csv(tables)), facts=facts)
        return (str(run.info.run_id),)


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


def _log(store: Store, model: TrackedModel, *, facts: Facts, run_folder: Path, files: Mapping[str, bytes]) -> str:
    tags = _tags(model.name, model.as_of, facts=facts, run_folder=run_folder) | {_TAGGED: model.content}
    numbers = [(name, value, 0) for name, value in model.measures.items()]
    numbers += [(name, value, step) for name, points in model.by_step.items() for step, value in points]
    with _mlflow_run(store, model.name, run_name=f"{model.name} {model.as_of}", tags=tags) as run:
        run_id = str(run.info.run_id)
        _log_numbers(store, run, numbers, {**_definitions(facts), **model.parameters})
        _log_files(store, run_id, files, facts=facts)
        version = _registered(store, model, experiment=run.info.experiment_id, run_id=run_id, tags=run.data.tags)
        store.client.set_tag(run_id, VERSION, version)
    return run_id


@contextlib.contextmanager
def _mlflow_run(store: Store, experiment: str, *, run_name: str, tags: Mapping[str, str]) -> Iterator[Any]:
    """A run that ends as FINISHED, or as FAILED where something goes wrong within."""
    run = store.client.create_run(store.experiment(experiment), run_name=run_name, tags=dict(tags))
    try:
        yield run
    except BaseException:
        store.client.set_terminated(run.info.run_id, status="FAILED")
        raise
    store.client.set_terminated(run.info.run_id)


def _tags(name: str, as_of: str, *, facts: Facts, run_folder: Path) -> dict[str, str]:
    receipt = run_folder / "receipt.json"
    code = json.loads(receipt.read_text(encoding="utf-8")).get("code", {}) if receipt.is_file() else {}
    tags = {
        RUN: run_folder.name,
        MODEL: name,
        SOURCE: source_identity(facts.settings),
        "crm.as_of": as_of,
        "crm.version": __version__,
        "crm.code": model_code(),
        "crm.git_commit": code.get("git_commit"),
        "crm.settings": facts.settings.fingerprint(),
        "crm.data": facts.fingerprint,
        FEATURES: dictionary_hash(open_mart(facts)),
        **this_process(),
    }
    return {tag: str(value) for tag, value in tags.items() if value}


def model_code() -> str:
    """A hash of the code that decides what a model is."""
    return code_fingerprint(*_ROOMS)


def _log_numbers(
    store: Store, run: Any, numbers: Iterable[tuple[str, float, int]], parameters: Mapping[str, object]
) -> None:
    """Measures, each with its step, and parameters."""
    from mlflow.entities import Metric, Param

    moment = run.info.start_time
    store.client.log_batch(
        run.info.run_id,
        metrics=[Metric(name, float(v), moment, step) for name, v, step in numbers if math.isfinite(v)],
        params=[Param(name, str(value)) for name, value in parameters.items()],
    )


def _definitions(facts: Facts) -> dict[str, object]:
    """The settings that decide what the words mean, as parameters such as definitions.migration_days."""
    record = facts.settings.as_record()
    return {
        f"{section}.{key}": value for section in ("definitions", "money") for key, value in record[section].items()
    }


def _log_files(store: Store, run_id: str, files: Mapping[str, bytes], *, facts: Facts) -> None:
    """The files by their paths, and which data they were made from."""
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
        for name, content in files.items():
            file = Path(place) / name
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(content)
        store.client.log_artifacts(run_id, place)


def _artifacts(model: TrackedModel, figures: Mapping[str, Drawn]) -> Iterator[tuple[str, bytes]]:
    """Each file of the run: its path, its bytes."""
    yield "model_card.md", model.card.encode()
    yield from _as_csv(model.tables)
    for name, chart in figures.items():
        if chart.picture is not None:
            yield f"figures/{name}.{chart.picture.kind}", bytes(chart.picture.content)


def _as_csv(tables: Mapping[str, pd.DataFrame]) -> Iterator[tuple[str, bytes]]:
    for name, table in tables.items():
        yield f"tables/{name}.csv", table.to_csv(index=False, lineterminator="\n").encode()


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
        tags={name: tags[name] for name in _KEPT if name in tags} | {"crm.reviewed_by": NOBODY},
        description=model.card,
    )
    return str(version.version)


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
