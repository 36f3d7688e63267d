"""One way to tell customers apart, and everything said of its segments."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from crm.analyses.segmentation.behaviour import Behaviour
from crm.analyses.segmentation.migration import Migration, migrate
from crm.analyses.segmentation.model import NOBODY
from crm.analyses.segmentation.money import costs, shares, shares_compared
from crm.analyses.segmentation.profile import composition, named_for, profile, standing_out, without_window
from crm.analyses.segmentation.unsaid import Reasons, unsaid
from crm.features import data_dictionary
from crm.mart import Mart

Kind = Literal["rfm", "clusters"]

MOST_TOLD = 5
"""What is told of a segment at most: as a rule two things that it is named for, and three others."""


@dataclass(frozen=True)
class Segments:
    """The segments of one kind: by RFM, or by behaviour.

    order:        all names, in their fixed order.
    numbers:      the number of each name, kept with it.
    customers:    one row per customer: customer_id, segment, net_sales_91d.
    actions:      one row per segment with customers: segment, customers, meaning, action.
    shares:       of customers, net sales and margin, one row per name (`money.shares`).
    profile:      every feature of every segment against the average customer (`profile.profile`); of clusters, the
                  average of those who bought within 365 days, who alone are told apart by behaviour.
    named_for:    the traits that the names speak of (`profile.named_for`); none for RFM, whose names tell scores.
    standing_out: those traits, then the few most marked rows of the profile, per segment.
    departments:  what each segment spends on (`profile.composition`); None without a table of products.
    channels:     where each segment orders; None where all orders come by one channel.
    costs:        discounts and returns against margin (`money.costs`).
    migration:    what moved since the previous date; None where there is too little history.
    unsaid:       what these data do not allow to be said, by section: a sentence each (`unsaid.unsaid`).
    """

    kind: Kind
    order: tuple[str, ...]
    numbers: Mapping[str, int]
    customers: pd.DataFrame = field(repr=False)
    actions: pd.DataFrame = field(repr=False)
    shares: pd.DataFrame = field(repr=False)
    profile: pd.DataFrame = field(repr=False)
    named_for: pd.DataFrame = field(repr=False)
    departments: pd.DataFrame | None = field(repr=False)
    channels: pd.DataFrame | None = field(repr=False)
    costs: pd.DataFrame = field(repr=False)
    migration: Migration | None = field(repr=False)
    unsaid: Mapping[str, str] = field(repr=False)

    @property
    def standing_out(self) -> pd.DataFrame:
        """What each segment is named for, then the few other features that mark it most, strongest first."""
        return _standing_out(self.profile, self.named_for, self.order)

    @property
    def shares_compared(self) -> pd.DataFrame:
        """The shares once more, one row per segment and count (`of`), for a chart."""
        return shares_compared(self.shares)


@dataclass(frozen=True)
class Known:
    """What is known about the customers of one date, in rows of equal order."""

    as_of: dt.date
    snapshot: pd.DataFrame
    behaviour: Behaviour
    mart: Mart

    @property
    def bought(self) -> pd.Series[bool]:
        """Who bought within 365 days."""
        return self.snapshot["purchase_days_365d"] > 0


def placed(known: Known, segment: pd.Series[str]) -> pd.DataFrame:
    """One row per customer: customer_id, segment, net_sales_91d."""
    rows = known.snapshot[["customer_id", "net_sales_91d"]].assign(segment=segment.to_numpy())
    return rows[["customer_id", "segment", "net_sales_91d"]].astype({"segment": "str"})


def describe_segments(
    kind: Kind,
    known: Known,
    *,
    segment: pd.Series[str],
    numbers: Mapping[str, int],
    words: pd.DataFrame,
    money: pd.DataFrame,
    before: tuple[dt.date, pd.DataFrame] | None,
    why: Reasons,
) -> Segments:
    """Everything said of the segments of one kind.

    segment: the name of each row of the snapshot.     numbers: of all names, in their order.
    words:   segment, meaning, action.                 money: `customer_money`.
    before:  the previous date and what `placed` gave then.
    why:     why some sections say nothing.
    """
    customers = placed(known, segment)
    names, order = customers["segment"], tuple(numbers)
    sizes = names.value_counts()
    present = [name for name in order if name in sizes.index]
    profiled, marks = _profile(kind, known, names, present), _named_for(kind, known, names, present)
    cost = costs(money, names, order=order)
    moved = None
    if before is not None:
        moved = migrate(before[1], customers, order=order, previous=before[0], as_of=known.as_of)
    found = {"costs": cost, "standing_out": _standing_out(profiled, marks, order)}
    return Segments(
        kind,
        order,
        dict(numbers),
        customers,
        actions=_actions(words, sizes, present),
        shares=shares(money, names, order=order),
        profile=profiled,
        named_for=marks,
        departments=_composition(known.behaviour.departments, names, present, name="department", why=why.department),
        channels=_composition(known.behaviour.channels, names, present, name="channel", why=why.channel),
        costs=cost,
        migration=moved,
        unsaid=unsaid(
            kind,
            found if moved is None else found | {"flows": moved.flows},
            names=names,
            bought=int(known.bought.sum()),
            why=why,
        ),
    )


def _standing_out(profiled: pd.DataFrame, named: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    others = standing_out(profiled)
    if named.empty:
        return others
    rows = pd.concat([named, others], ignore_index=True) if len(others) else named
    rows = rows[~rows.assign(feature=without_window(rows["feature"])).duplicated(["segment", "feature"])]
    rows = rows.groupby("segment", sort=False).head(MOST_TOLD)
    return rows.sort_values("segment", key=lambda names: names.map(list(order).index), kind="stable").reset_index(
        drop=True
    )


def _profile(kind: Kind, known: Known, names: pd.Series[str], present: Sequence[str]) -> pd.DataFrame:
    dictionary = data_dictionary(known.mart)
    if kind == "rfm":
        return profile(known.snapshot, names, order=present, dictionary=dictionary)
    bought = known.bought
    order = [name for name in present if name != NOBODY[1]]
    return profile(known.snapshot[bought], names[bought], order=order, dictionary=dictionary)


def _named_for(kind: Kind, known: Known, names: pd.Series[str], present: Sequence[str]) -> pd.DataFrame:
    bought = known.bought.to_numpy()
    told = [] if kind == "rfm" else present
    table, traits = known.behaviour.table[bought], known.behaviour.traits
    return named_for(table, names[bought], order=told, traits=traits)


def _actions(words: pd.DataFrame, sizes: pd.Series[int], present: Sequence[str]) -> pd.DataFrame:
    rows = words.set_index("segment").reindex(pd.Index(list(present), name="segment"))
    return rows.assign(customers=sizes.reindex(rows.index)).reset_index()[
        ["segment", "customers", "meaning", "action"]
    ]


def _composition(
    wide: pd.DataFrame | None, names: pd.Series[str], present: Sequence[str], *, name: str, why: str
) -> pd.DataFrame | None:
    return None if wide is None or why else composition(wide, names, order=present, name=name)
