"""The chances of new items as a model for MLflow; cross_sell.json travels with it, this package must be there.

Not imported by anything here; MLflow executes it when the model is loaded.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel


class OfferModel(PythonModel):
    """Gives the chance that a customer buys an item that is new to them; see the model card."""

    def load_context(self, context: Any) -> None:
        """Read the record."""
        from crm.analyses.cross_sell.model import CrossSellModel

        record = json.loads(Path(context.artifacts["cross_sell"]).read_text(encoding="utf-8"))
        self.model = CrossSellModel.from_record(record)

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """One row per row of `model_input`, a pair of customer and item, under its index."""
        from crm.analyses.cross_sell.candidates import chance, log_odds
        from crm.analyses.cross_sell.pairs import COLUMNS

        if self.model.learners is None:
            raise ValueError(
                "Nothing was learnt here: the share of new buyers stands for each item, of any customer."
            )
        rows = model_input[list(COLUMNS)].to_numpy(dtype="float32")
        probability = chance(log_odds(rows, self.model.learners)[self.model.ships])
        return pd.DataFrame({"probability": probability}, index=model_input.index)


set_model(OfferModel())
