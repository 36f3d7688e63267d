"""Settings: the company's own definitions, read from crm.toml and checked before anything starts.

`read_settings("crm.toml")` gives a frozen `Settings`; paths in it are absolute. Whatever is wrong ends in one line
each: which key, what was expected, what was found, the nearest known key.
"""

from __future__ import annotations

import datetime as dt
import difflib
import hashlib
import json
import re
import tomllib
import urllib.parse
import zoneinfo
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from crm.errors import RequestError, SettingsError
from crm.periods import read_date

Share = Annotated[float, Field(ge=0, le=1)]
Days = Annotated[int, Field(ge=1, le=3660)]


DATABASE_PASSWORD = "CRM_DATABASE_PASSWORD"

_HOST = r"(?:\[[0-9A-Fa-f:.%]+\]|[^\[\]:@/?#\s]*)(?::\d*)?"
_POSTGRESQL = re.compile(
    rf"postgres(?:ql)?://(?:[^:@/?#\s]+@)?{_HOST}(?:,{_HOST})*(?:/[^:@/?#\s]*)?(?:\?(?P<options>[^@#\s]*))?"
)
_SERVER_MEANT = re.compile(
    r"://|^postgres(?:ql)?:|^(?![a-z]:[\\/])[^/\\]*:.*@"
    r"|\b(?:host|hostaddr|port|dbname|user|password|service|sslmode)\s*=",
    re.IGNORECASE,
)


def is_postgresql(database: str) -> bool:
    """Is this meant to be the address of a server, and not the name of a file?"""
    return bool(_SERVER_MEANT.search(database))


def plain_address(database: str) -> str:
    """The address of a database without a password. Raises ValueError, which does not repeat it: it may hold one."""
    if not is_postgresql(database):
        return database
    known = _POSTGRESQL.fullmatch(database)
    options = urllib.parse.parse_qsl(known["options"] or "", keep_blank_values=True) if known else []
    secret = [name for name, _ in options if re.search("password|secret", name, re.IGNORECASE)]
    if not known or secret or "%3a" in database.partition("?")[0].lower():
        raise ValueError(
            "a DuckDB file, or postgresql://user@host:port/name without a password (it is not repeated here): set "
            f"{DATABASE_PASSWORD} in the environment, and write : / ? # @ within a name as %3A %2F %3F %23 %40"
        )
    return database


def _path_from_text(value: Any) -> Any:
    return Path(value) if isinstance(value, str) and value else value


class Section(BaseModel):
    """A table of crm.toml: nothing unknown, nothing changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _known_zone(zone: str) -> str:
    if zone not in zoneinfo.available_timezones():
        near = difflib.get_close_matches(zone, zoneinfo.available_timezones(), n=1)
        hint = f"; the nearest known is {near[0]}" if near else ""
        raise ValueError(f"a time zone such as America/New_York{hint}")
    return zone


Zone = Annotated[str, AfterValidator(_known_zone)]


class TableMapping(Section):
    """How one canonical table is found in files or in a database, and how its columns are written there.

    A column of the source that bears the canonical name needs no mapping.
    """

    path: str | list[str] = Field(
        "", description="files: a file, a folder, a pattern such as orders-*.csv, or a list"
    )
    table: str = Field("", description="database: the name of a table or view, such as sales.order_lines")
    query: str = Field("", description="SQL that gives the rows: over the database, or over `file`, the rows of path")
    columns: dict[str, str | int] = Field({}, description="canonical name = name, or position from 1, in the source")
    constants: dict[str, str | int | float | bool] = Field({}, description="canonical name = its value in every row")
    sheet: str = Field("", description="Excel: the sheet; empty: every sheet")
    delimiter: str = Field("", description="CSV: what separates the columns, or 'blanks'; empty: seen from the file")
    quote: str = Field('"', max_length=1, description="CSV: what encloses a text that holds the delimiter")
    encoding: str = Field("", description="CSV: such as utf-8, latin-1 or utf-16; empty: seen from the file")
    header: bool = Field(True, description="CSV, Excel: the first line names the columns")
    empty: list[str] = Field(
        ["NULL", "null", "\\N", "NaN", "nan", "None", "#N/A"], description="what stands for no value, beside nothing"
    )
    decimal_comma: bool = Field(False, description="numbers are written 1.234,56 and not 1,234.56")
    day_first: bool | None = Field(None, description="dates such as 05/03/2017: true for 5 March, false for May 3")
    date_format: str | list[str] = Field("", description="how dates are written, such as %d.%m.%Y %H:%M")
    recorded_in: Zone | None = Field(None, description="the zone of moments written without one; else the trade's")
    credit_note_prefix: str = Field("", description="order numbers that begin so are cancellations")
    repeated_rows: Literal["keep", "set_aside", "set_aside_across_files"] = Field(
        "keep", description="what is done with rows that repeat another exactly"
    )

    @property
    def paths(self) -> list[str]:
        """`path` as a list."""
        return [self.path] if isinstance(self.path, str) and self.path else list(self.path)

    @property
    def date_formats(self) -> list[str]:
        """`date_format` as a list."""
        return (
            [self.date_format] if isinstance(self.date_format, str) and self.date_format else list(self.date_format)
        )


_OWN_DATA = ("files", "database")


class Source(Section):
    """Where the data come from, and in which time zone a day of trade is cut."""

    kind: Literal["complete_journey", "cdnow", "sample_company", "files", "database"] = Field(
        description="which source is read"
    )
    timezone: Zone = Field("UTC", description="in which a day of trade is cut, such as America/New_York")
    customers: int = Field(10_000, ge=100, le=10_000_000, description="sample_company: how many customers it has")
    seed: int = Field(1, ge=0, description="sample_company: the seed of its chance")
    folder: Path | None = Field(None, description="files: the folder in which the paths of the tables lie")
    database: str = Field("", description="a DuckDB file, or postgresql://user@host/name, without the password")
    tables: dict[str, TableMapping] = Field({}, description="files, database: one section for each table")

    _path_from_text = field_validator("folder", mode="before")(_path_from_text)

    @field_validator("database")
    @classmethod
    def _no_password(cls, database: str) -> str:
        return plain_address(database)

    @model_validator(mode="after")
    def _what_the_kind_needs(self) -> Source:
        problems = [*self._unfitting(), *self._lacking()]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _unfitting(self) -> Iterator[str]:
        """Keys that the kind does not read."""
        if self.kind not in _OWN_DATA and self.tables:
            yield f"tables are read with kind 'files' or 'database', not with {self.kind!r}"
        if self.kind != "files" and self.folder:
            yield "folder is read with kind 'files' alone"
        if self.kind != "database" and self.database:
            yield "database is read with kind 'database' alone"
        for name, table in self.tables.items():
            strange = ("table",) if self.kind == "files" else ("path", "sheet", "delimiter", "encoding")
            for key in strange:
                if getattr(table, key):
                    yield f"tables.{name}.{key} is not read with kind {self.kind!r}"

    def _lacking(self) -> Iterator[str]:
        """Keys that the kind cannot do without."""
        if self.kind == "database" and not self.database:
            yield "database must be a DuckDB file, or postgresql://user@host/name"
        if self.kind in _OWN_DATA and "purchases" not in self.tables:
            yield "a section [source.tables.purchases] must say where the purchases are"
        if self.kind == "files":
            yield from (f"tables.{name}.path must name its file" for name, t in self.tables.items() if not t.paths)
        else:
            yield from (
                f"tables.{name} must have either table or query"
                for name, table in self.tables.items()
                if bool(table.table) == bool(table.query)
            )


class Clock(Section):
    """The as-of date: the first day that is not known."""

    as_of: dt.date = Field(description="a date such as 2018-01-01, the first day not known")

    @field_validator("as_of", mode="before")
    @classmethod
    def _date_only(cls, value: Any) -> Any:
        if isinstance(value, dt.datetime):
            raise ValueError("a date without a time")
        if isinstance(value, str):
            try:
                return read_date(value)
            except RequestError:
                raise ValueError("a date") from None
        return value


class Definitions(Section):
    """What the words of the reports mean here, in days."""

    active_within_days: Days = Field(56, description="an active customer bought within these days")
    defected_after_days: Days = Field(56, description="and defected by buying nothing in the next")
    value_horizon_days: Days = Field(91, description="days ahead that lifetime value looks")
    value_long_horizon_days: Days = Field(1095, description="days ahead of the discounted, long lifetime value")
    cross_sell_horizon_days: Days = Field(56, description="days ahead that cross-sell looks")
    cross_sell_level: Literal["category", "department", "product"] = "category"
    cross_sell_items: int = Field(300, ge=2, description="the most sold items that are considered")
    cross_sell_not_offered: list[str] = Field([], description="items that are never offered, such as tobacco")
    migration_days: Days = Field(91, description="days between the two dates of the migration matrix")


class Money(Section):
    """Assumptions about money, shown wherever they are used."""

    currency: str = Field("USD", min_length=1, max_length=8, description="how amounts are labelled")
    gross_margin: Share = Field(0.25, description="share of net sales, from 0 to 1")
    yearly_discount_rate: Share = Field(0.10, description="from 0 to 1")
    contact_cost: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default={"email": 0.01, "mail": 0.60, "phone": 4.00}, description="cost of one contact by channel"
    )
    service_case_cost: float = Field(0.0, ge=0, description="cost of handling one service case; 0: not counted")
    kept_by_contact: Share = Field(
        0.10,
        description="chance that a contact keeps a customer who would have left; "
        "an assumption until an experiment says",
    )
    retention_channel: str = Field("mail", description="channel of such a contact, one of contact_cost")

    @model_validator(mode="before")
    @classmethod
    def _a_channel_there_is(cls, given: Any) -> Any:
        """Whoever states costs without a `mail` and no retention_channel means the first channel stated."""
        costs = given.get("contact_cost") if isinstance(given, dict) else None
        if not isinstance(costs, dict) or "retention_channel" in given or "mail" in costs:
            return given
        return {**given, "retention_channel": next(iter(costs), "")}

    @model_validator(mode="after")
    def _channel_has_a_cost(self) -> Money:
        if self.retention_channel not in (self.contact_cost or {"": 0.0}):
            known = ", ".join(self.contact_cost) or "none is there"
            raise ValueError(
                f"retention_channel must be a channel of contact_cost ({known})|{self.retention_channel!r}"
            )
        return self

    @property
    def retention_cost(self) -> float:
        """Of one contact that is to keep a customer; 0 where no channel has a cost."""
        return self.contact_cost.get(self.retention_channel, 0.0)


class Quality(Section):
    """How much may be set aside before a run stops."""

    most_rows_set_aside: Share = Field(0.02, description="share of a table's rows, per reason, from 0 to 1")
    most_money_set_aside: Share = Field(0.02, description="share of a table's money, per reason, from 0 to 1")
    accepted_reasons: dict[str, Share] = Field(
        default={}, description="a wider budget for one reason, such as {'customer_id is missing' = 0.30}"
    )


class Tracking(Section):
    """Where models are tracked; MLFLOW_TRACKING_URI overrides it."""

    uri: str = Field("sqlite:///mlruns/mlflow.db", min_length=1, description="the MLflow store")


class Review(Section):
    """When a model is fitted anew, and what a challenger must show before it is promoted."""

    challenger_must: Literal["gain", "not_worse"] = Field(
        "gain", description='"gain": better beyond its interval; "not_worse": not worse beyond it'
    )
    most_calibration_loss: Share = Field(0.01, description="by which calibration may be worse than the champion's")
    most_group_loss: Share = Field(0.05, description="by which a group of 50 or more may be ordered worse")
    most_score_psi: float = Field(0.25, ge=0, description="population stability index of a score, then and now")
    most_features_moved: Share = Field(0.25, description="share of a model's columns that may have moved")
    too_good_to_be_true: float = Field(0.98, gt=0.5, le=1, description="order from which a leak is suspected")
    retrain_after_days: Days = Field(91, description="age of a champion from which --retrain auto fits anew")


class Campaigns(Section):
    """What of a campaign is asked, said before anybody looks."""

    judged_by: Literal["bought", "purchase_days", "net_sales", "margin"] = Field(
        "purchase_days", description="the main outcome: it alone decides the verdict"
    )
    smallest_effect: float = Field(0.10, gt=0, le=1, description="share of the usual from which an effect matters")
    after_days: Days = Field(28, description="days after a campaign in which its effect may come back or be lost")
    held_out_share: float = Field(0.30, gt=0, lt=1, description="share left alone in the next experiment")


class Programme(Section):
    """One reason to contact customers: what is offered, through what, at what cost, until when."""

    kind: Literal["retain", "win_back", "cross_sell", "up_sell", "develop", "event", "persuade"] = Field(
        description="whom it is for and what its contact is worth"
    )
    owner: str = Field("", description="who answers for it")
    channels: list[str] = Field(["mail"], min_length=1, description="of [money] contact_cost")
    offer: str = Field("", description="what is offered, in words")
    offer_cost: float = Field(0.0, ge=0, description="of the offer, per contacted customer")
    budget: float | None = Field(None, ge=0, description="most that its contacts and offers may cost")
    size: int | None = Field(None, ge=0, description="most customers")
    send_within_days: Days = Field(14, description="days from the as-of date until it must be sent")
    measure_after_days: Days = Field(56, description="days from sending until it is read what it caused")
    held_out_share: float = Field(0.20, ge=0, le=0.5, description="share of the listed who are left alone")
    makes_the_difference: Share = Field(
        0.05,
        description="share of what is at stake that a contact brings; an assumption until a list was measured. "
        "Without it 0.10 for retain, cross_sell and up_sell, 0.05 for win_back, 0.005 for develop and event",
    )
    measured_as: str = Field(
        "",
        description="persuade: the kind of campaign that it is scored as; "
        "empty: the first by name that goes through one of its channels",
    )
    item: str = Field("", description="cross_sell, up_sell: the one item; empty: each customer's best")
    event: Literal["", "birthday", "joined", "end_of_contract", "first_purchase", "day"] = Field(
        "", description="event: which one"
    )
    attribute: str = Field("birthday", description="birthday: the column of the table customers that holds it")
    days: int = Field(0, ge=0, le=3650, description="first_purchase: so many days after it")
    date: str = Field("", description="day: month and day that everybody has, such as 12-24")

    @model_validator(mode="before")
    @classmethod
    def _a_share_for_its_kind(cls, given: Any) -> Any:
        """Of all that a best customer buys, a letter brings less than of what somebody would take along."""
        if not isinstance(given, dict) or "makes_the_difference" in given:
            return given
        usual = {"develop": 0.005, "event": 0.005, "retain": 0.10, "cross_sell": 0.10, "up_sell": 0.10}
        kind = given.get("kind")
        return {**given, "makes_the_difference": usual.get(kind, 0.05) if isinstance(kind, str) else 0.05}

    @model_validator(mode="after")
    def _an_event_is_named(self) -> Programme:
        if (self.kind == "event") != bool(self.event):
            raise ValueError("event must be named where kind is 'event', and nowhere else")
        if self.event == "day" and not _is_a_day(self.date):
            raise ValueError("date must be month and day, such as '12-24', for the event 'day'")
        return self


def _is_a_day(text: str) -> bool:
    """Month and day that some year has: 02-29 is one, 02-30 is none."""
    try:
        return bool(re.fullmatch(r"\d\d-\d\d", text) and dt.date.fromisoformat(f"2000-{text}"))
    except ValueError:
        return False


class Contacts(Section):
    """Who may be contacted at all, and how often."""

    consents: Literal["table", "elsewhere", "undecided"] = Field(
        "undecided", description="where consent is kept: in the table consents, or in another system that checks it"
    )
    purpose: str = Field("marketing", description="that a consent must name")
    most_contacts: int = Field(2, ge=0, description="of one customer, across programmes, within_days")
    within_days: Days = Field(30, description="days before the as-of date in which contacts are counted")
    quiet_days_after_case: int = Field(14, ge=0, description="days after a service case without any contact")
    suppressed: Path | None = Field(None, description="a CSV of customer_id who must not be contacted, and why")
    blocked_where: dict[str, list[str]] = Field(
        {}, description='columns of the table customers and values that block, such as {status = ["deceased"]}'
    )
    capacity: dict[str, Annotated[int, Field(ge=0)]] = Field({}, description="most contacts by channel")
    budget: float | None = Field(None, ge=0, description="most that all lists together may cost")
    byte_order_mark: bool = Field(False, description="begin CSV files with one, for older versions of Excel")

    _path_from_text = field_validator("suppressed", mode="before")(_path_from_text)


class Runs(Section):
    """How runs are carried out and kept."""

    jobs: int = Field(2, ge=1, le=64, description="notebooks executed at the same time")
    keep: int = Field(10, ge=1, description="runs kept under reports/runs; the published one is always kept")
    minutes_per_notebook: float = Field(30, gt=0, description="after which a notebook counts as failed")
    seed: int = Field(20180101, ge=0, description="the seed of every chance in a run")


class Folders(Section):
    """Where things lie, relative to crm.toml."""

    data: Path = Path("data")
    reports: Path = Path("reports")
    notebooks: Path = Path("notebooks")

    _path_from_text = field_validator("*", mode="before")(_path_from_text)


class Settings(Section):
    """Everything a run is told, with absolute paths.

    `home` is the folder of crm.toml. `with_as_of(date)` gives the same settings at another as-of date.
    """

    source: Source
    clock: Clock
    definitions: Definitions = Definitions()
    money: Money = Money()
    quality: Quality = Quality()
    tracking: Tracking = Tracking()
    campaigns: Campaigns = Campaigns()
    contacts: Contacts = Contacts()
    programmes: dict[str, Programme] = {}
    review: Review = Review()
    runs: Runs = Runs()
    folders: Folders = Folders()
    home: Path = Field(default=Path(), exclude=True)

    @model_validator(mode="after")
    def _programmes_name_files(self) -> Settings:
        rule = (
            "letters, digits, -, _ and . (a letter or digit first, 81 at most), as its lists and their files have it"
        )
        for name in self.programmes:
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,80}", name):
                raise ValueError(f"programmes: the name of a programme must be of {rule}|{name!r}")
        return self

    @model_validator(mode="after")
    def _channels_cost_something(self) -> Settings:
        known = ", ".join(self.money.contact_cost)
        for name, programme in self.programmes.items():
            if strange := [one for one in programme.channels if one not in self.money.contact_cost]:
                raise ValueError(f"programmes.{name}.channels: channels of [money] contact_cost ({known})|{strange}")
        if strange := [one for one in self.contacts.capacity if one not in self.money.contact_cost]:
            raise ValueError(f"contacts.capacity: channels of [money] contact_cost ({known})|{strange}")
        return self

    @model_validator(mode="after")
    def _notebooks_exist(self) -> Settings:
        if self.home.is_absolute() and not self.folders.notebooks.is_dir():
            raise ValueError(f"folders.notebooks: a folder that exists|{self.folders.notebooks}")
        return self

    @property
    def as_of(self) -> dt.date:
        """The first day that is not known."""
        return self.clock.as_of

    def with_as_of(self, as_of: dt.date) -> Settings:
        """The same settings at another as-of date."""
        return self.model_copy(update={"clock": Clock(as_of=as_of)})

    @property
    def tracking_uri(self) -> str:
        """The MLflow store, a relative SQLite path taken from the folder of crm.toml."""
        prefix = "sqlite:///"
        path = self.tracking.uri.removeprefix(prefix)
        if self.tracking.uri.startswith(prefix) and not Path(path).is_absolute():
            return f"{prefix}{self.home / path}"
        return self.tracking.uri

    def as_record(self) -> dict[str, Any]:
        """The settings as they stand in a receipt: plain values, paths relative where they can be."""
        record = self.model_dump(mode="json")
        for name, path in record["folders"].items():
            record["folders"][name] = self._from_home(path)
        if folder := record["source"]["folder"]:
            record["source"]["folder"] = self._from_home(folder)
        if suppressed := record["contacts"]["suppressed"]:
            record["contacts"]["suppressed"] = self._from_home(suppressed)
        return record

    def _from_home(self, path: str) -> str:
        inside = Path(path).is_relative_to(self.home)
        return Path(path).relative_to(self.home).as_posix() if inside else path

    def fingerprint(self) -> str:
        """A short hash of everything that changes what a run says.

        Not of folders, jobs or retention, and not of [review]: it decides whether another model is fitted beside the
        champion and whether that one may follow it, and whoever scores is named by the receipt.
        """
        record = self.as_record()
        record["runs"] = {"seed": record["runs"]["seed"]}
        del record["folders"], record["tracking"], record["review"], record["source"]["folder"]
        return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:16]


def find_settings_file(path: str | Path) -> Path:
    """`path` itself, or, for a bare name, the nearest one upwards from the current folder.

    So that a notebook opened in notebooks/ finds the crm.toml above it.
    """
    path = Path(path).expanduser()
    if path.is_file():
        return path.resolve()
    if path.parent == Path():
        for folder in Path.cwd().parents:
            if (folder / path).is_file():
                return folder / path
    raise SettingsError(
        "The settings file must exist.",
        found=f"no file {path}" + (" here or in a folder above" if path.parent == Path() else ""),
        do="Name it with --config, or let `crm init PATH…` propose one for your data.",
    )


def _notebooks_for(home: Path) -> str:
    """The notebooks beside a settings file; of one that has none, those of the project."""
    own = Path(__file__).resolve().parents[2] / "notebooks"
    return "notebooks" if (home / "notebooks").is_dir() or not own.is_dir() else str(own)


def _from_home(section: Any, key: str, home: Path) -> None:
    """A relative path of a section is taken from the folder of crm.toml."""
    if isinstance(section, dict) and isinstance(section.get(key), str) and section[key]:
        section[key] = str(home / Path(section[key]).expanduser())


def read_settings(path: str | Path = "crm.toml", *, as_of: dt.date | str | None = None) -> Settings:
    """Read and check crm.toml; `as_of` overrides `[clock] as_of` where it is given and not empty.

    Raises SettingsError with one line for every key that is wrong.
    """
    file = find_settings_file(path)
    try:
        content: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{file.name} must be valid TOML.", found=str(error), do="Mend the line named; text stands in quotes."
        ) from None
    if as_of:
        content.setdefault("clock", {})
        if isinstance(content["clock"], dict):
            content["clock"]["as_of"] = as_of
    content["home"] = file.parent
    folders = content.setdefault("folders", {})
    if isinstance(folders, dict):
        usual = {"data": "data", "reports": "reports", "notebooks": _notebooks_for(file.parent)}
        for name, value in {**usual, **folders}.items():
            folders[name] = str(file.parent / value) if isinstance(value, str) and value else value
    for section, key in (("source", "folder"), ("contacts", "suppressed")):
        _from_home(content.get(section), key, file.parent)
    try:
        return Settings.model_validate(content)
    except ValidationError as error:
        lines = list(dict.fromkeys(_line(detail) for detail in error.errors()))
        raise SettingsError(
            f"Every key of {file.name} must be known and of the right type.",
            found="; ".join(lines),
            do=f"Mend each of these in {file.name}; nothing was started.",
        ) from None


_UNION_BRANCHES = ("str", "int", "float", "bool", "list[str]")


def _line(detail: Any) -> str:
    """One line for one wrong key: which, what was expected, what was found, the nearest known key."""
    location = [str(part) for part in detail["loc"]]
    key = ".".join(location) or "crm.toml"
    if detail["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, sorted(_known_keys(location)), n=1, cutoff=0.4)
        near_text = f"; the nearest known key is {near[0]}" if near else ""
        return f"{key} is not a known key{near_text}"
    if detail["type"] == "missing":
        return f"{key} is missing (expected {_expected(location, 'a value')})"
    message = str(detail["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
    if detail["type"] == "value_error" and isinstance(detail["input"], dict):
        expected, _, found = message.partition("|")
        where = "" if key == "crm.toml" else f"{key}: "
        return f"{where}{expected}" + (f", found {found}" if found else "")
    if detail["type"] == "model_type":
        return f"{key} must be a section, [{key}], found {detail['input']!r}"
    if location and location[-1] in _UNION_BRANCHES:  # one line for each kind of value that was allowed there
        return f"{'.'.join(location[:-1])} must be {_expected(location[:-1], 'another kind of value')}"
    found = "" if key == "source.database" else f", found {_found(detail['input'])}"  # it may hold a password
    return f"{key} must be {_expected(location, message)}{found}"


def _found(value: Any) -> str:
    """A value as it stands in TOML."""
    return value.isoformat() if isinstance(value, dt.date) else repr(value)


def _expected(location: list[str], message: str) -> str:
    field = _known_keys(location).get(".".join(location))
    return f"{message} ({field})" if field and field not in message else message


def _known_keys(location: list[str]) -> dict[str, str]:
    """Every key crm.toml may hold, with what it means; those of the table that the location lies in among them."""
    known: dict[str, str] = {}
    for section, info in Settings.model_fields.items():
        annotation = info.annotation
        if section == "home" or not isinstance(annotation, type) or not issubclass(annotation, Section):
            continue
        known[section] = ""
        known |= {f"{section}.{key}": field.description or "" for key, field in annotation.model_fields.items()}
    if location[:2] == ["source", "tables"] and len(location) > 3:
        table = ".".join(location[:3])
        known |= {f"{table}.{key}": field.description or "" for key, field in TableMapping.model_fields.items()}
    if location[:1] == ["programmes"] and len(location) > 1:
        programme = ".".join(location[:2])
        known |= {f"{programme}.{key}": field.description or "" for key, field in Programme.model_fields.items()}
    return known
