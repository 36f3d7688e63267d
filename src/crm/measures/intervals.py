"""How wide is a 95 % interval of a number whose error is normal?"""

from __future__ import annotations

ERRORS = 1.959964
"""Standard errors from the middle of a 95 % interval to either end."""


def standard_error(low: float, high: float) -> float:
    """Of the number whose 95 % interval this is."""
    return (high - low) / (2 * ERRORS)
