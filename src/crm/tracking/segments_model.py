"""The segments as a model that MLflow can load; `nearest_centre.py` and segments.json travel with it.

Not imported by anything here; MLflow executes it when the model is loaded.
"""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel


class SegmentsModel(PythonModel):
    """Gives cluster and cluster_name for rows of behaviour; see the model card."""

    def load_context(self, context: Any) -> None:
        """Read the record, and the arithmetic that goes with it."""
        self.record = json.loads(Path(context.artifacts["segments"]).read_text(encoding="utf-8"))
        self.arithmetic = runpy.run_path(context.artifacts["nearest_centre"])

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """One row per row of `model_input`, under its index."""
        found: pd.DataFrame = self.arithmetic["segments_of"](self.record, model_input)
        return found


set_model(SegmentsModel())
