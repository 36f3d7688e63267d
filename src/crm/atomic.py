"""Files that appear whole or not at all.

Each is written beside its place under a temporary name (`.name.xxxxxxxx.tmp`), brought to disk, and renamed. A reader
never sees half of one; a writer that is killed leaves at most a temporary file, which `sweep` removes.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crm.errors import CrmError

TEMPORARY = (".tmp", ".unfinished")  # the second are unfinished pages
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ENXIO, errno.ENODEV, errno.ESTALE)


class NotWritable(CrmError):
    """A folder cannot be written: it is full, read-only, or closed to this user."""


def not_writable(error: BaseException, folder: Path) -> NotWritable | None:
    """What a failed writing into `folder` says to its owner; None where the error has another reason."""
    if not isinstance(error, OSError) or error.errno not in (*_FULL, *_CLOSED):
        return None
    room = "Make room there" if error.errno in _FULL else "Let this user write there"
    return NotWritable(
        f"The folder {folder} must be writable and have room.",
        found=error.strerror or str(error),
        do=f"{room}, or name another one in [folders] of crm.toml, and run again.",
    )


@contextlib.contextmanager
def writing_into(folder: Path) -> Iterator[None]:
    """Where the folder is full or closed, the error says so. Raises NotWritable."""
    try:
        yield
    except OSError as error:
        if clear := not_writable(error, folder):
            raise clear from error
        raise


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary place to write to, that becomes `path` when the block ends without an error."""
    waiting = temporary_name(path)
    try:
        yield waiting
        _bring_to_disk(waiting)
        waiting.replace(path)
    except OSError as error:
        if error.filename is None:  # the system does not say of which file it could not write the content
            error.filename = str(path)
        raise
    finally:
        waiting.unlink(missing_ok=True)


def probe(folder: Path) -> None:
    """Write a file into `folder`, or into the nearest folder above it that exists, and remove it. Raises OSError."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    trial = temporary_name(folder / "probe")
    try:
        trial.write_text("x", encoding="utf-8")
    finally:
        with contextlib.suppress(OSError):
            trial.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> Path:
    """Write `content` as JSON that strict readers accept: NaN and infinity are refused with a ValueError."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    with whole_file(path) as waiting:
        waiting.write_text(text, encoding="utf-8")
    return path


def point_link(link: Path, target: str) -> Path:
    """Make `link` a symbolic link to `target`, by one rename: whoever follows it finds the old place or the new."""
    waiting = temporary_name(link)
    try:
        waiting.symlink_to(target)
        waiting.replace(link)
    finally:
        waiting.unlink(missing_ok=True)
    _bring_to_disk(link.parent)
    return link


def temporary_name(path: Path) -> Path:
    """A name beside `path` that `sweep` knows."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")


def sweep(folder: Path) -> None:
    """Remove the temporary files and links directly in `folder` that killed writers left."""
    for left in folder.glob(".*"):
        if left.suffix in TEMPORARY and (left.is_symlink() or left.is_file()):
            left.unlink(missing_ok=True)


def _bring_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
