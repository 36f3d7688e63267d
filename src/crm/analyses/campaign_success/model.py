"""The model that ships: who would answer a campaign, and whom it would change, as one object.

model = CampaignResponseModel.from_record(json.loads(text))
model.score(facts, as_of)                      # one row per active customer and kind of campaign
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from crm.analyses.campaign_success.campaigns import Campaigns, read_campaigns
from crm.analyses.campaign_success.contacted import Past, known_of, read_past
from crm.analyses.campaign_success.response import Response
from crm.analyses.campaign_success.uplift import Uplift
from crm.facts import Facts
from crm.measures.amounts import FloatArray
from crm.measures.stability import Population
from crm.outcomes import active
from crm.periods import day_number
from crm.snapshots import snapshot

KINDS_WITHIN_DAYS = 365
"""Kinds of campaign that began within these days are scored."""
CHANCE_DECIMALS, MONEY_DECIMALS = 6, 4
SCORES = ("customer_id", "kind", "channel", "probability", "uplift", "expected_margin_added", "rank")
SCORE = "score"
"""Under this name the population tells how the chances were spread."""


@dataclass(frozen=True)
class CampaignResponseModel:
    """Learnt from campaigns that were closed before `as_of`.

    response:       the chance of an answer.
    uplift:         what a contact changes; None without an experiment to learn from: `why_no_uplift` says why.
    learnt_through: the first day after the newest campaign learnt from; None where there was none.
    population:     how the columns of the active customers, and their chances, were spread; no part of its content.
    """

    as_of: dt.date
    response: Response
    uplift: Uplift | None
    why_no_uplift: str
    columns: tuple[str, ...]
    learnt_through: dt.date | None
    seed: int
    population: Population | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """Of what tells who would answer."""
        return self.response.ships if self.response.learners is not None else "The share that answered"

    @property
    def targets(self) -> bool:
        """Does it order customers by what a contact changes in them?"""
        return self.uplift is not None and bool(self.uplift.rule)

    def of_population(self, known: pd.DataFrame, kind: str) -> CampaignResponseModel:
        """The same, remembering how the columns and chances of these customers are spread."""
        chances = self.response.chance(known, kind)
        return replace(self, population=Population.of(known[list(self.columns)].assign(**{SCORE: chances})))

    def score(self, facts: Facts, as_of: dt.date) -> pd.DataFrame:
        """One row per active customer and kind of campaign of the last year: `SCORES`."""
        return self.score_today(today_of(facts, read_campaigns(facts, as_of), as_of))

    def score_today(self, today: Today) -> pd.DataFrame:
        """The same for what has been read already."""
        parts = [self._of_kind(today.known(kind), kind, channel) for kind, channel in today.kinds.items()]
        return pd.concat(parts, ignore_index=True) if parts else no_scores()

    def _of_kind(self, known: pd.DataFrame, kind: str, channel: str) -> pd.DataFrame:
        """uplift: by how much a contact raises the chance of a purchase; expected_margin_added: what it adds in
        money, its cost not yet taken off. rank: by that where customers are ordered by it, else by the chance."""
        nothing = np.full(len(known), np.nan)
        uplift = self.uplift.of(known, "purchase") if self.uplift else nothing
        margin = self.uplift.of(known, "margin") if self.uplift else nothing
        table = pd.DataFrame(
            {
                "customer_id": pd.Series(known.index, dtype="str"),
                "kind": pd.Series([kind] * len(known), dtype="str"),
                "channel": pd.Series([channel] * len(known), dtype="str"),
                "probability": self.response.chance(known, kind).round(CHANCE_DECIMALS),
                "uplift": uplift.round(CHANCE_DECIMALS),
                "expected_margin_added": margin.round(MONEY_DECIMALS),
            }
        )
        by = ["expected_margin_added", "uplift", "probability"] if self.targets else ["probability"]
        ordered = table.sort_values([*by, "customer_id"], ascending=[*[False] * len(by), True], kind="stable")
        return ordered.assign(rank=np.arange(1, len(table) + 1)).reset_index(drop=True)

    @cached_property
    def content(self) -> str:
        """A hash of everything it scores by."""
        record = {name: value for name, value in self.as_record().items() if name != "population"}
        return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()

    def as_record(self) -> dict[str, Any]:
        """Plain numbers and words, fit for JSON; trees in XGBoost's own JSON."""
        return {
            "as_of": self.as_of.isoformat(),
            "response": self.response.as_record(),
            "uplift": self.uplift and self.uplift.as_record(),
            "why_no_uplift": self.why_no_uplift,
            "columns": list(self.columns),
            "learnt_through": self.learnt_through and self.learnt_through.isoformat(),
            "seed": self.seed,
            "population": self.population and self.population.as_record(),
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> CampaignResponseModel:
        """The model that `as_record` wrote."""
        through, uplift, population = record["learnt_through"], record["uplift"], record.get("population")
        response = Response.from_record(record["response"])
        return cls(
            as_of=dt.date.fromisoformat(record["as_of"]),
            response=response,
            uplift=Uplift.from_record(uplift, response) if uplift else None,
            why_no_uplift=record["why_no_uplift"],
            columns=tuple(record["columns"]),
            learnt_through=dt.date.fromisoformat(through) if through else None,
            seed=int(record["seed"]),
            population=Population.from_record(population) if population else None,
        )


@dataclass(frozen=True)
class Today:
    """The active customers of a date, and the kinds of campaign they may be sent.

    kinds: with the channel of the newest campaign of each, the newest kind first.
    """

    facts: Facts = field(repr=False)
    as_of: dt.date
    customer_ids: tuple[str, ...] = field(repr=False)
    kinds: Mapping[str, str]
    past: Past = field(repr=False)

    def known(self, kind: str) -> pd.DataFrame:
        """What is known of each, for a campaign of a kind; by customer_id."""
        return known_of(self.facts, self.past, self.as_of, kind, self.customer_ids)

    @property
    def newest_kind(self) -> str:
        """Empty where there was no campaign."""
        return next(iter(self.kinds), "")


def today_of(facts: Facts, campaigns: Campaigns, as_of: dt.date, past: Past | None = None) -> Today:
    """What is scored on a date; `past`: every contact before it, where it has been read already."""
    customers = snapshot(facts, as_of)
    some = customers[active(customers, within_days=facts.settings.definitions.active_within_days)]
    newest = [
        one.campaign
        for one in reversed(campaigns.chosen)
        if one.campaign.starts >= day_number(as_of) - KINDS_WITHIN_DAYS and one.contacted
    ]
    kinds: dict[str, str] = {}
    for campaign in newest:
        kinds.setdefault(campaign.kind, campaign.channel)
    told = read_past(facts, campaigns, as_of) if past is None else past
    return Today(facts, as_of, tuple(some["customer_id"]), kinds, told)


def no_scores() -> pd.DataFrame:
    """No row, and columns of the kinds they have where there are some."""
    words, whole = {"customer_id", "kind", "channel"}, {"rank"}
    kinds = {name: "str" if name in words else "int64" if name in whole else "float64" for name in SCORES}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})


def chances_of(model: CampaignResponseModel, known: pd.DataFrame, kinds: list[str]) -> FloatArray:
    """Of an answer, as the model tells them; 0 where it is not known who answers."""
    return np.nan_to_num(model.response.chance(known, kinds), nan=0.0)


__all__ = ["SCORES", "CampaignResponseModel", "Today", "chances_of", "no_scores", "today_of"]
