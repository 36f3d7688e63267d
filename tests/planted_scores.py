"""A made-up kind of model whose truth is known: what it expects is planted, so that the judge can be judged."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from crm.errors import NotEnoughData
from crm.measures.stability import Population
from crm.tracking import TrackedModel

AS_OF = dt.date(1998, 1, 1)
DATES = (dt.date(1997, 11, 1), dt.date(1997, 10, 1), dt.date(1997, 9, 1))


@dataclass(frozen=True)
class Planted:
    """Each customer's chance is known; a model is the name of what it makes of it.

    true: the chance itself.     vague: the chance with much noise.     random: nothing.
    constant: the same of all.     leaked: what came.     too_high: the right order at the wrong level.
    blind: wrong for the group "few".
    """

    kind: str = "chance"
    name: str = "planted"
    customers: int = 600
    dates_known: tuple[dt.date, ...] = DATES
    groups: tuple[str, ...] = ("many", "many", "many", "few")
    asked: list[tuple[str, dt.date]] = field(default_factory=list, compare=False)

    def load(self, record):
        return dict(record)

    def fitted_through(self, model):
        return dt.date.fromisoformat(model["as_of"])

    def dates(self, facts, as_of):
        return tuple(date for date in self.dates_known if date < as_of)

    def rows(self, facts, date):
        _, came = self._truth(date)
        group = np.resize(np.array(self.groups), self.customers)
        ids = [f"c{number}" for number in range(self.customers)]
        return pd.DataFrame({"customer_id": ids, "outcome": came, "group": group})

    def score(self, model, facts, date):
        self.asked.append((model["says"], date))
        chance, came = self._truth(date)
        rng = np.random.default_rng(date.toordinal() + 7)
        noise = rng.random(self.customers)
        few = np.resize(np.array(self.groups), self.customers) == "few"
        return {
            "true": chance,
            "vague": np.clip(chance + 0.8 * (noise - 0.5), 0.01, 0.99),
            "random": noise,
            "constant": np.full(self.customers, 0.3),
            "leaked": came * 0.9 + 0.01 * noise,
            "too_high": np.sqrt(chance),
            "blind": np.where(few, noise, chance),
            "empty": np.full(self.customers, np.nan),
            "short": chance[:-1],
        }[model["says"]]

    def twin(self, model, facts, date):
        if model.get("young"):
            raise NotEnoughData("A model needs history.", found="none", do="Wait.")
        return {**model, "as_of": date.isoformat()}

    def population(self, facts, as_of):
        return pd.DataFrame({"spend": np.random.default_rng(3).gamma(2, 50, self.customers)})

    def _truth(self, date):
        """Chances between 0 and 1, mostly low, and what came of them; amounts come in tens."""
        rng = np.random.default_rng(date.toordinal())
        chance = rng.beta(0.6, 1.4, self.customers)
        came = (rng.random(self.customers) < chance).astype("float64")
        return (chance, came) if self.kind == "chance" else (chance * 10, came * 10)


@dataclass(frozen=True)
class PlantedFiles:
    """Its record, where the files of a version lie."""

    record: dict[str, Any]

    def save(self, folder: Path, *, about: object) -> None:
        (folder / "artifacts").mkdir(parents=True)
        (folder / "artifacts" / "planted.json").write_text(json.dumps(self.record))


def planted_record(says: str, *, as_of: dt.date = AS_OF, spends: float = 50.0, **more: Any) -> dict[str, Any]:
    """The record of a model; spends: the mean spend of whom it was fitted on, doubled."""
    then = pd.DataFrame({"spend": np.random.default_rng(4).gamma(2, spends, 600)})
    record = {"says": says, "as_of": as_of.isoformat(), "columns": ["spend"]}
    return record | {"population": Population.of(then).as_record()} | more


def tracked(says: str, *, as_of: dt.date = AS_OF, **more: Any) -> TrackedModel:
    """Such a model, ready to be registered."""
    record = planted_record(says, as_of=as_of, **more)
    return TrackedModel(
        name="planted",
        as_of=as_of.isoformat(),
        content=json.dumps(record, sort_keys=True)[-40:] + says,
        parameters={"says": says},
        measures={"auc": 0.5},
        tables={},
        card=f"# Planted: {says}\n\n**Limits.** Made up.\n\n**Reviewed by.** Nobody reviewed it yet.\n",
        files=PlantedFiles(record),
    )


REVIEWABLE = Planted()
