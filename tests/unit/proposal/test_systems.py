"""The exports of common systems, by their own headers: whose, which order, when, for how much."""

import pytest

from crm.errors import RequestError
from crm.proposal import propose


def money(amount):
    return f"${amount:,.2f}"


# header; what stands in it for an order's number n, customer c, moment m, line number i, product p, name, quantity q,
# price x and order total t; what is recognised; one row per order?
SYSTEMS = {
    "square": (
        {
            "Date": lambda o: f"{o.m:%m/%d/%y}",
            "Time": lambda o: f"{o.m:%H:%M:%S}",
            "Category": lambda o: "Drinks",
            "Item": lambda o: o.name,
            "Qty": lambda o: o.q,
            "Price Point Name": lambda o: "Regular",
            "SKU": lambda o: o.p,
            "Gross Sales": lambda o: money(o.q * o.x),
            "Discounts": lambda o: "-" + money(0.5 * (o.q == 6)),
            "Net Sales": lambda o: money(o.q * o.x - 0.5 * (o.q == 6)),
            "Tax": lambda o: "$0.10",
            "Transaction ID": lambda o: f"T{o.n}",
            "Payment ID": lambda o: f"P{o.n}",
            "Location": lambda o: "Main St",
            "Customer ID": lambda o: f"CU{o.c}",
            "Customer Name": lambda o: f"N {o.c}",
        },
        {
            "customer_id": "Customer ID",
            "order_id": "Transaction ID",
            "ordered_at": "ordered_at",
            "net_amount": "Net Sales",
            "product_id": "SKU",
            "quantity": "Qty",
            "store_id": "Location",
            "discount_amount": "discount_amount",
        },
    ),
    "stripe": (
        {
            "id": lambda o: f"ch_{o.n}",
            "Created (UTC)": lambda o: o.m,
            "Amount": lambda o: f"{o.t:.2f}",
            "Amount Refunded": lambda o: 0,
            "Currency": lambda o: "usd",
            "Status": lambda o: "Failed" if o.n % 9 == 0 else "Paid",
            "Customer ID": lambda o: f"cus_{o.c}",
            "Customer Email": lambda o: f"a{o.c}@x.com",
        },
        {
            "customer_id": "Customer ID",
            "order_id": "id",
            "ordered_at": "Created (UTC)",
            "net_amount": "Amount",
            "currency": "Currency",
        },
    ),
    "magento": (
        {
            "ID": lambda o: f"{o.n:09d}",
            "Purchase Date": lambda o: f"{o.m:%b %d, %Y %I:%M:%S %p}",
            "Bill-to Name": lambda o: f"N {o.c}",
            "Grand Total (Base)": lambda o: f"{o.t + 5:.4f}",
            "Subtotal": lambda o: f"{o.t:.4f}",
            "Status": lambda o: "complete" if o.n % 9 else "canceled",
            "Customer Email": lambda o: f"n{o.c}@x.com",
        },
        {"customer_id": "Customer Email", "order_id": "ID", "ordered_at": "Purchase Date", "net_amount": "Subtotal"},
    ),
    "amazon": (
        {
            "amazon-order-id": lambda o: f"123-{o.n}",
            "purchase-date": lambda o: f"{o.m:%Y-%m-%dT%H:%M:%S}+00:00",
            "last-updated-date": lambda o: f"{o.m:%Y-%m-%dT%H:%M:%S}+00:00",
            "order-status": lambda o: "Shipped",
            "product-name": lambda o: o.name,
            "sku": lambda o: o.p,
            "asin": lambda o: f"B0{o.p}",
            "quantity": lambda o: o.q,
            "currency": lambda o: "USD",
            "item-price": lambda o: f"{o.q * o.x:.2f}",
            "item-tax": lambda o: 0.1,
            "buyer-email": lambda o: f"b{o.c}@m.com",
        },
        {
            "customer_id": "buyer-email",
            "order_id": "amazon-order-id",
            "ordered_at": "purchase-date",
            "product_id": "sku",
            "quantity": "quantity",
            "net_amount": "item-price",
            "currency": "currency",
        },
    ),
    "sap": (
        {
            "KUNNR": lambda o: f"{o.c:010d}",
            "VBELN": lambda o: f"{o.n:010d}",
            "FKDAT": lambda o: f"{o.m:%Y%m%d}",
            "MATNR": lambda o: f"{o.p:0>18}",
            "FKIMG": lambda o: o.q,
            "NETWR": lambda o: f"{o.q * o.x:.2f}",
            "WAERK": lambda o: "EUR",
        },
        {
            "customer_id": "KUNNR",
            "order_id": "VBELN",
            "ordered_at": "FKDAT",
            "product_id": "MATNR",
            "quantity": "FKIMG",
            "net_amount": "NETWR",
            "currency": "WAERK",
        },
    ),
    "donations": (
        {
            "Donor ID": lambda o: o.c,
            "Gift ID": lambda o: o.n,
            "Gift Date": lambda o: f"{o.m:%d-%b-%Y}",
            "Gift Amount": lambda o: money(o.t),
            "Appeal": lambda o: "Mail",
        },
        {"customer_id": "Donor ID", "order_id": "Gift ID", "ordered_at": "Gift Date", "net_amount": "Gift Amount"},
    ),
    "opportunities": (
        {
            "Account ID": lambda o: f"001{o.c}",
            "Opportunity ID": lambda o: f"006{o.n}",
            "Close Date": lambda o: f"{o.m:%m/%d/%Y}",
            "Amount": lambda o: f"{o.t:.2f}",
            "Stage": lambda o: "Closed Lost" if o.n % 7 == 0 else "Closed Won",
        },
        {
            "customer_id": "Account ID",
            "order_id": "Opportunity ID",
            "ordered_at": "Close Date",
            "net_amount": "Amount",
        },
    ),
    "a Spanish shop": (
        {
            "Código Cliente": lambda o: o.c,
            "Nº Factura": lambda o: o.n,
            "Fecha": lambda o: f"{o.m:%d/%m/%Y}",
            "Código Artículo": lambda o: o.p,
            "Descripción": lambda o: o.name,
            "Unidades": lambda o: o.q,
            "Precio Unitario": lambda o: f"{o.x:.2f}".replace(".", ","),
            "Importe": lambda o: f"{o.q * o.x:.2f}".replace(".", ","),
            "Tienda": lambda o: "Centro",
        },
        {
            "customer_id": "Código Cliente",
            "order_id": "Nº Factura",
            "ordered_at": "Fecha",
            "product_id": "Código Artículo",
            "quantity": "Unidades",
            "net_amount": "Importe",
            "store_id": "Tienda",
        },
    ),
    "categories in place of products": (
        {
            "invoice_no": lambda o: o.n,
            "customer_id": lambda o: o.c,
            "gender": lambda o: "F",
            "age": lambda o: 30,
            "category": lambda o: o.name[:5],
            "quantity": lambda o: o.q,
            "price": lambda o: f"{o.q * o.x:.2f}",
            "payment_method": lambda o: "Cash",
            "invoice_date": lambda o: f"{o.m.day}/{o.m.month}/{o.m.year}",
        },
        {
            "customer_id": "customer_id",
            "order_id": "invoice_no",
            "ordered_at": "invoice_date",
            "quantity": "quantity",
            "net_amount": "price",
            "product_id": "category",
        },
    ),
}
ONE_ROW_AN_ORDER = ("stripe", "magento", "donations", "opportunities")


class Line:
    """One line of an order."""

    def __init__(self, order, place):
        self.n, self.c, self.m, lines = order
        self.p, self.name, self.q, self.x = lines[place]
        self.t = sum(q * x for _, _, q, x in lines)


@pytest.fixture(scope="session")
def lines(some_orders):
    return [[Line(order, place) for place in range(len(order[3]))] for order in some_orders]


def written_as(system, tmp_path, lines, save):
    header, _ = SYSTEMS[system]
    chosen = [line for order in lines for line in (order[:1] if system in ONE_ROW_AN_ORDER else order)]
    return save(tmp_path, "export.csv", list(header), [[cell(line) for cell in header.values()] for line in chosen])


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_system_is_recognised_by_its_header_and_values(system, tmp_path, lines, save, look):
    proposal, told, _ = look(tmp_path, written_as(system, tmp_path, lines, save))
    assert told["source"]["tables"]["purchases"]["columns"] == SYSTEMS[system][1]
    assert "It runs as it is." in proposal.summary[-2]


@pytest.mark.parametrize(
    ("system", "left_out"), [("stripe", "Failed"), ("magento", "canceled"), ("opportunities", "Closed Lost")]
)
def test_what_was_never_sold_is_left_out_and_asked_about(system, left_out, tmp_path, lines, save, look):
    proposal, told, _ = look(tmp_path, written_as(system, tmp_path, lines, save))
    assert f"IN ('{left_out}') THEN " in told["source"]["tables"]["purchases"]["query"]
    assert "source.tables.purchases.query" in {decision.key for decision in proposal.decisions}


def test_a_number_of_the_order_in_place_of_the_customer_is_asked_about(tmp_path, lines, save, look):
    rows = [[f"x{order[0].n:x}", order[0].n, order[0].m, f"{order[0].t:.2f}"] for order in lines]
    proposal, _, _ = look(tmp_path, save(tmp_path, "o.csv", ["customer_id", "order_id", "date", "total"], rows))
    question = next(one.question for one in proposal.decisions if one.key.endswith("customer_id"))
    assert "400 values, nearly one for each of 400 orders" in question


def test_a_discount_that_is_a_share_of_the_price_is_asked_about(tmp_path, lines, save, look):
    rows = [[o.n, o.c, o.m, o.p, o.q, o.x, [0, 0.05, 0.2][o.q % 3]] for order in lines for o in order]
    header = ["OrderID", "CustomerID", "OrderDate", "ProductID", "Quantity", "UnitPrice", "Discount"]
    proposal, told, _ = look(tmp_path, save(tmp_path, "o.csv", header, rows))
    assert "discount_amount" not in told["source"]["tables"]["purchases"]["columns"]
    question = next(one for one in proposal.decisions if one.key.endswith("net_amount"))
    assert "Discount is taken off here, as a product's price is the same with and without one" in question.question
    assert (
        question.possibilities[1]
        == 'no: take the line net_amount away, with the line unit_price = "UnitPrice" in its place'
    )


def test_an_order_number_that_starts_anew_is_asked_about(tmp_path, lines, save, look):
    """A till that counts to 99 and begins again."""
    rows = [[o.n % 99, o.c, o.m, f"{o.q * o.x:.2f}"] for order in lines for o in order]
    proposal, _, _ = look(tmp_path, save(tmp_path, "o.csv", ["receipt no", "card no", "sold at", "amount"], rows))
    question = next(one.question for one in proposal.decisions if one.key.endswith("order_id"))
    assert "the lines of one have several customers" in question


def test_complete_orders_are_not_joined_to_their_payments(tmp_path, lines, save, look):
    heads = [[order[0].n, order[0].c, order[0].m] for order in lines]
    items = [[o.n, o.p, o.q, o.x] for order in lines for o in order]
    paid = [[order[0].n, "card", f"{order[0].t:.2f}"] for order in lines]
    _, told, _ = look(
        tmp_path,
        save(tmp_path, "orders.csv", ["order_id", "customer_id", "ordered"], heads),
        save(tmp_path, "payments.csv", ["order_id", "payment type", "payment value"], paid),
        save(tmp_path, "items.csv", ["order_id", "product", "qty", "unit price"], items),
    )
    assert told["source"]["tables"]["purchases"]["path"] == ["items.csv", "orders.csv"]


@pytest.mark.parametrize(
    ("header", "lacks"),
    [
        (["Date", "Transaction", "Item"], "who bought, the amount"),
        (["household_key", "basket_id", "day_no", "sales_value"], "when (a date)"),
    ],
)
def test_what_purchases_lack_is_said(header, lacks, tmp_path, lines, save):
    cells = {
        "Date": lambda o: o.m.date(),
        "Transaction": lambda o: o.n,
        "Item": lambda o: o.name,
        "basket_id": lambda o: o.n,
        "household_key": lambda o: o.c,
        "day_no": lambda o: o.n % 300,
        "sales_value": lambda o: f"{o.x:.2f}",
    }
    file = save(tmp_path, "x.csv", header, [[cells[name](o) for name in header] for order in lines for o in order])
    with pytest.raises(RequestError) as error:
        propose([str(file)], target=tmp_path / "crm.toml")
    assert f"nothing for {lacks}" in error.value.found
