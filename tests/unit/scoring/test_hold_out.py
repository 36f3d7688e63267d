"""Who is left alone: to be computed again by anybody, shared out exactly, independent from list to list."""

import hashlib
import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, kstest

from crm.analyses.campaign_success.planning import power_of
from crm.errors import CrmError
from crm.scoring.hold_out import hold_out, mark, measurable, share_needed

MANY = [f"C{number:06d}" for number in range(20_000)]


def held(customers, list_id, share, strata=None):
    return set(np.asarray(customers, dtype=object)[hold_out(customers, list_id, share, strata)])


def test_anybody_can_compute_it_again():
    def by_hand(customer):
        digest = hashlib.sha256(f"2018-01 win back\t{customer}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64

    some = ["ann", "Zoë", "=1+1", 'o"neil, j.', "007"]
    assert [mark("2018-01 win back", one) for one in some] == [by_hand(one) for one in some]
    assert mark("2018-01 win back", "ann") == pytest.approx(0.2425284707660047)
    assert held(some, "2018-01 win back", 0.4) == set(sorted(some, key=by_hand)[:2])


@pytest.mark.parametrize(
    ("customers", "share", "expected"),
    [(0, 0.2, 0), (10, 0.2, 2), (10, 0.0, 0), (10, 1.0, 10), (30, 0.1, 3), (100, 0.29, 29), (20_000, 0.05, 1_000)],
)
def test_the_share_is_kept_exactly_where_it_is_whole(customers, share, expected):
    assert hold_out(MANY[:customers], "list", share).sum() == expected


@settings(max_examples=60, deadline=None)
@given(
    strata=st.lists(st.sampled_from(["a", "b", "c", None]), max_size=60),
    share=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_kept_within_strata_whatever_the_order(strata, share, seed):
    list_id = f"list {seed}"
    table = pd.DataFrame(
        {"customer": MANY[: len(strata)], "stratum": pd.Series(strata, dtype="object").fillna("none")}
    )
    table["held_out"] = hold_out(table["customer"], list_id, share, table["stratum"])
    for _, group in table.groupby("stratum"):
        assert abs(group["held_out"].sum() - share * len(group)) < 1 + 1e-6
        marks = group["customer"].map(lambda one: mark(list_id, one))
        assert not (marks[group["held_out"]].max() > marks[~group["held_out"]].min())
    assert abs(table["held_out"].sum() - share * len(table)) < 1 + 1e-6
    mixed = table.sample(frac=1, random_state=seed)
    again = hold_out(mixed["customer"], list_id, share, mixed["stratum"])
    assert (again == mixed["held_out"]).all()


@settings(max_examples=40, deadline=None)
@given(others=st.integers(0, 400), share=st.floats(0.01, 0.6), more=st.floats(0, 0.4))
def test_who_else_is_on_the_list_moves_only_the_place_of_the_cut(others, share, more):
    """Between two lists of the same name nobody overtakes: those of both are held out by the same order."""
    few, all_ = MANY[:200], MANY[: 200 + others]
    one, other = held(few, "list", share), held(all_, "list", share) & set(few)
    assert one <= other or other <= one
    assert held(few, "list", share) <= held(few, "list", share + more)


def test_in_the_smallest_strata_everybody_has_the_same_chance():
    """Four hundred pairs and a share of a fifth: 160 in all, in no pair two, and by no order of the names."""
    pairs = [f"pair {number // 2:03d}" for number in range(800)]
    counts = np.zeros(800)
    for draw in range(300):
        held_out = hold_out(MANY[:800], f"list {draw}", 0.2, pairs)
        assert held_out.sum() == 160
        assert held_out.reshape(-1, 2).sum(axis=1).max() == 1
        counts += held_out
    assert counts.mean() == pytest.approx(60)
    assert counts.std() == pytest.approx(math.sqrt(300 * 0.2 * 0.8), rel=0.15)


def test_one_lists_marks_say_nothing_of_anothers():
    lists = [f"2018-{month:02d} win back" for month in range(1, 7)]
    drawn = {name: hold_out(MANY, name, 0.2) for name in lists}
    for one, other in itertools.pairwise(lists):
        table = pd.crosstab(drawn[one], drawn[other])
        assert chi2_contingency(table).pvalue > 0.001, (one, other)
        assert kstest([mark(one, customer) for customer in MANY[:5_000]], "uniform").pvalue > 0.001


def test_the_arms_are_balanced():
    """Chance alone parts them: what was known before differs by no more than three standard errors."""
    spent = np.random.default_rng(5).gamma(1, 40, len(MANY))
    held_out = hold_out(MANY, "list", 0.2)
    error = spent.std() * math.sqrt(1 / held_out.sum() + 1 / (~held_out).sum())
    assert abs(spent[held_out].mean() - spent[~held_out].mean()) < 3 * error


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ((["ann"], "list", 1.2), "1.2"),
        ((["ann"], "list", math.nan), "nan"),
        ((["ann"], "", 0.2), "''"),
        ((["ann"], "a\tb", 0.2), "tab"),
        ((["ann", "bob", "ann"], "list", 0.2), "1 customers again, such as ann"),
        ((["ann", "bob"], "list", 0.2, ["one"]), "1 strata of 2 customers"),
    ],
    ids=["share", "no share", "nameless", "tab", "twice", "strata"],
)
def test_what_cannot_be(arguments, found):
    with pytest.raises(CrmError, match=found):
        hold_out(*arguments)


@pytest.mark.parametrize(
    ("audience", "share", "sd", "effect", "seen", "needed", "words"),
    [
        # 4 * (1.96 + 0.84) ** 2 * (sd / effect) ** 2 = 3,140 customers in halves; at a fifth 4,906
        (10_000, 0.20, 50.0, 5.0, True, 0.0860, "shows gains from 3.50 a customer; 5.00 is expected"),
        (4_000, 0.20, 50.0, 5.0, False, 0.2682, "would not be seen; with 26.8% it would"),
        (2_000, 0.20, 50.0, 5.0, False, math.nan, "too small to be measured.* 4,906 customers would be needed"),
        (2_000, 0.20, 50.0, math.nan, False, math.nan, "effect or spread is not known"),
        (2_000, 0.20, math.nan, 5.0, False, math.nan, "effect or spread is not known"),
        (2_000, 0.20, 50.0, -1.0, False, math.nan, "no gain is expected"),
        (1, 0.20, 50.0, 5.0, False, math.nan, "too small to be measured"),
        (10_000, 0.0, 50.0, 5.0, False, 0.0860, "would not be seen; with 8.6% it would"),
    ],
    ids=["seen", "larger share", "too small", "no effect", "no spread", "no gain", "one", "nobody held out"],
)
def test_measurable(audience, share, sd, effect, seen, needed, words):
    told = measurable(audience, share, sd, effect)
    assert told.seen is seen
    assert told.share_needed == pytest.approx(needed, abs=1e-4, nan_ok=True)
    assert pd.Series([told.words]).str.contains(words).all(), told.words
    assert told.share_to_hold_out == (share if math.isnan(needed) else max(share, told.share_needed))
    assert told.held_out + told.contacted == audience


def test_nobody_on_the_list():
    told = measurable(0, 0.2, 50.0, 5.0)
    assert (told.held_out, told.contacted, told.seen) == (0, 0, False)
    assert "too small" in told.words


@settings(max_examples=60, deadline=None)
@given(audience=st.integers(2, 50_000), effect=st.floats(0.1, 20), sd=st.floats(1, 200), power=st.floats(0.5, 0.95))
def test_the_share_needed_shows_and_one_customer_fewer_does_not(audience, effect, sd, power):
    needed = share_needed(audience, sd, effect, power)
    if math.isnan(needed):
        assert power_of(audience, effect, sd, (audience // 2) / audience) < power
        return
    held_out = round(needed * audience)
    assert 1 <= held_out <= audience / 2
    assert power_of(audience, effect, sd, needed) >= power
    assert power_of(audience, effect, sd, (held_out - 1) / audience) < power
    assert hold_out(MANY[: min(audience, 500)], "list", needed).sum() >= math.floor(needed * min(audience, 500))
