"""The purchase models as one: each answer is the mean of theirs.

The model under which the past is likeliest is not the one that expects best: on groceries the most regular model won
by likelihood and lost on dates held out. Nothing has to be chosen where all are heard.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crm.purchase_models.histories import FloatArray, Histories
from crm.purchase_models.model import PurchaseModel


@dataclass(frozen=True)
class Together:
    """One or more fitted models of the same customers."""

    models: tuple[PurchaseModel, ...]

    def expected_purchases(self, histories: Histories, days: float) -> FloatArray:
        """See `PurchaseModel`; the mean over the models, as everywhere here."""
        return self._mean(lambda model: model.expected_purchases(histories, days))

    def chance_of_no_purchase(self, histories: Histories, days: float) -> FloatArray:
        """See `PurchaseModel`."""
        return self._mean(lambda model: model.chance_of_no_purchase(histories, days))

    def probability_alive(self, histories: Histories) -> FloatArray:
        """See `PurchaseModel`."""
        return self._mean(lambda model: model.probability_alive(histories))

    def count_probabilities(self, histories: Histories, days: float, most: int) -> FloatArray:
        """See `PurchaseModel`."""
        return self._mean(lambda model: model.count_probabilities(histories, days, most))

    def _mean(self, answer: Callable[[PurchaseModel], FloatArray]) -> FloatArray:
        total = answer(self.models[0]).astype("float64")
        for model in self.models[1:]:
            total = total + answer(model)
        return total / len(self.models)
