"""`python -m crm` is the command `crm`: Ctrl-C ends it without a traceback, even while it is being loaded."""

import sys

INTERRUPTED = 130  # what shells say of a program that was ended by Ctrl-C


def main() -> None:
    """Load the commands, and do what is asked for."""
    try:
        from crm.cli import main as command

        command()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
