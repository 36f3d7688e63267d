"""What is known of each customer at stake on a date: the numbers of the snapshot, and what has changed of late.

Windows are told in horizons: `last` is the horizon's length before the date, `before` the one before that. Nothing
here looks at or past the date.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path

import narwhals as nw
import numpy as np
import pandas as pd

from crm.analyses.defection.basket_price import basket_price
from crm.analyses.defection.labels import at_stake, stake_of, usual_net_sales
from crm.engine import Lazy, to_pandas
from crm.facts import Facts
from crm.features import features_of
from crm.features.feature import money_rounded, within
from crm.kept import code_fingerprint, keep_folder
from crm.mart import UNKNOWN, Mart, open_mart
from crm.periods import day_number, known_within
from crm.purchase_models.fitting import fit_purchase_model, model_from_record
from crm.purchase_models.histories import Histories
from crm.purchase_models.model import PurchaseModel
from crm.snapshots import snapshot

READ = ("MBG/CNBD-k", "MBG/NBD", "BG/NBD")
"""Purchase models whose chances are read: the first that the data determine."""

WEEKS = 12
_NOT_LEARNT = {"first_day", "last_day"}
"""Day numbers tell the date, not the customer."""
_SMALLEST = 1e-5
_UNSURE = 0.25
"""Share of what is expected by which the expectation itself may be off."""
_CODE = (
    "analyses/defection/known",
    "analyses/defection/labels",
    "analyses/defection/basket_price",
    "purchase_models",
    "features",
    "snapshots",
    "engine",
)
MOST_OVER_USUAL = 5.0
PARTS = 6
"""Half horizons over which it is looked how evenly somebody spends."""


def known_on(facts: Facts, as_of: dt.date, model: PurchaseModel | None) -> pd.DataFrame:
    """One row per customer at stake on `as_of`: customer_id and every number a model may read.

    model: whose chances of buying are among them; None leaves those columns out.
    """
    table = plain_on(facts, as_of)
    if model is None:
        return table
    return pd.concat([table, _chances(table, model, stake_of(facts).after_days)], axis=1)


def plain_on(facts: Facts, as_of: dt.date) -> pd.DataFrame:
    """The same, without what a purchase model says; kept under data/mart once it was put together."""
    place = keep_folder(_place(facts, as_of, "known"), lambda folder: _write_plain(facts, as_of, folder=folder))
    return pd.read_parquet(place / "known.parquet")


def purchase_model_on(facts: Facts, as_of: dt.date) -> PurchaseModel | None:
    """The purchase model fitted to everybody's purchases before `as_of`; None where the data determine none."""
    place = keep_folder(_place(facts, as_of, "purchases"), lambda folder: _write_model(facts, as_of, folder=folder))
    record = json.loads((place / "model.json").read_text(encoding="utf-8"))
    return None if record is None else model_from_record(record)


def _place(facts: Facts, as_of: dt.date, what: str) -> Path:
    mart, stake = open_mart(facts), stake_of(facts)
    assert mart.folder is not None
    told = f"{stake.kind}-{stake.active_within_days}-{stake.after_days}-{code_fingerprint(*_CODE)}"
    return mart.folder / "defection" / told / f"{as_of.isoformat()}-{what}"


def _write_model(facts: Facts, as_of: dt.date, *, folder: Path) -> None:
    groups = Histories.of(snapshot(facts, as_of)).grouped()
    fits = (fit_purchase_model(name, groups).model for name in READ)
    model = next((model for model in fits if model is not None), None)
    record = None if model is None else model.as_record()
    (folder / "model.json").write_text(json.dumps(record), encoding="utf-8")


def _write_plain(facts: Facts, as_of: dt.date, *, folder: Path) -> None:
    mart, horizon = open_mart(facts), stake_of(facts).after_days
    customers = snapshot(facts, as_of)
    customers = customers[at_stake(facts, as_of, customers)].reset_index(drop=True)
    numbers = [f.name for f in features_of(mart) if f.type != "word" and f.name not in _NOT_LEARNT]
    table = customers[["customer_id", *numbers]].astype(dict.fromkeys(numbers, "float64"))
    added = [_buying(mart, as_of, horizon), _swings(mart, as_of, horizon), *_service(mart, as_of, horizon)]
    for frame in added:
        table = table.merge(to_pandas(frame), on="customer_id", how="left")
    table["usual_net_sales"] = table["customer_id"].map(usual_net_sales(facts, as_of)).fillna(0.0)
    if facts.has("products"):
        index = basket_price(facts, as_of, pd.Index(table["customer_id"]), days=horizon)
        table["price_change"] = index.to_numpy() - 1
    zero = [name for name in COUNTED if name in table]
    table = table.fillna(dict.fromkeys(zero, 0.0)).astype(dict.fromkeys(zero, "float64"))
    table = pd.concat([table, _ratios(table, horizon)], axis=1)
    table.to_parquet(folder / "known.parquet", index=False)


COUNTED = (
    "net_sales_last", "net_sales_half", "net_sales_quarter", "net_sales_before", "net_sales_earlier",
    "purchase_days_last", "purchase_days_before", "weeks_bought", "last_basket", "mean_basket",
    "basket_spread", "least_of_a_part", "most_of_a_part", "part_spread", "categories_last", "categories_half",
    "categories_before", "late_last", "faulty_last", "cases_last", "returns_last", "returned_last",
)  # fmt: skip
"""Columns that are 0 for customers of whom the tables say nothing."""


def _buying(mart: Mart, as_of: dt.date, horizon: int) -> Lazy:
    """Money and purchase days by window, weeks with a purchase, the last basket."""
    today, sales = nw.lit(day_number(as_of)), "net_sales"
    days = known_within(mart["customer_days"], as_of, max(3 * horizon, 7 * WEEKS)).with_columns(
        one=nw.lit(1), week=(today - 1 - nw.col("day")) // 7
    )
    days = days.with_columns(
        net_sales_last=within(as_of, horizon, sales),
        net_sales_half=within(as_of, max(horizon // 2, 1), sales),
        net_sales_quarter=within(as_of, max(horizon // 4, 1), sales),
        net_sales_before=within(as_of, 2 * horizon, sales) - within(as_of, horizon, sales),
        net_sales_earlier=within(as_of, 3 * horizon, sales) - within(as_of, 2 * horizon, sales),
        purchase_days_last=within(as_of, horizon, "one"),
        purchase_days_before=within(as_of, 2 * horizon, "one") - within(as_of, horizon, "one"),
        a_week=nw.when(nw.col("week") < WEEKS).then(nw.col("week")),
        newest=nw.col("day").max().over("customer_id"),
    ).with_columns(last_basket=nw.when(nw.col("day") == nw.col("newest")).then(nw.col(sales)).otherwise(0.0))
    money = [name for name in COUNTED if name.startswith("net_sales")]
    sums = days.group_by("customer_id").agg(
        *(nw.col(name).sum() for name in (*money, "purchase_days_last", "purchase_days_before", "last_basket")),
    )
    weeks = days.filter(~nw.col("a_week").is_null()).select("customer_id", "a_week").unique()
    counted = weeks.group_by("customer_id").agg(nw.len().alias("weeks_bought"))
    return sums.with_columns(*money_rounded(*money, "last_basket")).join(counted, on="customer_id", how="left")


def _swings(mart: Mart, as_of: dt.date, horizon: int) -> Lazy:
    """The size of a year's baskets and how much it varies; the least and most net sales of six half horizons."""
    half = max(horizon // 2, 1)
    year = known_within(mart["customer_days"], as_of, 365)
    baskets = year.with_columns(square=_squared("net_sales")).group_by("customer_id")
    sums = baskets.agg(
        nw.len().cast(nw.Float64).alias("baskets"),
        nw.col("net_sales").sum().round(4),
        nw.col("square").sum().round(4),
    ).with_columns(mean_basket=(nw.col("net_sales") / nw.col("baskets")).round(6))
    spread = (nw.col("square") / nw.col("baskets") - nw.col("mean_basket") * nw.col("mean_basket")).round(4)
    sums = sums.select(
        "customer_id", "mean_basket", basket_spread=nw.when(spread > 0).then(spread.sqrt()).otherwise(0.0)
    )
    parts = known_within(mart["customer_days"], as_of, PARTS * half).with_columns(
        part=(nw.lit(day_number(as_of)) - 1 - nw.col("day")) // half
    )
    amounts = parts.group_by("customer_id", "part").agg(nw.col("net_sales").sum().round(4))
    found = amounts.with_columns(square=_squared("net_sales")).group_by("customer_id")
    swings = found.agg(
        nw.len().alias("parts"),
        nw.col("net_sales").min().alias("least"),
        nw.col("net_sales").max().alias("most_of_a_part"),
        nw.col("net_sales").sum().round(4).alias("whole"),
        nw.col("square").sum().round(4),
    )
    mean = nw.col("whole") / PARTS
    variance = (nw.col("square") / PARTS - mean * mean).round(4)
    swings = swings.select(
        "customer_id",
        "most_of_a_part",
        least_of_a_part=nw.when(nw.col("parts") == PARTS).then(nw.col("least")).otherwise(0.0),
        part_spread=nw.when(variance > 0).then(variance.sqrt()).otherwise(0.0),
    )
    return sums.join(swings, on="customer_id", how="left")


def _squared(name: str) -> nw.Expr:
    """The square, on the grid of money: its sums do not depend on the order of addition."""
    return (nw.col(name) * nw.col(name)).round(4)


def _service(mart: Mart, as_of: dt.date, horizon: int) -> list[Lazy]:
    """Breadth, deliveries, cases and returns of late, of the tables there are."""
    made = []
    if mart.has("customer_category_days"):
        made.append(_breadth(mart, as_of, horizon))
    if mart.has("delivery_days"):
        made.append(_deliveries(mart, as_of, horizon))
    if mart.has("service_cases"):
        cases = known_within(mart["service_cases"], as_of, horizon)
        made.append(cases.group_by("customer_id").agg(nw.len().alias("cases_last")))
    if mart.has("returns"):
        sent_back = known_within(mart["returns"], as_of, horizon).group_by("customer_id")
        back = sent_back.agg(nw.len().alias("returns_last"), nw.col("amount").sum().alias("returned_last"))
        made.append(back.with_columns(*money_rounded("returned_last")))
    return made


def _breadth(mart: Mart, as_of: dt.date, horizon: int) -> Lazy:
    days = known_within(mart["customer_category_days"], as_of, 2 * horizon)
    last, half = day_number(as_of) - horizon, day_number(as_of) - max(horizon // 2, 1)
    windows = {
        "categories_last": nw.col("day") >= last,
        "categories_half": nw.col("day") >= half,
        "categories_before": nw.col("day") < last,
    }
    counted = days.select("customer_id").unique()
    for name, window in windows.items():
        some = (
            days.filter(window, nw.col("category") != UNKNOWN)
            .group_by("customer_id")
            .agg(nw.col("category").n_unique().alias(name))
        )
        counted = counted.join(some, on="customer_id", how="left")
    return counted


def _deliveries(mart: Mart, as_of: dt.date, horizon: int) -> Lazy:
    """Late and faulty deliveries of the last horizon, and whether the newest came late."""
    days = known_within(mart["delivery_days"], as_of, max(horizon, 365)).with_columns(
        newest=nw.col("day").max().over("customer_id"),
        late_last=within(as_of, horizon, "late"),
        faulty_last=within(as_of, horizon, "faulty"),
    )
    sums = days.group_by("customer_id").agg(nw.col("late_last").sum(), nw.col("faulty_last").sum())
    newest = days.filter(nw.col("day") == nw.col("newest")).group_by("customer_id")
    return sums.join(newest.agg(nw.col("late").max().alias("last_delivery_late")), on="customer_id", how="left")


def _ratios(table: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """What is left of the usual, and how long the silence is for this customer."""
    usual, since = table["usual_net_sales"], table["days_since_last_purchase"]
    half, quarter = max(horizon // 2, 1), max(horizon // 4, 1)
    mean_basket = table["net_sales_ever"] / table["purchase_days"]
    added = {
        "last_over_usual": _over(table["net_sales_last"], usual),
        "half_over_usual": _over(table["net_sales_half"] * horizon / half, usual),
        "quarter_over_usual": _over(table["net_sales_quarter"] * horizon / quarter, usual),
        "before_over_usual": _over(table["net_sales_before"], usual),
        "least_over_usual": _over(table["least_of_a_part"] * 2, usual),
        "most_over_usual": _over(table["most_of_a_part"] * 2, usual),
        "spread_over_usual": _over(table["part_spread"] * 2, usual),
        "basket_spread_over_mean": _over(table["basket_spread"], table["mean_basket"]),
        "last_basket_over_mean": _over(table["last_basket"], mean_basket),
        "since_over_longest_gap": since / table["longest_gap"].clip(lower=1),
        "since_over_mean_gap": since / table["mean_gap"].clip(lower=1),
        "since_in_spreads": ((since - table["mean_gap"]) / table["sd_gap"].clip(lower=1)).clip(-5, 20),
        "purchase_rate": table["purchase_days"] / table["T"].clip(lower=1),
        "rate_change": table["purchase_days_28d"] / 28 - table["purchase_days_91d"] / 91,
    }
    return pd.DataFrame(added)


def _over(part: pd.Series[float], whole: pd.Series[float]) -> pd.Series[float]:
    ratio = part / whole.where(whole > 0)
    return ratio.clip(-MOST_OVER_USUAL, MOST_OVER_USUAL)


def _chances(table: pd.DataFrame, model: PurchaseModel, horizon: int) -> pd.DataFrame:
    histories = Histories.of(table)
    silence = np.clip(model.chance_of_no_purchase(histories, horizon), _SMALLEST, 1 - _SMALLEST)
    expected = pd.Series(model.expected_purchases(histories, horizon), index=table.index)
    usual, worth = table["usual_net_sales"], table["mean_basket"].fillna(0.0)
    coming = expected * worth
    variance = expected * (table["basket_spread"].fillna(0.0) ** 2 + worth**2) + (_UNSURE * coming) ** 2
    added = {
        "log_odds_of_silence": np.log(silence / (1 - silence)),
        "expected_purchases": expected,
        "expected_over_usual": _over(coming, usual),
        "half_of_usual_in_spreads": ((usual / 2 - coming) / (variance**0.5).clip(lower=1e-9)).clip(-6, 6),
    }
    return pd.DataFrame(added, index=table.index)


SIGNED = frozenset(
    {
        "log_odds_of_silence", "since_in_spreads", "rate_change", "mean_log_gap", "price_change",
        "half_of_usual_in_spreads",
    }
)  # fmt: skip
"""Columns that are read as they are; of the others the logarithm is taken."""

THEMES: Mapping[str, str] = {
    "silence": "how long the customer has been silent, for them",
    "rhythm": "how often they buy",
    "spending": "how much they spend, against their usual",
    "breadth": "how many kinds of things they buy",
    "promotions": "how much they buy at a discount",
    "prices": "whether the prices of what they buy rose",
    "deliveries": "late and faulty deliveries",
    "service": "service cases and the marks given",
    "returns": "what they sent back",
    "campaigns": "what they were sent, and answered",
    "visits": "visits to the web shop",
    "tenure": "how long they have been customers",
    "place": "where they buy",
    "contract": "their contract",
}
"""What the columns are about, in words; a reason is named after its theme."""

_STARTS = (
    ("silence", ("Days since", "Silence over", "BG/NBD", "days_since", "gap_ratio", "since_", "log_odds",
                 "expected_purchases")),
    ("tenure", ("T", "recency", "tenure", "joined")),
    ("deliveries", ("deliver", "late_", "faulty_", "last_delivery")),
    ("service", ("case", "open_case", "mean_satisfaction")),
    ("returns", ("return",)),
    ("visits", ("visit",)),
    ("campaigns", ("campaign", "response", "answer", "contact")),
    ("contract", ("contract", "monthly_fee", "running_contracts", "ended_contracts")),
    ("prices", ("price_change",)),
    ("promotions", ("discount", "coupon", "share_bought")),
    ("breadth", ("categor", "department", "share_of_top_department")),
    ("place", ("store", "channel", "share_of_main")),
    ("spending", ("net_sales", "usual_net", "last_over", "half_over", "quarter_over", "before_over", "last_basket",
                  "half_of_usual", "expected_over", "price_per_line", "least_", "most_", "spread_", "part_spread",
                  "mean_basket", "basket_", "order_value", "spend_", "margin", "sales_", "lines", "units", "orders")),
    ("rhythm", ("purchase_", "frequency", "usual_gap", "mean_gap", "sd_gap", "longest_gap", "last_gap", "mean_log",
                "weeks_", "rate_change")),
)  # fmt: skip


def theme_of(column: str) -> str:
    """What a column is about: one of `THEMES`."""
    if column == "T":
        return "tenure"
    for theme, starts in _STARTS:
        if any(column.startswith(start) for start in starts if start != "T"):
            return theme
    return "rhythm"
