"""What was expected on one date: by every candidate, with the spread around it, and, once it is known, what came.

Of dates that lie back nothing changes any more: their expectations are kept under data/mart.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import xgboost

from crm.analyses.lifetime_value.candidates import (
    Candidates,
    Expected,
    fit_candidates,
    value_of_a_purchase,
)
from crm.analyses.lifetime_value.chance import LEVELS, Quantiles, draw_quantiles
from crm.analyses.lifetime_value.season import Season, season_of
from crm.facts import Facts
from crm.kept import code_fingerprint, keep_folder
from crm.mart import open_mart
from crm.purchase_models.histories import FloatArray, Histories
from crm.purchase_models.together import Together
from crm.snapshots import labelled_snapshot

WEEK = 7
_PACKAGES = ("lifetimes", "numpy", "pandas", "scikit-learn", "scipy")
_CODE = ("analyses/lifetime_value", "purchase_models", "features", "outcomes", "periods", "snapshots", "engine")


@dataclass(frozen=True)
class Foresight:
    """One row per customer known on `date`; `days`: how far was looked ahead.

    silence: the purchase models' chance of no purchase; empty without one.
    season: of a year ago; None where nothing is known of it.
    came_purchases, came_value: what happened; empty arrays where it is not known yet.
    weeks: days, share: how the expected purchases of all are spread over the horizon, cumulative.
    """

    date: dt.date
    days: int
    expected: Expected = field(repr=False)
    quantiles: Quantiles | None = field(repr=False)
    weeks: pd.DataFrame = field(repr=False)
    silence: FloatArray = field(repr=False)
    season: Season | None
    came_purchases: FloatArray = field(repr=False)
    came_value: FloatArray = field(repr=False)


def foresee(candidates: Candidates, customers: pd.DataFrame, *, season: Season | None, seed: int) -> Foresight:
    """What these candidates expect of these customers."""
    return Foresight(
        date=candidates.as_of,
        days=candidates.horizon_days,
        expected=candidates.expect(customers),
        quantiles=spread(candidates, customers, seed=seed),
        weeks=_weeks(candidates, customers),
        silence=silence(candidates, customers),
        season=season,
        came_purchases=np.empty(0),
        came_value=np.empty(0),
    )


def look_back(facts: Facts, date: dt.date, *, days: int, seed: int) -> Foresight:
    """What would have been expected on a date that lies back, and what came; kept once it was found."""
    mart = open_mart(facts)
    assert mart.folder is not None
    made_by = hashlib.sha256(
        " ".join([xgboost.__version__, *(version(package) for package in _PACKAGES)]).encode()
    ).hexdigest()[:8]
    made_of = f"{code_fingerprint(*_CODE)}-{made_by}-{seed}"
    place = mart.folder / "lifetime_value" / made_of / f"{date.isoformat()}-{days}d"
    keep_folder(place, lambda folder: _write(facts, date, days=days, seed=seed, folder=folder))
    return _read(place, date, days)


def together(candidates: Candidates) -> Together | None:
    """The purchase models as one; None where none could be fitted."""
    models = tuple(candidates.purchase_models.values())
    return Together(models) if models else None


def spread(candidates: Candidates, customers: pd.DataFrame, *, seed: int) -> Quantiles | None:
    """Quantiles of each customer's value from the purchase models; None without one."""
    model = together(candidates)
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
    """The purchase models' chance that each customer buys nothing; empty without one."""
    model = together(candidates)
    if model is None:
        return np.empty(0)
    return model.chance_of_no_purchase(Histories.of(customers), candidates.horizon_days)


def _weeks(candidates: Candidates, customers: pd.DataFrame) -> pd.DataFrame:
    ends = sorted({*range(WEEK, candidates.horizon_days, WEEK), candidates.horizon_days})
    model, histories = together(candidates), Histories.of(customers)
    if model is None:
        return pd.DataFrame({"days": ends, "share": np.asarray(ends) / candidates.horizon_days})
    sums = np.array([float(model.expected_purchases(histories, days).sum()) for days in ends])
    return pd.DataFrame({"days": ends, "share": sums / max(sums[-1], 1e-12)})


def _write(facts: Facts, date: dt.date, *, days: int, seed: int, folder: Path) -> None:
    candidates = fit_candidates(facts, date, horizon_days=days, seed=seed)
    customers = labelled_snapshot(facts, date, horizon_days=days)
    season = season_of(facts, date, days)
    (folder / "season.json").write_text(json.dumps(None if season is None else asdict(season)), encoding="utf-8")
    seen = foresee(candidates, customers, season=season, seed=seed)
    frames = {
        "purchases": seen.expected.purchases,
        "value": seen.expected.value,
        "weeks": seen.weeks,
        "typical": seen.expected.typical,
        "came": customers[["customer_id", "purchase_days_next", "net_sales_next"]],
    }
    if seen.quantiles is not None:
        one = seen.quantiles
        frames["low"], frames["high"] = pd.DataFrame(one.low), pd.DataFrame(one.high)
        middle = {"median": one.median, "mean": one.mean, "silence": seen.silence}
        middle |= {"median_days": one.median_days, "mean_days": one.mean_days}
        frames["middle"] = pd.DataFrame(middle)
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
            median_days=_array(frames["middle"]["median_days"]),
            mean_days=_array(frames["middle"]["mean_days"]),
            total_spread=float(json.loads((place / "spread.json").read_text(encoding="utf-8"))),
        )
        assert quantiles.low.shape[1] == len(LEVELS)
    season = json.loads((place / "season.json").read_text(encoding="utf-8"))
    return Foresight(
        date,
        days,
        Expected(frames["purchases"], frames["value"], frames["typical"]),
        quantiles,
        frames["weeks"],
        silence=_array(frames["middle"]["silence"]) if quantiles else np.empty(0),
        season=None if season is None else Season(**season),
        came_purchases=_array(frames["came"]["purchase_days_next"]),
        came_value=_array(frames["came"]["net_sales_next"]),
    )


def _array(frame: pd.DataFrame | pd.Series[float]) -> FloatArray:
    return frame.to_numpy(dtype="float64")
