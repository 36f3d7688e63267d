"""Who buys (nearly) only on discount, what does that cost, and who used a coupon and would have bought anyway?

Two questions are asked of a customer's last 365 days. How much of it was bought on promotion (below list price)? And,
because some products are nearly always on promotion, how much more discount did the customer get than the same basket
usually gets: each product's list value times the discount that all customers together got on that product.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field

import narwhals as nw
import numpy as np
import pandas as pd

from crm.engine import Lazy, to_pandas
from crm.facts import Facts
from crm.mart import UNKNOWN, open_mart
from crm.mart.rollups import MONEY_DECIMALS
from crm.periods import known_within

DAYS = 365
FEWEST_PURCHASE_DAYS = 3
"""Of fewer purchase days no habit can be judged."""

NONE, UP_TO_HALF, MOSTLY, NEARLY_ALL = "none", "up to half", "half to 90 %", "90 % and more"
BANDS = (NONE, UP_TO_HALF, MOSTLY, NEARLY_ALL)
"""Shares of net sales bought on promotion."""

LESS, USUAL, MORE, FAR_MORE = "under 3/4", "3/4 to 5/4", "5/4 to double", "double and more"
AGAINST_USUAL = (LESS, USUAL, MORE, FAR_MORE)
"""Discount got, against what the same products usually get."""

SHUFFLES, SHUFFLED = 10, 5_000
"""How often purchase days are shuffled, and among how many customers at most."""

MOST_IS_USUAL = 0.9
"""Where so much of all net sales is on promotion, who buys on promotion tells nothing of a customer."""

CUSTOMERS = (
    "customer_id", "purchase_days", "net_sales", "margin", "discount", "list_value", "share_on_promotion",
    "discount_rate", "usual_discount", "against_usual", "band", "band_against_usual",
)  # fmt: skip
BY_BAND = (
    "band", "customers", "share_of_customers", "by_chance", "net_sales", "share_of_net_sales", "margin",
    "margin_rate", "discount", "share_of_discount", "discount_rate", "discount_each", "above_usual",
)  # fmt: skip


@dataclass(frozen=True)
class Promotions:
    """How much customers depend on promotions.

    customers: `CUSTOMERS`, who bought on three days or more in the last 365; discount_rate: of list value;
               usual_discount: what the same products usually get; against_usual: discount over it, missing where
               that is nothing.
    by_share:  `BY_BAND`, by the share of net sales on promotion. by_chance: how many customers would be in the band
               if days on promotion fell to anybody alike, by shuffling purchase days. discount: given in all, in
               currency; above_usual: the part of it beyond what the same products usually get (below zero: less).
    by_usual:  the same, by the discount against the usual one; without customers whose products never are discounted,
               and with no by_chance.
    too_few_days: customers who bought on fewer days, or whose net sales are not above zero: not judged.
    share_on_promotion, discount_rate: of everything that was bought in these days.
    tells:     what this can tell here and what it cannot.
    """

    as_of: dt.date
    customers: pd.DataFrame = field(repr=False)
    by_share: pd.DataFrame = field(repr=False)
    by_usual: pd.DataFrame = field(repr=False)
    too_few_days: int
    share_on_promotion: float
    discount_rate: float
    tells: tuple[str, ...]

    @property
    def fewest_days(self) -> int:
        """Of fewer days with purchases nobody is judged."""
        return FEWEST_PURCHASE_DAYS

    @property
    def only_on_promotion(self) -> pd.DataFrame:
        """The customers who buy (nearly) only on promotion."""
        return self.customers[self.customers["band"] == NEARLY_ALL].reset_index(drop=True)


def promotion_dependence(facts: Facts, as_of: dt.date) -> Promotions:
    """How customers of the last 365 days before `as_of` depend on promotions."""
    table = _customers(facts, as_of)
    judged = table[(table["purchase_days"] >= FEWEST_PURCHASE_DAYS) & (table["net_sales"] > 0)].reset_index(drop=True)
    net_sales, list_value = float(table["net_sales"].sum()), float(table["list_value"].sum())
    share = float(table["sales_on_promotion"].sum()) / net_sales if net_sales > 0 else math.nan
    rate = float(table["discount"].sum()) / list_value if list_value > 0 else math.nan
    return Promotions(
        as_of=as_of,
        customers=judged[list(CUSTOMERS)],
        by_share=_by_band(judged, "band", BANDS, _by_chance(facts, as_of, judged["customer_id"])),
        by_usual=_by_band(judged, "band_against_usual", AGAINST_USUAL),
        too_few_days=len(table) - len(judged),
        share_on_promotion=share,
        discount_rate=rate,
        tells=_tells(share, rate, judged),
    )


def _customers(facts: Facts, as_of: dt.date) -> pd.DataFrame:
    """One row per customer of these days, with the bands."""
    rate = facts.settings.money.gross_margin
    money = ("net_sales", "discount", "sales_on_promotion", "margin_known", "sales_margin_unknown")
    days = known_within(open_mart(facts)["customer_days"], as_of, DAYS)
    sums = to_pandas(
        days.group_by("customer_id").agg(
            nw.len().alias("purchase_days"), *(nw.col(name).sum().round(MONEY_DECIMALS) for name in money)
        )
    )
    usual = to_pandas(_usual_discounts(known_within(facts["purchases"], as_of, DAYS)))
    table = sums.merge(usual, on="customer_id", how="left").sort_values("customer_id", ignore_index=True)
    spent, list_value = table["net_sales"], table["net_sales"] + table["discount"]
    expected = table["usual_discount"].fillna(0.0)
    told = table.assign(
        margin=table["margin_known"] + rate * table["sales_margin_unknown"],
        list_value=list_value,
        share_on_promotion=(table["sales_on_promotion"] / spent.where(spent > 0)).clip(0, 1),
        discount_rate=table["discount"] / list_value.where(list_value > 0),
        usual_discount=expected,
        against_usual=table["discount"] / expected.where(expected > 0),
    )
    return told.assign(
        band=_band(told["share_on_promotion"], (0.5, 0.9), BANDS),
        band_against_usual=_band(told["against_usual"], (0.75, 1.25, 2.0), AGAINST_USUAL),
    )


def _usual_discounts(lines: Lazy) -> Lazy:
    """What each customer's products would have got if discounted as they usually are: customer_id, usual_discount."""
    told = lines.select(
        "customer_id",
        product_id=nw.col("product_id").fill_null(UNKNOWN),
        discount=nw.col("discount_amount").fill_null(0.0),
        list_value=nw.col("net_amount") + nw.col("discount_amount").fill_null(0.0),
    )
    sums = told.group_by("product_id").agg(
        nw.col("discount").sum().round(MONEY_DECIMALS).alias("given"),
        nw.col("list_value").sum().round(MONEY_DECIMALS).alias("listed"),
    )
    usual = sums.filter(nw.col("listed") > 0).select(
        "product_id", usual_rate=(nw.col("given") / nw.col("listed")).round(8)
    )
    each = told.join(usual, on="product_id", how="inner").with_columns(
        usual_discount=(nw.col("list_value") * nw.col("usual_rate")).round(MONEY_DECIMALS)
    )
    return each.group_by("customer_id").agg(nw.col("usual_discount").sum().round(MONEY_DECIMALS))


def _band(values: pd.Series[float], edges: tuple[float, ...], names: tuple[str, ...]) -> pd.Series[str]:
    """The name of each value's band; an edge belongs to the band above it. With two names more than edges, the first
    is for nothing at all."""
    at = np.searchsorted(edges, np.round(values.to_numpy(dtype="float64"), 9), side="right")
    if len(names) == len(edges) + 2:
        at = np.where(values.to_numpy() > 0, at + 1, 0)
    named = pd.Series(np.array(names, dtype="object")[np.minimum(at, len(names) - 1)], index=values.index)
    return named.where(values.notna()).astype("str")


def _by_chance(facts: Facts, as_of: dt.date, customers: pd.Series[str]) -> pd.Series[float]:
    """Customers per band when their purchase days are shuffled among them, each keeping the number of days."""
    rng = np.random.default_rng(facts.settings.runs.seed)
    some = (
        customers
        if len(customers) <= SHUFFLED
        else customers.iloc[np.sort(rng.permutation(len(customers))[:SHUFFLED])]
    )
    days = known_within(open_mart(facts)["customer_days"], as_of, DAYS)
    days = days.filter(nw.col("customer_id").is_in(list(some))).select(
        "customer_id", "day", "net_sales", "sales_on_promotion"
    )
    table = to_pandas(days).sort_values(["customer_id", "day"], ignore_index=True)
    whose, _ = pd.factorize(table["customer_id"])
    counts = pd.Series(0.0, index=list(BANDS))
    for _ in range(SHUFFLES):
        drawn = table[["net_sales", "sales_on_promotion"]].iloc[rng.permutation(len(table))].groupby(whose).sum()
        spent = drawn["net_sales"].round(MONEY_DECIMALS)
        share = (drawn["sales_on_promotion"].round(MONEY_DECIMALS) / spent.where(spent > 0)).clip(0, 1)
        counts = counts.add(_band(share, (0.5, 0.9), BANDS).value_counts(), fill_value=0.0)
    return counts / SHUFFLES * (len(customers) / max(len(some), 1))


def _by_band(
    customers: pd.DataFrame, column: str, bands: tuple[str, ...], by_chance: pd.Series[float] | None = None
) -> pd.DataFrame:
    money = ["net_sales", "margin", "discount", "list_value", "usual_discount"]
    grouped = customers.groupby(column)
    sums = grouped[money].sum().assign(customers=grouped.size()).reindex(list(bands)).fillna(0.0)
    sums = sums.astype({"customers": "int64"}).rename_axis("band").reset_index()
    told = sums.assign(
        by_chance=sums["band"].map(by_chance) if by_chance is not None else np.nan,
        **{f"share_of_{name}": _share(sums[name], float(sums[name].sum())) for name in _SHARED},
        margin_rate=_share(sums["margin"], sums["net_sales"]),
        discount_rate=_share(sums["discount"], sums["list_value"]),
        discount_each=_share(sums["discount"], sums["customers"]),
        above_usual=sums["discount"] - sums["usual_discount"],
    )
    return told[list(BY_BAND)] if len(customers) else told.iloc[:0][list(BY_BAND)]


_SHARED = ("customers", "net_sales", "discount")


def _share(part: pd.Series[float], whole: pd.Series[float] | float) -> pd.Series[float]:
    """Missing where the whole is not positive."""
    whole = pd.Series(whole, index=part.index, dtype="float64")
    return part / whole.where(whole > 0)


def _tells(share: float, rate: float, judged: pd.DataFrame) -> tuple[str, ...]:
    if judged.empty:
        return (
            f"No customer bought on {FEWEST_PURCHASE_DAYS} days or more in these {DAYS} days: nothing is judged.",
        )
    if not rate > 0:
        return ("No discount is recorded: who depends on promotions cannot be told.",)
    told = [
        "It tells who bought below list price, and how much was taken off. It cannot tell who would have bought at "
        "list price as well: that takes an experiment, or prices that moved for some customers and not for others.",
    ]
    if share >= MOST_IS_USUAL:
        told.append(
            f"{share:.0%} of all net sales are on promotion: buying so is no trait of a customer here; read the "
            "discount against the usual one of the same products."
        )
    elif share >= 0.5:
        told.append(
            f"{share:.0%} of all net sales are on promotion: much of a customer's share comes from which products "
            "they are; the discount against the usual one of the same products does not."
        )
    return tuple(told)


@dataclass(frozen=True)
class BoughtAnyway:
    """Of those who answered a campaign, the share that would have bought in its window without it, with interval.

    incremental: buyers that the campaign caused. observational: there was no lot. how: how it was made. why_not: why
    there is no share.
    """

    share: float
    low: float
    high: float
    responded: int
    incremental: float
    observational: bool
    how: str
    why_not: str = ""


HOW = (
    "Buyers that the campaign caused (its effect on buying, {effect:.1%}, times {contacted:,} contacted) against the "
    "{responded:,} who answered: whoever answered beyond them would have bought anyway. It takes every buyer caused "
    "as one who answered, and nobody as kept from buying: if some bought without answering, more of the answers came "
    "from people who would have bought anyway; if some were kept from it, fewer."
)
OBSERVATIONAL = " The effect is observational: nobody drew lots, and an unseen cause may be in it."


def bought_anyway(
    effect_on_bought: float,
    low: float,
    high: float,
    responded: int,
    contacted: int,
    *,
    observational: bool = False,
) -> BoughtAnyway:
    """How many of those who answered a campaign would have bought in its window anyway: 1 - caused / answered.

    effect_on_bought: on the share of the contacted who bought anything, with its interval of 95 %. The share and its
    interval are held within 0 and 1. responded: of the contacted, not of the held out.
    """
    how = HOW.format(effect=effect_on_bought, contacted=contacted, responded=responded)
    how += OBSERVATIONAL if observational else ""
    incremental = effect_on_bought * contacted
    if responded <= 0 or contacted <= 0 or math.isnan(effect_on_bought):
        why = "Nobody answered." if responded <= 0 else "Its effect on buying is not known."
        return BoughtAnyway(math.nan, math.nan, math.nan, responded, incremental, observational, how, why)
    share, least, most = (_within(1 - one * contacted / responded) for one in (effect_on_bought, high, low))
    return BoughtAnyway(share, least, most, responded, incremental, observational, how)


def _within(share: float) -> float:
    return share if math.isnan(share) else min(max(share, 0.0), 1.0)


__all__ = ["BoughtAnyway", "Promotions", "bought_anyway", "promotion_dependence"]
