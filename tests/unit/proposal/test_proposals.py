"""What is proposed for whose export: columns, keys, what is left to a person; and the product reads with it."""

import pytest

from crm.facts import read_facts

UNKNOWN_MONEY = {"money.currency", "money.gross_margin"}
ZONE = {"source.timezone"}
THIN = {"definitions.active_within_days"}

CASES = {
    "uci_web_shop": {
        "columns": {
            "purchases": {
                "customer_id": "Customer ID",
                "order_id": "Invoice",
                "ordered_at": "InvoiceDate",
                "product_id": "StockCode",
                "quantity": "Quantity",
                "unit_price": "Price",
            },
            "products": {"product_id": "StockCode", "name": "Description"},
            "customers": {"customer_id": "Customer ID"},
        },
        "keys": {"purchases": {"day_first": True, "credit_note_prefix": "C"}},
        "decide": {*UNKNOWN_MONEY, *ZONE, *THIN, "quality.accepted_reasons"},
        "accepted": {"customer_id is missing": 0.3},
        "says": ["does not grow with the quantity", "such as C536", "Country (100 %)"],
    },
    "cdnow": {
        "columns": {
            "purchases": {"customer_id": 1, "order_id": "order_id", "ordered_at": 2, "quantity": 3, "net_amount": 4}
        },
        "keys": {"purchases": {"header": False, "delimiter": "blanks"}},
        "decide": {*UNKNOWN_MONEY, *THIN, "source.tables.purchases.columns"},
        "says": ["a customer's lines of one day are one order", '"column 1" || \'-\' || "column 2"'],
    },
    "shopify": {
        "columns": {
            "purchases": {
                "customer_id": "Email",
                "order_id": "Name",
                "ordered_at": "ordered_at",
                "product_id": "Lineitem sku",
                "quantity": "Lineitem quantity",
                "unit_price": "Lineitem price",
                "currency": "currency made",
            },
            "products": {"product_id": "Lineitem sku", "name": "Lineitem name", "brand": "Vendor"},
        },
        "decide": {*ZONE, *THIN, "money.gross_margin", "source.tables.purchases.columns.customer_id"},
        "says": ['currency = "EUR"', "the lines add up to Subtotal", "stands on the first line of an order only"],
    },
    "woocommerce": {
        "columns": {
            "purchases": {
                "customer_id": "Customer User ID",
                "order_id": "Order Number",
                "ordered_at": "Order Date",
                "product_id": "SKU",
                "quantity": "Quantity",
                "unit_price": "Item Cost",
            },
            "products": {"product_id": "SKU", "name": "Item Name"},
        },
        "decide": {*UNKNOWN_MONEY, *ZONE, *THIN, "source.tables.purchases.query"},
        "accepted": {"no purchase by its Order Status": 0.2},
        "says": [
            "the order's total, repeated on each line",
            "IN ('failed', 'cancelled') THEN 'no purchase by its Order Status'",
        ],
    },
    "german_till": {
        "columns": {
            "purchases": {
                "customer_id": "Kundennr",
                "order_id": "Belegnr",
                "ordered_at": "ordered_at",
                "net_amount": "Betrag",
                "product_id": "Artikelnr",
                "quantity": "Menge",
                "store_id": "Filiale",
            },
            "products": {"product_id": "Artikelnr", "name": "Artikelbezeichnung"},
        },
        "keys": {"purchases": {"delimiter": ";", "encoding": "cp1252", "decimal_comma": True, "day_first": True}},
        "decide": {*ZONE, *THIN, "money.gross_margin"},
        "says": ['currency = "EUR"', "Datum gives the date and Uhrzeit the time of day"],
    },
    "newsletter": {
        "columns": {
            "purchases": {"customer_id": "cust_no", "order_id": "receipt", "ordered_at": "ts", "net_amount": "total"},
            "contacts": {"campaign_id": "campaign_id", "customer_id": "cust_no", "contacted_at": "sent_at"},
            "responses": {"campaign_id": "campaign_id", "customer_id": "cust_no", "responded_at": "clicked_at"},
            "campaigns": {
                "campaign_id": "campaign_id",
                "name": "name",
                "starts_at": "starts_at",
                "ends_at": "ends_at",
            },
        },
        "decide": {*UNKNOWN_MONEY, *ZONE, "source.tables.campaigns.query"},
        "says": ["name their time zone"],
    },
    "customers_with_consent": {
        "columns": {
            "purchases": {
                "customer_id": "KdNr",
                "order_id": "Auftrag",
                "ordered_at": "Datum",
                "product_id": "ArtNr",
                "quantity": "Menge",
                "net_amount": "Umsatz",
            },
            "customers": {"customer_id": "Kundennummer", "joined_at": "Kunde seit"},
            "consents": {
                "customer_id": "Kundennummer",
                "granted": "Newsletter Einwilligung",
                "recorded_at": "Einwilligung Datum",
            },
        },
        "keys": {
            "purchases": {"decimal_comma": True, "day_first": True},
            "customers": {"day_first": True},
            "consents": {"constants": {"channel": "email", "purpose": "marketing"}},
        },
        "decide": {*UNKNOWN_MONEY, *THIN, "source.tables.consents.constants"},
        "says": ['EXCLUDE ("Name", "E-Mail", "Telefon")'],
    },
    "strange_names": {
        "columns": {
            "purchases": {
                "customer_id": "buyer e-mail",
                "order_id": "txn #",
                "ordered_at": "txn_ts",
                "product_id": "prod",
                "quantity": "qnty",
                "net_amount": "amt",
            }
        },
        "keys": {"purchases": {"date_format": "epoch"}},
        "decide": {*UNKNOWN_MONEY, *ZONE, *THIN},
    },
    "meaningless_names": {
        "columns": {
            "purchases": {
                "customer_id": "f",
                "order_id": "a",
                "ordered_at": "c",
                "product_id": "b",
                "quantity": "d",
                "net_amount": "e",
            }
        },
        "decide": {*UNKNOWN_MONEY, *ZONE, *THIN, "source.tables.purchases.columns"},
    },
    "orders_and_lines": {
        "columns": {
            "purchases": {
                "customer_id": "customer_id",
                "order_id": "order_id",
                "ordered_at": "order_purchase_timestamp",
                "product_id": "product_id",
                "quantity": "qty",
                "unit_price": "unit price",
            }
        },
        "decide": {*UNKNOWN_MONEY, *ZONE, *THIN},
        "says": ["100 % of the lines find theirs"],
    },
    "overlapping_years": {
        "columns": {
            "purchases": {
                "customer_id": "client",
                "order_id": "order no",
                "ordered_at": "placed",
                "product_id": "article",
                "quantity": "pieces",
                "net_amount": "value",
            }
        },
        "keys": {"purchases": {"path": "orders-*.csv", "repeated_rows": "set_aside_across_files"}},
        "decide": {*UNKNOWN_MONEY, *ZONE, "source.tables.purchases.repeated_rows"},
        "accepted": {"the row stands in an earlier file as well": 0.05},
        "says": ["40 rows stand in more than one"],
    },
    "superstore": {
        "columns": {
            "purchases": {
                "customer_id": "Customer ID",
                "order_id": "Order ID",
                "ordered_at": "Order Date",
                "product_id": "Product ID",
                "quantity": "Quantity",
                "net_amount": "Sales",
            },
            "products": {"product_id": "Product ID", "name": "Product Name", "category": "Category"},
            "customers": {"customer_id": "Customer ID"},
        },
        "keys": {"purchases": {"day_first": False}},
        "decide": {*UNKNOWN_MONEY, *THIN},
        "says": ["Segment (100 %), Region (100 %)", "Customer Name: personal details"],
    },
    "order_totals_only": {
        "columns": {
            "purchases": {
                "customer_id": "customer",
                "order_id": "order",
                "ordered_at": "ordered",
                "product_id": "product",
                "quantity": "qty",
                "net_amount": "net_amount",
            }
        },
        "decide": {*UNKNOWN_MONEY, *ZONE, *THIN, "source.tables.purchases.query"},
        "says": ["repeated on each line", "What customers and orders spent will be right"],
    },
    "several_currencies": {
        "columns": {
            "purchases": {
                "customer_id": "customer_id",
                "order_id": "order_id",
                "ordered_at": "date",
                "net_amount": "amount",
                "currency": "currency",
            }
        },
        "decide": {*UNKNOWN_MONEY, *THIN},
        "accepted": {"the amount is not in EUR": 0.3},
        "says": ["EUR 300 or 75 %, CHF 100 or 25 %"],
    },
    "french_shop": {
        "columns": {
            "purchases": {
                "customer_id": "Numéro client",
                "order_id": "N° commande",
                "ordered_at": "Date de commande",
                "product_id": "Réf. article",
                "quantity": "Quantité",
                "net_amount": "Montant HT",
            },
            "products": {"product_id": "Réf. article", "name": "Désignation"},
        },
        "keys": {"purchases": {"decimal_comma": True, "day_first": True, "delimiter": ";"}},
        "decide": {*UNKNOWN_MONEY, *THIN},
    },
    "with_returns_and_cases": {
        "columns": {
            "purchases": {
                "customer_id": "member",
                "order_id": "receipt",
                "ordered_at": "purchased at",
                "product_id": "article",
                "quantity": "qty",
                "net_amount": "amount",
            },
            "returns": {
                "customer_id": "member",
                "order_id": "receipt",
                "returned_at": "returned at",
                "amount": "amount",
                "product_id": "article",
                "reason": "reason",
            },
            "service_cases": {
                "case_id": "ticket id",
                "customer_id": "member",
                "opened_at": "opened at",
                "topic": "subject",
                "satisfaction": "rating",
            },
            "deliveries": {"order_id": "receipt", "promised_at": "promised delivery", "delivered_at": "delivered at"},
        },
        "decide": {*UNKNOWN_MONEY, *ZONE},
        "says": ["its sign is turned"],
    },
}


@pytest.mark.parametrize("case", CASES)
def test_columns_are_recognised(case, proposed):
    _, told, _ = proposed(case)
    assert {name: table["columns"] for name, table in told["source"]["tables"].items()} == CASES[case]["columns"]


@pytest.mark.parametrize("case", CASES)
def test_how_values_are_written_is_said(case, proposed):
    _, told, _ = proposed(case)
    for name, keys in CASES[case].get("keys", {}).items():
        table = told["source"]["tables"][name]
        assert {key: table.get(key) for key in keys} == keys
    assert told["quality"].get("accepted_reasons", {}) == CASES[case].get("accepted", {})


@pytest.mark.parametrize("case", CASES)
def test_what_the_data_do_not_say_is_left_to_a_person(case, proposed):
    proposal, _, _ = proposed(case)
    assert {decision.key for decision in proposal.decisions} == CASES[case]["decide"]
    assert proposal.toml.count("# DECIDE: ") == len(proposal.decisions), "each stands in the file"
    for decision in proposal.decisions:
        assert any(decision.key in line and decision.question in line for line in proposal.summary)


@pytest.mark.parametrize("case", CASES)
def test_the_evidence_stands_beside_it(case, proposed):
    text = " ".join(line.removeprefix("#").strip() for line in proposed(case)[0].toml.splitlines())
    for said in CASES[case].get("says", []):
        assert said in text


BY_VALUES = {"cdnow", "meaningless_names"}  # nothing but their values says what their columns are


@pytest.mark.parametrize("case", CASES)
def test_it_runs_as_it_is(case, proposed):
    """The product reads every table with it and sets aside no more than is allowed; nothing of it is lost."""
    proposal, _, settings = proposed(case)
    looks = "Look at columns before it runs" if case in BY_VALUES else "It runs as it is."
    assert proposal.summary[-2].startswith(looks)
    facts = read_facts(settings)
    assert set(facts.tables["table"]) - {"returns"} == set(CASES[case]["columns"]) - {"returns"}
    assert (facts.tables["kept"] > 0).all()
