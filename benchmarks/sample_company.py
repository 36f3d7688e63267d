"""How quickly is a sample company made, against merely writing as many random rows to Parquet?

    python benchmarks/sample_company.py [--customers 100000] [--rounds 3]

Both are timed in turn on the same machine in the same run, so that their ratio means something elsewhere too. The
company is all thirteen tables with its truth; the random rows are ten columns of the same types, in parts as large.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

from crm.sources.sample_company import write_sample_company


def write_random_rows(folder: Path, sizes: list[int]) -> None:
    """Parts of these sizes: three numbered texts, two short texts, a moment, a whole number, three amounts."""
    rng = np.random.default_rng(1)
    folder.mkdir()
    for part, rows in enumerate(sizes):
        texts = {
            name: pa.DictionaryArray.from_arrays(
                rng.integers(0, size, rows, dtype=np.int32), pa.array([f"{name}{n:08d}" for n in range(size)])
            )
            for name, size in (
                ("customer", 20_000),
                ("order", rows // 3),
                ("product", 1000),
                ("channel", 3),
                ("s", 40),
            )
        }
        numbers = {
            "at": pa.array(rng.integers(0, 63_072_000, rows) * 1_000_000, pa.timestamp("us")),
            "quantity": rng.integers(1, 9, rows),
            **{name: np.round(rng.random(rows) * 50, 2) for name in ("net", "discount", "coupon")},
        }
        pq.write_table(pa.table({**texts, **numbers}), folder / f"part-{part:05d}.parquet", store_schema=False)


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.monotonic()
    work()
    return time.monotonic() - start


def main() -> None:
    """Time both and show lines per second and the ratio."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--customers", type=int, default=100_000)
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    console = Console()
    made, written = [], []
    for number in range(chosen.rounds):
        folder = Path(tempfile.mkdtemp(prefix="sample-company-"))
        try:
            company = folder / "company"
            made.append(seconds(lambda at=company: write_sample_company(at, customers=chosen.customers, seed=1)))
            sizes = [pq.read_metadata(file).num_rows for file in sorted((company / "purchases").iterdir())]
            written.append(seconds(lambda at=folder / "random", n=sizes: write_random_rows(at, n)))
            size = sum(file.stat().st_size for file in company.rglob("*.parquet"))
        finally:
            shutil.rmtree(folder)
        lines = sum(sizes)
        console.print(
            f"round {number + 1}: {lines:,} purchase lines, {size / 1e6:,.0f} MB; company {made[-1]:.2f} s, "
            f"random rows {written[-1]:.2f} s"
        )
    company_rate, random_rate = (lines / statistics.median(times) for times in (made, written))
    console.print(
        f"sample company: {company_rate:,.0f} purchase lines a second; random rows: {random_rate:,.0f}; "
        f"the company takes {random_rate / company_rate:.2f} times as long"
    )


if __name__ == "__main__":
    main()
