"""Exports as companies have them, small and in their own words; and what is proposed for each."""

import csv
import datetime as dt
import random
import tomllib
from pathlib import Path

import pytest

from crm.config import read_settings
from crm.proposal import propose

PRODUCTS = [
    ("85123A", "WHITE HANGING HEART T-LIGHT HOLDER", 2.55),
    ("71053", "WHITE METAL LANTERN", 3.39),
    ("84406B", "CREAM CUPID HEARTS COAT HANGER", 2.75),
    ("22752", 'SET 7 "BABUSHKA" NESTING BOXES', 7.65),
    ("21730", "GLASS STAR FROSTED T-LIGHT HOLDER", 4.25),
    ("22633", "HAND WARMER UNION JACK", 1.85),
    ("84879", "ASSORTED COLOUR BIRD ORNAMENT", 1.69),
    ("22745", "POPPY'S PLAYHOUSE BEDROOM", 2.1),
    ("22310", "IVORY KNITTED MUG COSY", 1.65),
    ("22622", "BOX OF VINTAGE ALPHABET BLOCKS", 9.95),
]
COUNTRIES = ["United Kingdom", "United Kingdom", "United Kingdom", "France", "Germany", "EIRE"]
START = dt.datetime(2010, 12, 1, 8, 26)


def written(folder, name, header, rows, *, delimiter=",", encoding="utf-8"):
    """A CSV file of these rows."""
    file = Path(folder) / name
    with file.open("w", newline="", encoding=encoding) as stream:
        writer = csv.writer(stream, delimiter=delimiter)
        if header:
            writer.writerow(header)
        writer.writerows(rows)
    return file


def orders(n=400, *, customers=60, seed=1, days=300, start=START):
    """Orders in the order of time: number, customer, moment, lines of (product, name, quantity, price)."""
    chance = random.Random(seed)
    moments = sorted(
        start.replace(hour=0, minute=0)
        + dt.timedelta(
            days=chance.randrange(days),
            hours=chance.choice([8, 9, 10, 11, 12, 13, 14, 15, 16, 17]),
            minutes=chance.randrange(60),
        )
        for _ in range(n)
    )
    for at, moment in enumerate(moments):
        lines = [
            (product, name, chance.choice([1, 1, 2, 3, 6, 12]), price)
            for product, name, price in chance.sample(PRODUCTS, chance.choice([1, 2, 3, 4]))
        ]
        yield 536365 + at, 12346 + chance.randrange(customers) * 7, moment, lines


def uci_web_shop(folder, *, name="online_retail.csv"):
    """The web shop of the UCI repository: a quarter of the lines without customer, cancellations, postage."""
    chance = random.Random(2)
    header = ["Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country"]
    rows = []
    for number, customer, moment, lines in orders(1200, customers=200):
        who = "" if chance.random() < 0.25 else f"{customer}.0"
        when, country = moment.strftime("%d/%m/%Y %H:%M"), COUNTRIES[customer % len(COUNTRIES)]
        cancelled = who and chance.random() < 0.04
        for product, called, quantity, price in lines:
            if cancelled:
                rows.append([f"C{number}", product, called, -quantity, when, price, who, country])
            else:
                rows.append([number, product, called, quantity, when, price, who, country])
        if chance.random() < 0.1 and not cancelled:
            rows.append([number, "POST", "POSTAGE", 1, when, 18.0, who, country])
    return written(folder, name, header, rows)


def cdnow(folder, *, name="cdnow.txt", header=False):
    """Customer, date, quantity, amount: set apart by blanks."""
    chance = random.Random(3)
    lines = [" customer_id  date number_of_cds  dollar_value"] if header else []
    for customer in range(1, 301):
        for _ in range(chance.choice([1, 1, 2, 3, 8])):
            day = dt.date(1997, 1, 1) + dt.timedelta(days=chance.randrange(500))
            pieces = chance.choice([1, 1, 1, 2, 3, 5])
            lines.append(f" {customer:05d} {day:%Y%m%d} {pieces:2d} {pieces * 12.99 + chance.random():7.2f}")
    file = Path(folder) / name
    file.write_text("\r\n".join(lines) + "\r\n")
    return file


SHOPIFY = [
    "Name",
    "Email",
    "Financial Status",
    "Paid at",
    "Fulfillment Status",
    "Currency",
    "Subtotal",
    "Shipping",
    "Taxes",
    "Total",
    "Discount Code",
    "Discount Amount",
    "Created at",
    "Lineitem quantity",
    "Lineitem name",
    "Lineitem price",
    "Lineitem sku",
    "Billing Name",
    "Billing City",
    "Vendor",
    "Id",
]


def shopify(folder, *, name="orders_export_1.csv"):
    """One row a line; what is the order's stands on its first line only."""
    rows = []
    for at, (_, customer, moment, lines) in enumerate(orders(300, seed=4)):
        subtotal = round(sum(q * p for _, _, q, p in lines), 2)
        stamp = moment.strftime("%Y-%m-%d %H:%M:%S +0100")
        for number, (product, called, quantity, price) in enumerate(lines):
            head = [
                f"#{1001 + at}",
                f"person{customer}@example.com",
                "paid",
                stamp,
                "fulfilled",
                "EUR",
                subtotal,
                4.9,
                0,
                round(subtotal + 4.9, 2),
                "",
                0,
                stamp,
            ]
            later = [f"#{1001 + at}", f"person{customer}@example.com", *[""] * 10, ""]
            line = [quantity, called, price, product]
            tail = (
                [f"Person {customer}", "Köln", "Own brand", 4500000000 + at]
                if number == 0
                else ["", "", "Own brand", ""]
            )
            rows.append([*(later if number else head), *line, *tail])
    return written(folder, name, SHOPIFY, rows)


def woocommerce(folder, *, name="wc-orders.csv"):
    """The order's total repeated on each line; cancelled and failed orders among them."""
    chance = random.Random(5)
    header = [
        "Order Number",
        "Order Status",
        "Order Date",
        "Customer User ID",
        "Email (Billing)",
        "Order Total Amount",
        "SKU",
        "Item #",
        "Item Name",
        "Quantity",
        "Item Cost",
    ]
    rows = []
    for number, customer, moment, lines in orders(300, seed=5):
        status = chance.choice(["completed"] * 8 + ["processing", "cancelled", "failed"])
        total = round(sum(q * p for _, _, q, p in lines), 2)
        for at, (product, called, quantity, price) in enumerate(lines, start=1):
            rows.append(
                [
                    number,
                    status,
                    moment.strftime("%Y-%m-%d %H:%M"),
                    customer,
                    f"p{customer}@example.com",
                    total,
                    product,
                    at,
                    called,
                    quantity,
                    price,
                ]
            )
    return written(folder, name, header, rows)


def german_till(folder, *, name="bons.csv"):
    """Semicolons, decimal comma, Windows-1252, date and time of day in two columns."""
    rows = []
    for number, customer, moment, lines in orders(300, seed=6):
        for at, (product, called, quantity, price) in enumerate(lines, start=1):
            rows.append(
                [
                    f"B{number}",
                    at,
                    "Filiale Süd",
                    moment.strftime("%d.%m.%Y"),
                    moment.strftime("%H:%M"),
                    customer,
                    product,
                    called.title() + " für Tee",
                    quantity,
                    f"{quantity * price:,.2f} €".replace(",", "_").replace(".", ",").replace("_", "."),
                ]
            )
    header = [
        "Belegnr",
        "Pos",
        "Filiale",
        "Datum",
        "Uhrzeit",
        "Kundennr",
        "Artikelnr",
        "Artikelbezeichnung",
        "Menge",
        "Betrag",
    ]
    return written(folder, name, header, rows, delimiter=";", encoding="cp1252")


def newsletter(folder):
    """Orders, and what a newsletter tool knows: one row for each mailing and address."""
    chance = random.Random(7)
    sales, sends = [], []
    for number, customer, moment, lines in orders(400, seed=7):
        total = round(sum(q * p for _, _, q, p in lines), 2)
        sales.append([customer, number, moment.strftime("%Y-%m-%dT%H:%M:%SZ"), f"{total:.2f}"])
    for mailing in range(1, 7):
        sent = START + dt.timedelta(days=40 * mailing)
        for customer in range(12346, 12346 + 60 * 7, 7):
            if chance.random() < 0.7:
                clicked = (sent + dt.timedelta(hours=chance.randrange(1, 60))) if chance.random() < 0.2 else None
                sends.append(
                    [
                        f"NL-{mailing:03d}",
                        f"Offer {mailing}",
                        customer,
                        sent.isoformat() + "Z",
                        clicked.isoformat() + "Z" if clicked else "",
                    ]
                )
    return [
        written(folder, "sales_2011.csv", ["cust_no", "receipt", "ts", "total"], sales),
        written(
            folder, "newsletter_sends.csv", ["campaign_id", "subject", "cust_no", "sent_at", "clicked_at"], sends
        ),
    ]


def customers_with_consent(folder):
    """A CRM's list of customers beside the orders; consents stand in it."""
    chance = random.Random(8)
    sales = []
    for number, customer, moment, lines in orders(400, seed=8):
        for product, _, quantity, price in lines:
            sales.append(
                [
                    f"K{customer}",
                    number,
                    moment.strftime("%d.%m.%Y"),
                    product,
                    quantity,
                    f"{quantity * price:.2f}".replace(".", ","),
                ]
            )
    people = [
        [
            f"K{customer}",
            f"Name {customer}",
            f"p{customer}@example.com",
            f"+49 {customer}",
            START.strftime("%d.%m.%Y"),
            chance.choice(["A", "B", "C"]),
            chance.choice(["ja", "nein"]),
            START.strftime("%d.%m.%Y"),
        ]
        for customer in range(12346, 12346 + 70 * 7, 7)
    ]
    return [
        written(
            folder, "verkauf.csv", ["KdNr", "Auftrag", "Datum", "ArtNr", "Menge", "Umsatz"], sales, delimiter=";"
        ),
        written(
            folder,
            "kundenstamm.csv",
            [
                "Kundennummer",
                "Name",
                "E-Mail",
                "Telefon",
                "Kunde seit",
                "Klasse",
                "Newsletter Einwilligung",
                "Einwilligung Datum",
            ],
            people,
            delimiter=";",
        ),
    ]


def strange_names(folder, *, name="dump.csv"):
    """Columns nobody has seen before."""
    rows = []
    for number, customer, moment, lines in orders(300, seed=9):
        for product, _, quantity, price in lines:
            rows.append(
                [
                    f"p{customer}@example.com",
                    number,
                    int(moment.replace(tzinfo=dt.UTC).timestamp()),
                    product,
                    quantity,
                    round(quantity * price, 2),
                ]
            )
    return written(folder, name, ["buyer e-mail", "txn #", "txn_ts", "prod", "qnty", "amt"], rows)


def meaningless_names(folder, *, name="f.csv"):
    """Columns whose names say nothing at all."""
    rows = []
    for number, customer, moment, lines in orders(400, seed=10):
        for product, _, quantity, price in lines:
            rows.append(
                [
                    number,
                    product,
                    moment.strftime("%Y-%m-%d %H:%M"),
                    quantity,
                    f"{quantity * price:.2f}",
                    f"X{customer}",
                ]
            )
    return written(folder, name, ["a", "b", "c", "d", "e", "f"], rows)


def orders_and_lines(folder):
    """Two files: who and when in one, what and for how much in the other."""
    heads, lines_ = [], []
    for number, customer, moment, lines in orders(300, seed=11):
        heads.append([number, customer, moment.strftime("%Y-%m-%d %H:%M:%S"), "delivered"])
        for at, (product, _, quantity, price) in enumerate(lines, start=1):
            lines_.append([number, at, product, quantity, price])
    return [
        written(folder, "orders.csv", ["order_id", "customer_id", "order_purchase_timestamp", "order_status"], heads),
        written(folder, "order_items.csv", ["order_id", "order_item_id", "product_id", "qty", "unit price"], lines_),
    ]


def ambiguous_dates(folder, *, name="sales.csv", ordered=False):
    """Every day and every month is below 13."""
    chance = random.Random(12)
    rows = []
    for number, customer, _, lines in orders(300, seed=12):
        day, month = chance.randrange(1, 13), chance.randrange(1, 13)
        rows.append([customer, number, f"{day:02d}/{month:02d}/2017", f"{sum(q * p for _, _, q, p in lines):.2f}"])
    if ordered:
        rows.sort(key=lambda row: (row[2][3:5], row[2][:2]))
    return written(folder, name, ["Customer", "Order", "Date", "Total"], rows)


def overlapping_years(folder):
    """Two exports of the same columns, of which the second begins before the first has ended."""
    rows = [
        [customer, number, moment.strftime("%Y-%m-%d %H:%M"), product, quantity, f"{quantity * price:.2f}"]
        for number, customer, moment, lines in orders(500, seed=13, days=700)
        for product, _, quantity, price in lines
    ]
    header = ["client", "order no", "placed", "article", "pieces", "value"]
    cut = len(rows) // 2
    return [
        written(folder, "orders-2016.csv", header, rows[: cut + 40]),
        written(folder, "orders-2017.csv", header, rows[cut:]),
    ]


def superstore(folder, *, name="superstore.csv"):
    """Sales as line totals, a discount as a share, dates with the month first, categories and customers in it."""
    rows = []
    for number, customer, moment, lines in orders(400, seed=14):
        for product, called, quantity, price in lines:
            rows.append(
                [
                    f"CA-{number}",
                    f"{moment.month}/{moment.day}/{moment.year}",
                    f"{moment.month}/{moment.day}/{moment.year}",
                    f"C-{customer}",
                    f"Person {customer}",
                    ["Consumer", "Corporate"][customer % 2],
                    ["East", "West", "South"][customer % 3],
                    f"P-{product}",
                    ["Furniture", "Gifts"][len(called) % 2],
                    called,
                    round(quantity * price, 2),
                    quantity,
                    [0, 0.2, 0.15][quantity % 3],
                    round(price / 3, 4),
                ]
            )
    header = [
        "Order ID",
        "Order Date",
        "Ship Date",
        "Customer ID",
        "Customer Name",
        "Segment",
        "Region",
        "Product ID",
        "Category",
        "Product Name",
        "Sales",
        "Quantity",
        "Discount",
        "Profit",
    ]
    return written(folder, name, header, rows, encoding="cp1252")


def order_totals_only(folder, *, name="lines.csv"):
    """Each line bears its order's total, and nothing else of money."""
    rows = []
    for number, customer, moment, lines in orders(200, seed=15):
        total = round(sum(q * p for _, _, q, p in lines), 2)
        rows += [
            [number, customer, moment.isoformat(" "), product, quantity, total] for product, _, quantity, _ in lines
        ]
    return written(folder, name, ["order", "customer", "ordered", "product", "qty", "total"], rows)


def several_currencies(folder, *, name="sales.csv"):
    """Three of four lines in euros, the rest in francs."""
    rows = [
        [
            customer,
            number,
            moment.date(),
            f"{sum(q * p for _, _, q, p in lines):.2f}",
            "CHF" if number % 4 == 0 else "EUR",
        ]
        for number, customer, moment, lines in orders(400, seed=16)
    ]
    return written(folder, name, ["customer_id", "order_id", "date", "amount", "currency"], rows)


def french_shop(folder, *, name="ventes.csv"):
    """French names, a decimal comma."""
    rows = [
        [
            f"CL{customer}",
            number,
            moment.strftime("%d/%m/%Y"),
            product,
            called,
            quantity,
            f"{quantity * price:.2f}".replace(".", ","),
        ]
        for number, customer, moment, lines in orders(300, seed=17)
        for product, called, quantity, price in lines
    ]
    header = [
        "Numéro client",
        "N° commande",
        "Date de commande",
        "Réf. article",
        "Désignation",
        "Quantité",
        "Montant HT",
    ]
    return written(folder, name, header, rows, delimiter=";")


def with_returns_and_cases(folder):
    """Purchases, returns with amounts below nought, service cases, deliveries; canonical names nowhere."""
    sales, back, tickets, parcels = [], [], [], []
    for number, customer, moment, lines in orders(400, seed=18):
        product, _, quantity, price = lines[0]
        sales.append([customer, number, moment.isoformat(), product, quantity, f"{quantity * price:.2f}"])
        parcels.append(
            [number, (moment + dt.timedelta(days=3)).date(), (moment + dt.timedelta(days=2 + number % 4)).isoformat()]
        )
        if number % 9 == 0:
            back.append(
                [
                    f"R{number}",
                    customer,
                    number,
                    (moment + dt.timedelta(days=9)).isoformat(),
                    product,
                    f"{-quantity * price:.2f}",
                    "too small",
                ]
            )
        if number % 11 == 0:
            tickets.append(
                [f"T{number}", customer, (moment + dt.timedelta(days=1)).isoformat(), "", "late", number % 5 + 1]
            )
    return [
        written(folder, "sales.csv", ["member", "receipt", "purchased at", "article", "qty", "amount"], sales),
        written(
            folder,
            "returns.csv",
            ["return id", "member", "receipt", "returned at", "article", "refund amount", "reason"],
            back,
        ),
        written(
            folder, "tickets.csv", ["ticket id", "member", "opened at", "closed at", "subject", "rating"], tickets
        ),
        written(folder, "parcels.csv", ["receipt", "promised delivery", "delivered at"], parcels),
    ]


EXPORTS = {
    export.__name__: export
    for export in (
        uci_web_shop,
        cdnow,
        shopify,
        woocommerce,
        german_till,
        newsletter,
        customers_with_consent,
        strange_names,
        meaningless_names,
        orders_and_lines,
        ambiguous_dates,
        overlapping_years,
        superstore,
        order_totals_only,
        several_currencies,
        french_shop,
        with_returns_and_cases,
    )
}


@pytest.fixture(scope="session")
def exports():
    """By name: what writes the export into a folder, and gives its file or files."""
    return EXPORTS


@pytest.fixture(scope="session")
def look():
    """Look at paths for a settings file in a folder: the proposal, the same as TOML, and its settings."""

    def looked(home, *paths):
        (home / "notebooks").mkdir(exist_ok=True)
        proposal = propose([str(path) for path in paths], target=home / "crm.toml")
        (home / "crm.toml").write_text(proposal.toml, encoding="utf-8")
        return proposal, tomllib.loads(proposal.toml), read_settings(home / "crm.toml")

    return looked


@pytest.fixture(scope="session")
def proposed(tmp_path_factory, look):
    """Each export written and looked at once."""
    known = {}

    def get(case):
        if case not in known:
            home = tmp_path_factory.mktemp(case)
            files = EXPORTS[case](home)
            known[case] = look(home, *(files if isinstance(files, list) else [files]))
        return known[case]

    return get


@pytest.fixture(scope="session")
def some_orders():
    """Four hundred orders: number, customer, moment, lines of (product, name, quantity, price)."""
    return list(orders(400, seed=21))


@pytest.fixture(scope="session")
def save():
    """Write a CSV file into a folder."""
    return written
