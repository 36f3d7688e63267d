"""What the page of action lists shows of single customers."""

import pytest

from crm.reporting.action_lists import _without_amount


@pytest.mark.parametrize(
    ("reasons", "shown"),
    [
        ("brought about 1,037 USD of margin; last purchase 58 days ago", "last purchase 58 days ago"),
        ("buys seldom; brought 610 USD", "buys seldom"),
        ("brought 610 USD", "what they brought before"),
    ],
    ids=["the next", "the first", "nothing but money"],
)
def test_an_example_tells_nobodys_money(reasons, shown):
    assert _without_amount(reasons, "USD") == shown
