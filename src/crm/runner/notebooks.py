"""The report notebooks: which there are, what they ask for, in which order they can be executed.

A report is `notebooks/NN_name.ipynb`, NN two digits; other notebooks are no reports. A notebook that reads the score
file of another says so in its metadata: `"crm": {"needs": ["03_lifetime_value"]}`; `"after"` in place of `"needs"`
if it says more with those scores and does without them where there are none.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

from crm.errors import ParameterError, RequestError
from crm.runner.formats import nbformat
from crm.runner.parameters import Parameter, read_parameters

REQUIRED = {
    "config": "the settings file",
    "as_of": "first day not known; empty: the date in crm.toml",
    "run_folder": "set by the runner; empty: a draft, nothing is published",
}


@dataclass(frozen=True)
class Notebook:
    """A report notebook that may be executed: it parses, and its parameters are declared.

    title: its heading.   needs: the notebooks whose score files it reads.   code_cells: how many it has.
    after: the notebooks whose score files it reads if they are there.
    sha256: of the file, so that a page is not reused after its notebook has changed.
    """

    name: str
    path: Path
    title: str
    needs: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    code_cells: int
    sha256: str
    after: tuple[str, ...] = ()


def notebook_paths(folder: Path) -> dict[str, Path]:
    """The report notebooks in a folder by name, in the order of their numbers. Raises RequestError if none."""
    paths = {path.stem: path for path in sorted(folder.glob("*.ipynb")) if re.match(r"\d\d_", path.name)}
    if not paths:
        raise RequestError(
            "There must be a report notebook, named with two digits first, such as 02_segmentation.ipynb.",
            found=f"none in {folder}",
            do="Look at [folders] notebooks in crm.toml.",
        )
    return paths


def select(known: Iterable[str], only: Sequence[str] | None) -> list[str]:
    """The notebooks asked for by name, in the order of their numbers; None asks for all. Raises RequestError."""
    known = list(known)
    if only is None:
        return known
    if not only:
        raise RequestError("--only must name a notebook.", found="none", do=f"Known are {', '.join(known)}.")
    for name in only:
        if name not in known:
            raise RequestError(
                "--only must name report notebooks.",
                found=f"{name!r}{nearest(name, known)}",
                do=f"Known are {', '.join(known)}.",
            )
        if only.count(name) > 1:
            raise RequestError(
                "--only must name each notebook once.",
                found=f"{name} {only.count(name)} times",
                do="Name it once.",
            )
    return [name for name in known if name in only]


def nearest(name: str, known: Iterable[str]) -> str:
    """The nearest known name, as the end of a message; empty if none is near."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.4) or [n for n in names if name and name in n][:1]
    return f", the nearest known name is {near[0]}" if near else ""


def read_notebook(path: Path) -> Notebook:
    """Read and check one notebook. Raises RequestError, or ParameterError for its parameters."""
    content = _content(path)
    cells = [cell for cell in content.cells if cell.cell_type == "code"]
    _refuse_syntax_errors(cells, notebook=path.stem)
    return Notebook(
        name=path.stem,
        path=path,
        title=_title(content.cells) or path.stem,
        needs=_named(content.metadata, "needs", notebook=path.stem),
        after=_named(content.metadata, "after", notebook=path.stem),
        parameters=_parameters(cells, notebook=path.stem),
        code_cells=len(cells),
        sha256=hash_of(path),
    )


def hash_of(path: Path) -> str:
    """SHA-256 of a notebook's file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def refuse_impossible_needs(needs: Mapping[str, Sequence[str]]) -> None:
    """Refuse needs that name no notebook, or that go round in a circle. Raises RequestError."""
    for name, wanted in needs.items():
        for other in wanted:
            if other not in needs:
                raise _bad_needs(name, f"{other!r}{nearest(other, needs)}")
    waiting = {name: set(wanted) for name, wanted in needs.items()}
    while ready := [name for name, wanted in waiting.items() if not wanted]:
        waiting = {name: wanted - set(ready) for name, wanted in waiting.items() if name not in ready}
    if waiting:
        circle = _circle(waiting)
        raise _bad_needs(circle[0], f"a circle: {' needs '.join([*circle, circle[0]])}")


def _circle(waiting: Mapping[str, set[str]]) -> list[str]:
    """One of the circles among needs of which none can be met."""
    path = [min(waiting)]
    while (following := min(waiting[path[-1]])) not in path:
        path.append(following)
    return path[path.index(following) :]


def _bad_needs(notebook: str, found: str) -> RequestError:
    return RequestError(
        f"The notebooks that {notebook} needs must exist and must not need it in turn.",
        found=found,
        do="Mend crm.needs in the notebook's metadata; nothing was started.",
    )


def _content(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a cell without id, in notebooks of an older minor format, does no harm
            content = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        nbformat.validate(content)
    except Exception as error:  # noqa: BLE001 - the reader has an error of its own for each way to be broken
        message = str(error).strip() or type(error).__name__
        raise RequestError(
            f"{path.name} must be a Jupyter notebook.",
            found=message.splitlines()[0],
            do="Save it again from JupyterLab, or restore it; nothing was started.",
        ) from None
    return content


def _title(cells: Iterable[Any]) -> str:
    """The text of the first first-level heading."""
    for cell in cells:
        if cell.cell_type == "markdown" and (heading := re.search(r"^# +(.+?) *#*$", cell.source, re.MULTILINE)):
            return heading[1]
    return ""


def _named(metadata: Mapping[str, Any], key: str, *, notebook: str) -> tuple[str, ...]:
    own = metadata.get("crm", {})
    names = own.get(key, []) if isinstance(own, Mapping) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _bad_needs(notebook, f"crm metadata {own!r}, not a list of names")
    return tuple(dict.fromkeys(names))


def _parameters(cells: Sequence[Any], *, notebook: str) -> tuple[Parameter, ...]:
    tagged = [cell for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    if len(tagged) != 1:
        raise ParameterError(
            f"{notebook} must have one code cell tagged `parameters`.",
            found=f"{len(tagged)}" if tagged else "none",
            do="Tag the cell in JupyterLab: property inspector (the cogwheels), Cell Tags.",
        )
    parameters = read_parameters(tagged[0].source, notebook=notebook)
    types = {parameter.name: parameter.type for parameter in parameters}
    for name, comment in REQUIRED.items():
        if types.get(name) != "str":
            raise ParameterError(
                f"{notebook} must declare the parameters {', '.join(REQUIRED)}.",
                found=f"{name}: {types[name]}" if name in types else f"no {name}",
                do=f'Write into its parameters cell: {name}: str = "…"  # {comment}',
            )
    return parameters


def _refuse_syntax_errors(cells: Iterable[Any], *, notebook: str) -> None:
    for number, cell in enumerate(cells, start=1):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # warnings about the code belong to its execution
                plain = TransformerManager().transform_cell(cell.source)  # type: ignore[no-untyped-call]
                compile(plain, notebook, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        except (SyntaxError, ValueError) as error:
            line = f", line {error.lineno}: {(error.text or '').strip()}" if isinstance(error, SyntaxError) else ""
            raise RequestError(
                f"Every code cell of {notebook} must be valid Python.",
                found=f"{getattr(error, 'msg', error)} in code cell {number}{line}",
                do="Mend the cell; nothing was started.",
            ) from None
