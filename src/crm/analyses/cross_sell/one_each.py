"""One new item of each customer, drawn by how often such items are bought: what review and drift look at."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from crm.analyses.cross_sell.market import Market
from crm.analyses.cross_sell.pairs import COLUMNS, describe
from crm.analyses.cross_sell.panel import BoolArray, Panel


@dataclass(frozen=True)
class OneEach:
    """wanted: the item of each customer of the panel; none of one who has bought everything."""

    panel: Panel = field(repr=False)
    market: Market = field(repr=False)
    wanted: BoolArray = field(repr=False)

    @property
    def columns(self) -> pd.DataFrame:
        """What models read of these pairs, one row per customer."""
        return pd.DataFrame(describe(self.panel, self.market, self.wanted).astype("float64"), columns=list(COLUMNS))


def draw_one_each(panel: Panel, market: Market, *, seed: int) -> OneEach:
    """The same customers, date and seed give the same items."""
    weight = np.where(panel.candidates, market.hazard[None, :], 0.0).cumsum(axis=1)
    total = weight[:, -1:]
    at = np.random.default_rng([seed, panel.date.toordinal()]).random((len(panel), 1)) * total
    place = np.argmax(weight > at, axis=1)
    wanted = (np.arange(weight.shape[1])[None, :] == place[:, None]) & panel.candidates & (total > 0)
    return OneEach(panel, market, wanted)
