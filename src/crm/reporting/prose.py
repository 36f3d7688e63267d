"""The text of a notebook: its question, its sections, its paragraphs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from crm.reporting.safe_html import safe_html

_HEADING = re.compile(r"<h([1-4])>(.*?)</h\1>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Section:
    """A heading of the second level, to be found again in the contents."""

    anchor: str
    name: str


def prose_html(markdown: str) -> str:
    """Markdown as HTML; HTML within it is shown as text."""
    renderer = IPythonRenderer(escape=True, allow_harmful_protocols=False, exclude_anchor_links=True)
    return safe_html(MarkdownWithMath(renderer=renderer).render(markdown))


def question_of(html: str) -> tuple[str, str]:
    """The heading of the first level, as text, and the rest; empty where there is none."""
    for heading in _HEADING.finditer(html):
        if heading.group(1) == "1":
            return plain(heading.group(2)), html[: heading.start()] + html[heading.end() :]
    return "", html


def with_anchors(html: str, taken: set[str]) -> tuple[str, list[Section]]:
    """The HTML with a name on every heading that can be linked to, and the sections of the second level.

    `taken` holds the names given so far on the page, and is added to.
    """
    sections: list[Section] = []

    def named(heading: re.Match[str]) -> str:
        level, content = heading.groups()
        anchor = _free_anchor(plain(content), taken)
        if level == "2":
            sections.append(Section(anchor, plain(content)))
        return f'<h{level} id="{anchor}">{content}</h{level}>'

    return _HEADING.sub(named, html), sections


def plain(html: str) -> str:
    """The text of a piece of HTML."""
    return unescape(_TAG.sub("", html)).strip()


def _free_anchor(text: str, taken: set[str]) -> str:
    name = _NOT_IN_A_NAME.sub("-", text.casefold()).strip("-") or "section"
    free, count = name, 1
    while free in taken:
        count += 1
        free = f"{name}-{count}"
    taken.add(free)
    return free
