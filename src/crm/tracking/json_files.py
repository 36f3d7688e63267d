"""A model kept as JSON: its record travels with it, and this package reads it. No pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

_REQUIRED = ("analytical-crm", "lifetimes", "mlflow", "numpy", "pandas", "scipy", "xgboost")
"""What a model needs to be loaded: this package too, whose models are too long to travel as a page of code."""

_OTHER_NAMES = {"xgboost": ("xgboost", "xgboost-cpu")}


@dataclass(frozen=True)
class JsonFiles:
    """The files of a model: its record, and the page of code beside this one that has it read.

    name:    of record and artifact; the page is `<name>_model.py`.     record: what the model's `as_record` gave.
    columns: that it takes, as floats, in their order.     gives: the columns that it gives.
    """

    name: str
    record: Mapping[str, Any] = field(repr=False)
    columns: Sequence[str]
    gives: Sequence[str]

    def save(self, folder: Path, *, about: Any) -> None:
        """Write them with MLflow's flavour for models that are code."""
        from mlflow import pyfunc
        from mlflow.models import ModelSignature
        from mlflow.types import ColSpec, DataType, Schema

        record = folder.with_name(f"{self.name}.json")
        record.write_text(json.dumps(self.record, indent=1) + "\n", encoding="utf-8")
        pyfunc.save_model(
            str(folder),
            mlflow_model=about,
            python_model=str(Path(__file__).with_name(f"{self.name}_model.py")),
            artifacts={self.name: str(record)},
            signature=ModelSignature(
                Schema([ColSpec(DataType.double, column) for column in self.columns]),
                Schema([ColSpec(DataType.double, column) for column in self.gives]),
            ),
            input_example=pd.DataFrame({column: pd.Series(dtype="float64") for column in self.columns}),
            pip_requirements=requirements(),
        )


def requirements() -> list[str]:
    """What to install to load a model, in the versions it was made with."""
    return [_pinned(package) for package in _REQUIRED]


def _pinned(package: str) -> str:
    """Under the name by which it is installed here: XGBoost comes under two."""
    for name in _OTHER_NAMES.get(package, ()):
        try:
            return f"{name}=={version(name)}"
        except PackageNotFoundError:
            continue
    return f"{package}=={version(package)}"


__all__ = ["JsonFiles", "requirements"]
