"""How long does scoring ten million customers take, in how much memory, of everything a score says?

    python benchmarks/lifetime_value.py [--customers 10000000] [--learnt-from 20000] [--others 50000]

A sample company is valued as a run values it; the model that ships then scores, in a process of its own, the
customers of another one, drawn again and again under new names, 20,000 at a time, and each part is written to a
Parquet file as it comes. Every score is whole: the blend, the interval, the median, the chance to be there. Ratio: to
the blend's expectation alone, without interval and chances, of the same customers. Seconds depend on the machine;
memory and ratio are the result.
"""

import argparse
import datetime as dt
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

from crm.analyses.lifetime_value import LifetimeModel, value_customers
from crm.config import read_settings
from crm.facts import Facts, read_facts
from crm.snapshots import AT_ONCE, snapshot_in_parts

AS_OF = dt.date(2018, 1, 1)
CRM_TOML = """\
[source]
kind = "sample_company"
customers = {customers}
seed = {seed}
[clock]
as_of = 2018-01-01
"""


def company(customers: int, seed: int, home: Path) -> Facts:
    """The facts of a sample company."""
    (home / "notebooks").mkdir(parents=True)
    (home / "crm.toml").write_text(CRM_TOML.format(customers=customers, seed=seed))
    return read_facts(read_settings(home / "crm.toml"))


def drawn_again(known: pd.DataFrame, customers: int, spent: list[float]) -> Iterator[pd.DataFrame]:
    """So many customers, some thousand at a time; the seconds that drawing takes are not the model's."""
    rng = np.random.default_rng(1)
    for start in range(0, customers, AT_ONCE):
        begun = time.monotonic()
        size = min(AT_ONCE, customers - start)
        part = known.iloc[rng.integers(0, len(known), size)].reset_index(drop=True)
        part["customer_id"] = [f"N{start + number:08d}" for number in range(size)]
        spent.append(time.monotonic() - begun)
        yield part


def scored(record: dict[str, Any], known: Path, customers: int) -> tuple[float, float, float, float]:
    """Seconds of scoring all of them, and of the expectation alone; their expected value; the most memory in GB."""
    model, drawing = LifetimeModel.from_record(record), list[float]()
    frame, to = pd.read_parquet(known), known.with_name("scores.parquet")
    begun, total, file = time.monotonic(), 0.0, None
    for part in model.score_in_parts(drawn_again(frame, customers, drawing)):
        table = pa.Table.from_pandas(part, preserve_index=False)
        file = file or pq.ParquetWriter(to, table.schema)
        file.write_table(table)
        total += float(part["expected_value"].sum())
    if file:
        file.close()
    taken = time.monotonic() - begun - sum(drawing)
    some = next(drawn_again(frame, min(customers, AT_ONCE), []))
    begun = time.monotonic()
    model.expect(some)
    plain = (time.monotonic() - begun) / len(some) * customers
    if pq.read_metadata(to).num_rows != customers:
        raise SystemExit("not everybody was scored")
    return taken, plain, total, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    """Learn, score, and show time, memory and ratio."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--customers", type=int, default=10_000_000)
    options.add_argument("--learnt-from", type=int, default=20_000)
    options.add_argument("--others", type=int, default=50_000)
    chosen = options.parse_args()
    say = Console().print
    with tempfile.TemporaryDirectory() as place:
        model = value_customers(company(chosen.learnt_from, 1, Path(place) / "one"), AS_OF).model
        known = Path(place) / "snapshot.parquet"
        others = company(chosen.others, 2, Path(place) / "other")
        parts = snapshot_in_parts(others, AS_OF, columns=model.reads, at_once=chosen.others)
        next(parts).to_parquet(known, index=False)
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
            taken, plain, total, memory = process.submit(scored, model.as_record(), known, chosen.customers).result()
    say(f"{chosen.customers:,} customers scored whole, 20,000 at a time, in {taken:,.0f} s: {total:,.0f} expected")
    say(f"{1e6 * taken / chosen.customers:,.0f} s per million; {taken / plain:.1f} times the expectation alone")
    say(f"at most {memory:.2f} GB")


if __name__ == "__main__":
    main()
