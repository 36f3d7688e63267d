"""The sample company's files: whole, repeatable, in canonical columns, and wrong only where its truth says so."""

import datetime as dt
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from crm.contracts import CONTRACTS
from crm.errors import RequestError, SourceError
from crm.sources.sample_company import read_truth, truth, write_sample_company
from crm.sources.sample_company.faults import FAULTS, ODD_NAMES, UNKNOWN_PRODUCT

AS_OF = dt.date(2018, 1, 1)
ATTRIBUTES = ["age_group", "birthday", "region", "first_channel"]
MAY_LIE_LATER = {"ends_at", "expires_at", "promised_at"}  # set in advance


def read(folder: Path, table: str) -> pd.DataFrame:
    """A canonical table with the part and row in which each line stands."""
    parts = []
    for number, file in enumerate(sorted((folder / table).glob("part-*.parquet"))):
        part = pq.read_table(file).to_pandas()
        parts.append(part.assign(part=number, row=np.arange(len(part))))
    return pd.concat(parts, ignore_index=True)


def hashes(folder: Path) -> dict[str, str]:
    """The hash of every file below the folder."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def cents(amounts: pd.Series) -> int:
    return int((amounts * 100).round().sum())


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three thousand customers without faults."""
    return write_sample_company(tmp_path_factory.mktemp("clean") / "company", customers=3000, seed=11, faults=False)


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same customers with faults."""
    return write_sample_company(tmp_path_factory.mktemp("dirty") / "company", customers=3000, seed=11)


class TestFiles:
    @pytest.mark.parametrize("customers", [100, 3000])
    def test_every_canonical_table_has_the_columns_of_its_contract(self, tmp_path: Path, customers: int) -> None:
        folder = write_sample_company(tmp_path / "company", customers=customers, seed=3)
        for name, contract in CONTRACTS.items():
            rows = read(folder, name).drop(columns=["part", "row"])
            expected = [column.name for column in contract] + (ATTRIBUTES if name == "customers" else [])
            assert list(rows.columns) == expected, name
            assert len(rows) > 0, name
        tables = {path.name for path in folder.iterdir() if path.is_dir()}
        assert tables == {*CONTRACTS, "truth"}

    def test_columns_have_the_kinds_of_their_contracts(self, dirty: Path) -> None:
        kinds = {
            "text": {"VARCHAR"},
            "number": {"BIGINT", "DOUBLE"},
            "money": {"DOUBLE"},
            "timestamp": {"TIMESTAMP"},
            "boolean": {"BOOLEAN"},
        }
        for name, contract in CONTRACTS.items():
            described = duckdb.sql(f"DESCRIBE SELECT * FROM '{dirty}/{name}/*.parquet'").fetchall()
            types = {column: kind for column, kind, *_ in described}
            for column in contract:
                assert types[column.name] in kinds[column.kind], f"{name}.{column.name}"

    def test_same_arguments_give_the_same_bytes(self, tmp_path: Path) -> None:
        first, *again = (write_sample_company(tmp_path / str(n), customers=400, seed=5) for n in range(4))
        assert all(hashes(folder) == hashes(first) for folder in again)

    def test_another_seed_gives_another_company(self, tmp_path: Path) -> None:
        first, other = (write_sample_company(tmp_path / str(s), customers=100, seed=s) for s in (1, 2))
        assert hashes(first)["purchases/part-00000.parquet"] != hashes(other)["purchases/part-00000.parquet"]
        assert hashes(first)["products/part-00000.parquet"] != hashes(other)["products/part-00000.parquet"]

    def test_a_part_does_not_depend_on_how_many_follow(self, tmp_path: Path) -> None:
        one = hashes(write_sample_company(tmp_path / "one", customers=20_000, seed=5))
        two = hashes(write_sample_company(tmp_path / "two", customers=20_001, seed=5))
        second = {name for name in two if name.endswith("part-00001.parquet")}
        assert "purchases/part-00001.parquet" in second
        of_all = {"sample_company.json", "plan/part-00000.parquet", "truth/faults/part-00000.parquet"}
        moved = "truth/faulty_rows/part-00001.parquet"  # faults in tables of the whole company follow the last part
        alike = one.keys() - of_all - {moved}
        assert {name: one[name] for name in alike} == {name: two[name] for name in alike}

    def test_about_thirty_lines_a_customer_in_about_two_years(self, clean: Path) -> None:
        purchases = read(clean, "purchases")
        assert 25 <= len(purchases) / 3000 <= 40
        assert purchases["ordered_at"].min() == pytest.approx(pd.Timestamp("2016-01-01"), abs=pd.Timedelta(days=1))
        assert len(read(clean, "customers")) == 3000

    @pytest.mark.parametrize("as_of", [AS_OF, dt.date(2020, 2, 29), dt.date(2024, 7, 17)])
    def test_nothing_happens_on_or_after_the_as_of_date(self, tmp_path: Path, as_of: dt.date) -> None:
        folder = write_sample_company(tmp_path / "company", customers=500, seed=2, as_of=as_of)
        for name, contract in CONTRACTS.items():
            rows = read(folder, name)
            for column in contract:
                if column.kind == "timestamp" and column.name not in MAY_LIE_LATER:
                    assert not (rows[column.name] >= pd.Timestamp(as_of)).any(), f"{name}.{column.name}"
        purchases = read(folder, "purchases")
        assert (purchases["ordered_at"] >= pd.Timestamp(as_of) - pd.Timedelta(days=2)).any()
        assert read_truth(folder, "later_purchases")["ordered_at"].min() >= pd.Timestamp(as_of)


class TestWholeOrNotAtAll:
    def test_a_complete_folder_is_left_as_it_is(self, tmp_path: Path) -> None:
        folder = write_sample_company(tmp_path / "company", customers=100, seed=1)
        before = {file: file.stat().st_mtime_ns for file in folder.rglob("*")}
        write_sample_company(folder, customers=100, seed=1)
        assert {file: file.stat().st_mtime_ns for file in folder.rglob("*")} == before

    def test_a_folder_that_holds_another_company_is_refused(self, tmp_path: Path) -> None:
        folder = write_sample_company(tmp_path / "company", customers=100, seed=1)
        before = hashes(folder)
        with pytest.raises(SourceError, match=r"holds .*'seed': 1"):
            write_sample_company(folder, customers=100, seed=2)
        assert hashes(folder) == before

    def test_a_folder_that_holds_something_else_is_refused(self, tmp_path: Path) -> None:
        folder = tmp_path / "photos"
        folder.mkdir()
        (folder / "cat.jpg").write_bytes(b"cat")
        with pytest.raises(SourceError, match="something else"):
            write_sample_company(folder, customers=100, seed=1)
        assert [file.name for file in folder.iterdir()] == ["cat.jpg"]

    def test_an_empty_folder_is_filled(self, tmp_path: Path) -> None:
        folder = tmp_path / "deeper" / "company"
        folder.mkdir(parents=True)
        assert write_sample_company(folder, customers=100, seed=1) == folder
        assert json.loads((folder / "sample_company.json").read_text())["customers"] == 100

    def test_killed_on_the_way_leaves_no_folder_and_the_next_try_succeeds(self, tmp_path: Path) -> None:
        folder, half = tmp_path / "company", tmp_path / ".company.half"
        program = (
            "import sys; from pathlib import Path; from crm.sources.sample_company import write_sample_company; "
            "write_sample_company(Path(sys.argv[1]), customers=2_000_000, seed=1)"
        )
        writer = subprocess.Popen([sys.executable, "-c", program, str(folder)], env=os.environ)
        try:
            until = time.monotonic() + 60
            while not (half / "purchases").exists() and time.monotonic() < until:
                time.sleep(0.02)
        finally:
            writer.kill()
            writer.wait()
        assert (half / "purchases").exists()
        assert not folder.exists()
        write_sample_company(folder, customers=100, seed=1)
        assert len(read(folder, "customers")) == 100
        assert not half.exists()

    @pytest.mark.parametrize(
        ("wrong", "found"),
        [
            ({"customers": 99}, "customers = 99"),
            ({"customers": 10_000_001}, "customers = 10000001"),
            ({"seed": -1}, "seed = -1"),
            ({"as_of": dt.date(1905, 1, 1)}, "as_of = 1905-01-01"),
        ],
    )
    def test_arguments_outside_their_range_are_refused(self, tmp_path: Path, wrong: dict, found: str) -> None:
        with pytest.raises(RequestError, match=found):
            write_sample_company(tmp_path / "company", **{"customers": 100, "seed": 1, **wrong})
        assert list(tmp_path.iterdir()) == []


class TestTables:
    def test_clean_tables_keep_their_contracts(self, clean: Path) -> None:
        for name, contract in CONTRACTS.items():
            rows = read(clean, name)
            assert rows[list(contract.required_columns)].notna().all().all(), name
            if contract.key:
                assert not rows.duplicated(list(contract.key)).any(), name
            for rule in contract.rules:
                broken = duckdb.sql(f"SELECT count(*) FROM '{clean}/{name}/*.parquet' WHERE {rule.bad}").fetchall()[0]
                assert broken == (0,), f"{name}: {rule.reason}"

    def test_references_exist(self, clean: Path) -> None:
        customers = set(read(clean, "customers")["customer_id"])
        orders = set(read(clean, "purchases")["order_id"])
        products = set(read(clean, "products")["product_id"])
        for name in ("purchases", "returns", "consents", "contacts", "responses", "service_cases", "visits"):
            assert set(read(clean, name)["customer_id"]) <= customers, name
        assert set(read(clean, "purchases")["product_id"]) <= products
        for name in ("deliveries", "returns"):
            assert set(read(clean, name)["order_id"]) <= orders, name

    def test_net_and_discount_make_the_list_price_to_the_cent(self, clean: Path) -> None:
        purchases = read(clean, "purchases")
        listed = ((purchases["net_amount"] + purchases["discount_amount"]) * 100).round()
        price = listed / purchases["quantity"]
        assert (price == price.round()).all()
        rise = read_truth(clean, "price_rise")
        after = purchases["ordered_at"] >= pd.Timestamp(rise["from_day"].iloc[0])
        prices = price.groupby([purchases["product_id"], after]).agg(["min", "max"])
        assert (prices["min"] == prices["max"]).all()
        levels = prices["min"].unstack().dropna()
        category = read(clean, "products").set_index("product_id")["category"].reindex(levels.index)
        ratio = levels[True] / levels[False]
        rose = category.isin(rise["category"])
        assert (ratio[~rose] == 1).all()
        assert ratio[rose].mean() == pytest.approx(1.15, abs=0.02)

    def test_money_has_whole_cents_and_sensible_signs(self, clean: Path) -> None:
        purchases = read(clean, "purchases")
        for column in ("net_amount", "discount_amount", "coupon_amount"):
            scaled = purchases[column] * 100
            assert np.allclose(scaled, scaled.round(), rtol=0, atol=1e-6)
        assert (purchases["net_amount"] > 0).all()
        assert (purchases["coupon_amount"] <= purchases["discount_amount"]).all()
        assert (purchases["coupon_amount"] >= 0).all()
        assert (purchases["quantity"] >= 1).all()

    def test_an_order_is_one_customers_at_one_moment_without_repeated_products(self, clean: Path) -> None:
        purchases = read(clean, "purchases")
        per_order = purchases.groupby("order_id")[["customer_id", "ordered_at", "channel", "store_id"]].nunique()
        assert per_order.drop(columns="store_id").eq(1).all().all()
        assert not purchases.duplicated(["order_id", "product_id"]).any()
        assert (purchases["store_id"].notna() == (purchases["channel"] == "store")).all()

    def test_every_order_not_bought_in_a_store_is_delivered_once(self, clean: Path) -> None:
        orders = read(clean, "purchases").drop_duplicates("order_id").set_index("order_id")
        deliveries = read(clean, "deliveries").set_index("order_id")
        assert deliveries.index.is_unique
        assert set(deliveries.index) == set(orders.index[orders["channel"] != "store"])
        both = deliveries.join(orders["ordered_at"]).dropna(subset=["delivered_at"])
        assert (both["delivered_at"] > both["ordered_at"]).all()
        arrived = deliveries["delivered_at"].notna()
        assert deliveries.loc[arrived, ["complete", "undamaged", "documented"]].notna().all().all()
        assert deliveries.loc[~arrived, ["complete", "undamaged", "documented"]].isna().all().all()
        assert (~arrived).sum() > 0

    def test_nothing_comes_back_before_it_was_bought_or_for_more_than_was_paid(self, clean: Path) -> None:
        line = ["order_id", "product_id", "customer_id"]
        bought = read(clean, "purchases")[[*line, "ordered_at", "net_amount", "quantity"]]
        returned = read(clean, "returns").merge(bought, on=line, validate="one_to_one", suffixes=("", "_bought"))
        assert len(returned) == len(read(clean, "returns"))
        assert (returned["returned_at"] > returned["ordered_at"]).all()
        assert (returned["amount"] <= returned["net_amount"]).all()
        assert (returned["quantity"] <= returned["quantity_bought"]).all()
        whole = returned["quantity"] == returned["quantity_bought"]
        assert (returned["amount"] == returned["net_amount"])[whole].all()

    def test_customers_are_known_by_their_first_purchase(self, clean: Path) -> None:
        customers = read(clean, "customers").set_index("customer_id")
        first = read(clean, "purchases").drop_duplicates("customer_id").set_index("customer_id")
        both = customers.join(first[["ordered_at", "channel"]], how="inner")
        assert (both["joined_at"] <= both["ordered_at"]).all()
        joined_here = both["joined_at"] >= pd.Timestamp(2016, 1, 1)
        assert (both["first_channel"] == both["channel"])[joined_here].all()

    def test_consents_are_granted_refused_limited_and_withdrawn(self, clean: Path) -> None:
        consents = read(clean, "consents")
        newest = consents.sort_values("recorded_at", kind="stable").groupby(["customer_id", "channel", "purpose"])
        assert newest.size().value_counts().index.isin([1, 2]).all()
        withdrawn = newest.filter(lambda rows: len(rows) == 2)
        in_sequence = withdrawn.sort_values("recorded_at", kind="stable").groupby(
            ["customer_id", "channel", "purpose"]
        )
        assert in_sequence["granted"].agg(tuple).map(lambda pair: pair == (True, False)).all()
        assert len(withdrawn) > 100
        assert 0.3 < consents["granted"].mean() < 0.9
        limited = consents["expires_at"].dropna()
        assert (limited < pd.Timestamp(AS_OF)).any()
        assert (limited >= pd.Timestamp(AS_OF)).any()

    def test_contacts_had_consent_when_they_were_chosen(self, clean: Path) -> None:
        chosen = read(clean, "contacts").merge(read(clean, "campaigns"), on="campaign_id")
        consents = read(clean, "consents").query("purpose == 'marketing'")
        decisions = chosen.merge(consents, on=["customer_id", "channel"])
        known = decisions[decisions["recorded_at"] < decisions["starts_at"]].sort_values("recorded_at", kind="stable")
        newest = known.drop_duplicates(["campaign_id", "customer_id"], keep="last")
        assert len(newest) == len(chosen) > 0
        assert newest["granted"].all()
        assert not (newest["expires_at"] <= newest["starts_at"]).any()

    def test_every_second_campaign_is_an_experiment(self, clean: Path) -> None:
        contacts = read(clean, "contacts").merge(read_truth(clean, "campaigns"), on="campaign_id")
        assert contacts.groupby("randomised")["campaign_id"].nunique().to_dict() == {False: 6, True: 6}
        assert (contacts["arm"].notna() == contacts["randomised"]).all()
        assert (contacts["contacted_at"].isna() == (contacts["arm"] == "held_out")).all()
        treated = (contacts.loc[contacts["randomised"], "arm"] == "treated").mean()
        assert treated == pytest.approx(0.70, abs=0.03)

    def test_responses_lie_in_the_window_of_their_campaign(self, clean: Path) -> None:
        responses = read(clean, "responses").merge(read(clean, "campaigns"), on="campaign_id")
        assert (responses["responded_at"] >= responses["starts_at"]).all()
        assert (responses["responded_at"] < responses["ends_at"] + pd.Timedelta(days=1)).all()
        contacted = responses.merge(read(clean, "contacts"), on=["campaign_id", "customer_id"])
        assert (contacted["responded_at"] > contacted["contacted_at"])[contacted["arm"] != "held_out"].all()
        assert len(contacted) > 0.8 * len(responses)

    def test_the_plan_has_every_month_that_began_and_is_near_what_happened(self, clean: Path) -> None:
        plan = read(clean, "plan").pivot_table(index="period_start", columns="metric", values="target")
        assert list(plan.index) == list(pd.date_range("2016-01-01", "2017-12-01", freq="MS"))
        assert set(plan.columns) == {"net_sales", "orders", "customers"}
        purchases = read(clean, "purchases")
        month = purchases["ordered_at"].dt.to_period("M").dt.to_timestamp()
        actual = purchases.groupby(month)["net_amount"].sum()
        assert (plan["net_sales"] / actual).between(0.6, 1.6).all()
        assert plan["net_sales"].sum() / actual.sum() == pytest.approx(1.03, abs=0.03)


class TestTruth:
    def test_the_dead_buy_nothing(self, clean: Path) -> None:
        true = read_truth(clean, "customers").set_index("customer_id")
        ever = pd.concat([read(clean, "purchases"), read_truth(clean, "later_purchases")])
        last = ever.groupby("customer_id")["ordered_at"].max()
        died = pd.to_datetime(true["died_on"]).reindex(last.index)
        assert (last < died)[died.notna()].all()
        assert died.notna().sum() > 500
        assert (true["cause"].notna() == true["died_on"].notna()).all()
        assert set(true["cause"].dropna()) == {"nothing", "price", "late deliveries"}

    def test_some_leave_after_the_as_of_date_and_count_as_alive_on_it(self, clean: Path) -> None:
        true = read_truth(clean, "customers")
        died = pd.to_datetime(true["died_on"])
        later = died > pd.Timestamp(AS_OF)
        assert later.sum() > 20
        assert (true["alive_on_as_of"] == (true["buys"] & (died.isna() | later))).all()

    def test_who_never_buys_has_no_purchase(self, clean: Path) -> None:
        true = read_truth(clean, "customers")
        never = true.loc[~true["buys"], "customer_id"]
        assert 30 <= len(never) <= 90
        assert not read(clean, "purchases")["customer_id"].isin(never).any()

    def test_what_comes_next_is_what_the_later_purchases_say(self, clean: Path) -> None:
        later = read_truth(clean, "later_purchases")
        true = read_truth(clean, "customers").set_index("customer_id")
        sales = later.groupby("customer_id")["net_amount"].sum().reindex(true.index, fill_value=0)
        assert np.allclose(sales, true["net_sales_next_91"], rtol=0, atol=0.005)
        day = later["ordered_at"].dt.normalize()
        for days in (28, 56, 91):
            within = later[day < pd.Timestamp(AS_OF) + pd.Timedelta(days=days)]
            bought = within["ordered_at"].dt.normalize().groupby(within["customer_id"]).nunique()
            assert (bought.reindex(true.index, fill_value=0) == true[f"purchase_days_next_{days}"]).all()

    def test_late_deliveries_end_only_who_had_one_the_day_before(self, clean: Path) -> None:
        true = read_truth(clean, "customers").set_index("customer_id")
        died = pd.to_datetime(true.loc[true["cause"] == "late deliveries", "died_on"])
        known = died[died <= pd.Timestamp(AS_OF)]
        deliveries = read(clean, "deliveries").merge(
            read(clean, "purchases").drop_duplicates("order_id")[["order_id", "customer_id"]], on="order_id"
        )
        late = deliveries[deliveries["delivered_at"] > deliveries["promised_at"]]
        arrivals = late["delivered_at"].dt.normalize().groupby(late["customer_id"]).agg(set)
        assert len(known) > 50
        assert all(day - pd.Timedelta(days=1) in arrivals[customer] for customer, day in known.items())

    def test_fraud_shows(self, clean: Path) -> None:
        true = read_truth(clean, "customers").set_index("customer_id")
        purchases = read(clean, "purchases")
        lines = purchases.groupby("customer_id").size()
        back = read(clean, "returns").groupby("customer_id").size().reindex(lines.index, fill_value=0)
        coupons = (purchases["coupon_amount"] > 0).groupby(purchases["customer_id"]).sum()
        fraud = true["fraud"].reindex(lines.index)
        returners = fraud == "returns nearly everything"
        abusers = fraud == "coupon on nearly every line"
        assert returners.sum() >= 3
        assert abusers.sum() >= 3
        assert back[returners].sum() / lines[returners].sum() > 0.75  # the newest lines are still on their way back
        assert coupons[abusers].sum() / lines[abusers].sum() > 0.8
        assert back[fraud.isna()].sum() / lines[fraud.isna()].sum() < 0.1

    def test_affinities_are_five_a_customer_in_falling_order(self, clean: Path) -> None:
        affinities = read_truth(clean, "affinities")
        assert affinities.groupby("customer_id").size().eq(5).all()
        assert set(affinities["category"]) <= set(read(clean, "products")["category"])
        falling = affinities.groupby("customer_id")["affinity"].apply(lambda shares: shares.is_monotonic_decreasing)
        assert falling.all()

    def test_every_truth_is_described_and_readable(self, dirty: Path) -> None:
        assert truth.__doc__ is not None
        for name in truth.TRUTHS:
            rows = read_truth(dirty, name)
            assert len(rows) > 0, name
            assert f"\n| {name} |" in truth.__doc__
        described = truth.__doc__.split("\n| customers |")[1].split("\n")[0]
        for column in read_truth(dirty, "customers").columns:
            assert column.replace("purchase_days_next", "") in described, column

    def test_an_unknown_truth_and_a_folder_without_any_are_refused(self, clean: Path, tmp_path: Path) -> None:
        with pytest.raises(RequestError, match="nearest one is affinities"):
            read_truth(clean, "affinity")
        with pytest.raises(RequestError, match="no customers in"):
            read_truth(tmp_path, "customers")


class TestFaults:
    def test_counts_and_money_are_those_of_the_faulty_rows(self, dirty: Path) -> None:
        rows = read_truth(dirty, "faulty_rows")
        counts = read_truth(dirty, "faults").set_index(["table", "kind"])
        assert set(counts.index) <= {(fault.table, fault.kind) for fault in FAULTS}
        assert len(counts) == len(FAULTS)
        again = rows.groupby(["table", "kind"]).agg(rows=("row", "size"), amount=("amount", "sum"))
        assert again["rows"].to_dict() == counts["rows"].to_dict()
        assert np.allclose(again["amount"], counts["amount"].reindex(again.index).fillna(0.0), rtol=0, atol=0.005)

    def test_no_kind_is_above_one_percent_and_no_row_has_two(self, dirty: Path) -> None:
        rows = read_truth(dirty, "faulty_rows")
        assert not rows.duplicated(["table", "part", "row"]).any()
        for (table, kind), n in rows.groupby(["table", "kind"]).size().items():
            assert n <= 0.0101 * len(read(dirty, str(table))), f"{table}: {kind}"

    def test_no_fault_is_planted_where_none_is_wanted(self, clean: Path) -> None:
        assert len(read_truth(clean, "faults")) == 0
        assert len(read_truth(clean, "faulty_rows")) == 0

    def test_all_other_rows_are_those_of_the_company_without_faults(self, clean: Path, dirty: Path) -> None:
        faulty = read_truth(dirty, "faulty_rows")
        for name in CONTRACTS:
            right, wrong = read(clean, name), read(dirty, name)
            place = faulty.loc[faulty["table"] == name, ["part", "row"]].assign(faulty=True)
            marked = wrong.merge(place, on=["part", "row"], how="left")
            kept = wrong[marked["faulty"].isna().to_numpy()]
            same = right.loc[kept.index]
            pd.testing.assert_frame_equal(kept, same, check_dtype=False)

    def test_money_reconciles_to_the_cent(self, clean: Path, dirty: Path) -> None:
        faults = read_truth(dirty, "faults").set_index(["table", "kind"])["amount"]
        added = faults["purchases"][["cancellation", "void line", "exact duplicate"]]
        difference = cents(read(dirty, "purchases")["net_amount"]) - cents(read(clean, "purchases")["net_amount"])
        assert difference == cents(added)
        returned = cents(read(dirty, "returns")["amount"]) - cents(read(clean, "returns")["amount"])
        assert returned == 2 * cents(faults["returns"][["negative amount"]])

    @pytest.mark.parametrize(
        ("table", "kind", "looks"),
        [
            ("purchases", "customer_id is missing", "customer_id IS NULL"),
            ("purchases", "cancellation", "net_amount < 0 AND quantity < 0"),
            ("purchases", "void line", "net_amount = 0 AND quantity = 0"),
            ("purchases", "date of 1900", "ordered_at = TIMESTAMP '1900-01-01'"),
            ("purchases", "unknown product", f"product_id = '{UNKNOWN_PRODUCT}'"),
            ("purchases", "quantity outlier", "quantity >= 1000"),
            ("returns", "negative amount", "amount < 0"),
            ("returns", "customer_id is missing", "customer_id IS NULL"),
            ("customers", "joined_at is missing", "joined_at IS NULL"),
            ("contacts", "unknown arm", "arm NOT IN ('treated', 'held_out')"),
            ("service_cases", "closed before opened", "closed_at < opened_at"),
            ("deliveries", "unknown order", "order_id LIKE 'OX%'"),
            ("visits", "customer_id is missing", "customer_id IS NULL"),
            ("subscriptions", "ends before it starts", "ended_at < started_at"),
            ("products", "department is missing", "department IS NULL"),
            ("products", "margin_rate is missing", "margin_rate IS NULL"),
        ],
    )
    def test_a_fault_looks_as_described_and_nothing_else_does(
        self, dirty: Path, table: str, kind: str, looks: str
    ) -> None:
        planted = read_truth(dirty, "faults").set_index(["table", "kind"]).loc[(table, kind), "rows"]
        found = duckdb.sql(f"SELECT count(*) FROM '{dirty}/{table}/*.parquet' WHERE {looks}").fetchall()[0]
        assert found == (planted,)
        rows = read_truth(dirty, "faulty_rows")
        place = rows.loc[(rows["table"] == table) & (rows["kind"] == kind), ["part", "row"]]
        there = read(dirty, table).merge(place, on=["part", "row"])
        assert len(duckdb.from_df(there).filter(looks).fetchall()) == planted

    @pytest.mark.parametrize(
        ("table", "kind"),
        [
            ("purchases", "exact duplicate"),
            ("customers", "repeated customer"),
            ("contacts", "repeated contact"),
        ],
    )
    def test_repeated_rows_repeat_a_row(self, dirty: Path, table: str, kind: str) -> None:
        planted = read_truth(dirty, "faults").set_index(["table", "kind"]).loc[(table, kind), "rows"]
        rows = read(dirty, table).drop(columns=["part", "row"])
        assert rows.duplicated().sum() == planted > 0

    def test_markup_in_names(self, dirty: Path) -> None:
        names = read(dirty, "products")["name"]
        planted = (
            read_truth(dirty, "faults").set_index(["table", "kind"]).loc[("products", "name with markup"), "rows"]
        )
        assert names.isin(ODD_NAMES).sum() == planted > 0

    def test_the_truth_knows_whose_line_lost_its_customer(self, clean: Path, dirty: Path) -> None:
        rows = read_truth(dirty, "faulty_rows")
        lost = rows[(rows["table"] == "purchases") & (rows["kind"] == "customer_id is missing")]
        right = read(clean, "purchases").merge(lost, on=["part", "row"], suffixes=("", "_true"))
        assert (right["customer_id"] == right["customer_id_true"]).all()
        assert (right["order_id"] == right["order_id_true"]).all()
        assert np.allclose(right["net_amount"], right["amount"])
