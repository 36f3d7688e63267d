"""How much quicker is a purchase model fitted to customers grouped by their history? How many can be scored at once?

    python benchmarks/purchase_models.py [--customers 1000000] [--scored 10000000]

BG/NBD by the package's own fitter on a row per customer, against ours on groups, in one run on the same customers;
then MBG/CNBD-k fitted to them, and ten million customers scored for a year, with the most memory that took.
Customers are simulated. Seconds depend on the machine; the ratio and the memory are the result.
"""

import argparse
import multiprocessing
import resource
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from rich.console import Console

from crm.purchase_models.fitting import fit_purchase_model, model_from_record
from crm.purchase_models.histories import Histories

TWO_YEARS = 730
DAYS = 365.0


def simulated(customers: int, seed: int) -> Histories:
    """Whole days; customers joined evenly over two years, bought at random, and left after some purchase."""
    rng = np.random.default_rng(seed)
    rate, leaves = rng.gamma(0.5, 1 / 30, customers), rng.beta(0.9, 2.0, customers)
    known = rng.integers(1, TWO_YEARS + 1, customers)
    frequency, recency, log_gaps = np.zeros(customers, dtype="int64"), np.zeros(customers), np.zeros(customers)
    time_passed = np.zeros(customers)
    going = np.arange(customers)
    while len(going):
        going = going[rng.random(len(going)) >= leaves[going]]
        gap = np.ceil(rng.exponential(1 / np.maximum(rate[going], 1e-9)))
        time_passed[going] += gap
        bought = time_passed[going] <= known[going]
        going = going[bought]
        frequency[going] += 1
        recency[going] = time_passed[going]
        log_gaps[going] += np.log(gap[bought])
    return Histories(frequency, recency, known.astype("float64"), log_gaps / np.maximum(frequency, 1))


def seconds(work: Callable[[], object]) -> tuple[float, object]:
    """How long it takes, and what came of it."""
    start = time.monotonic()
    found = work()
    return time.monotonic() - start, found


def fitted_by_rows(histories: Histories) -> tuple[float, float]:
    """Seconds and log-likelihood in days of the package's fitter on a row per customer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifetimes import BetaGeoFitter

        fitter = BetaGeoFitter()
        taken, _ = seconds(lambda: fitter.fit(histories.frequency, histories.recency, histories.T))
    in_days = -fitter._negative_log_likelihood_ * len(histories) + histories.frequency.sum() * np.log(fitter._scale)
    return taken, float(in_days)


def scored(customers: int, record: dict) -> tuple[float, float, float]:
    """Seconds to score them for a year, the sum of what is expected, and the most memory, in GB, of the process."""
    model = model_from_record(record)
    parts = [simulated(min(1_000_000, customers - start), start) for start in range(0, customers, 1_000_000)]
    columns = (np.concatenate([getattr(part, name) for part in parts]) for name in Histories.__dataclass_fields__)
    everybody = Histories(*columns)
    del parts
    taken, expected = seconds(lambda: model.expected_purchases(everybody, DAYS))
    return taken, float(np.sum(expected)), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    """Fit both ways, score, and show the ratio and the memory."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--customers", type=int, default=1_000_000)
    options.add_argument("--scored", type=int, default=10_000_000)
    chosen = options.parse_args()
    say = Console().print
    histories = simulated(chosen.customers, seed=1)
    fit_purchase_model("BG/NBD", simulated(1000, seed=2).grouped())  # imports what both need
    grouping, groups = seconds(histories.grouped)
    fitting, fit = seconds(lambda: fit_purchase_model("BG/NBD", groups))
    by_rows, by_rows_likelihood = fitted_by_rows(histories)
    off = abs(fit.model.log_likelihood / by_rows_likelihood - 1)
    say(f"{chosen.customers:,} customers, {len(groups):,} groups; BG/NBD on rows {by_rows:.1f} s")
    say(f"grouping {grouping:.2f} s and fitting {fitting:.2f} s: {by_rows / (grouping + fitting):.1f} times as fast")
    say(f"log-likelihoods differ by {off:.1e} of themselves")
    taken, regular = seconds(lambda: fit_purchase_model("MBG/CNBD-k", groups))
    say(f"MBG/CNBD-k {taken:.2f} s: {dict(regular.model.parameters)}")
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        record = regular.model.as_record()
        taken, expected, memory = process.submit(scored, chosen.scored, record).result()
    say(
        f"{chosen.scored:,} customers scored in {taken:.1f} s, {expected:,.0f} purchase days; at most {memory:.2f} GB"
    )


if __name__ == "__main__":
    main()
