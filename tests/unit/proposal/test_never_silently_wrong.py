"""Exports in which a plain reading gives the wrong money: what is kept of each, to the cent, and what is asked."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

import pytest

from crm.facts import read_facts
from crm.periods import date_of
from crm.readiness.rows import table_rows

DAYS = [dt.date(2022, 1, 3) + dt.timedelta(days=3 * n) for n in range(40)]


@dataclass(frozen=True)
class Order:
    """number, customer, day, lines of (product, pieces, price in cents)."""

    number: int
    who: int
    day: dt.date
    lines: list[tuple[str, int, int]]

    @property
    def cents(self):
        return sum(pieces * price for _, pieces, price in self.lines)


def shop():
    """Forty orders of nine customers, two to four lines each; a product has one price."""
    for n, day in enumerate(DAYS):
        lines = [(f"p{(n + at) % 7}", 1 + (n * at) % 4, 199 + 150 * ((n + at) % 7)) for at in range(2 + n % 3)]
        yield Order(n + 1, n % 9 + 1, day, lines)


ORDERS = list(shop())
ALL = Decimal(sum(order.cents for order in ORDERS)) / 100


def money(cents):
    return f"{cents // 100}.{cents % 100:02d}" if cents >= 0 else f"-{money(-cents)}"


def lines():
    """Each line of each order: order, product, pieces, price."""
    return [(order, *line) for order in ORDERS for line in order.lines]


@pytest.fixture
def read(tmp_path, look):
    """Propose for one export, read it so: money kept and returned, customers, questions, reasons, the proposal."""

    def proposed(header, rows, name="export.csv", encoding="utf-8"):
        text = "\n".join([header, *(";".join(map(str, row)) for row in rows)]) + "\n"
        (tmp_path / name).write_bytes(text.encode(encoding))
        proposal, _, settings = look(tmp_path, tmp_path / name)
        return Read(proposal, settings)

    return proposed


class Read:
    """What a proposal makes of its data."""

    def __init__(self, proposal, settings):
        self.proposal = proposal
        self.facts = read_facts(settings, within_budget=False)
        rows = next(one for one in table_rows(self.facts) if one.table == "purchases")
        self.rows, self.money = rows, rows.money["kept"] + rows.money["became_returns"]
        self.asked = {one.key.removeprefix("source.tables.purchases.") for one in proposal.decisions}
        self.reasons = {one.reason: one.rows for one in rows.reasons}
        self.settings = settings


def plain(order, product, pieces, price):
    return [order.who, order.number, order.day, product, pieces, money(pieces * price)]


HEADER = "customer;order;date;product;quantity;amount"


@pytest.mark.parametrize("word", ["TOTAL", "Subtotal", "Summe", "Grand total", "Total :"])
def test_lines_of_totals_are_set_aside(read, word):
    rows = []
    for order in ORDERS:
        rows += [plain(order, *line) for line in order.lines]
        pieces = sum(line[1] for line in order.lines)
        rows.append([order.who, order.number, order.day, word, pieces, money(order.cents)])
    found = read(HEADER, rows)
    assert found.money == ALL
    assert found.reasons == {"a line of totals": 40}
    assert "query" in found.asked


def test_a_total_of_everything_is_set_aside(read):
    rows = [plain(*line) for line in lines()] + [["Summe", "", "", "", "", str(ALL)]]
    found = read(HEADER, rows)
    assert (found.money, found.reasons) == (ALL, {"a line of totals": 1})


def test_a_product_that_is_called_total_stays_and_is_asked_about(read):
    rows = [plain(order, "Total" if product == "p3" else product, *rest) for order, product, *rest in lines()]
    found = read(HEADER, rows)
    assert found.money == ALL
    assert "query" in found.asked


def test_an_order_with_a_row_for_each_state_counts_once(read):
    rows = []
    for order in ORDERS:
        states = ["created", "paid", "shipped", "cancelled" if order.number == 5 else "delivered"][
            : 2 + order.number % 3
        ]
        for hour, state in enumerate(states):
            rows.append([order.who, order.number, f"{order.day}T0{hour}:00:00", state, money(order.cents)])
    found = read("customer_id;order_id;event_time;status;order_total", rows)
    cancelled = ORDERS[4].cents if (2 + 5 % 3) == 4 else 0
    assert found.money == ALL - Decimal(cancelled) / 100
    assert found.rows.kept == 40 - bool(cancelled)
    assert "query" in found.asked


SHOPIFY = (
    "Name;Email;Financial Status;Currency;Subtotal;Total;Discount Amount;Created at;Lineitem quantity;Lineitem name;"
    "Lineitem price;Lineitem sku;Cancelled at;Refunded Amount;Source"
)


def shopify(*, with_subtotal=True):
    """The order's own columns on its first line only; a tenth off every fourth order, one order cancelled."""
    for order in ORDERS:
        off = order.cents // 10 if order.number % 4 == 0 else 0
        subtotal = order.cents - off if with_subtotal else 0
        who = f"Ann.{order.who}@Example.com" if order.number % 2 else f"ann.{order.who}@example.com"
        stamp = f"{order.day} 10:00:00 +0000"
        cancelled = stamp if order.number == 7 else ""
        for at, (product, pieces, price) in enumerate(order.lines):
            line = [stamp, pieces, product.upper(), money(price), product]
            if at:
                yield [f"#{order.number}", "", "", "", "", "", "", *line, "", "", ""]
            else:
                head = [f"#{order.number}", who, "paid", "GBP", money(subtotal), money(subtotal + 499), money(off)]
                yield [*head, *line, cancelled, "0.00", "web"]


def test_a_discount_of_the_order_is_spread_over_its_lines(read):
    found = read(SHOPIFY, shopify())
    kept = [order for order in ORDERS if order.number != 7]
    off = sum(order.cents // 10 for order in kept if order.number % 4 == 0)
    assert found.money == Decimal(sum(order.cents for order in kept) - off) / 100
    assert found.reasons == {"the order was cancelled": len(ORDERS[6].lines)}
    assert 'currency = "GBP"' in found.proposal.toml
    assert "lower(trim(" in found.proposal.toml


GROSS = [
    ("Importe", "Base imponible", False),
    ("Brutto", "Netto", False),
    ("Montant TTC", "Montant HT", False),
    ("Total incl. VAT", "Total excl. VAT", False),
    ("Value A amount", "Value B amount", False),
]


@pytest.mark.parametrize(("gross", "net", "swapped"), [*GROSS, ("Netto", "Brutto", True)])
def test_the_amount_without_the_tax_is_taken(read, gross, net, swapped):
    rows = []
    for order, product, pieces, price in lines():
        without, with_tax = 100 * pieces * price, 121 * pieces * price
        first, second = (without, with_tax) if swapped else (with_tax, without)
        rows.append([order.who, order.number, order.day, product, pieces, money(first // 1), money(second // 1)])
    found = read(f"customer;order;date;product;quantity;{gross};{net}", rows)
    assert found.money == 100 * ALL


def test_the_tax_beside_the_amount_is_taken_off_and_asked_about(read):
    rows = [
        [order.who, order.number, order.day, product, money(120 * pieces * price), money(20 * pieces * price)]
        for order, product, pieces, price in lines()
    ]
    found = read("customer;order;date;product;Total incl. VAT;VAT", rows)
    assert found.money == 100 * ALL
    assert "columns.net_amount" in found.asked


@pytest.mark.parametrize("column", ["discount %", "discount amount"])
def test_a_discount_that_the_price_does_not_know_is_taken_off(read, column):
    rows, off = [], 0
    for order, product, pieces, price in lines():
        rate = 10 if order.number % 3 == 0 else 0
        line = 100 * pieces * price
        off += line * rate // 100
        said = rate if column == "discount %" else money(line * rate // 100)
        rows.append([order.who, order.number, order.day, product, pieces, money(100 * price), money(line), said])
    found = read(f"customer;order;date;product;quantity;unit price;line amount;{column}", rows)
    assert found.money == 100 * ALL - Decimal(off) / 100
    assert "columns.net_amount" in found.asked


@pytest.mark.parametrize("word", ["0", "Guest", "guest@shop.example", "Laufkunde", "anonymous"])
def test_nobodys_account_is_no_customer(read, word):
    rows = [[word if order.number % 3 == 0 else f"{order.who}", *plain(order, *line)[1:]] for order, *line in lines()]
    found = read(HEADER, rows)
    assert set(found.reasons) == {"customer_id is missing"}
    assert "columns.customer_id" in found.asked


@pytest.mark.parametrize("values", [("true", "false"), ("1", "0"), ("yes", "no")])
def test_test_orders_are_set_aside(read, values):
    rows = [[*plain(*line), values[0] if line[0].number == 4 else values[1]] for line in lines()]
    found = read(f"{HEADER};is_test", rows)
    assert found.money == ALL - Decimal(ORDERS[3].cents) / 100
    assert found.reasons == {"a test order": len(ORDERS[3].lines)}


def test_cancelled_orders_are_set_aside_in_sight(read):
    rows = [[*plain(*line), "cancelled" if line[0].number == 4 else "complete"] for line in lines()]
    found = read(f"{HEADER};status", rows)
    assert found.money == ALL - Decimal(ORDERS[3].cents) / 100
    assert found.reasons == {"no purchase by its status": len(ORDERS[3].lines)}


CURRENCIES = [
    ("currency", ["EUR", "EUR", "USD"]),
    ("quality", ["EUR", "EUR", "USD"]),
]


@pytest.mark.parametrize(("column", "codes"), CURRENCIES)
def test_several_currencies_are_not_added_up(read, column, codes):
    rows = [[*plain(*line), codes[line[0].number % 3]] for line in lines()]
    found = read(f"{HEADER};{column}", rows)
    assert found.money == Decimal(sum(order.cents for order in ORDERS if order.number % 3 < 2)) / 100
    assert "money.currency" in found.asked
    question = next(one.question for one in found.proposal.decisions if one.key == "money.currency")
    assert "%" in question


def test_several_signs_of_currency_are_not_added_up(read):
    rows = []
    for line in lines():
        row = plain(*line)
        rows.append([*row[:-1], f"{'$' if line[0].number % 3 == 2 else '€'}{row[-1]}"])
    found = read(HEADER, rows)
    assert found.money == Decimal(sum(order.cents for order in ORDERS if order.number % 3 < 2)) / 100
    assert "query" in found.asked
    assert set(found.reasons) == {"the amount is in another currency"}


@pytest.mark.parametrize(("code", "by"), [("EUR", 100), ("JPY", 1), ("KRW", 1), ("CLP", 1), ("VND", 1)])
def test_smaller_units_are_those_of_the_currency(read, code, by):
    rows = [[*plain(*line)[:-1], line[2] * line[3], code] for line in lines()]
    found = read("customer;order;date;product;quantity;amount_minor;currency", rows)
    assert found.money == ALL * 100 / by


MARKS = ["{} zł", "R$ {}", "{} kr", "US${}", "Rs. {}", "CA${}", "{} Kč"]


@pytest.mark.parametrize("mark", MARKS)
def test_signs_of_currency_that_are_words(read, mark):
    rows = [[*plain(*line)[:-1], mark.format(plain(*line)[-1].replace(".", ","))] for line in lines()]
    assert read(HEADER, rows).money == ALL


FRENCH = ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."]
GERMAN = ["Jan", "Feb", "März", "Apr", "Mai", "Juni", "Juli", "Aug", "Sep", "Okt", "Nov", "Dez"]
SPANISH = ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"]
FORMS = {
    "French": lambda day: f"{day.day} {FRENCH[day.month - 1]} {day.year}",
    "German": lambda day: f"{day.day}. {GERMAN[day.month - 1]} {day.year}",
    "Spanish": lambda day: f"{day.day}-{SPANISH[day.month - 1]}-{day.year}",
    "year, day, month": lambda day: f"{day:%Y-%d-%m}",
    "a spreadsheet's days": lambda day: f"{(day - dt.date(1899, 12, 30)).days}.25",
}


@pytest.mark.parametrize("form", FORMS)
def test_dates_in_other_forms(read, form):
    rows = [[order.who, order.number, FORMS[form](order.day), *plain(order, *line)[3:]] for order, *line in lines()]
    found = read(HEADER, rows)
    assert found.money == ALL
    assert (date_of(found.facts.first_day), date_of(found.facts.last_day)) == (DAYS[0], DAYS[-1])


@pytest.mark.parametrize(("encoding", "product"), [("cp1250", "Żurek śląski"), ("cp1251", "Чай чёрный")])
def test_encodings_of_central_europe_and_of_cyrillic(read, encoding, product):
    rows = [[*plain(order, *line)[:3], f"{product} {line[0]}", *plain(order, *line)[4:]] for order, *line in lines()]
    found = read(HEADER, rows, encoding=encoding)
    assert found.money == ALL
    assert f'encoding = "{encoding}"' in found.proposal.toml


def test_what_is_guessed_by_values_alone_is_to_be_looked_at(read):
    rows = [[*plain(*line)] for line in lines()]
    found = read("a;b;c;d;e;f", rows)
    assert found.proposal.summary[-2].startswith("Look at columns before it runs")


def test_a_ledger_is_to_be_looked_at(read):
    rows = [[order.who, order.number, order.day, money(order.cents), ""] for order in ORDERS]
    rows += [[ORDERS[2].who, 99, DAYS[9], "", "1.00"]]
    found = read("account;document no;date;debit;credit", rows)
    assert found.money == ALL - 1
    assert found.proposal.summary[-2].startswith("Look at query")
    assert "net_amount = debit" not in "".join(found.proposal.summary)


def test_files_of_two_manners_are_named(tmp_path, look):
    for name, form, days in (("a.csv", "%d/%m/%Y", DAYS[:20]), ("b.csv", "%m/%d/%Y", DAYS[20:])):
        text = "\n".join(
            [
                "customer_id,order_id,date,amount",
                *(f"c{n % 5},{n}{name[0]},{d:{form}},1.50" for n, d in enumerate(days)),
            ]
        )
        (tmp_path / name).write_text(text + "\n")
    proposal, _, _ = look(tmp_path, tmp_path / "a.csv", tmp_path / "b.csv")
    decision = next(one for one in proposal.decisions if one.key.endswith("day_first"))
    assert decision.needed
    assert "the day first in a.csv, the month first in b.csv" in decision.question


def test_a_tax_of_which_nothing_tells_where_it_is_is_asked_about(read):
    rows = [[*plain(*line), money(line[2] * line[3] * 22 // 100)] for line in lines()]
    found = read(f"{HEADER};IVA", rows)
    assert found.money == ALL
    question = next(one.question for one in found.proposal.decisions if one.key.endswith("columns.net_amount"))
    assert question.startswith("is IVA within the amounts, or on top of them?")
