"""Snapshots: every customer as of a date, and, where the horizon has passed, what happened next.

`snapshot(facts, as_of)` answers: what did we know about each customer on that morning?
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from crm.engine import Lazy, to_pandas
from crm.errors import NotEnoughData
from crm.facts import Facts
from crm.features import customer_features, dictionary_hash, features_of
from crm.kept import code_fingerprint, keep_folder
from crm.mart import Mart, open_mart
from crm.outcomes import customer_outcomes
from crm.periods import date_of, day_number, read_date

AT_ONCE = 20_000


@dataclass(frozen=True)
class Splits:
    """Dates to learn from and dates to be judged on, a horizon apart, so that no label reaches past its date."""

    learn: tuple[dt.date, ...]
    judge: tuple[dt.date, ...]
    horizon_days: int


def snapshot(facts: Facts, as_of: dt.date | str) -> pd.DataFrame:
    """One row per customer with a purchase before `as_of`, sorted by customer_id, one column per feature.

    Kept under data/mart by the fingerprint of the source and of the features. Raises NotEnoughData when nobody had
    bought anything before `as_of`.
    """
    return pd.read_parquet(_kept(facts, read_date(as_of)))


def snapshot_in_parts(
    facts: Facts, as_of: dt.date | str, *, columns: Sequence[str] | None = None, at_once: int = AT_ONCE
) -> Iterator[pd.DataFrame]:
    """The rows of `snapshot` in their order, so many customers at a time: for a company that does not fit in memory.

    columns: those that are wanted, such as `LifetimeModel.reads`; all of them where none are named.
    `LifetimeModel.score_in_parts` takes the parts as they come. Raises as `snapshot` does.
    """
    with pq.ParquetFile(_kept(facts, read_date(as_of))) as file:
        for batch in file.iter_batches(at_once, columns=None if columns is None else list(columns)):
            yield batch.to_pandas()


def labelled_snapshot(facts: Facts, as_of: dt.date | str, *, horizon_days: int) -> pd.DataFrame:
    """A snapshot with what happened in `[as_of, as_of + horizon_days)`: purchase_days_next, net_sales_next.

    Raises NotEnoughData when the horizon reaches past the newest day that is known.
    """
    last, as_of = facts.last_day, read_date(as_of)
    if day_number(as_of) + horizon_days > last + 1:
        raise NotEnoughData(
            f"An outcome over {horizon_days} days can be read once they have passed.",
            found=f"the newest purchase is of {date_of(last)}",
            do=f"Choose an as-of date of {date_of(last + 1 - horizon_days)} or earlier.",
        )
    outcomes = to_pandas(customer_outcomes(open_mart(facts), as_of, horizon_days))
    labelled = snapshot(facts, as_of).merge(outcomes, on="customer_id", how="left")
    return labelled.fillna({"purchase_days_next": 0, "net_sales_next": 0.0}).astype({"purchase_days_next": "int64"})


def temporal_splits(
    facts: Facts, as_of: dt.date | str, *, horizon_days: int, judged: int = 2, most: int = 6
) -> Splits:
    """Dates a horizon apart, walking back from the newest one whose horizon has passed by `as_of`.

    The newest `judged` dates are for judging, up to `most` in all; a date needs a horizon of history before it.
    Raises NotEnoughData when fewer than `judged + 1` dates fit.
    """
    as_of = read_date(as_of)
    newest = min(day_number(as_of), facts.last_day + 1) - horizon_days
    days = [newest - step * horizon_days for step in range(most)]
    dates = [date_of(day) for day in days if day - horizon_days >= facts.first_day]
    if len(dates) <= judged:
        raise NotEnoughData(
            f"Learning and judging need {judged + 1} dates, {horizon_days} days apart, with as much history before.",
            found=f"{len(dates)} between {date_of(facts.first_day)} and {as_of}",
            do="Shorten the horizon, or wait for more history.",
        )
    return Splits(tuple(reversed(dates[judged:])), tuple(reversed(dates[:judged])), horizon_days)


def margin(frame: pd.DataFrame, *, gross_margin: float) -> pd.Series[float]:
    """Margin of the last 365 days per customer: known margin rates, and the assumed gross margin elsewhere."""
    return frame["margin_known_365d"] + gross_margin * frame["sales_margin_unknown_365d"]


def _kept(facts: Facts, as_of: dt.date) -> Path:
    """The snapshot's file, written where it is not there yet."""
    mart = open_mart(facts)
    assert mart.folder is not None
    _require_purchases(facts, as_of)
    made_of = f"{dictionary_hash(mart)}-{code_fingerprint('features', 'periods', 'engine')}"
    place = mart.folder / "snapshots" / made_of / as_of.isoformat()
    keep_folder(place, lambda folder: _write(customer_features(mart, as_of), folder=folder, mart=mart))
    return place / "snapshot.parquet"


def _write(frame: Lazy, *, folder: Path, mart: Mart) -> None:
    table = to_pandas(frame).sort_values("customer_id", ignore_index=True)
    words = [f.name for f in features_of(mart) if f.type == "word"]
    table = table.astype(dict.fromkeys(words, "str"))
    table.to_parquet(folder / "snapshot.parquet", index=False)


def _require_purchases(facts: Facts, as_of: dt.date) -> None:
    if facts.first_day >= day_number(as_of):
        raise NotEnoughData(
            "There must be purchases before the as-of date.",
            found=f"the first purchase is of {date_of(facts.first_day)}, the as-of date {as_of}",
            do="Choose a later as-of date.",
        )
