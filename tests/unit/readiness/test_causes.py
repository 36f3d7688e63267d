"""What is behind rows set aside: each case is a column as somebody wrote it, and what is said of it."""

from __future__ import annotations

import pytest

DAYS = [f"{day:02d}" for day in range(1, 29)]
HEADERS = {
    "purchases": "customer_id,order_id,ordered_at,net_amount,quantity",
    "returns": "customer_id,returned_at,amount",
    "service_cases": "case_id,customer_id,opened_at,closed_at,satisfaction",
    "consents": "customer_id,channel,purpose,granted,recorded_at",
    "products": "product_id,name",
}
GOOD = [f"c{n},o{n},2017-03-0{1 + n % 9},10,1" for n in range(20)]


def purchases(values, *, column):
    """Lines of purchases with these values in one column."""
    usual = {"customer_id": "c1", "order_id": "o", "ordered_at": "2017-03-01", "net_amount": "10", "quantity": "1"}
    return [",".join(f'"{cell}"' for cell in {**usual, column: value}.values()) for value in values]


def cases(values, *, column="closed_at"):
    usual = {"opened_at": "2017-03-01", "closed_at": "", "satisfaction": ""}
    return [",".join(f'"{c}"' for c in [f"s{n}", "c1", *{**usual, column: v}.values()]) for n, v in enumerate(values)]


AMOUNT, DATE = {"column": "net_amount"}, {"column": "ordered_at"}
CASES = [
    # what, table, its lines beside the good ones, its settings, because, do, settled in crm.toml
    ("decimal comma", "purchases", purchases(["12,50", "7,00", "1.200,00"], **AMOUNT), "",
     "a decimal comma", "Write decimal_comma = true into [source.tables.purchases].", True),
    ("decimal comma and a sign", "purchases", purchases(["€ 12,50", "7,5 EUR"], **AMOUNT), "",
     "a decimal comma", "Write decimal_comma = true", True),
    ("decimal point", "purchases", purchases(["12.50", "1,200.00"], **AMOUNT), "decimal_comma = true",
     "a decimal point", "Write decimal_comma = false", True),
    ("ids for amounts", "purchases", purchases(["4006381333931000", "4006381333931999"], **AMOUNT), "",
     "numbers too long for it", "Look whether the right column is mapped to net_amount.", False),
    ("a word for an amount", "purchases", purchases(["free", "free"], **AMOUNT), "",
     "a word in place of a value", "go on without these rows: they need a value", False),
    ("a word for a quantity", "purchases", purchases(["unknown", "unknown"], column="quantity"), "",
     "a word in place of a value", 'write empty = ["NULL", "null", "\\\\N", ', False),
    ("names for quantities", "purchases", purchases(["Ann", "Bob", "Eve"], column="quantity"), "",
     "a word in place of a value", "Look whether the right column is mapped to quantity.", False),
    ("nothing in common", "purchases", purchases(["1-2", "3/4", "5_x"], **AMOUNT), "", None, None, None),
    ("a slip of the key", "purchases", purchases(["2037-03-01", "2091-03-01"], **DATE), "", None, None, None),
    ("a sale or a return", "purchases", purchases(["-1", "-2"], column="quantity"), "", None, None, None),
    ("day first", "purchases", purchases([f"{d}/05/2017" for d in DAYS] * 2, **DATE), "day_first = false",
     "dates with the day first", "Write day_first = true into", True),
    ("month first, with dots and hours", "purchases", purchases([f"5.{d}.17 8:26" for d in DAYS] * 2, **DATE),
     "day_first = true", "dates with the month first", "Write day_first = false into", True),
    ("both", "purchases", purchases(["13/05/2017"] * 2, **DATE), "day_first = false",
     "some dates with the day first, some with the month", "in the query of [source.tables.purchases]", False),
    ("spreadsheet days", "purchases", purchases(["43101", "43102.5"], **DATE), "",
     "days as a spreadsheet counts them", 'Write date_format = "excel"', True),
    ("seconds", "purchases", purchases(["1488326400", "1488326401"], **DATE), "",
     "seconds since 1970", 'Write date_format = "epoch"', True),
    ("milliseconds", "purchases", purchases(["1488326400000"], **DATE), "",
     "milliseconds since 1970", 'Write date_format = "epoch_ms"', True),
    ("day before month", "purchases", purchases(["2017-31-01", "2017-13-02"] * 9, **DATE), "",
     "the day before the month", 'Write date_format = "%Y-%d-%m"', True),
    ("zeros", "purchases", purchases(["0000-00-00", "0000-00-00 00:00:00"], **DATE), "",
     "zeros in place of a date", "they need a value", False),
    ("zeros where there may be none", "service_cases", cases(["0000-00-00"] * 3), "",
     "zeros in place of a date", '"0000-00-00"] into [source.tables.service_cases].', False),
    ("French months", "purchases", purchases(["3 février 2017", "12 août 2017"], **DATE), "",
     "months in words that are not read", "in the query of", False),
    ("no such day", "purchases", purchases(["2017-02-30", "2017-13-01"], **DATE), "",
     "days or hours that do not exist", "go on without these rows", False),
    ("another format", "purchases", [*purchases(["2017-03-01"] * 9, **DATE)],
     'date_format = "%d.%m.%Y"', "dates written otherwise than date_format says", "all forms, into", True),
    ("a placeholder", "purchases", purchases(["1900-01-01"] * 2, **DATE), "",
     "a stand-in for an unknown date", "they need a value", False),
    ("a placeholder where there may be none", "service_cases", cases(["1900-01-01"] * 2), "",
     "a stand-in for an unknown date", '"1900-01-01"] into', False),
    ("nobody known", "purchases", purchases([""] * 5, column="customer_id"), "",
     "sales to nobody known", "If that is so, go on without them", False),
    ("an empty column", "returns", [",2017-03-01,5"] * 9, "",
     "a column without customer_id", "Look whether the right column is mapped", False),
    ("a minus", "returns", ["c1,2017-03-01,-5"] * 3, "",
     "money given back, written with a minus", "Turn its sign in the query of [source.tables.returns].", False),
    ("other words", "consents", ["c1,mail,news,certainement,2017-03-01"] * 3, "",
     "yes and no in other words", "in the query of", False),
    ("twice", "products", ["p1,A", "p1,B"], "",
     "several rows for the same product_id", "The first counts. Choose another", False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "lines", "settings", "because", "do", "settled"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_a_cause_is_read_from_how_the_values_are_written(company, table, lines, settings, because, do, settled):
    tables = {"purchases": [HEADERS["purchases"], *GOOD]}
    tables[table] = [HEADERS[table], *(GOOD if table == "purchases" else []), *lines]
    found = company(tables, {table: settings}).readiness
    (reason,) = next(one for one in found.tables if one.table == table).reasons[:1]
    if because is None:
        assert reason.cause is None
    else:
        assert (reason.cause.because, reason.cause.settled) == (because, settled)
        assert do in reason.cause.do


def test_with_what_it_says_the_rows_are_read(company):
    lines = [f'c{n},o{n},{day}/05/2017,"{n},50"' for n, day in enumerate(DAYS)]
    header = "customer_id,order_id,ordered_at,net_amount"
    first = company({"purchases": [header, *lines]}, {"purchases": "day_first = false"}).readiness.tables[0]
    told = " ".join(reason.cause.do for reason in first.reasons)
    assert "day_first = true" in told
    assert "decimal_comma = true" in told
    mended = company({"purchases": [header, *lines]}, {"purchases": "day_first = true\ndecimal_comma = true"})
    assert mended.readiness.tables[0].kept == len(lines)


@pytest.mark.parametrize("column", ['"Betrag, brutto"', "4"], ids=["by name", "by position"])
def test_a_mapped_column_is_found_under_its_own_name(company, column):
    header = 'customer_id,order_id,ordered_at,"Betrag, brutto",reason'
    lines = [f'c{n},o{n},2017-03-01,"{n},50",x' for n in range(9)]
    found = company({"purchases": [header, *lines]}, {"purchases": f"columns = {{net_amount = {column}}}"}).readiness
    (reason,) = found.tables[0].reasons
    assert reason.cause.because == "a decimal comma"
    assert reason.example.startswith("Betrag, brutto 0,50, customer_id c0, order_id o0")
    assert reason.example.endswith("reason (as it came) x")


def test_an_amount_that_is_reckoned_is_looked_for_in_its_parts(company):
    lines = [f'c{n},o{n},2017-03-01,2,"{n},50"' for n in range(9)]
    header = "customer_id,order_id,ordered_at,quantity,price"
    found = company({"purchases": [header, *lines]}, {"purchases": 'columns = {unit_price = "price"}'}).readiness
    assert found.tables[0].reasons[0].cause.because == "a decimal comma"


def test_lines_that_cannot_be_split_are_shown_as_they_stand(company):
    lines = ["c1,o1,2017-03-01,10,1", "c2,o2,2017-03-01,10,1,and,more,than,there,should,be"]
    found = company({"purchases": [HEADERS["purchases"], *lines]}).readiness
    (reason,) = found.tables[0].reasons
    assert reason.example == lines[1]
    assert "delimiter" in reason.cause.because
