"""The values as a model that MLflow can load; lifetime_value.json travels with it, this package must be installed.

Not imported by anything here; MLflow executes it when the model is loaded.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel

GIVEN = ["expected_purchases", "expected_value", "probability_alive", "chance_of_no_purchase"]


class ValueModel(PythonModel):
    """Gives expected purchases and value, and two chances, for rows of a snapshot; see the model card."""

    def load_context(self, context: Any) -> None:
        """Read the record."""
        from crm.analyses.lifetime_value.model import LifetimeModel

        record = json.loads(Path(context.artifacts["lifetime_value"]).read_text(encoding="utf-8"))
        self.model = LifetimeModel.from_record(record)

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """One row per row of `model_input`, under its index."""
        return self.model.score(model_input)[GIVEN]


set_model(ValueModel())
