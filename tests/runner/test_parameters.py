"""Parameters are refused before any kernel starts, and the message says which and why."""

from __future__ import annotations

import pytest

from crm.errors import ParameterError
from crm.runner.parameters import Parameter, check_given, read_parameters

DECLARED = (
    Parameter("as_of", "str", "", "first day not known"),
    Parameter("clusters", "int", 5, "how many"),
    Parameter("share", "float", 0.5, "of customers"),
    Parameter("quick", "bool", False, "for a first look"),
)


def test_a_cell_of_typed_scalars_with_comments_is_read():
    cell = """\
# What may be changed
as_of: str = ""  # first day not known
clusters: int = -1  # how many; "#" in "a # b" is a comment too
share: float = 1  # of customers

quick: bool = (
    True
)  # over lines
label: str = "a # b"  # a sign in a text is no comment
"""
    assert read_parameters(cell, notebook="02_x") == (
        Parameter("as_of", "str", "", "first day not known"),
        Parameter("clusters", "int", -1, 'how many; "#" in "a # b" is a comment too'),
        Parameter("share", "float", 1, "of customers"),
        Parameter("quick", "bool", True, "over lines"),
        Parameter("label", "str", "a # b", "a sign in a text is no comment"),
    )


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ('as_of = ""  # no type', "line 1 of its parameters cell is `as_of = ''`"),
        ("import os", "line 1 of its parameters cell is `import os`"),
        ("clusters: int = 5", "clusters has no comment on its line"),
        ("clusters: int = 5  #", "clusters has no comment on its line"),
        ("# above\nclusters: int = 5", "clusters has no comment on its line"),
        ('label: str = "a # b"', "label has no comment on its line"),
        ("clusters: int  # how many", "clusters has no default"),
        ("clusters: int = 5.0  # how many", "clusters is declared int, its default is 5.0"),
        ("clusters: int = True  # how many", "clusters is declared int, its default is True"),
        ('share: float = "0.5"  # of customers', "share is declared float, its default is '0.5'"),
        ("share: float = True  # of customers", "share is declared float, its default is True"),
        ("kinds: list = []  # which", "kinds is declared list"),
        ("kinds: str | None = None  # which", "kinds is declared str | None"),
        ("days: int = 7 * 8  # eight weeks", "the default of days is `7 * 8`"),
        ("a: int = 1  # one\na: int = 2  # two", "a is declared 2 times"),
        ("a: int = ", "its parameters cell does not parse"),
        ("a: int = (1  # open", "its parameters cell does not parse"),
        ("x.a: int = 1  # of x", "line 1 of its parameters cell is `x.a: int = 1`"),
    ],
)
def test_a_cell_is_refused(cell: str, found: str):
    with pytest.raises(ParameterError) as refusal:
        read_parameters(cell, notebook="02_x")
    assert "02_x" in str(refusal.value)
    assert found in refusal.value.found
    assert refusal.value.exit_status == 2


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"as_of": "2018-01-01", "clusters": 4, "share": 0.1, "quick": True},
        {"share": 1},
    ],
)
def test_given_parameters_of_the_declared_types_are_taken(given: dict[str, str | int | float | bool]):
    assert check_given(given, declared=DECLARED, notebook="02_x") == given


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"cluster": 4}, "it has no parameter cluster, the nearest it has is clusters"),
        ({"zzz": 4}, "it has no parameter zzz, it has as_of, clusters, share, quick"),
        ({"clusters": "4"}, "clusters is declared int, given '4'"),
        ({"clusters": 4.0}, "clusters is declared int, given 4.0"),
        ({"clusters": True}, "clusters is declared int, given True"),
        ({"share": "0.1"}, "share is declared float, given '0.1'"),
        ({"share": False}, "share is declared float, given False"),
        ({"quick": 1}, "quick is declared bool, given 1"),
        ({"as_of": 20180101}, "as_of is declared str, given 20180101"),
    ],
)
def test_given_parameters_are_refused(given: dict[str, str | int | float | bool], found: str):
    with pytest.raises(ParameterError) as refusal:
        check_given(given, declared=DECLARED, notebook="02_x")
    assert found in refusal.value.found
