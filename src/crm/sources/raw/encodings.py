"""In which encoding a text is written, and the same text in UTF-8.

Seen from the whole file, because the first letter outside ASCII may stand in its last line:

- UTF-8, if its letters outside ASCII are UTF-8 more often than not. A row in which they are not is a broken row: to
  read it otherwise would be a guess, and one bad row is no reason to misread the good ones.
- else Windows-1252, Latin-1 with more letters ("€" is 0x80), if its letters then stand where letters stand in western
  languages. "latin-1" in crm.toml is read as Windows-1252 too, as every browser does.
- else nothing is guessed: crm.toml must tell it.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from crm.errors import SettingsError, SourceError

UNREADABLE = "\ufdd0"  # never a letter; stands before bytes that are no letter in the encoding
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_ENOUGH = 10_000  # unreadable letters, after which a text is not UTF-8
_ASCII_AS_IT_IS = ("utf-8", "ascii", "cp125", "cp437", "cp85", "cp86", "iso8859", "mac-", "koi8")


def starts_with_mark(head: bytes) -> bool:
    """Whether a byte-order mark of UTF-16 or UTF-32 comes first."""
    return any(head.startswith(mark) for mark in _MARKS if mark != codecs.BOM_UTF8)


def looks_like_utf16(head: bytes) -> str:
    """UTF-16 without a byte-order mark: every other byte of what is mostly digits and signs is zero."""
    data = np.frombuffer(head[: len(head) // 2 * 2], dtype=np.uint8).reshape(-1, 2)
    if len(data) < 2:
        return ""
    first, second = (data == 0).mean(axis=0)
    if second > 0.4 and first < 0.1:
        return "utf-16-le"
    return "utf-16-be" if first > 0.4 and second < 0.1 else ""


def told_encoding(name: str, file: Path, blocks: Iterator[bytes]) -> str:
    """The encoding that crm.toml names, as Python names it. Raises SettingsError, and SourceError if it cannot be."""
    try:
        "a".encode(name)
        known = codecs.lookup(name).name
    except (LookupError, ValueError):
        known = ""
    if known in ("", "idna", "punycode", "undefined"):
        raise SettingsError(
            "`encoding` must be the name of an encoding.",
            found=repr(name),
            do="Write such as utf-8, cp1252, latin-1 or utf-16, or leave it empty: it is seen from the file.",
        )
    if known not in ("utf-16", "utf-32"):
        return {"iso8859-1": "cp1252", "utf-8-sig": "utf-8"}.get(known, known)
    head = next(blocks, b"")
    if starts_with_mark(head):
        return known
    if unmarked := looks_like_utf16(head[: 1 << 16]):
        return unmarked
    raise SourceError(
        f"{file.name} must be {known}, as crm.toml tells.",
        found="a text that does not begin as one",
        do="Correct `encoding`, or leave it empty: it is seen from the file.",
    )


def seen_encoding(file: Path, blocks: Iterator[bytes]) -> str:
    """The encoding of a whole file. Raises SourceError where it cannot be seen."""
    head = next(blocks, b"")
    for mark, name in _MARKS.items():
        if head.startswith(mark):
            return name
    if name := looks_like_utf16(head[: 1 << 16]):
        return name
    letters = _Letters()
    letters.count(head)
    for block in blocks:
        letters.count(block)
        if letters.unreadable > _ENOUGH and letters.unreadable > 10 * letters.readable:
            break
    if letters.unreadable <= letters.readable:
        return "utf-8"
    if letters.western():
        return "cp1252"
    raise SourceError(
        f"The encoding of {file.name} must be UTF-8, UTF-16 or Windows-1252, or told.",
        found="letters outside ASCII that are none of these",
        do="Set `encoding` of its table in crm.toml, such as cp1250 (Central Europe), cp1251 (Cyrillic), "
        "cp850 (DOS), mac-roman or cp932 (Japanese).",
    )


class _Letters:
    """The letters outside ASCII of a text: how many are UTF-8, and which bytes stand where a small letter does."""

    def __init__(self) -> None:
        self.readable = self.unreadable = self.in_rows = self.outside = 0
        self.within_words = np.zeros(256, dtype=np.int64)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def count(self, block: bytes) -> None:
        """Count those of one block; a letter cut in two at its edges is completed by the next."""
        if block.isascii():
            self._decoder.reset()
            return
        text = self._decoder.decode(block)
        data = np.frombuffer(block, dtype=np.uint8)
        outside = int(np.count_nonzero(data > 127))
        unreadable = text.count("\ufffd")
        if unreadable:
            unreadable -= block.count(b"\xef\xbf\xbd")  # those that stood there before
            self._look_around(data)
        self.unreadable += unreadable
        self.readable += max(0, len(text) - (len(block) - outside) - unreadable)

    def _look_around(self, data: np.ndarray) -> None:
        small = (data >= ord("a")) & (data <= ord("z"))
        high = data > 127
        within = high[1:-1] & small[:-2] & small[2:]
        self.within_words += np.bincount(data[1:-1][within], minlength=256)
        self.outside += int(np.count_nonzero(high))
        self.in_rows += int(np.count_nonzero(high[1:] & high[:-1]))

    def western(self) -> bool:
        """Whether, read as Windows-1252, letters stand alone among ASCII, and are small within small ones."""
        small = sum(
            int(times)
            for byte, times in enumerate(self.within_words)
            if (letter := bytes([byte]).decode("cp1252", errors="ignore")).islower() or letter in ("’", "\xad")
        )
        return 2 * self.in_rows <= self.outside and 10 * small >= 9 * int(self.within_words.sum())


def as_utf8(blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """A text in UTF-8, without byte-order mark; what cannot be read is marked by UNREADABLE and written as \\x81."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="crm-marked")
    unchanged = codecs.lookup(encoding).name.startswith(_ASCII_AS_IT_IS)
    first = True
    for block in _and_end(blocks):
        if unchanged and block.isascii() and block and not decoder.getstate()[0]:
            text = block
        else:
            text = decoder.decode(block, final=not block).encode("utf-8")
        if first and text:
            text, first = text.removeprefix(codecs.BOM_UTF8), False
        if text:
            yield text


def _and_end(blocks: Iterator[bytes]) -> Iterator[bytes]:
    yield from blocks
    yield b""


def _marked(error: UnicodeError) -> tuple[str, int]:
    """What stands for bytes that are no letter."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return UNREADABLE + "".join(f"\\x{byte:02x}" for byte in wrong), error.end


codecs.register_error("crm-marked", _marked)
