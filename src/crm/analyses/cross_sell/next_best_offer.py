"""For each customer the offer with the highest expected margin, beside the likeliest one.

Expected margin = chance of buying within the horizon x margin rate x value of a purchase of the item. What is out of
stock, not for a customer, or was offered lately is left out here, of what is shown; learning knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import pandas as pd

from crm.analyses.cross_sell.items import Items
from crm.analyses.cross_sell.model import Scored
from crm.errors import RequestError

OFFERS = (
    "customer_id", "item", "probability", "expected_margin", "because", "because_share",
    "likeliest", "likeliest_probability", "likeliest_margin", "more_margin",
)  # fmt: skip


def allowed(
    table: pd.DataFrame,
    *,
    out_of_stock: Collection[str] = (),
    not_for: pd.DataFrame | None = None,
    already: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The rows of `Scored.top` or `Scored.by_margin` that may be offered, ranked anew.

    out_of_stock: items for nobody.     not_for, already: pairs of customer_id and item that must not be offered, or
    were lately. Raises RequestError where a table of pairs lacks one of the two columns.
    """
    kept = table[~table["item"].isin(list(out_of_stock))]
    for name, pairs in (("not_for", not_for), ("already", already)):
        if pairs is not None:
            kept = kept[~_among(kept, pairs, name)]
    return kept.assign(rank=kept.groupby("customer_id").cumcount() + 1).reset_index(drop=True)


def next_best_offers(
    scored: Scored,
    *,
    out_of_stock: Collection[str] = (),
    not_for: pd.DataFrame | None = None,
    already: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """One row per customer to whom something may be offered, in their order.

    item (of the highest expected margin) with its probability and expected_margin; likeliest with its own;
    more_margin (what offering the one instead of the other is worth). Chosen among the ten likeliest and the five
    of highest margin.
    """
    one = allowed(scored.top, out_of_stock=out_of_stock, not_for=not_for, already=already)
    by_margin = allowed(scored.by_margin, out_of_stock=out_of_stock, not_for=not_for, already=already)
    both = pd.concat([by_margin, one], ignore_index=True)
    best = both.sort_values(["customer_id", "expected_margin", "item"], ascending=[True, False, True])
    best = best.drop_duplicates("customer_id")
    likely = both.sort_values(["customer_id", "probability", "item"], ascending=[True, False, True])
    likely = likely.drop_duplicates("customer_id")[["customer_id", "item", "probability", "expected_margin"]]
    likely = likely.set_axis(["customer_id", "likeliest", "likeliest_probability", "likeliest_margin"], axis=1)
    offers = best.merge(likely, on="customer_id", how="left")
    offers["more_margin"] = (offers["expected_margin"] - offers["likeliest_margin"]).round(4)
    return offers[list(OFFERS)].reset_index(drop=True)


def to_choose_from(scored: Scored) -> pd.DataFrame:
    """The ten likeliest of each customer and, ranked after them, those of highest margin that are not among them.

    Whoever takes the row of the highest expected margin takes the offer that `next_best_offers` makes.
    """
    pair = ["customer_id", "item"]
    both = pd.concat([scored.top, scored.by_margin], ignore_index=True)
    both = both.assign(rank=both["rank"].where(both.index < len(scored.top))).drop_duplicates(pair)
    order = ["customer_id", "rank", "probability", "item"]
    both = both.sort_values(order, ascending=[True, True, False, True], na_position="last", ignore_index=True)
    return both.assign(rank=both.groupby("customer_id").cumcount() + 1)


def leave_out(scored: Scored, items: Items, not_offered: Collection[str]) -> Scored:
    """The same without those of the items that are not offered, ranked anew (`Items.offered`)."""
    names = [name for name, offered in zip(items.names, items.offered(not_offered), strict=True) if not offered]
    return replace(
        scored,
        top=allowed(scored.top, out_of_stock=names),
        by_margin=allowed(scored.by_margin, out_of_stock=names),
        lists=scored.lists[~scored.lists["item"].isin(names)].reset_index(drop=True),
        items=scored.items[~scored.items["item"].isin(names)].reset_index(drop=True),
    )


def _among(table: pd.DataFrame, pairs: pd.DataFrame, name: str) -> pd.Series[bool]:
    missing = [column for column in ("customer_id", "item") if column not in pairs]
    if missing:
        raise RequestError(
            f"The table {name} names pairs by customer_id and item.",
            found=f"columns {', '.join(str(column) for column in pairs)}",
            do=f"Add {' and '.join(missing)}.",
        )
    left = pd.MultiIndex.from_frame(table[["customer_id", "item"]].astype("object"))
    right = pd.MultiIndex.from_frame(pairs[["customer_id", "item"]].astype("object"))
    return pd.Series(left.isin(right), index=table.index)
