"""What an independent library says of random lists: the numbers that our measures of recommendations must give too.

    python tools/judged_by_ranx.py

Writes tests/unit/measures/judged_by_ranx.json. It needs the package ranx, which the project itself does not: install
it beside, in an environment of its own. The numbers change only with the cases below.
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from ranx import Qrels, Run, evaluate

PLACE = Path(__file__).resolve().parents[1] / "tests" / "unit" / "measures" / "judged_by_ranx.json"
CASES, ITEMS = 200, 25
MEASURES = {"hit_rate_5": "hit_rate@5", "map_5": "map@5", "ndcg_5": "ndcg@5", "recall_10": "recall@10"}


def main() -> None:
    """Draw lists of items in some order and what of them was bought, and let ranx judge each."""
    rng = np.random.default_rng(20)
    cases = [
        {
            "order": rng.permutation(ITEMS).tolist(),
            "relevant": sorted(rng.choice(ITEMS, rng.integers(1, 13), replace=False).tolist()),
        }
        for _ in range(CASES)
    ]
    named = {f"{number:03d}": case for number, case in enumerate(cases)}
    bought = {name: {str(item): 1 for item in case["relevant"]} for name, case in named.items()}
    listed = {
        name: {str(item): float(ITEMS - place) for place, item in enumerate(case["order"])}
        for name, case in named.items()
    }
    found = evaluate(Qrels(bought), Run(listed), list(MEASURES.values()), return_mean=False)
    for name, theirs in MEASURES.items():
        for case, value in zip(cases, found[theirs], strict=True):
            case[name] = round(float(value), 12)
    lines = ",\n".join(json.dumps(case) for case in cases)
    PLACE.write_text(f'{{"library": "ranx {version("ranx")}", "cases": [\n{lines}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
