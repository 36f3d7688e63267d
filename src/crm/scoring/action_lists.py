"""Whom do we contact, about what, through which channel, and what is it expected to bring?

Every programme names its candidates; who may not be contacted is left out; each customer gets at most one action, so
that all lists together bring most within budgets and capacities; and of each list some are left alone by lot, so that
the next run can tell what it achieved.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm.analyses import crowded_accounts, refuse_thin
from crm.analyses.campaign_success.planning import usual_margin
from crm.config import Programme
from crm.facts import Facts
from crm.finding import Findings
from crm.headline import Headline
from crm.measures.intervals import ERRORS
from crm.scoring.assignment import Assignment, Limits, assign
from crm.scoring.candidates import Candidates, candidates_of
from crm.scoring.export import as_csv
from crm.scoring.findings import all_findings, headline, measures
from crm.scoring.hold_out import Measurable, hold_out, measurable
from crm.scoring.learned import ShareBrought
from crm.scoring.needs import REQUIREMENTS
from crm.scoring.permission import may_contact, remarks_of
from crm.scoring.prices import CAPACITY, PRICES, PROGRAMME_BUDGET, SIZE
from crm.written_lists import ListToWrite, latencies, read_lists

TREATED, HELD_OUT = "treated", "held_out"
LEDGER = ("customer_id", "programme", "channel", "reason")
OPTIONS = (
    "customer_id", "programme", "channel", "gain", "cost", "at_stake", "chance", "item", "offer", "reasons"
)  # fmt: skip
ROWS = (
    "list_id", "rank", "customer_id", "arm", "channel", "offer", "item", "reasons", "expected_gain", "cost", "net",
    "at_stake", "chance", "owner", "send_by", "measure_on",
)  # fmt: skip
IMPORTED = ("customer_id", "channel", "offer", "item", "reasons", "rank", "list_id", "owner", "send_by", "measure_on")
"""What the file for the CRM holds of each customer to be contacted."""
SUMMARY = (
    "list_id", "programme", "kind", "owner", "channels", "offer", "candidates", "listed", "treated", "held_out",
    "send_by", "measure_on", "expected_gain", "cost", "expected_net", "low", "high", "smallest_seen", "measurable",
)  # fmt: skip

OTHER_PROGRAMME = "contacted by another programme, where it is worth more"
NOT_WORTH_IT = "not worth its cost"
NO_ROOM = "no budget, size or capacity is left for it"
NOT_ONE_PERSON = "an account that is not one person: a till, a reseller"
OVER_LIMIT = "the list would have gone beyond a limit"


@dataclass(frozen=True)
class ActionList:
    """One programme's list. rows: `ROWS`, the most worth first, both arms; expected_gain, cost, net of one contact.

    expected_gain, cost: of the treated together.     low, high: of the expected net gain, by chance alone, 95 %.
    candidates: whom the programme would have named.     held_out_share: asked for, or more where measuring needs it.
    brings: the share of what is at stake that a contact brings, assumed or measured; None of what is measured whole.
    said: what it assumes.     why_not: why it has no candidate.
    """

    list_id: str
    name: str
    programme: Programme
    as_of: dt.date
    candidates: int
    held_out_share: float
    rows: pd.DataFrame = field(repr=False)
    low: float
    high: float
    measurable: Measurable | None = field(repr=False)
    brings: ShareBrought | None
    said: tuple[str, ...]
    why_not: str
    byte_order_mark: bool

    @property
    def treated(self) -> pd.DataFrame:
        """Whom to contact."""
        return self.rows[self.rows["arm"] == TREATED].reset_index(drop=True)

    @property
    def held_out(self) -> int:
        """How many are left alone by lot."""
        return int((self.rows["arm"] == HELD_OUT).sum())

    @property
    def expected_gain(self) -> float:
        """Margin that the contacts are expected to add."""
        return float(self.treated["expected_gain"].sum())

    @property
    def cost(self) -> float:
        """Of the contacts and their offers."""
        return float(self.treated["cost"].sum())

    @property
    def expected_net(self) -> float:
        """What is expected to be left."""
        return self.expected_gain - self.cost

    @property
    def send_by(self) -> dt.date:
        """The last day on which it should be sent."""
        return self.as_of + dt.timedelta(days=self.programme.send_within_days)

    @property
    def to_write(self) -> ListToWrite:
        """What is handed over: everybody with the arm, and the file to import, of the treated alone."""
        told = self.programme
        return ListToWrite(
            list_id=self.list_id,
            programme=self.name,
            kind=told.kind,
            owner=told.owner,
            channels=list(told.channels),
            as_of=self.as_of,
            send_by=self.send_by,
            measure_on=self.measure_on,
            held_out_share=self.held_out_share,
            expected_gain=self.expected_gain,
            expected_low=self.low + self.cost,
            expected_high=self.high + self.cost,
            cost=self.cost,
            settings=told.model_dump(mode="json"),
            rows=self.rows,
            csv=as_csv(self.treated[list(IMPORTED)], byte_order_mark=self.byte_order_mark),
        )

    @property
    def measure_on(self) -> dt.date:
        """The day on which it can be read what it caused, if it is sent on the last day."""
        return self.send_by + dt.timedelta(days=self.programme.measure_after_days)


@dataclass(frozen=True)
class ActionLists:
    """Everything the page of action lists shows; money in `currency`.

    lists:      one per programme of crm.toml, in its order.
    ledger:     `LEDGER`, every candidate who is on no list, with the reason: one row per customer and programme.
    assignment: who gets what, and what more budget or capacity would bring; None where nobody may be contacted.
    earlier:    the lists of earlier dates, and how long they waited to be sent: `written_lists.LATENCIES`.
    remarks:    what should be known of how permission was decided.
    """

    as_of: dt.date
    currency: str
    consents: str
    lists: tuple[ActionList, ...]
    ledger: pd.DataFrame = field(repr=False)
    assignment: Assignment | None = field(repr=False)
    earlier: pd.DataFrame = field(repr=False)
    remarks: tuple[str, ...]
    facts: Facts = field(repr=False)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row per list: `SUMMARY`."""
        return pd.DataFrame([_row(one) for one in self.lists], columns=list(SUMMARY))

    @cached_property
    def left_out(self) -> pd.DataFrame:
        """How many candidates were left out for which reason: programme, reason, customers; the most first."""
        counted = self.ledger.groupby(["programme", "reason"], sort=False)["customer_id"].nunique()
        table = counted.rename("customers").reset_index()
        return table.sort_values(
            ["customers", "programme", "reason"], ascending=[False, True, True], ignore_index=True
        )

    @property
    def waiting(self) -> pd.DataFrame:
        """Earlier lists of which nobody has said whether they were sent: list_id, send_by."""
        asked = self.earlier[self.earlier["asked_after"].astype("bool")]
        return asked[["list_id", "send_by"]].reset_index(drop=True)

    @property
    def to_write(self) -> dict[str, ListToWrite]:
        """What `publish` hands over, by the name of the list; those that nobody is on are left out."""
        return {one.list_id: one.to_write for one in self.lists if len(one.treated)}

    @cached_property
    def findings(self) -> Findings:
        """The answers, most important first."""
        return all_findings(self)

    @property
    def headline(self) -> Headline | None:
        """The number of this page that stands on the front page; None where it could not be found."""
        return headline(self)

    @property
    def measures(self) -> dict[str, object]:
        """The numbers for results.json."""
        return measures(self)

    @cached_property
    def prices(self) -> pd.DataFrame:
        """Each limit of crm.toml, how much of it the lists use, and what one more of it would bring: `PRICES`."""
        if self.assignment is None or self.assignment.prices.empty:
            return pd.DataFrame(columns=list(PRICES))
        rows = [_told(row, self.lists, self.facts) for row in self.assignment.prices.to_dict("records")]
        return pd.DataFrame(rows, columns=list(PRICES))

    def of(self, programme: str) -> ActionList:
        """The list of one programme."""
        return next(one for one in self.lists if one.name == programme)


def plan_actions(
    facts: Facts,
    as_of: dt.date,
    *,
    scores: Mapping[str, pd.DataFrame | None],
    consents: pd.DataFrame | None = None,
) -> ActionLists:
    """Lists of whom to contact, by the programmes of crm.toml and the scores of this date.

    scores:   by the name of the score table: defection, lifetime_value, cross_sell, up_sell, campaign_response.
    consents: as they are at this moment (`permission.consents_now`); without them those of the facts.

    Raises NotEnoughData where crm.toml names no programme.
    """
    settings = facts.settings
    refuse_thin(REQUIREMENTS, facts, as_of)
    found = {
        name: candidates_of(facts, as_of, name, programme, scores) for name, programme in settings.programmes.items()
    }
    options, ledger = _options(facts, as_of, found, consents)
    assignment, shares = _assigned(facts, as_of, options)
    chosen = assignment.chosen if assignment is not None else options.assign(net=0.0)
    drawn = _drawn(facts, as_of, chosen, shares)
    kept = drawn[drawn["kept"]]
    lists = tuple(
        _list(facts, as_of, name, found[name], kept[kept["programme"] == name]) for name in settings.programmes
    )
    ledger = pd.concat([ledger, _not_chosen(options, chosen, kept)], ignore_index=True)
    return ActionLists(
        as_of=as_of,
        currency=settings.money.currency,
        consents=settings.contacts.consents,
        lists=lists,
        ledger=ledger.sort_values(["programme", "customer_id"], kind="stable", ignore_index=True),
        assignment=assignment,
        earlier=latencies(read_lists(settings.folders.data), as_of=as_of),
        remarks=remarks_of(facts, as_of),
        facts=facts,
    )


def _options(
    facts: Facts, as_of: dt.date, found: Mapping[str, Candidates], consents: pd.DataFrame | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The contacts that are permitted, one row per customer, programme and channel; and who may not be contacted."""
    costs = facts.settings.money.contact_cost
    nobodies = set(crowded_accounts(facts, as_of)["customer_id"])
    parts, refused = [], []
    for name, candidates in found.items():
        programme = facts.settings.programmes[name]
        until = as_of + dt.timedelta(days=programme.send_within_days)
        ids = candidates.customers["customer_id"]
        tills = ids[ids.isin(nobodies)]
        refused.append(
            pd.DataFrame({"customer_id": tills, "programme": name, "channel": "", "reason": NOT_ONE_PERSON})
        )
        ids = ids[~ids.isin(nobodies)]
        may = may_contact(facts, as_of, ids, programme.channels, consents=consents, until=until)
        allowed = may[may["allowed"]].merge(candidates.customers, on="customer_id", how="inner")
        cost = allowed["channel"].map(costs).astype("float64") + programme.offer_cost
        parts.append(allowed.assign(programme=name, cost=cost))
        nobody = ~may["customer_id"].isin(allowed["customer_id"])
        first = may[nobody].drop_duplicates("customer_id")  # of several channels the first one's reason
        refused.append(first.assign(programme=name)[list(LEDGER)])
    columns = [
        "customer_id",
        "programme",
        "channel",
        "gain",
        "cost",
        "at_stake",
        "chance",
        "item",
        "offer",
        "reasons",
    ]
    options = pd.concat(parts, ignore_index=True)[columns]
    options["programme"] = pd.Categorical(options["programme"], categories=list(found))
    return options, pd.concat(refused, ignore_index=True)


def _assigned(facts: Facts, as_of: dt.date, options: pd.DataFrame) -> tuple[Assignment | None, dict[str, float]]:
    """Who gets what, and the share of each list to be held out: what is asked for, or more where measuring needs it.

    Where more are held out than was reckoned with, it is assigned once more, so that no budget is left over.
    """
    shares = {name: programme.held_out_share for name, programme in facts.settings.programmes.items()}
    if options.empty:
        return None, shares
    first = assign(options, _limits(facts, shares))
    needed = {
        str(name): _share(facts, as_of, str(name), listed)
        for name, listed in first.chosen.groupby("programme", observed=True)
    }
    raised = shares | needed
    if raised == shares:
        return first, shares
    return assign(options, _limits(facts, raised, first.chosen)), raised


def _limits(facts: Facts, shares: Mapping[str, float], listed: pd.DataFrame | None = None) -> Limits:
    """What crm.toml allows, widened by those who will be left alone by lot: they cost nothing.

    listed: who is likely to be chosen. What limits several lists is widened as they need it together; without, by as
    much as the list of which fewest are left alone.
    """
    settings = facts.settings
    reached = {name: 1 - share for name, share in shares.items()}
    widest = max(reached.values())

    def together(rows: pd.DataFrame | None, weight: str | None) -> float:
        """Of what these lists take, the part that is used up."""
        if rows is None or rows.empty:
            return widest
        weights = rows[weight].to_numpy() if weight else np.ones(len(rows))
        treated = rows["programme"].astype("str").map(reached).to_numpy(dtype="float64")
        return float(np.average(treated, weights=weights)) if weights.sum() > 0 else widest

    return Limits(
        budget=None if settings.contacts.budget is None else settings.contacts.budget / together(listed, "cost"),
        budgets={
            name: programme.budget / reached[name]
            for name, programme in settings.programmes.items()
            if programme.budget is not None
        },
        sizes={name: one.size for name, one in settings.programmes.items() if one.size is not None},
        capacities={
            channel: most / together(None if listed is None else listed[listed["channel"] == channel], None)
            for channel, most in settings.contacts.capacity.items()
        },
    )


def _drawn(facts: Facts, as_of: dt.date, chosen: pd.DataFrame, shares: Mapping[str, float]) -> pd.DataFrame:
    """Everybody chosen, in their list and arm, the most worth first; kept: without who would go beyond a limit.

    Limits were widened for the held-out, whose number is exact and whose cost is not. Where nobody would be left to
    be contacted, nobody is held out.
    """
    ranked = chosen.sort_values(["net", "customer_id"], ascending=[False, True], kind="stable", ignore_index=True)
    ranked = ranked.assign(
        programme=ranked["programme"].astype("str"), list_id=[f"{one}-{as_of}" for one in ranked["programme"]]
    )
    arm = np.full(len(ranked), TREATED, dtype=object)
    for name, part in ranked.groupby("programme", sort=False):
        held = hold_out(part["customer_id"], f"{name}-{as_of}", shares[str(name)], strata=part["channel"])
        arm[part.index[held]] = HELD_OUT
    drawn = ranked.assign(arm=arm, share=ranked["programme"].map(shares))
    drawn = drawn.assign(kept=_within_limits(facts, drawn))
    while (bare := _without_treated(drawn)).any():
        drawn = drawn.assign(arm=drawn["arm"].mask(bare, TREATED), share=drawn["share"].mask(bare, 0.0))
        drawn = drawn.assign(kept=_within_limits(facts, drawn))
    return drawn


def _without_treated(drawn: pd.DataFrame) -> pd.Series[bool]:
    """The rows of lists on which only the held-out are left."""
    treated = (drawn["kept"] & (drawn["arm"] == TREATED)).groupby(drawn["programme"]).transform("any")
    listed = (drawn["kept"] & (drawn["arm"] == HELD_OUT)).groupby(drawn["programme"]).transform("any")
    return listed & ~treated


def _within_limits(facts: Facts, ranked: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Who can stay, the most worth first, without that the treated go beyond a limit."""
    contacts, programmes = facts.settings.contacts, facts.settings.programmes
    limits: list[tuple[str, str, str, float | None]] = [
        *(("programme", name, "cost", one.budget) for name, one in programmes.items()),
        *(("channel", channel, "count", most) for channel, most in contacts.capacity.items()),
        ("", "", "cost", contacts.budget),
    ]
    treated = (ranked["arm"] == TREATED).to_numpy()
    kept = np.ones(len(ranked), dtype=bool)
    for column, value, what, most in limits:
        if most is not None:
            here = kept if not column else kept & (ranked[column] == value).to_numpy()
            used = np.where(here & treated, ranked["cost"] if what == "cost" else 1.0, 0.0)
            kept &= ~(here & (np.cumsum(used) > most + 1e-9))
    return kept


def _share(facts: Facts, as_of: dt.date, name: str, listed: pd.DataFrame) -> float:
    """To be held out: what the programme asks for, or more where that makes the list measurable."""
    programme = facts.settings.programmes[name]
    planned = programme.held_out_share
    if not planned > 0:
        return planned  # nobody is to be held out: it is not to be measured
    sd = _spread(facts, as_of, programme, listed)
    return measurable(len(listed), planned, sd, float(listed["gain"].mean())).share_to_hold_out


def _spread(facts: Facts, as_of: dt.date, programme: Programme, listed: pd.DataFrame) -> float:
    """By how much what one of the listed brings differs from another's, in as many days as will be measured.

    Where they brought nothing lately, as those to be won back, it is taken from all active customers: whom a contact
    brings back will differ.
    """
    days = programme.measure_after_days
    own = usual_margin(facts, as_of, days=days, customers=listed["customer_id"]).sd_adjusted
    return own if own > 0 else usual_margin(facts, as_of, days=days).sd_adjusted


def _list(facts: Facts, as_of: dt.date, name: str, candidates: Candidates, chosen: pd.DataFrame) -> ActionList:
    programme = facts.settings.programmes[name]
    share = float(chosen["share"].iloc[0]) if len(chosen) else programme.held_out_share
    send_by = as_of + dt.timedelta(days=programme.send_within_days)
    rows = chosen.rename(columns={"gain": "expected_gain"}).assign(
        rank=np.arange(1, len(chosen) + 1),
        owner=programme.owner,
        send_by=send_by,
        measure_on=send_by + dt.timedelta(days=programme.measure_after_days),
    )
    rows = rows[list(ROWS)].reset_index(drop=True)
    treated = rows[rows["arm"] == TREATED]
    net = float(treated["net"].sum())
    # Each contact makes the difference or not; if it does, it brings gain / chance.
    gain, chance = treated["expected_gain"].to_numpy(), treated["chance"].to_numpy()
    some = chance > 0
    spread = float(np.sqrt((gain[some] ** 2 * (1 - chance[some]) / chance[some]).sum()))
    sd = _spread(facts, as_of, programme, rows) if len(rows) else float("nan")
    effect = float(treated["expected_gain"].mean()) if len(treated) else float("nan")
    return ActionList(
        list_id=f"{name}-{as_of}",
        name=name,
        programme=programme,
        as_of=as_of,
        candidates=len(candidates.customers),
        held_out_share=share,
        rows=rows,
        low=net - ERRORS * spread,
        high=net + ERRORS * spread,
        measurable=measurable(len(rows), share, sd, effect) if len(rows) else None,
        brings=candidates.brings,
        said=candidates.said,
        why_not=candidates.why_not,
        byte_order_mark=facts.settings.contacts.byte_order_mark,
    )


def _not_chosen(options: pd.DataFrame, chosen: pd.DataFrame, kept: pd.DataFrame) -> pd.DataFrame:
    """Why each permitted candidate of a programme is not on its list."""
    if options.empty:
        return pd.DataFrame(columns=list(LEDGER))
    named = options.assign(programme=options["programme"].astype("str"), net=options["gain"] - options["cost"])
    best = named.sort_values(["net", "channel"], ascending=[False, True], kind="stable")
    best = best.drop_duplicates(["customer_id", "programme"])
    got = chosen.assign(programme=chosen["programme"].astype("str")).set_index("customer_id")["programme"]
    on = set(zip(kept["customer_id"], kept["programme"], strict=True))
    best = best[[pair not in on for pair in zip(best["customer_id"], best["programme"], strict=True)]]
    gets = best["customer_id"].map(got)
    reason = np.select(
        [(gets == best["programme"]).to_numpy(), (best["net"] <= 0).to_numpy(), gets.notna().to_numpy()],
        [OVER_LIMIT, NOT_WORTH_IT, OTHER_PROGRAMME],
        default=NO_ROOM,
    )
    return best.assign(reason=reason)[list(LEDGER)]


def _told(
    row: Mapping[Hashable, Any], lists: tuple[ActionList, ...], facts: Facts
) -> tuple[str, str, float, float, float]:
    """A limit as crm.toml has it, and not widened for the held-out; for them nothing is spent and nothing comes."""
    kind, of, settings = str(row["limit"]), str(row["of"]), facts.settings
    treated = pd.concat([one.treated for one in lists], ignore_index=True)
    own = [one for one in lists if one.name == of]
    if kind == SIZE:
        programme = settings.programmes[of]
        used, most = float(len(own[0].rows)), float(programme.size or 0)
        return kind, of, used, most, float(row["price"]) * (1 - own[0].held_out_share)
    if kind == CAPACITY:
        used, most = float((treated["channel"] == of).sum()), float(settings.contacts.capacity[of])
    elif kind == PROGRAMME_BUDGET:
        used, most = own[0].cost, float(settings.programmes[of].budget or 0)
    else:
        used, most = float(treated["cost"].sum()), float(settings.contacts.budget or 0)
    return kind, of, used, most, float(row["price"])


def _row(one: ActionList) -> tuple[object, ...]:
    return (
        one.list_id, one.name, one.programme.kind, one.programme.owner, ", ".join(one.programme.channels),
        one.programme.offer, one.candidates, len(one.rows), len(one.treated), one.held_out, one.send_by,
        one.measure_on, one.expected_gain, one.cost, one.expected_net, one.low, one.high,
        one.measurable.smallest_effect if one.measurable else float("nan"),
        bool(one.measurable and one.measurable.seen),
    )  # fmt: skip


__all__ = ["HELD_OUT", "LEDGER", "ROWS", "SUMMARY", "TREATED", "ActionList", "ActionLists", "plan_actions"]
