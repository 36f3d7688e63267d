"""Lifetime value beside strong off-the-shelf approaches, on two public data sets held out for the horizon's length.

Normalised Gini and mean absolute error per customer, all customers with a purchase before the as-of date; measured
beforehand on the very same rows (best of: same as before, lifetimes' BG/NBD and Pareto/NBD with Gamma-Gamma, XGBoost,
the mean of MBG/CNBD-k and XGBoost). Complete Journey as of 2017-10-01, 91 days, its days cut in UTC as they were for
the measurement (where BG/NBD has the figures that were measured for it) and in the shops' own zone, as reports have
them; the 1/10 sample of CDNOW as of 1997-10-01, 273 days, of which no earlier date could show more than 91.
"""

import datetime as dt
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from crm.analyses.lifetime_value.dates import dates_to_judge_on
from crm.analyses.lifetime_value.foresight import look_back
from crm.analyses.lifetime_value.judging import mix, mix_all, typical_of
from crm.config import read_settings
from crm.facts import read_facts
from crm.measures.amounts import mean_absolute_error, normalised_gini, total_ratio

BEST = {  # purchase days: gini, error; net sales: gini, error
    "journey": (0.870, 4.11, 0.867, 172.4),
    "cdnow": (0.678, 0.755, 0.676, 28.6),
}


@pytest.fixture(scope="module")
def cdnow_sample(shared_folder):
    """The 1/10 sample of CDNOW as somebody's own file: blanks between the columns, no header."""
    file = Path(find_spec("lifetimes").origin).parent / "datasets" / "CDNOW_sample.txt"
    home = shared_folder / "cdnow-sample"
    home.mkdir(exist_ok=True)
    (home / "notebooks").mkdir(exist_ok=True)
    (home / "crm.toml").write_text(
        '[source]\nkind = "files"\n[source.tables.purchases]\n'
        f'path = "{file}"\nheader = false\ndate_format = "%Y%m%d"\n'
        "columns = {customer_id = 1, ordered_at = 3, quantity = 4, net_amount = 5, order_id = 3}\n"
        "[clock]\nas_of = 1997-10-01\n"
    )
    return read_facts(read_settings(home / "crm.toml"))


def held_out(facts, date, days):
    """The blend of a date, with what was learnt before it alone, and what came."""
    seed = facts.settings.runs.seed
    before = dates_to_judge_on(date, facts, horizon_days=days)
    earlier = mix_all([look_back(facts, one, days=before.days, seed=seed) for one in before.dates])
    return mix(look_back(facts, date, days=days, seed=seed), earlier)


@pytest.fixture(scope="module")
def on_journey(journey):
    return held_out(journey, dt.date(2017, 10, 1), 91)


@pytest.fixture(scope="module")
def on_journey_in_utc(journey_in_utc):
    return held_out(journey_in_utc, dt.date(2017, 10, 1), 91)


@pytest.fixture(scope="module")
def on_cdnow(cdnow_sample):
    return held_out(cdnow_sample, dt.date(1997, 10, 1), 273)


def measured(one):
    days, sales = (one.seen.came_purchases, one.purchases), (one.seen.came_value, one.value)
    return (
        normalised_gini(*days),
        mean_absolute_error(*days),
        normalised_gini(*sales),
        mean_absolute_error(*sales),
    )


def test_the_rows_are_those_of_the_measurement(on_journey, on_journey_in_utc, on_cdnow):
    """Measured for BG/NBD with Gamma-Gamma: 0.842 / 4.43, 0.846 / 183.4. In the shops' zone it has 0.841 / 4.48."""
    assert len(on_journey.value) == len(on_journey_in_utc.value) == 2446
    assert len(on_cdnow.value) == 2357
    assert on_journey.seen.came_purchases.sum() == 31_725
    seen = on_journey_in_utc.seen
    for came, expected, (gini, error) in (
        (seen.came_purchases, seen.expected.purchases, (0.842, 4.43)),
        (seen.came_value, seen.expected.value, (0.846, 183.4)),
    ):
        theirs = expected["BG/NBD"].to_numpy()
        assert normalised_gini(came, theirs) == pytest.approx(gini, abs=0.001)
        assert mean_absolute_error(came, theirs) == pytest.approx(error, rel=0.002)


def test_complete_journey_is_better_than_the_best_of_each(on_journey_in_utc):
    """Measured: 0.8702, 4.03, 0.8722, 168.7. The order of purchase days is a draw: resampling moves it by 0.014."""
    gini, error, sales_gini, sales_error = measured(on_journey_in_utc)
    best = BEST["journey"]
    assert gini > best[0]
    assert error < best[1]
    assert sales_gini > best[2]
    assert sales_error < best[3]


def test_in_the_shops_own_zone_the_order_of_purchase_days_is_a_draw_too(on_journey):
    """Measured: 0.8693, 4.08, 0.8714, 169.8.

    No other weights, trees in a bag, third learner, more dates or settings ordered purchase days better on earlier
    dates.
    """
    gini, error, sales_gini, sales_error = measured(on_journey)
    best = BEST["journey"]
    assert gini > best[0] - 0.002
    assert error < best[1]
    assert sales_gini > best[2]
    assert sales_error < best[3]


@pytest.mark.parametrize("which", ["journey", "journey_in_utc"])
def test_on_complete_journey_no_candidate_orders_better_or_errs_less_and_the_total_is_right(which, request):
    """Of ours, the regression and the trees included: their order is at most 0.0005 better."""
    one = request.getfixturevalue(f"on_{which}")
    days, sales = typical_of(one)
    for came, expected, mean, typical in (
        (one.seen.came_purchases, one.seen.expected.purchases, one.purchases, days),
        (one.seen.came_value, one.seen.expected.value, one.value, sales),
    ):
        others = [expected[name].to_numpy() for name in expected]
        assert normalised_gini(came, mean) > max(normalised_gini(came, other) for other in others) - 0.0005
        assert mean_absolute_error(came, typical) < min(mean_absolute_error(came, other) for other in others)
        assert total_ratio(came, mean) == pytest.approx(1, abs=0.1)


def test_cdnow_is_better_in_order(on_cdnow):
    """Measured: 0.679, 0.792, 0.695, 29.1 for the mean.

    The error misses 0.755 and 28.6: expecting nothing of anybody scores 0.798 and 30.1, so that here the error
    rewards whoever expects too little. Brought to the total that came, no candidate errs less than 0.785 and 30.95.
    """
    gini, error, sales_gini, sales_error = measured(on_cdnow)
    best = BEST["cdnow"]
    assert gini > best[0]
    assert error < best[1] + 0.06
    assert sales_gini > best[2]
    assert sales_error < best[3] + 1.5


@pytest.mark.parametrize("which", ["journey", "journey_in_utc", "cdnow"])
def test_the_typical_numbers_make_the_error_small(which, request):
    """The medians. Measured: 4.02 and 168.3 on Complete Journey (3.99, 167.2 in UTC); 0.656 and 25.6 on CDNOW.

    The medians of the purchase models alone err by 0.662 to 0.665 on CDNOW, and by 4.47 to 4.52 on Complete Journey.
    """
    one = request.getfixturevalue(f"on_{which}")
    days, sales = typical_of(one)
    pairs = [(one.seen.came_purchases, days, one.purchases), (one.seen.came_value, sales, one.value)]
    for (came, typical, mean), best in zip(pairs, BEST[which.removesuffix("_in_utc")][1::2], strict=True):
        error = mean_absolute_error(came, typical)
        assert error < 0.985 * best
        assert error < 0.995 * mean_absolute_error(came, mean)
    assert ((days > 0) == (sales > 0)).all()


@pytest.mark.parametrize("which", ["on_journey", "on_cdnow"])
def test_the_shipped_blend_is_about_as_good_as_the_best_single_candidate_in_order_and_level(which, request):
    one = request.getfixturevalue(which)
    came, expected = one.seen.came_value, one.seen.expected.value
    ginis = {name: normalised_gini(came, expected[name].to_numpy()) for name in expected}
    assert normalised_gini(came, one.value) > max(ginis.values()) - 0.02
    totals = [abs(np.log(total_ratio(came, expected[name].to_numpy()))) for name in expected if "NBD" in name]
    assert abs(np.log(total_ratio(came, one.value))) < max(totals) + 0.01


@pytest.mark.parametrize("which", ["on_journey", "on_cdnow"])
def test_ninety_of_a_hundred_customers_fall_inside(which, request):
    """Measured: 90.2 % and 89.3 %, the level learnt from earlier dates alone."""
    one = request.getfixturevalue(which)
    low, _, high = one.seen.quantiles.at(one.interval_level, one.value)
    inside = ((one.seen.came_value >= low) & (one.seen.came_value <= high)).mean()
    assert 0.85 <= inside <= 0.95
