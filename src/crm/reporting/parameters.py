"""The parameters a notebook ran with, as its reader may want to know them."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

_FOLDERS = re.compile(r"""(?<=['"])(?:/|[A-Za-z]:[/\\])[^'"\n]*[/\\](?=[^'"\n]+['"])""")


@dataclass(frozen=True)
class Parameter:
    """One value a notebook could be run with, and what it means."""

    name: str
    value: str
    meaning: str = ""


def parameters_of(cells: Sequence[Any]) -> list[Parameter]:
    """The parameters of a notebook: those of the cell tagged `parameters`, overridden by `injected-parameters`.

    Of a file only its name is told: where it lies on the machine that ran it is nobody's business who reads a page.
    """
    found: dict[str, Parameter] = {}
    for tag in ("parameters", "injected-parameters"):
        for cell in cells:
            if tag in cell.metadata.get("tags", ()):
                for parameter in _assigned(cell.source):
                    known = found.get(parameter.name, parameter)
                    found[parameter.name] = replace(known, value=without_folders(parameter.value))
    return list(found.values())


def without_folders(source: str) -> str:
    """Code in which of every absolute path in quotes only the last name is left."""
    return _FOLDERS.sub("", source)


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
