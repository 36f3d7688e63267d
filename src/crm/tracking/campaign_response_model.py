"""Who would answer a campaign, and whom it changes, as a model for MLflow: JSON, read by this package.

Not imported by anything here; MLflow executes it when the model is loaded.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel


class AnswerModel(PythonModel):
    """Gives the chance that a contacted customer answers, and what a contact changes; see the model card."""

    def load_context(self, context: Any) -> None:
        """Read the record."""
        from crm.analyses.campaign_success.model import CampaignResponseModel

        record = json.loads(Path(context.artifacts["campaign_response"]).read_text(encoding="utf-8"))
        self.model = CampaignResponseModel.from_record(record)

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """One row per customer of `model_input`, under its index; of no kind of campaign in particular."""
        known = model_input[list(self.model.columns)]
        uplift = self.model.uplift
        return pd.DataFrame(
            {
                "probability": self.model.response.chance(known, ""),
                "uplift": uplift.of(known, "purchase") if uplift else float("nan"),
                "expected_margin_added": uplift.of(known, "margin") if uplift else float("nan"),
            },
            index=model_input.index,
        )


set_model(AnswerModel())
