"""A grocer's customers, drawn by a seed: everything that sentences and pages of defection are made of.

`draw_evidence()` is the builder behind the fixture `evidence`; nothing here asks the model itself.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from crm.analyses.defection.labels import Stake
from crm.analyses.defection.needs import REQUIREMENTS
from crm.analyses.defection.reasons import SEPARATOR
from crm.analyses.defection.result import Decision, Evidence, Judged, Shipped
from crm.analyses.defection.understanding.findings import all_findings as understood
from crm.analyses.defection.understanding.result import Understanding
from crm.finding import Findings

AS_OF = dt.date(2018, 1, 1)
HORIZON, VALUE_DAYS = 56, 91
DATES = (dt.date(2017, 11, 6), dt.date(2017, 9, 11), dt.date(2017, 7, 17))
RULE, PLAIN = "Days since last purchase", "XGBoost, default settings"
KEPT, COST = 0.10, 0.60

# candidate, kind, and for leaving: auc, average precision, lift, calibration error; of leaving partly 0.1 less
CANDIDATES = (
    ("Days since last purchase", "rule", 0.758, 0.187, 3.3, np.nan),
    ("Gap over usual gap", "rule", 0.589, 0.126, 2.3, np.nan),
    ("BG/NBD alive", "rule", 0.738, 0.166, 2.4, np.nan),
    ("MBG/CNBD-k", "purchase model", 0.842, 0.240, 4.1, 0.037),
    ("Logistic regression", "learner", 0.860, 0.275, 5.0, 0.007),
    ("XGBoost", "learner", 0.859, 0.281, 5.0, 0.011),
    ("Blend", "blend", 0.864, 0.290, 5.1, 0.006),
)
THEMES = (
    ("silence", "how long the silence is beside the customer's own gaps", 0.46, 0.61, "gap_ratio"),
    ("frequency", "how often they buy", 0.24, 0.20, "purchase_days_91d"),
    ("breadth", "how many categories they buy", 0.14, 0.12, "categories_91d"),
    ("money", "how much they spend", 0.10, 0.05, "net_sales_56d"),
    ("service", "how they were served", 0.06, 0.02, "late_deliveries_365d"),
)
SAID = {
    "silence": "usually buys every 9 days, last purchase 31 days ago",
    "frequency": "bought on 2 days in the last 91 days, on 11 in the 91 before",
    "breadth": "stopped buying coffee, half of the basket until October",
    "money": "spent 412.37 USD less than usual",
    "service": "2 of the last 3 deliveries came late",
}
SEGMENTS = ("Champions", "Loyal", "Occasional", "Seldom")


def draw_evidence(customers: int = 600, seed: int = 3) -> Evidence:
    """Results as they could be: one in seventeen is about to leave, for those few a contact pays."""
    people = _customers(customers, np.random.default_rng(seed))
    return Evidence(
        as_of=AS_OF,
        horizon_days=HORIZON,
        currency="USD",
        seed=seed,
        stake=Stake("silence", 56, HORIZON),
        customers=people,
        gone=83,
        expected_to_leave=float(people["probability"].sum()),
        expected_low=float(people["probability"].sum() * 0.8),
        expected_high=float(people["probability"].sum() * 1.22),
        judged=_judged(customers),
        shipped=Shipped(
            name="Blend",
            version="",
            fitted_as_of=AS_OF,
            learnt_from=(*DATES, dt.date(2017, 5, 22)),
            why="There is no champion yet. A model is fitted, and it scores.",
            level_from={"left": "own", "left_partly": "season"},
            why_not=(),
        ),
        decision=_decision(people),
        drivers=pd.DataFrame(THEMES, columns=["theme", "meaning", "share", "top_share", "column"]),
        badly_treated=pd.DataFrame(
            [("late deliveries", 9, 0.11, 61.0), ("open cases", 4, 0.31, 40.0), ("returns", 6, 0.05, 21.5),
             ("nothing", 41, 0.02, 30.0)],
            columns=["trouble", "customers", "probability", "value_at_risk"],
        ),
        understanding=draw_understanding(),
        crowded=pd.DataFrame(columns=["customer_id", "lines", "share_of_lines", "net_sales", "share_of_money"]),
        wanting=tuple(REQUIREMENTS.addition(name) for name in ("returns", "visits")),
    )  # fmt: skip


@pytest.fixture(scope="session")
def evidence() -> Evidence:
    """The drawn evidence."""
    return draw_evidence()


def _customers(number: int, rng: np.random.Generator) -> pd.DataFrame:
    chance = np.sort(rng.beta(0.5, 8.0, number))[::-1]
    gap = rng.gamma(2.0, 6.0, number) + 1
    worth = rng.lognormal(3.5, 0.8, number)
    at_risk = chance * worth
    gain = at_risk * KEPT - COST
    said = max(int((gain > 0).sum()), number // 10)
    causes = [tuple(rng.permutation(list(SAID))[:2]) if place < said else () for place in range(number)]
    days = rng.integers(1, 40, number)
    return pd.DataFrame(
        {
            "customer_id": [f"{place:05d}" for place in rng.permutation(np.arange(1, number + 1))],
            "probability": chance,
            "rank": np.arange(1, number + 1),
            "partial_probability": np.minimum(chance * 2.5, 0.9),
            "days_since_last_purchase": rng.integers(1, 56, number),
            "usual_gap": gap,
            "expected_next_purchase": [
                AS_OF + dt.timedelta(days=int(day)) if place > 4 else None for place, day in enumerate(days)
            ],
            "overdue": chance > 0.3,
            "value_if_stays": worth,
            "value_at_risk": at_risk,
            "worth_of_contact": gain,
            "contact": gain > 0,
            "reasons": [SEPARATOR.join(SAID[cause] for cause in some) for some in causes],
            "causes": [SEPARATOR.join(some) for some in causes],
        }
    )


def _decision(people: pd.DataFrame) -> Decision:
    gains = people["worth_of_contact"].sort_values(ascending=False).to_numpy()
    contacted = np.arange(0, len(people) + 1, 10)
    gain = np.concatenate([[0.0], gains.cumsum()])[contacted]
    best = int((gains > 0).sum())
    chosen = people[people["contact"]]
    shares = (0.02, 0.05, 0.10, 0.20)
    worth = (people["value_at_risk"].to_numpy()[:, None] * np.array(shares) - COST).clip(0)
    return Decision(
        kept=KEPT,
        cost=COST,
        channel="mail",
        value_days=VALUE_DAYS,
        value_from="lifetime value",
        still_brings=0.2,
        level=0.90,
        curve=pd.DataFrame(
            {"contacted": contacted, "kept": contacted * 0.02, "gain": gain, "low": gain - 20 - contacted * 0.1,
             "high": gain + 20 + contacted * 0.1, "share": contacted / len(people)}
        ),
        contacted=best,
        gain=float(gains[:best].sum()),
        low=float(gains[:best].sum() * 0.4),
        high=float(gains[:best].sum() * 1.7),
        threshold=float(chosen["probability"].min()) if best else float("nan"),
        sensitivity=pd.DataFrame({"kept": shares, "contacted": (worth > 0).sum(axis=0), "gain": worth.sum(axis=0)}),
        break_even=float(COST / people["value_at_risk"].max()),
    )  # fmt: skip


def _judged(customers: int) -> Judged:
    rows = []
    for outcome, less in (("left", 0.0), ("left_partly", 0.1)):
        for place, date in enumerate(DATES):
            for name, kind, auc, precision, lift, calibration in CANDIDATES:
                rows.append(
                    {
                        "outcome": outcome, "date": date, "candidate": name, "kind": kind, "shipped": name == "Blend",
                        "customers": customers - 20 * place, "came": 36 - place,
                        "auc": auc - less + 0.01 * (1 - place), "average_precision": precision + less,
                        "lift": lift - 10 * less, "capture": (lift - less) / 10,
                        "brier": np.nan if kind == "rule" else 0.05, "calibration": calibration,
                        "expected": np.nan if kind == "rule" else 1.02,
                    }
                )  # fmt: skip
    table = pd.DataFrame(rows)
    keys = ["outcome", "candidate", "kind", "shipped"]
    mean = table.drop(columns="date").groupby(keys, sort=False).mean().reset_index()
    ours = CANDIDATES[-1]
    gains = [
        (outcome, rule[0], measure, ours[at], rule[at], ours[at] - rule[at], ours[at] - rule[at] - 0.03,
         ours[at] - rule[at] + 0.03, 3 * customers - 60, 3)
        for outcome in ("left", "left_partly")
        for rule in CANDIDATES[:3]
        for measure, at in (("auc", 2), ("average_precision", 3))
    ]  # fmt: skip
    expected = np.linspace(0.002, 0.33, 10)
    bins = pd.DataFrame({"bin": np.arange(1, 11), "customers": 170, "expected": expected})
    bins = bins.assign(came=expected * 1.05, low=expected * 0.7, high=expected * 1.4)
    return Judged(
        dates=DATES,
        table=table,
        mean=mean,
        gains=pd.DataFrame(
            gains,
            columns=["outcome", "rule", "measure", "ours", "theirs", "gain", "low", "high", "customers", "dates"],
        ),
        over_plain=pd.DataFrame(
            [("left", date, measure, ours, plain, ours - plain) for date in DATES
             for measure, ours, plain in (("auc", 0.864, 0.822), ("average_precision", 0.290, 0.217))],
            columns=["outcome", "date", "measure", "ours", "plain", "gain"],
        ),
        calibration=pd.concat([bins.assign(outcome=one) for one in ("left", "left_partly")], ignore_index=True),
        groups=pd.DataFrame(
            [("left", "Champions", 90, 3, np.nan, 2.9), ("left", "Loyal", 200, 8, 0.84, 8.4),
             ("left", "Occasional", 200, 12, 0.61, 8.1), ("left", "Seldom", 106, 13, 0.72, 13.2),
             ("left", "Odd", 4, 1, 0.5, 1.0)],
            columns=["outcome", "group", "customers", "came", "auc", "expected"],
        ),
    )  # fmt: skip


def draw_understanding() -> Understanding:
    """What could be understood of those who left, with its own sentences."""
    empty = Understanding(
        as_of=AS_OF,
        stake=Stake("silence", 56, HORIZON),
        currency="USD",
        dates=DATES,
        lives=700,
        left=120,
        joined=150,
        curves=_curves(),
        tests=pd.DataFrame(
            [("segment", 4, 700, 41.0, 0.00001, 0.00002, 2, True), ("department", 2, 150, 0.8, 0.4, 0.4, 2, False)],
            columns=["group_kind", "groups", "customers", "statistic", "p", "p_corrected", "comparisons", "differ"],
        ),
        by_purchase=_leaving("purchase", [("1", 150, 30), ("2", 110, 9), ("3", 95, 5), ("4 or more", 90, 2)]),
        by_tenure=_leaving("from_day", [(0, 150, 25), (28, 120, 6), (91, 90, 9)]).assign(to_day=[28, 91, 182]),
        partial=_partial(),
        leavers=100,
        pairs=92,
        stayers=310,
        changes=_changes(),
        changes_by_date=pd.DataFrame(
            [(date, "late_deliveries", "late deliveries", "count", 0.3 - 0.1 * place, 0.2 - 0.1 * place, 0.5, 31,
              0.001 + place, min(0.003 + place, 1.0), 3, place == 0) for place, date in enumerate(DATES)],
            columns=["date", "measure", "label", "unit", "difference", "low", "high", "pairs", "p", "p_corrected",
                     "comparisons", "stands"],
        ),
        dropped=pd.DataFrame(
            [("department", "Coffee", 0.376, 0.254, 0.122, 0.039, 0.202, 61, 0.004, 0.008, 2, True),
             ("department", "Bakery", 0.12, 0.11, 0.01, -0.05, 0.07, 80, 0.7, 0.7, 2, False)],
            columns=["level", "name", "leavers", "stayers", "difference", "low", "high", "pairs", "p", "p_corrected",
                     "comparisons", "stands"],
        ),
        losses=_losses(),
        loss_dates=DATES,
        returned=_returned(),
        gone=260,
        came_back=170,
        unsaid={"curves_by_channel": "Staying by channel is left out: it takes two at least."},
        findings=Findings([]),
    )  # fmt: skip
    return replace(empty, findings=understood(empty))


def _curves() -> pd.DataFrame:
    days = np.arange(0, 309, 7)
    curves = []
    for kind, groups in {
        "all": {"everybody": (700, 0.0004)},
        "joined": {"everybody": (150, 0.0018)},
        "segment": dict(zip(SEGMENTS, ((90, 0.0001), (200, 0.0004), (250, 0.001), (160, 0.003)), strict=True)),
        "cohort": {"2017-04": (60, 0.0015), "2017-05": (50, 0.002)},
        "department": {"Coffee": (80, 0.0015), "Bakery": (60, 0.0022)},
    }.items():
        for group, (number, rate) in groups.items():
            share = np.exp(-rate * days)
            at_risk = (number * np.exp(-days / 200)).astype("int64")
            wide = 0.4 * (1 - share)
            curves.append(
                pd.DataFrame(
                    {"group_kind": kind, "group": group, "days": days, "share_staying": share, "low": share - wide,
                     "high": np.minimum(share + wide, 1.0), "at_risk": at_risk}
                )
            )  # fmt: skip
    return pd.concat(curves, ignore_index=True)


def _leaving(by: str, rows: list[tuple[object, int, int]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=[by, "customers", "left"])
    share = table["left"] / table["customers"]
    return table.assign(share_leaving=share, low=share * 0.6, high=share * 1.5)


def _partial() -> pd.DataFrame:
    rows = [
        (date, 600 - place, 36, 0.06, 0.045, 0.08, 90, 0.15, 0.12, 0.18, 3000.0, 14000.0)
        for place, date in enumerate(DATES)
    ]
    columns = ["date", "customers", "left", "left_share", "left_low", "left_high", "partly", "partly_share",
               "partly_low", "partly_high", "lost_with_left", "lost_with_partly"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _changes() -> pd.DataFrame:
    rows = [
        ("late_deliveries", "late deliveries", "count", "service", 0.1, 0.5, 0.4, 0.1, 0.3, 0.18, 0.42, 5.1, 0.0001,
         True),
        ("basket_price", "list price of what they used to buy", "index", "service", 1.0, 1.01, 0.01, 0.01, 0.0, -0.01,
         0.01, 0.1, 0.9, False),
        ("gap", "days between purchases", "days", "buying", 12.0, 19.0, 7.0, 1.0, 6.0, 2.0, 10.0, 3.1, 0.002, True),
        ("promotion_share", "share bought on promotion", "share", "buying", 0.4, 0.38, -0.02, 0.01, -0.03, -0.07,
         0.01, -1.3, 0.2, False),
        ("order_value", "net sales per purchase day", "money", "buying", 32.0, 30.0, -2.0, -0.2, -1.8, -4.0, 0.4,
         -1.5, 0.15, False),
    ]  # fmt: skip
    columns = ["measure", "label", "unit", "side", "leavers_earlier", "leavers_recent", "leavers_change",
               "stayers_change", "difference", "low", "high", "strength", "p", "stands"]  # fmt: skip
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(pairs=92, stayers=310, p_corrected=(table["p"] * 5).clip(upper=1.0), comparisons=5)


def _losses() -> pd.DataFrame:
    rows = [
        ("everybody", "everybody", 90, 1.0, 0.96, 1.0, np.nan, 52000.0, 13000.0, 1.0),
        ("sign", "after late deliveries", 31, 0.34, 0.25, 0.44, 0.12, 21000.0, 5250.0, 0.4),
        ("sign", "after prices rose", 3, 0.03, 0.01, 0.09, 0.04, 900.0, 225.0, 0.02),
        ("sign", "no sign", 56, 0.62, 0.52, 0.72, 0.84, 30100.0, 7525.0, 0.58),
        ("segment", "Seldom", 50, 0.56, 0.45, 0.66, np.nan, 30000.0, 7500.0, 0.58),
        ("segment", "Loyal", 40, 0.44, 0.34, 0.55, np.nan, 22000.0, 5500.0, 0.42),
        ("department", "Coffee", 50, 0.56, 0.45, 0.66, np.nan, 30000.0, 7500.0, 0.58),
        ("department", "Bakery", 40, 0.44, 0.34, 0.55, np.nan, 22000.0, 5500.0, 0.42),
    ]
    columns = ["kind", "group", "customers", "share", "low", "high", "share_of_stayers", "net_sales", "margin",
               "share_of_net_sales"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns).assign(to_a_year=0)


def _returned() -> pd.DataFrame:
    days = np.arange(0, 169, 7)
    share = 1 - np.exp(-days / 60)
    at_risk = (260 * np.exp(-days / 50)).astype("int64")
    return pd.DataFrame(
        {"days": days, "share_returned": share, "low": share * 0.9, "high": np.minimum(share * 1.1, 1.0),
         "at_risk": at_risk}
    )  # fmt: skip
