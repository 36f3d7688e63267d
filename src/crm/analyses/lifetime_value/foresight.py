"""What was expected on one date: by every candidate, with the spread around it, and, once it is known, what came.

Of dates that lie back nothing changes any more: their expectations are kept under data/mart.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from crm.analyses.lifetime_value.candidates import (
    Candidates,
    Expected,
    fit_candidates,
    value_of_a_purchase,
)
from crm.analyses.lifetime_value.chance import LEVELS, Quantiles, draw_quantiles
from crm.analyses.lifetime_value.purchase_models.histories import FloatArray, Histories
from crm.analyses.lifetime_value.purchase_models.model import PurchaseModel
from crm.facts import Facts
from crm.kept import code_fingerprint, keep_folder
from crm.mart import open_mart
from crm.snapshots import labelled_snapshot

WEEK = 7
_CODE = ("analyses/lifetime_value", "features", "outcomes", "periods", "snapshots", "engine")


@dataclass(frozen=True)
class Foresight:
    """One row per customer known on `date`; `days`: how far was looked ahead.

    silence: the likeliest purchase model's chance of no purchase; empty without one.
    came_purchases, came_value: what happened; empty arrays where it is not known yet.
    weeks: days, share: how the expected purchases of all are spread over the horizon, cumulative.
    """

    date: dt.date
    days: int
    expected: Expected = field(repr=False)
    quantiles: Quantiles | None = field(repr=False)
    weeks: pd.DataFrame = field(repr=False)
    silence: FloatArray = field(repr=False)
    came_purchases: FloatArray = field(repr=False)
    came_value: FloatArray = field(repr=False)


def foresee(candidates: Candidates, customers: pd.DataFrame, *, seed: int) -> Foresight:
    """What these candidates expect of these customers."""
    return Foresight(
        date=candidates.as_of,
        days=candidates.horizon_days,
        expected=candidates.expect(customers),
        quantiles=spread(candidates, customers, seed=seed),
        weeks=_weeks(candidates, customers),
        silence=silence(candidates, customers),
        came_purchases=np.empty(0),
        came_value=np.empty(0),
    )


def look_back(facts: Facts, date: dt.date, *, days: int, seed: int) -> Foresight:
    """What would have been expected on a date that lies back, and what came; kept once it was found."""
    mart = open_mart(facts)
    assert mart.folder is not None
    place = mart.folder / "lifetime_value" / f"{code_fingerprint(*_CODE)}-{seed}" / f"{date.isoformat()}-{days}d"
    keep_folder(place, lambda folder: _write(facts, date, days=days, seed=seed, folder=folder))
    return _read(place, date, days)


def likeliest(candidates: Candidates) -> PurchaseModel | None:
    """The purchase model under which what happened is likeliest."""
    models = candidates.purchase_models.values()
    return max(models, key=lambda model: model.log_likelihood) if models else None


def spread(candidates: Candidates, customers: pd.DataFrame, *, seed: int) -> Quantiles | None:
    """Quantiles of each customer's value from the likeliest purchase model; None without one."""
    model = likeliest(candidates)
    if model is None:
        return None
    return draw_quantiles(
        model,
        Histories.of(customers),
        candidates.horizon_days,
        spend=candidates.spend.model,
        purchase_days=customers["purchase_days"].to_numpy(dtype="float64"),
        each=value_of_a_purchase(customers, candidates.spend),
        seed=seed,
    )


def silence(candidates: Candidates, customers: pd.DataFrame) -> FloatArray:
    """The likeliest purchase model's chance that each customer buys nothing; empty without one."""
    model = likeliest(candidates)
    if model is None:
        return np.empty(0)
    return model.chance_of_no_purchase(Histories.of(customers), candidates.horizon_days)


def _weeks(candidates: Candidates, customers: pd.DataFrame) -> pd.DataFrame:
    ends = sorted({*range(WEEK, candidates.horizon_days, WEEK), candidates.horizon_days})
    model, histories = likeliest(candidates), Histories.of(customers)
    if model is None:
        return pd.DataFrame({"days": ends, "share": np.asarray(ends) / candidates.horizon_days})
    sums = np.array([float(model.expected_purchases(histories, days).sum()) for days in ends])
    return pd.DataFrame({"days": ends, "share": sums / max(sums[-1], 1e-12)})


def _write(facts: Facts, date: dt.date, *, days: int, seed: int, folder: Path) -> None:
    candidates = fit_candidates(facts, date, horizon_days=days, seed=seed)
    customers = labelled_snapshot(facts, date, horizon_days=days)
    seen = foresee(candidates, customers, seed=seed)
    frames = {
        "purchases": seen.expected.purchases,
        "value": seen.expected.value,
        "weeks": seen.weeks,
        "came": customers[["customer_id", "purchase_days_next", "net_sales_next"]],
    }
    if seen.quantiles is not None:
        one = seen.quantiles
        frames["low"], frames["high"] = pd.DataFrame(one.low), pd.DataFrame(one.high)
        frames["middle"] = pd.DataFrame({"median": one.median, "mean": one.mean, "silence": seen.silence})
        (folder / "spread.json").write_text(json.dumps(one.total_spread), encoding="utf-8")
    for name, frame in frames.items():
        frame.rename(columns=str).to_parquet(folder / f"{name}.parquet", index=False)


def _read(place: Path, date: dt.date, days: int) -> Foresight:
    frames = {file.stem: pd.read_parquet(file) for file in place.glob("*.parquet")}
    quantiles = None
    if "low" in frames:
        quantiles = Quantiles(
            low=_array(frames["low"]),
            high=_array(frames["high"]),
            median=_array(frames["middle"]["median"]),
            mean=_array(frames["middle"]["mean"]),
            total_spread=float(json.loads((place / "spread.json").read_text(encoding="utf-8"))),
        )
        assert quantiles.low.shape[1] == len(LEVELS)
    return Foresight(
        date,
        days,
        Expected(frames["purchases"], frames["value"]),
        quantiles,
        frames["weeks"],
        silence=_array(frames["middle"]["silence"]) if quantiles else np.empty(0),
        came_purchases=_array(frames["came"]["purchase_days_next"]),
        came_value=_array(frames["came"]["net_sales_next"]),
    )


def _array(frame: pd.DataFrame | pd.Series[float]) -> FloatArray:
    return frame.to_numpy(dtype="float64")
