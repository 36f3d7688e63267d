"""Whom is a programme for, what is at stake with each, and what would a contact bring?

`candidates_of(facts, as_of, name, programme, scores)` gives every customer whom the programme could contact, at most
once, with the margin that a contact is expected to add until the measuring date. What is at stake comes from the
scores; the share of it that a contact brings is the programme's own `makes_the_difference`, an assumption, until its
lists have shown another (`crm.scoring.learned`).
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from crm.config import Programme
from crm.engine import to_pandas
from crm.errors import SettingsError
from crm.facts import Facts
from crm.mart import open_mart
from crm.outcomes import active
from crm.periods import known_before
from crm.scoring.events import events_of
from crm.scoring.learned import ShareBrought, share_brought
from crm.snapshots import margin, snapshot

COLUMNS = ("customer_id", "gain", "at_stake", "chance", "item", "offer", "reasons")
DECIMALS = 6
YEAR = 365
SHORTEST_HISTORY = 28
"""Days over which margin is spread at least: a first purchase of yesterday is no rhythm yet."""
BEST_SHARE = 0.10
"""Of all customers, those whom `develop` is for."""
REASONS_OF_DEFECTION = 2
SEPARATOR_OF_DEFECTION = " · "

Texts = npt.NDArray[np.object_]

_FROM = {
    "defection": "the notebook 04_defection",
    "lifetime_value": "the notebook 03_lifetime_value",
    "cross_sell": "the notebook 05_cross_sell",
    "up_sell": "the up-sell table of 05_cross_sell",
    "campaign_response": "the notebook 06_campaign_success",
}
_NEEDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "retain": ("defection", ("customer_id", "probability", "value_at_risk")),
    "cross_sell": ("cross_sell", ("customer_id", "item", "probability", "expected_margin")),
    "up_sell": ("up_sell", ("customer_id", "category", "probability", "expected_extra_margin")),
    "persuade": ("campaign_response", ("customer_id", "kind", "uplift", "expected_margin_added")),
}


@dataclass(frozen=True)
class Candidates:
    """Whom a programme could contact.

    customers: one row per customer, sorted by customer_id:
               at_stake  margin (currency) until the measuring date of which a contact brings a share
               gain      that share: what a contact is expected to add until the measuring date, before costs
               chance    that the contact makes the difference; gain / chance is what it then brings
               item      to be offered, as the source spells it; empty where the programme is about none
               offer     in words, for whoever makes the contact
               reasons   two or three, in words, with the customer's own numbers
    brings:    the share of what is at stake that a contact brings; None of `persuade`, whose gain is measured whole.
    said:      assumptions in words with their numbers, and who was left out.
    why_not:   why the programme has nothing to go by, such as scores that are missing; empty otherwise.
    """

    programme: str
    customers: pd.DataFrame = field(repr=False)
    brings: ShareBrought | None = None
    said: tuple[str, ...] = ()
    why_not: str = ""


def candidates_of(
    facts: Facts,
    as_of: dt.date,
    name: str,
    programme: Programme,
    scores: Mapping[str, pd.DataFrame | None],
) -> Candidates:
    """The candidates of the programme called `name`.

    scores: published frames by name (defection, lifetime_value, cross_sell, up_sell), None or absent where there are
    none. Raises SettingsError where the offer names an {item} and the programme is about none.
    """
    asked = _Asked(facts, as_of, name, programme, scores)
    _refuse_item_in_offer(asked)
    why_not = asked.lacking(*_NEEDS[programme.kind]) if programme.kind in _NEEDS else ""
    found = _nothing(why_not) if why_not else _KINDS[programme.kind](asked)
    brings = None if programme.kind == "persuade" else share_brought(facts, as_of, name, programme)
    customers = _finished(asked, found.customers, 1.0 if brings is None else brings.share)
    if found.why_not:
        return Candidates(name, customers, brings, why_not=found.why_not)
    return Candidates(name, customers, brings, (_assumed(programme, brings), *found.said, *_left_out(found)))


@dataclass(frozen=True)
class _Found:
    """customers: customer_id, at_stake, likely (chance that anything is at stake), item, reasons."""

    customers: pd.DataFrame
    said: tuple[str, ...] = ()
    why_not: str = ""


@dataclass(frozen=True)
class _Asked:
    """What is asked, and what is known of the customers for it."""

    facts: Facts
    as_of: dt.date
    name: str
    programme: Programme
    scores: Mapping[str, pd.DataFrame | None]

    @property
    def currency(self) -> str:
        return self.facts.settings.money.currency

    def score(self, name: str, columns: tuple[str, ...]) -> pd.DataFrame | None:
        """These scores, if they are there with these columns."""
        frame = self.scores.get(name)
        return frame if frame is not None and not self.lacking(name, columns) else None

    def lacking(self, name: str, columns: tuple[str, ...]) -> str:
        """Why these scores cannot be used, as a sentence; empty where they can."""
        frame = self.scores.get(name)
        if frame is None:
            return f"The programme {self.name} goes by {_FROM[name]}, and its scores are not there."
        missing = [column for column in columns if column not in frame]
        if missing:
            return f"The programme {self.name} goes by {_FROM[name]}, and its scores have no {', '.join(missing)}."
        return "" if len(frame) else f"The programme {self.name} goes by {_FROM[name]}, which scored nobody."

    @cached_property
    def known(self) -> pd.DataFrame:
        """By customer_id: margin_365d, days (of a year, from the first purchase), silent, active, net_sales_365d."""
        customers = snapshot(self.facts, self.as_of)
        money, definitions = self.facts.settings.money, self.facts.settings.definitions
        known = pd.DataFrame(
            {
                "margin_365d": margin(customers, gross_margin=money.gross_margin),
                "days": customers["T"].astype("float64").clip(SHORTEST_HISTORY, YEAR),
                "silent": customers["days_since_last_purchase"],
                "active": active(customers, within_days=definitions.active_within_days),
                "net_sales_365d": customers["net_sales_365d"],
            }
        )
        return known.set_index(pd.Index(customers["customer_id"], name="customer_id"))

    def of(self, customers: pd.Series[str], column: str) -> pd.Series[Any]:
        """A column of `known` for these customers, missing for those who never bought."""
        found: pd.Series[Any] = self.known[column].reindex(customers).set_axis(customers.index)
        return found

    def expected(self, customers: pd.Series[str]) -> tuple[pd.Series[float], str]:
        """The margin that these bring until the measuring date anyway; and from what it is told, as a sentence."""
        days = self.programme.measure_after_days
        values = self.score("lifetime_value", ("customer_id", "expected_margin"))
        if values is None:
            told = self.of(customers, "margin_365d") / self.of(customers, "days") * days
            return told.fillna(0.0), f"What customers bring in {days} days is taken from the margin of the last year."
        horizon = self.facts.settings.definitions.value_horizon_days
        told = values.set_index("customer_id")["expected_margin"].reindex(customers).set_axis(customers.index)
        return told.fillna(0.0) * days / horizon, (
            f"What customers bring in {days} days is taken from lifetime value, which looks {horizon} days ahead."
        )


def _retain(asked: _Asked) -> _Found:
    scored = asked.scores["defection"]
    assert scored is not None
    days, horizon = asked.programme.measure_after_days, asked.facts.settings.definitions.value_horizon_days
    words = scored["reasons"] if "reasons" in scored else pd.Series("", index=scored.index)
    own = [_own_reason(words, place) for place in range(REASONS_OF_DEFECTION)]
    silence = _where(words.fillna("") == "", _silence(asked, scored))
    found = pd.DataFrame(
        {
            "customer_id": scored["customer_id"],
            "at_stake": scored["value_at_risk"] * days / horizon,
            "likely": scored["probability"],
            "reasons": _together(*own, silence, _brought(asked, scored), _leaving(scored)),
        }
    )
    kept = asked.facts.settings.money.kept_by_contact
    return _Found(
        found,
        (
            f"At stake is the margin at risk of the defection page, for {days} of its {horizon} days.",
            f"That page assumes that a contact keeps {_percent(kept)} of leavers ([money] kept_by_contact); "
            "for this list the share of the programme counts.",
        ),
    )


def _win_back(asked: _Asked) -> _Found:
    days = asked.programme.measure_after_days
    known = asked.known
    gone = known.loc[~known["active"]]
    if gone.empty:
        return _nothing(f"Everybody who ever bought is active, so the programme {asked.name} has nobody to win back.")
    usual = float(known.loc[known["active"], "margin_365d"].median()) if known["active"].any() else 0.0
    best = _last_year_of_buying(asked).reindex(gone.index).fillna(0.0)
    valuable = gone[(best > 0) & (best >= usual)].reset_index()
    ids = valuable["customer_id"]
    best = best.reindex(ids).set_axis(ids.index)
    anyway, told = asked.expected(ids)
    if asked.score("lifetime_value", ("customer_id", "expected_margin")) is None:
        anyway, told = anyway * 0.0, "Lifetime value is not there: what they would bring anyway is not deducted."
    brought = _amounts(
        best, f"brought about {{:,.0f}} {asked.currency} of margin in the year up to the last purchase"
    )
    found = pd.DataFrame(
        {
            "customer_id": ids,
            "at_stake": (best / valuable["days"] * days - anyway).clip(lower=0.0),
            "likely": 1.0,
            "reasons": _together(brought, _silence(asked, valuable)),
        }
    )
    within = asked.facts.settings.definitions.active_within_days
    return _Found(
        found,
        (
            f"Of {len(gone):,} customers without a purchase in {within} days, {len(valuable):,} brought as much in "
            "the year up to their last purchase as the active customer in the middle in the last: "
            f"{usual:,.0f} {asked.currency} of margin.",
            f"At stake is what they brought a day then, for {days} days, less what they are likely to bring anyway.",
            told,
        ),
    )


def _last_year_of_buying(asked: _Asked) -> pd.Series[float]:
    """By customer, the margin of the 365 days up to the last purchase."""
    days = known_before(open_mart(asked.facts)["customer_days"], asked.as_of)
    last = days.group_by("customer_id").agg(nw.col("day").max().alias("last"))
    year = days.join(last, on="customer_id", how="inner").filter(nw.col("day") > nw.col("last") - YEAR)
    sums = to_pandas(
        year.group_by("customer_id").agg(
            nw.col("margin_known").sum().round(4), nw.col("sales_margin_unknown").sum().round(4)
        )
    ).set_index("customer_id")
    rate = asked.facts.settings.money.gross_margin
    best: pd.Series[float] = sums["margin_known"] + rate * sums["sales_margin_unknown"]
    return best


def _cross_sell(asked: _Asked) -> _Found:
    scored = asked.scores["cross_sell"]
    assert scored is not None
    horizon = asked.facts.settings.definitions.cross_sell_horizon_days
    best = _best_item(asked, scored, "item", "expected_margin")
    if best is None:
        return _nothing(_no_such_item(asked, scored["item"], "offered to anybody by the cross-sell scores"))
    likely = _amounts(best["probability"] * 100, f"{{:.0f}} % likely to buy it within {horizon} days anyway")
    return _Found(
        pd.DataFrame(
            {
                "customer_id": best["customer_id"],
                "at_stake": best["expected_margin"] * _part_of(asked, horizon),
                "likely": best["probability"],
                "item": best["item"],
                "reasons": _together(_because(best), likely, _brought(asked, best)),
            }
        ),
        (_about_horizon(asked, "the expected margin of the item", horizon),),
    )


def _because(best: pd.DataFrame) -> Texts:
    """What the customer buys that is a sign of the item, and how many of its buyers buy the item."""
    if not {"because", "because_share"} <= set(best.columns):
        return np.full(len(best), "", dtype=object)
    share = _amounts(best["because_share"].astype("float64") * 100, ", and {:.0f} % of its buyers buy ")
    told = "buys " + _texts(best["because"]) + share + _texts(best["item"])
    there = (best["because"].fillna("") != "") & best["because_share"].notna()
    return _where(there, told)


def _up_sell(asked: _Asked) -> _Found:
    scored = asked.scores["up_sell"]
    assert scored is not None
    horizon = asked.facts.settings.definitions.cross_sell_horizon_days
    best = _best_item(asked, scored, "category", "expected_extra_margin")
    if best is None:
        return _nothing(_no_such_item(asked, scored["category"], "in the up-sell table"))
    lower = "buys the lower-priced line of " + _texts(best["category"])
    likely = _amounts(
        best["probability"] * 100, f"{{:.0f}} % likely to buy the dearer one within {horizon} days anyway"
    )
    return _Found(
        pd.DataFrame(
            {
                "customer_id": best["customer_id"],
                "at_stake": best["expected_extra_margin"] * _part_of(asked, horizon),
                "likely": best["probability"],
                "item": best["category"],
                "reasons": _together(lower, likely, _brought(asked, best)),
            }
        ),
        (_about_horizon(asked, "the extra margin of the dearer line", horizon),),
    )


def _develop(asked: _Asked) -> _Found:
    values = asked.score("lifetime_value", ("customer_id", "long_margin"))
    if values is None:
        worth, by = asked.known["net_sales_365d"], "net sales of the last year"
    else:
        worth, by = values.set_index("customer_id")["long_margin"], "long-term margin"
    worth = worth.dropna()[lambda amount: amount > 0]
    best = worth.reset_index().set_axis(["customer_id", "worth"], axis=1)
    best = best.sort_values(["worth", "customer_id"], ascending=[False, True], ignore_index=True)
    best = best.head(-(-len(best) // round(1 / BEST_SHARE)))
    at_stake, told = asked.expected(best["customer_id"])
    among = np.full(len(best), f"among the best {_percent(BEST_SHARE)} by {by}", dtype=object)
    found = pd.DataFrame(
        {
            "customer_id": best["customer_id"],
            "at_stake": at_stake,
            "likely": 1.0,
            "reasons": _together(among, _brought(asked, best), _silence(asked, best)),
        }
    )
    return _Found(found, (f"The best {_percent(BEST_SHARE)} by {by}: {len(best):,} of {len(worth):,}.", told))


def _event(asked: _Asked) -> _Found:
    events = events_of(asked.facts, asked.as_of, asked.programme)
    if events.why_not:
        return _nothing(events.why_not)
    happening = events.customers
    at_stake, told = asked.expected(happening["customer_id"])
    reasons = _together(happening["reason"], _brought(asked, happening), _silence(asked, happening))
    found = pd.DataFrame(
        {"customer_id": happening["customer_id"], "at_stake": at_stake, "likely": 1.0, "reasons": reasons}
    )
    return _Found(found, (*events.said, told))


def _persuade(asked: _Asked) -> _Found:
    """Whoever experiments show that a contact changes, as a campaign of the kind named or of the first that fits."""
    scored = asked.scores["campaign_response"]
    assert scored is not None
    kinds = sorted(scored["kind"].unique())
    wanted = asked.programme.measured_as or _first_kind(scored, asked.programme.channels)
    if wanted not in kinds:
        return _nothing(f"No campaign of the kind {wanted} is scored, only {', '.join(kinds)}.")
    rows = scored[(scored["kind"] == wanted) & scored["expected_margin_added"].notna()]
    if rows.empty:
        return _nothing("Whom a contact changes is not known: no experiment has shown it (notebook 06).")
    if rows["expected_margin_added"].round(DECIMALS).nunique() == 1:
        return _nothing(
            f"The programme {asked.name} has nothing to choose by: customers cannot be told apart yet by what a "
            "contact changes, as all experiments together show the same for everybody (notebook 06)."
        )
    told = _amounts(rows["uplift"] * 100, "{:+.0f} points in the chance of a purchase by a contact")
    return _Found(
        pd.DataFrame(
            {
                "customer_id": rows["customer_id"],
                "at_stake": rows["expected_margin_added"],
                "likely": rows["uplift"].clip(lower=_LEAST_UPLIFT, upper=1.0).fillna(_LEAST_UPLIFT),
                "reasons": _together(told, _brought(asked, rows)),
            }
        ),
        (
            "The gain is of the days of a campaign, as the experiments had it; it may be read later, "
            f"{asked.programme.measure_after_days} days after sending, when it may have grown or gone.",
        ),
    )


def _first_kind(scored: pd.DataFrame, channels: list[str]) -> str:
    """The first kind by name that goes through one of these channels; where none does, the first of all."""
    fitting = scored[scored["channel"].isin(channels)] if "channel" in scored else scored.head(0)
    return str((scored if fitting.empty else fitting)["kind"].min())


_LEAST_UPLIFT = 0.005
"""Chance that a contact makes the difference, at least, where one is expected to add margin."""

_KINDS: dict[str, Callable[[_Asked], _Found]] = {
    "retain": _retain,
    "win_back": _win_back,
    "cross_sell": _cross_sell,
    "up_sell": _up_sell,
    "develop": _develop,
    "event": _event,
    "persuade": _persuade,
}


def _nothing(why: str) -> _Found:
    return _Found(pd.DataFrame({"customer_id": [], "at_stake": [], "likely": [], "reasons": []}), why_not=why)


def _finished(asked: _Asked, found: pd.DataFrame, share: float) -> pd.DataFrame:
    """The candidates with something at stake, as `Candidates.customers`; share: of it, what a contact brings."""
    found = found[found["at_stake"].astype("float64") > 0]
    item = found["item"] if "item" in found else pd.Series("", index=found.index)
    finished = pd.DataFrame(
        {
            "customer_id": found["customer_id"].astype("str"),
            "gain": (found["at_stake"] * share).astype("float64").round(DECIMALS),
            "at_stake": found["at_stake"].astype("float64").round(DECIMALS),
            "chance": (found["likely"] * share).astype("float64").round(DECIMALS),
            "item": item.astype("str"),
            "offer": _offers(asked.programme.offer, item),
            "reasons": found["reasons"].astype("str"),
        }
    )
    return finished.sort_values("customer_id", ignore_index=True)


def _offers(offer: str, item: pd.Series[str]) -> pd.Series[str]:
    """The offer with its item filled in; without words for it, the item itself."""
    words = {one: (offer or "{item}").replace("{item}", one) for one in item.unique()}
    return item.map(words).astype("str")


def _refuse_item_in_offer(asked: _Asked) -> None:
    if "{item}" in asked.programme.offer and asked.programme.kind not in ("cross_sell", "up_sell"):
        raise SettingsError(
            "An offer may name {item} where a programme is about items: cross_sell and up_sell.",
            found=f"programmes.{asked.name}, of the kind {asked.programme.kind}, offers {asked.programme.offer!r}",
            do="Write the offer without {item} in crm.toml.",
        )


def _assumed(programme: Programme, brings: ShareBrought | None) -> str:
    if brings is None:
        return "What a contact adds was measured by all experiments together; nothing is assumed of it."
    if brings.lists:
        lists = f"{brings.lists} measured list{'' if brings.lists == 1 else 's'}"
        return (
            f"A contact is reckoned to bring {brings.share:.1%} of what is at stake until "
            f"{programme.measure_after_days} days after sending: {_percent(brings.assumed)} is assumed "
            f"(makes_the_difference), and {lists} of it brought "
            f"{brings.measured:.1%} ({brings.low:.1%} to {brings.high:.1%}); both count by how sure they are."
        )
    return (
        f"A contact is assumed to bring {_percent(programme.makes_the_difference)} of what is at stake until "
        f"{programme.measure_after_days} days after sending (makes_the_difference), until a list has been measured."
    )


def _left_out(found: _Found) -> tuple[str, ...]:
    none = int((~(found.customers["at_stake"].astype("float64") > 0)).sum())
    return (f"{none:,} with nothing at stake are left out.",) if none else ()


def _best_item(asked: _Asked, scored: pd.DataFrame, item: str, amount: str) -> pd.DataFrame | None:
    """Of each customer the row of highest amount, of the programme's item if it names one; None without any."""
    wanted = asked.programme.item.strip().casefold()
    if wanted:
        names = [name for name in scored[item].unique() if str(name).strip().casefold() == wanted]
        scored = scored[scored[item].isin(names)]
    scored = scored[scored[amount].notna()]
    if scored.empty:
        return None
    customers, items = (pd.factorize(scored[name], sort=True) for name in ("customer_id", item))
    order = np.lexsort((items[0], -scored[amount].to_numpy(dtype="float64"), customers[0]))
    first = np.r_[True, np.diff(customers[0][order]) > 0]
    return scored.iloc[order[first]].reset_index(drop=True)


def _no_such_item(asked: _Asked, items: pd.Series[str], where: str) -> str:
    if not asked.programme.item:
        return f"No item is {where}, so the programme {asked.name} has nothing to offer."
    near = difflib.get_close_matches(
        asked.programme.item.upper(), [str(one) for one in items.unique()], n=1, cutoff=0.5
    )
    hint = f"; the nearest is {near[0]}" if near else ""
    return f"{asked.programme.item} is not {where}{hint}: the programme {asked.name} names it as its item."


def _part_of(asked: _Asked, horizon: int) -> float:
    """Of what is expected within the horizon, the part until the measuring date; never more than is expected."""
    return min(asked.programme.measure_after_days / horizon, 1.0)


def _about_horizon(asked: _Asked, what: str, horizon: int) -> str:
    days = asked.programme.measure_after_days
    return f"At stake is {what} within {horizon} days" + (f", {days} of them." if days < horizon else ".")


def _brought(asked: _Asked, customers: pd.DataFrame) -> Texts:
    words = f"brought about {{:,.0f}} {asked.currency} of margin in the last year"
    return _amounts(asked.of(customers["customer_id"], "margin_365d"), words)


def _silence(asked: _Asked, customers: pd.DataFrame) -> Texts:
    silent = asked.of(customers["customer_id"], "silent")
    days = _amounts(silent, "last purchase {:,.0f} days ago")
    return np.asarray(np.where(silent == 1, "last purchase yesterday", days), dtype=object)


def _own_reason(words: pd.Series[str], place: int) -> Texts:
    """The reason in this place of those that defection gives; within one there is no semicolon."""
    reason = words.fillna("").str.split(SEPARATOR_OF_DEFECTION).str[place].astype(object).fillna("")
    return _texts(reason.str.replace("; ", ", ", regex=False))


def _leaving(scored: pd.DataFrame) -> Texts:
    return _amounts(scored["probability"] * 100, "{:.0f} % likely to leave")


def _amounts(amounts: pd.Series[Any], words: str) -> Texts:
    """Each amount, rounded, in these words; empty where it is missing or rounds to nothing. Written once a value."""
    rounded = amounts.astype("float64").round()
    codes, values = pd.factorize(rounded)
    told = [words.format(value) if value > 0 else "" for value in values]
    return np.array([*told, ""], dtype=object)[codes]


def _texts(values: pd.Series[Any]) -> Texts:
    return np.asarray(values.fillna("").to_numpy(dtype=object))


def _where(those: pd.Series[bool], words: Texts) -> Texts:
    return np.asarray(np.where(those, words, ""), dtype=object)


def _together(*reasons: Texts | pd.Series[Any]) -> Texts:
    """The reasons that there are of each customer, three at most, joined by "; "."""
    told = np.asarray(reasons[0], dtype=object)
    count = (told != "").astype("int64")
    for further in (np.asarray(one, dtype=object) for one in reasons[1:]):
        more = (further != "") & (count < 3)
        between = np.where(more & (told != ""), "; ", "")
        told = told + between + np.where(more, further, "")
        count += more
    return np.asarray(told, dtype=object)


def _percent(share: float) -> str:
    return f"{100 * share:g} %"
