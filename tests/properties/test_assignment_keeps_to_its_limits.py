"""No assignment breaks a limit, none is worse than it says, and the exact one is what trying everything finds."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.scoring.assignment import Limits, assign
from crm.scoring.assignment.integer_programme import narrow_down
from crm.scoring.assignment.lagrange import bound_at, decide_at
from crm.scoring.assignment.reading import read_options
from crm.scoring.assignment.room import fill_room, take_back
from crm.scoring.assignment.task import Found, value_of

PROGRAMMES, CHANNELS = ("retain", "thank", "win back"), ("call", "mail")
KINDS = list(itertools.product(PROGRAMMES, CHANNELS))

cents = st.integers(0, 4_000).map(lambda amount: amount / 100)
few = st.none() | st.integers(0, 4)
money = st.none() | st.integers(0, 6_000).map(lambda amount: amount / 100)


@st.composite
def small_options(draw, customers=4, options=9):
    """A few customers with a few options each; some do not pay, some tie, of some the gain is not known."""
    whom = st.tuples(st.integers(1, customers), st.sampled_from(KINDS))
    who = draw(st.lists(whom, max_size=options, unique=True))
    gains = st.one_of(cents, st.sampled_from([math.nan, 10.0, 20.0]))
    costs = st.one_of(cents, st.sampled_from([0.0, 5.0]))
    rows = [(f"C{customer}", *kind, draw(gains), draw(costs)) for customer, kind in who]
    frame = pd.DataFrame(rows, columns=["customer_id", "programme", "channel", "gain", "cost"])
    return frame.astype({"gain": "float64", "cost": "float64"})


some_limits = st.builds(
    Limits,
    budget=money,
    budgets=st.dictionaries(st.sampled_from(PROGRAMMES), money, max_size=2),
    sizes=st.dictionaries(st.sampled_from([*PROGRAMMES, "nobody has it"]), few, max_size=2),
    capacities=st.dictionaries(st.sampled_from(CHANNELS), few, max_size=2),
)


def kept(chosen, limits):
    """Every limit, added up in cents."""

    def within(rows, most):
        return most is None or round(100 * rows["cost"]).sum() <= round(100 * most)

    return (
        within(chosen, limits.budget)
        and all(within(chosen[chosen["programme"] == of], most) for of, most in limits.budgets.items())
        and all(most is None or (chosen["programme"] == of).sum() <= most for of, most in limits.sizes.items())
        and all(most is None or (chosen["channel"] == of).sum() <= most for of, most in limits.capacities.items())
    )


def best_of_all(options, limits):
    """By trying everything: nobody or one option for each customer."""
    pays = options[options["gain"] > options["cost"]]
    choices = [[None, *group.index] for _, group in pays.groupby("customer_id")]
    tried = (pays.loc[[one for one in rows if one is not None]] for rows in itertools.product(*choices))
    return max(float((rows["gain"] - rows["cost"]).sum()) for rows in tried if kept(rows, limits))


def assert_sound(found, options, limits):
    assert kept(found.chosen, limits)
    assert found.chosen["customer_id"].is_unique
    assert (found.chosen["net"] > 0).all()
    assert found.value <= found.bound
    assert found.value == pytest.approx(found.bound * (1 - found.gap), abs=1e-9)
    assert len(found.chosen) + found.left_out["options"].sum() == len(options)
    assert (found.prices["used"] <= found.prices["most"] + 1e-9).all()
    given = options.set_index(["customer_id", "programme", "channel"])[["gain", "cost"]]
    taken = found.chosen.set_index(["customer_id", "programme", "channel"])[["gain", "cost"]]
    pd.testing.assert_frame_equal(taken, given.loc[taken.index], check_index_type=False)


@settings(max_examples=120, deadline=None)
@given(options=small_options(), limits=some_limits)
def test_equals_trying_everything(options, limits):
    found = assign(options, limits)
    assert_sound(found, options, limits)
    assert found.method == "exact"
    assert found.value == pytest.approx(best_of_all(options, limits), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(options=small_options(customers=12, options=40), limits=some_limits)
def test_prices_keep_the_limits_and_their_word(options, limits):
    exact, priced = assign(options, limits), assign(options, limits, exact_below=0)
    assert_sound(priced, options, limits)
    assert priced.value <= exact.value + 1e-9 <= priced.bound + 2e-9


@settings(max_examples=25, deadline=None)
@given(options=small_options(customers=8, options=24), limits=some_limits, seed=st.integers(0, 99))
def test_the_order_of_rows_does_not_matter(options, limits, seed):
    mixed = options.sample(frac=1, random_state=seed)
    for below in (0, 1_000):
        one, other = (assign(frame, limits, exact_below=below) for frame in (options, mixed))
        pd.testing.assert_frame_equal(one.chosen, other.chosen)
        pd.testing.assert_frame_equal(one.prices, other.prices)


@settings(max_examples=25, deadline=None)
@given(options=small_options(customers=8, options=24), limits=some_limits, more=st.integers(1, 50))
def test_raising_a_limit_brings_no_more_than_its_price(options, limits, more):
    before = assign(options, limits, exact_below=0)
    for row in before.prices.itertuples():
        raised = assign(options, raise_one(limits, row, more))
        assert raised.value <= before.bound + row.price * more + 1e-6 * (1 + before.bound)


def raise_one(limits, row, more):
    if row.limit == "budget":
        return Limits(limits.budget + more, limits.budgets, limits.sizes, limits.capacities)
    parts = {"programme budget": "budgets", "programme size": "sizes", "channel capacity": "capacities"}
    changed = {name: dict(getattr(limits, name)) for name in parts.values()}
    changed[parts[row.limit]][row.of] += more
    return Limits(limits.budget, **changed)


def test_whatever_the_prices_no_limit_is_broken():
    """Six hundred cases of up to sixty customers, at prices drawn at random."""
    rng = np.random.default_rng(8)
    for _ in range(600):
        options, limits = drawn_case(rng)
        task, _ = read_options(options, limits)
        prices = rng.exponential(rng.choice([0, 1, 10]), len(task.most))
        taken = take_back(task, prices, decide_at(task, prices))
        picked = fill_room(task, prices, taken)
        rows = picked[picked >= 0]
        assert kept(options.iloc[task.positions[rows]], limits)
        assert (picked >= 0).sum() >= (taken >= 0).sum()
        assert task.net[rows].sum() <= bound_at(task, prices)[0] * (1 + 1e-9) + 1e-9


def test_what_prices_rule_out_is_in_no_better_choice():
    """From any prices and any choice, what is left open contains the best: forty cases against the whole solved."""
    rng = np.random.default_rng(10)
    for _ in range(40):
        options, limits = drawn_case(rng)
        task, _ = read_options(options, limits)
        prices = rng.exponential(rng.choice([0, 1]), len(task.most))
        poor = fill_room(task, prices, np.full(task.customers, -1))
        if len(task.net):
            found = Found(poor, bound_at(task, prices)[0], "by prices", prices)
            best = narrow_down(task, found)
            assert best.method == "exact"
            assert best.bound == pytest.approx(assign(options, limits).value, abs=1e-6)
            assert value_of(task, best.picked) == pytest.approx(best.bound, abs=1e-6)


def test_forty_cases_by_prices():
    rng = np.random.default_rng(9)
    for _ in range(40):
        options, limits = drawn_case(rng)
        assert_sound(assign(options, limits, exact_below=0), options, limits)


def drawn_case(rng):
    customers = int(rng.integers(1, 60))
    who, kind = np.nonzero(rng.random((customers, len(KINDS))) < rng.uniform(0.1, 1))
    digits = int(rng.integers(0, 3))
    options = pd.DataFrame({"customer_id": [f"C{one:03d}" for one in who]}, dtype="str")
    options["programme"], options["channel"] = [KINDS[one][0] for one in kind], [KINDS[one][1] for one in kind]
    options["gain"] = np.round(rng.gamma(1, 10, len(kind)), digits)
    options["cost"] = np.round(rng.gamma(2, 1, len(kind)), digits)

    def some(names, most):
        return {name: float(rng.integers(0, most)) for name in names if rng.random() < 0.5}

    budget = float(rng.integers(0, customers * 2)) if rng.random() < 0.5 else None
    return options, Limits(
        budget, some(PROGRAMMES, customers), some(PROGRAMMES, customers), some(CHANNELS, customers)
    )
