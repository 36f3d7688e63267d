"""The words of the project: one source for GLOSSARY.md and for what pages explain."""

from __future__ import annotations

import functools
import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files

from crm.reporting.prose import prose_html

_NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")
_OUTER_PARAGRAPH = re.compile(r"\A<p>(.*)</p>\Z", re.DOTALL)
_HEAD = """\
# Glossary

Generated from `src/crm/reporting/glossary.toml` by `make generated`; do not edit.

The words of code, notebooks and reports. One meaning each, everywhere.

| word | meaning |
|---|---|
"""


@dataclass(frozen=True)
class Word:
    """A word with its meaning.

    name:     as it stands in the glossary.
    meaning:  in full, as Markdown.
    on_pages: for readers of pages, as Markdown; the full meaning where none is given.
    forms:    how prose writes it, plurals aside.
    linked:   do pages explain it?
    """

    name: str
    meaning: str
    on_pages: str
    forms: tuple[str, ...]
    linked: bool

    @property
    def slug(self) -> str:
        """Its name within an anchor: `as-of-date`."""
        return _NOT_IN_A_NAME.sub("-", self.name.casefold()).strip("-")

    @property
    def meaning_html(self) -> str:
        """What a page says of it."""
        return _OUTER_PARAGRAPH.sub(r"\1", prose_html(self.on_pages).strip())


@functools.cache
def glossary() -> tuple[Word, ...]:
    """Every word, in the order of the glossary: what belongs together stands together."""
    text = files("crm.reporting").joinpath("glossary.toml").read_text(encoding="utf-8")
    return tuple(
        Word(
            word["name"],
            word["meaning"],
            word.get("on_pages", f"{word['meaning'][:1].upper()}{word['meaning'][1:]}."),
            tuple(word.get("forms", [word["name"]])),
            word.get("linked", True),
        )
        for word in tomllib.loads(text)["word"]
    )


def glossary_markdown() -> str:
    """GLOSSARY.md."""
    return _HEAD + "".join(f"| **{word.name}** | {word.meaning} |\n" for word in glossary())
