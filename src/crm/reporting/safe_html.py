"""HTML that may stand on a page: nothing that runs, loads, submits or leads astray.

What notebooks show is made by objects that escape their data. This is the second lock on the same door: whatever a
cell shows as HTML, and whatever markdown becomes, passes through an allowlist before it reaches a page.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from nbconvert.preprocessors.sanitize import SanitizeHTML

_PARAGRAPHS = ["aside", "blockquote", "br", "div", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "p", "pre", "section"]
_WORDS = ["a", "abbr", "b", "code", "del", "em", "i", "mark", "s", "small", "span", "strong", "sub", "sup", "u"]
_LISTS = ["dd", "dl", "dt", "li", "ol", "ul"]
_TABLES = ["caption", "col", "colgroup", "table", "tbody", "td", "tfoot", "th", "thead", "tr"]
_FIGURES = ["details", "figcaption", "figure", "img", "summary"]
_ANYWHERE = ("aria-label", "class", "data-finding", "data-of", "id", "lang", "role", "tabindex", "title")
_ATTRIBUTES: dict[str, Any] = {
    "*": list(_ANYWHERE),
    "a": ["href"],
    "details": ["open"],
    "img": ["alt", "height", "src", "width"],
    "ol": ["start"],
    "td": ["colspan", "data-sort", "rowspan"],
    "th": ["colspan", "data-sort", "rowspan", "scope"],
}
# The contents of these are not text for people, so they go with their tags.
_UNSEEN = re.compile(
    r"<(script|style|template|title|iframe|object|svg|math)\b.*?(</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE
)
_IMAGE = re.compile(r"""(?<=src=")data:image/(?:svg\+xml|png|jpeg);base64,[A-Za-z0-9+/=\s]+(?=")""")
_IMAGE_TAG = re.compile(r"<img\b[^>]*>")
_DESCRIPTION = re.compile(r'\balt="[^"]')
_STAND_IN = re.compile(r'src="picture-(\d+)"')


def safe_html(html: str) -> str:
    """The same HTML without anything that is not on the list; images only where they carry their own data.

    Images are put aside meanwhile: they are long, and the cleaner does not know links that carry data.
    """
    images = _IMAGE.findall(html)
    numbers = iter(range(len(images)))
    stood_in = _IMAGE.sub(lambda _: f"picture-{next(numbers)}", html)
    cleaned = str(_cleaner().sanitize_html_tags(_UNSEEN.sub("", stood_in)))  # type: ignore[no-untyped-call]
    return _IMAGE_TAG.sub(lambda tag: _with_image(tag.group(), images), cleaned)


def _with_image(tag: str, images: list[str]) -> str:
    stand_in = _STAND_IN.search(tag)
    if stand_in is None or int(stand_in.group(1)) >= len(images):
        return ""  # an image from elsewhere
    if not _DESCRIPTION.search(tag):
        tag = tag.replace(' alt=""', "").replace("<img", '<img alt="A picture without description"', 1)
    return _STAND_IN.sub(lambda _: f'src="{images[int(stand_in.group(1))]}"', tag)


@functools.cache
def _cleaner() -> SanitizeHTML:
    tags = [*_PARAGRAPHS, *_WORDS, *_LISTS, *_TABLES, *_FIGURES]
    return SanitizeHTML(tags=tags, attributes=_ATTRIBUTES, strip=True)  # type: ignore[no-untyped-call]
