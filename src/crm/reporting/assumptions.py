"""What money on a page rests on, in a box that nobody overlooks.

The numbers are those of crm.toml that the analysis was given. Where the data themselves give a number (a product's
own margin rate), the box says where it is used and where the assumption stands in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from crm.config import Money
from crm.engine import to_pandas
from crm.errors import RequestError
from crm.facts import Facts
from crm.reporting.wording import clean, listed


@dataclass(frozen=True)
class Assumptions:
    """Sentences about what is assumed, and where it can be changed."""

    said: tuple[str, ...]
    where: str

    def _repr_html_(self) -> str:
        lines = "".join(f"<li>{escape(clean(sentence))}</li>" for sentence in self.said)
        return (
            f'<aside class="assumptions" aria-label="Assumed"><p class="label">Assumed</p><ul>{lines}</ul>'
            f'<p class="note">{escape(clean(self.where))}</p></aside>'
        )


def show_assumptions(facts: Facts, *names: str) -> Assumptions:
    """What the money of a page rests on, in sentences, with the numbers of crm.toml.

    names: of what is assumed, in the order to be told: `gross_margin`, `yearly_discount_rate`, `contact_cost`,
        `serving`, `kept_by_contact`, `makes_the_difference`. What these data do not use is left out.
    Raises RequestError for another name.
    """
    unknown = [name for name in names if name not in _SAID]
    if unknown:
        raise RequestError(
            "What is assumed has a name.",
            found=f"{', '.join(map(repr, unknown))}",
            do=f"Name some of {', '.join(_SAID)}.",
        )
    told = [sentence for name in names for sentence in _SAID[name](facts)]
    where = "under [money]" + (" and with each programme" if "makes_the_difference" in names else "")
    return Assumptions(
        tuple(told), f"Set in crm.toml {where}: change it there and run again, and all amounts follow."
    )


def _gross_margin(facts: Facts) -> Sequence[str]:
    known = _share_of_own_rates(facts)
    margin = f"{facts.settings.money.gross_margin:.0%} of net sales"
    if not known:
        return [f"Gross margin is {margin}, of whatever is bought: the data hold no product's own margin rate."]
    return [
        f"Gross margin is {margin} where a product's own rate is not known. The data give that of {known:.0%} of the "
        "products, and there it is used: no assumption of ours."
    ]


def _share_of_own_rates(facts: Facts) -> float:
    """The share of the products whose own margin rate the data hold."""
    if not facts.has("products") or "margin_rate" not in facts["products"].collect_schema().names():
        return 0.0
    return float(to_pandas(facts["products"].select("margin_rate"))["margin_rate"].notna().mean())


def _yearly_discount_rate(facts: Facts) -> Sequence[str]:
    return [f"Margin that is still to come is discounted by {facts.settings.money.yearly_discount_rate:.0%} a year."]


def _contact_cost(facts: Facts) -> Sequence[str]:
    money = facts.settings.money
    if not money.contact_cost:
        return ["Contacts cost nothing: no channel has a cost."]
    own = ", where a campaign does not state a cost of its own" if facts.has("campaigns") else ""
    return [f"A contact costs {listed(_by_channel(money))}{own}."]


def _serving(facts: Facts) -> Sequence[str]:
    """What serving customers costs, of what the data hold."""
    money = facts.settings.money
    cheapest = min(money.contact_cost.values(), default=0.0)
    said = {
        "Customers are contacted as often as in the last year, each time by the cheapest channel, at "
        f"{_amount(cheapest, money)}.": cheapest > 0 and facts.has("contacts"),
        f"A service case costs {_amount(money.service_case_cost, money)}.": money.service_case_cost > 0
        and facts.has("service_cases"),
    }
    return [sentence for sentence, counts in said.items() if counts]


def _kept_by_contact(facts: Facts) -> Sequence[str]:
    money = facts.settings.money
    return [
        f"A contact that is to keep a customer, by {money.retention_channel or 'any channel'}, costs "
        f"{_amount(money.retention_cost, money)} and keeps {money.kept_by_contact:.0%} of those who would have left, "
        "until an experiment says how many it keeps."
    ]


def _makes_the_difference(facts: Facts) -> Sequence[str]:
    programmes = {name: one for name, one in facts.settings.programmes.items() if one.kind != "persuade"}
    if not programmes:
        return []
    shares = [f"{name.replace('_', ' ')} {100 * one.makes_the_difference:.4g}%" for name, one in programmes.items()]
    return [f"Of what is at stake a contact brings this share, as long as no list was measured: {listed(shares)}."]


def _by_channel(money: Money) -> list[str]:
    return [f"{_amount(cost, money)} by {channel}" for channel, cost in money.contact_cost.items()]


def _amount(amount: float, money: Money) -> str:
    return f"{amount:,.2f} {money.currency}"


_SAID: Mapping[str, Callable[[Facts], Sequence[str]]] = {
    "gross_margin": _gross_margin,
    "yearly_discount_rate": _yearly_discount_rate,
    "contact_cost": _contact_cost,
    "serving": _serving,
    "kept_by_contact": _kept_by_contact,
    "makes_the_difference": _makes_the_difference,
}
"""What can be assumed, and how it is said."""
