"""Contracts: every row is kept or set aside with its reason, and the money adds up."""

from decimal import Decimal

import duckdb
import pandas as pd
import pytest

from crm.contracts import CONTRACTS
from crm.contracts.checking import BECAME_RETURNS, check_table, refuse_over_budget
from crm.errors import ContractError, SourceError

GOOD = {"customer_id": "ann", "order_id": "1", "ordered_at": "2017-03-01 10:00:00", "net_amount": "5.00"}


def check(tmp_path, rows, table="purchases"):
    con = duckdb.connect()
    con.register("arriving", pd.DataFrame(rows).astype("object"))
    return check_table(con, CONTRACTS[table], query="SELECT * FROM arriving", folder=tmp_path)


def kept(tmp_path, table="purchases"):
    return pd.read_parquet(tmp_path / f"{table}.parquet")


def rejected(tmp_path, table="purchases"):
    return pd.read_parquet(tmp_path / "rejected" / f"{table}.parquet")


@pytest.mark.parametrize(
    ("dirt", "reason"),
    [
        ({"customer_id": None}, "customer_id is missing"),
        ({"customer_id": "  "}, "customer_id is missing"),
        ({"order_id": None}, "order_id is missing"),
        ({"ordered_at": None}, "ordered_at is missing"),
        ({"ordered_at": "soon"}, "ordered_at is not a date"),
        ({"ordered_at": "1900-01-01"}, "ordered_at lies before 1970: a placeholder"),
        ({"net_amount": None}, "net_amount is missing"),
        ({"net_amount": "five"}, "net_amount is not an amount of money"),
        ({"net_amount": "nan"}, "net_amount is not an amount of money"),
        ({"net_amount": "inf"}, "net_amount is not an amount of money"),
        ({"net_amount": "1e308"}, "net_amount is not an amount of money"),
        ({"quantity": "many"}, "quantity is not a number"),
        ({"quantity": "nan"}, "quantity is not a number"),
        ({"quantity": "0", "net_amount": "0"}, "nothing was sold: quantity and amount are zero"),
    ],
)
def test_a_bad_row_is_set_aside_as_it_came(tmp_path, dirt, reason):
    bad = {"quantity": "1", **GOOD, **dirt}
    checked = check(tmp_path, [{"quantity": "1", **GOOD}, bad])
    assert checked.rows == 2
    assert checked.kept == 1
    assert checked.reasons["outcome"].tolist() == [reason]
    row = rejected(tmp_path).iloc[0]
    assert row["reason"] == reason
    for name, value in bad.items():
        assert (value is None and pd.isna(row[name])) or row[name] == value, "the row as it came"


def test_a_cancellation_becomes_a_return(tmp_path):
    checked = check(tmp_path, [GOOD, {**GOOD, "order_id": "C2", "net_amount": "-2.50"}])
    assert checked.tally.set_index("outcome")["rows"].to_dict() == {"kept": 1, BECAME_RETURNS: 1}
    assert pd.read_parquet(tmp_path / "cancellations.parquet")["amount"].tolist() == [2.5]
    assert checked.money == {
        "came_in": Decimal("2.5"),
        "kept": Decimal("5"),
        "set_aside": Decimal("0"),
        "became_returns": Decimal("-2.5"),
    }


def test_types_and_day_numbers_of_a_kept_row(tmp_path, day):
    check(tmp_path, [{**GOOD, "customer_id": " ann "}])
    row = kept(tmp_path).iloc[0]
    assert row["customer_id"] == "ann"
    assert row["ordered_at"] == pd.Timestamp("2017-03-01 10:00")
    assert row["day"] == day("2017-03-01")
    assert row["net_amount"] == 5.0
    assert pd.isna(row["store_id"]), "an optional column that did not come is there, and empty"


def test_amounts_are_added_as_decimals(tmp_path):
    checked = check(tmp_path, [{**GOOD, "net_amount": 0.1} for _ in range(10)])
    assert checked.money["kept"] == Decimal("1.0000"), "ten dimes in floating point make 0.9999999999999999"


def test_a_repeated_key_is_set_aside_and_the_first_kept(tmp_path):
    rows = [
        {"product_id": "a", "name": "first"},
        {"product_id": "b", "name": "x"},
        {"product_id": "a", "name": "again"},
    ]
    checked = check(tmp_path, rows, table="products")
    assert kept(tmp_path, "products")["name"].tolist() == ["first", "x"]
    assert checked.reasons["outcome"].tolist() == ["product_id came before"]


def test_further_columns_of_customers_are_kept_as_attributes(tmp_path):
    check(tmp_path, [{"customer_id": "ann", "shoe size": "42"}], table="customers")
    assert kept(tmp_path, "customers")["shoe size"].tolist() == ["42"]


def test_a_missing_required_column_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"no net_amount among customer_id, order_id, ordered_at"):
        check(tmp_path, [{k: v for k, v in GOOD.items() if k != "net_amount"}])


def refuse(checked, **budget):
    refuse_over_budget([checked], **{"rows": 0.02, "money": 0.02, "accepted": {}, **budget})


def test_a_quiet_loss_is_a_stop_with_figures(tmp_path):
    checked = check(tmp_path, [GOOD] * 97 + [{**GOOD, "customer_id": None}] * 3)
    with pytest.raises(ContractError) as refused:
        refuse(checked)
    assert "purchases: 3 of 100 rows (3.0%, 3.0% of the money) because customer_id is missing" in str(refused.value)


def test_few_rows_with_much_money_are_a_stop_too(tmp_path):
    checked = check(tmp_path, [GOOD] * 99 + [{**GOOD, "customer_id": None, "net_amount": "100"}])
    with pytest.raises(ContractError, match=r"1\.0%, 16\.8% of the money"):
        refuse(checked)


def test_within_the_budget_and_for_accepted_reasons_it_goes_on(tmp_path):
    checked = check(tmp_path, [GOOD] * 97 + [{**GOOD, "customer_id": None}] * 3)
    refuse(checked, rows=0.03, money=0.03)
    refuse(checked, accepted={"customer_id is missing": 0.25})


@pytest.mark.parametrize("table", sorted(CONTRACTS))
def test_every_contract_can_be_checked_on_its_required_columns_alone(tmp_path, table):
    sample = {"text": "x", "number": "1", "money": "1", "timestamp": "2017-01-01", "boolean": "true"}
    contract = CONTRACTS[table]
    row = {column.name: sample[column.kind] for column in contract if column.required}
    checked = check(tmp_path, [row], table=table)
    assert checked.kept == 1, checked.tally
    columns = kept(tmp_path, table).columns
    assert set(columns) >= {column.name for column in contract}
    assert ("day" in columns) == (contract.event is not None)
