"""What would each customer buy next?

`cross_sell_to_customers(facts, as_of)` gives every active customer the items that are new to them in the order of
their chances, with what each is worth; what goes with what; who may move to a dearer line. Rules of thumb,
associations, similarity, factorisation and models that learn are judged on dates whose outcome is known; best-sellers
ship where nothing beats them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import replace

import pandas as pd

from crm.analyses import absent, refuse_thin
from crm.analyses.cross_sell.candidates import BEST_SELLERS, Looked, Seen, fit_learners, see
from crm.analyses.cross_sell.dates import dates_to_judge_on, horizon_seen
from crm.analyses.cross_sell.judging import Judged, judge, look_back
from crm.analyses.cross_sell.model import AT_ONCE, LISTS, TOP, CrossSellModel, Scored
from crm.analyses.cross_sell.needs import REQUIREMENTS
from crm.analyses.cross_sell.next_best_offer import OFFERS, allowed, leave_out, next_best_offers
from crm.analyses.cross_sell.one_each import draw_one_each
from crm.analyses.cross_sell.panel import active_customers, evenly, read_panel
from crm.analyses.cross_sell.reasons import Reason
from crm.analyses.cross_sell.result import CrossSell
from crm.analyses.cross_sell.share_elsewhere import COLUMNS as ELSEWHERE
from crm.analyses.cross_sell.share_elsewhere import share_elsewhere
from crm.analyses.cross_sell.together import Together, go_together
from crm.analyses.cross_sell.unsaid import no_items
from crm.analyses.cross_sell.up_sell import NOBODY, UpSell, up_sell
from crm.analyses.standing import Standing
from crm.facts import Facts

COMPARED = 20_000
"""Active customers whose buying elsewhere is estimated; an even sample of more."""

SEGMENT_COLUMNS = ("segment", "item", "customers", "share", "rank")


def cross_sell_to_customers(
    facts: Facts,
    as_of: dt.date,
    *,
    segments: pd.DataFrame | None = None,
    standing: Standing | None = None,
    not_offered: Collection[str] = (),
) -> CrossSell:
    """What every active customer would buy next, as of a date.

    not_offered: items that are learnt from and never offered: out of stock, or nothing one can buy as such.
    segments: scores of the segmentation (customer_id, cluster_name), for items by segment; None leaves them out.
    standing: the approved model, which scores where there is one; without one a new one is fitted and scores.

    The same facts, date, seed, segments and standing give the same scores, byte for byte. Raises NotEnoughData where
    nothing can be said (`REQUIREMENTS`).
    """
    refuse_thin(REQUIREMENTS, facts, as_of)
    standing = standing or Standing()
    definitions, seed = facts.settings.definitions, facts.settings.runs.seed
    level, most = definitions.cross_sell_level, definitions.cross_sell_items
    days = horizon_seen(as_of, facts, horizon_days=definitions.cross_sell_horizon_days)
    seen = see(facts, as_of, level=level, most=most)
    if seen is None:
        return _nothing(facts, as_of, standing)
    looked = Looked(facts, level=level, most=most, days=days, not_offered=tuple(not_offered))
    dates = dates_to_judge_on(as_of, facts, days=days).dates
    looks = [one for date in dates if (one := look_back(looked, date, seed=seed))]
    judged = judge(looks, days=days, seed=seed)
    champion = CrossSellModel.from_record(standing.record) if standing.record else None
    fitted = None
    if champion is None or standing.retrain:
        learners = fit_learners(looked, as_of, seed=seed)
        ships = judged.ships if learners else BEST_SELLERS
        today = draw_one_each(seen.active(definitions.active_within_days), seen.market, seed=seed)
        fitted = CrossSellModel(as_of, days, level, most, ships, learners, seed).of_population(today.columns)
    model = champion or fitted
    assert model is not None
    scored = leave_out(_score(model, facts, seen, as_of), seen.items, not_offered)
    rates = seen.items.table.set_index("item")["margin_rate"] if level == "category" else pd.Series(dtype="float64")
    compared = read_panel(facts, seen.items, as_of, evenly(active_customers(facts, as_of), COMPARED))
    elsewhere, gross = share_elsewhere(compared, seen.items), facts.settings.money.gross_margin
    up = up_sell(facts, as_of, days=days, margin_rates=rates, gross_margin=gross, seed=seed, not_offered=not_offered)
    return CrossSell(
        as_of=as_of,
        horizon_days=model.horizon_days,
        wanted_days=definitions.cross_sell_horizon_days,
        currency=facts.settings.money.currency,
        level=level,
        facts=facts,
        seen=seen,
        scored=scored,
        judged=judged,
        together=go_together(seen.market, seen.items),
        offers=next_best_offers(scored),
        up=_offered_lines(up, seen, scored),
        elsewhere=elsewhere[elsewhere["item"].isin(scored.items["item"])].reset_index(drop=True),
        by_segment=_by_segment(scored.top, segments),
        model=model,
        challenger=fitted if champion else None,
        standing=standing,
        wanting=absent(REQUIREMENTS, facts),
        why_not="",
    )


def _score(model: CrossSellModel, facts: Facts, seen: Seen, as_of: dt.date) -> Scored:
    """What was seen already serves, where the model is of the same level and number of items."""
    definitions = facts.settings.definitions
    if (model.level, model.most_items) != (definitions.cross_sell_level, definitions.cross_sell_items):
        return model.score(facts, as_of)
    customers = active_customers(facts, as_of)
    starts = range(0, len(customers), AT_ONCE)
    panels = (read_panel(facts, seen.items, as_of, customers[start : start + AT_ONCE]) for start in starts)
    return model.score_panels(seen, panels)


def _offered_lines(up: UpSell, seen: Seen, scored: Scored) -> UpSell:
    """Without the categories that are items and are not offered; `NOBODY` where none is left."""
    unwanted = set(seen.items.names) - set(scored.items["item"])
    if up.customers.empty or not unwanted:
        return up
    customers = up.customers[~up.customers["category"].isin(unwanted)]
    if customers.empty:
        return NOBODY
    categories = up.categories[~up.categories["category"].isin(unwanted)].reset_index(drop=True)
    ranked = customers.assign(rank=range(1, len(customers) + 1)).reset_index(drop=True)
    return replace(up, customers=ranked, categories=categories)


def _by_segment(top: pd.DataFrame, segments: pd.DataFrame | None) -> pd.DataFrame:
    """Per segment the three items that stand most often among the first three."""
    if segments is None or segments.empty or top.empty:
        return pd.DataFrame(columns=list(SEGMENT_COLUMNS))
    of = segments.set_index("customer_id")["cluster_name"]
    first = top[top["rank"] <= 3].assign(segment=lambda table: table["customer_id"].map(of))
    counted = first.groupby(["segment", "item"]).size().rename("customers").reset_index()
    sizes = first.groupby("segment")["customer_id"].nunique()
    counted["share"] = counted["customers"] / counted["segment"].map(sizes)
    ordered = counted.sort_values(["segment", "customers", "item"], ascending=[True, False, True])
    ordered["rank"] = ordered.groupby("segment").cumcount() + 1
    return ordered[ordered["rank"] <= 3][list(SEGMENT_COLUMNS)].reset_index(drop=True)


def _nothing(facts: Facts, as_of: dt.date, standing: Standing) -> CrossSell:
    """The empty answer where it is not known what was bought."""
    definitions = facts.settings.definitions
    empty = {name: _empty(names) for name, names in (("top", TOP), ("lists", LISTS))}
    scored = Scored(empty["top"], empty["top"], empty["lists"], pd.DataFrame(columns=["item", "customers"]), 0, 0)
    return CrossSell(
        as_of=as_of,
        horizon_days=definitions.cross_sell_horizon_days,
        wanted_days=definitions.cross_sell_horizon_days,
        currency=facts.settings.money.currency,
        level=definitions.cross_sell_level,
        facts=facts,
        seen=None,
        scored=scored,
        judged=judge([], days=definitions.cross_sell_horizon_days, seed=0),
        together=None,
        offers=pd.DataFrame(columns=list(OFFERS)),
        up=NOBODY,
        elsewhere=pd.DataFrame(columns=list(ELSEWHERE)),
        by_segment=pd.DataFrame(columns=list(SEGMENT_COLUMNS)),
        model=None,
        challenger=None,
        standing=standing,
        wanting=absent(REQUIREMENTS, facts),
        why_not=no_items(definitions.cross_sell_level),
    )


def _empty(names: tuple[str, ...]) -> pd.DataFrame:
    """No row, and columns of the kinds they have where there are some."""
    words = {"customer_id", "item", "because"}
    return pd.DataFrame({name: pd.Series(dtype="str" if name in words else "float64") for name in names})


cross_sell = cross_sell_to_customers
"""The same, by its short name."""

__all__ = [
    "REQUIREMENTS",
    "CrossSell",
    "CrossSellModel",
    "Judged",
    "Reason",
    "Scored",
    "Together",
    "allowed",
    "cross_sell",
    "cross_sell_to_customers",
    "next_best_offers",
]
