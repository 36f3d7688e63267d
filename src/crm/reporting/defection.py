"""The pictures and tables of the defection page: who may leave, whom to contact, why, and how the best are treated.

What is expected is drawn in the colour of forecasts, never in that of facts. What is understood of those who left is
drawn by `defection_understanding`, how far to trust it by `defection_trust`. No customer is named, and nothing is
told of fewer than five.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crm.finding import Findings
from crm.reporting.chart import Chart
from crm.reporting.charts import draw_bars, draw_gain
from crm.reporting.left_out import LeftOut
from crm.reporting.small_groups import FEWEST
from crm.reporting.style import ACTUAL, BAD, COMPARISON, FORECAST
from crm.reporting.tables import Table, show_table
from crm.reporting.wording import MISSING, quantity

if TYPE_CHECKING:  # the analysis is heavy, and whoever shows one has it loaded already
    from crm.analyses.defection import Defection

EXPECTED = "Expected"
ANSWERS = (
    "trust", "leaving", "contact", "badly_treated", "calibration", "not_one_person", "nothing_changed", "for_a_while",
    "signs", "dropped",
)  # fmt: skip
BANDS = (0.0, 0.01, 0.02, 0.05, 0.10, 0.20, 0.50, 1.01)
"""Of the chance to leave."""

WHEN = ((7, "within a week"), (14, "within 2 weeks"), (28, "within 4 weeks"), (56, "within 8 weeks"))
LATER, OVERDUE, NEVER = "later within a year", "overdue: should have bought by now", "not within a year"

MOST_EXAMPLES = 3
_SMALL_MONEY = 10
_LARGE = 1000
"""Numbers from here on, like amounts, may tell who somebody is."""


def the_answer(defection: Defection) -> Findings:
    """What a reader is told first; that a rule of thumb does as well leads where it does, and follows where not."""
    return Findings(
        finding for finding in defection.findings if finding.name in ANSWERS or finding.name.startswith("changed_")
    )


def draw_chances(defection: Defection) -> Chart | LeftOut:
    """Among whom are those who will leave?"""
    if why := defection.unsaid.get("expected", ""):
        return LeftOut(why)
    bands = _bands(defection)
    return draw_bars(
        bands.assign(kind=EXPECTED),
        label="chance_to_leave",
        value="expected_to_leave",
        colour_by="kind",
        colours={EXPECTED: FORECAST},
        order="as_given",
        unit="customers",
        title=_among_whom(bands),
        note=f"Expected to {leave(defection)}, by their chance to do so: the sum of the chances of a band.",
    )


def show_expected(defection: Defection) -> Table:
    """Who is at stake, who is expected to leave, and what is at risk."""
    customers, decision = defection.customers, defection.decision
    days = defection.horizon_days
    silence = defection.stake.kind == "silence"
    partly = "Spend less than half of the usual" if silence else "Pay less than half of today's fee"
    partly_sum = float(customers["partial_probability"].sum(min_count=1))
    rows: list[tuple[str, float, float, float]] = [
        ("Customers at stake", float(len(customers)), np.nan, np.nan),
        ("Have left already, and are not scored", float(defection.gone), np.nan, np.nan),
        (f"Expected to {leave(defection)}", defection.expected_to_leave, defection.expected_low,
         defection.expected_high),
        (f"{partly} in {days} days (those included)", partly_sum, np.nan, np.nan),
    ]  # fmt: skip
    late = int(customers["overdue"].eq(True).sum())
    rows += [("Overdue: nine of ten such customers would have bought by now", float(late), np.nan, np.nan)] * (
        late >= FEWEST
    )
    span = f"{decision.value_days} days, {defection.currency}"
    rows += [
        (
            f"Margin of all, if they stay ({span})",
            float(customers["value_if_stays"].sum(min_count=1)),
            np.nan,
            np.nan,
        ),
        (f"Margin at risk ({span})", float(customers["value_at_risk"].sum(min_count=1)), np.nan, np.nan),
    ]
    return show_table(
        pd.DataFrame(rows, columns=["what", "number", "from", "to"]),
        caption=f"Who is at stake on {defection.as_of}",
        formats=dict.fromkeys(["number", "from", "to"], ",.0f"),
        notes=f"{who_is_at_stake(defection)} Margin at risk: the chance to leave times what a customer brings who "
        f"stays{_taken_off(defection)}.",
    )


def show_chances(defection: Defection) -> Table | LeftOut:
    """The same by chance to leave, with what is at risk."""
    if why := defection.unsaid.get("expected", ""):
        return LeftOut(why)
    bands = _bands(defection)
    return show_table(
        bands,
        caption=f"Customers by their chance to {leave(defection)} ({defection.currency})",
        formats={"expected_to_leave": ",.1f", "value_at_risk": money(bands["value_at_risk"])},
        notes="Bands of fewer than five customers are put together with their neighbour.",
    )


def show_next_purchases(defection: Defection) -> Table | LeftOut:
    """By when each is expected to have bought again, so that silence is seen early."""
    if why := defection.unsaid.get("expected", ""):
        return LeftOut(why)
    customers = defection.customers
    if customers["expected_next_purchase"].isna().all() and not customers["overdue"].eq(True).any():
        return LeftOut("By when customers will have bought again cannot be said: no purchase model could be fitted.")
    days = (pd.to_datetime(customers["expected_next_purchase"]) - pd.Timestamp(defection.as_of)).dt.days
    names = np.select([days <= most for most, _ in WHEN], [word for _, word in WHEN], LATER)
    names = np.where(days.isna(), NEVER, names)
    names = np.where(customers["overdue"].eq(True), OVERDUE, names)
    order = [OVERDUE, *(word for _, word in WHEN), LATER, NEVER]
    table = _summed(
        customers, pd.Series(pd.Categorical(names, order, ordered=True), index=customers.index), "bought_again"
    )
    return show_table(
        table[table["customers"] >= FEWEST],
        caption=f"By when customers can be expected to have bought again (as of {defection.as_of})",
        formats={"expected_to_leave": ",.1f", "value_at_risk": money(table["value_at_risk"])},
        notes="The day by which one of two such customers has bought. Overdue: by now nine of ten would have. The "
        f"day of each customer is in the scores.{_SUPPRESSED * bool((table['customers'] < FEWEST).any())}",
    )


def draw_decision(defection: Defection) -> Chart | LeftOut:
    """How many to contact: what is gained by going down the list."""
    decision = defection.decision
    if why := defection.unsaid.get("expected", ""):
        return LeftOut(why)
    if decision.contacted:
        gain = quantity(decision.gain, defection.currency)
        title = f"Contact {decision.contacted:,} customers: {gain} of expected net gain"
    else:
        title = "No contact pays: the more are contacted, the more is lost"
    return draw_gain(
        decision.curve.rename(columns={"contacted": "customers_contacted", "gain": "expected_net_gain"}),
        reached="customers_contacted",
        gain="expected_net_gain",
        interval=("low", "high"),
        best=decision.contacted,
        unit=defection.currency,
        title=title,
        note=f"If a contact by {decision.channel} costs {decision.cost:,.2f} {defection.currency} and keeps "
        f"{decision.kept:.0%} of those who would leave (assumed). Band: {decision.level:.0%} interval.",
    )


def show_decision(defection: Defection) -> Table | LeftOut:
    """The decision in numbers, with what it rests on."""
    if why := defection.unsaid.get("expected", ""):
        return LeftOut(why)
    decision, currency = defection.decision, defection.currency
    gain = f"{decision.gain:,.0f} ({decision.low:,.0f} to {decision.high:,.0f})"
    rows = [
        ("Contact", _customers(decision.contacted), f"by {decision.channel}, the most worth it first"),
        ("Expected net gain", f"{gain} {currency}", f"{decision.level:.0%} interval, after the cost of the contacts"),
    ] if decision.contacted else [("Contact", "nobody", "no contact is worth its cost")]  # fmt: skip
    if decision.contacted:
        rows += [
            ("Lowest chance contacted", f"{decision.threshold:.1%}", "follows from money; it is no fixed border")
        ]
    rows += [
        ("A contact keeps", f"{decision.kept:.0%}", "of those who would have left: an assumption (crm.toml)"),
        ("Break-even", f"{decision.break_even:.1%}" if np.isfinite(decision.break_even) else MISSING,
         "kept by a contact, from which on somebody is worth one"),
        ("A contact costs", f"{decision.cost:,.2f} {currency}", f"by {decision.channel} (crm.toml)"),
        ("A customer who stays", f"{decision.value_days} days of margin", f"as {decision.value_from} tells it"),
    ]  # fmt: skip
    return show_table(
        pd.DataFrame(rows, columns=["what", "value", "what_it_is"]),
        caption="Whom to contact",
        notes="A contact is worth the chance to leave, times what it keeps, times the margin of who stays"
        f"{_taken_off(defection)}; its cost is taken off. Each customer's is in the scores.",
    )


def draw_sensitivity(defection: Defection) -> Chart | LeftOut:
    """How the gain changes with what a contact is assumed to keep."""
    table = defection.decision.sensitivity
    if why := defection.unsaid.get("expected", ""):
        return LeftOut(why)
    assumed = table["kept"].sub(defection.decision.kept).abs() < 1e-9
    shown = table.assign(
        if_a_contact_keeps=[f"keeps {kept:.0%}" for kept in table["kept"]],
        expected_net_gain=table["gain"],
        which=np.where(assumed, "as assumed", "other assumptions"),
    )
    most = table.sort_values("kept", kind="stable").iloc[-1]
    least = table.sort_values("kept", kind="stable").iloc[0]
    return draw_bars(
        shown[["if_a_contact_keeps", "contacted", "expected_net_gain", "which"]],
        label="if_a_contact_keeps",
        value="expected_net_gain",
        colour_by="which",
        colours={"as assumed": FORECAST, "other assumptions": COMPARISON},
        order="as_given",
        unit=defection.currency,
        title=f"From {quantity(least['gain'], defection.currency)} if a contact keeps {least['kept']:.0%} of those "
        f"leaving to {quantity(most['gain'], defection.currency)} if it keeps {most['kept']:.0%}",
        note="Each time as many are contacted as pays. Which bar is true only an experiment tells: leave some of "
        "the list alone on purpose.",
    )


def show_sensitivity(defection: Defection) -> Table | LeftOut:
    """The same in numbers."""
    table = defection.decision.sensitivity
    if why := defection.unsaid.get("expected", ""):
        return LeftOut(why)
    return show_table(
        table.rename(columns={"gain": "expected_net_gain"}),
        caption=f"By what a contact is assumed to keep ({defection.currency})",
        formats={"kept": ".0%", "contacted": ",.0f", "expected_net_gain": money(table["gain"])},
    )


def draw_badly_treated(defection: Defection) -> Chart | LeftOut:
    """The best customers treated worst: their chance to leave by what went wrong."""
    table = _treated(defection)
    if isinstance(table, LeftOut):
        return table
    fine = "nothing went wrong"
    worst = table.sort_values("chance_to_leave", ascending=False, kind="stable").iloc[0]
    return draw_bars(
        table.assign(kind=np.where(table["what_went_wrong"] == NOTHING, fine, "something went wrong")),
        label="what_went_wrong",
        value="chance_to_leave",
        colour_by="kind",
        colours={fine: ACTUAL, "something went wrong": BAD},
        unit="share",
        title=f"Of the best tenth, those with “{worst['what_went_wrong']}” are likeliest to leave: "
        f"{worst['chance_to_leave']:.1%}",
        note="The tenth of customers worth most, by what they met with in the last year; a customer may be in more "
        "than one. It says what went with it, not what caused it.",
    )


def show_badly_treated(defection: Defection) -> Table | LeftOut:
    """The same in numbers."""
    table = _treated(defection)
    if isinstance(table, LeftOut):
        return table
    few = bool((defection.badly_treated["customers"] < FEWEST).any())
    return show_table(
        table,
        caption=f"The tenth of customers worth most, by what went wrong in the last year ({defection.currency})",
        formats={"chance_to_leave": ".1%", "value_at_risk": money(table["value_at_risk"])},
        notes=f"Margin at risk of all in the row.{_SUPPRESSED * few}",
    )


NOTHING = "nothing"
_SUPPRESSED = " Rows of fewer than five customers are not shown."


def draw_reasons(defection: Defection) -> Chart | LeftOut:
    """The commonest reasons of those likeliest to leave or worth a contact."""
    from crm.analyses.defection.findings import first_reasons

    if why := defection.unsaid.get("reasons", ""):
        return LeftOut(why)
    table = first_reasons(defection)
    shown = table[table["named"] >= FEWEST]
    if shown.empty:
        return LeftOut(f"No reason is named for {FEWEST} customers or more.")
    first, told = shown.iloc[0], int(table["customers"].sum())
    shown = shown.sort_values("named", ascending=False, kind="stable")
    return draw_bars(
        shown.rename(columns={"named": "among_the_reasons", "customers": "first_reason"}),
        label="reason",
        value="among_the_reasons",
        comparison="first_reason",
        unit="customers",
        title=f"“{capital(first['reason'])}” is the first reason of {first['customers']:,} of the {told:,} likeliest "
        "to leave or worth a contact",
        note="The likeliest tenth and all whom it pays to contact, as far as a reason is known. Up to three per "
        "customer, from what moves the model's own chance; a reason is named only if the chance falls without it. "
        "Tick: of how many it is the first.",
    )


def show_examples(defection: Defection) -> Table | LeftOut | None:
    """How reasons read, as they stand in the scores; nothing that might tell who somebody is."""
    if "reasons" in defection.unsaid:
        return None
    rows = _examples(defection.customers, defection.currency)
    if not rows:
        return None
    return show_table(
        pd.DataFrame(rows, columns=["reason", "in_words"]),
        caption="How reasons read in the scores",
        notes="One reason of one customer each, picked where it names no amount; the scores have all of them.",
    )


def draw_drivers(defection: Defection) -> Chart | LeftOut:
    """What moves the chance to leave, over all customers."""
    if why := defection.unsaid.get("drivers", ""):
        return LeftOut(why)
    table = defection.drivers.assign(theme=[capital(str(theme)) for theme in defection.drivers["theme"]])
    first = table.iloc[0]
    return draw_bars(
        table[["theme", "share"]].rename(columns={"share": "share_of_what_moves_the_chance"}),
        label="theme",
        value="share_of_what_moves_the_chance",
        unit="share",
        title=f"“{first['theme']}” moves the chance to leave most ({first['share']:.0%})",
        note="Mean absolute contribution to the model's chance, as shares. It says what tells leavers apart, not "
        "what makes them leave.",
    )


def show_drivers(defection: Defection) -> Table | LeftOut:
    """The same in numbers, with what each means."""
    if why := defection.unsaid.get("drivers", ""):
        return LeftOut(why)
    table = defection.drivers.assign(
        theme=[capital(str(theme)) for theme in defection.drivers["theme"]],
    )
    columns = {"theme": "theme", "meaning": "meaning", "share": "share", "top_share": "first_reason_share"}
    return show_table(
        table[list(columns)].rename(columns=columns),
        caption="What moves the chance to leave",
        formats={"share": ".1%", "first_reason_share": ".1%"},
        notes="First reason share: of the likeliest tenth and all whom it pays to contact, for how many it is the "
        "first reason.",
    )


def _taken_off(defection: Defection) -> str:
    """What leavers bring all the same, as a clause; nothing where that was not seen."""
    from crm.analyses.defection.say import comes_all_the_same

    still = defection.decision.still_brings
    return f", less the {still:.0%} of it that leavers bring all the same" if comes_all_the_same(defection) else ""


def leave(defection: Defection) -> str:
    """What leaving is, as a verb with its horizon."""
    from crm.analyses.defection.say import LEAVE

    return LEAVE[defection.stake.kind].format(days=defection.horizon_days)


def who_is_at_stake(defection: Defection) -> str:
    """Who could leave, in a sentence."""
    if defection.stake.kind == "cancellation":
        return f"At stake: who has a contract running on {defection.as_of}."
    return f"At stake: who bought in the {defection.stake.active_within_days} days before {defection.as_of}."


def capital(text: str) -> str:
    """Text as it begins a line."""
    return text[:1].upper() + text[1:]


def money(amounts: pd.Series[float]) -> str:
    """How amounts of this size are written."""
    return ",.0f" if amounts.abs().max() >= _SMALL_MONEY else ",.2f"


def in_words(feature: str) -> str:
    """A feature's name for people: `net_sales_91d` is "net sales, 91 days"."""
    return re.sub(r"_(\d+)d$", r", \1 days", feature).replace("_", " ")


def _among_whom(bands: pd.DataFrame) -> str:
    """How few hold a good part of those expected to leave."""
    shares = bands["expected_to_leave"].cumsum() / max(float(bands["expected_to_leave"].sum()), 1e-12)
    place = min(int((shares < _GOOD_PART).sum()), len(bands) - 1)
    customers, lowest = int(bands["customers"].iloc[: place + 1].sum()), str(bands["chance_to_leave"].iloc[place])
    if place == len(bands) - 1:
        return f"All {customers:,} customers hold those expected to leave: no few stand out"
    chance, share = f"{lowest.split(' ')[0]} or more", f"{shares.iloc[place]:.0%}"
    return f"{customers:,} customers with a chance of {chance} hold {share} of those expected to leave"


_GOOD_PART = 0.4


def _customers(count: int) -> str:
    return f"{count:,} customer{'' if count == 1 else 's'}"


def _bands(defection: Defection) -> pd.DataFrame:
    """Bands of chance, the highest first; one of fewer than five goes with the next lower one."""
    customers = defection.customers
    chance = customers["probability"].astype("float64")
    edges = [edge for edge in BANDS if edge in (BANDS[0], BANDS[-1]) or (chance >= edge).sum() >= FEWEST]
    lowest = [edge for edge in edges[1:-1] if (chance < edge).sum() < FEWEST]
    edges = [edge for edge in edges if edge not in lowest]
    kept = [edges[-1]]
    for edge in reversed(edges[:-1]):
        if ((chance >= edge) & (chance < kept[-1])).sum() >= FEWEST or edge == BANDS[0]:
            kept.append(edge)
    names = [_band(low, high) for high, low in itertools.pairwise(kept)]
    cuts = pd.cut(chance, kept[::-1], right=False, labels=names[::-1])
    table = _summed(customers, cuts.cat.reorder_categories(names, ordered=True), "chance_to_leave")
    return table[table["customers"] > 0].reset_index(drop=True)


def _band(low: float, high: float) -> str:
    if low == BANDS[0]:
        return "any chance" if high == BANDS[-1] else f"under {high:.0%}"
    return f"{low:.0%} or more" if high == BANDS[-1] else f"{low:.0%} to {high:.0%}"


def _summed(customers: pd.DataFrame, groups: pd.Series, name: str) -> pd.DataFrame:
    """Customers, expected leavers and value at risk of each group, in the order of the groups."""
    by = customers.groupby(groups, observed=False)
    table = pd.DataFrame(
        {
            "customers": by.size(),
            "expected_to_leave": by["probability"].sum(),
            "value_at_risk": by["value_at_risk"].sum(),
        }
    )
    return table.rename_axis(name).reset_index().astype({name: "str"})


def _treated(defection: Defection) -> pd.DataFrame | LeftOut:
    if why := defection.unsaid.get("badly_treated", ""):
        return LeftOut(why)
    table = defection.badly_treated
    table = table[table["customers"] >= FEWEST]
    if table.empty or (table["trouble"] == NOTHING).all():
        return LeftOut(f"Nothing went wrong for {FEWEST} or more of the tenth of customers worth most.")
    names = {"trouble": "what_went_wrong", "probability": "chance_to_leave"}
    return table.rename(columns=names).reset_index(drop=True)


def _examples(customers: pd.DataFrame, currency: str) -> list[tuple[str, str]]:
    """A reason in words for each of the first themes, of customers who differ, without an amount or a name."""
    from crm.analyses.defection.reasons import SEPARATOR

    found: dict[str, str] = {}
    ids = set(customers["customer_id"])
    for causes, reasons in zip(customers["causes"], customers["reasons"], strict=True):
        if cause := _first_told(causes.split(SEPARATOR), reasons.split(SEPARATOR), found, currency, ids):
            found[cause[0]] = cause[1]
        if len(found) == MOST_EXAMPLES:
            break
    return [(capital(cause), words) for cause, words in found.items()]


def _first_told(
    causes: list[str], reasons: list[str], found: dict[str, str], currency: str, ids: set[str]
) -> tuple[str, str] | None:
    """The first reason of a customer whose theme is not told yet, and which names nobody."""
    if len(causes) != len(reasons):
        return None
    pairs = zip(causes, reasons, strict=True)
    return next(
        (
            (cause, words)
            for cause, words in pairs
            if words and cause not in found and _tells_nobody(words, currency, ids)
        ),
        None,
    )


def _tells_nobody(words: str, currency: str, ids: set[str]) -> bool:
    """Has it neither a customer's number nor an amount?"""
    numbers = [float(text.replace(",", "")) for text in re.findall(r"\d[\d,]*(?:\.\d+)?", words)]
    amounts = currency.casefold() in words.casefold() or bool(re.search(r"\d\.\d\d|[$€£]", words))
    long_ids = {word for word in re.findall(r"[\w-]+", words) if len(word) > 2} & ids
    return not amounts and not long_ids and all(number < _LARGE for number in numbers)
