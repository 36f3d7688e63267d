"""How sure is a difference between who left and those beside them, when customers stand there more than once?

The same customer may leave on two dates, stay on several, and stand on both sides. Pairs are then not independent,
and an error that takes them so is mostly too small. Assumptions: 1. Customers are independent of each other, but for
their pair and their date. 2. A date moves both sides alike, but for what its pairs tell. 3. There are enough
customers for a mean of them to be normal. The variance is clustered two ways, by pair and by customer: Cameron,
Gelbach & Miller (2011), J. Bus. Econ. Stat. 29(2). Degrees of freedom are those of the side with fewer customers.
"""

from __future__ import annotations

import numpy as np
import pandas as pd


def customers_known(rows: pd.DataFrame, values: pd.DataFrame, apart: pd.DataFrame) -> pd.Series[int]:
    """Of each column, how many customers stand on the side that has fewer of them, each counted once."""
    used, left = _used(rows, values, apart), rows["left"].to_numpy(dtype="bool")
    who = rows["customer_id"].to_numpy()
    one, other = (pd.DataFrame(used[side]).groupby(who[side]).any().sum().to_numpy() for side in (left, ~left))
    return pd.Series(np.minimum(one, other), index=values.columns, dtype="int64")


def standard_errors(
    rows: pd.DataFrame, values: pd.DataFrame, apart: pd.DataFrame, others: pd.DataFrame
) -> pd.Series[float]:
    """The standard error of the mean of each column of `apart`.

    rows: customer_id, date, pair, left.     values: of each row.     apart: per pair, the leaver's value less the
    mean of those beside; others: that mean.     Where what a customer's rows have in common would make the error
    smaller than that of independent pairs, the latter is taken.
    """
    pairs, customers = apart.notna().sum(), customers_known(rows, values, apart)
    between_pairs = ((apart - apart.mean()) ** 2).sum()
    parts = _parts(rows, values, apart, others)
    by_customer = parts.groupby(rows["customer_id"].to_numpy()).sum()
    in_common = ((by_customer**2).sum() - (parts**2).sum()).clip(lower=0.0)
    few = customers / (customers - 1).where(customers > 1)
    return (few * (between_pairs + in_common)) ** 0.5 / pairs


def _parts(rows: pd.DataFrame, values: pd.DataFrame, apart: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """What each row adds to the difference, beyond the mean of its side and of its date; 0 where it is not used."""
    left, used = rows["left"].to_numpy(dtype="bool")[:, None], _used(rows, values, apart)
    beside = values[~left[:, 0]].notna().groupby(rows.loc[~left[:, 0], "pair"].to_numpy()).sum()
    number = beside.reindex(rows["pair"].to_numpy()).to_numpy(dtype="float64")
    theirs = others.where(apart.notna())
    means = np.where(left, (apart + theirs).mean().to_numpy(), theirs.mean().to_numpy())
    beyond = (values - means).where(used)
    beyond = beyond - beyond.groupby(rows["date"].to_numpy()).transform("mean")
    weight = np.where(left, 1.0, -1.0 / np.where(number > 0, number, 1.0))
    return (beyond * weight).fillna(0.0)


def _used(rows: pd.DataFrame, values: pd.DataFrame, apart: pd.DataFrame) -> np.ndarray:
    """Which values count: those that are known, of pairs that are known on both sides."""
    known = apart.notna().reindex(rows["pair"].to_numpy()).to_numpy(dtype="bool")
    return np.asarray(known & values.notna().to_numpy())
