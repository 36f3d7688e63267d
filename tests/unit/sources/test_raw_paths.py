"""Which files a path of crm.toml names, and what is said where it names none."""

from __future__ import annotations

from pathlib import Path

import pytest

from crm.errors import SettingsError
from crm.sources.raw import files_of

TREE = """
orders.csv ORDERS-2016.CSV orders-2017.csv.gz [1] orders.csv
csv/2016.csv csv/2017.tsv csv/.hidden.csv csv/_SUCCESS csv/readme.md csv/notes.pdf
excel/book.xlsx excel/~$book.xlsx excel/old.xls
parquet/part-1.parquet parquet/part-0.parquet parquet/_metadata
below/2016/a.parquet below/2017/a.parquet below/2017/b.parquet
mixed/a.csv mixed/b.csv mixed/c.xlsx
notes/a.csv notes/readme.txt
text/CDNOW_master.txt
pdf/a.pdf pdf/b.pdf pdf/c.pdf pdf/d.pdf
""".replace("[1] orders.csv", "[1]-orders.csv")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in TREE.split():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("a,b\n")
    (tmp_path / "empty").mkdir()
    return tmp_path


class TestFound:
    @pytest.mark.parametrize(
        ("paths", "names"),
        [
            (["orders.csv"], ["orders.csv"]),
            (["./orders.csv"], ["orders.csv"]),
            (["csv"], ["csv/2016.csv", "csv/2017.tsv"]),
            (["csv/"], ["csv/2016.csv", "csv/2017.tsv"]),
            (["excel"], ["excel/book.xlsx", "excel/old.xls"]),
            (["parquet"], ["parquet/part-0.parquet", "parquet/part-1.parquet"]),
            (["text"], ["text/CDNOW_master.txt"]),
            (["orders*"], ["orders-2017.csv.gz", "orders.csv"]),
            (["*.[cC][sS][vV]"], ["ORDERS-2016.CSV", "[1]-orders.csv", "orders.csv"]),
            (["[1]-orders.csv"], ["[1]-orders.csv"]),  # a name that looks like a pattern
            (["below/*/a.parquet"], ["below/2016/a.parquet", "below/2017/a.parquet"]),
            (["below/**/*.parquet"], ["below/2016/a.parquet", "below/2017/a.parquet", "below/2017/b.parquet"]),
            (["below/201*"], ["below/2016/a.parquet", "below/2017/a.parquet", "below/2017/b.parquet"]),
            (["mixed/*.csv", "mixed/c.xlsx"], ["mixed/a.csv", "mixed/b.csv", "mixed/c.xlsx"]),
            (["orders.csv", "csv/../orders.csv", "*.csv"], ["orders.csv", "[1]-orders.csv"]),  # each once
            (["csv/2017.tsv", "csv/2016.csv"], ["csv/2017.tsv", "csv/2016.csv"]),  # in their order
            (["csv/notes.pdf"], ["csv/notes.pdf"]),  # as told
        ],
    )
    def test_relative_to_the_folder_and_absolute(self, folder: Path, paths: list[str], names: list[str]) -> None:
        assert [file.relative_to(folder).as_posix() for file in files_of(paths, folder)] == names
        absolute = files_of([str(folder / path) for path in paths], Path("/"))
        assert [file.relative_to(folder).as_posix() for file in absolute] == names

    def test_from_the_home_folder(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(folder))
        assert files_of(["~/orders.csv"], Path("/")) == (folder / "orders.csv",)
        assert files_of(["~/csv/*6.csv"], Path("/")) == (folder / "csv" / "2016.csv",)

    def test_a_folder_whose_name_looks_like_a_pattern(self, folder: Path) -> None:
        (folder / "csv").rename(folder / "[2017] data")
        assert len(files_of(["*.csv"], folder / "[2017] data")) == 1

    def test_a_link_to_a_file_named_before_is_the_same_file(self, folder: Path) -> None:
        (folder / "latest.csv").symlink_to("orders.csv")
        assert files_of(["orders.csv", "latest.csv"], folder) == (folder / "orders.csv",)


class TestRefused:
    @pytest.mark.parametrize(
        ("path", "message"),
        [
            ("order.csv", r"nothing at order.csv; the nearest in .*: orders.csv"),
            ("csv/2018.csv", r"the nearest in .*/csv: 2016.csv, 2017.tsv"),
            ("cvs/2016.csv", r"the nearest in .*: csv"),
            ("*.parquet", r"nothing at \*.parquet; (the nearest in .*: parquet|in )"),
            ("~nobody-here/orders.csv", r"nothing at ~nobody-here/orders.csv"),
            ("zzz", r"in .*: ORDERS-2016.CSV, \[1\]-orders.csv, below/, …"),
            ("empty/a.csv", "in .*/empty: nothing in it"),
            ("empty", "must hold data files: CSV, Excel or Parquet. Found: nothing in it"),
            ("pdf", r"Found: a.pdf, b.pdf, c.pdf, …\."),
            ("below", r"Found: 2016/, 2017/\. .*\*\*/\*.parquet"),
            ("mixed", r"2 CSV files, 1 Excel file\. .*mixed/\*.csv"),
            ("notes", r"1 CSV file, 1 text file\."),
        ],
    )
    def test_in_one_message_that_names_what_there_is(self, folder: Path, path: str, message: str) -> None:
        with pytest.raises(SettingsError, match=message) as error:
            files_of(["orders.csv", path], folder)
        assert error.value.exit_status == 2
