"""What is registered: the versions of a model, which of them is champion, and who looked at it. Reads only.

Who became champion is written down twice: as MLflow's alias, which anybody may set, and in `crm.champions`, a tag of
the registered model that only this package writes. Where the two differ, somebody chose by hand.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crm.config import Settings
from crm.facts import Facts
from crm.tracking.models import CHALLENGER, CHAMPION, NOBODY, RUN, SOURCE, source_identity
from crm.tracking.store import Store, TrackingError, reachable, store_of

REVIEWED_BY, REVIEW_REASON, REVIEW_DATE = "crm.reviewed_by", "crm.review_reason", "crm.review_date"
GATE, VERDICT = "crm.gate", "crm.verdict"
HISTORY = "crm.champions"
"""Tag of a registered model: the numbers of its champions one after the other, such as 1,3."""

_RECORDS = {"segmentation": "segments.json"}


@dataclass(frozen=True)
class Version:
    """A registered version of a model.

    number: in the registry.     as_of: of its fit; None where it does not say.     card: its description.
    tags:   its own, and beneath them those of the MLflow run that made it.
    """

    name: str
    number: str
    as_of: dt.date | None
    aliases: tuple[str, ...]
    tags: Mapping[str, str] = field(repr=False)
    card: str = field(repr=False)

    @property
    def reviewer(self) -> str:
        """Who looked at it; empty where nobody did."""
        reviewer = self.tags.get(REVIEWED_BY, NOBODY)
        return "" if reviewer == NOBODY else reviewer


@dataclass(frozen=True)
class Registered:
    """A registered model: its versions, the newest first, and the champions it had by our own doing, oldest first."""

    name: str
    versions: tuple[Version, ...]
    history: tuple[str, ...]

    def by(self, number: str) -> Version | None:
        """The version of this number."""
        return next((version for version in self.versions if version.number == number), None)

    @property
    def champion(self) -> Version | None:
        """The version that scores."""
        return next((version for version in self.versions if CHAMPION in version.aliases), None)

    @property
    def challenger(self) -> Version | None:
        """The version that wants to."""
        return next((version for version in self.versions if CHALLENGER in version.aliases), None)

    @property
    def by_hand(self) -> str:
        """A sentence where the champion was made one in MLflow itself, without a reviewer; else empty."""
        if self.champion is None or self.champion.number == self._appointed:
            return ""
        return (
            f"Version {self.champion.number} was made champion outside of crm promote: "
            "nobody is named as its reviewer."
        )

    @property
    def previous(self) -> Version | None:
        """The champion before the one that stands, as far as it is still registered; None without one."""
        earlier = self.history if self.by_hand else self.history[:-1]
        standing = self.champion.number if self.champion else ""
        there = (self.by(number) for number in reversed(earlier) if number != standing)
        return next((version for version in there if version is not None), None)

    @property
    def beside(self) -> Version | None:
        """Whom another version is held against: the champion, or, where it was chosen by hand, the one before it."""
        return self.by(self._appointed) if self.by_hand else self.champion

    @property
    def _appointed(self) -> str:
        """The number of the champion by our own doing; before that was written down, the first ever was it."""
        if self.history:
            return self.history[-1]
        return min((version.number for version in self.versions), key=int, default="")


def registered(settings: Settings) -> dict[str, Registered]:
    """Every registered model by name; empty where there is no store yet. Raises TrackingError."""
    store = store_of(settings)
    if not store.exists:
        return {}
    with reachable(store):
        found = store.client.search_registered_models()
        return {str(model.name): _read(store, model) for model in sorted(found, key=lambda model: str(model.name))}


def registered_model(name: str, settings: Settings) -> Registered | None:
    """The registered model of this name; None where there is none. Reads only. Raises TrackingError."""
    store = store_of(settings)
    if not store.exists:
        return None
    with reachable(store):
        return read_model(store, name)


def read_model(store: Store, name: str) -> Registered | None:
    """As `registered_model`, of a store that is open."""
    found = store.client.search_registered_models(f"name = '{name}'")
    return _read(store, found[0]) if found else None


def champions(settings: Settings) -> dict[str, dict[str, str]]:
    """Which models are approved: `version` and `run` (the crm run that made it first) by registered name.

    `note`: a sentence where somebody chose it by hand. Reads only: empty where there is no store yet.
    Raises TrackingError.
    """
    return {
        name: {"version": model.champion.number, "run": model.champion.tags.get(RUN, "")}
        | ({"note": model.by_hand} if model.by_hand else {})
        for name, model in registered(settings).items()
        if model.champion is not None
    }


@dataclass(frozen=True)
class Recalled:
    """The champion that may score on a date: its record and version; or None, and why.

    note: a sentence where somebody made it champion by hand.
    """

    record: Mapping[str, Any] | None = field(default=None, repr=False)
    version: Version | None = None
    why_not: str = ""
    note: str = ""

    @property
    def as_of(self) -> dt.date | None:
        """The date as of which it was fitted."""
        return self.version.as_of if self.version else None


def recall(name: str, facts: Facts, as_of: dt.date) -> Recalled:
    """The champion of this name, as its analysis wrote it down (`<name>.json` among its files).

    It counts where it is of the same source as the facts, and of no later date than `as_of`: another company's model
    does not score our customers, and the future does not score the past. Nothing is unpickled. Reads only: no store
    is made. Raises TrackingError.
    """
    model = registered_model(name, facts.settings)
    if model is None or model.champion is None:
        return Recalled(why_not="There is no champion yet.")
    champion = model.champion
    if champion.tags.get(SOURCE) != source_identity(facts.settings):
        return Recalled(why_not=f"The champion, version {champion.number}, is of another source.")
    if champion.as_of is not None and champion.as_of > as_of:
        return Recalled(
            why_not=f"The champion, version {champion.number}, is as of {champion.as_of}, a later date than {as_of}."
        )
    return Recalled(record_of(name, champion.number, facts.settings), champion, note=model.by_hand)


def record_of(name: str, number: str, settings: Settings) -> Mapping[str, Any]:
    """What the analysis wrote down of a version. Raises TrackingError where its files are gone."""
    store = store_of(settings)
    file = _RECORDS.get(name, f"{name.replace('-', '_')}.json")
    with reachable(store):
        artifacts = str(store.client.get_model_version_download_uri(name, number))
        return _download(f"{artifacts}/artifacts/{file}", store, what=f"version {number} of {name}")


def _download(uri: str, store: Store, *, what: str) -> Mapping[str, Any]:
    from mlflow.artifacts import download_artifacts

    with tempfile.TemporaryDirectory(prefix="crm-version-") as place:
        try:
            file = download_artifacts(artifact_uri=uri, dst_path=place, tracking_uri=store.uri)
        except Exception as error:
            raise TrackingError(
                f"The files of {what} must be there.",
                found=f"none at {uri}",
                do="Bring them back; or go back to another version with crm rollback, or remove its alias in MLflow.",
            ) from error
        with legible(what):
            record: Mapping[str, Any] = dict(json.loads(Path(file).read_text(encoding="utf-8")).items())
        return record


@contextlib.contextmanager
def legible(what: str) -> Iterator[None]:
    """Turns what a record of `what` raises that is no model any more into one clear error.

    Raises TrackingError for text that is not JSON, for a key that is missing and for trees that are broken.
    """
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        said = next(iter(str(error).strip().splitlines()), "")[:200]
        raise TrackingError(
            f"The files of {what} must be as they were written.",
            found=f"{type(error).__name__}: {said.rstrip('.')}",
            do="Bring them back; or go back to another version with crm rollback, or remove its alias in MLflow.",
        ) from error


def _read(store: Store, model: Any) -> Registered:
    aliases = {str(alias): str(number) for alias, number in model.aliases.items()}
    found = store.client.search_model_versions(f"name = '{model.name}'")
    versions = [_version(store, one, aliases) for one in found]
    history = tuple(number for number in model.tags.get(HISTORY, "").split(",") if number)
    newest_first = sorted(versions, key=lambda version: int(version.number), reverse=True)
    return Registered(str(model.name), tuple(newest_first), history)


def _version(store: Store, one: Any, aliases: Mapping[str, str]) -> Version:
    tags = {**_tags_of_run(store, one.run_id), **one.tags}
    return Version(
        str(one.name),
        str(one.version),
        _date(tags.get("crm.as_of", ""), of=f"version {one.version} of {one.name}"),
        tuple(alias for alias, number in aliases.items() if number == str(one.version)),
        tags,
        str(one.description or ""),
    )


def _date(text: str, *, of: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError as error:
        raise TrackingError(
            f"The tag crm.as_of of {of} must be a date such as 2017-12-31.",
            found=repr(text[:40]),
            do="Write there in MLflow the date of its fit, which its card names.",
        ) from error


def _tags_of_run(store: Store, run_id: str | None) -> dict[str, str]:
    """Those of the MLflow run that made it; none where somebody has removed the run."""
    from mlflow.exceptions import MlflowException

    if not run_id:
        return {}
    try:
        return dict(store.client.get_run(run_id).data.tags)
    except MlflowException:
        return {}
