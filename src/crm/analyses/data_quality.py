"""Can we trust this data? What came in, what was kept, what was set aside and why, and what looks odd.

Source of the rules: the contracts (`crm.contracts`); source of the figures: the facts as they were checked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import narwhals as nw
import pandas as pd

from crm.analyses import (
    Addition,
    Minimum,
    Requirements,
    absent,
    counted,
    crowded_accounts,
    left_out,
    not_one_person,
    refuse_thin,
)
from crm.contracts import CONTRACTS
from crm.engine import Lazy, to_pandas
from crm.facts import Facts
from crm.finding import Finding, Findings
from crm.headline import Headline, Trail
from crm.periods import date_of, day_number, read_date

REQUIREMENTS = Requirements(
    notebook="00_data_quality",
    question="Can we trust this data?",
    minima=(Minimum("purchase_days", 1, "there is nothing to examine before the first purchase"),),
    additions=(
        Addition("purchases", "quantity", "lines with an amount but no quantity"),
        Addition("purchases", "product_id", "lines of products that are not known"),
        Addition("products", None, "lines of products that are not known"),
        Addition("products", "category", "lines of products without a category"),
        Addition("customers", None, "registered customers who never bought, and buyers who are not registered"),
        Addition("responses", None, "responses of people who were not contacted"),
        Addition("deliveries", None, "deliveries of orders that are not there"),
    ),
)

CENT = Decimal("0.01")
LINES_TO_TELL_HOURS = 1_000  # with fewer, which hour is the quietest is chance


@dataclass(frozen=True)
class DataQuality:
    """Everything the data-quality page shows.

    tables:    one row per table of the source: rows, set_aside, became_returns, from_purchases, kept, first, last,
               sha256; kept = rows - set_aside - became_returns + from_purchases.
    outcomes:  one row per table and reason a row was not kept: rows, share of the table's rows, money.
    money:     the reconciliation of every table with money: in = kept + became returns + set aside, to the cent.
    coverage:  every canonical table, whether it is there, and what it unlocks.
    filled:    per table and column, the share of kept rows that have a value.
    freshness: per table, the newest known day, days of silence before the as-of date, rows on or after it.
    oddities:  what is allowed by the contracts and yet worth a look, with the count and what was done.
    crowded:   accounts that are probably not one person (`crowded_accounts`).
    unsaid:    what these data do not allow to be said, by section: a sentence each.
    """

    as_of: dt.date
    currency: str
    tables: pd.DataFrame
    outcomes: pd.DataFrame
    money: pd.DataFrame
    coverage: pd.DataFrame
    filled: pd.DataFrame
    freshness: pd.DataFrame
    oddities: pd.DataFrame
    crowded: pd.DataFrame
    unsaid: dict[str, str]
    notes: tuple[str, ...]
    timezone: str

    @property
    def reconciles(self) -> bool:
        """Is the money of every table accounted for, to the cent?"""
        return bool((self.money["difference"] == 0).all())

    @property
    def findings(self) -> Findings:
        """Rows and money, freshness, coverage, oddities: in the order in which they matter."""
        return Findings(
            [
                self._rows(),
                self._money(),
                self._freshness(),
                not_one_person(self.crowded, self.as_of),
                self._coverage(),
                self._oddities(),
            ]
        )

    @property
    def headline(self) -> Headline | None:
        """The number of this page that stands on the front page."""
        some = self.tables[self.tables["rows"] > 0]
        return Headline.of(
            self._rows(),
            "kept_share",
            label="purchase lines kept, of those that came in",
            unit="share",
            better="more",
            sentence="{kept:,} of {rows:,} purchase lines are kept; {set_aside:,} are set aside with their reason.",
            trail=Trail.of(
                "Rows kept, by table", some["table"], some["kept"] / some["rows"], drawn="named", unit="share"
            ),
        )

    @property
    def measures(self) -> dict[str, Any]:
        """The numbers for results.json."""
        return {
            "tables": self.tables[["table", "rows", "kept", "set_aside", "became_returns"]].to_dict("records"),
            "reasons": self.outcomes[["table", "reason", "rows"]].to_dict("records"),
            "reconciles": self.reconciles,
            "silent_days": _row(self.freshness)["silent_days"],
            "oddities": self.oddities.set_index("what")["count"].to_dict(),
        }

    def _rows(self) -> Finding:
        purchases = _row(self.tables)
        values = {
            "rows": int(purchases["rows"]),
            "kept": int(purchases["kept"]),
            "kept_share": purchases["kept"] / purchases["rows"],
            "set_aside": int(purchases["set_aside"]),
            "became_returns": int(purchases["became_returns"]),
            "reasons": int((self.outcomes["table"] == "purchases").sum()),
        }
        if values["kept"] == values["rows"]:
            all_kept = "All {rows:,} purchase lines that came in are kept."
            template = all_kept if values["rows"] > 1 else "The one purchase line that came in is kept."
            return Finding("rows", template, values, self.as_of)
        also = ", {became_returns:,} became returns" if values["became_returns"] else ""
        template = "Of {rows:,} purchase lines that came in, {kept:,} ({kept_share:.2%}) are kept" + also
        template += (
            " and {set_aside:,} are set aside with their reason." if values["set_aside"] else "; none is set aside."
        )
        return Finding("rows", template, values, self.as_of)

    def _money(self) -> Finding:
        purchases = _row(self.money)
        values = {
            "came_in": float(purchases["came_in"]),
            "kept": float(purchases["kept"]),
            "set_aside": float(purchases["set_aside"]),
            "became_returns": float(purchases["became_returns"]),
            "difference": float(self.money["difference"].abs().sum()),
            "currency": self.currency,
        }
        template = (
            "The money reconciles to the cent: {came_in:,.2f} {currency} of purchases came in, {kept:,.2f} is kept, "
            "{set_aside:,.2f} set aside, {became_returns:,.2f} became returns."
            if self.reconciles
            else "The money does NOT reconcile: {difference:,.2f} {currency} is unaccounted for."
        )
        return Finding("money", template, values, self.as_of)

    def _freshness(self) -> Finding:
        purchases = _row(self.freshness)
        values = {
            "newest": purchases["newest_known"],
            "silent_days": int(purchases["silent_days"]),
            "later_rows": int(purchases["rows_on_or_after"]),
            "as_of": self.as_of,
        }
        silence = counted("silent_days", values["silent_days"], "full day")
        template = f"The newest known purchase is of {{newest}}, {silence} before the as-of date {{as_of}}"
        if values["silent_days"] == 0:
            template = (
                "The data are up to date: the newest known purchase is of {newest}, the day before the as-of date"
            )
        template += "; lines of later days, not looked at: {later_rows:,}." if values["later_rows"] else "."
        return Finding("freshness", template, values, self.as_of)

    def _coverage(self) -> Finding:
        there = self.coverage["there"]
        values = {
            "there": int(there.sum()),
            "possible": len(there),
            "missing": ", ".join(self.coverage.loc[~there, "table"]),
        }
        template = "{there} of {possible} canonical tables " + ("is there" if values["there"] == 1 else "are there")
        template += "; not there: {missing}." if values["missing"] else "."
        return Finding("coverage", template, values, self.as_of)

    def _oddities(self) -> Finding:
        met = self.oddities[self.oddities["count"] > 0]
        values = {"looked_for": len(self.oddities), "met": len(met), "names": "; ".join(met["what"])}
        template = (
            "Oddities met: {met} of {looked_for} looked for ({names})."
            if len(met)
            else "None of the {looked_for} oddities looked for was met."
        )
        return Finding("oddities", template, values, self.as_of)


def examine_data(facts: Facts, as_of: dt.date | str) -> DataQuality:
    """Examine the facts as of a date; see DataQuality for what is in it.

    Raises NotEnoughData when nobody had bought anything before `as_of`.
    """
    settings, as_of = facts.settings, read_date(as_of)
    refuse_thin(REQUIREMENTS, facts, as_of)
    crowded, filled, wanting = crowded_accounts(facts, as_of), _filled(facts), absent(REQUIREMENTS, facts)
    return DataQuality(
        as_of=as_of,
        currency=settings.money.currency,
        tables=_tables(facts),
        outcomes=_outcomes(facts),
        money=reconcile(facts.tables),
        coverage=_coverage(facts),
        filled=filled,
        freshness=_freshness(facts, as_of),
        oddities=_oddities(facts, crowded, {addition.name for addition in wanting}),
        crowded=crowded,
        unsaid=_unsaid(facts, filled, wanting),
        notes=facts.notes,
        timezone=settings.source.timezone,
    )


def reconcile(tables: pd.DataFrame) -> pd.DataFrame:
    """Money in = kept + became returns + set aside, per table that has money.

    Each of the four was added up on its own, from the source and from the files written; exact decimals, the
    difference to the cent.
    """
    names = ["came_in", "kept", "became_returns", "set_aside"]
    money = tables.loc[tables["money_came_in"].notna(), ["table", *(f"money_{name}" for name in names)]]
    money = money.rename(columns=lambda name: name.removeprefix("money_")).reset_index(drop=True)
    money[names] = money[names].map(lambda amount: amount if isinstance(amount, Decimal) else Decimal(0))
    rest = money["came_in"] - money["kept"] - money["became_returns"] - money["set_aside"]
    return money.assign(difference=rest.map(lambda amount: amount.quantize(CENT)))


def _tables(facts: Facts) -> pd.DataFrame:
    """The tables of the source, with the rows that came from another table: cancelled purchases among the returns."""
    tables = facts.tables
    own = tables["rows"] - tables["set_aside"] - tables["became_returns"]
    return tables.assign(from_purchases=tables["kept"] - own)


def _outcomes(facts: Facts) -> pd.DataFrame:
    """Why rows were not kept, without the example rows: those name customers and stay in data/rejected."""
    outcomes = facts.outcomes[facts.outcomes["outcome"] != "kept"].merge(
        facts.tables[["table", "rows"]].rename(columns={"rows": "table_rows"}), on="table"
    )
    outcomes["share"] = outcomes["rows"] / outcomes["table_rows"]
    return outcomes[["table", "outcome", "rows", "share", "money"]].rename(columns={"outcome": "reason"})


def _coverage(facts: Facts) -> pd.DataFrame:
    rows = [
        {"table": name, "there": facts.has(name), "one_row_is": contract.one_row_is, "unlocks": contract.unlocks}
        for name, contract in CONTRACTS.items()
    ]
    return pd.DataFrame(rows)


def _filled(facts: Facts) -> pd.DataFrame:
    """The share of kept rows with a value, per column; a column the source does not have is all empty."""
    rows = []
    for name in (t for t in facts.tables["table"] if facts.has(t)):
        columns = [column.name for column in CONTRACTS[name]]
        counts = facts[name].select(nw.len().alias("rows_"), *(nw.col(c).count() for c in columns))
        count = to_pandas(counts).iloc[0]
        rows += [{"table": name, "column": c, "filled": count[c] / count["rows_"]} for c in columns]
    return pd.DataFrame(rows)


def _freshness(facts: Facts, as_of: dt.date) -> pd.DataFrame:
    rows = []
    for name in (t for t in facts.tables["table"] if facts.has(t) and CONTRACTS[t].event):
        cut = day_number(as_of)
        known = nw.col("day") < cut
        summary: dict[Any, Any] = to_pandas(
            facts[name].select(
                nw.when(known).then(nw.col("day")).max().alias("newest"),
                nw.when(~known).then(1).otherwise(0).sum().alias("later"),
            )
        ).to_dict("records")[0]
        if pd.isna(summary["newest"]):
            continue
        newest = int(summary["newest"])
        rows.append(
            {
                "table": name,
                "newest_known": date_of(newest),
                "silent_days": cut - 1 - newest,
                "rows_on_or_after": int(summary["later"]),
            }
        )
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class _Oddity:
    what: str
    count: int
    done: str

    def as_row(self) -> dict[str, object]:
        return {"what": self.what, "count": self.count, "what_was_done": self.done}


def _unsaid(facts: Facts, filled: pd.DataFrame, wanting: Sequence[Addition]) -> dict[str, str]:
    """The sentences in place of what cannot be shown; see DataQuality."""
    unsaid = {}
    if wanting:
        unsaid["oddities"] = left_out(wanting)
    if (facts.outcomes["outcome"] == "kept").all():
        unsaid["set_aside"] = "Every row that came in was kept."
    if not _gaps(filled).any():
        never = counted("never", count := int((filled["filled"] == 0).sum()), "optional one is", "optional ones are")
        also = f"; {never.format(never=count)} not delivered at all" if count else ""
        unsaid["filled"] = f"Every column that is delivered has a value in every row{also}."
    return unsaid


def _gaps(filled: pd.DataFrame) -> pd.Series[bool]:
    return (filled["filled"] > 0) & (filled["filled"] < 1)


def _oddities(facts: Facts, crowded: pd.DataFrame, wanting: set[str]) -> pd.DataFrame:
    met = [
        *_odd_lines(facts, wanting),
        _Oddity("accounts that are probably not one person", len(crowded), "kept: each counts as one customer"),
        *_odd_days(facts),
        *_odd_products(facts, wanting),
        *_odd_people(facts),
    ]
    return pd.DataFrame([oddity.as_row() for oddity in met])


def _odd_lines(facts: Facts, wanting: set[str]) -> list[_Oddity]:
    lines = facts["purchases"]
    free = (nw.col("net_amount") == 0).cast(nw.Int64)
    without_quantity = ((nw.col("quantity") == 0) & (nw.col("net_amount") > 0)).cast(nw.Int64)
    counts = to_pandas(lines.select(free=free.sum(), blank=without_quantity.sum(), rows=nw.len())).iloc[0]
    large = nw.col("net_amount") > 100 * nw.col("net_amount").mean()
    repeated = int(counts["rows"]) - _rows(lines.unique())
    odd = [
        _Oddity("lines given away (amount 0)", int(counts["free"]), "kept: they count as purchases of no money"),
        _Oddity("lines that repeat another exactly", repeated, "kept: two equal items on one receipt look the same"),
        _Oddity("lines of over 100 times the mean amount", _rows(lines.filter(large)), "kept"),
    ]
    if "purchases.quantity" in wanting:
        return odd
    blank = _Oddity(
        "lines with an amount but quantity 0", int(counts["blank"]), "kept: their money counts, units do not"
    )
    if "purchases.product_id" in wanting:
        return [*odd, blank]
    crates = _Oddity(
        "lines of over 100 times the product's usual quantity", _crates(lines), "kept: units are off by them"
    )
    return [*odd, blank, crates]


def _crates(lines: Lazy) -> int:
    """Lines with over 100 times the median quantity of their product: crates counted as pieces, or a slipped key."""
    usual = lines.group_by("product_id").agg(nw.col("quantity").median().alias("usual"))
    beside = lines.select("product_id", "quantity").join(usual, on="product_id", how="inner")
    return _rows(beside.filter(nw.col("quantity") > 100 * nw.col("usual"), nw.col("usual") > 0))


def _odd_days(facts: Facts) -> list[_Oddity]:
    """Days without trade, and a quietest hour in the middle of the day (the mark of a wrong time zone)."""
    days = to_pandas(facts["purchases"].select("day").unique())["day"].astype("int64")
    silent = int(days.max() - days.min() + 1 - len(days))
    hours = (
        facts["purchases"].select(hour=nw.col("ordered_at").dt.hour()).group_by("hour").agg(nw.len().alias("lines"))
    )
    by_hour = to_pandas(hours).set_index("hour")["lines"].reindex(range(24), fill_value=0).to_numpy()
    odd = [_Oddity("days without any purchase", silent, "kept as silence: closed, or not delivered")]
    if int((by_hour > 0).sum()) > 1 and by_hour.sum() >= LINES_TO_TELL_HOURS:  # dates alone tell nothing about hours
        by_day = int(7 <= int(by_hour.argmin()) <= 21)
        odd.append(_Oddity("the quietest hour lies in the daytime", by_day, "look at [source] timezone"))
    return odd


def _odd_products(facts: Facts, wanting: set[str]) -> list[_Oddity]:
    if wanting & {"products", "purchases.product_id"}:
        return []
    known = facts["products"].select("product_id", "category")
    unknown = facts["purchases"].filter(~nw.col("product_id").is_null()).join(known, on="product_id", how="anti")
    blank = facts["purchases"].join(known.filter(nw.col("category").is_null()), on="product_id", how="semi")
    odd = [_Oddity("lines of products that are not in the table of products", _rows(unknown), "counted as (unknown)")]
    if "products.category" not in wanting:
        odd.append(_Oddity("lines of products without a category", _rows(blank), "counted as (unknown)"))
    return odd


def _odd_people(facts: Facts) -> list[_Oddity]:
    met = []
    buyers = facts["purchases"].select("customer_id").unique()
    if facts.has("customers"):
        never = facts["customers"].select("customer_id").join(buyers, on="customer_id", how="anti")
        nameless = buyers.join(facts["customers"].select("customer_id"), on="customer_id", how="anti")
        met.append(_Oddity("registered customers who never bought", _rows(never), "left out of the customer base"))
        met.append(
            _Oddity("buyers that are not in the table of customers", _rows(nameless), "kept, without attributes")
        )
    if facts.has("responses") and facts.has("contacts"):
        contacts = facts["contacts"].select("campaign_id", "customer_id")
        strangers = facts["responses"].join(contacts, on=["campaign_id", "customer_id"], how="anti")
        met.append(_Oddity("responses of people who were not contacted", _rows(strangers), "counted apart"))
    if facts.has("deliveries"):
        orders = facts["purchases"].select("order_id").unique()
        unheard = facts["deliveries"].join(orders, on="order_id", how="anti")
        met.append(_Oddity("deliveries of orders that are not there", _rows(unheard), "left out: nobody's delivery"))
    return met


def _row(frame: pd.DataFrame, table: str = "purchases") -> dict[str, Any]:
    """The row of one table, as plain values."""
    return {str(name): value for name, value in frame[frame["table"] == table].iloc[0].items()}


def _rows(frame: Lazy) -> int:
    return int(to_pandas(frame.select(nw.len().alias("rows")))["rows"].iloc[0])
