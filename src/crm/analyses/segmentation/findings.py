"""What the segmentation found, in sentences made of its own numbers."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from crm.analyses import Addition, counted, not_one_person, not_there
from crm.analyses.segmentation.clusters import AS_GOOD, FEWEST_TOLD_APART, KEPT_BY_A_REFIT, STABLE
from crm.analyses.segmentation.migration import MONEY_DAYS, NEW
from crm.analyses.segmentation.model import NOBODY
from crm.analyses.segmentation.money import COSTS_MORE, COSTS_MORE_IF_WRITTEN_OFF, LEAST_MARGIN
from crm.analyses.segmentation.segments import Segments
from crm.analyses.segmentation.unsaid import where_assumed, why_one_segment
from crm.finding import Finding, Findings
from crm.headline import FEWEST_SHOWN, Headline, Trail

_WINDOW = re.compile(r"_\d+d$")

MARKS_TOLD = 4
_TRIED = "of {least} to {most} tried"
_UNSTABLE = " They are not stable: other customers of the same kind could well give other segments."

FAVOURITE_FROM = 0.05
"""A department is worth a sentence from this share of a segment's spending on."""

SHARP, SOME = 0.5, 0.25
"""Silhouettes from which groups stand apart reasonably, or weakly (Kaufman and Rousseeuw, 1990)."""


@dataclass(frozen=True)
class Evidence:
    """The results that the sentences are made of; see `Segmentation`."""

    as_of: dt.date
    currency: str
    gross_margin: float
    tables: tuple[str, ...]
    rfm: Segments
    clusters: Segments
    choice: pd.DataFrame
    best: pd.DataFrame
    best_profile: pd.DataFrame
    why_no_previous: str
    agreement: float
    approved: dt.date | None
    approved_agreement: float
    why_anew: str
    crowded: pd.DataFrame
    wanting: tuple[Addition, ...]

    @property
    def customers(self) -> int:
        return len(self.rfm.customers)

    @property
    def bought(self) -> int:
        """Customers who bought within 365 days."""
        return int((self.clusters.customers["segment"] != NOBODY[1]).sum())

    @property
    def where_assumed(self) -> str:
        """Where the gross margin is assumed, as a clause; empty: everywhere."""
        return where_assumed(self.wanting)

    def finding(self, name: str, template: str, values: dict[str, Any], table: pd.DataFrame | None = None) -> Finding:
        """A finding of this date, in this currency, about all customers unless `values` says otherwise."""
        common: dict[str, Any] = {"as_of": self.as_of, "currency": self.currency, "customers": self.customers}
        return Finding(name, template, common | values, self.as_of, table)


def all_findings(evidence: Evidence) -> Findings:
    """Every finding the evidence allows, what matters most first."""
    return Findings(
        [
            _best(evidence),
            _kinds(evidence),
            _rfm(evidence),
            not_one_person(evidence.crowded, evidence.as_of),
            *_moved(evidence),
            _best_traits(evidence),
            _choice(evidence),
            _names(evidence),
            *_clusters(evidence),
            *(_costs(evidence, one) for one in (evidence.rfm, evidence.clusters)),
            not_there(evidence.wanting, evidence.as_of),
        ]
    )


def headline(evidence: Evidence) -> Headline | None:
    """How few customers bring half of the margin."""
    kinds = evidence.clusters.shares[evidence.clusters.shares["customers"] >= FEWEST_SHOWN]
    kinds = kinds.sort_values("share_of_net_sales", ascending=False, kind="stable")
    customers = counted("customers", evidence.customers, "customer")
    return Headline.of(
        _best(evidence),
        "best_1",
        label="customers who bring {part_1:.0%} of the year's margin",
        sentence=f"That is {{share_1:.0%}} of {customers}. Each brings {{each:,.0f}} {{currency}}, {{times:.1f}} "
        "times the average.",
        trail=Trail.of(
            "Share of net sales, by kind of customer",
            kinds["segment"],
            kinds["share_of_net_sales"],
            drawn="named",
            unit="share",
        ),
    )


def _rfm(evidence: Evidence) -> Finding:
    filled = evidence.rfm.shares[evidence.rfm.shares["customers"] > 0]
    values: dict[str, Any] = {"segments": len(filled), "of": len(evidence.rfm.order)}
    for word, by in (("largest", "customers"), ("richest", "net_sales")):
        row = _first(filled.sort_values(by, ascending=False, kind="stable"))
        values |= {
            word: str(row["segment"]),
            f"{word}_customers": int(row["customers"]),
            f"{word}_share": float(row["share_of_customers"]),
            f"{word}_sales": float(row["share_of_net_sales"]),
        }
    template = (
        "As of {as_of}, the {customers:,} customers are found in {segments} of {of} RFM segments. The most are "
        "{largest}: {largest_customers:,} ({largest_share:.0%})"
    )
    if not evidence.bought:
        template += ". Nobody bought in the last 365 days."
    elif not filled["net_sales"].sum() > 0:
        template += ". Nothing was paid for in the last 365 days."
    elif values["richest"] == values["largest"]:
        template += ", and they bring the most too: {richest_sales:.0%} of the net sales of the last 365 days."
    else:
        template += (
            ". The most money comes from {richest}: "
            + counted("richest_customers", values["richest_customers"], "customer")
            + " ({richest_share:.0%}) bring {richest_sales:.0%} of the net sales of the last 365 days."
        )
    return evidence.finding("rfm", template, values)


def _kinds(evidence: Evidence) -> Finding | None:
    """All segments by behaviour in one sentence, the one that brings most first."""
    shares = evidence.clusters.shares[evidence.clusters.shares["customers"] > 0]
    rows = shares.sort_values("share_of_net_sales", ascending=False, kind="stable").to_dict("records")
    if len(rows) < 2:
        return None
    sold = float(shares["net_sales"].sum()) > 0
    values: dict[str, Any] = {"kinds": len(rows)}
    clauses = []
    for place, row in enumerate(rows, start=1):
        values |= {
            f"kind_{place}": str(row["segment"]),
            f"kind_{place}_customers": float(row["share_of_customers"]),
            f"kind_{place}_sales": float(row["share_of_net_sales"]),
        }
        sales = f", {{kind_{place}_sales:.0%}}" if sold else ""
        clauses.append(f"“{{kind_{place}}}” ({{kind_{place}_customers:.0%}}{sales})")
    template = "By behaviour there are {kinds} kinds, each with its share of customers"
    template += " and of the year's net sales: " if sold else ": "
    return evidence.finding("kinds", template + ", ".join(clauses) + ".", values, shares)


def _choice(evidence: Evidence) -> Finding:
    if evidence.choice.empty:
        return evidence.finding(
            "choice_of_k", "{why}", {"why": why_one_segment(evidence.bought), "bought": evidence.bought}
        )
    row = _first(evidence.choice[evidence.choice["chosen"]])
    values: dict[str, Any] = {
        name: float(row[name])
        for name in ("silhouette", "silhouette_low", "silhouette_high", "silhouette_by_chance", "stability",
                     "stability_low", "stability_high")
    }  # fmt: skip
    values |= {
        "k": int(row["k"]),
        "least": int(evidence.choice["k"].min()),
        "most": int(evidence.choice["k"].max()),
        "stable": STABLE,
        "as_good": AS_GOOD,
        "kept": KEPT_BY_A_REFIT,
        "fewest": FEWEST_TOLD_APART,
    }
    only_one = values["most"] == values["least"]
    tried = "the only number that so few customers allow" if only_one else _TRIED
    template = (
        f"{{k}} segments by behaviour, {tried}: "
        "found again from {kept:.0%} of the customers with an "
        "adjusted Rand index of {stability:.2f} ({stability_low:.2f} to {stability_high:.2f} in nine of ten refits), "
        "at a silhouette of {silhouette:.3f} ({silhouette_low:.3f} to {silhouette_high:.3f}; shuffled data give "
        "{silhouette_by_chance:.3f})."
    )
    return evidence.finding("choice_of_k", template + _rule(row, only_one=only_one) + _sharpness(row), values)


def _names(evidence: Evidence) -> Finding | None:
    """Where the names come from, unless these are the approved segments themselves, or the first ever."""
    if evidence.why_anew:
        return evidence.finding(
            "names", "The segments by behaviour are named anew: {why}.", {"why": evidence.why_anew}
        )
    if evidence.approved is None or evidence.approved_agreement != evidence.approved_agreement:
        return None
    if evidence.approved == evidence.as_of and evidence.approved_agreement == 1:
        return None
    template = (
        "Names and numbers are those of the approved segments of {approved}, wherever these were found again; "
        "{agreement:.0%} of those who bought within 365 days are where the approved segments would put them."
    )
    values = {"approved": evidence.approved, "agreement": evidence.approved_agreement}
    return evidence.finding("names", template, values)


def _rule(row: dict[str, Any], *, only_one: bool) -> str:
    if row["stability"] < STABLE or row["k"] < FEWEST_TOLD_APART:
        most_stable = " No number from {fewest} on was as stable as {stable:.1f}, so the most stable one was taken."
        return ("" if only_one else most_stable) + (_UNSTABLE if row["stability"] < STABLE else "")
    return (
        " Of the numbers from {fewest} on that are at least {stable:.1f} stable and whose silhouette is within "
        "{as_good:.0%} of the best, the largest was taken."
    )


def _sharpness(row: dict[str, Any]) -> str:
    if row["silhouette"] >= SHARP:
        return " The segments stand clearly apart."
    if row["silhouette"] >= SOME:
        return " The segments stand apart, but touch."
    return " Customers differ by degrees: the segments are regions without sharp borders, useful, but not species."


def _clusters(evidence: Evidence) -> Iterator[Finding]:
    """What sets each segment by behaviour apart, one sentence each; nothing where there is but one."""
    told, shares = evidence.clusters.standing_out, evidence.clusters.shares
    if (shares["customers"] > 0).sum() < 2:
        return
    sales = " with {share_of_net_sales:.0%} of sales" if float(shares["net_sales"].sum()) > 0 else ""
    for row in shares.to_dict("records"):
        if not row["customers"]:
            continue
        values: dict[str, Any] = {
            "segment": str(row["segment"]),
            "customers": int(row["customers"]),
            "share_of_customers": float(row["share_of_customers"]),
            "share_of_net_sales": float(row["share_of_net_sales"]),
        }
        template = (
            f"“{{segment}}”: {counted('customers', row['customers'], 'customer')} ({{share_of_customers:.0%}}){sales}"
        )
        number = evidence.clusters.numbers[values["segment"]]
        if number != NOBODY[0]:
            template += _marked(told[told["segment"] == row["segment"]].head(MARKS_TOLD), values, start=". With")
            template += _favourite(evidence.clusters.departments, values)
        yield evidence.finding(f"cluster_{number}", template + ".", values)


def _favourite(departments: pd.DataFrame | None, values: dict[str, Any]) -> str:
    """The clause about the department that has most more than its usual share, of those that matter."""
    if departments is None:
        return ""
    rows = departments[(departments["segment"] == values["segment"]) & departments["stands_out"]]
    rows = rows[(rows["index"] > 100) & (rows["share"] >= FAVOURITE_FROM)]
    rows = rows[~("share of " + rows["department"]).isin(list(values.values()))]  # told already, in the name
    if rows.empty:
        return ""
    row = _first(rows.sort_values("index", ascending=False, kind="stable"))
    values |= {
        "department": str(row["department"]),
        "department_share": float(row["share"]),
        "department_low": float(row["share_low"]),
        "department_high": float(row["share_high"]),
        "department_average": float(row["average_share"]),
    }
    return (
        "; {department} makes {department_share:.1%} of their spending ({department_low:.1%} to "
        "{department_high:.1%}), of everybody's {department_average:.1%}"
    )


def _marked(marks: pd.DataFrame, values: dict[str, Any], *, start: str) -> str:
    """The clause that tells the marks, after `start`; their numbers are added to `values`."""
    clauses = []
    for place, mark in enumerate(marks.to_dict("records"), start=1):
        values |= {
            f"feature_{place}": _WINDOW.sub("", str(mark["feature"])).replace("_", " "),
            f"index_{place}": float(mark["index"]),
            f"index_{place}_low": float(mark["index_low"]),
            f"index_{place}_high": float(mark["index_high"]),
        }
        clause = f"{{feature_{place}}} {{index_{place}:.0f}} ({{index_{place}_low:.0f}} to {{index_{place}_high:.0f}}"
        if values[f"feature_{place}"].startswith("share"):
            values |= {f"share_{place}": float(mark["mean"]), f"share_{place}_of_all": float(mark["average"])}
            clause += f"; {{share_{place}:.0%}}, all buyers {{share_{place}_of_all:.0%}}"
        clauses.append(clause + ")")
    return f"{start} the average buyer at 100: {', '.join(clauses)}" if clauses else ""


def _best(evidence: Evidence) -> Finding | None:
    if evidence.best.empty:
        return None
    rows = evidence.best.to_dict("records")
    values: dict[str, Any] = {"gross_margin": evidence.gross_margin}
    for place, row in enumerate(rows, start=1):
        values |= {f"best_{place}": int(row["customers"]), f"part_{place}": float(row["part_of_margin"])}
        values |= {f"share_{place}": float(row["share_of_customers"])}
    values |= {"times": float(rows[0]["times_average"]), "each": float(rows[0]["margin_per_customer"])}
    template = (
        "As of {as_of}, {best_1:,} of {customers:,} customers ({share_1:.0%}) bring {part_1:.0%} of the year's "
        "margin, {best_2:,} ({share_2:.0%}) bring {part_2:.0%} (gross margin of {gross_margin:.0%} assumed"
        f"{evidence.where_assumed}). "
        "Each of the first brings {each:,.0f} {currency}, {times:.1f} times the average."
    )
    return evidence.finding("best_customers", template, values, evidence.best)


def _best_traits(evidence: Evidence) -> Finding | None:
    if evidence.best_profile.empty:
        return None
    values: dict[str, Any] = {
        "best": int(evidence.best_profile["customers"].max()),
        "gross_margin": evidence.gross_margin,
    }
    template = (
        "What sets the {best:,} apart who bring half of the margin (gross margin of {gross_margin:.0%} assumed)"
    )
    template += _marked(evidence.best_profile.head(MARKS_TOLD), values, start=", with")
    return evidence.finding("best_customers_differ", template + ".", values)


def _costs(evidence: Evidence, segments: Segments) -> Finding | None:
    costs = segments.costs
    if costs["net_sales"].sum() <= 0:
        return None
    kind = "RFM" if segments.kind == "rfm" else "behaviour"
    losing = costs[costs["verdict"] == COSTS_MORE]
    written_off = costs[costs["verdict"] == COSTS_MORE_IF_WRITTEN_OFF]
    least = costs[costs["verdict"] == LEAST_MARGIN]
    told = next((rows for rows in (losing, written_off, least) if len(rows)), None)
    if told is None:
        return None
    row = _first(told.sort_values(["net_margin_rate", "segment"]))
    values: dict[str, Any] = {
        "kind": kind,
        "losing": len(losing),
        "worst": str(row["segment"]),
        "customers": int(row["customers"]),
        "net_sales": float(row["net_sales"]),
        "rate": float(row["net_margin_rate"]),
        "rate_low": float(row["net_margin_rate_low"]),
        "rate_high": float(row["net_margin_rate_high"]),
        "written_off": float(row["net_margin_written_off"]),
        "discount_rate": float(row["discount_rate"]),
        "return_rate": float(row["return_rate"]),
        "gross_margin": evidence.gross_margin,
        "who_cost": int(costs["customers_who_cost"].sum()),
        "all": int(costs["customers"].sum()),
    }
    if len(losing):
        template = "Segments by {kind} that cost more than they bring: {losing}. The worst: "
    elif len(written_off):
        template = (
            "By {kind}, one segment ends at {written_off:+,.0f} {currency} if what came back cannot be sold again: "
        )
    else:
        template = "No segment by {kind} costs more than it brings; the least margin for its sales: "
    template += (
        f"“{{worst}}” ({counted('customers', values['customers'], 'customer')}) "
        "keeps {rate:.1%} ({rate_low:.1%} to {rate_high:.1%}) of its net sales "
        "of {net_sales:,.0f} {currency} as margin, after discounts of {discount_rate:.0%} of list value"
    )
    template += " and returns of {return_rate:.0%}" if "returns" in evidence.tables else ""
    template += (
        ". {who_cost:,} of all {all:,} customers cost more than they bring (goods cost the same whatever is paid for "
        "them; gross margin of {gross_margin:.0%} assumed"
        f"{evidence.where_assumed})."
    )
    return evidence.finding(f"costs_{segments.kind}", template, values)


def _moved(evidence: Evidence) -> Iterator[Finding]:
    if evidence.why_no_previous:
        yield evidence.finding("no_migration", "{why}", {"why": evidence.why_no_previous})
        return
    for segments in (evidence.rfm, evidence.clusters):
        if segments.migration is not None and segments.migration.customers:
            yield _migration(evidence, segments)


def _migration(evidence: Evidence, segments: Segments) -> Finding:
    migration = segments.migration
    assert migration is not None
    flows = migration.flows
    moved = flows[(flows["from_segment"] != flows["to_segment"]) & (flows["from_segment"] != NEW)]
    values: dict[str, Any] = {
        "kind": "RFM" if segments.kind == "rfm" else "behaviour",
        "previous": migration.previous,
        "known": migration.customers,
        "stayed": migration.stayed,
        "share": migration.stayed / migration.customers,
        "new": int(flows.loc[flows["from_segment"] == NEW, "customers"].sum()),
        "days": MONEY_DAYS,
    }
    template = (
        "Of the {known:,} customers known on {previous}, {stayed:,} ({share:.0%}) are in the same segment by {kind} "
        "on {as_of}; {new:,} are new since."
    )
    if segments.kind == "clusters" and evidence.agreement == evidence.agreement:
        values["agreement"] = evidence.agreement
        template += (
            " Segments are found anew on each date; to {agreement:.0%} of the earlier customers it makes no "
            "difference whether the segments of then or of now are asked."
        )
    return evidence.finding(f"migration_{segments.kind}", template + _money_moved(moved, values), values)


def _money_moved(moved: pd.DataFrame, values: dict[str, Any]) -> str:
    """The sentence about who took most money along, and who brought most; their numbers are added to `values`."""
    ordered = moved.sort_values("change", kind="stable")
    lost, won = ordered[ordered["change"] < 0].head(1), ordered[ordered["change"] > 0].tail(1)
    clauses = []
    for word, rows, verb in (("lost", lost, "went"), ("won", won, "came")):
        for row in rows.to_dict("records"):
            values |= {f"{word}_from": str(row["from_segment"]), f"{word}_to": str(row["to_segment"])}
            values |= {f"{word}_customers": int(row["customers"]), f"{word}_money": float(row["change"])}
            clauses.append(
                f"{verb} with the {{{word}_customers:,}} who moved from “{{{word}_from}}” to “{{{word}_to}}” "
                f"({{{word}_money:+,.0f}} {{currency}} in {{days}} days)"
            )
    return f" Most money {', most '.join(clauses)}." if clauses else ""


def _first(rows: pd.DataFrame) -> dict[str, Any]:
    """The first of some rows."""
    return {str(name): value for name, value in rows.to_dict("records")[0].items()}
