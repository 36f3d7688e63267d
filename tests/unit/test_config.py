"""Settings: what is wrong is said in a line each, with the nearest known key, and nothing starts."""

import datetime as dt

import pytest

from crm.config import read_settings
from crm.errors import SettingsError

GOOD = '[source]\nkind = "cdnow"\n[clock]\nas_of = 1998-01-01\n'


@pytest.fixture
def project(tmp_path):
    (tmp_path / "notebooks").mkdir()
    return tmp_path


def write(project, text):
    (project / "crm.toml").write_text(text)
    return project / "crm.toml"


def test_the_repositorys_own_settings_are_valid(root):
    settings = read_settings(root / "crm.toml")
    assert settings.source.kind == "complete_journey"
    assert settings.as_of == dt.date(2018, 1, 1)
    assert settings.folders.notebooks == root / "notebooks"


def test_the_least_that_must_be_said(project):
    settings = read_settings(write(project, GOOD))
    assert settings.definitions.active_within_days == 56
    assert settings.tracking_uri == f"sqlite:///{project}/mlruns/mlflow.db"
    assert settings.folders.data == project / "data"


def test_settings_without_notebooks_beside_them_take_the_projects_own(tmp_path, root):
    assert read_settings(write(tmp_path, GOOD)).folders.notebooks == root / "notebooks"
    (tmp_path / "notebooks").mkdir()
    assert read_settings(write(tmp_path, GOOD)).folders.notebooks == tmp_path / "notebooks"


def test_a_notebook_in_a_folder_below_finds_the_settings_above(project, monkeypatch):
    write(project, GOOD)
    monkeypatch.chdir(project / "notebooks")
    assert read_settings("crm.toml").home == project


def test_the_as_of_date_can_be_overridden(project):
    assert read_settings(write(project, GOOD), as_of="1997-10-01").as_of == dt.date(1997, 10, 1)
    assert read_settings(write(project, GOOD), as_of="").as_of == dt.date(1998, 1, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + "[definitions]\nactive_within_day = 5", "definitions.active_within_days"),
        (GOOD + "[definitons]\nx = 5", "definitons is not a known key; the nearest known key is definitions"),
        (GOOD + '[definitions]\nactive_within_days = "5"', "definitions.active_within_days must be a valid integer"),
        (GOOD + "[definitions]\nactive_within_days = 0", "greater than or equal to 1"),
        (GOOD + "[money]\ngross_margin = 25", "money.gross_margin must be less than or equal to 1"),
        (GOOD + "[money]\ncontact_cost = {mail = -1.0}", "money.contact_cost.mail"),
        (GOOD + "[money]\nkept_by_contact = 10", "money.kept_by_contact must be less than or equal to 1"),
        (
            GOOD + '[money]\nretention_channel = "pigeon"',
            "money: retention_channel must be a channel of contact_cost (email, mail, phone), found 'pigeon'",
        ),
        (GOOD + '[review]\nchallenger_must = "win"', "review.challenger_must must be 'gain' or 'not_worse'"),
        (GOOD + "[review]\ntoo_good_to_be_true = 0.4", "review.too_good_to_be_true must be greater than 0.5"),
        (
            GOOD + '[programmes."Best customers"]\nkind = "develop"',
            "programmes: the name of a programme must be of letters, digits, -, _ and . (a letter or digit first, "
            "81 at most), as its lists and their files have it, found 'Best customers'",
        ),
        (GOOD + '[programmes."a/b"]\nkind = "develop"', "found 'a/b'"),
        (GOOD + f'[programmes.{"a" * 82}]\nkind = "develop"', "the name of a programme must be of letters"),
        (GOOD + '[folders]\nnotebooks = "elsewhere"', "folders.notebooks: a folder that exists, found"),
        ('[source]\nkind = "cdnw"\n[clock]\nas_of = 1998-01-01', "found 'cdnw'"),
        ('[source]\nkind = "cdnow"', "clock is missing"),
        (
            '[source]\nkind = "cdnow"\n[clock]\nas_of = "1998-02-30"',
            "clock.as_of must be a date (a date such as 2018-01-01",
        ),
        (
            '[source]\nkind = "cdnow"\n[clock]\nas_of = 1998-01-01T10:00:00',
            "clock.as_of must be a date without a time",
        ),
        ('[source]\nkind = "cdnow"\n[clock]\nas_of = 1998-13-01', "valid TOML"),
        (
            '[source]\nkind = "cdnow"\ntimezone = "America/NewYork"\n[clock]\nas_of = 1998-01-01',
            "the nearest known is America/New_York",
        ),
    ],
)
def test_what_is_wrong_is_said(project, text, said):
    with pytest.raises(SettingsError) as refused:
        read_settings(write(project, text))
    assert said in str(refused.value)
    assert "Traceback" not in str(refused.value)


OWN = '[source]\nkind = "{kind}"\n{keys}\n[clock]\nas_of = 1998-01-01\n'
SALES = '[source.tables.purchases]\npath = "sales.csv"'


@pytest.mark.parametrize(
    ("kind", "keys", "said"),
    [
        ("files", "", "[source.tables.purchases] must say where the purchases are"),
        ("files", "[source.tables.purchases]\n", "tables.purchases.path must name its file"),
        ("files", 'database = "x.duckdb"\n' + SALES, "database is read with kind 'database' alone"),
        ("files", SALES + '\ntable = "sales"', "tables.purchases.table is not read with kind 'files'"),
        ("files", SALES + '\ndelimeter = ";"', "nearest known key is source.tables.purchases.delimiter"),
        ("files", SALES + "\nday_first = 1", "source.tables.purchases.day_first must be a valid boolean"),
        ("files", SALES + "\ncolumns = {customer_id = 1.5}", "source.tables.purchases.columns.customer_id"),
        ("files", SALES + '\nrecorded_in = "Mars"', "source.tables.purchases.recorded_in must be a time zone"),
        ("cdnow", SALES, "tables are read with kind 'files' or 'database', not with 'cdnow'"),
        ("database", '[source.tables.purchases]\ntable = "sales"', "database must be a DuckDB file, or postgresql"),
        ("database", 'database = "x"\n[source.tables.purchases]', "tables.purchases must have either table or query"),
        ("database", 'database = "x"\n' + SALES + '\ntable = "s"', "path is not read with kind 'database'"),
    ],
)
def test_what_is_wrong_about_own_data_is_said(project, kind, keys, said):
    with pytest.raises(SettingsError) as refused:
        read_settings(write(project, OWN.format(kind=kind, keys=keys)))
    assert said in str(refused.value)


@pytest.mark.parametrize("url", ["postgresql://me:hush-hush@db/shop", "postgresql://me@db/shop?password=hush-hush"])
def test_a_password_in_the_settings_is_refused_and_not_repeated(project, url):
    keys = f'database = "{url}"\n[source.tables.purchases]\ntable = "sales"'
    with pytest.raises(SettingsError, match="CRM_DATABASE_PASSWORD") as refused:
        read_settings(write(project, OWN.format(kind="database", keys=keys)))
    assert "hush" not in str(refused.value)


def test_the_folder_of_own_files_is_taken_from_the_settings_file_and_changes_no_answer(project):
    one = read_settings(write(project, OWN.format(kind="files", keys=f'folder = "in"\n{SALES}')))
    other = read_settings(write(project, OWN.format(kind="files", keys=f'folder = "elsewhere"\n{SALES}')))
    assert one.source.folder == project / "in"
    assert one.as_record()["source"]["folder"] == "in"
    assert one.fingerprint() == other.fingerprint()


def test_every_wrong_key_is_named_at_once(project):
    text = GOOD + "[definitions]\nactive_within_days = 0\n[money]\ngross_margin = 2\nfoo = 1"
    with pytest.raises(SettingsError) as refused:
        read_settings(write(project, text))
    for key in ("definitions.active_within_days", "money.gross_margin", "money.foo"):
        assert key in str(refused.value)


def test_a_missing_file_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=r"no file nowhere.toml"):
        read_settings("nowhere.toml")


def test_the_fingerprint_follows_what_changes_the_answer_and_nothing_else(project):
    base = read_settings(write(project, GOOD)).fingerprint()
    assert read_settings(write(project, GOOD + "[runs]\njobs = 1\nkeep = 3\n")).fingerprint() == base
    assert read_settings(write(project, GOOD + "[money]\ngross_margin = 0.3\n")).fingerprint() != base
    assert read_settings(write(project, GOOD), as_of="1997-10-01").fingerprint() != base


@pytest.mark.parametrize(
    ("money", "channel", "cost"),
    [
        ("", "mail", 0.60),
        ("contact_cost = {email = 0.02, phone = 3.0}", "email", 0.02),  # no mail, and nothing said: the first
        ('contact_cost = {email = 0.02, phone = 3.0}\nretention_channel = "phone"', "phone", 3.0),
        ("contact_cost = {}", "", 0.0),
    ],
)
def test_the_channel_of_a_contact_that_is_to_keep_a_customer(project, money, channel, cost):
    found = read_settings(write(project, f"{GOOD}[money]\n{money}\n")).money
    assert (found.retention_channel, found.retention_cost, found.kept_by_contact) == (channel, cost, 0.10)


def test_what_a_challenger_must_show_changes_no_score(project):
    base = read_settings(write(project, GOOD))
    other = read_settings(write(project, GOOD + '[review]\nchallenger_must = "not_worse"\nretrain_after_days = 7\n'))
    assert (base.review.challenger_must, base.review.retrain_after_days) == ("gain", 91)
    assert (other.review.challenger_must, other.review.retrain_after_days) == ("not_worse", 7)
    assert other.fingerprint() == base.fingerprint()
    kept = read_settings(write(project, GOOD + "[money]\nkept_by_contact = 0.2\n"))
    assert kept.fingerprint() != base.fingerprint(), "it decides who is worth a contact"
