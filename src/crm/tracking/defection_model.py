"""The chances to leave as a model that MLflow can load; defection.json travels with it, this package must be there.

Not imported by anything here; MLflow executes it when the model is loaded.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel

GIVEN = {"left": "probability", "left_partly": "partial_probability"}


class LeavingModel(PythonModel):
    """Gives the chance to leave, and to leave partly, for what is known of customers; see the model card."""

    def load_context(self, context: Any) -> None:
        """Read the record."""
        from crm.analyses.defection.model import DefectionModel

        record = json.loads(Path(context.artifacts["defection"]).read_text(encoding="utf-8"))
        self.model = DefectionModel.from_record(record)

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """One row per row of `model_input`, under its index."""
        return self.model.chances(model_input).rename(columns=GIVEN)[list(GIVEN.values())]


set_model(LeavingModel())
