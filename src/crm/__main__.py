"""`python -m crm` is the command `crm`."""

from crm.cli import main

if __name__ == "__main__":
    main()
