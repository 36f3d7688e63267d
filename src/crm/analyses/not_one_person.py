"""Accounts that are probably not one person: a till's anonymous account, a reseller, a shared card.

Such an account counts as one customer everywhere, so that money adds up; it is named, so that nobody takes it for the
best customer.
"""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import pandas as pd

from crm.analyses.requirements import listed
from crm.engine import to_pandas
from crm.facts import Facts
from crm.finding import Finding
from crm.periods import known_before

LARGE = 0.05
"""Of all order lines; an account with fewer is not looked at."""

TIMES_USUAL = 10
"""Times the lines of the account in the middle: among twenty customers, one has five per cent of the lines anyway."""

MOST_NAMED = 3


def crowded_accounts(facts: Facts, as_of: dt.date) -> pd.DataFrame:
    """Accounts with over 5 % of the lines before `as_of`, and over ten times the lines of the account in the middle.

    One row per account, the largest first: customer_id, lines, share_of_lines, net_sales (currency), share_of_money.
    """
    known = known_before(facts["purchases"], as_of)
    each = known.group_by("customer_id").agg(
        nw.len().cast(nw.Int64).alias("lines"), nw.col("net_amount").sum().round(4).alias("net_sales")
    )
    whole = each.select(
        usual=nw.col("lines").median(), all_lines=nw.col("lines").sum(), all_sales=nw.col("net_sales").sum()
    )
    beside = each.join(whole, how="cross")
    large = beside.filter(
        nw.col("lines") > LARGE * nw.col("all_lines"), nw.col("lines") > TIMES_USUAL * nw.col("usual")
    )
    table = to_pandas(large).sort_values(["lines", "customer_id"], ascending=[False, True], ignore_index=True)
    table["share_of_lines"] = table["lines"] / table["all_lines"]
    table["share_of_money"] = (table["net_sales"] / table["all_sales"]).where(table["all_sales"] > 0, 0.0)
    return table[["customer_id", "lines", "share_of_lines", "net_sales", "share_of_money"]]


def not_one_person(accounts: pd.DataFrame, as_of: dt.date) -> Finding | None:
    """The sentence about the accounts that `crowded_accounts` gave; None where there are none."""
    if accounts.empty:
        return None
    values = {
        "accounts": len(accounts),
        "names": listed([str(name) for name in accounts["customer_id"].head(MOST_NAMED)]),
        "lines": int(accounts["lines"].sum()),
        "share_of_lines": float(accounts["share_of_lines"].sum()),
        "share_of_money": float(accounts["share_of_money"].sum()),
    }
    if len(accounts) == 1:
        template = "The account {names} is probably not one person but a till, a reseller or a shared card: it has "
        counts = "It counts as one customer."
    else:
        first = " first" if len(accounts) > MOST_NAMED else ""
        template = f"{{accounts:,}} accounts ({{names}}{first}) are probably not one person each: they have "
        counts = "Each counts as one customer."
    template += "{share_of_lines:.0%} of all order lines and {share_of_money:.0%} of the money. " + counts
    return Finding("not_one_person", template, values, as_of, accounts)
