"""What a rollup saves: a snapshot of Complete Journey from kept rollups, against rolling up its lines each time.

Run with `make bench`. Seconds depend on the machine; the ratio, measured in one run, is the result.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from crm.config import read_settings
from crm.engine import to_pandas
from crm.facts import Facts, read_facts
from crm.features import customer_features
from crm.mart import Mart, open_mart, roll_up

ROOT = Path(__file__).resolve().parents[1]
REPEATS = 3


def median_seconds(work: Callable[[], object]) -> float:
    """The median of a few repetitions."""
    seconds = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


def from_lines(facts: Facts) -> Mart:
    """A mart without kept rollups: every snapshot reads the order lines."""
    tables = {name: facts[name] for name in facts.tables["table"]}
    return Mart(tables | roll_up(tables))


def main() -> None:
    """Measure both, and say what was found."""
    with tempfile.TemporaryDirectory() as place:
        settings = read_settings(ROOT / "crm.toml")
        folders = settings.folders.model_copy(update={"data": Path(place)})
        facts = read_facts(settings.model_copy(update={"folders": folders}))
        kept = open_mart(facts)
        fast = median_seconds(lambda: to_pandas(customer_features(kept, settings.as_of)))
        slow = median_seconds(lambda: to_pandas(customer_features(from_lines(facts), settings.as_of)))
    Console().print(
        f"snapshot from rollups {fast:.2f} s, from order lines {slow:.2f} s: {slow / fast:.1f} times as fast"
    )


if __name__ == "__main__":
    main()
