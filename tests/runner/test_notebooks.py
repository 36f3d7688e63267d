"""Notebooks are read and refused before anything starts."""

from __future__ import annotations

from pathlib import Path

import nbformat as nbf
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from crm.errors import ParameterError, RequestError
from crm.runner.notebooks import notebook_paths, read_notebook, refuse_impossible_needs, select

PARAMETERS = """\
config: str = "crm.toml"  # the settings file
as_of: str = ""  # first day not known
run_folder: str = ""  # set by the runner
"""
KNOWN = ["00_data_quality", "01_customer_base", "02_segmentation"]


def write(folder: Path, *cells: str, parameters: str = PARAMETERS, tags: int = 1, **metadata: object) -> Path:
    tagged = [new_code_cell(parameters, metadata={"tags": ["parameters"]}) for _ in range(tags)]
    content = new_notebook(
        cells=[new_markdown_cell("Hello\n\n# Who is *leaving*? #\n\n## No"), *tagged, *map(new_code_cell, cells)],
        metadata=metadata,
    )
    path = folder / "04_defection.ipynb"
    nbf.write(content, path)
    return path


def test_a_notebook_is_read_with_its_heading_and_needs(tmp_path: Path):
    cells = ["%matplotlib inline\n!ls", "await something()", "x = 1", ""]
    notebook = read_notebook(write(tmp_path, *cells, crm={"needs": ["03_lifetime_value"]}))
    assert (notebook.name, notebook.title) == ("04_defection", "Who is *leaving*?")
    assert notebook.needs == ("03_lifetime_value",)
    assert notebook.code_cells == 5
    assert [parameter.name for parameter in notebook.parameters] == ["config", "as_of", "run_folder"]


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("x = (", "in code cell 2, line 1: x = ("),
        ("x = 1\n  y = 2", "in code cell 2, line 2: y = 2"),
        ("return 1", "in code cell 2, line 1"),
    ],
)
def test_a_syntax_error_anywhere_is_refused(tmp_path: Path, cell: str, found: str):
    with pytest.raises(RequestError, match="valid Python") as refusal:
        read_notebook(write(tmp_path, cell))
    assert found in refusal.value.found


@pytest.mark.parametrize(
    ("tags", "found"), [(0, "none"), (2, "2")], ids=["no cell is tagged", "two cells are tagged"]
)
def test_exactly_one_cell_is_tagged_parameters(tmp_path: Path, tags: int, found: str):
    with pytest.raises(ParameterError, match="one code cell tagged `parameters`") as refusal:
        read_notebook(write(tmp_path, tags=tags))
    assert refusal.value.found == found


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        (PARAMETERS.replace("as_of", "as_off"), "no as_of"),
        (PARAMETERS.replace('run_folder: str = ""', "run_folder: int = 0"), "run_folder: int"),
    ],
)
def test_what_the_runner_passes_must_be_declared(tmp_path: Path, parameters: str, found: str):
    with pytest.raises(ParameterError, match="must declare the parameters config, as_of, run_folder") as refusal:
        read_notebook(write(tmp_path, parameters=parameters))
    assert refusal.value.found == found


@pytest.mark.parametrize("content", ["", "{}", "not json", '{"cells": 3, "metadata": {}, "nbformat": 4}'])
def test_a_file_that_is_no_notebook_is_refused(tmp_path: Path, content: str):
    path = tmp_path / "04_defection.ipynb"
    path.write_text(content)
    with pytest.raises(RequestError, match=r"04_defection\.ipynb must be a Jupyter notebook"):
        read_notebook(path)


@pytest.mark.parametrize("crm", [["03_x"], {"needs": "03_x"}, {"needs": [3]}, 7])
def test_needs_of_another_shape_are_refused(tmp_path: Path, crm: object):
    with pytest.raises(RequestError, match="needs"):
        read_notebook(write(tmp_path, crm=crm))


def test_only_numbered_notebooks_are_reports(tmp_path: Path):
    for name in ("10_b.ipynb", "02_a.ipynb", "explore.ipynb", "3_short.ipynb", "04_text.md"):
        (tmp_path / name).touch()
    assert list(notebook_paths(tmp_path)) == ["02_a", "10_b"]


def test_a_folder_without_reports_is_refused(tmp_path: Path):
    (tmp_path / "explore.ipynb").touch()
    with pytest.raises(RequestError, match="There must be a report notebook"):
        notebook_paths(tmp_path)


def test_the_selection_keeps_the_order_of_the_numbers():
    assert select(KNOWN, None) == KNOWN
    assert select(KNOWN, ["02_segmentation", "00_data_quality"]) == ["00_data_quality", "02_segmentation"]


@pytest.mark.parametrize(
    ("only", "found"),
    [
        (["02_segmentatoin"], "'02_segmentatoin', the nearest known name is 02_segmentation"),
        (["base"], "'base', the nearest known name is 01_customer_base"),
        (["xyz"], "'xyz'"),
        (["02_segmentation", "02_segmentation"], "02_segmentation 2 times"),
        ([], "none"),
    ],
)
def test_a_selection_is_refused(only: list[str], found: str):
    with pytest.raises(RequestError) as refusal:
        select(KNOWN, only)
    assert refusal.value.found == found


@pytest.mark.parametrize(
    ("needs", "found"),
    [
        ({"01_a": [], "02_b": ["01_aa"]}, "'01_aa', the nearest known name is 01_a"),
        ({"01_a": ["01_a"]}, "a circle: 01_a needs 01_a"),
        ({"01_a": ["03_c"], "02_b": ["01_a"], "03_c": ["02_b"]}, "a circle: 01_a needs 03_c needs 02_b needs 01_a"),
        ({"01_a": ["02_b"], "02_b": ["03_c"], "03_c": ["02_b"]}, "a circle: 02_b needs 03_c needs 02_b"),
    ],
)
def test_impossible_needs_are_refused(needs: dict[str, list[str]], found: str):
    with pytest.raises(RequestError) as refusal:
        refuse_impossible_needs(needs)
    assert refusal.value.found == found


def test_possible_needs_are_not_refused():
    refuse_impossible_needs({"01_a": [], "02_b": ["01_a"], "03_c": ["01_a", "02_b"]})
