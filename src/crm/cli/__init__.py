"""The command line: `crm init`, `check`, `run`, `status`, `review`, `promote`, `rollback`, `lists` and `sent`.

The only place that reads the clock of the wall.
"""

from crm.cli import running

# The help lists the commands in the order of these imports.
# isort: split
from crm.cli import reviewing

# isort: split
from crm.cli import acting
from crm.cli.application import app, settings_of


def main() -> None:
    """The command `crm`."""
    app(prog_name="crm")


__all__ = ["acting", "app", "main", "reviewing", "running", "settings_of"]
