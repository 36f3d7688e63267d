"""Which kinds of customers do we have?

`segment_customers(facts, as_of)` answers twice: by RFM, with names every marketer knows, and by behaviour, with
segments found in the data. Both are described, weighed in money, and followed from the previous as-of date.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import pandas as pd

from crm.analyses import Addition, absent, crowded_accounts, refuse_thin
from crm.analyses.segmentation.behaviour import DAYS, customer_behaviour
from crm.analyses.segmentation.findings import Evidence, all_findings, headline
from crm.analyses.segmentation.kinds import BehaviourKinds, find_kinds, previous_kinds
from crm.analyses.segmentation.migration import MONEY_DAYS, Migration
from crm.analyses.segmentation.model import NOBODY, ClusterModel
from crm.analyses.segmentation.money import best_customers, best_table, customer_money
from crm.analyses.segmentation.needs import REQUIREMENTS
from crm.analyses.segmentation.profile import profile, standing_out
from crm.analyses.segmentation.rfm import RFM_SEGMENTS, rfm_grid, score_rfm
from crm.analyses.segmentation.segments import Known, Segments, describe_segments, placed
from crm.analyses.segmentation.unsaid import reasons, where_assumed, why_one_segment
from crm.facts import Facts
from crm.features import data_dictionary
from crm.finding import Findings
from crm.headline import Headline
from crm.mart import open_mart
from crm.periods import date_of, day_number
from crm.snapshots import snapshot

RFM_NUMBERS = {segment.name: number for number, segment in enumerate(RFM_SEGMENTS, start=1)}
BEST, OTHERS = "the best", "the others"


@dataclass(frozen=True)
class Segmentation:
    """Everything the segmentation page shows; money in `currency`, of the last 365 days where nothing else is said.

    rfm, clusters:  the segments of each kind (`Segments`).
    rfm_grid:       customers and net sales in each of the 25 cells of recency and value.
    choice_of_k:    how the number of segments by behaviour was chosen (`clusters.choose`).
    model:          the segments by behaviour as an object that places any customer.
    best_table:     how few customers bring half, and four fifths, of the margin.
    best_profile:   what sets those who bring half of it apart.
    best_segments:  where they are: customers of them by RFM segment and cluster, with their share of each segment.
    best_ids:       their customer_ids.
    previous:       the previous as-of date; None, and `why_no_previous` says why, where there is too little history.
    agreement:      share of the previous date's customers to whom today's segments and those found anew on the
                    previous date give the same name; NaN without a previous date.
    approved:       the date of the approved segments whose names are kept; None where the segments are named anew,
                    and `why_anew` says why if there were some.
    approved_agreement: share of those who bought within 365 days to whom the approved segments would give the same
                    name; NaN without.
    crowded:        accounts that are probably not one person (`crowded_accounts`).
    wanting:        what the source does not have and would add something.
    """

    as_of: dt.date
    currency: str
    gross_margin: float
    seed: int
    tables: tuple[str, ...]
    rfm: Segments
    clusters: Segments
    rfm_customers: pd.DataFrame = field(repr=False)
    rfm_grid: pd.DataFrame = field(repr=False)
    choice_of_k: pd.DataFrame = field(repr=False)
    model: ClusterModel
    best_table: pd.DataFrame = field(repr=False)
    best_profile: pd.DataFrame = field(repr=False)
    best_segments: pd.DataFrame = field(repr=False)
    best_ids: tuple[str, ...] = field(repr=False)
    previous: dt.date | None
    why_no_previous: str
    agreement: float
    approved: dt.date | None
    approved_agreement: float
    why_anew: str
    crowded: pd.DataFrame = field(repr=False)
    wanting: tuple[Addition, ...] = field(repr=False)
    scores: pd.DataFrame = field(repr=False)

    @property
    def findings(self) -> Findings:
        """The answers, most important first; what the data cannot say is said in a sentence of its own."""
        return all_findings(self._evidence)

    @property
    def headline(self) -> Headline | None:
        """The number of this page that stands on the front page; None where it could not be found."""
        return headline(self._evidence)

    @property
    def measures(self) -> dict[str, object]:
        """The numbers for results.json."""
        moved = {
            kind: {"known_on_both": one.migration.customers, "stayed": one.migration.stayed}
            for kind, one in (("rfm", self.rfm), ("clusters", self.clusters))
            if one.migration is not None
        }
        return {
            "customers": len(self.scores),
            "k": len(self.model.centres),
            "choice_of_k": self.choice_of_k,
            "rfm_shares": self.rfm.shares,
            "cluster_shares": self.clusters.shares,
            "rfm_costs": self.rfm.costs,
            "cluster_costs": self.clusters.costs,
            "best_customers": self.best_table,
            "migration": moved,
            "agreement": self.agreement,
            "approved_agreement": self.approved_agreement,
            "model_content": self.model.content,
        }

    @property
    def _evidence(self) -> Evidence:
        return Evidence(
            as_of=self.as_of,
            currency=self.currency,
            gross_margin=self.gross_margin,
            tables=self.tables,
            rfm=self.rfm,
            clusters=self.clusters,
            choice=self.choice_of_k,
            best=self.best_table,
            best_profile=self.best_profile,
            why_no_previous=self.why_no_previous,
            agreement=self.agreement,
            approved=self.approved,
            approved_agreement=self.approved_agreement,
            why_anew=self.why_anew,
            crowded=self.crowded,
            wanting=self.wanting,
        )

    @property
    def where_assumed(self) -> str:
        """Where the gross margin is assumed, as a clause; empty: everywhere."""
        return where_assumed(self.wanting)

    @property
    def unsaid(self) -> dict[str, str]:
        """What these data do not allow to be said, by section (choice_of_k, best, best_differ): a sentence each."""
        sections = {}
        if self.choice_of_k.empty:
            sections["choice_of_k"] = why_one_segment(self.model.customers)
        if self.best_table.empty:
            sections["best"] = f"Nobody brought any margin in the {DAYS} days before {self.as_of}."
        if self.best_profile.empty:
            alike = "Those who bring half of the margin differ from the others by no more than chance may do."
            sections["best_differ"] = sections.get("best", alike)
        return sections


def segment_customers(
    facts: Facts, as_of: dt.date, *, earlier: ClusterModel | None = None, why_anew: str = ""
) -> Segmentation:
    """Every customer with a purchase before `as_of`, in a named segment by RFM and in one by behaviour.

    earlier:  segments by behaviour of an earlier run, whose names are kept where they are found again; without, the
              segments are named from what sets them apart now.
    why_anew: why there are none, where that has to be said: "the approved segments are of another source".

    The same facts, date, seed and earlier segments give the same scores, byte for byte. Raises NotEnoughData when
    fewer than five customers, or on fewer than two days, had bought anything before `as_of` (`REQUIREMENTS`).
    """
    settings, wanting = facts.settings, absent(REQUIREMENTS, facts)
    refuse_thin(REQUIREMENTS, facts, as_of)
    seed, gross_margin = settings.runs.seed, settings.money.gross_margin
    known = _known(facts, as_of)
    scored = score_rfm(known.snapshot)
    kinds = find_kinds(known, seed=seed, earlier=earlier)
    money = customer_money(known.snapshot, gross_margin=gross_margin)
    previous, why_no_previous = previous_date(facts, as_of)
    why = reasons(known.behaviour, wanting, migration=why_no_previous)
    before = None if previous is None else _previous(_known(facts, previous), kinds.model, seed=seed)
    rfm = describe_segments(
        "rfm",
        known,
        segment=scored["rfm_segment"],
        numbers=RFM_NUMBERS,
        words=pd.DataFrame([{"segment": s.name, "meaning": s.meaning, "action": s.action} for s in RFM_SEGMENTS]),
        money=money,
        before=None if before is None else (before.as_of, before.rfm),
        why=why,
    )
    clusters = describe_segments(
        "clusters",
        known,
        segment=kinds.segments["cluster_name"],
        numbers=_numbers_of_both(kinds, before),
        words=kinds.words,
        money=money,
        before=None if before is None else (before.as_of, before.clusters),
        why=why,
    )
    best = best_customers(money, known.snapshot["customer_id"])
    half = min(best)
    scores = scored[["customer_id", "rfm_segment"]].assign(
        cluster=kinds.segments["cluster"].to_numpy(), cluster_name=kinds.segments["cluster_name"].to_numpy()
    )
    return Segmentation(
        as_of=as_of,
        currency=settings.money.currency,
        gross_margin=gross_margin,
        seed=seed,
        tables=tuple(sorted(known.mart.tables)),
        rfm=rfm,
        clusters=clusters,
        rfm_customers=scored,
        rfm_grid=rfm_grid(scored),
        choice_of_k=kinds.choice,
        model=kinds.model,
        best_table=best_table(money, best),
        best_profile=_best_profile(known, best[half]),
        best_segments=_best_segments(best[half], rfm, clusters),
        best_ids=tuple(known.snapshot.loc[best[half], "customer_id"]),
        previous=previous,
        why_no_previous=why_no_previous,
        agreement=float("nan") if before is None else before.kinds.agreement,
        approved=None if earlier is None else earlier.as_of,
        approved_agreement=kinds.agreement,
        why_anew=why_anew,
        crowded=crowded_accounts(facts, as_of),
        wanting=wanting,
        scores=scores.astype({"rfm_segment": "str", "cluster_name": "str"}),
    )


def previous_date(facts: Facts, as_of: dt.date) -> tuple[dt.date | None, str]:
    """The previous as-of date, or None and why there is none; it needs 91 days of history to look back on."""
    days = facts.settings.definitions.migration_days
    previous = date_of(day_number(as_of) - days)
    if day_number(previous) - facts.first_day >= MONEY_DAYS:
        return previous, ""
    return None, (
        f"What moved since {previous} cannot be said: that takes {MONEY_DAYS} days of purchases before it, and the "
        f"first purchase is of {date_of(facts.first_day)}."
    )


@dataclass(frozen=True)
class _Before:
    """Who was where on the previous date, by RFM and by behaviour."""

    as_of: dt.date
    rfm: pd.DataFrame
    clusters: pd.DataFrame
    kinds: BehaviourKinds


def _known(facts: Facts, as_of: dt.date) -> Known:
    mart = open_mart(facts)
    customers = snapshot(facts, as_of)
    return Known(as_of, customers, customer_behaviour(customers, mart, as_of), mart)


def _previous(before: Known, today: ClusterModel, *, seed: int) -> _Before:
    kinds = previous_kinds(before, today, seed=seed)
    return _Before(
        before.as_of,
        rfm=placed(before, score_rfm(before.snapshot)["rfm_segment"]),
        clusters=placed(before, kinds.segments["cluster_name"]),
        kinds=kinds,
    )


def _numbers_of_both(today: BehaviourKinds, before: _Before | None) -> dict[str, int]:
    """Today's names by their numbers, then those that only the previous date had, then who bought nothing."""
    numbers = today.numbers
    if before is not None:
        numbers |= {name: number for name, number in before.kinds.numbers.items() if name not in numbers}
    return dict(sorted(numbers.items(), key=lambda pair: pair[1] == NOBODY[0]))


def _best_profile(known: Known, best: pd.Series[bool]) -> pd.DataFrame:
    """What sets the best apart from the others: the few features that mark them most."""
    names = best[known.bought].map({True: BEST, False: OTHERS}).astype("str")
    compared = profile(known.snapshot[known.bought], names, order=[BEST], dictionary=data_dictionary(known.mart))
    return standing_out(compared, most=6)


def _best_segments(best: pd.Series[bool], rfm: Segments, clusters: Segments) -> pd.DataFrame:
    """One row per segment with customers: kind, segment, customers, best (how many of them), share_best."""
    parts = []
    for kind, one in (("rfm", rfm), ("clusters", clusters)):
        counted = best.groupby(one.customers["segment"]).agg(customers="size", best="sum")
        counted = counted.reindex([name for name in one.order if name in counted.index])
        parts.append(counted.rename_axis("segment").reset_index().assign(kind=kind))
    table = pd.concat(parts, ignore_index=True).astype({"best": "int64", "customers": "int64"})
    table["share_best"] = table["best"] / table["customers"]
    return table[["kind", "segment", "customers", "best", "share_best"]]


__all__ = [
    "NOBODY",
    "REQUIREMENTS",
    "RFM_SEGMENTS",
    "ClusterModel",
    "Migration",
    "Segmentation",
    "Segments",
    "previous_date",
    "segment_customers",
]
