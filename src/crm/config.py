"""Settings: the company's own definitions, read from crm.toml and checked before anything starts.

`read_settings("crm.toml")` gives a frozen `Settings`; paths in it are absolute. Whatever is wrong ends in one line
each: which key, what was expected, what was found, the nearest known key.
"""

from __future__ import annotations

import datetime as dt
import difflib
import hashlib
import json
import tomllib
import zoneinfo
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from crm.errors import RequestError, SettingsError
from crm.periods import read_date

Share = Annotated[float, Field(ge=0, le=1)]
Days = Annotated[int, Field(ge=1, le=3660)]


class Section(BaseModel):
    """A table of crm.toml: nothing unknown, nothing changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Source(Section):
    """Where the data come from, and in which time zone a day of trade is cut."""

    kind: Literal["complete_journey", "cdnow", "sample_company"] = Field(description="which source is read")
    timezone: str = Field("UTC", description="in which a day of trade is cut, such as America/New_York")
    customers: int = Field(10_000, ge=100, le=10_000_000, description="sample_company: how many customers it has")
    seed: int = Field(1, ge=0, description="sample_company: the seed of its chance")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if zone not in zoneinfo.available_timezones():
            near = difflib.get_close_matches(zone, zoneinfo.available_timezones(), n=1)
            hint = f"; the nearest known is {near[0]}" if near else ""
            raise ValueError(f"a time zone such as America/New_York{hint}")
        return zone


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
    cross_sell_horizon_days: Days = Field(56, description="days ahead that cross-sell looks")
    cross_sell_level: Literal["category", "department", "product"] = "category"
    cross_sell_items: int = Field(300, ge=2, description="the most sold items that are considered")
    migration_days: Days = Field(91, description="days between the two dates of the migration matrix")


class Money(Section):
    """Assumptions about money, shown wherever they are used."""

    currency: str = Field("USD", min_length=1, max_length=8, description="how amounts are labelled")
    gross_margin: Share = Field(0.25, description="share of net sales, from 0 to 1")
    yearly_discount_rate: Share = Field(0.10, description="from 0 to 1")
    contact_cost: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default={"email": 0.01, "mail": 0.60, "phone": 4.00}, description="cost of one contact by channel"
    )


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

    @field_validator("*", mode="before")
    @classmethod
    def _path_from_text(cls, value: Any) -> Any:
        if isinstance(value, str) and value:
            return Path(value)
        return value


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
    runs: Runs = Runs()
    folders: Folders = Folders()
    home: Path = Field(default=Path(), exclude=True)

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
            if Path(path).is_relative_to(self.home):
                record["folders"][name] = Path(path).relative_to(self.home).as_posix()
        return record

    def fingerprint(self) -> str:
        """A short hash of everything that changes what a run says (not of folders, jobs or retention)."""
        record = self.as_record()
        record["runs"] = {"seed": record["runs"]["seed"]}
        del record["folders"], record["tracking"]
        return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:16]


def find_settings_file(path: str | Path) -> Path:
    """`path` itself, or, for a bare name, the nearest one upwards from the current folder.

    So that a notebook opened in notebooks/ finds the crm.toml above it.
    """
    path = Path(path)
    if path.is_file():
        return path.resolve()
    if path.parent == Path():
        for folder in Path.cwd().parents:
            if (folder / path).is_file():
                return folder / path
    raise SettingsError(
        "The settings file must exist.",
        found=f"no file {path}" + (" here or in a folder above" if path.parent == Path() else ""),
        do="Name it with --config, or start from the crm.toml that comes with the project.",
    )


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
        for name, value in {"data": "data", "reports": "reports", "notebooks": "notebooks", **folders}.items():
            folders[name] = str(file.parent / value) if isinstance(value, str) and value else value
    try:
        return Settings.model_validate(content)
    except ValidationError as error:
        lines = [_line(detail) for detail in error.errors()]
        raise SettingsError(
            f"Every key of {file.name} must be known and of the right type.",
            found="; ".join(lines),
            do=f"Mend each of these in {file.name}; nothing was started.",
        ) from None


def _line(detail: Any) -> str:
    """One line for one wrong key: which, what was expected, what was found, the nearest known key."""
    location = [str(part) for part in detail["loc"]]
    key = ".".join(location) or "crm.toml"
    if detail["type"] == "extra_forbidden":
        known = sorted(_known_keys())
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
        near_text = f"; the nearest known key is {near[0]}" if near else ""
        return f"{key} is not a known key{near_text}"
    if detail["type"] == "missing":
        return f"{key} is missing (expected {_expected(location, 'a value')})"
    message = str(detail["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
    if "|" in message and key == "crm.toml":
        expected, found = message.split("|", 1)
        return f"{expected}, found {found}"
    if detail["type"] == "model_type":
        return f"{key} must be a section, [{key}], found {detail['input']!r}"
    return f"{key} must be {_expected(location, message)}, found {_found(detail['input'])}"


def _found(value: Any) -> str:
    """A value as it stands in TOML."""
    return value.isoformat() if isinstance(value, dt.date) else repr(value)


def _expected(location: list[str], message: str) -> str:
    field = _known_keys().get(".".join(location))
    return f"{message} ({field})" if field and field not in message else message


def _known_keys() -> dict[str, str]:
    """Every key crm.toml may hold, with what it means."""
    known: dict[str, str] = {}
    for section, info in Settings.model_fields.items():
        if section == "home":
            continue
        known[section] = ""
        annotation = info.annotation
        if isinstance(annotation, type) and issubclass(annotation, Section):
            known |= {f"{section}.{key}": field.description or "" for key, field in annotation.model_fields.items()}
    return known
