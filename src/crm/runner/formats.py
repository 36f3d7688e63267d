"""nbformat, in a tenth of the time that importing it takes otherwise.

It checks notebooks by jsonschema, which imports rfc3987_syntax where that is installed (JupyterLab brings it along),
for a format of web addresses that no notebook is checked for. That package builds its grammar each time it is
imported: more than a second, of the two and a half that a run needs before it starts. So it is out of sight here
while jsonschema is imported for the first time; whoever wants it later finds it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

SLOW = "rfc3987_syntax"


@contextmanager
def _out_of_sight(package: str) -> Iterator[None]:
    """Meanwhile it cannot be imported, unless it has been already."""
    if package in sys.modules:
        yield
        return
    sys.modules[package] = None  # type: ignore[assignment]  # so Python spells "not to be imported"
    try:
        yield
    finally:
        del sys.modules[package]


with _out_of_sight(SLOW):
    import nbformat

__all__ = ["nbformat"]
