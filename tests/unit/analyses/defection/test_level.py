"""How many leave altogether: the same weeks of a year ago set the level only where they told it better."""

import datetime as dt

import numpy as np
import pytest
from unit.analyses.defection.worlds import AS_OF, SAMPLE, foresight

from crm.analyses.defection.foresight import year_ago
from crm.analyses.defection.labels import label
from crm.analyses.defection.learners import BLEND, chance, log_odds_of
from crm.analyses.defection.level import OWN, SEASON, settle
from crm.facts import read_facts

DATES = (dt.date(2017, 7, 17), dt.date(2017, 9, 11), dt.date(2017, 11, 6))
CUSTOMERS = 400
LOG_ODDS = log_odds_of(0.10) + np.random.default_rng(1).normal(0, 0.3, CUSTOMERS)


def judged(*dates, came, told):
    """Of each date: the model said about 10 %, the year before said `told`, and `came` left."""
    left = (np.arange(CUSTOMERS) < came * CUSTOMERS).astype("float64")
    year_before = float(log_odds_of(told)) if told else np.nan
    return [foresight(date, left, {BLEND: LOG_ODDS}, year_ago=year_before) for date in dates]


@pytest.mark.parametrize(
    ("earlier", "told_today", "where"),
    [
        (judged(*DATES, came=0.30, told=0.28), 0.25, SEASON),
        (judged(*DATES, came=0.10, told=0.28), 0.25, OWN),
        (judged(*DATES, came=0.18, told=0.28), 0.25, OWN),  # both are off, the season by more
        (judged(*DATES, came=0.30, told=0.28), None, OWN),  # not known for today
        (judged(*DATES, came=0.30, told=None), 0.25, OWN),  # never known: never tested
        ([], 0.25, OWN),
        (judged(DATES[0], came=0.30, told=0.28) + judged(*DATES[1:], came=0.3, told=None), 0.25, SEASON),
        (judged(DATES[0], came=0.12, told=0.14) + judged(*DATES[1:], came=0.10, told=0.4), 0.25, OWN),
    ],
    ids=["season served", "own served", "season farther off", "unknown today", "never tested", "nothing judged",
         "served once, never tested again", "served once, failed twice"],
)  # fmt: skip
def test_the_season_is_taken_only_where_it_served_better(earlier, told_today, where):
    told = float(log_odds_of(told_today)) if told_today else np.nan
    shift, found = settle(LOG_ODDS, told, earlier, "left")
    assert found == where
    mean = chance(LOG_ODDS + shift).mean()
    if where == SEASON:
        assert mean == pytest.approx(told_today, rel=1e-6), "the mean chance is the share of a year ago"
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
