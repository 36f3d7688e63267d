"""What a whole run costs on a large company, and what is saved by what is kept: the first run against the same again.

A sample company of 100,000 customers (another number: `python benchmarks/whole_run.py 10_000`) goes through
`crm run` twice, one notebook at a time. The second finds kept what lies back: the facts, the rollups, the snapshots
and what lifetime value expected on earlier dates. Run with `make bench`: it takes some minutes. Seconds depend on the
machine; the ratios, measured in one run, are the result.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
CUSTOMERS = 100_000
CRM_TOML = """\
[source]
kind = "sample_company"
customers = {customers}
seed = 1
[clock]
as_of = 2018-01-01
"""


def whole_run(home: Path) -> tuple[float, dict[str, Any]]:
    """The seconds of one `crm run`, and its receipt."""
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "crm", "run", "--jobs", "1"], cwd=home, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - begun
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return seconds, json.loads((home / "reports" / "latest" / "receipt.json").read_text())


def seconds_by_part(seconds: float, receipt: dict[str, Any]) -> dict[str, tuple[float, float | None]]:
    """Seconds and peak memory (MB) of each notebook, and the seconds of what is done around them."""
    parts = {one["name"]: (one["seconds"], one["peak_memory_mb"]) for one in receipt["notebooks"]}
    around = seconds - sum(spent for spent, _ in parts.values())
    return {"reading, pages, models": (around, None), **parts, "all": (seconds, None)}


def main() -> None:
    """Measure both runs, and say what was found."""
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else CUSTOMERS
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        shutil.copytree(ROOT / "notebooks", home / "notebooks")
        (home / "crm.toml").write_text(CRM_TOML.format(customers=customers))
        first, second = (seconds_by_part(*whole_run(home)) for _ in range(2))
    table = Table("part", "first, s", "again, s", "times as fast", "peak, MB", title=f"{customers:,} customers")
    for name, (spent, memory) in first.items():
        again = second[name][0]
        peak = "" if memory is None else f"{memory:,.0f}"
        table.add_row(name, f"{spent:.1f}", f"{again:.1f}", f"{spent / again:.1f}", peak)
    Console().print(table)


if __name__ == "__main__":
    main()
