"""Complete Journey's defection curves a second way: from order lines, customer by customer, in plain Python."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from crm.analyses.defection.understanding import understand_defection

AS_OF, AFTER = dt.date(2018, 1, 1), 56


@pytest.fixture(scope="module")
def understood(journey):
    return understand_defection(journey, AS_OF)


@pytest.fixture(scope="module")
def days(journey):
    """The purchase days of each customer, counted from 1 January 2017."""
    lines = journey["purchases"].select("customer_id", "ordered_at").collect(backend="pandas").to_native()
    day = (lines["ordered_at"].dt.normalize() - pd.Timestamp("2017-01-01")).dt.days
    return {who: sorted(set(some)) for who, some in day.groupby(lines["customer_id"])}


def life(bought, end=365):
    """Days from the first purchase to the one before the first silence, and whether there was one."""
    for this, following in zip(bought, [*bought[1:], end], strict=True):
        if following - this > AFTER:
            return this - bought[0], True
    return end - AFTER - bought[0], False


def product_limit(lives, at):
    """The share staying longer than `at`, and Greenwood's sum."""
    share, greenwood = 1.0, 0.0
    for when in sorted({days for days, left in lives if left and days <= at}):
        risk = sum(days >= when for days, _ in lives)
        leave = sum(days == when and left for days, left in lives)
        share *= 1 - leave / risk
        greenwood += leave / (risk * (risk - leave))
    return share, greenwood


@pytest.mark.parametrize(("kind", "since"), [("all", 0), ("joined", 91)])
def test_the_curve(understood, days, kind, since):
    lives = [life(bought) for bought in days.values() if since <= bought[0] < 365 - AFTER]
    curve = understood.curves[understood.curves["group_kind"] == kind].set_index("days")
    assert len(curve) > 20
    for at in curve.index[:: len(curve) // 6]:
        share, greenwood = product_limit(lives, at)
        wide = 1.959964 * greenwood**0.5 / abs(np.log(share))
        expected = [share, share ** np.exp(wide), share ** np.exp(-wide), sum(days >= at for days, _ in lives)]
        assert curve.loc[at, ["share_staying", "low", "high", "at_risk"]].tolist() == pytest.approx(expected)


def test_how_many(understood, days):
    lives = [life(bought) for bought in days.values() if bought[0] < 365 - AFTER]
    assert understood.lives == len(lives)
    assert understood.left == understood.gone == sum(left for _, left in lives)
    assert understood.stake.after_days == AFTER


def test_after_the_first_purchase(understood, days):
    joined = [bought for bought in days.values() if 91 <= bought[0] < 365 - AFTER]
    silent = [bought for bought in joined if (bought[1] if len(bought) > 1 else 365) - bought[0] > AFTER]
    row = understood.by_purchase.iloc[0]
    assert (row["customers"], row["left"]) == (len(joined), len(silent))


def test_partial_beside_full(understood):
    """As of 6 November, of 2,215 at stake: 131 left, and with the others who spend less than half, 453."""
    row = understood.partial.iloc[0]
    assert (str(row["date"]), row["customers"], row["left"], row["left"] + row["partly"]) == (
        "2017-11-06", 2_215, 131, 453
    )  # fmt: skip


def test_those_who_have_not_come_back(understood, days):
    """Who was at stake on one of the dates and bought nothing from it on, each once."""
    dates = [(date - dt.date(2017, 1, 1)).days for date in understood.dates]
    gone = {
        who
        for who, bought in days.items()
        for date in dates
        if any(date - AFTER <= day < date for day in bought) and max(bought) < date
    }
    assert understood.losses.iloc[0]["customers"] == len(gone)
    assert f"With the {len(gone)} who left on 5 dates" in understood.findings["lost"].sentence


def test_what_went_with_them_is_brought_to_a_year_and_said_so(understood, journey, days):
    """Net sales of each before the newest date on which they were at stake, over as much history as there was."""
    dates = [(date - dt.date(2017, 1, 1)).days for date in understood.dates]
    lines = (
        journey["purchases"].select("customer_id", "ordered_at", "net_amount").collect(backend="pandas").to_native()
    )
    day = (lines["ordered_at"].dt.normalize() - pd.Timestamp("2017-01-01")).dt.days
    plain = a_year = 0.0
    for who, bought in days.items():
        left = [date for date in dates if any(date - AFTER <= one < date for one in bought) and max(bought) < date]
        sales = lines.loc[(lines["customer_id"] == who) & (day < max(left)), "net_amount"].sum() if left else 0.0
        plain, a_year = plain + sales, a_year + (sales * 365 / max(left) if left else 0.0)
    row = understood.losses.iloc[0]
    assert row["net_sales"] == pytest.approx(a_year, abs=0.01)
    assert row["net_sales"] > 1.2 * plain
    assert row["to_a_year"] == row["customers"]
    assert "a year, brought to a year where the history is shorter" in understood.findings["lost"].sentence
