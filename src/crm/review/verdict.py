"""What the judge says of a challenger: gates, each with its number, and the tables they come from."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field

import pandas as pd

from crm.tracking import Gate as Outcome

GATES = ["gate", "number", "low", "high", "limit", "passed"]


@dataclass(frozen=True)
class Gate:
    """One thing a challenger must show, or, where `decides` is not so, a number for the person who decides.

    must:   what must hold, in words.     number, low, high: what was found, with its interval where it has one.
    passed: None where it could not be found out.
    """

    must: str
    number: float
    passed: bool | None
    limit: float = math.nan
    low: float = math.nan
    high: float = math.nan
    decides: bool = True

    @property
    def answer(self) -> str:
        """In a word."""
        if not self.decides:
            return "to look at"
        return {True: "yes", False: "no", None: "not known"}[self.passed]


@dataclass(frozen=True)
class Verdict:
    """What was found when a challenger was held against the champion.

    champion, challenger: numbers of their versions.     key: what it depends on; another key, another verdict.
    gates:       the challenger must pass each that decides.
    refused:     why it is refused outright; empty: it is not.     unjudged: why it was not judged; empty: it was.
    by_date:     one row per date and model: how it stood, and its measures.
    by_group:    one row per group: customers, champion, challenger, gain, low, high.
    calibration: one row per model and bin.     features: the columns of the challenger, the most moved first.
    notes:       what must be known to read it.     by_person: there is no outcome to judge by, a person must look.
    """

    name: str
    as_of: dt.date
    champion: str
    challenger: str
    key: str
    gates: tuple[Gate, ...] = ()
    refused: str = ""
    unjudged: str = ""
    by_date: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    by_group: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    calibration: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    features: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    notes: tuple[str, ...] = ()
    by_person: bool = False

    @property
    def outcome(self) -> Outcome:
        """passed, failed or not judged."""
        if self.refused:
            return "failed"
        if self.unjudged or self.by_person:
            return "not judged"
        if self.failing:
            return "failed"
        return "not judged" if self.unknown else "passed"

    @property
    def failing(self) -> tuple[str, ...]:
        """What the challenger does not show, each in words."""
        gates = [f"{gate.must} ({_found(gate)})" for gate in self.gates if gate.decides and gate.passed is False]
        return tuple([self.refused, *gates] if self.refused else gates)

    @property
    def unknown(self) -> tuple[str, ...]:
        """What decides and could not be found out, each in words."""
        return tuple(gate.must for gate in self.gates if gate.decides and gate.passed is None)

    @property
    def table(self) -> pd.DataFrame:
        """The gates: gate, number, low, high, limit, passed."""
        rows = [(one.must, one.number, one.low, one.high, one.limit, one.answer) for one in self.gates]
        return pd.DataFrame(rows, columns=GATES).astype(dict.fromkeys(GATES[1:5], "float64"))

    @property
    def sentence(self) -> str:
        """What is found, in a sentence."""
        beside = f"{self.name}: version {self.challenger} beside the champion, version {self.champion}"
        if self.refused:
            return f"{beside}: refused. {self.refused}."
        if self.by_person:
            return f"{beside}: there is no outcome to judge it by; a person must look."
        if self.unjudged:
            return f"{beside}: not judged. {self.unjudged}"
        failed = len(self.failing)
        return f"{beside}: " + (
            f"failed, {failed} gate{'' if failed == 1 else 's'} of {sum(gate.decides for gate in self.gates)}."
            if failed
            else "passed every gate."
        )


def _found(gate: Gate) -> str:
    interval = "" if math.isnan(gate.low) else f", {gate.low:.3g} to {gate.high:.3g}"
    limit = "" if math.isnan(gate.limit) else f"; the limit is {gate.limit:g}"
    return f"found {gate.number:.3g}{interval}{limit}"
