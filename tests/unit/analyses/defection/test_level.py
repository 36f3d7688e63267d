"""How many leave altogether: the same weeks of a year ago, or earlier misses, where they told it better."""

import datetime as dt

import numpy as np
import pytest
from unit.analyses.defection.worlds import AS_OF, SAMPLE, foresight

from crm.analyses.defection.foresight import year_ago
from crm.analyses.defection.labels import label
from crm.analyses.defection.learners import BLEND, chance, log_odds_of, shift_to
from crm.analyses.defection.level import JUDGED, OWN, SEASON, settle
from crm.facts import read_facts

DATES = (dt.date(2017, 7, 17), dt.date(2017, 9, 11), dt.date(2017, 11, 6))
CUSTOMERS = 400
LOG_ODDS = log_odds_of(0.10) + np.random.default_rng(1).normal(0, 0.3, CUSTOMERS)


def judged(*came, told):
    """Of each date: the model said about 10 %, the year before said `told`, and that share `came`."""
    return [
        foresight(
            date,
            (np.arange(CUSTOMERS) < share * CUSTOMERS).astype("float64"),
            {BLEND: LOG_ODDS},
            year_ago=float(log_odds_of(year_before)) if year_before else np.nan,
        )
        for date, share, year_before in zip(DATES, came, told, strict=False)
    ]


@pytest.mark.parametrize(
    ("earlier", "told_today", "where"),
    [
        (judged(0.30, 0.30, 0.30, told=(0.28, 0.28, 0.28)), 0.25, SEASON),
        (judged(0.09, 0.115, 0.09, told=(0.28, 0.28, 0.28)), 0.25, OWN),
        (judged(0.15, 0.10, 0.15, told=(0.28, 0.28, 0.28)), 0.25, OWN),
        (judged(0.30, told=(0.28,)), 0.25, SEASON),
        (judged(0.12, 0.10, 0.10, told=(0.14, 0.40, 0.40)), 0.25, OWN),
        (judged(0.30, 0.30, 0.30, told=(0.28, 0.28, 0.28)), None, JUDGED),
        (judged(0.30, 0.30, 0.30, told=(None, None, None)), 0.25, JUDGED),
        (judged(0.30, 0.30, told=(None, None)), 0.25, OWN),
        (judged(0.30, 0.02, 0.30, told=(None, None, None)), 0.25, OWN),
        ([], 0.25, OWN),
    ],
    ids=["season served", "own served", "season farther off", "season served once", "season failed more often",
         "season unknown today", "off by the same on each date", "off by the same, twice only", "off to both sides",
         "nothing judged"],
)  # fmt: skip
def test_the_level_is_from_where_it_served_better(earlier, told_today, where):
    told = float(log_odds_of(told_today)) if told_today else np.nan
    shift, found = settle(LOG_ODDS, told, earlier, "left")
    assert found == where
    mean = chance(LOG_ODDS + shift).mean()
    if where == SEASON:
        assert mean == pytest.approx(told_today, rel=1e-6), "the mean chance is the share of a year ago"
    elif where == JUDGED:
        right = shift_to(LOG_ODDS, 0.30)
        assert shift == pytest.approx(right * 3 / 4), "held back: of three dates as if a fourth had needed none"
    else:
        assert shift == 0.0


def test_the_share_of_a_year_ago_is_carried_on_by_how_this_year_differs(settings_for):
    """Log-odds of 2017-01-02, moved by those of 2017-11-06 less those of a year before it."""
    facts = read_facts(settings_for("sample_company", AS_OF.isoformat(), source=SAMPLE))

    def odds(date):
        share = label(facts, dt.date.fromisoformat(date))["left"].mean()
        return np.log(share / (1 - share))

    expected = odds("2017-01-02") + odds("2017-11-06") - odds("2016-11-07")
    assert year_ago(facts, AS_OF)["left"] == pytest.approx(expected)
    assert np.isnan(year_ago(facts, dt.date(2016, 12, 1))["left"])
