"""The bytes of a file, unpacked, in blocks. A packed file that ends too early is an error, never a shorter file."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from crm.errors import SourceError

BLOCK = 8 << 20
_DAMAGED = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError)


def one_line(error: BaseException) -> str:
    """What a library says, on one line."""
    return " ".join(str(error).split())


@contextlib.contextmanager
def reading(file: Path) -> Iterator[None]:
    """What goes wrong while the file is read is said in its owner's words. Raises SourceError."""
    try:
        yield
    except PermissionError:
        raise SourceError(
            f"{file.name} must be readable.",
            found=f"this user may not read {file}",
            do="Give this user the right to read it.",
        ) from None
    except IsADirectoryError:
        raise SourceError(
            f"{file.name} must be a file.", found=f"{file} is a folder", do="Name the files that lie in it."
        ) from None
    except FileNotFoundError:
        raise SourceError(
            f"{file.name} must exist.", found=f"no file {file}", do="Put it there, or correct the path in crm.toml."
        ) from None
    except _DAMAGED as error:
        raise SourceError(
            f"{file.name} must be whole.",
            found=f"its content breaks off or is damaged ({one_line(error)})",
            do="Fetch or write it again; a file that was copied half ends like this.",
        ) from error


def blocks(file: Path, compressed: str) -> Iterator[bytes]:
    """What the file holds, unpacked, in blocks of at most 8 MB. Raises SourceError."""
    with reading(file), contextlib.ExitStack() as stack:
        stream = _opened(file, compressed, stack)
        while block := stream.read(BLOCK):
            yield block


def packed_names(archive: zipfile.ZipFile) -> list[str]:
    """The files in an archive, without what macOS adds."""
    return [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]


def _opened(file: Path, compressed: str, stack: contextlib.ExitStack) -> Any:
    match compressed:
        case "gzip":
            return stack.enter_context(gzip.open(file))
        case "bz2":
            return stack.enter_context(bz2.open(file))
        case "xz":
            return stack.enter_context(lzma.open(file))
        case "zstd":
            return stack.enter_context(pa.CompressedInputStream(str(file), "zstd"))
        case "zip":
            archive = stack.enter_context(zipfile.ZipFile(file))
            return stack.enter_context(archive.open(packed_names(archive)[0]))
        case _:
            return stack.enter_context(file.open("rb"))
