"""Tables kept under data/mart: built once, by whoever asks first, whole or not at all.

A kept folder appears under its name by one rename when it is complete, so nobody ever reads half of one; a file lock
makes a second asker (another notebook's kernel, an open JupyterLab) wait for the first instead of building again.
"""

from __future__ import annotations

import functools
import hashlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

PACKAGE = Path(__file__).resolve().parent


def keep_folder(folder: Path, build: Callable[[Path], None]) -> Path:
    """The folder of this name, built by `build` in a temporary place if it is not there yet."""
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.parent / f".{folder.name}.lock"):
        if folder.is_dir():
            return folder
        _sweep(folder)
        building = Path(tempfile.mkdtemp(prefix=f".{folder.name}.building-", dir=folder.parent))
        try:
            build(building)
            building.chmod(0o755)
            building.rename(folder)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return folder


def _sweep(folder: Path) -> None:
    """Remove what a killed builder left; the lock says that nobody is building this folder now."""
    for left in folder.parent.glob(f".{folder.name}.building-*"):
        shutil.rmtree(left, ignore_errors=True)


@functools.cache
def code_fingerprint(*rooms: str) -> str:
    """A hash of the code of these rooms of the package: what they build is not reused after they change."""
    digest = hashlib.sha256()
    for room in rooms:
        path = PACKAGE / room
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]:
            digest.update(file.relative_to(PACKAGE).as_posix().encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
