"""How long does it take to assign actions to customers, in how much memory, and how much may be missing?

    python benchmarks/assignment.py [--customers 1000000] [--programmes 5]

Customers are simulated: each may get each programme by call or by mail; gains are skewed, costs differ, and there is
a budget over all, for two programmes, sizes for the others and capacities for both channels. Seconds depend on the
machine; the gap (no choice within the limits brings more than value / (1 - gap)) and the memory are the result.
"""

import argparse
import resource
import time

import numpy as np
import pandas as pd
from rich.console import Console

from crm.scoring.assignment import EXACT_BELOW, Limits, assign
from crm.scoring.prices import prices_in_words

CHANNELS = ("call", "mail")
COSTS = (4.0, 0.9)
GAINS = (1.6, 1.0)


def simulated_options(customers: int, programmes: int, *, seed: int = 0, whole: bool = False) -> pd.DataFrame:
    """One row per customer, programme and channel. whole: gains in whole units, so that many tie."""
    rng = np.random.default_rng(seed)
    kinds = programmes * len(CHANNELS)
    worth = rng.gamma(1.0, 40.0, customers)
    gain = worth[:, None, None] * rng.beta(1, 6, (customers, programmes, 1)) * np.array(GAINS)
    gain *= rng.uniform(0.5, 1.5, gain.shape)
    cost = np.array(COSTS) * (1 if whole else rng.uniform(0.8, 1.3, gain.shape))
    customer = pd.Series([f"C{number:08d}" for number in range(customers)], dtype="str")
    programme = pd.Categorical.from_codes(np.arange(programmes), categories=names(programmes))
    options = pd.DataFrame(
        {
            "customer_id": customer.take(np.repeat(np.arange(customers), kinds)).reset_index(drop=True),
            "programme": programme.take(np.tile(np.repeat(np.arange(programmes), len(CHANNELS)), customers)),
            "channel": pd.Categorical.from_codes(np.tile([0, 1], customers * programmes), categories=list(CHANNELS)),
        }
    )
    options["gain"] = (np.ceil(gain) if whole else gain).reshape(-1)
    options["cost"] = np.round(np.broadcast_to(cost, gain.shape), 2).reshape(-1)
    return options


def names(programmes: int) -> list[str]:
    """Programmes, in their order."""
    return [f"programme {number}" for number in range(programmes)]


def usual_limits(customers: int, programmes: int) -> Limits:
    """Limits most of which bind."""
    named = names(programmes)
    return Limits(
        budget=0.35 * customers,
        budgets=dict.fromkeys(named[:2], 0.08 * customers),
        sizes=dict.fromkeys(named[2:], int(0.05 * customers)),
        capacities={"call": int(0.03 * customers), "mail": int(0.3 * customers)},
    )


def main() -> None:
    """Simulate, assign, and show time, memory, gap and prices."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--customers", type=int, default=1_000_000)
    options.add_argument("--programmes", type=int, default=5)
    options.add_argument("--whole", action="store_true", help="gains in whole units, so that many tie")
    options.add_argument("--exact-below", type=int, default=EXACT_BELOW)
    chosen = options.parse_args()
    say = Console().print
    frame = simulated_options(chosen.customers, chosen.programmes, whole=chosen.whole)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    alone = frame.memory_usage().sum() / 1e9
    say(f"{len(frame):,} options; {before:.2f} GB with their simulation, {alone:.2f} GB alone")
    limits = usual_limits(chosen.customers, chosen.programmes)
    begun, used = time.monotonic(), time.process_time()
    found = assign(frame, limits, exact_below=chosen.exact_below)
    taken, used = time.monotonic() - begun, time.process_time() - used
    say(
        f"{chosen.customers:,} customers x {chosen.programmes} x {len(CHANNELS)}: {taken:.1f} s ({used:.1f} s of CPU)"
    )
    say(f"{found.method}: {len(found.chosen):,} actions worth {found.value:,.0f}; gap {found.gap:.6%}")
    say(f"at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")
    for price in prices_in_words(found.prices, "EUR"):
        say(price.sentence)


if __name__ == "__main__":
    main()
