"""Understanding those who left: when, after what, with how much money, and who came back.

`understand_defection(facts, as_of)` answers from what is known strictly before the as-of date.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pandas as pd

from crm.analyses.defection.labels import Stake, stake_of
from crm.analyses.defection.understanding.beginnings import cohort, first_channel, first_department
from crm.analyses.defection.understanding.changes import Matched, changes, changes_by_date, dropped, matched
from crm.analyses.defection.understanding.curves import EVERYBODY, defection_curves, log_rank
from crm.analyses.defection.understanding.findings import all_findings
from crm.analyses.defection.understanding.lives import lives
from crm.analyses.defection.understanding.losses import losses
from crm.analyses.defection.understanding.occasions import YEAR, customers_on, dates, partial_beside_full, still_gone
from crm.analyses.defection.understanding.result import Understanding
from crm.analyses.defection.understanding.returning import coming_back, silences
from crm.analyses.defection.understanding.unsaid import unsaid
from crm.analyses.defection.understanding.when import by_purchase, by_tenure
from crm.facts import Facts
from crm.finding import Findings
from crm.mart import open_mart
from crm.periods import day_number, read_date

FEWEST_JOINED = 20
"""Of fewer customers who were seen to join, the parts of a life are told of all, since their first purchase known."""

Groups = dict[str, "pd.Series[str]"]


def understand_defection(
    facts: Facts, as_of: dt.date | str, *, segments: pd.DataFrame | None = None
) -> Understanding:
    """Who left, when in their life, after what, with how much money, and who came back?

    segments: scores of the segmentation (customer_id, cluster_name), for curves and losses by segment; None leaves
    these out. The same facts, date, segments and seed give the same tables. What the data do not allow is empty, and
    `unsaid` says why.
    """
    as_of, stake = read_date(as_of), stake_of(facts)
    watched, groups = lives(facts, as_of, stake), _groups(facts, as_of, segments)
    kinds = _kinds(watched, groups)
    on = dates(facts, as_of, stake)
    occasions = _occasions(facts, as_of, on, stake)
    pairs = matched(facts, occasions, stake)
    changed = changes(pairs)
    lately = tuple(date for date in on if day_number(date) >= day_number(as_of) - YEAR)
    gone = silences(facts, as_of, stake)
    seen = watched[watched["joined"]]
    understanding = Understanding(
        as_of=as_of,
        stake=stake,
        currency=facts.settings.money.currency,
        dates=on,
        lives=len(watched),
        left=int(watched["left"].sum()),
        joined=len(seen),
        curves=defection_curves(watched, kinds),
        tests=log_rank(watched, {kind: names for kind, names in kinds.items() if kind not in _ALONE}),
        by_purchase=by_purchase(seen),
        by_tenure=by_tenure(seen if len(seen) >= FEWEST_JOINED else watched),
        partial=partial_beside_full(occasions),
        leavers=pairs.leavers,
        pairs=pairs.pairs,
        stayers=len(pairs.rows) - pairs.pairs,
        changes=changed,
        changes_by_date=changes_by_date(pairs, list(changed.loc[changed["side"] == "service", "measure"])),
        dropped=dropped(facts, pairs, stake),
        losses=_losses(facts, occasions, pairs, groups, lately),
        loss_dates=lately,
        returned=coming_back(gone),
        gone=len(gone),
        came_back=int(gone["left"].sum()),
        unsaid={},
        findings=Findings([]),
    )
    understanding = replace(understanding, unsaid=unsaid(understanding, pairs.measures))
    return replace(understanding, findings=all_findings(understanding))


_ALONE = frozenset({"all", "joined"})
"""Kinds with one group."""


def _groups(facts: Facts, as_of: dt.date, segments: pd.DataFrame | None) -> Groups:
    """What each customer belongs to, by customer_id, per kind that the data know."""
    mart = open_mart(facts)
    found: dict[str, pd.Series[str] | None] = {
        "segment": None if segments is None else segments.set_index("customer_id")["cluster_name"].astype("str"),
        "department": first_department(mart, as_of),
        "channel": first_channel(mart, as_of),
    }
    return {kind: names for kind, names in found.items() if names is not None}


def _kinds(watched: pd.DataFrame, groups: Groups) -> Groups:
    """The group of each life, per kind: by segment of all, by what was bought first of those seen to join."""
    seen = watched[watched["joined"]]
    everybody = pd.Series(EVERYBODY, index=watched.index, dtype="str")
    kinds = {"all": everybody, "joined": everybody.loc[seen.index], "cohort": cohort(seen["first_day"])}
    for kind, names in groups.items():
        of = watched if kind == "segment" else seen
        kinds[kind] = of["customer_id"].map(names.astype("object")).dropna().astype("str")
    return kinds | ({"plan": watched["plan"].dropna().astype("str")} if "plan" in watched else {})


def _occasions(facts: Facts, as_of: dt.date, on: tuple[dt.date, ...], stake: Stake) -> pd.DataFrame:
    """Who was at stake, of all dates; no rows where there is no date."""
    if not on:
        return pd.DataFrame(_NOBODY)
    tables = pd.concat([customers_on(facts, date, stake) for date in on], ignore_index=True)
    return tables.assign(gone=still_gone(facts, as_of, tables, stake))


_NOBODY = {
    **{name: pd.Series(dtype="str") for name in ("customer_id", "date")},
    **{name: pd.Series(dtype="int64") for name in ("first_day", "last_day", "purchase_days", "T")},
    **{name: pd.Series(dtype="float64") for name in ("net_sales_182d", "net_sales_365d", "margin_365d")},
    **{name: pd.Series(dtype="bool") for name in ("left", "left_partly", "gone")},
}


def _losses(
    facts: Facts, occasions: pd.DataFrame, pairs: Matched, groups: Groups, lately: tuple[dt.date, ...]
) -> pd.DataFrame:
    """What left with those of the dates of the last year who have not come back, by sign, segment and department."""
    first_day = facts.first_day
    history = {date: float(day_number(date) - first_day) for date in lately}
    rows = pairs.rows["date"].isin(list(lately)) & (pairs.rows["gone"] | ~pairs.rows["left"])
    some = replace(pairs, rows=pairs.rows[rows], recent=pairs.recent[rows], earlier=pairs.earlier[rows])
    of_year = occasions[occasions["date"].isin(list(lately)) & occasions["gone"]]
    told = {kind: names for kind, names in groups.items() if kind != "channel"}
    return losses(of_year, some, told, history_days=of_year["date"].map(history).astype("float64"))


__all__ = ["Understanding", "understand_defection"]
