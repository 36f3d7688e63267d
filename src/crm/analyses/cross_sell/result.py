"""What cross-sell gives: its tables, and what can be asked of them for one item or one customer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from crm.analyses import Addition
from crm.analyses.cross_sell.candidates import Seen
from crm.analyses.cross_sell.findings import all_findings, headline, measures
from crm.analyses.cross_sell.judging import Judged
from crm.analyses.cross_sell.model import LISTS, TOP, CrossSellModel, Scored
from crm.analyses.cross_sell.next_best_offer import to_choose_from
from crm.analyses.cross_sell.panel import read_panel
from crm.analyses.cross_sell.reasons import Reason, explain
from crm.analyses.cross_sell.together import Together
from crm.analyses.cross_sell.unsaid import unsaid
from crm.analyses.cross_sell.up_sell import UpSell
from crm.analyses.standing import Standing
from crm.errors import RequestError
from crm.facts import Facts
from crm.finding import Findings
from crm.headline import Headline

SCORES = (*TOP[:5], "because", "because_share", "model_version")
THREE = 3


@dataclass(frozen=True)
class CrossSell:
    """Everything the cross-sell page shows; money in `currency`.

    horizon_days: how far is looked ahead; shorter than wanted_days where the history is short.
    seen:         the items, and a sample of customers with what they tell.     scored: see `Scored`.
    judged:       how well every candidate did before.     together: what goes with what.
    offers:       per customer the offer of the highest expected margin beside the likeliest (`next_best_offers`).
    up:           who may move to a dearer line.     elsewhere: what is probably bought elsewhere, an estimate.
    by_segment:   per segment the three items most often among the first three: segment, item, customers, share, rank.
    model:        what scores; challenger: what was fitted beside it, if anything was.
    Where the purchases do not say what was bought, `why_not` says so, seen and model are None and all tables empty.
    """

    as_of: dt.date
    horizon_days: int
    wanted_days: int
    currency: str
    level: str
    facts: Facts = field(repr=False)
    seen: Seen | None = field(repr=False)
    scored: Scored = field(repr=False)
    judged: Judged = field(repr=False)
    together: Together | None = field(repr=False)
    offers: pd.DataFrame = field(repr=False)
    up: UpSell = field(repr=False)
    elsewhere: pd.DataFrame = field(repr=False)
    by_segment: pd.DataFrame = field(repr=False)
    model: CrossSellModel | None = field(repr=False)
    challenger: CrossSellModel | None = field(repr=False)
    standing: Standing
    wanting: tuple[Addition, ...] = field(repr=False)
    why_not: str

    @property
    def scores(self) -> pd.DataFrame:
        """Up to fifteen rows per active customer: `SCORES`; probability within the horizon.

        The ten likeliest first, then those of the five of highest expected margin that are not among them.
        """
        version = self.model.content[:12] if self.model else ""
        return to_choose_from(self.scored).assign(model_version=version)[list(SCORES)]

    @property
    def up_sell_scores(self) -> pd.DataFrame:
        """Who may move to a dearer line: customer_id, category, probability, expected_extra_margin, rank."""
        return self.up.customers[["customer_id", "category", "probability", "expected_extra_margin", "rank"]]

    @cached_property
    def findings(self) -> Findings:
        """The answers, most important first."""
        return all_findings(self)

    @property
    def headline(self) -> Headline | None:
        """The number of this page that stands on the front page; None where it could not be found."""
        return headline(self)

    @property
    def measures(self) -> dict[str, object]:
        """The numbers for results.json."""
        return measures(self)

    @property
    def unsaid(self) -> Mapping[str, str]:
        """What these data do not allow to be said, by section: a sentence each."""
        return unsaid(self)

    @property
    def items(self) -> pd.DataFrame:
        """One row per item: what is known of it, to how many it is new, and what is expected of them."""
        if self.seen is None:
            return pd.DataFrame(columns=["item"])
        expected = self.scored.items.rename(columns={"customers": "new_to"})
        return self.seen.items.table.merge(expected, on="item", how="inner")

    @property
    def grouped(self) -> pd.DataFrame:
        """The items that are not offered on their own, by group."""
        return self.seen.items.grouped if self.seen else pd.DataFrame(columns=["group"])

    def for_item(self, item: str, *, most: int = 1_000) -> pd.DataFrame:
        """Whom to write to about an item: customer_id, probability, rank, expected_buyers (cumulative).

        Raises RequestError where it is not among the items.
        """
        names = self.seen.items.names if self.seen else []
        if item not in names:
            near = [name for name in names if item.lower() in name.lower()][:3] or names[:3]
            raise RequestError(
                "An item is one of those that may be offered.",
                found=f"{item!r}, not among {len(names):,} items",
                do=f"Choose one of the table `items`, such as {', '.join(near) or 'none: no item is known'}.",
            )
        listed = self.scored.lists[self.scored.lists["item"] == item]
        return listed[list(LISTS[1:])].head(most).reset_index(drop=True)

    def for_customer(self, customer_id: str) -> list[Reason]:
        """Three items for a customer with the reason of each; none for one who is not active."""
        top = self.scored.top
        wanted = top[(top["customer_id"] == customer_id) & (top["rank"] <= THREE)]
        return self.reasons(wanted[["customer_id", "item"]])

    def reasons(self, pairs: pd.DataFrame) -> list[Reason]:
        """The reason of each row of customer_id and item."""
        if self.seen is None or pairs.empty:
            return []
        customers = sorted(set(pairs["customer_id"]))
        panel = read_panel(self.facts, self.seen.items, self.as_of, customers)
        wanted = [(str(one), str(item)) for one, item in zip(pairs["customer_id"], pairs["item"], strict=True)]
        return explain(panel, self.seen.panel, self.seen.market, self.seen.items, wanted)
