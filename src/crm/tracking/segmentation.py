"""Track a segmentation, and recall the one that was approved."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from crm.facts import Facts
from crm.finding import Findings
from crm.tracking.models import CHAMPION, SOURCE, Drawn, TrackedModel, source_identity, track_model
from crm.tracking.store import TrackingError, reachable, store_of

if TYPE_CHECKING:  # the analysis is heavy, and whoever tracks one has it loaded already
    from crm.analyses.segmentation import ClusterModel, Segmentation

NAME = "segmentation"
REQUIRED = ("mlflow", "numpy", "pandas")
_RECORD = "segments.json"
_BY_K = ("silhouette", "silhouette_by_chance", "stability", "stability_low", "stability_high", "inertia")


def track_segmentation(
    segmentation: Segmentation,
    *,
    facts: Facts,
    run_folder: str | Path,
    figures: Mapping[str, Drawn] | None = None,
) -> tuple[str, ...]:
    """Log a segmentation as an MLflow run, register it, and give the MLflow run ids; nothing for a draft.

    See `track_model`. Raises TrackingError.
    """
    return track_model(_tracked(segmentation, facts), facts=facts, run_folder=run_folder, figures=figures)


@dataclass(frozen=True)
class ApprovedSegments:
    """The approved segments, whose names and numbers are kept; or None, and why, where there are some to keep."""

    model: ClusterModel | None
    why_not: str = ""


def approved_segments(facts: Facts, as_of: dt.date) -> ApprovedSegments:
    """The champion among the registered segmentations, for `segment_customers(..., earlier=..., why_anew=...)`.

    It counts where it is of the same source as the facts, and of no later date than `as_of`: another company does not
    name our customers, and the future does not name the past. Reads only: no store is made. Raises TrackingError.
    """
    from crm.analyses.segmentation import ClusterModel

    store = store_of(facts.settings)
    if not store.exists:
        return ApprovedSegments(None)
    with reachable(store):
        registered = store.client.search_registered_models(f"name = '{NAME}'")
        number = registered[0].aliases.get(CHAMPION) if registered else None
        if number is None:
            return ApprovedSegments(None)
        version = store.client.get_model_version(NAME, number)
        if version.tags.get(SOURCE) != source_identity(facts.settings):
            return ApprovedSegments(None, "the approved segments are of another source")
        artifacts = str(store.client.get_model_version_download_uri(NAME, number))
        model = ClusterModel.from_record(_read_record(artifacts, store.uri, number=str(number)))
    if model.as_of > as_of:
        return ApprovedSegments(None, f"the approved segments are of {model.as_of}, a later date")
    return ApprovedSegments(model)


def _read_record(artifacts: str, uri: str, *, number: str) -> dict[str, Any]:
    from mlflow.artifacts import download_artifacts

    with tempfile.TemporaryDirectory(prefix="crm-champion-") as place:
        try:
            file = download_artifacts(
                artifact_uri=f"{artifacts}/artifacts/{_RECORD}", dst_path=place, tracking_uri=uri
            )
        except Exception as error:
            raise TrackingError(
                f"The files of the champion of {NAME} must be there.",
                found=f"version {number} without {artifacts}",
                do="Bring them back, or remove the alias champion, so that the next run names the segments anew.",
            ) from error
        record: dict[str, Any] = json.loads(Path(file).read_text(encoding="utf-8"))
        return record


@dataclass(frozen=True)
class _SegmentsFiles:
    """The files of a clustering: its record as JSON, and the page of code that reads it."""

    model: ClusterModel

    def save(self, folder: Path, *, about: Any) -> None:
        """Write them with MLflow's flavour for models that are code."""
        from mlflow import pyfunc
        from mlflow.models import ModelSignature
        from mlflow.types import ColSpec, DataType, Schema

        from crm.analyses.segmentation import nearest_centre

        columns = self.model.columns
        record = folder.with_name(_RECORD)
        record.write_text(json.dumps(self.model.as_record(), indent=1) + "\n", encoding="utf-8")
        pyfunc.save_model(
            str(folder),
            mlflow_model=about,
            python_model=str(Path(__file__).with_name("segments_model.py")),
            artifacts={"segments": str(record), "nearest_centre": str(Path(nearest_centre.__file__))},
            signature=ModelSignature(
                Schema([ColSpec(DataType.double, column) for column in columns]),
                Schema([ColSpec(DataType.long, "cluster"), ColSpec(DataType.string, "cluster_name")]),
            ),
            input_example=pd.DataFrame({column: pd.Series(dtype="float64") for column in columns}),
            pip_requirements=[f"{package}=={version(package)}" for package in REQUIRED],
        )


def _tracked(segmentation: Segmentation, facts: Facts) -> TrackedModel:
    choice = segmentation.choice_of_k
    chosen = choice[choice["chosen"]]
    measures = {name: float(chosen[name].iloc[0]) for name in _BY_K if len(chosen)}
    measures |= {
        "k": float(len(segmentation.model.centres)),
        "customers": float(len(segmentation.scores)),
        "customers_fitted_on": float(segmentation.model.customers),
        "agreement_with_previous_date": segmentation.agreement,
    }
    return TrackedModel(
        name=NAME,
        as_of=segmentation.as_of.isoformat(),
        content=segmentation.model.content,
        parameters={
            "seed": segmentation.seed,
            "k": len(segmentation.model.centres),
            "traits": len(segmentation.model.traits),
            "as_of": segmentation.as_of,
        },
        measures=measures,
        by_step={f"{name}_by_k": _steps(choice, name) for name in _BY_K if len(choice)},
        tables={
            "choice_of_k": choice,
            "clusters": segmentation.clusters.actions,
            "cluster_shares": segmentation.clusters.shares,
            "cluster_profile": segmentation.clusters.profile,
            "rfm_shares": segmentation.rfm.shares,
            "rfm_grid": segmentation.rfm_grid,
        },
        card=model_card(segmentation, facts),
        files=_SegmentsFiles(segmentation.model),
    )


def _steps(choice: pd.DataFrame, name: str) -> list[tuple[int, float]]:
    return [(int(k), float(value)) for k, value in zip(choice["k"], choice[name], strict=True)]


def _in_a_row(findings: Findings) -> str:
    return " ".join(finding.sentence for finding in findings)


def model_card(segmentation: Segmentation, facts: Facts) -> str:
    """What a reviewer reads first, in Markdown."""
    from crm.analyses.segmentation import NOBODY

    model, source = segmentation.model, facts.source_record()
    said = segmentation.findings.pick("choice_of_k", "migration_clusters")
    beside = segmentation.findings.pick("rfm", "migration_rfm")
    segments = "\n".join(
        f"- {row['segment']} ({row['customers']:,} customers): {row['meaning']}"
        for row in segmentation.clusters.actions.to_dict("records")
    )
    return f"""# Segments by behaviour, as of {segmentation.as_of}

**Purpose.** To describe kinds of customers and to speak to each as suits it. Not to decide about a single person's
price, credit or rights.

**Population.** {model.customers:,} customers who bought within 365 days before {segmentation.as_of}; the others are
called “{NOBODY[1]}”.

**Data.** {source["kind"]}, purchases of {source["first_date"]} to {source["last_date"]}, fingerprint
{facts.fingerprint}.

**Features.** {len(model.traits)} traits of behaviour in 365 days, none of what a customer is rather than does:
{", ".join(trait.name for trait in model.traits)}.

**Segments.**
{segments}

**How many, and how sure.** {_in_a_row(said)}

**Beside the rule of thumb.** RFM ranks customers by three numbers and needs no model; these segments tell what they
buy and how. Compare how many customers stay where they were; which of the two serves a decision better was not
measured: an experiment would. {_in_a_row(beside)}

**Limits.** Borders between segments are drawn, not found: customers near one may be in either. Customers with few
purchases stand near the average. Net sales do not know costs of serving. A changed assortment or a new channel asks
for new segments.

**Reviewed by.** Nobody reviewed it yet.
"""
