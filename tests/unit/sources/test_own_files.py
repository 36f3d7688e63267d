"""A company's own files, with the dirt they come with: what is kept, what is set aside and why, what is said.

Every case: rows in = rows kept + rows that became returns + rows set aside, and the money likewise.
"""

import gzip
import os

import pandas as pd
import pytest

from crm.analyses.data_quality import reconcile
from crm.config import read_settings
from crm.errors import ContractError, CrmError, SettingsError, SourceError
from crm.facts import read_facts

HEADER = "customer,order,date,amount"
COLUMNS = 'columns = {customer_id = "customer", order_id = "order", ordered_at = "date", net_amount = "amount"}'
ANY_SHARE = "[quality]\nmost_rows_set_aside = 1.0\nmost_money_set_aside = 1.0\n"
GOOD = ["1,a,2017-01-02,10.00", "2,b,2017-01-03,20.00", "1,c,2017-02-02,30.00"]


@pytest.fixture
def company(tmp_path):
    """A company with these files; gives its settings."""
    (tmp_path / "notebooks").mkdir()

    def write(files, purchases=COLUMNS, *, path="sales.csv", tables="", more=ANY_SHARE, source=""):
        for name, content in files.items():
            content = "\n".join([*content, ""]) if isinstance(content, list) else content
            file = tmp_path / name
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        path_line = "" if "path =" in purchases else f'path = "{path}"\n'
        (tmp_path / "crm.toml").write_text(
            f'[source]\nkind = "files"\n{source}\n[source.tables.purchases]\n{path_line}{purchases}\n{tables}\n'
            f"[clock]\nas_of = 2018-01-01\n{more}"
        )
        return read_settings(tmp_path / "crm.toml")

    return write


def told(facts, table="purchases"):
    """Outcome: rows, of a table; every row and every cent accounted for."""
    row = facts.tables.set_index("table").loc[table]
    from_elsewhere = row["kept"] - (row["rows"] - row["set_aside"] - row["became_returns"])
    assert from_elsewhere == 0 or table == "returns"
    assert (reconcile(facts.tables)["difference"] == 0).all()
    assert len(facts.rejected(table)) == row["set_aside"]
    return facts.outcomes[facts.outcomes["table"] == table].set_index("outcome")["rows"].to_dict()


MISSING, UNDATED = "customer_id is missing", "ordered_at is not a date"
BECAME = "a negative amount: became a return"
UNREAD = "net_amount is not an amount of money"
APART = "ordered_at lies more than a year apart from all other dates"

DIRT = [
    # what, further lines, further keys, expected beside {"kept": 3}
    ("no customer", [",d,2017-03-01,5"] * 2, "", {MISSING: 2}),
    ("a word for no customer", ["NULL,d,2017-03-01,5", "nan,e,2017-03-01,5"], "", {MISSING: 2}),
    ("a negative amount", ["1,d,2017-03-01,-5"], "", {BECAME: 1}),
    ("a credit note", ["1,C9,2017-03-01,5"], 'credit_note_prefix = "C"', {BECAME: 1}),
    ("a credit note, negative already", ["1,C9,2017-03-01,-5"], 'credit_note_prefix = "C"', {BECAME: 1}),
    ("an amount of zero", ["1,d,2017-03-01,0"], "", {"kept": 4}),
    ("NaN is no amount", ["1,d,2017-03-01,NaN"], "", {"net_amount is missing": 1}),
    ("an infinite amount", ["1,d,2017-03-01,inf", "1,d,2017-03-01,-Infinity"], "", {UNREAD: 2}),
    ("an amount beyond all money", ["1,d,2017-03-01,1e308"], "", {UNREAD: 1}),
    ("a formula for an amount", ["1,d,2017-03-01,=1+1"], "", {UNREAD: 1}),
    ("a decimal comma", ['1,d,2017-03-01,"5,50"'], "", {UNREAD: 1}),
    ("a decimal comma, as stated", ['1,d,2017-03-01,"5,50"'], "decimal_comma = true", {UNREAD: 3, "kept": 1}),
    ("thousands", ['1,d,2017-03-01,"1,234.50"'], "", {"kept": 4}),
    ("exact repeats", GOOD[:1], "", {"kept": 4}),
    ("exact repeats, set aside", GOOD[:2], 'repeated_rows = "set_aside"', {"the row repeats another exactly": 2}),
    ("a date of 1900", ["1,d,1900-01-01,5"], "", {"ordered_at lies before 1970: a placeholder": 1}),
    ("a date of 1970", ["1,d,1970-01-01,5"], "", {"ordered_at lies before 1970: a placeholder": 1}),
    ("a date in the future", ["1,d,2999-12-31,5", "1,d,9999-12-31,5"], "", {"ordered_at lies in the future": 2}),
    ("a date that never was", ["1,d,2017-02-30,5"], "", {UNDATED: 1}),
    ("an infinite date", ["1,d,infinity,5"], "", {UNDATED: 1}),
    ("two ways to write a date", ["1,d,25/12/2017,5"], "day_first = true", {"kept": 4}),
    ("a date against what is stated", ["1,d,12/25/2017,5"], "day_first = true", {UNDATED: 1}),
    ("moments with and without zone", ["1,d,2017-03-01T10:00:00+02:00,5", "1,e,2017-03-01 10:00,5"], "", {"kept": 5}),
    ("a line too short", ["1,d,2017-03-01"], "", {"the line has 3 fields in place of 4": 1}),
    ("a line too long", ["1,d,2017-03-01,5,what"], "", {"the line has 5 fields in place of 4": 1}),
    ("a line break within quotes", ['1,"d\nd",2017-03-01,5'], "", {"kept": 4}),
    ("strange names", ['"<script>alert(1)</script>","\'; DROP TABLE x; --",2017-03-01,5', "😀,שלום,2017-03-01,5"], "",
     {"kept": 5}),
    ("an empty line", ["", ""], "", {"kept": 3}),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "keys", "expected"), [case[1:] for case in DIRT], ids=[case[0] for case in DIRT])
def test_every_row_is_kept_or_set_aside_with_its_reason(company, lines, keys, expected):
    facts = read_facts(company({"sales.csv": [HEADER, *GOOD, *lines]}, f"{COLUMNS}\n{keys}"))
    assert told(facts) == {"kept": 3, **expected}


UNREADABLE = [
    ("an empty file", b"", "sales.csv"),
    ("a truncated gzip", gzip.compress("\n".join([HEADER, *GOOD * 999]).encode())[:-20], "sales.csv"),
    ("a truncated Parquet", b"PAR1" + b"\0" * 50, "sales.csv"),
    ("a picture", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "sales.csv"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "named"), [case[1:] for case in UNREADABLE], ids=[case[0] for case in UNREADABLE]
)
def test_a_file_that_cannot_be_read_is_named_and_nothing_is_kept(company, tmp_path, content, named):
    with pytest.raises(CrmError, match=named) as error:
        read_facts(company({"sales.csv": content}))
    assert error.value.do
    assert not list((tmp_path / "data" / "mart").glob("*/facts"))


def test_a_header_and_no_row_is_refused_as_no_purchases(company):
    with pytest.raises(SourceError, match=r"at least one purchase.*none kept of 0"):
        read_facts(company({"sales.csv": [HEADER]}))


def test_a_byte_order_mark_does_not_hide_the_first_column(company):
    facts = read_facts(company({"sales.csv": b"\xef\xbb\xbf" + "\n".join([HEADER, *GOOD]).encode()}))
    assert told(facts) == {"kept": 3}


@pytest.mark.parametrize(
    ("id_cells", "customers"),
    [
        (["17850.0", "17850", " 17850"], ["17850"]),
        (["007", "7"], ["007", "7"]),
        (["a", "A"], ["A", "a"]),
    ],
)
def test_the_same_id_as_number_and_text_is_one_customer(company, id_cells, customers):
    lines = [f'"{cell}",o{n},2017-01-0{n + 1},5' for n, cell in enumerate(id_cells)]
    facts = read_facts(company({"sales.csv": [HEADER, *lines]}))
    assert sorted(pd.read_parquet(facts.folder / "purchases.parquet")["customer_id"].unique()) == customers
    if "17850.0" in id_cells:
        assert "purchases: 1 values of customer_id such as 17850.0 are read as 17850" in facts.notes


def test_an_ambiguous_date_is_refused_with_its_two_readings(company):
    lines = [HEADER, "1,a,05/03/2017,5", "1,b,06/04/2017,5"]
    with pytest.raises(SettingsError) as error:
        read_facts(company({"sales.csv": lines}))
    assert "day first they are 2017-03-05 to 2017-04-06; month first they are 2017-05-03 to 2017-06-04" in str(
        error.value
    )
    assert told(read_facts(company({"sales.csv": lines}, f"{COLUMNS}\nday_first = true"))) == {"kept": 2}


def test_dates_that_only_fit_one_reading_are_not_guessed_but_shown(company):
    with pytest.raises(SettingsError, match="month first they are no date at all and 1 are no dates"):
        read_facts(company({"sales.csv": [HEADER, "1,a,25/12/2017,5"]}))


def test_moments_of_another_zone_fall_on_the_days_of_the_trade(company):
    lines = [HEADER, "1,a,2017-01-02T02:00:00Z,5", "1,b,2017-01-02 02:00,5", "1,c,2017-01-02,5"]
    settings = company({"sales.csv": lines}, COLUMNS, source='timezone = "America/New_York"')
    days = pd.read_parquet(read_facts(settings).folder / "purchases.parquet").set_index("order_id")["ordered_at"]
    assert days.astype(str).to_dict() == {
        "a": "2017-01-01 21:00:00",
        "b": "2017-01-02 02:00:00",
        "c": "2017-01-02 00:00:00",
    }


def test_a_slip_of_the_year_is_set_aside(company):
    many = [f"{n % 50},o{n},2017-{n % 12 + 1:02d}-11,5" for n in range(400)]
    facts = read_facts(company({"sales.csv": [HEADER, *many, "1,x,2019-05-05,5", "1,y,2012-05-05,5"]}))
    assert told(facts) == {"kept": 400, APART: 2}


def test_files_that_overlap_are_told_and_set_aside_when_asked(company):
    files = {"s-1.csv": [HEADER, *GOOD, GOOD[0]], "s-2.csv": [HEADER, GOOD[0], GOOD[2], "3,z,2017-03-01,1"]}
    facts = read_facts(company(files, path="s-*.csv"))
    assert told(facts) == {"kept": 7}
    assert "purchases: s-1.csv and s-2.csv both have rows of 2017-01-02 to 2017-02-02" in facts.notes
    assert any("2 rows stand in an earlier file as well" in note for note in facts.notes)
    facts = read_facts(company(files, f'{COLUMNS}\nrepeated_rows = "set_aside_across_files"', path="s-*.csv"))
    assert told(facts) == {"kept": 5, "the row stands in an earlier file as well": 2}
    assert set(facts.rejected("purchases")["source file"]) == {"s-2.csv"}


def test_rejected_rows_are_in_the_owners_own_columns(company):
    facts = read_facts(company({"sales.csv": [HEADER, *GOOD, ",d,5. Mai,7"]}))
    (row,) = facts.rejected("purchases").to_dict("records")
    assert {k: row[k] for k in ("date", "order", "amount", "reason")} == {
        "date": "5. Mai", "order": "d", "amount": "7", "reason": MISSING}  # fmt: skip


def test_amount_is_reckoned_from_quantity_and_unit_price(company):
    lines = ["who,order,date,n,price", "1,a,2017-01-02,3,2.5", "1,b,2017-01-02,-1,2.5", "1,c,2017-01-02,-1,-2.5",
             "1,d,2017-01-02,x,2.5", "1,e,2017-01-02,,2.5"]  # fmt: skip
    mapping = COLUMNS.replace('"customer"', '"who"').replace(
        'net_amount = "amount"', 'quantity = "n", unit_price = "price"'
    )
    facts = read_facts(company({"sales.csv": lines}, mapping))
    assert told(facts) == {
        "kept": 1, BECAME: 1, "quantity is negative but the amount is not: a sale or a return?": 1, UNREAD: 1,
        "net_amount is missing": 1}  # fmt: skip
    assert pd.read_parquet(facts.folder / "purchases.parquet")["net_amount"].tolist() == [7.5]


def test_other_currencies_are_set_aside(company):
    lines = [f"{HEADER},cur", *(f"{line},{cur}" for line, cur in zip(GOOD, ["USD", "usd", "EUR"], strict=True))]
    mapping = COLUMNS.replace("{", '{currency = "cur", ')
    facts = read_facts(company({"sales.csv": lines}, mapping))
    assert told(facts) == {"kept": 2, "the amount is not in USD": 1}


def test_a_constant_stands_in_for_a_missing_column(company):
    facts = read_facts(company({"sales.csv": [HEADER, *GOOD]}, f'{COLUMNS}\nconstants = {{channel = "web"}}'))
    assert set(pd.read_parquet(facts.folder / "purchases.parquet")["channel"]) == {"web"}


def test_columns_by_position_without_a_header(company):
    mapping = "header = false\ncolumns = {customer_id = 1, order_id = 2, ordered_at = 3, net_amount = 4}"
    assert told(read_facts(company({"sales.csv": GOOD}, mapping))) == {"kept": 3}


def test_sql_over_the_file_and_products_out_of_the_same_file(company):
    products = ["p,Tea", "p,Tea", 'q,"<b>"']
    lines = [f"{HEADER},sku,what", *(f"{line},{sku}" for line, sku in zip(GOOD, products, strict=True)), "broken"]
    mapping = COLUMNS.replace("{", '{product_id = "sku", ') + "\nquery = \"SELECT * FROM file WHERE customer <> '2'\""
    tables = """
        [source.tables.products]
        path = "sales.csv"
        query = "SELECT sku, any_value(what) AS what FROM file GROUP BY sku"
        columns = {product_id = "sku", name = "what"}
    """
    facts = read_facts(company({"sales.csv": lines}, mapping, tables=tables))
    assert told(facts) == {"kept": 2, "the line has 1 field in place of 6": 1}
    assert sorted(pd.read_parquet(facts.folder / "products.parquet")["name"]) == ["<b>", "Tea"]


def test_a_query_may_set_rows_aside_with_a_reason_of_its_own(company):
    because = "CASE WHEN customer = '2' THEN 'one of our own' END AS set_aside_because"
    facts = read_facts(company({"sales.csv": [HEADER, *GOOD]}, f'{COLUMNS}\nquery = "SELECT *, {because} FROM file"'))
    assert told(facts) == {"kept": 2, "one of our own": 1}


def test_comparing_across_files_where_rows_have_none_is_refused(company):
    keys = 'repeated_rows = "set_aside_across_files"'
    with pytest.raises(SettingsError, match="must come from several files"):
        read_facts(company({"sales.csv": [HEADER, *GOOD]}, f'{COLUMNS}\n{keys}\nquery = "SELECT * FROM file"'))


def test_parquet_files_that_overlap_are_set_aside_when_asked(company, tmp_path):
    lines = pd.DataFrame([line.split(",") for line in GOOD], columns=HEADER.split(","))
    for number, part in enumerate((lines, lines[:1])):
        part.to_parquet(tmp_path / f"part-{number}.parquet")
    facts = read_facts(company({}, f'{COLUMNS}\nrepeated_rows = "set_aside_across_files"', path="part-*.parquet"))
    assert told(facts) == {"kept": 3, "the row stands in an earlier file as well": 1}


def test_files_of_two_kinds_may_make_one_table(company, tmp_path):
    pd.DataFrame([GOOD[0].split(",")], columns=HEADER.split(",")).to_parquet(tmp_path / "b.parquet")
    settings = company({"a.csv": [HEADER, *GOOD]}, f'path = ["a.csv", "b.parquet"]\n{COLUMNS}')
    assert told(read_facts(settings)) == {"kept": 4}


def test_further_columns_of_customers_are_kept_as_attributes(company):
    people = ['customer,Tier,"a ""b"""', "1,gold,x", "2,,y"]
    tables = '[source.tables.customers]\npath = "people.csv"\ncolumns = {customer_id = "customer"}'
    facts = read_facts(company({"sales.csv": [HEADER, *GOOD], "people.csv": people}, tables=tables))
    kept = pd.read_parquet(facts.folder / "customers.parquet").set_index("customer_id")
    assert kept.loc["1", ["Tier", 'a "b"']].tolist() == ["gold", "x"]


WRONG = [
    ("an unknown canonical column", COLUMNS.replace("customer_id", "custmer_id"), "the nearest is 'customer_id'"),
    ("a column that is not there", COLUMNS.replace('"amount"', '"amout"'), "the nearest is 'amount'"),
    ("nothing for the amount", COLUMNS.replace(', net_amount = "amount"', ""), "nothing for net_amount"),
    ("a position too far", COLUMNS.replace('"amount"', "9"), "there are 4 columns"),
    ("a column and a constant", f"{COLUMNS}\nconstants = {{order_id = 1}}", "given twice"),
    ("an amount and a unit price", COLUMNS.replace("{", '{unit_price = "amount", '), "known, or reckoned"),
    ("a query that is no SQL", f'{COLUMNS}\nquery = "SELEC"', "SQL over `file`"),
    ("a path to nothing", f'path = "sails.csv"\n{COLUMNS}', "sales.csv"),
]  # fmt: skip


@pytest.mark.parametrize(("purchases", "message"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_a_mapping_that_cannot_be_followed_is_one_clear_line(company, purchases, message):
    with pytest.raises(SettingsError, match=message):
        read_facts(company({"sales.csv": [HEADER, *GOOD]}, purchases))


def test_a_column_named_twice_must_be_named_by_its_position(company):
    lines = ["customer,order,date,date,amount", "1,a,2017-01-02,2017-05-05,5"]
    with pytest.raises(SettingsError, match=r"stands more than once.*3 or 4"):
        read_facts(company({"sales.csv": lines}))
    facts = read_facts(company({"sales.csv": lines}, COLUMNS.replace('"date"', "4")))
    assert pd.read_parquet(facts.folder / "purchases.parquet")["ordered_at"].dt.month.tolist() == [5]


def test_too_much_dirt_stops_and_leaves_the_rows_to_look_at(company, tmp_path):
    with pytest.raises(ContractError, match="1 of 4 rows"):
        read_facts(company({"sales.csv": [HEADER, *GOOD, ",d,2017-03-01,5"]}, more=""))
    assert (tmp_path / "data" / "rejected" / "2018-01-01" / "purchases.parquet").exists()


def test_a_file_that_changes_while_it_is_read_is_refused(company, tmp_path, monkeypatch):
    import crm.facts

    real = crm.facts.check_table

    def check_and_append(*given, **more):
        with (tmp_path / "sales.csv").open("a") as file:
            file.write("9,z,2017-03-01,5\n")
        return real(*given, **more)

    monkeypatch.setattr(crm.facts, "check_table", check_and_append)
    with pytest.raises(SourceError, match=r"must not change while it is read.*sales\.csv"):
        read_facts(company({"sales.csv": [HEADER, *GOOD]}))
    assert not list((tmp_path / "data" / "mart").glob("*/facts"))


def test_a_run_sees_the_data_it_has_read_even_if_the_file_changes(company, tmp_path, monkeypatch):
    settings = company({"sales.csv": [HEADER, *GOOD]})
    first = read_facts(settings)
    (tmp_path / "sales.csv").write_text("\n".join([HEADER, GOOD[0]]))
    for name, value in first.as_environment().items():
        monkeypatch.setenv(name, value)
    assert read_facts(settings).fingerprint == first.fingerprint
    monkeypatch.undo()
    assert read_facts(settings).tables.set_index("table").loc["purchases", "rows"] == 1


def test_the_day_a_file_was_written_bounds_its_dates_unless_it_is_not_believable(company, tmp_path):
    settings = company({"sales.csv": [HEADER, *GOOD]})
    written = pd.Timestamp("2017-01-15").timestamp()
    os.utime(tmp_path / "sales.csv", (written, written))
    assert told(read_facts(settings)) == {"kept": 2, "ordered_at lies in the future": 1}
    settings = company({"sales.csv": [HEADER, *GOOD, "4,q,2017-01-02,1"]})
    os.utime(tmp_path / "sales.csv", (0, 0))  # as some archives set it
    facts = read_facts(settings)
    assert told(facts) == {"kept": 4}
    assert any("is not believed" in note for note in facts.notes)


@pytest.mark.parametrize(
    ("lines", "customers", "days"),
    [
        (["1,a,2017-01-02,5", "1,b,2017-01-03,5"], 1, 2),
        (["1,a,2017-01-02,5", "2,b,2017-01-02,5"], 2, 1),
        (["1,a,2017-01-02,5", "2,b,2017-01-03,5"], 2, 2),
    ],
    ids=["one customer", "one day", "nobody twice"],
)
def test_thin_data_are_read_like_any(company, lines, customers, days):
    facts = read_facts(company({"sales.csv": [HEADER, *lines]}))
    kept = pd.read_parquet(facts.folder / "purchases.parquet")
    assert (kept["customer_id"].nunique(), kept["day"].nunique()) == (customers, days)
