"""Why is this customer likely to leave? Every sentence recomputed from the purchases, in pandas."""

import re

import numpy as np
import pandas as pd
import pytest
from unit.analyses.defection.worlds import AS_OF, SAMPLE, bought, model_of

from crm.analyses.defection.known import theme_of
from crm.analyses.defection.reasons import (
    DONE_TO_THEM,
    EVERYBODY,
    LARGE_PART,
    LONG_SILENCE,
    MOST_REASONS,
    REGULARLY,
    SENTENCES,
    Reason,
    Told,
    above_average,
    dropped_categories,
    reasons_for,
    told_of,
)
from crm.facts import read_facts
from crm.periods import day_number

HORIZON, TODAY = 56, day_number(AS_OF)
TEN_DAYS = "[definitions]\nactive_within_days = 10\ndefected_after_days = 10\n"


@pytest.fixture(scope="module")
def facts(settings_for):
    return read_facts(settings_for("sample_company", AS_OF.isoformat(), source=SAMPLE))


@pytest.fixture(scope="module")
def model(facts):
    return model_of(facts)


@pytest.fixture(scope="module")
def known(facts, model):
    return model.known_on(facts, AS_OF)


@pytest.fixture(scope="module")
def told(facts, model, known):
    """The reasons of every customer at stake, by customer."""
    return dict(zip(known["customer_id"], reasons_for(model, known, facts, AS_OF), strict=True))


@pytest.fixture(scope="module")
def lines(facts):
    """Order lines before the date, with how many days before it; each with its category."""
    table = pd.read_parquet(facts.folder / "purchases.parquet")
    products = pd.read_parquet(facts.folder / "products.parquet")[["product_id", "category"]]
    table = table[table["day"] < TODAY].merge(products, on="product_id", how="left")
    return table.assign(before=TODAY - table["day"])


@pytest.fixture(scope="module")
def days(lines):
    """Net sales per customer and purchase day."""
    return lines.groupby(["customer_id", "before"], as_index=False)["net_amount"].sum()


@pytest.fixture(scope="module")
def deliveries(facts, lines):
    table = pd.read_parquet(facts.folder / "deliveries.parquet").dropna(subset="day")
    table = table[table["day"] < TODAY].merge(lines[["order_id", "customer_id"]].drop_duplicates(), on="order_id")
    faulty = ~table[["complete", "undamaged", "documented"]].fillna(True).astype("bool").all(axis=1)
    return table.assign(before=TODAY - table["day"], late=table["day"] > table["promised_day"], faulty=faulty)


def said(told, pattern):
    """Customer and the figures of every reason that reads like this."""
    found = [
        (who, re.fullmatch(pattern, reason.words).groups())
        for who, reasons in told.items()
        for reason in reasons
        if re.fullmatch(pattern, reason.words)
    ]
    assert found, f"nobody is told {pattern}"
    return found


def figure(text):
    return float(text.replace(",", ""))


def test_at_most_three_each_of_a_theme_of_its_own(told):
    assert {len(reasons) for reasons in told.values()} <= set(range(MOST_REASONS + 1))
    for reasons in told.values():
        assert len({reason.theme for reason in reasons}) == len(reasons)
    assert len({reason.theme for reasons in told.values() for reason in reasons}) >= 8


def test_without_a_reason_the_chance_is_lower(model, known, told):
    """The theme's columns put to what is typical of those who stayed, and scored again."""
    place = {customer: number for number, customer in enumerate(known["customer_id"])}
    before = model.chances(known)["left"].to_numpy()
    for theme in SENTENCES:
        columns = [column for column in model.columns if theme_of(column) == theme and column in model.typical]
        changed = known.copy()
        changed[columns] = [model.typical[column] for column in columns]
        after = model.chances(changed)["left"].to_numpy()
        for customer, reasons in told.items():
            for reason in reasons:
                if reason.theme == theme:
                    at = place[customer]
                    assert reason.falls == pytest.approx(before[at] - after[at], abs=1e-9)
                    assert reason.falls > 0, (customer, reason)


def test_they_stand_in_the_order_of_what_the_model_says_moves_the_chance(model, known, told):
    added = model.contributions(known).set_axis(known["customer_id"])
    by_theme = added.T.groupby([theme_of(column) for column in added.columns]).sum().T
    for customer, reasons in told.items():
        weights = by_theme.loc[customer, [reason.theme for reason in reasons]]
        assert (weights > 0).all()
        assert weights.is_monotonic_decreasing


def test_what_happened_to_a_customer_is_named_where_it_raises_the_chance(facts, model, known, told):
    words = Told(HORIZON, "USD", AS_OF, dropped_categories(facts, AS_OF, known), model.typical)
    added = model.contributions(known).set_axis(known["customer_id"])
    by_theme = added.T.groupby([theme_of(column) for column in added.columns]).sum().T
    chance, met = model.chances(known)["left"].to_numpy(), {}
    for theme in DONE_TO_THEM:
        columns = [column for column in model.columns if theme_of(column) == theme and column in model.typical]
        changed = known.assign(**{column: model.typical[column] for column in columns})
        falls = chance - model.chances(changed)["left"].to_numpy()
        falls = above_average(falls) if theme in EVERYBODY else falls
        for place, row in enumerate(known.to_dict("records")):
            if falls[place] > 0 and by_theme[theme].iloc[place] > 0 and SENTENCES[theme](row, words):
                met.setdefault(row["customer_id"], set()).add(theme)
    assert len(met) > 20
    for customer, themes in met.items():
        assert themes & {reason.theme for reason in told[customer]}, customer
    never = [reasons for customer, reasons in told.items() if customer not in met]
    assert not {reason.theme for reasons in never for reason in reasons} & set(DONE_TO_THEM)


@pytest.mark.parametrize(
    ("days", "told"), [([30, 31, 32], {"ann": ("tea", 0.75, day_number(AS_OF) - 30)}), ([30, 31], {})]
)
def test_a_category_was_a_habit_by_its_days_in_however_many_departments(company, days, told):
    """Tea of two departments a day, three a habit; two days of it are none, though four rows of the mart."""
    rows = [("ann", day, 1.0) for day in (*days, *days, *days[:2], 1)]
    names = [*["tea"] * len(days), *["ice_tea"] * len(days), "milk", "milk", "milk"]
    products = "tea drinks tea\nice_tea frozen tea\nmilk food dairy"
    table = pd.DataFrame([row.split() for row in products.splitlines()],
                         columns=["product_id", "department", "category"])  # fmt: skip
    facts = company({"purchases": bought(rows).assign(product_id=names), "products": table}, str(AS_OF), TEN_DAYS)
    assert dropped_categories(facts, AS_OF, pd.DataFrame({"customer_id": ["ann"]})) == told


@pytest.mark.parametrize(
    ("falls", "told"),
    [
        pytest.param([0.01, 0.02, 0.06, -0.5], [0, 0, 0.06, 0], id="mean-of-those-for-whom-it-falls-is-0.03"),
        pytest.param([0.1] * 3, [0.1] * 3, id="all-the-same"),
        pytest.param([0.02], [0.02], id="one-alone"),
        pytest.param([-0.1, 0.0], [-0.1, 0.0], id="falls-for-nobody"),
        pytest.param([], [], id="nobody"),
    ],
)
def test_what_befalls_everybody_is_told_where_it_weighs_more_than_on_average(falls, told):
    assert above_average(np.array(falls)).tolist() == told
    assert set(EVERYBODY) <= set(DONE_TO_THEM)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ("silence spending rhythm breadth", "silence spending rhythm"),
        ("silence spending deliveries service", "silence spending deliveries"),
        ("silence spending rhythm service returns", "silence spending service"),
        ("deliveries silence spending service prices", "deliveries silence prices"),
        ("deliveries service silence prices", "deliveries service prices"),
        ("prices silence deliveries returns", "prices silence deliveries"),
        ("prices silence spending deliveries", "prices silence spending"),
        ("silence", "silence"),
        ("", ""),
    ],
)
def test_which_of_the_reasons_are_told(found, told):
    """The weightiest; but its own weightiest doing, and prices, even if they come last."""
    reasons = told_of([Reason(theme, theme, 0.1) for theme in found.split()])
    assert " ".join(reason.theme for reason in reasons) == told


def test_the_usual_gap_and_the_silence(told, days):
    by_customer = days.groupby("customer_id")["before"]
    gaps = by_customer.apply(lambda some: -np.diff(np.sort(some)[::-1]))
    for customer, (usual, since) in said(
        told, r"usually buys every ([\d,]+) days?; last purchase ([\d,]+) days? ago"
    ):
        assert figure(usual) == pytest.approx(np.median(gaps[customer]), abs=0.51)
        assert figure(since) == by_customer.min()[customer] >= LONG_SILENCE * np.median(gaps[customer])
    for customer, (since,) in said(told, r"bought on one day only, ([\d,]+) days? ago"):
        assert (by_customer.count()[customer], by_customer.min()[customer]) == (1, figure(since))


def test_purchase_days_now_and_before(told, days):
    pattern = rf"bought on ([\d,]+) days? in the last {HORIZON}, on ([\d,]+) in the {HORIZON} before"
    for customer, (now, before) in said(told, pattern):
        own = days.loc[days["customer_id"] == customer, "before"]
        assert figure(now) == (own <= HORIZON).sum()
        assert figure(before) == own.between(HORIZON + 1, 2 * HORIZON).sum() > figure(now)
    for customer, (usual,) in said(told, r"buys seldom: every ([\d,]+) days? on average"):
        own = np.sort(days.loc[days["customer_id"] == customer, "before"])
        assert figure(usual) == pytest.approx(np.diff(own).mean(), abs=0.51)


@pytest.mark.parametrize("window", [HORIZON // 2, HORIZON])
def test_what_was_spent_and_what_is_usual(told, days, window):
    usual_of = days[days["before"] <= 3 * HORIZON].groupby("customer_id")["net_amount"].sum() / 3
    recent = days[days["before"] <= window].groupby("customer_id")["net_amount"].sum()
    for customer, (spent, usual) in said(told, rf"spent ([-\d,]+) USD in the last {window} days; usual is ([\d,]+)"):
        assert figure(spent) == pytest.approx(recent.get(customer, 0.0), abs=0.51)
        assert figure(usual) == pytest.approx(usual_of[customer] * window / HORIZON, abs=0.51)
        assert recent.get(customer, 0.0) < usual_of[customer] * window / HORIZON


def test_small_purchases_are_small(told, days, model):
    usual_of = days[days["before"] <= 3 * HORIZON].groupby("customer_id")["net_amount"].sum() / 3
    for customer, (usual,) in said(told, rf"small purchases: ([\d,]+) USD in {HORIZON} days"):
        assert figure(usual) == pytest.approx(usual_of[customer], abs=0.51)


def test_small_purchases_are_said_of_nobody_who_spends_more_than_is_typical(told, days, model):
    usual_of = days[days["before"] <= 3 * HORIZON].groupby("customer_id")["net_amount"].sum() / 3
    who = [customer for customer, _ in said(told, rf"small purchases: ([\d,]+) USD in {HORIZON} days")]
    assert usual_of[who].max() <= model.typical["usual_net_sales"]


def test_amounts_that_are_told_can_be_told_apart(told):
    """Who spends less than a unit is not told of 0 where 0 is usual."""
    words = [reason.words for reasons in told.values() for reason in reasons]
    assert not [one for one in words if re.search(r"usual is 0$|purchases: 0 USD", one)]


def test_the_category_no_longer_bought_its_share_and_month(told, lines):
    known = lines[(lines["before"] <= 4 * HORIZON) & lines["category"].notna()]
    for customer, found in said(told, r"stopped buying (.+), (\d+)% of the basket until (\w+ \d{4})"):
        own = known[known["customer_id"] == customer]
        then = own[own["before"] > HORIZON]
        spent = then.groupby("category")["net_amount"].sum()
        category, share, month = found
        assert category not in set(own.loc[own["before"] <= HORIZON, "category"])
        assert int(share) == pytest.approx(100 * spent[category] / spent.sum(), abs=0.51)
        assert int(share) >= 100 * LARGE_PART
        last = AS_OF - pd.Timedelta(days=int(own.loc[own["category"] == category, "before"].min()))
        assert f"{last:%B %Y}" == month
        still = set(own.loc[own["before"] <= HORIZON, "category"])
        times = then.groupby("category")["before"].nunique()
        gone = [name for name in spent.index if name not in still and times[name] >= REGULARLY]
        assert spent[category] == pytest.approx(spent[gone].max())


def test_late_deliveries(told, deliveries):
    pattern = rf"(a delivery|[\d,]+ deliveries) came late in the last {HORIZON} days(, the newest among them)?"
    for customer, (count, newest) in said(told, pattern):
        own = deliveries[deliveries["customer_id"] == customer]
        recent = own[own["before"] <= HORIZON]
        assert recent["late"].sum() == (1 if count == "a delivery" else figure(count.split()[0]))
        assert bool(newest) == own.loc[own["before"] == own["before"].min(), "late"].any()
    for customer, (late, whole) in said(told, r"([\d,]+) of ([\d,]+) deliveries of the last year came late"):
        year = deliveries[(deliveries["customer_id"] == customer) & (deliveries["before"] <= 365)]
        assert (year["late"].sum(), len(year)) == (figure(late), figure(whole))


def test_service_and_returns(facts, told):
    cases = pd.read_parquet(facts.folder / "service_cases.parquet")
    cases = cases[cases["day"] < TODAY]
    for customer, (mark,) in said(told, r"gave service a mark of (\d\.\d) of 5"):
        closed = cases[(cases["customer_id"] == customer) & (cases["closed_day"] < TODAY)]
        assert closed["satisfaction"].mean() == pytest.approx(float(mark), abs=0.051)
    back = pd.read_parquet(facts.folder / "returns.parquet")
    back = back[(back["day"] < TODAY) & (back["day"] >= TODAY - 365)]
    for customer, (count,) in said(told, r"sent back ([\d,]+) lines? in the last year"):
        assert (back["customer_id"] == customer).sum() == figure(count)


SENTENCE = re.compile(
    r"usually buys every|bought on |buys seldom: |spent |small purchases: |stopped buying |\d+ kinds? of products |"
    r"buys \d+% at a discount|prices of what they buy rose by |.*deliver.* (late|faulty)|.*service|sent back |"
    r"answered none of |no visit to|a customer for |has ended |a contract for |pays "
)


def test_nothing_else_is_said(told):
    words = {reason.words for reasons in told.values() for reason in reasons}
    assert not [one for one in words if not SENTENCE.match(one)]
    assert not [one for one in words if "nan" in one.split() or ";;" in one]


DRAWN = Told(
    HORIZON,
    "EUR",
    AS_OF,
    {"ann": ("coffee", 0.42, day_number(AS_OF) - 70)},
    {"share_bought_on_promotion": 0.3, "usual_net_sales": 100.0},
)


@pytest.mark.parametrize(
    ("theme", "numbers", "words"),
    [
        ("silence", {"usual_gap": 9.0, "days_since_last_purchase": 31.0},
         "usually buys every 9 days; last purchase 31 days ago"),
        ("silence", {"usual_gap": 9.0, "days_since_last_purchase": 8.0}, ""),
        ("silence", {"usual_gap": np.nan, "days_since_last_purchase": 1.0}, "bought on one day only, 1 day ago"),
        ("breadth", {"customer_id": "ann"}, "stopped buying coffee, 42% of the basket until October 2017"),
        ("breadth", {"categories_last": 2.0, "categories_before": 5.0},
         "2 kinds of products in the last 56 days, 5 in the time before"),
        pytest.param("breadth", {"categories_last": 1.0, "categories_before": 5.0},
                     "1 kind of products in the last 56 days, 5 in the time before"),
        ("breadth", {"categories_last": 5.0, "categories_before": 5.0}, ""),
        ("spending", {"net_sales_half": 10.0, "net_sales_last": 60.0, "usual_net_sales": 80.0},
         "spent 10 EUR in the last 28 days; usual is 40"),
        ("spending", {"net_sales_half": 30.0, "net_sales_last": 60.0, "usual_net_sales": 80.0},
         "spent 60 EUR in the last 56 days; usual is 80"),
        ("spending", {"net_sales_half": 40.0, "net_sales_last": 80.0, "usual_net_sales": 80.0},
         "small purchases: 80 EUR in 56 days"),
        ("spending", {"net_sales_half": 400.0, "net_sales_last": 800.0, "usual_net_sales": 800.0}, ""),
        ("spending", {"net_sales_half": 0.0, "net_sales_last": 0.0, "usual_net_sales": 0.0}, ""),
        ("promotions", {"share_bought_on_promotion": 0.55},
         "buys 55% at a discount; typical of those who stay are 30%"),
        ("promotions", {"share_bought_on_promotion": 0.35}, ""),
        ("prices", {"price_change": 0.08}, "prices of what they buy rose by 8%"),
        ("prices", {"price_change": 0.016}, "prices of what they buy rose by 2%"),
        ("prices", {"price_change": 0.014}, ""),
        ("prices", {"price_change": np.nan}, ""),
        ("deliveries", {"late_last": 2.0, "last_delivery_late": 0.0}, "2 deliveries came late in the last 56 days"),
        ("deliveries", {"late_last": 0.0, "last_delivery_late": 1.0}, "the last delivery came late"),
        ("deliveries", {"late_last": 0.0, "last_delivery_late": 0.0, "late_deliveries_365d": 0.0}, ""),
        ("deliveries", {"faulty_deliveries_365d": 2.0, "deliveries_365d": 9.0},
         "2 of 9 deliveries of the last year were faulty"),
        ("service", {"open_cases": 1.0}, "a service case is open"),
        ("service", {"open_cases": 0.0, "mean_satisfaction": 4.0, "cases_365d": 0.0}, ""),
        ("returns", {"returns_365d": 0.0}, ""),
        ("returns", {"returns_365d": 1.0}, "sent back 1 line in the last year"),
        ("campaigns", {"campaigns_received_365d": 5.0, "campaigns_answered_365d": 0.0},
         "answered none of 5 campaigns in the last year"),
        ("campaigns", {"campaigns_received_365d": 5.0, "campaigns_answered_365d": 1.0}, ""),
        ("campaigns", {}, ""),
        ("visits", {}, ""),
        ("tenure", {"T": 35.0}, "a customer for 35 days only"),
        ("contract", {"ended_contracts": 1.0}, "has ended 1 contract before"),
        ("contract", {}, ""),
    ],
)  # fmt: skip
def test_sentences_by_hand(theme, numbers, words):
    assert SENTENCES[theme]({"customer_id": "bob", **numbers}, DRAWN) == words


def test_nobody_has_no_reasons(facts, model, known):
    assert reasons_for(model, known.head(0), facts, AS_OF) == []
