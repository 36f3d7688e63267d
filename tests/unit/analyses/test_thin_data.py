"""People bring their own data: often purchases alone, often few. What can be said is said, the rest is one line.

Each company goes through all three reports with everything they draw and show: about two seconds each.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from crm.analyses import customer_base as base_analysis
from crm.analyses import data_quality as quality_analysis
from crm.analyses import segmentation as segments_analysis
from crm.analyses.requirements import Addition
from crm.errors import NotEnoughData
from crm.finding import Finding, Findings
from crm.publishing import publish
from crm.reporting import customer_base, data_quality, segmentation
from crm.reporting.chart import Chart
from crm.reporting.left_out import LeftOut, show_not_there, together
from crm.reporting.tables import Table

AS_OF = "2018-01-01"
ANALYSES = {
    "00_data_quality": (quality_analysis, quality_analysis.examine_data, data_quality),
    "01_customer_base": (base_analysis, base_analysis.describe_customer_base, customer_base),
    "02_segmentation": (segments_analysis, segments_analysis.segment_customers, segmentation),
}


@dataclass(frozen=True)
class Company:
    """Canonical tables, the as-of date, the notebooks left out, and words that some line must say."""

    tables: dict[str, pd.DataFrame]
    as_of: str = AS_OF
    left_out: tuple[str, ...] = ()
    says: tuple[str, ...] = ()


def bought(customers: int, *, days: int = 365, each: int = 6, until: str = AS_OF, lines: int = 1) -> pd.DataFrame:
    """Purchases alone: about `each` purchase days of so many customers in the days before a date."""
    chance = np.random.default_rng(1)
    rows = [
        (f"c{number:03d}", f"o{number:03d}-{day}", day, round(float(chance.gamma(2, 10 + number)), 2))
        for number in range(customers)
        for day in chance.choice(days, min(days, int(chance.integers(1, 2 * each))), replace=False)
        for _ in range(int(chance.integers(1, lines + 1)))
    ]
    table = pd.DataFrame(rows, columns=["customer_id", "order_id", "day", "net_amount"])
    table["ordered_at"] = pd.Timestamp(until) + pd.to_timedelta(table.pop("day") - days, unit="D")
    return table


def among(keys: pd.Series, values: list[str]) -> list[str]:
    """For each key one of the values, the same for the same key; half of the customers seldom meet some of them."""
    places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    chance = np.random.default_rng(len(values)).integers(0, len(values), len(places)) ** 2 // len(values)
    return [values[(chance[places[key]] + int(key[1:4]) % 2) % len(values)] for key in keys]


def rich() -> dict[str, pd.DataFrame]:
    """A company that has every table and column the three reports look at."""
    lines, chance = bought(40, lines=3), np.random.default_rng(3)
    products = [f"p{n:03d}" for n in range(12)]
    line = lines["order_id"] + "/" + lines.index.astype("str")
    lines = lines.assign(
        product_id=among(line, products),
        quantity=1.0 + chance.integers(0, 3, len(lines)),
        discount_amount=np.where(chance.random(len(lines)) < 0.3, 2.0, 0.0),
        coupon_amount=np.where(chance.random(len(lines)) < 0.1, 1.0, 0.0),
        channel=among(lines["order_id"], ["store", "web"]),
        store_id=among(lines["order_id"], ["north", "south", "east"]),
    )
    customers, orders = sorted(set(lines["customer_id"])), list(dict.fromkeys(lines["order_id"]))
    when, campaign = pd.Timestamp("2017-10-01"), {"campaign_id": "k1"}
    return {
        "purchases": lines,
        "products": pd.DataFrame(
            {
                "product_id": products,
                "department": ["food", "drinks", "home", "garden"] * 3,
                "category": [f"category {n % 6}" for n in range(12)],
                "margin_rate": [0.1 + 0.05 * (n % 5) for n in range(12)],
            }
        ),
        "returns": pd.DataFrame({"customer_id": customers[::3], "returned_at": when, "amount": 7.5}),
        "customers": pd.DataFrame({"customer_id": [*customers, "c900"], "joined_at": pd.Timestamp("2016-05-01")}),
        "campaigns": pd.DataFrame({**campaign, "starts_at": [when], "ends_at": [when]}),
        "contacts": pd.DataFrame({**campaign, "customer_id": customers[::2], "contacted_at": when}),
        "responses": pd.DataFrame({**campaign, "customer_id": customers[:9], "responded_at": when}),
        "service_cases": pd.DataFrame({"case_id": customers[:9], "customer_id": customers[:9], "opened_at": when}),
        "deliveries": pd.DataFrame({"order_id": [*orders[:80], "o999"], "promised_at": when, "delivered_at": when}),
        "visits": pd.DataFrame({"customer_id": customers[:20], "visited_at": when}),
        "plan": pd.DataFrame({"period_start": [pd.Timestamp("2017-12-01")], "metric": "net_sales", "target": 1000.0}),
    }


def lines_and_products(products: dict[str, object] | None = None, **lines: object) -> dict[str, pd.DataFrame]:
    """Purchases and products of the rich company, with these columns changed."""
    tables = rich()
    return {"purchases": tables["purchases"].assign(**lines), "products": tables["products"].assign(**products or {})}


def one_day() -> Company:
    says = ("the data begin on 2017-12-31", "In the 1 day since the data begin")
    return Company({"purchases": bought(30, days=1)}, left_out=("02_segmentation",), says=says)


def all_alike() -> Company:
    one = bought(1).drop(columns="customer_id")
    copies = one.merge(pd.DataFrame({"customer_id": [f"c{n}" for n in range(25)]}), how="cross")
    copies["order_id"] += copies["customer_id"]
    return Company({"purchases": copies}, says=("the 25 who bought in the last 365 days are one segment",))


def a_till() -> Company:
    """A till's anonymous account has 40 % of some 300 lines."""
    lines = bought(50, each=4)
    till = lines.sample(round(len(lines) * 2 / 3), random_state=1)
    till = till.assign(customer_id="CASH", order_id="cash-" + till["order_id"])
    return Company({"purchases": pd.concat([lines, till])}, says=("The account CASH", "40% of all order lines"))


HOSTILE = [
    "<script>alert(1)</script>", "'; DROP TABLE purchases; --", '"quoted" & {braces} {0}', "🧀 fromage", "שלום עולם",
    "مرحبا", "(other)", "(unknown)", "a\tb\nc", "a b  c", "%s %(x)s $5 _x_^2", "x" * 300,
]  # fmt: skip


def hostile() -> Company:
    lines = rich()["purchases"]
    names = {"name": HOSTILE, "department": HOSTILE, "category": HOSTILE[::-1]}
    places = {"channel": among(lines["order_id"], HOSTILE), "store_id": among(lines["order_id"], HOSTILE[::-1])}
    return Company(lines_and_products(names, order_id="<b>" + lines["order_id"], **places))


def strange_attributes() -> Company:
    lines = bought(25)
    strange = {f"attribute {n} of <b>many</b>, 'quoted', \"twice\"": "x" for n in range(300)}
    customers = pd.DataFrame({"customer_id": sorted(set(lines["customer_id"]))}).assign(**strange)
    return Company({"purchases": lines, "customers": customers})


def long_after() -> Company:
    silent = "Nobody has bought since 2017-12-", "full days before", "Nobody bought in the last 365 days"
    return Company(rich(), "2023-06-15", says=(*silent, "In May 2023, the last full month, nothing was bought"))


def a_pause() -> Company:
    lines = bought(40)
    return Company({"purchases": lines[~lines["ordered_at"].dt.month.isin([5, 6, 7])]})


NO_PRODUCTS = "Left out: net sales by department and net sales by category"
COMPANIES: dict[str, Callable[[], Company]] = {
    "everything": lambda: Company(rich()),
    "purchases alone": lambda: Company(
        {"purchases": bought(40)},
        says=(
            "It takes the columns department and category of the table products and the columns store_id and channel "
            "of the table purchases",
            "Left out: units sold. It takes the column quantity of the table purchases",
            "Left out: what each segment costs",
        ),
    ),
    "one customer": lambda: Company(
        {"purchases": bought(1, each=12)},
        left_out=("02_segmentation",),
        says=("one customer has bought, the last time on 2017-12-09", "Tenths take 10 customers who paid"),
    ),
    "one purchase": lambda: Company({"purchases": bought(1).head(1)}, left_out=("02_segmentation",)),
    "one day": one_day,
    "nobody twice": lambda: Company(
        {"purchases": bought(40).drop_duplicates("customer_id")},
        says=("None of 40 customers bought in a later month",),
    ),
    "five customers on two days": lambda: Company(
        {"purchases": bought(5, days=2, each=2)}, says=("It takes 20 customers to tell them apart by behaviour",)
    ),
    "twenty customers": lambda: Company(
        {"purchases": bought(20)}, says=("the only number that so few customers allow", "They are not stable")
    ),
    "two weeks": lambda: Company(
        {"purchases": bought(30, days=14, until="2017-12-20")},
        "2017-12-20",
        says=("In the 14 days since the data begin", "takes 91 days of purchases before it"),
    ),
    "all alike": all_alike,
    "a till": a_till,
    "names of products alone": lambda: Company(
        lines_and_products({"name": "thing", "department": None, "category": None, "margin_rate": None}),
        says=(f"{NO_PRODUCTS}. It takes the columns department and category of the table products",),
    ),
    "no line matches a product": lambda: Company(
        lines_and_products(product_id="unheard of"),
        says=(f"{NO_PRODUCTS}. None of", "that the table of products knows"),
    ),
    "one of each": lambda: Company(
        lines_and_products({"department": "all", "category": "all"}, channel="store", store_id="north"),
        says=("is of one department: all", "by one channel: store", "in one store: north"),
    ),
    "hostile text": hostile,
    "strange attributes": strange_attributes,
    "given away": lambda: Company(
        lines_and_products(net_amount=0.0), says=("nothing was paid for what they bought", "Nothing was paid for in")
    ),
    "long after": long_after,
    "a pause of months": a_pause,
}


def everything_shown(result, room):
    """What every function of a reporting module shows of a result."""
    for name, function in inspect.getmembers(room, inspect.isfunction):
        if function.__module__ != room.__name__ or not name.startswith(("show_", "draw_")):
            continue
        kinds = [p.annotation for p in inspect.signature(function).parameters.values() if p.default is p.empty]
        for part in (result.rfm, result.clusters) if "Segments" in kinds else (None,):
            yield name, function(*(part if kind == "Segments" else result for kind in kinds))


def assert_says_something(name, shown):
    html = shown._repr_html_()
    if isinstance(shown, Chart):
        too_small = shown.alt.startswith("Not drawn, as each group has fewer than 5 customers: ")
        assert shown.picture is not None or too_small, f"{name}: an empty chart"
    elif isinstance(shown, Table):
        assert len(shown.frame), f"{name}: an empty table"
    else:
        assert isinstance(shown, LeftOut), name
        assert re.fullmatch(r"[A-Z].{20,}\.", shown.sentence), f"{name}: {shown.sentence!r} is no sentence"
    assert "Nothing to show" not in html, name
    assert "<script" not in html, name
    assert_no_hole(f"{name}: " + re.sub(r"<[^>]+>", " ", html))


def assert_no_hole(text):
    assert not re.search(r"\bnan\b|\bNaN\b|\binf\b|∞|\b1 (customers|days|months|cohorts)\b", text), text


@pytest.mark.parametrize("name", COMPANIES)
def test_what_can_be_said_is_said_and_the_rest_is_one_line(company, name):
    case = COMPANIES[name]()
    facts = company(case.tables, case.as_of)
    lines = []
    for notebook, (_, analyse, room) in ANALYSES.items():
        if notebook in case.left_out:
            with pytest.raises(NotEnoughData, match=r"at least \d.*Found: \d.* before 201\d.*Add .*\d more"):
                analyse(facts, facts.settings.as_of)
            continue
        result = analyse(facts, facts.settings.as_of)
        findings, headline = result.findings, result.headline
        publish(
            notebook,
            settings=facts.settings,
            run_folder="",
            findings=findings,
            headline=headline,
            measures=result.measures,
        )
        lines += [*map(str, findings), headline.sentence if headline else ""]
        for which, shown in everything_shown(result, room):
            assert_says_something(which, shown)
            lines += [shown.sentence] if isinstance(shown, LeftOut) else getattr(shown, "notes", ())
    for line in lines:
        assert_no_hole(line)
    for words in case.says:
        assert any(words in line for line in lines), f"nobody says {words!r} of {name}"


def without(tables, addition):
    """The tables as they would be if the source did not have this table, or column."""
    if addition.column is None:
        return {name: table for name, table in tables.items() if name != addition.table}
    return tables | {addition.table: tables[addition.table].drop(columns=addition.column)}


NOT_COMPARED = {"snapshot", "wanting", "unsaid", "tables", "coverage", "filled", "freshness", "outcomes", "money"}
"""What differs anyway when a table or column is not there."""


def told(result):
    """Everything a result says: its sentences and its tables, whatever is built into it."""
    findings = getattr(result, "findings", ())
    said = [str(finding) for finding in findings if finding.name not in ("not_there", "coverage")]
    for part in dataclasses.fields(result):
        value = getattr(result, part.name)
        if part.name not in NOT_COMPARED and isinstance(value, pd.DataFrame):
            said.append(value.to_csv())
        elif dataclasses.is_dataclass(value):
            said += told(value)
    return said


@pytest.fixture(scope="module")
def with_everything(company):
    """What each analysis finds where every table and column is there."""
    facts = company(rich(), AS_OF)
    return {name: analyse(facts, facts.settings.as_of) for name, (_, analyse, _) in ANALYSES.items()}


@pytest.fixture(scope="module")
def told_with_everything(with_everything):
    return {name: told(result) for name, result in with_everything.items()}


ADDITIONS: dict[str, list[tuple[str, Addition]]] = {}
for _notebook, (_module, _, _) in ANALYSES.items():
    for _addition in _module.REQUIREMENTS.additions:
        ADDITIONS.setdefault(_addition.name, []).append((_notebook, _addition))


@pytest.mark.parametrize("name", ADDITIONS)
def test_every_addition_adds_something_and_its_absence_is_said(company, told_with_everything, name):
    facts = company(without(rich(), ADDITIONS[name][0][1]), AS_OF)
    for notebook, addition in ADDITIONS[name]:
        result = ANALYSES[notebook][1](facts, facts.settings.as_of)
        assert told(result) != told_with_everything[notebook], notebook
        lines = [str(finding) for finding in result.findings if finding.name == "not_there"]
        lines += [result.unsaid["oddities"]] if notebook == "00_data_quality" else []
        assert any(addition.adds in line for line in lines), notebook


def test_nothing_is_left_out_where_everything_is_there(with_everything):
    for result in with_everything.values():
        assert show_not_there(result.findings) is None
        assert not [sentence for sentence in result.unsaid.values() if "Left out" in sentence]


def test_what_is_left_out_for_one_reason_is_said_once():
    one, other = LeftOut("Left out: this."), LeftOut("Left out: that.")
    assert together(one, None, LeftOut("Left out: this."), other).parts == (one, other)
    finding = Finding("why", "Left out: this.", {}, dt.date(2018, 1, 1))
    assert together(Findings([finding]), one, Findings([])).parts == (Findings([finding]),)
    assert together(one)._repr_html_() == '<p class="nothing">Left out: this.</p>'
    assert "&lt;b&gt;" in LeftOut("<b>")._repr_html_()
