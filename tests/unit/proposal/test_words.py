"""What names say: split into words, and how like a canonical column they are."""

import pytest

from crm.proposal.meanings import PATTERNS, likeness, table_likeness
from crm.proposal.words import words_of


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Customer ID", ("customer", "id")),
        ("customerId", ("customer", "id")),
        ("CUSTOMER_ID", ("customer", "id")),
        ("custid", ("cust", "id")),
        ("KdNr", ("kd", "nr")),
        ("Kundennummer", ("kunden", "nummer")),
        ("Rechnungsbetrag", ("rechnung", "betrag")),
        ("InvoiceNo", ("invoice", "no")),
        ("stockcode", ("stock", "code")),
        ("Item #", ("item", "number")),
        ("buyer e-mail", ("buyer", "email")),
        ("Date de commande", ("date", "commande")),
        ("Größe", ("grosse",)),
        ("Stückpreis", ("stuck", "preis")),
        ("Stueckpreis", ("stuck", "preis")),
        ("custmer nmber", ("customer", "number")),
        ("Straße", ("strasse",)),
        ("xyzzy", ("xyzzy",)),
        ("🛒 total", ("total",)),
        ("", ()),
    ],
)
def test_names_are_split_where_words_meet(name, words):
    assert words_of(name) == words


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("Customer ID", "customer_id"),
        ("household_key", "customer_id"),
        ("KdNr", "customer_id"),
        ("cust", "customer_id"),
        ("buyer e-mail", "customer_id"),
        ("CardNo", "customer_id"),
        ("Numéro client", "customer_id"),
        ("Invoice", "order_id"),
        ("Belegnr", "order_id"),
        ("receipt_no", "order_id"),
        ("BASKET_ID", "order_id"),
        ("N° commande", "order_id"),
        ("SalesOrderID", "order_id"),
        ("txn", "order_id"),
        ("InvoiceDate", "ordered_at"),
        ("order_purchase_timestamp", "ordered_at"),
        ("txn_ts", "ordered_at"),
        ("Bestelldatum", "ordered_at"),
        ("Fecha Pedido", "ordered_at"),
        ("Created at", "ordered_at"),
        ("ts", "ordered_at"),
        ("amt", "net_amount"),
        ("Betrag", "net_amount"),
        ("LineTotal", "net_amount"),
        ("Umsatz netto", "net_amount"),
        ("sales_value", "net_amount"),
        ("Montant HT", "net_amount"),
        ("Revenue (EUR)", "net_amount"),
        ("Unit Price", "unit_price"),
        ("Einzelpreis", "unit_price"),
        ("Lineitem price", "unit_price"),
        ("Price", "unit_price"),
        ("Qty", "quantity"),
        ("Menge", "quantity"),
        ("number_of_cds", "quantity"),
        ("Lineitem quantity", "quantity"),
        ("StockCode", "product_id"),
        ("ArtNr", "product_id"),
        ("SKU", "product_id"),
        ("Réf. article", "product_id"),
        ("Rabatt", "discount_amount"),
        ("retail_disc", "discount_amount"),
        ("Filiale", "store_id"),
        ("Währung", "currency"),
    ],
)
def test_a_name_is_most_like_the_column_it_stands_for(name, column):
    by_likeness = {target: likeness(name, "purchases", target) for target in PATTERNS["purchases"]}
    assert max(by_likeness, key=by_likeness.get) == column
    assert by_likeness[column] >= 0.5


@pytest.mark.parametrize("name", ["week_no", "foo", "", "Country", "Discount Percent", "Opt-In Date", "column 3"])
def test_other_names_are_like_none(name):
    assert max(likeness(name, "purchases", target) for target in PATTERNS["purchases"]) < 0.7


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("orders-2017", "purchases"),
        ("order_items", "purchases"),
        ("Verkäufe", "purchases"),
        ("retouren", "returns"),
        ("articles", "products"),
        ("kundenstamm", "customers"),
        ("support_tickets", "service_cases"),
        ("newsletter_sends", "contacts"),
        ("coupon_redemptions", "responses"),
        ("Web sessions", "visits"),
    ],
)
def test_the_name_of_a_file_says_what_it_holds(name, table):
    assert table_likeness(name, table) >= 0.6
