"""A campaign without a lot: what is compared when, what is counted, and what is said where nothing can be."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from crm.analyses.campaign_success.campaigns import Campaign, read_campaigns
from crm.analyses.campaign_success.event_study import WEEKS
from crm.analyses.campaign_success.observational import EFFECTS, compare_without_lot, contacts_of
from crm.analyses.campaign_success.watched import spans_of, weeks_of
from crm.periods import day_number

AS_OF = dt.date(2018, 1, 1)
FIRST, CLOSED = dt.date(2016, 9, 1), ("2017-09-01", "2017-09-14")
SHOPPERS = 400

# Whom each contacts; nobody buys while the shop is closed.
CAMPAIGNS = """
campaign_id starts_at  ends_at
earlier     2017-02-01 2017-02-28
best        2017-07-01 2017-07-28
by_luck     2017-07-15 2017-08-11
closed      2017-09-01 2017-09-14
one_contact 2017-05-01 2017-05-14
everybody   2017-05-01 2017-05-14
all_but_two 2017-05-01 2017-05-14
strangers   2017-05-01 2017-05-14
too_early   2016-08-01 2016-08-28
first_day   2016-09-01 2016-09-28
soon        2016-10-01 2016-10-28
running     2017-12-20 2018-01-19
last_day    2017-12-31 2018-01-19
"""

BY_LUCK = ("by_luck", "closed", "too_early", "first_day", "soon", "running", "last_day")


def shopping() -> pd.DataFrame:
    """Purchases of 400 days and more, by customers who buy more or less often, anywhere but in the closed shop."""
    rng = np.random.default_rng(1)
    often = rng.gamma(2.0, 0.03, SHOPPERS)
    days = pd.date_range(FIRST, AS_OF - dt.timedelta(days=1))
    bought = rng.random((SHOPPERS, len(days))) < often[:, None]
    bought[:, 0] = np.arange(SHOPPERS) < 10
    bought[:, (days >= CLOSED[0]) & (days <= CLOSED[1])] = False
    who, when = np.nonzero(bought)
    return pd.DataFrame(
        {
            "customer_id": [f"c{place:03d}" for place in who],
            "order_id": np.arange(len(who)).astype(str),
            "ordered_at": days[when],
            "net_amount": rng.gamma(2.0, 10.0, len(who)).round(2),
        }
    )


def contacting(purchases: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    everybody = sorted(purchases["customer_id"].unique())
    lately = purchases[purchases["ordered_at"].between("2017-01-01", "2017-06-30")]
    liked = np.log1p(lately["customer_id"].value_counts().reindex(everybody).fillna(0))
    score = liked + rng.normal(0, 0.5, len(everybody))
    best = score[score > score.median()].index.tolist()
    chosen = {
        **{campaign: [name for name in everybody if rng.random() < 0.4] for campaign in BY_LUCK},
        "earlier": everybody[:50],
        "best": best,
        "one_contact": everybody[:1],
        "everybody": everybody,
        "all_but_two": everybody[2:],
        "strangers": ["x1", "x2"],
    }
    rows = [(campaign, name) for campaign, names in chosen.items() for name in names]
    return pd.DataFrame([*rows, ("best", "x1")], columns=["campaign_id", "customer_id"])


@pytest.fixture(scope="module")
def facts(company, draw):
    purchases = shopping()
    tables = {"purchases": purchases, "campaigns": draw(CAMPAIGNS), "contacts": contacting(purchases)}
    return company(tables, "2018-01-01", "[money]\ngross_margin = 0.5\n")


@pytest.fixture(scope="module")
def campaigns(facts):
    return read_campaigns(facts, AS_OF)


@pytest.fixture(scope="module")
def read(facts, campaigns):
    return lambda name, after=28: compare_without_lot(facts, campaigns.of(name), campaigns, AS_OF, after_days=after)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("one_contact", "only one customer was contacted"),
        ("everybody", "everybody who had bought before was contacted: nobody is left to compare with"),
        ("all_but_two", "not even two contacted customers have similar untouched ones"),
        ("strangers", "nobody it contacted had bought before"),
        ("too_early", "there is no history before it"),
        ("first_day", "there is no history before it"),
    ],
)
def test_where_nothing_can_be_compared(read, name, why):
    seen = read(name)
    assert seen.why_not == why
    assert not seen.claim_allowed
    assert not seen.borne_out("net_sales")
    assert (list(seen.effects), list(seen.event_study), len(seen.effects)) == (list(EFFECTS), list(WEEKS), 0)
    assert seen.placebo.passed is None
    assert seen.sensitivity is None


@pytest.mark.parametrize(
    ("name", "why", "placebo"),
    [
        ("soon", "only 30 days of history lie before it, too few for older days that must show nothing", None),
        ("running", "it has not ended: 12 of its 31 days are known", True),
        ("last_day", "it has not ended: 1 of its 20 days are known", True),
    ],
)
def test_where_something_is_shown_and_nothing_claimed(read, name, why, placebo):
    seen = read(name)
    assert (seen.why_not, seen.claim_allowed, seen.placebo.passed) == (why, False, placebo)
    assert seen.effects["effect"].notna().all()
    assert seen.effects["beyond"].notna().any() == bool(placebo)


def test_nothing_bought_at_all_is_no_effect(read):
    during = read("closed").effects.query("window == 'during'")
    assert (during[["usual", "effect", "low", "high"]].abs().to_numpy() < 1e-9).all()
    assert during["p"].isna().all()
    assert np.isnan(read("closed").sensitivity.robustness)


def test_a_campaign_that_did_nothing_shows_nothing(read):
    """Chosen by what they had bought: the plain difference is large, that of customers with the same past is not."""
    seen = read("best")
    row = seen.effects.set_index(["outcome", "window"]).loc[("net_sales", "during")]
    assert row["naive"] > 3 * abs(row["effect"])
    assert row["low"] < 0 < row["high"]
    assert seen.claim_allowed, seen.why_not
    assert not seen.borne_out("net_sales")
    assert seen.company.strangers == 1
    assert "1 contacted had never bought before and are left out." in seen.remarks
    assert seen.balance["after"].abs().max() < 0.1 < seen.balance["before"].abs().max()
    assert len(seen.compared) == seen.overlap.treated


def test_the_plain_differences_by_hand(read, facts, campaigns):
    purchases, contacted = shopping(), set(campaigns.of("best").customers["customer_id"])
    known = sorted(set(purchases.loc[purchases["ordered_at"] < "2017-07-01", "customer_id"]))

    def apart(first: str, last: str) -> float:
        bought = purchases[purchases["ordered_at"].between(first, last)]
        sums = bought.groupby("customer_id")["net_amount"].sum().reindex(known).fillna(0)
        ours = sums.index.isin(contacted)
        return sums[ours].mean() - sums[~ours].mean()

    rows = read("best").effects.set_index(["outcome", "window"])
    during, after = rows.loc[("net_sales", "during")], rows.loc[("net_sales", "after")]
    assert during["naive"] == pytest.approx(apart("2017-07-01", "2017-07-28"))
    assert during["did"] == pytest.approx(during["naive"] - apart("2017-06-03", "2017-06-30"))
    assert after["naive"] == pytest.approx(apart("2017-07-29", "2017-08-25"))
    margin = rows.loc[("margin", "during")]
    assert margin["effect"] == pytest.approx(during["effect"] / 2)
    assert margin["high"] == pytest.approx(during["high"] / 2)


def test_weeks_add_up_to_the_effect(read):
    seen = read("best", after=10)
    weeks = seen.event_study
    assert weeks["part"].value_counts(sort=False).to_dict() == {
        "older": 13, "compared on": 26, "during": 4, "after": 2,
    }  # fmt: skip
    assert weeks.loc[weeks["week"] == 0, "first_day"].tolist() == [0]
    assert weeks["days"].tolist()[-2:] == [7, 3]
    effects = seen.effects.set_index(["outcome", "window"])["effect"]
    for part in ("during", "after"):
        of_part = weeks[weeks["part"] == part]
        assert (of_part["effect"] * of_part["days"] / 7).sum() == pytest.approx(effects["net_sales", part])
    older = weeks[weeks["part"] == "older"]["effect"].sum() * 28 / 91
    told = seen.placebo.table.set_index("outcome").loc["net_sales", "effect"]
    assert older == pytest.approx(told)
    row = seen.effects.set_index(["outcome", "window"]).loc[("net_sales", "during")]
    assert row["beyond"] == pytest.approx(row["effect"] - told)


def test_campaigns_at_the_same_time_are_counted_on_both_sides(read, campaigns):
    seen = read("best")
    both = {name: set(campaigns.of(name).customers["customer_id"]) for name in ("best", "by_luck")}
    assert seen.company.treated - seen.company.treated_alone == len(both["best"] & both["by_luck"])
    assert seen.company.untouched - seen.company.untouched_alone == len(both["by_luck"] - both["best"])
    counts = contacts_of(pd.Index(["c000", "c001"]), campaigns.of("best"), campaigns)
    # The campaigns of May, and those before the history, that contacted the two.
    received = [sum(name in set(one.customers["customer_id"]) for one in campaigns.chosen if
                    one.campaign.starts < day_number(dt.date(2017, 7, 1))) for name in ("c000", "c001")]  # fmt: skip
    assert counts["campaigns_before_received"].tolist() == received
    assert counts["campaigns_meanwhile_running"].tolist() == [0, 0]
    assert counts["campaigns_meanwhile_begun"].tolist() == [float(n in both["by_luck"]) for n in ("c000", "c001")]


def test_nothing_from_the_as_of_date_on_is_read(facts, company, draw, read):
    """The same as of August, whether the rest of the year is known or not."""
    early = dt.date(2017, 8, 5)
    purchases = shopping()
    tables = {
        "purchases": purchases[purchases["ordered_at"] < pd.Timestamp(early)],
        "campaigns": draw(CAMPAIGNS),
        "contacts": contacting(purchases),
    }
    without = company(tables, "2017-08-05", "[money]\ngross_margin = 0.5\n")
    seen = []
    for given in (facts, without):
        known = read_campaigns(given, early)
        seen.append(compare_without_lot(given, known.of("best"), known, early, after_days=28))
    pd.testing.assert_frame_equal(seen[0].effects, seen[1].effects)
    pd.testing.assert_frame_equal(seen[0].event_study, seen[1].event_study)


@pytest.mark.parametrize(
    ("history", "days", "compared_on", "older"),
    [
        (0, 28, 0, 0),
        (30, 28, 28, 0),
        (38, 47, 35, 0),
        (45, 28, 28, 14),
        (61, 38, 35, 21),
        (127, 49, 84, 42),
        (209, 28, 133, 70),
        (210, 28, 182, 28),
        (262, 162, 182, 77),
        (273, 28, 182, 91),
        (900, 28, 182, 91),
        (900, 162, 182, 168),
    ],
)
def test_which_days_are_compared_on_and_which_must_show_nothing(facts, history, days, compared_on, older):
    starts = facts.first_day + history
    campaign = Campaign("c", "c", "mail", "mail", starts, starts + days, 0.0, False, np.nan)
    spans = spans_of(facts, campaign, dt.date(2030, 1, 1), after_days=10)
    assert (spans.compared_on, spans.older) == (compared_on, older)
    assert spans.compared_on + spans.older <= history
    weeks = weeks_of(spans)
    assert all(week.end - week.first == 7 for week in weeks if week.first < 0)
    known = min(days + 10, max(facts.last_day + 1 - starts, 0))  # where the data end before the campaign does
    assert sum(week.end - week.first for week in weeks) == compared_on + older + known
