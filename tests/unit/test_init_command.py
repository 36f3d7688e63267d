"""`crm init` as it is typed."""

import pytest
from typer.testing import CliRunner

from crm.cli import app
from crm.config import read_settings

HEADER = "customer,order,date,total"


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """An export in a folder of its own, which is the current one."""
    rows = [f"c{n % 30},{n // 2},2017-{n % 12 + 1:02d}-{n % 28 + 1:02d},{n % 9 + 1}.50" for n in range(600)]
    (tmp_path / "sales.csv").write_text("\n".join([HEADER, *rows]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def crm(*arguments):
    done = CliRunner().invoke(app, list(arguments))
    assert "Traceback" not in done.output
    return done


def test_it_writes_a_settings_file_that_can_be_read_and_says_what_it_did(shop):
    done = crm("init", "sales.csv")
    assert done.exit_code == 0
    assert "purchases: from sales.csv, 600 rows, 600 kept (customer_id = customer" in done.output
    assert "It runs as it is." in done.output
    assert read_settings("crm.toml").source.tables["purchases"].path == "sales.csv"


def test_it_writes_elsewhere_and_names_that_file_in_what_to_type_next(shop):
    (shop / "my shop").mkdir()
    done = crm("init", "sales.csv", "--config", "my shop/own.toml")
    assert done.exit_code == 0
    assert "own.toml'" in done.output
    assert read_settings(shop / "my shop" / "own.toml").source.tables["purchases"].path == str(shop / "sales.csv")


def test_it_never_overwrites_a_settings_file(shop):
    (shop / "crm.toml").write_text("mine")
    done = crm("init", "sales.csv")
    assert done.exit_code == 2
    assert "never overwrites" in done.output
    assert (shop / "crm.toml").read_text() == "mine"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("station,temperature\n1,20.5\n", "There must be purchases"),
        ("", "sales.csv"),
        ("%PDF-1.7 nothing", "PDF"),
    ],
)
def test_what_cannot_be_used_is_one_message_and_writes_nothing(content, said, shop):
    (shop / "sales.csv").write_text(content)
    done = crm("init", "sales.csv")
    assert done.exit_code == 2
    assert said in done.output
    assert not (shop / "crm.toml").exists()


def test_a_path_that_does_not_exist_names_the_nearest(shop):
    done = crm("init", "sale.csv")
    assert done.exit_code == 2
    assert "sales.csv" in done.output


def test_what_has_to_be_decided_is_said_and_stands_in_the_file(shop):
    rows = [f"c{n % 30},{n},0{n % 9 + 1}/0{n % 8 + 1}/2017,1.50" for n in range(200)]
    (shop / "sales.csv").write_text("\n".join([HEADER, *rows]))
    done = crm("init", "sales.csv")
    assert done.exit_code == 0
    assert "One edit is needed before it runs: day_first." in done.output
    assert "# DECIDE: the dates of date" in (shop / "crm.toml").read_text()
