"""Errors that teach: what must hold, what was found, what to do next.

Every error a user can cause derives from `CrmError`; the command line prints it as one message, without a
traceback, and ends with its `exit_status` (2: the request was wrong; 1: something failed on the way).
"""

from __future__ import annotations


class CrmError(Exception):
    """Something the user can mend.

    `rule` says what must hold, `found` what was met instead (table, column, count, at most three ids),
    `do` what to do next.
    """

    exit_status = 1

    def __init__(self, rule: str, *, found: str, do: str) -> None:
        super().__init__(rule, found, do)
        self.rule, self.found, self.do = rule, found, do

    def __str__(self) -> str:
        return f"{self.rule} Found: {self.found}. {self.do}"


class RequestError(CrmError):
    """The request itself cannot be carried out; nothing was started."""

    exit_status = 2


class SettingsError(RequestError):
    """crm.toml, or an option that overrides it, is not as it must be."""


class ParameterError(RequestError):
    """A notebook was asked to run with a parameter it does not have, or of the wrong type."""


class RunLocked(RequestError):
    """Another run holds the lock."""


class SourceError(CrmError):
    """The source could not be read."""


class ContractError(CrmError):
    """The data break a contract beyond the configured budget."""


class NotEnoughData(CrmError):
    """The data are too few or too short for what was asked."""
