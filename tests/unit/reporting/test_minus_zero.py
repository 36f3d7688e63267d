"""What is written as zero has no minus, in tables, labels and axes alike."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from crm.reporting import wording
from crm.reporting.tables import show_table


@pytest.mark.parametrize(
    ("value", "spec", "written"),
    [
        (-0.0004, ".3f", "0.000"),
        (-0.0006, ".3f", "-0.001"),
        (-0.4, ",.0f", "0"),
        (-0.4, "+,.0f", "+0"),
        (-0.0004, "+.1%", "+0.0%"),
        (-0.0, ".10g", "0"),
        (-10.0, ",.0f", "-10"),
        (np.int64(0), "d", "0"),
        (-5, "d", "-5"),
    ],
)
def test_by_a_format(value, spec, written):
    assert wording.formatted(value, spec) == written


@pytest.mark.parametrize(
    ("value", "unit", "written"), [(-0.0003, "", "0.000"), (-0.0, "USD", "0 USD"), (-0.002, "", "−0.002")]
)
def test_in_a_label(value, unit, written):
    assert wording.quantity(value, unit) == written


@pytest.mark.parametrize(("value", "unit"), [(-0.0, ""), (-0.0, "share")])
def test_on_an_axis(value, unit):
    assert wording.tick(value, unit) == {"": "0", "share": "0%"}[unit]


def test_in_a_table_it_keeps_its_value_by_which_rows_are_sorted():
    frame = pd.DataFrame({"campaign": ["a", "b", "c"], "effect": [-0.0003, -0.0, 0.4]})
    cells = re.findall(r"<td[^>]*>", show_table(frame, caption="T")._repr_html_())
    shown = show_table(frame, caption="T")._repr_html_()
    assert re.findall(r">([-−]?[\d.]+)</td>", shown) == ["0.000", "0.000", "0.400"]
    assert ['data-sort="-0.0003"' in cells[0], 'data-sort="0"' in cells[1]] == [True, True]
