"""Oddities are found when they are there, and are not when they are not."""

import pandas as pd
import pytest

from crm.analyses.data_quality import examine_data
from crm.config import read_settings
from crm.facts import read_facts
from crm.sources import cdnow


@pytest.fixture
def quality_of(tmp_path, monkeypatch):
    """Data quality of a file in CDNOW's format with these lines."""

    def examine(lines, as_of="1997-07-01"):
        file = tmp_path / "lines.txt"
        file.write_text("customer date quantity amount\n" + "\n".join(lines) + "\n")
        monkeypatch.setattr(cdnow, "data_file", lambda: file)
        (tmp_path / "notebooks").mkdir(exist_ok=True)
        budget = "[quality]\nmost_rows_set_aside = 0.5\nmost_money_set_aside = 0.5\n"
        (tmp_path / "crm.toml").write_text(f'[source]\nkind = "cdnow"\n[clock]\nas_of = {as_of}\n{budget}')
        settings = read_settings(tmp_path / "crm.toml")
        return examine_data(read_facts(settings), settings.as_of)

    return examine


def counted(quality, words):
    row = quality.oddities[quality.oddities["what"].str.contains(words, regex=False)]
    return int(row["count"].iloc[0])


def test_a_clean_file_has_no_oddity(quality_of):
    quality = quality_of([f"0000{i} 199701{day:02d} 1 10.00" for i in range(3) for day in range(1, 29)])
    assert (quality.oddities["count"] == 0).all()
    assert quality.findings["oddities"].sentence == "None of the 6 oddities looked for was met."
    assert quality.findings["rows"].values["kept"] == 84


def test_what_is_odd_is_counted(quality_of):
    lines = [f"00001 199701{day:02d} 1 10.00" for day in range(1, 29)]
    quality = quality_of([*lines, lines[0], "00002 19970103 1 0.00", "00003 19970130 0 5.00"])
    assert counted(quality, "repeat another exactly") == 1
    assert counted(quality, "given away") == 1
    assert counted(quality, "quantity 0") == 1
    assert counted(quality, "days without any purchase") == 1, "1997-01-29"


def test_one_account_with_most_of_the_lines_is_flagged(quality_of):
    crowd = [f"00001 19970101 1 {i}.00" for i in range(1, 900)]
    others = [f"{i:05d} 19970102 1 10.00" for i in range(2, 1_002)]
    quality = quality_of(crowd + others)
    assert counted(quality, "not one person") == 1
    assert "The account 00001 is probably not one person" in quality.findings["not_one_person"].sentence


def test_bad_rows_are_counted_and_kept_where_the_operator_looks(quality_of, tmp_path):
    quality = quality_of(
        ["00001 19970101 1 10.00", "00001 19971399 1 7.50", "00002 19970105 1 many", "00003 19970106 1 -4.00"]
    )
    reasons = quality.outcomes.set_index("reason")["rows"].to_dict()
    assert reasons["ordered_at is missing"] == 1, "a date that does not exist comes as nothing"
    assert reasons["net_amount is not an amount of money"] == 1
    assert quality.tables.set_index("table").loc["purchases", "became_returns"] == 1
    assert quality.tables.set_index("table").loc["returns", "kept"] == 1
    rejected = pd.read_parquet(tmp_path / "data" / "rejected" / "1997-07-01" / "purchases.parquet")
    assert sorted(rejected["net_amount"]) == ["7.50", "many"]
    assert quality.reconciles
    assert quality.findings["money"].values["set_aside"] == 7.5
    assert quality.findings["money"].values["became_returns"] == -4.0


def test_silence_before_the_as_of_date_is_said(quality_of):
    quality = quality_of(["00001 19970101 1 10.00", "00001 19970801 1 10.00"], as_of="1997-01-05")
    freshness = quality.findings["freshness"]
    assert freshness.values["silent_days"] == 3
    assert freshness.values["later_rows"] == 1
    assert (
        "3 full days before the as-of date 1997-01-05; lines of later days, not looked at: 1." in freshness.sentence
    )


def test_hours_tell_of_a_wrong_time_zone_only_where_there_are_enough_lines(company):
    """A shop whose quietest hour is noon: either it is closed then, or its clock runs in another zone."""
    hours = [hour for hour in range(24) if hour != 12]
    for days, looked_for in ((60, True), (10, False)):
        moments = [pd.Timestamp("2017-01-01") + pd.Timedelta(days=d, hours=h) for d in range(days) for h in hours]
        lines = pd.DataFrame({"customer_id": "c", "order_id": range(len(moments)), "ordered_at": moments})
        facts = company({"purchases": lines.assign(net_amount=1.0)}, "2017-07-01")
        met = examine_data(facts, "2017-07-01").oddities.set_index("what")["count"]
        assert met.get("the quietest hour lies in the daytime") == (1 if looked_for else None)
