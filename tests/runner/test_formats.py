"""A run does not wait for a package that it has no use for, and takes it from nobody else."""

import subprocess
import sys

import pytest
from nbformat import ValidationError
from nbformat.v4 import new_code_cell, new_notebook

from crm.runner.formats import SLOW, nbformat

LOOK = f"""
import sys
import crm.runner.run
assert "nbformat" in sys.modules and "jsonschema" in sys.modules
print({SLOW!r} in sys.modules)
import {SLOW}
print({SLOW!r} in sys.modules)
"""


def test_a_run_does_not_load_it_and_whoever_wants_it_can():
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["False", "True"], done.stderr


def test_notebooks_are_checked_as_ever():
    whole = new_notebook(cells=[new_code_cell("1 + 1")])
    nbformat.validate(whole)
    whole.cells[0].outputs = "none"
    with pytest.raises(ValidationError, match=r"is not of type .array."):
        nbformat.validate(whole)
