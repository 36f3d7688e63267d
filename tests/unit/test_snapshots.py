"""Snapshots and the dates to learn from: nothing reaches past its own date."""

import datetime as dt
import itertools

import pandas as pd
import pytest

from crm.errors import NotEnoughData
from crm.facts import read_facts
from crm.features import data_dictionary, features_of
from crm.mart import open_mart
from crm.outcomes import active, defected
from crm.periods import date_of
from crm.snapshots import labelled_snapshot, snapshot, snapshot_in_parts, temporal_splits


def test_a_snapshot_has_the_columns_of_the_dictionary_and_a_row_per_customer(journey, on):
    customers = snapshot(journey, on("2017-10-01"))
    assert list(customers.columns) == ["customer_id", *data_dictionary(open_mart(journey))["feature"]]
    assert customers["customer_id"].is_unique
    assert customers["customer_id"].is_monotonic_increasing
    assert (customers["days_since_last_purchase"] >= 1).all()


def test_features_without_a_meaning_for_empty_are_never_empty(journey, on):
    customers = snapshot(journey, on("2017-10-01"))
    never = [feature.name for feature in features_of(open_mart(journey)) if not feature.missing]
    assert not customers[never].isna().any().any()


def test_active_and_defected_are_counted_as_a_person_would(journey, on):
    """Active: bought in the 56 days before; defected: nothing in the 56 days from the date on; from order lines."""
    labelled = labelled_snapshot(journey, on("2017-11-06"), horizon_days=56)
    lines = journey["purchases"].select("customer_id", "ordered_at").collect(backend="pandas").to_native()
    before = lines[lines["ordered_at"].between("2017-09-11", "2017-11-05 23:59:59")]["customer_id"].unique()
    after = set(lines[lines["ordered_at"] >= "2017-11-06"]["customer_id"])
    still = active(labelled, within_days=56)
    assert still.sum() == len(before)
    assert defected(labelled)[still].sum() == sum(customer not in after for customer in before)


def test_an_outcome_that_has_not_happened_is_not_invented(journey, on):
    with pytest.raises(NotEnoughData, match="Choose an as-of date of 2017-11-06 or earlier"):
        labelled_snapshot(journey, on("2017-11-07"), horizon_days=56)


def test_nobody_before_the_first_purchase(journey, on):
    with pytest.raises(NotEnoughData, match="the first purchase is of 2017-01-01"):
        snapshot(journey, on("2017-01-01"))


def test_splits_walk_back_from_the_newest_date_whose_horizon_has_passed(journey, on):
    splits = temporal_splits(journey, on("2018-01-01"), horizon_days=56)
    assert splits.judge == (dt.date(2017, 9, 11), dt.date(2017, 11, 6))
    assert splits.learn[-1] == dt.date(2017, 7, 17)
    dates = [*splits.learn, *splits.judge]
    assert all((later - earlier).days == 56 for earlier, later in itertools.pairwise(dates))


@pytest.mark.parametrize("as_of", ["2017-10-01", "2017-12-24", "2018-01-01", "2018-06-01"])
@pytest.mark.parametrize("horizon", [28, 56, 91])
def test_no_label_reaches_past_what_is_known(journey, on, as_of, horizon):
    splits = temporal_splits(journey, on(as_of), horizon_days=horizon, judged=1)
    known = min(on(as_of), date_of(journey.last_day + 1))
    assert all(date + dt.timedelta(days=horizon) <= known for date in (*splits.learn, *splits.judge))
    assert max(splits.learn) + dt.timedelta(days=horizon) <= min(splits.judge)


def test_too_little_history_is_said_with_figures(journey, on):
    with pytest.raises(NotEnoughData, match="Found: 1 between 2017-01-01 and 2018-01-01"):
        temporal_splits(journey, on("2018-01-01"), horizon_days=182)


def test_the_same_snapshot_twice_is_the_same_file(journey, on, tmp_path):
    """Built again from nothing, in another folder: the same bytes."""
    first = snapshot(journey, on("2017-10-01"))
    folders = journey.settings.folders.model_copy(update={"data": tmp_path / "data"})
    again = read_facts(journey.settings.model_copy(update={"folders": folders}))
    assert again.fingerprint == journey.fingerprint
    assert snapshot(again, on("2017-10-01")).equals(first)
    pattern = "mart/*/*/snapshots/*/2017-10-01/snapshot.parquet"
    (one,), (other,) = (list(f.settings.folders.data.glob(pattern)) for f in (journey, again))
    assert one.read_bytes() == other.read_bytes()


def test_a_date_may_be_written_as_text(journey, on):
    assert snapshot(journey, "2017-10-01").equals(snapshot(journey, on("2017-10-01")))


def test_in_parts_it_is_the_same_customers_in_the_same_order(journey, on):
    """As a model of lifetime value asks for it: some columns, a thousand customers at a time."""
    parts = list(snapshot_in_parts(journey, on("2017-10-01"), columns=["customer_id", "frequency"], at_once=1_000))
    assert [len(part) for part in parts] == [1_000, 1_000, 446]
    whole = snapshot(journey, on("2017-10-01"))[["customer_id", "frequency"]]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole, check_dtype=False)
