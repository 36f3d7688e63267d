"""A grocer's customers, drawn by a seed: everything that sentences and pages of lifetime value are made of.

`draw_evidence()` is the builder behind the fixture `evidence`; the answers are the real ones, of drawn customers.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from crm.analyses.lifetime_value.answers import answer
from crm.analyses.lifetime_value.needs import REQUIREMENTS
from crm.analyses.lifetime_value.result import (
    Amount,
    Assumptions,
    Evidence,
    Judged,
    Portfolio,
    Shipped,
    Valued,
)
from crm.analyses.lifetime_value.spend import independence
from crm.features import data_dictionary
from crm.periods import date_of, day_number

AS_OF, PREVIOUS, FIRST = dt.date(2018, 1, 1), dt.date(2017, 10, 2), dt.date(2017, 1, 1)
HORIZON, LONG = 91, 1095
DATES = (dt.date(2017, 10, 2), dt.date(2017, 7, 3), dt.date(2017, 4, 3))
DEPARTMENTS = ("Grocery", "Produce", "Meat", "Drug & beauty", "Pastry", "Floral")

# candidate, kind, gini of purchases, gini of value, error and total of value, on average over the judged dates
CANDIDATES = (
    ("Rate so far", "rule", 0.81, 0.78, 104.0, 1.09),
    ("As in the last period", "rule", 0.82, 0.79, 96.0, 0.97),
    ("Monthly spend and retention", "rule", 0.81, 0.78, 101.0, 0.94),
    ("BG/NBD", "purchase model", 0.83, 0.80, 97.0, 1.03),
    ("MBG/NBD", "purchase model", 0.83, 0.80, 97.0, 1.03),
    ("Pareto/NBD", "purchase model", 0.83, 0.80, 96.0, 1.02),
    ("MBG/CNBD-k", "purchase model", 0.84, 0.81, 95.0, 1.02),
    ("Regression on logs", "learner", 0.85, 0.83, 92.0, 1.05),
    ("XGBoost", "learner", 0.86, 0.84, 90.0, 1.05),
    ("Blend", "blend", 0.87, 0.85, 88.0, 1.02),
)


def draw_evidence(customers: int = 600, seed: int = 3) -> Evidence:
    """Results as they could be: most customers buy often, few bring half, some have gone silent."""
    people = _people(customers, np.random.default_rng(seed))
    now, snapshot = _valued(people, AS_OF), _snapshot(people, AS_OF)
    known = people["first_day"] < day_number(PREVIOUS)
    before = _valued(people[known], PREVIOUS)
    dictionary = data_dictionary()
    by_id = people.set_index("customer_id")
    return Evidence(
        as_of=AS_OF,
        horizon_days=HORIZON,
        currency="USD",
        seed=seed,
        valued=now,
        portfolio=_portfolio(now),
        judged=_judged(customers),
        shipped=_shipped(),
        independence=independence(
            snapshot["frequency"].to_numpy(dtype="float64"), snapshot["order_value_365d"].to_numpy(dtype="float64")
        ),
        assumptions=Assumptions(
            gross_margin=0.25,
            known_margin=0.0,
            yearly_discount_rate=0.10,
            contact_cost=0.60,
            case_cost=5.0,
            long_days=LONG,
            churn_known=True,
        ),
        answers=answer(
            now,
            before,
            snapshot=snapshot,
            snapshot_before=_snapshot(people[known], PREVIOUS),
            first_departments=by_id["department"],
            first_channels=by_id["channel"],
            segments=_segments(now),
            dictionary=dictionary[dictionary["feature"].isin(snapshot.columns)],
        ),
        crowded=pd.DataFrame(columns=["customer_id", "lines", "share_of_lines", "net_sales", "share_of_money"]),
        wanting=tuple(REQUIREMENTS.addition(name) for name in ("products.margin_rate", "returns", "service_cases")),
    )


@pytest.fixture(scope="session")
def evidence() -> Evidence:
    """The drawn evidence."""
    return draw_evidence()


def _people(number: int, rng: np.random.Generator) -> pd.DataFrame:
    """One row per customer: what they are like, which nobody sees."""
    first = day_number(FIRST) + np.where(
        rng.random(number) < 0.7, rng.integers(0, 91, number), rng.integers(91, 350, number)
    )
    rate = rng.gamma(1.1, 8.0, number) + 0.4
    left = rng.random(number) < 0.12
    stopped = np.where(left, rng.integers(day_number(FIRST) + 150, day_number(AS_OF) - 20, number), 10**6)
    return pd.DataFrame(
        {
            "customer_id": [f"{place:05d}" for place in range(1, number + 1)],
            "first_day": first,
            "rate": rate,
            "spend": rng.lognormal(3.2, 0.55, number) * (rate / 8) ** 0.1,
            "last_day": np.minimum(day_number(AS_OF) - 1 - rng.exponential(91 / rate), stopped).astype("int64"),
            "drift": rng.lognormal(0.0, 0.12, number),
            "spend_drift": rng.lognormal(0.0, 0.08, number),
            "was_away": rng.random(number) < 0.03,
            "promotion": rng.beta(2, 3, number),
            "breadth": rng.normal(0, 2, number),
            "department": rng.choice(DEPARTMENTS, number, p=[0.5, 0.2, 0.14, 0.1, 0.055, 0.005]),
            "channel": rng.choice(["store", "web", "pick-up"], number, p=[0.8, 0.13, 0.07]),
        }
    ).assign(last_day=lambda rows: np.maximum(rows["last_day"], rows["first_day"]))


def _since(people: pd.DataFrame, as_of: dt.date) -> pd.Series:
    """Days since the last purchase; before the newest date, of those who bought later, as usual for their rate."""
    usual = (91 / people["rate"] * 0.7).clip(upper=(day_number(as_of) - people["first_day"])).clip(lower=1)
    gone = day_number(as_of) - people["last_day"]
    since = gone.where(gone > 0, usual)
    return (since + 90 * (people["was_away"] & (as_of == PREVIOUS))).astype("int64")


def _valued(people: pd.DataFrame, as_of: dt.date) -> Valued:
    since = _since(people, as_of)
    alive = 1 / (1 + np.exp((since * people["rate"] / 91 - 6) * 0.8))
    drift, dearer = (people["drift"], people["spend_drift"]) if as_of == AS_OF else (1.0, 1.0)
    purchases = people["rate"] * alive * drift
    none = (1 - alive * (1 - np.exp(-people["rate"]))).clip(0.0, 1.0)
    value = purchases * people["spend"] * dearer
    serve = pd.Series(1.8, index=people.index)
    margin = 0.25 * value - serve
    return Valued(
        as_of,
        HORIZON,
        pd.DataFrame(
            {
                "customer_id": people["customer_id"],
                "expected_purchases": purchases,
                "expected_value": value,
                "value_low": (value * 0.45).where(none < 0.1, 0.0),
                "value_high": value * 1.8 + 15,
                "typical_purchases": (value * 0 + 1).where(none < 0.5, 0.0),
                "typical_value": (value * 0.93).where(none < 0.5, 0.0),
                "probability_alive": alive,
                "chance_of_no_purchase": none,
                "margin_rate": 0.25,
                "cost_to_serve": serve,
                "expected_margin": margin,
                "long_margin": margin * 6.5 * (0.6 + 0.4 * alive),
            }
        ).reset_index(drop=True),
    )


def _snapshot(people: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    """The columns of a snapshot that answers read, and some that may set the top tier apart."""
    age = day_number(as_of) - people["first_day"]
    since = _since(people, as_of)
    days = (people["rate"] * (age - since).clip(lower=0) / 91).round().astype("int64") + 1
    lately = (people["rate"] * (91 - since).clip(lower=0) / 91).round().astype("int64")
    return pd.DataFrame(
        {
            "customer_id": people["customer_id"],
            "purchase_days": days,
            "purchase_days_91d": lately,
            "first_day": people["first_day"],
            "days_since_last_purchase": since,
            "frequency": days - 1,
            "T": age,
            "usual_gap": (91 / people["rate"]).where(days > 1),
            "tenure": age,
            "net_sales_365d": days * people["spend"],
            "net_sales_ever": days * people["spend"],
            "order_value_365d": people["spend"],
            "lines_per_order_365d": people["spend"] / 3.1 + people["breadth"].abs(),
            "categories_365d": (12 + 20 * np.log1p(days) + 4 * people["breadth"]).round().clip(lower=1),
            "stores_365d": (1 + days // 20).clip(upper=6),
            "share_bought_on_promotion": people["promotion"],
            "campaigns_received_365d": (people["rate"] / 4).round(),
            "top_department": people["department"],
        }
    ).reset_index(drop=True)


def _segments(valued: Valued) -> pd.Series:
    rows = valued.customers
    often, silent = rows["expected_purchases"], rows["chance_of_no_purchase"]
    names = np.select(
        [silent > 0.5, often > often.quantile(0.8), often > often.quantile(0.5), often > often.quantile(0.2)],
        ["Lost", "Champions", "Loyal", "Occasional"],
        "Seldom",
    )
    return pd.Series(names, index=rows["customer_id"], dtype="str")


def _portfolio(valued: Valued) -> Portfolio:
    sums = valued.customers.sum(numeric_only=True)

    def amount(name: str, width: float) -> Amount:
        return Amount(float(sums[name]), float(sums[name] * (1 - width)), float(sums[name] * (1 + width)))

    return Portfolio(
        customers=len(valued.customers),
        horizon_days=HORIZON,
        level=0.90,
        purchases=amount("expected_purchases", 0.05),
        value=amount("expected_value", 0.07),
        margin=amount("expected_margin", 0.08),
        long_margin=amount("long_margin", 0.12),
        from_refits=0.21,
        from_chance=0.17,
        from_drift=0.62,
        width_over_summed=0.11,
    )


def _judged(customers: int) -> Judged:
    rows = []
    for place, date in enumerate(DATES):
        for name, kind, gini_purchases, gini, mae, total in CANDIDATES:
            off = 0.01 * (1 - place)
            rows.append(
                {
                    "date": date,
                    "candidate": name,
                    "kind": kind,
                    "shipped": name == "Blend",
                    "customers": customers - 60 * (place + 1),
                    "purchases_gini": gini_purchases + off,
                    "purchases_mae": mae / 40,
                    "purchases_total": total + off,
                    "purchases_deviance": 5.1 - 3 * gini_purchases,
                    "value_gini": gini + off,
                    "value_mae": mae - 2 * place,
                    "value_total": total + 2 * off,
                    "value_deviance": 21.0 - 12 * gini,
                    "purchases_mae_typical": mae / 50 if name == "Blend" else np.nan,
                    "value_mae_typical": mae - 3 - 2 * place if name == "Blend" else np.nan,
                }
            )
    table = pd.DataFrame(rows)
    mean = (
        table.drop(columns=["date", "customers"])
        .groupby(["candidate", "kind", "shipped"], sort=False)
        .mean()
        .reset_index()
    )
    weeks = np.arange(1, 14)
    expected = 10_800.0 * weeks
    return Judged(
        days=HORIZON,
        table=table,
        mean=mean,
        against_best_rule=pd.DataFrame(
            {
                "measure": ["gini", "mae"],
                "rule": ["As in the last period", "As in the last period"],
                "gain": [0.06, 8.0],
                "low": [0.04, 4.5],
                "high": [0.08, 11.5],
                "customers": 3 * customers - 360,
                "dates": 3,
            }
        ),
        coverage=pd.DataFrame(
            {
                "date": DATES,
                "nominal": 0.90,
                "calibrated_on": [2, 1, 0],
                "customers": [customers - 60, customers - 120, customers - 180],
                "covered": [0.908, 0.891, 0.862],
                "below": [0.041, 0.052, 0.071],
                "above": [0.051, 0.057, 0.067],
                "covered_top": [0.884, 0.902, 0.871],
            }
        ),
        weekly=pd.DataFrame(
            {
                "week": weeks,
                "days": 7 * weeks,
                "actual": expected * (0.965 + 0.03 * np.sin(weeks / 2)),
                "expected": expected,
                "low": expected * (1 - 0.07),
                "high": expected * (1 + 0.07),
            }
        ),
    )


def _shipped() -> Shipped:
    return Shipped(
        name="Blend",
        shares=pd.DataFrame(
            {
                "part": ["Purchase models", "Regression on logs", "XGBoost"],
                "purchases": [0.2, 0.4, 0.4],
                "value": [0.2, 0.2, 0.6],
            }
        ),
        level_from={"purchases": "the purchase models", "value": "the blend itself"},
        purchase_models=pd.DataFrame(
            {
                "model": ["BG/NBD", "MBG/NBD", "Pareto/NBD", "MBG/CNBD-k"],
                "log_likelihood": [-161_204.3, -161_190.8, -161_143.2, -159_871.6],
                "parameters": [
                    "r 1.12, alpha 9.81, a 0.08, b 2.94",
                    "r 1.11, alpha 9.76, a 0.07, b 2.31",
                    "r 1.13, alpha 9.84, s 0.14, beta 96.20",
                    "r 1.21, alpha 5.32, a 0.06, b 2.02",
                ],
                "k": [1, 1, 1, 2],
            }
        ),
        looks_at=pd.DataFrame(
            {
                "column": ["expected_value", "net_sales_91d", "net_sales_365d", "spend_rate", "categories_365d"],
                "purchases": [0.31, 0.08, 0.05, 0.04, 0.06],
                "value": [0.42, 0.17, 0.11, 0.07, 0.04],
            }
        ),
        why_not=(),
        learnt_from=tuple(date_of(day_number(AS_OF) - HORIZON - 14 * step) for step in range(4)),
        learnt_days=HORIZON,
    )
