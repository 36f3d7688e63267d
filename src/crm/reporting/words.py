"""Words explained: where a page first uses a word of the glossary, it leads to its meaning at the end of the page.

Works on HTML that is safe already: what is read is written again as it came, tag by tag, and nothing but links is
added. Headings, tables, charts, code, names in “ ” and what is folded away keep their words as they are.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser

from markupsafe import Markup

from crm.reporting.glossary import Word, glossary

SECTION = "words"

_PROSE = {"p", "li", "dd", "blockquote", "figcaption", "caption"}
_KEPT_AS_IT_IS = {"a", "button", "code", "details", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "summary", "td", "th"}
_STOPPED = "stopped"
_QUOTES = "“”"
_VOID = {"br", "col", "hr", "img"}


class Words:
    """The words a page has used so far, each linked where it first stands."""

    def __init__(self) -> None:
        self._used: dict[str, Word] = {}

    def explain(self, html: str) -> Markup:
        """The same HTML, in which words not met before on this page lead to their meanings."""
        linker = _Linker(self._used)
        linker.feed(html)
        linker.close()
        return Markup("".join(linker.written))

    @property
    def used(self) -> tuple[Word, ...]:
        """Those that were met, by the alphabet."""
        return tuple(sorted(self._used.values(), key=lambda word: word.name.casefold()))


def anchors() -> Iterator[str]:
    """Names that a page keeps for its words."""
    yield SECTION
    for word in glossary():
        yield from (f"word-{word.slug}", f"use-{word.slug}")


class _Linker(HTMLParser):
    """Writes HTML as it came, and a link around each word that is new."""

    def __init__(self, used: dict[str, Word]) -> None:
        super().__init__(convert_charrefs=False)
        self.written: list[str] = []
        self._used = used
        self._open: list[str] = []
        self._quoted = False

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.written.append(self.get_starttag_text() or "")
        self._quoted = self._quoted and tag not in _PROSE
        if tag not in _VOID:
            stopped = _STOPPED in (dict(attrs).get("class") or "").split()
            self._open.append("pre" if stopped else tag)  # what an error says stays as it is

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.written.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        self.written.append(f"</{tag}>")
        if self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        prose = any(tag in _PROSE for tag in self._open) and not any(tag in _KEPT_AS_IT_IS for tag in self._open)
        self.written.append(_pattern().sub(self._linked, data) if prose else data)

    def handle_entityref(self, name: str) -> None:
        self.written.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.written.append(f"&#{name};")

    def handle_comment(self, data: str) -> None:
        """Comments are no part of what is safe."""

    def _linked(self, found: re.Match[str]) -> str:
        text = found.group()
        if text in _QUOTES:
            self._quoted = text == _QUOTES[0]
        if self._quoted:  # a name from the data
            return text
        word = _by_form().get(_plain(text))
        if word is None or word.slug in self._used:
            return text
        self._used[word.slug] = word
        return f'<a class="word" id="use-{word.slug}" href="#word-{word.slug}">{text}</a>'


@functools.cache
def _by_form() -> dict[str, Word]:
    """Every way of writing a word that pages explain."""
    return {
        _plain(written): word for word in glossary() if word.linked for form in word.forms for written in _said(form)
    }


@functools.cache
def _pattern() -> re.Pattern[str]:
    """Where something is quoted, or a word, the longest first."""
    forms = sorted(_by_form(), key=lambda form: (-len(form), form))
    either = "|".join(r"\s+".join(map(re.escape, form.split())) for form in forms)
    return re.compile(rf"[{_QUOTES}]|(?<![\w-])(?:{either})(?![\w-])", re.IGNORECASE)


def _said(form: str) -> Iterator[str]:
    """A form and its plural."""
    yield form
    yield f"{form[:-1]}ies" if form.endswith("y") and form[-2:-1] not in "aeiou" else f"{form}s"


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
