"""Values written in a manner that can be misread, and lines that are no sales: asked, never read silently."""

import datetime as dt

import pytest

from crm.engine import to_pandas
from crm.facts import read_facts
from crm.proposal.manners import said_minor
from crm.proposal.words import meanings_of


def export(folder, header, rows, name="sales.csv"):
    file = folder / name
    file.write_text(
        "\n".join([",".join(header), *(",".join(map(str, row)) for row in rows)]) + "\n", encoding="utf-8"
    )
    return file


def days(some_orders, *, amount, form="%Y-%m-%d"):
    """A line for each order: customer, order, date, amount."""
    return [[who, number, f"{moment:{form}}", amount(number)] for number, who, moment, _ in some_orders]


HEADER = ["customer_id", "order_id", "date", "amount"]


def asked(proposal, key):
    return [one for one in proposal.decisions if one.key == f"source.tables.purchases.{key}"]


def test_a_point_before_three_digits_needs_an_edit(tmp_path, look, some_orders):
    rows = days(some_orders, amount=lambda n: f"{n % 90 + 10}.{n % 10}00")
    proposal, told, _ = look(tmp_path, export(tmp_path, HEADER, rows))
    (decision,) = asked(proposal, "decimal_comma")
    assert decision.needed
    assert "net_amount" not in told["source"]["tables"]["purchases"]["columns"]
    assert proposal.summary[-2] == "2 edits are needed before it runs: decimal_comma, net_amount."


@pytest.mark.parametrize(
    "evidence",
    ["0.500", "12.5", "1500"],
    ids=["no thousand begins with 0", "one decimal", "a thousand without point"],
)
def test_a_sign_of_its_use_settles_the_point(tmp_path, look, some_orders, evidence):
    rows = days(some_orders, amount=lambda n: evidence if n % 3 == 0 else f"{n % 90 + 10}.{n % 10}00")
    proposal, told, _ = look(tmp_path, export(tmp_path, HEADER, rows))
    assert not asked(proposal, "decimal_comma")
    assert told["source"]["tables"]["purchases"]["columns"]["net_amount"] == "amount"


def test_a_year_of_two_digits_may_come_first(tmp_path, look, some_orders):
    rows = days(some_orders, amount=lambda n: f"{n}.25", form="%y/%m/%d")
    proposal, told, settings = look(tmp_path, export(tmp_path, HEADER, rows))
    assert asked(proposal, "date_format")
    section = told["source"]["tables"]["purchases"]
    assert section["date_format"] == "%y/%m/%d"
    assert "day_first" not in section
    newest = max(moment for _, _, moment, _ in some_orders).date()
    assert settings.clock.as_of == newest + dt.timedelta(days=1)


def test_few_such_dates_need_an_edit_and_give_no_as_of_date(tmp_path, look):
    rows = [[f"c{n % 5}", n, f"1{n % 3 + 1}/0{n % 9 + 1}/1{n % 3 + 3}", "9.25"] for n in range(60)]
    proposal, _, _ = look(tmp_path, export(tmp_path, HEADER, rows))
    assert asked(proposal, "day_first")[0].needed
    assert next(one for one in proposal.decisions if one.key == "clock.as_of").needed


def test_days_of_the_month_that_come_first_are_no_years(tmp_path, look, some_orders):
    rows = days(some_orders, amount=lambda n: f"{n}.25", form="%d/%m/%y")
    proposal, told, _ = look(tmp_path, export(tmp_path, HEADER, rows))
    assert told["source"]["tables"]["purchases"]["day_first"] is True
    assert not asked(proposal, "day_first")


@pytest.mark.parametrize(
    ("column", "sale", "back"),
    [("Type", "Invoice", "Credit note"), ("Transaction Type", "Sale", "Return"), ("Event Type", "Payment", "Refund")],
)
def test_credit_notes_above_nought_become_returns(tmp_path, look, some_orders, column, sale, back):
    rows = days(some_orders, amount=lambda n: "20.25")
    kinds = [back if at % 10 == 0 else sale for at in range(len(rows))]
    file = export(tmp_path, [*HEADER, column], [[*row, kind] for row, kind in zip(rows, kinds, strict=True)])
    proposal, _, settings = look(tmp_path, file)
    assert asked(proposal, "query")
    facts = read_facts(settings)
    assert len(to_pandas(facts["purchases"])) == kinds.count(sale)
    assert len(to_pandas(facts["returns"])) == kinds.count(back)


def test_credit_as_a_means_of_payment_is_a_sale(tmp_path, look, some_orders):
    rows = [
        [*row, ["Credit", "Debit", "Cash"][at % 3]]
        for at, row in enumerate(days(some_orders, amount=lambda n: "20.25"))
    ]
    proposal, _, _ = look(tmp_path, export(tmp_path, [*HEADER, "Payment Type"], rows))
    assert not asked(proposal, "query")


def test_cents_are_divided_by_a_hundred(tmp_path, look, some_orders):
    rows = days(some_orders, amount=lambda n: 1050)
    _, _, settings = look(tmp_path, export(tmp_path, [*HEADER[:3], "amount_cents"], rows))
    assert to_pandas(read_facts(settings)["purchases"])["net_amount"].astype(float).unique().tolist() == [10.5]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("amount_cents", True),
        ("priceMinor", True),
        ("total in pence", True),
        ("percent", False),
        ("Centre total", False),
    ],
)
def test_names_of_the_smaller_unit(name, said):
    assert said_minor(name) is said


def test_one_line_with_half_of_the_money_is_never_accepted(tmp_path, look, some_orders):
    rows = days(some_orders, amount=lambda n: "20.25")
    rows.append(["", "", rows[-1][2], 20.25 * len(rows)])
    proposal, told, _ = look(tmp_path, export(tmp_path, HEADER, rows))
    assert "accepted_reasons" not in told["quality"]
    assert "accepted_reasons" in proposal.summary[-2]


def test_files_that_overlap_under_a_query_are_asked_about(tmp_path, look, some_orders):
    rows = [
        [who, number, f"{moment:%Y-%m-%d}", f"{moment:%H:%M}", f"{number}.25"]
        for number, who, moment, _ in some_orders
    ]
    header = ["customer_id", "order_id", "date", "time", "amount"]
    files = [
        export(tmp_path, header, rows[:220], "sales-1.csv"),
        export(tmp_path, header, rows[200:], "sales-2.csv"),
    ]
    proposal, told, settings = look(tmp_path, *files)
    assert "repeated_rows" not in told["source"]["tables"]["purchases"]
    assert any("stand in more than one of the 2 files" in one.question for one in asked(proposal, "query"))
    assert read_facts(settings).has("purchases")


def test_a_deactivation_ends_a_subscription():
    assert any("end" in word for word in meanings_of("deactivation_date"))
