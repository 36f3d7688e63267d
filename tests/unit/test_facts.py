"""Facts: what is kept under which fingerprint, and what stops a run before it begins."""

import pytest

from crm.config import read_settings
from crm.errors import ContractError, SourceError
from crm.facts import read_facts
from crm.sources import cdnow

LINES = [f"0000{i} 199701{day:02d} 1 10.00" for i in range(3) for day in range(1, 29)]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose source is a file in CDNOW's format; call it with lines and further settings."""
    file = tmp_path / "lines.txt"
    monkeypatch.setattr(cdnow, "data_file", lambda: file)
    (tmp_path / "notebooks").mkdir()

    def write(lines, more=""):
        file.write_text("customer date quantity amount\n" + "\n".join(lines) + "\n")
        (tmp_path / "crm.toml").write_text(f'[source]\nkind = "cdnow"\n[clock]\nas_of = 1997-03-01\n{more}')
        return read_settings(tmp_path / "crm.toml")

    return write


def test_equal_bytes_have_an_equal_fingerprint_and_a_changed_byte_another(project):
    first = read_facts(project(LINES))
    assert read_facts(project(LINES)).fingerprint == first.fingerprint
    assert read_facts(project([*LINES[:-1], LINES[-1].replace("10.00", "10.01")])).fingerprint != first.fingerprint


def test_the_fingerprint_does_not_depend_on_where_the_files_lie(project, tmp_path, monkeypatch):
    first = read_facts(project(LINES)).fingerprint
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "lines.txt").rename(elsewhere / "lines.txt")
    monkeypatch.setattr(cdnow, "data_file", lambda: elsewhere / "lines.txt")
    assert read_facts(read_settings(tmp_path / "crm.toml")).fingerprint == first


def test_more_dirt_than_the_budget_stops_and_can_be_looked_at(project, tmp_path):
    dirty = [*LINES, *["00009 19970101 1 what"] * 9]
    with pytest.raises(ContractError, match="9 of 93 rows"):
        read_facts(project(dirty))
    assert (tmp_path / "data" / "rejected" / "1997-03-01" / "purchases.parquet").exists()


def test_an_accepted_reason_goes_on(project):
    dirty = [*LINES, *["00009 19970101 1 what"] * 9]
    accepted = '[quality]\naccepted_reasons = {"net_amount is not an amount of money" = 0.2}\n'
    assert read_facts(project(dirty, accepted)).tables.set_index("table").loc["purchases", "kept"] == len(LINES)


def test_an_empty_source_is_refused(project):
    with pytest.raises(SourceError, match="at least one purchase"):
        read_facts(project([]))


def test_a_table_that_is_not_there_says_what_it_would_unlock(cdnow):
    with pytest.raises(SourceError, match="it unlocks response rates"):
        cdnow["responses"]


def test_the_receipts_record_is_json(journey):
    import json

    record = json.loads(json.dumps(journey.source_record()))
    assert record["kind"] == "complete_journey"
    assert record["last_date"] == "2017-12-31"
    assert {table["table"] for table in record["tables"]} >= {"purchases", "products"}
