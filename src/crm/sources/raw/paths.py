"""Which files the paths of crm.toml name."""

from __future__ import annotations

import difflib
import glob
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from crm.errors import SettingsError

_PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
_KINDS = {
    "CSV": (".csv", ".tsv", ".tab", ".psv"),
    "text": (".txt", ".dat", ".asc"),
    "Excel": (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"),
    "Parquet": (".parquet", ".pq", ".parq"),
}


def files_of(paths: Sequence[str], folder: Path) -> tuple[Path, ...]:
    """The files that `paths` name, in their order, each once.

    A path is a file, a folder or a pattern, relative to `folder` or absolute. Of a folder, the data files directly in
    it, in the order of their names, hidden ones left out. Raises SettingsError where a path names nothing, or a
    folder with files of several kinds.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        for file in _files(path, folder):
            found.setdefault(file.resolve(), file)
    return tuple(found.values())


def _files(path: str, folder: Path) -> list[Path]:
    """The files that one path names."""
    place = folder / _from_home(path)
    if place.is_file():
        return [place]
    if place.is_dir():
        return _in_folder(place)
    if glob.has_magic(path):
        matches = glob.glob(str(_from_home(path)), root_dir=folder, recursive=True)  # noqa: PTH207 (absolute ones too)
        files = [file for match in sorted(matches) for file in _matched(folder / match)]
        if files:
            return files
    raise SettingsError(
        "A path in crm.toml must name a file, a folder, or a pattern that files match.",
        found=f"nothing at {path}; {_nearest(place)}",
        do="Correct the path; it is taken from [source] folder.",
    )


def _matched(place: Path) -> list[Path]:
    return _in_folder(place) if place.is_dir() else [place]


def _from_home(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:  # ~ and a name that nobody here has
        return Path(path)


def _in_folder(folder: Path) -> list[Path]:
    """The data files directly in a folder. Raises SettingsError where there are none, or of several kinds."""
    files = [file for file in sorted(folder.iterdir()) if file.is_file() and _kind(file) and not _hidden(file)]
    kinds = Counter(_kind(file) for file in files)
    if not files:
        raise SettingsError(
            f"The folder {folder} must hold data files: CSV, Excel or Parquet.",
            found=_other_content(folder),
            do="Name the files, or a pattern such as 2017/*.csv, or **/*.parquet for those in folders below.",
        )
    if len(kinds) > 1:
        raise SettingsError(
            f"The data files of the folder {folder} must be of one kind.",
            found=", ".join(f"{count} {kind} file{'s' * (count > 1)}" for kind, count in sorted(kinds.items())),
            do=f"Name those that are meant by a pattern, such as {folder.name}/*{files[0].suffix}.",
        )
    return files


def _kind(file: Path) -> str:
    """The kind that the name of a file promises, or nothing."""
    name = file.name.lower()
    for ending in _PACKED:
        if name.endswith(ending):
            name = name.removesuffix(ending)
            break
    kind = next((kind for kind, endings in _KINDS.items() if name.endswith(endings)), "")
    return kind or ("CSV" if file.suffix.lower() in _PACKED else "")


def _hidden(file: Path) -> bool:
    """Hidden ones, marks such as _SUCCESS, and what Excel leaves beside an open workbook."""
    return file.name.startswith((".", "_", "~$"))


def _other_content(folder: Path) -> str:
    names = sorted(entry.name + "/" * entry.is_dir() for entry in folder.iterdir() if not _hidden(entry))
    return f"{', '.join(names[:3])}{', …' if len(names) > 3 else ''}" if names else "nothing in it"


def _nearest(place: Path) -> str:
    """What there is instead, in words."""
    missing = place
    while not missing.parent.is_dir():
        missing = missing.parent
    folder = missing.parent
    names = sorted(entry.name for entry in folder.iterdir() if not _hidden(entry))
    near = difflib.get_close_matches(missing.name, names, n=3, cutoff=0.4)
    if near:
        return f"the nearest in {folder}: {', '.join(near)}"
    return f"in {folder}: {_other_content(folder)}"
