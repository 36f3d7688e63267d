"""Where the data are silent, strange or contradict themselves: what is asked, and what stands meanwhile."""

import csv
import datetime as dt
import os
import random
import tomllib
import zipfile

import duckdb
import pytest

from crm.config import read_settings
from crm.errors import CrmError, RequestError, SettingsError
from crm.facts import read_facts
from crm.proposal import propose


def write(folder, name, *lines, encoding="utf-8"):
    file = folder / name
    file.write_text("\n".join(lines) + "\n", encoding=encoding)
    return file


def keys_of(proposal):
    return {decision.key.removeprefix("source.tables.") for decision in proposal.decisions}


def test_undecided_dates_need_one_edit_and_then_run(tmp_path, exports, look):
    proposal, told, _ = look(tmp_path, exports["ambiguous_dates"](tmp_path))
    assert proposal.summary[-2] == "One edit is needed before it runs: day_first."
    assert "day_first" not in told["source"]["tables"]["purchases"]
    with pytest.raises(SettingsError, match="day_first"):
        read_facts(read_settings(tmp_path / "crm.toml"))
    edited = proposal.toml.replace("# day_first = …", "day_first = true")
    (tmp_path / "crm.toml").write_text(edited, encoding="utf-8")
    assert read_facts(read_settings(tmp_path / "crm.toml")).has("purchases")


def test_the_order_of_the_rows_is_told_as_a_hint(tmp_path, exports, look):
    proposal, _, _ = look(tmp_path, exports["ambiguous_dates"](tmp_path, ordered=True))
    question = next(one.question for one in proposal.decisions if one.key.endswith("day_first"))
    assert "only with the day first do the rows lie in the order of time" in question
    assert proposal.summary[-2].startswith("One edit is needed")


def test_dates_with_points_have_the_day_first(tmp_path, look):
    file = write(
        tmp_path,
        "s.csv",
        "customer;order;date;total",
        *(f"c{n % 5};{n};0{n % 9 + 1}.02.2017;1,50" for n in range(30)),
    )
    proposal, told, _ = look(tmp_path, file)
    assert told["source"]["tables"]["purchases"]["day_first"] is True
    assert "purchases.day_first" not in keys_of(proposal)


def test_two_manners_of_dates_in_one_column(tmp_path, look):
    rows = [f"c{n % 5},{n},{day},1.50" for n, day in enumerate(["13/02/2017", "02/14/2017"] * 10)]
    proposal, told, _ = look(tmp_path, write(tmp_path, "s.csv", "customer,order,date,total", *rows))
    assert "day_first" not in told["source"]["tables"]["purchases"]
    decision = next(one for one in proposal.decisions if one.key.endswith("day_first"))
    assert decision.needed
    assert "13/02/2017 can only be read day first" in decision.question
    assert "02/14/2017 only month first" in decision.question


def test_a_comma_before_three_digits_is_asked_about(tmp_path, look):
    rows = [f'c{n % 5},{n},2017-01-{n % 28 + 1:02d},"1,{n:03d}"' for n in range(40)]
    proposal, told, _ = look(tmp_path, write(tmp_path, "s.csv", "customer,order,date,total", *rows))
    assert "decimal_comma" not in told["source"]["tables"]["purchases"]
    assert "purchases.decimal_comma" in keys_of(proposal)


def test_numbers_in_two_manners_are_asked_about(tmp_path, look):
    rows = [f"c{n % 5};{n};2017-01-{n % 28 + 1:02d};{'1,50' if n % 2 else '1.50'}" for n in range(40)]
    proposal, _, _ = look(tmp_path, write(tmp_path, "s.csv", "customer;order;date;total", *rows))
    assert "purchases.decimal_comma" in keys_of(proposal)
    assert "20 values of total such as 1,50" in " ".join(one.question for one in proposal.decisions)


def test_unreadable_values_beyond_the_budget_need_an_edit(tmp_path, look):
    rows = [f"c{n % 5},{n},2017-01-{n % 28 + 1:02d},{'free' if n % 4 == 0 else '1.50'}" for n in range(40)]
    proposal, told, _ = look(tmp_path, write(tmp_path, "s.csv", "customer,order,date,total", *rows))
    decision = next(one for one in proposal.decisions if one.key == "quality.accepted_reasons")
    assert decision.needed
    assert "10 rows of 40 of purchases (25 %)" in decision.question
    assert "accepted_reasons" not in told["quality"]


def test_words_for_nothing_are_seen(tmp_path, look):
    rows = [f"c{n % 5},{n},2017-01-{n % 28 + 1:02d},{'n/a' if n == 7 else '1.50'}" for n in range(400)]
    _, told, _ = look(tmp_path, write(tmp_path, "s.csv", "customer,order,date,total", *rows))
    assert "n/a" in told["source"]["tables"]["purchases"]["empty"]


def test_a_placeholder_date_is_not_the_newest(tmp_path, look):
    rows = [f"c{n % 5},{n},2017-01-{n % 28 + 1:02d},1.50" for n in range(400)] + ["c1,999,2099-12-31,1.50"]
    _, told, _ = look(tmp_path, write(tmp_path, "s.csv", "customer,order,date,total", *rows))
    assert told["clock"]["as_of"] == dt.date(2017, 1, 29)


def test_the_contacts_of_another_system_are_asked_about(tmp_path, exports, look):
    """A newsletter tool that knows addresses where the purchases know numbers."""
    sales, sends = exports["newsletter"](tmp_path)
    text = sends.read_text().replace(",123", ",x@example.com-123").replace(",124", ",y@example.com-124")
    sends.write_text(
        text.replace(",125", ",z@example.com-125")
        .replace(",126", ",z@example.com-126")
        .replace(",127", ",q@example.com-127")
    )
    proposal, _, _ = look(tmp_path, sales, sends)
    assert "contacts.columns.customer_id" in keys_of(proposal)
    assert "example.com" not in proposal.toml, "no address of a customer stands in a file that is shared"


def test_another_column_is_taken_where_its_values_meet(tmp_path, exports, look):
    """`customer` in the list of customers is a number of its own; `cust ref` is that of the purchases."""
    file = exports["strange_names"](tmp_path)
    buyers = sorted({line.split(",")[0] for line in file.read_text().splitlines()[1:]})
    people = write(tmp_path, "people.csv", "customer,ref,city", *(f"{n},{one},Ulm" for n, one in enumerate(buyers)))
    _, told, _ = look(tmp_path, file, people)
    assert told["source"]["tables"]["customers"]["columns"]["customer_id"] == "ref"


def test_nothing_usable_says_what_was_looked_for_and_what_is_nearest(tmp_path):
    (tmp_path / "in").mkdir()
    write(tmp_path / "in", "weather.csv", "station,temperature", "1,20.5", "2,21.5")
    write(tmp_path / "in", "articles.csv", "sku,name,category", "1,Tea,Drinks", "2,Pot,Kitchen")
    with pytest.raises(RequestError) as error:
        propose([str(tmp_path / "in")], target=tmp_path / "crm.toml")
    assert "There must be purchases" in error.value.rule
    assert "weather.csv (station, temperature)" in error.value.found
    assert (
        "articles.csv (sku, name, category): nothing for who bought, when (a date), the amount" in error.value.found
    )
    assert "it is most like products" in error.value.found


@pytest.mark.parametrize("path", ["nothing.csv", "no folder/x.csv", "*.parquet"])
def test_a_path_that_leads_nowhere_is_refused(path, tmp_path):
    with pytest.raises(CrmError):
        propose([str(tmp_path / path)], target=tmp_path / "crm.toml")


def test_a_folder_with_other_things_in_it(tmp_path, exports, look):
    place = tmp_path / "in"
    (place / "2011").mkdir(parents=True)
    exports["uci_web_shop"](place / "2011")
    (place / "readme.pdf").write_bytes(b"%PDF-1.7 nothing to see")
    (place / "notes.md").write_text("notes")
    (place / ".hidden.csv").write_text("a,b\n1,2\n")
    proposal, told, _ = look(tmp_path, place)
    assert told["source"]["tables"]["purchases"]["path"] == "in/2011/online_retail.csv"
    assert any("readme.pdf" in line and line.startswith("not used") for line in proposal.summary)
    assert ".hidden" not in proposal.toml


def test_a_folder_of_files_that_are_not_tables(tmp_path):
    (tmp_path / "readme.pdf").write_bytes(b"%PDF-1.7 nothing to see")
    with pytest.raises(RequestError, match=r"readme\.pdf"):
        propose([str(tmp_path)], target=tmp_path / "crm.toml")


@pytest.mark.parametrize(
    "name", ['my "best" orders.csv', "tab\\slash.csv", "🛒 orders.csv", "orders [2017].csv", "l'été.csv"]
)
def test_names_of_files_whatever_stands_in_them(name, tmp_path, exports, look):
    file = exports["uci_web_shop"](tmp_path, name=name)
    _, told, settings = look(tmp_path, file)
    assert told["source"]["tables"]["purchases"]["path"] == name
    assert read_facts(settings).has("purchases")


def test_a_name_that_is_no_text_is_told(tmp_path, exports):
    exports["uci_web_shop"](tmp_path)
    bad = tmp_path / os.fsdecode(b"caf\xe9.csv")
    bad.write_text("a,b\n1,2\n")
    proposal = propose([str(tmp_path)], target=tmp_path / "crm.toml")
    assert any("rename it" in line for line in proposal.summary)
    proposal.toml.encode()


def test_names_of_columns_whatever_stands_in_them(tmp_path, look):
    names = ['"cust""omer ""id"""', "'order' no", "\\date\\", "🛒 total €", "note\x07s", "cust''''omer kind"]
    rows = [f"c{n % 25},{n},2017-{n % 12 + 1:02d}-{n % 28 + 1:02d},1.50,x,{'AB'[n % 25 % 2]}" for n in range(400)]
    _, told, settings = look(tmp_path, write(tmp_path, "s.csv", ",".join(names), *rows))
    columns = told["source"]["tables"]["purchases"]["columns"]
    assert columns == {
        "customer_id": 'cust"omer "id"',
        "order_id": "'order' no",
        "ordered_at": "\\date\\",
        "net_amount": "🛒 total €",
    }
    assert read_facts(settings).tables["kept"].iloc[0] == 400


def test_a_name_that_stands_twice_is_told_by_its_position(tmp_path, look):
    rows = [f"c{n % 5},{n},2017-01-{n % 28 + 1:02d},2017-02-01,1.50" for n in range(40)]
    _, told, settings = look(tmp_path, write(tmp_path, "s.csv", "customer,order,date,date,total", *rows))
    assert told["source"]["tables"]["purchases"]["columns"]["ordered_at"] == 3
    assert read_facts(settings).has("purchases")


def test_files_outside_the_folder_are_named_in_full(tmp_path, exports, look):
    (tmp_path / "exports").mkdir()
    (tmp_path / "shop").mkdir()
    file = exports["strange_names"](tmp_path / "exports")
    _, told, settings = look(tmp_path / "shop", file)
    assert told["source"]["tables"]["purchases"]["path"] == str(file)
    assert read_facts(settings).has("purchases")


def test_the_project_own_notebooks_stand_in(tmp_path, exports, root):
    proposal = propose([str(exports["strange_names"](tmp_path))], target=tmp_path / "crm.toml")
    assert tomllib.loads(proposal.toml)["folders"]["notebooks"] == str(root / "notebooks")


def test_a_headerless_file(tmp_path, exports, look):
    file = exports["meaningless_names"](tmp_path)
    file.write_text(file.read_text().partition("\n")[2])
    proposal, told, settings = look(tmp_path, file)
    table = told["source"]["tables"]["purchases"]
    assert table["header"] is False
    assert table["columns"] == {
        "customer_id": 6,
        "order_id": 1,
        "ordered_at": 3,
        "product_id": 2,
        "quantity": 4,
        "net_amount": 5,
    }
    assert "purchases.columns" in keys_of(proposal)
    assert read_facts(settings).has("purchases")


def test_a_customers_anonymous_half_is_accepted_but_asked_about(tmp_path, look):
    rows = [f"{'' if n % 2 else f'c{n % 7}'},{n},2017-01-{n % 28 + 1:02d},1.50" for n in range(400)]
    proposal, told, _ = look(tmp_path, write(tmp_path, "s.csv", "customer,order,date,total", *rows))
    assert told["quality"]["accepted_reasons"] == {"customer_id is missing": 0.55}
    question = next(one.question for one in proposal.decisions if one.key == "quality.accepted_reasons")
    assert "200 rows of 400 of purchases (50 %)" in question
    assert "in no customer's history" in question


@pytest.mark.parametrize(
    ("name", "columns", "lines"),
    [
        ("unit price", {"quantity": "qty", "unit_price": "price"}, lambda q, p: (q, p)),
        ("line total called price", {"quantity": "qty", "net_amount": "price"}, lambda q, p: (q, q * p)),
        ("unit price called amount", {"quantity": "qty", "unit_price": "amount"}, lambda q, p: (q, p)),
    ],
)
def test_a_price_is_known_by_how_it_grows_and_not_by_its_name(name, columns, lines, tmp_path, look):
    called = columns.get("unit_price") or columns["net_amount"]
    rows = []
    for n in range(300):
        quantity, money = lines(1 + n % 4, 2.5 + n % 7)
        rows.append(f"c{n % 25},{n // 2},2017-{n % 12 + 1:02d}-{n % 28 + 1:02d},p{n % 7},{quantity},{money:.2f}")
    file = write(tmp_path, "s.csv", f"customer,order,date,product,qty,{called}", *rows)
    _, told, _ = look(tmp_path, file)
    found = told["source"]["tables"]["purchases"]["columns"]
    assert {target: found[target] for target in columns} == columns
    assert len({"unit_price", "net_amount"} & found.keys()) == 1


def test_a_database_of_orders_and_lines(tmp_path, exports, look):
    heads, lines = exports["orders_and_lines"](tmp_path)
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as con:
        con.execute("CREATE SCHEMA sales")
        con.execute(f"CREATE TABLE sales.orders AS FROM read_csv('{heads}')")
        con.execute(f"CREATE TABLE sales.\"Order Items\" AS FROM read_csv('{lines}')")
        con.execute("CREATE TABLE logs (level VARCHAR, text VARCHAR)")
    proposal, told, settings = look(tmp_path, tmp_path / "shop.duckdb")
    assert told["source"]["kind"] == "database"
    assert told["source"]["database"] == "shop.duckdb"
    assert 'LEFT JOIN "sales"."orders"' in told["source"]["tables"]["purchases"]["query"]
    assert any(line.startswith("not used: logs") for line in proposal.summary)
    assert read_facts(settings, anew=True).has("purchases")


def test_postgresql_with_lines_in_one_table_and_orders_in_another(postgres, tmp_path, look, some_orders, monkeypatch):
    """Cancelled orders among them; a schema, capital letters and a blank in a name."""
    monkeypatch.setenv("CRM_DATABASE_PASSWORD", postgres.password)
    heads = ", ".join(
        f"({n}, {c}, '{m:%Y-%m-%d %H:%M}', '{'cancelled' if n % 9 == 0 else 'done'}')" for n, c, m, _ in some_orders
    )
    items = ", ".join(f"({n}, '{p}', {q}, {x})" for n, _, _, lines in some_orders for p, _, q, x in lines)
    people = ", ".join(
        f"({c}, 'Name {c}', 'n{c}@example.com', 'A')" for c in sorted({c for _, c, _, _ in some_orders})
    )
    database = postgres.new_database(
        "CREATE SCHEMA sales",
        'CREATE TABLE sales.orders (order_no int, "Client No" int, placed_at timestamptz, status text)',
        f"INSERT INTO sales.orders VALUES {heads}",
        "CREATE TABLE sales.lines (order_no int, sku text, qty int, unit_price numeric(9, 2))",
        f"INSERT INTO sales.lines VALUES {items}",
        'CREATE TABLE clients ("Client No" int, name text, mail text, class text)',
        f"INSERT INTO clients VALUES {people}",
        "CREATE TABLE migrations (id int, checksum text)",
    )
    proposal, told, settings = look(tmp_path, postgres.address(database))
    tables = told["source"]["tables"]
    assert tables["purchases"]["columns"] == {
        "customer_id": "Client No",
        "order_id": "order_no",
        "ordered_at": "placed_at",
        "product_id": "sku",
        "quantity": "qty",
        "unit_price": "unit_price",
    }
    assert "IN ('cancelled') THEN 'no purchase by its status'" in tables["purchases"]["query"]
    assert "mail" not in tables["customers"]["query"]
    assert postgres.password not in proposal.toml + " ".join(proposal.summary)
    facts = read_facts(settings, anew=True)
    kept = sum(len(lines) for n, _, _, lines in some_orders if n % 9)
    assert facts.tables.set_index("table")["kept"].to_dict() == {"purchases": kept, "customers": people.count("(")}


def test_files_and_a_database_are_not_one_source(tmp_path, exports):
    file = exports["strange_names"](tmp_path)
    duckdb.connect(str(tmp_path / "shop.db")).close()
    with pytest.raises(RequestError, match="one source"):
        propose([str(file), str(tmp_path / "shop.db")], target=tmp_path / "crm.toml")


def test_parquet_with_types_of_its_own(tmp_path, look):
    duckdb.sql(
        "SELECT i % 40 AS customer_no, i // 2 AS basket, TIMESTAMP '2017-01-01' + to_hours(i * 7) AS moment, "
        "'p' || i % 9 AS item, CAST(1.5 + i % 9 AS DECIMAL(9, 2)) AS amount FROM range(900) r(i)"
    ).write_parquet(str(tmp_path / "sales.parquet"))
    _, told, settings = look(tmp_path, tmp_path / "sales.parquet")
    assert told["source"]["tables"]["purchases"]["columns"] == {
        "customer_id": "customer_no",
        "order_id": "basket",
        "ordered_at": "moment",
        "net_amount": "amount",
        "product_id": "item",
    }
    assert read_facts(settings).tables["kept"].iloc[0] == 900


def test_a_workbook_with_two_sheets(tmp_path, exports, look):
    def cells(file):
        return [line.split(";") for line in file.read_text().splitlines()]

    sales, people = exports["customers_with_consent"](tmp_path)
    workbook(tmp_path / "book.xlsx", {"Verkauf": cells(sales), "Kunden": cells(people)})
    _, told, settings = look(tmp_path, tmp_path / "book.xlsx")
    tables = told["source"]["tables"]
    assert (tables["purchases"]["sheet"], tables["customers"]["sheet"]) == ("Verkauf", "Kunden")
    assert tables["purchases"]["columns"]["customer_id"] == "KdNr"
    assert read_facts(settings).has("customers")


@pytest.mark.parametrize("seed", range(12))
def test_whatever_lies_there_the_proposal_can_be_read_and_runs_if_it_says_so(seed, tmp_path, look):
    """Random columns under random names beside a customer, a date and an amount: no traceback, no false promise."""
    chance = random.Random(seed)
    names = ["customer", "order", "date", "amount", *chance.sample(STRANGE, 5)]
    values = [
        VALUES[3],
        VALUES[0],
        chance.choice(DATES),
        VALUES[1],
        *(chance.choice([*VALUES, *DATES]) for _ in range(5)),
    ]
    mixed = chance.sample(range(len(names)), len(names))
    lines = [
        [values[at](chance, n) if chance.random() < 0.97 else "" for at in mixed]
        for n in range(chance.choice([1, 30, 200]))
    ]
    with (tmp_path / "x.csv").open("w", newline="") as stream:
        csv.writer(stream, delimiter=chance.choice(",;|")).writerows([[names[at] for at in mixed], *lines])
    try:
        proposal, _, settings = look(tmp_path, tmp_path / "x.csv")
    except RequestError:  # no purchases could be made out among so many columns
        return
    if not any(decision.needed for decision in proposal.decisions):
        assert read_facts(settings).has("purchases")


STRANGE = ["v", "n", "p", "file", "select", "🛒", "é", "x y", "total", "discount", "status", "currency", "product"]
STRANGE += [
    "price",
    "qty",
    "category",
    "email",
    "Country",
    "created",
    "rating",
    "consent",
    "store",
    "campaign",
    "note's",
]
VALUES = [
    lambda chance, n: n // 2,
    lambda chance, n: f"{chance.random() * 100:.2f}",
    lambda chance, n: f"{chance.random() * 1000:.2f}".replace(".", ","),
    lambda chance, n: f"c{chance.randrange(40)}",
    lambda chance, n: chance.choice(["yes", "no"]),
    lambda chance, n: chance.choice(["a'b", 'q"q', "🛒", "NULL", "-", "EUR", "USD", "cancelled", "=1+1", "<b>"]),
    lambda chance, n: f"{chance.randrange(24):02d}:{chance.randrange(60):02d}",
    lambda chance, n: chance.randrange(-5, 9),
    lambda chance, n: "",
]
DATES = [
    lambda chance, n: f"{chance.randrange(2015, 2018)}-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}",
    lambda chance, n: f"{chance.randrange(1, 29):02d}/{chance.randrange(1, 13):02d}/{chance.randrange(2015, 2018)}",
    lambda chance, n: f"{chance.randrange(1, 13)}.{chance.randrange(1, 13)}.17",
    lambda chance, n: f"{chance.randrange(2015, 2018)}{chance.randrange(1, 13):02d}{chance.randrange(1, 29):02d}",
    lambda chance, n: chance.randrange(1_400_000_000, 1_500_000_000),
]


def workbook(file, sheets):
    """A workbook of text cells."""
    names = list(sheets)
    kinds = "http://schemas.openxmlformats.org/package/2006/relationships"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    listed = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(names, 1))
    linked = "".join(
        f'<Relationship Id="r{n}" Type="{office}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(names) + 1)
    )
    with zipfile.ZipFile(file, "w") as out:
        out.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
            'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
        )
        out.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{kinds}"><Relationship Id="b" Type="{office}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        out.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{listed}</sheets></workbook>'
        )
        out.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{kinds}">{linked}</Relationships>')
        for n, name in enumerate(names, 1):
            rows = "".join(
                "<row>" + "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in row) + "</row>"
                for row in sheets[name]
            )
            out.writestr(
                f"xl/worksheets/sheet{n}.xml", f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>'
            )
