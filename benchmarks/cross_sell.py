"""How long does scoring customers for cross-sell take, in how much memory, against XGBoost's prediction alone?

    python benchmarks/cross_sell.py [--customers 1000000] [--items 300]

Customers are simulated, some thousand at a time, as the model scores them; the model is learnt from simulated
customers too. Time per million customers, the most memory of the process, and the ratio to plain XGBoost prediction
on the same pairs: their rows being there, one thread. Seconds depend on the machine; ratio and memory are the result.
"""

import argparse
import datetime as dt
import resource
import time
from collections.abc import Iterator

import numpy as np
import pandas as pd
import xgboost as xgb
from rich.console import Console

from crm.analyses.cross_sell.candidates import BLEND, Seen
from crm.analyses.cross_sell.items import Items
from crm.analyses.cross_sell.learners import Lesson, learn
from crm.analyses.cross_sell.market import read_market
from crm.analyses.cross_sell.model import AT_ONCE, CrossSellModel
from crm.analyses.cross_sell.pairs import COLUMNS, describe
from crm.analyses.cross_sell.panel import NEVER, WINDOWS, Panel
from crm.periods import day_number

AS_OF = dt.date(2018, 1, 1)
SAMPLE = 20_000


def simulated_items(items: int) -> Items:
    """Items with names, departments, prices and margin rates."""
    table = pd.DataFrame({"item": [f"item {number:04d}" for number in range(items)]})
    table["department"] = [f"department {number % 20}" for number in range(items)]
    table["value_of_a_purchase"], table["margin_rate"] = 1.0 + np.arange(items) % 30, 0.25
    return Items("category", table, pd.DataFrame(), 0.0)


def simulated_panel(customers: int, items: int, *, start: int, came: bool = False) -> Panel:
    """Customers who buy about a fifth of the items, by tastes of eight kinds."""
    rng = np.random.default_rng(start)
    kinds = np.random.default_rng(0).gamma(0.5, 1.0, (8, items))
    mean = rng.dirichlet(np.full(8, 0.4), customers) @ kinds * rng.gamma(2.0, 0.4, (customers, 1))
    days = rng.poisson(mean).astype("float32")
    cut, bought = day_number(AS_OF), days > 0
    first = np.where(bought, cut - rng.integers(1, 365, days.shape), NEVER).astype("int32")
    visits = np.maximum(days.sum(axis=1), 1)
    return Panel(
        date=AS_OF,
        customer_ids=np.asarray([f"C{start + number:08d}" for number in range(customers)], dtype=object),
        days=days,
        recent={window: rng.binomial(days.astype("int64"), window / 365).astype("float32") for window in WINDOWS},
        first=first,
        last=np.where(bought, first, -1).astype("int32"),
        net_sales=days * 5,
        visits={window: np.minimum(visits, window) for window in (*WINDOWS, 182)},
        before=visits,
        visited=np.full(customers, cut - 5.0),
        spent=visits * 20.0,
        lines=visits,
        came=rng.random(days.shape) < 1 - np.exp(-0.15 * mean) if came else None,
    )


def panels(customers: int, items: int, spent: list[float]) -> Iterator[Panel]:
    """All customers, as many at once as the model takes; the seconds that simulating takes are not the model's."""
    for start in range(0, customers, AT_ONCE):
        begun = time.monotonic()
        panel = simulated_panel(min(AT_ONCE, customers - start), items, start=SAMPLE + start)
        spent.append(time.monotonic() - begun)
        yield panel


def main() -> None:
    """Learn, score, and show time, memory and ratio."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--customers", type=int, default=1_000_000)
    options.add_argument("--items", type=int, default=300)
    chosen = options.parse_args()
    say = Console().print
    items = simulated_items(chosen.items)
    sample = simulated_panel(SAMPLE, chosen.items, start=0, came=True)
    market = read_market(sample, items)
    learners = learn([Lesson(sample.take(np.arange(5_000)), market)], days=56, seed=1)
    model = CrossSellModel(AS_OF, 56, "category", chosen.items, BLEND, learners, 1)
    say(f"learnt from {learners.pairs:,} pairs; {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")
    simulating: list[float] = []
    begun = time.monotonic()
    scored = model.score_panels(Seen(items, sample, market), panels(chosen.customers, chosen.items, simulating))
    taken = time.monotonic() - begun - sum(simulating)
    some = simulated_panel(AT_ONCE, chosen.items, start=SAMPLE)
    rows = describe(some, market, some.candidates)
    begun = time.monotonic()
    matrix = xgb.DMatrix(rows, feature_names=list(COLUMNS), nthread=1)
    for bag in learners.trees:
        bag.predict(matrix, output_margin=True)
    plain = (time.monotonic() - begun) / AT_ONCE
    say(f"{scored.customers:,} customers x {chosen.items} items: {taken:.1f} s")
    times = taken / scored.customers / plain
    say(f"{1e6 * taken / scored.customers:,.0f} s per million; {times:.1f} times plain prediction on the same pairs")
    say(f"at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
