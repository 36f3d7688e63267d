"""Parameters of a notebook: typed scalars, each with a comment, checked before anything is executed.

A notebook declares them in the one cell tagged `parameters`:

    as_of: str = ""  # first day not known; empty: the date in crm.toml
"""

from __future__ import annotations

import ast
import difflib
import io
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass

from crm.errors import ParameterError

Scalar = str | int | float | bool
TYPES: dict[str, type[Scalar]] = {"str": str, "int": int, "float": float, "bool": bool}


@dataclass(frozen=True)
class Parameter:
    """One declared parameter: its name, type (str, int, float or bool), default and comment."""

    name: str
    type: str
    default: Scalar
    comment: str


def read_parameters(source: str, *, notebook: str) -> tuple[Parameter, ...]:
    """The parameters that a `parameters` cell declares.

    Raises ParameterError for anything but annotated scalar assignments, each with a comment on its line.
    """
    try:
        statements = ast.parse(source).body
        comments = _comments(source)
    except (SyntaxError, tokenize.TokenError) as error:
        raise _refusal(notebook, f"its parameters cell does not parse ({error})") from None
    parameters = tuple(_parameter(statement, comments=comments, notebook=notebook) for statement in statements)
    names = [parameter.name for parameter in parameters]
    for name in names:
        if names.count(name) > 1:
            raise _refusal(notebook, f"{name} is declared {names.count(name)} times")
    return parameters


def check_given(given: Mapping[str, Scalar], *, declared: tuple[Parameter, ...], notebook: str) -> dict[str, Scalar]:
    """The values a notebook is executed with: what is given must be declared, and be of the declared type.

    Raises ParameterError, with the nearest known name of an unknown one.
    """
    known = {parameter.name: parameter for parameter in declared}
    for name, value in given.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f", the nearest it has is {near[0]}" if near else f", it has {', '.join(known) or 'none'}"
            raise _refusal(notebook, f"it has no parameter {name}{hint}")
        if not _is_of_type(value, known[name].type):
            raise _refusal(notebook, f"{name} is declared {known[name].type}, given {value!r}")
    return dict(given)


def _parameter(statement: ast.stmt, *, comments: Mapping[int, str], notebook: str) -> Parameter:
    place = f"line {statement.lineno} of its parameters cell"
    if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
        raise _refusal(notebook, f"{place} is `{ast.unparse(statement)}`")
    name, annotation = statement.target.id, ast.unparse(statement.annotation)
    if annotation not in TYPES:
        raise _refusal(notebook, f"{name} is declared {annotation}")
    if statement.value is None:
        raise _refusal(notebook, f"{name} has no default")
    try:
        default = ast.literal_eval(statement.value)
    except ValueError:
        raise _refusal(notebook, f"the default of {name} is `{ast.unparse(statement.value)}`") from None
    if not _is_of_type(default, annotation):
        raise _refusal(notebook, f"{name} is declared {annotation}, its default is {default!r}")
    comment = comments.get(statement.end_lineno or statement.lineno, "")
    if not comment:
        raise _refusal(notebook, f"{name} has no comment on its line")
    return Parameter(name, annotation, default, comment)


def _comments(source: str) -> dict[int, str]:
    """The comment of each line that has one."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0]: token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT}


def _is_of_type(value: object, name: str) -> bool:
    """A whole number may stand for a float; True is no number."""
    if name == "float":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is TYPES[name]


def _refusal(notebook: str, found: str) -> ParameterError:
    return ParameterError(
        f"Each parameter of {notebook} must be a typed scalar with a comment, `name: type = default  # what it is`.",
        found=found,
        do="Mend the notebook; nothing was started.",
    )
