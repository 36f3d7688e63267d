"""What is one more unit of a limit worth: a contact more, a customer more, a budget that is larger?

The price of a limit is what the chosen would bring more, gain minus cost, for the next unit of it (its shadow price,
the dual of the linear programme). It holds for the next units: a second thousand brings at most as much as the first.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm.finding import Finding

BUDGET, PROGRAMME_BUDGET, SIZE, CAPACITY = "budget", "programme budget", "programme size", "channel capacity"
MONEY = (BUDGET, PROGRAMME_BUDGET)

PRICES = ("limit", "of", "used", "most", "price")
"""limit: which kind. of: the programme or channel; empty for the budget over all. used, most: in the currency, in
customers or in contacts. price: what one more of it would bring, in the currency."""

_MORE = {
    BUDGET: "{more:,.0f} {currency} more for everything together",
    PROGRAMME_BUDGET: "{more:,.0f} {currency} more for {of}",
    SIZE: "One more customer in {of}",
    CAPACITY: "One more contact by {of}",
}
_USED = {
    BUDGET: "{used:,.0f} of {most:,.0f} {currency} are used",
    PROGRAMME_BUDGET: "{used:,.0f} of {most:,.0f} {currency} are used",
    SIZE: "{used:,.0f} of {most:,.0f} customers are chosen",
    CAPACITY: "{used:,.0f} of {most:,.0f} contacts are used",
}


@dataclass(frozen=True)
class PriceInWords:
    """A sentence as a finding has it: a template and the numbers that fill it."""

    name: str
    template: str
    values: Mapping[str, Any]

    @property
    def sentence(self) -> str:
        """The price in words."""
        return self.template.format(**self.values)

    def finding(self, as_of: dt.date) -> Finding:
        """The same, to be published."""
        return Finding(self.name, self.template, self.values, as_of)


def prices_frame(
    finite: Sequence[tuple[str, str, float]], used: npt.NDArray[np.float64], price: npt.NDArray[np.float64]
) -> pd.DataFrame:
    """`PRICES`: one row per limit."""
    frame = pd.DataFrame(finite, columns=["limit", "of", "most"])
    frame["most"] = frame["most"].astype("float64")
    return frame.assign(used=used, price=price)[list(PRICES)]


def prices_in_words(
    prices: pd.DataFrame, currency: str, *, contact: Mapping[str, float] | None = None
) -> tuple[PriceInWords, ...]:
    """One sentence per limit, the dearest first: what more of it would bring, or that nothing would come of it.

    contact: what the cheapest contact costs, by programme, and of all of them by "". Nothing is said of a budget that
    has not even room for one.
    """
    least = contact or {}
    rows = [row for row in prices.to_dict("records") if not _below_one(row, least.get(str(row["of"]), 0.0))]
    said = [_said(row, currency) for row in rows]
    return tuple(sorted(said, key=lambda one: -one.values["brings"]))


def _said(row: Mapping[Any, Any], currency: str) -> PriceInWords:
    kind, more = str(row["limit"]), _step(row)
    brings = float(row["price"]) * more
    values = {name: row[name] for name in ("of", "used", "most", "price")}
    values |= {"more": more, "brings": brings, "currency": currency}
    name = "_".join(["price_of", kind.replace(" ", "_"), *([str(row["of"])] if row["of"] else [])])
    return PriceInWords(name, f"{_more(kind, more)} {_brings(kind, brings)}: {_used(kind, row)}.", values)


def _more(kind: str, more: float) -> str:
    cents = "{more:,.2f}" if more >= 0.01 else "{more:,.2g}"
    return _MORE[kind] if more >= 1 else _MORE[kind].replace("{more:,.0f}", cents)


def _used(kind: str, row: Mapping[Any, Any]) -> str:
    """Of money below 10 the cents count; of one customer or contact "is"."""
    if kind in MONEY and row["most"] < 10:
        return _USED[kind].replace(":,.0f", ":,.2f")
    if kind not in MONEY and round(row["most"]) == 1:
        return _USED[kind].replace("customers are", "customer is").replace("contacts are", "contact is")
    return _USED[kind]


def _below_one(row: Mapping[Any, Any], contact: float) -> bool:
    return row["limit"] in MONEY and not (row["most"] > 0 and row["most"] >= contact)


def _brings(kind: str, brings: float) -> str:
    """Below half a cent it is nothing."""
    if brings < 0.005:
        return "would bring nothing"
    amount = "{brings:,.0f}" if brings >= 10 else "{brings:,.2f}"
    verb = "would bring up to" if kind in MONEY else "is worth"
    return f"{verb} {amount} {{currency}} after costs"


def _step(row: Mapping[Any, Any]) -> float:
    """One more; of money a sum to speak of, 1,000 at most and no more than a tenth of the budget."""
    if row["limit"] not in MONEY:
        return 1.0
    return next((more for more in (1_000.0, 100.0, 10.0, 1.0, 0.1) if row["most"] >= 10 * more), row["most"] / 10)


__all__ = ["PRICES", "PriceInWords", "prices_frame", "prices_in_words"]
