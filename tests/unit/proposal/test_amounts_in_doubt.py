"""Which column is the money of a line, where names and values leave a doubt."""

import pytest


@pytest.fixture
def purchases(tmp_path, look, save):
    """Propose for one small export: its section, the questions asked by key, and the comments."""

    def proposed(header, rows):
        file = tmp_path / "export.csv"
        file.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n", encoding="utf-8")
        proposal, told, _ = look(tmp_path, file)
        asked = {one.key.removeprefix("source.tables.purchases."): one for one in proposal.decisions}
        return told["source"]["tables"]["purchases"], asked, proposal.toml

    return proposed


def orders(lines=3, n=40):
    """(customer, order, day, line) of `n` orders of several lines."""
    return [(f"c{o % 9}", o, f"2022-01-{o % 28 + 1:02d}", at) for o in range(1, n + 1) for at in range(lines)]


@pytest.mark.parametrize("quantity", ["Uds.", "litres", "xyz"])
def test_an_unknown_name_that_times_the_price_gives_the_total_is_the_quantity(purchases, quantity):
    rows = []
    for customer, order, day, at in orders():
        pieces, price = 2 + (order + at) % 5, 1.25 + order + at
        rows.append((customer, order, day, pieces, f"{price:.2f}", f"{pieces * price:.2f}"))
    section, _, _ = purchases(f"customer,order,date,{quantity},unit price,total", rows)
    assert section["columns"]["quantity"] == quantity
    assert section["columns"]["net_amount"] == "total"
    assert "unit_price" not in section["columns"]


def test_without_a_quantity_the_total_goes_before_the_unit_price(purchases):
    rows = [(c, o, d, f"{1.25 + o + at:.2f}", f"{(1.25 + o + at) * (2 + at):.2f}") for c, o, d, at in orders()]
    section, _, text = purchases("customer,order,date,unit price,total", rows)
    assert section["columns"]["net_amount"] == "total"
    assert "# not used: unit price: the price of one piece" in text


def test_a_unit_price_alone_is_asked_about(purchases):
    rows = [(c, o, d, f"{1.25 + o + at:.2f}") for c, o, d, at in orders()]
    _, asked, _ = purchases("customer,order,date,unit price", rows)
    assert "was one bought on every line?" in asked["columns.net_amount"].question


def test_an_amount_equal_on_all_lines_of_an_order_is_asked_about_with_both_sums(purchases):
    rows = [(c, o, d, at + 1, f"{o}.50") for c, o, d, at in orders()]
    section, asked, _ = purchases("customer,order_no,order_date,line_no,total", rows)
    assert "840.00, over all lines to 2,520.00" in asked["query"].question
    assert "PARTITION BY" in section["query"]


@pytest.mark.parametrize("name", ["discount %", "discount pct", "disc_rate", "Dto. %"])
def test_a_percentage_is_no_discount_amount(purchases, name):
    rows = [(c, o, d, 2 + at, f"{2 * o + at}.50", (0, 5, 10)[at]) for c, o, d, at in orders()]
    section, _, text = purchases(f"customer,order,date,quantity,line total,{name}", rows)
    assert "discount_amount" not in section["columns"]
    assert f"# not used: {name}: " in text


def test_a_discount_of_the_order_repeated_on_each_line_is_left_out(purchases):
    rows = [
        (c, o, d, f"p{at}", 2 + at, f"{2 * o + at}.50", f"{o % 4}.75" if o % 2 else 0) for c, o, d, at in orders()
    ]
    section, _, text = purchases("customer,order,date,product,quantity,line total,discount", rows)
    assert "discount_amount" not in section["columns"]
    assert "# not used: discount: the order's, repeated on each line" in text


def test_a_discount_of_the_line_stays(purchases):
    rows = [(c, o, d, f"p{at}", 2 + at, f"{2 * o + at}.50", f"{at}.75" if o % 2 else 0) for c, o, d, at in orders()]
    section, _, _ = purchases("customer,order,date,product,quantity,line total,discount", rows)
    assert section["columns"]["discount_amount"] == "discount"


def test_a_discount_equal_to_the_amount_is_none(purchases):
    rows = [(c, o, d, f"p{at}", 2 + at, f"{2 * o + at}.50", f"{2 * o + at}.50") for c, o, d, at in orders()]
    section, _, text = purchases("customer,order,date,product,quantity,line total,discount", rows)
    assert "discount_amount" not in section["columns"]
    assert "no discount" in text


@pytest.mark.parametrize("name", ["Balance", "Saldo", "running total", "Solde"])
def test_a_running_balance_is_never_the_amount(purchases, name):
    rows = [
        (f"c{n % 9}", n, f"2022-01-{n % 28 + 1:02d}", *((f"{n}.48", "") if n % 5 else ("", f"{n}.48")), f"{n * n}.25")
        for n in range(1, 81)
    ]
    section, asked, text = purchases(f"Account No,Doc No,Posting Date,Debit,Credit,{name}", rows)
    assert section["columns"]["net_amount"] == "net_amount"
    assert """coalesce(nullif(trim("Debit"), ''), '-' || trim("Credit"))""" in section["query"]
    assert "Payments are neither" in asked["query"].question
    assert f"# not used: {name}: a running balance" in text


def test_quantity_times_price_beside_a_discount_is_asked_about(purchases):
    rows = []
    for customer, order, day, at in orders():
        pieces, price = 2 + at, 1.25 + order + at
        rows.append((customer, order, day, f"p{at}", pieces, price, pieces * price, f"{at}.75"))
    section, asked, _ = purchases("customer,order,date,product,quantity,unit price,line amount,discount amount", rows)
    assert section["columns"]["net_amount"] == "line amount"
    assert "before discount amount is taken off, or after it" in asked["columns.net_amount"].question


def test_an_amount_with_tax_is_not_set_against_itself(purchases):
    rows = [(c, o, d, f"{6 * o + at}.50", f"{o}.10") for c, o, d, at in orders(lines=1)]
    _, asked, _ = purchases("customer_id,order_id,date,Total incl. VAT,VAT", rows)
    assert 'no: net_amount = "Total incl. VAT"' in asked["columns.net_amount"].possibilities
