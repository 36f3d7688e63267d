"""The parameters a notebook ran with, as its reader may want to know them."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Parameter:
    """One value a notebook could be run with, and what it means."""

    name: str
    value: str
    meaning: str = ""


def parameters_of(cells: Sequence[Any]) -> list[Parameter]:
    """The parameters of a notebook: those of the cell tagged `parameters`, overridden by `injected-parameters`."""
    found: dict[str, Parameter] = {}
    for tag in ("parameters", "injected-parameters"):
        for cell in cells:
            if tag in cell.metadata.get("tags", ()):
                for parameter in _assigned(cell.source):
                    known = found.get(parameter.name, parameter)
                    found[parameter.name] = replace(known, value=parameter.value)
    return list(found.values())


def _assigned(source: str) -> list[Parameter]:
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        return []
    lines = source.splitlines()
    return [
        Parameter(target.id, ast.unparse(statement.value), _comment(lines[(statement.end_lineno or 1) - 1]))
        for statement in statements
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None
        for target in (statement.targets if isinstance(statement, ast.Assign) else [statement.target])
        if isinstance(target, ast.Name)
    ]


def _comment(line: str) -> str:
    return line.partition("#")[2].strip()
