"""Pages are made from the templates of this package and appear under their names whole, or not at all."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from crm.atomic import whole_file

_DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b")
_NOT_PLAIN = re.compile(r"[^\w .:·()+-]")


@functools.cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("crm.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = files("crm.reporting").joinpath("templates/page.js").read_text(encoding="utf-8")
    environment.globals["script"] = Markup(script)
    environment.globals["script_hash"] = hash_of(script)
    environment.filters["whole_dates"] = whole_dates
    environment.filters["css_text"] = lambda text: Markup(f'"{_NOT_PLAIN.sub("", str(text))}"')
    return environment


def hash_of(script: str) -> str:
    """A script as a page's policy names it, so that a browser runs it and no other: "sha256-…"."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def whole_dates(text: str) -> Markup:
    """Text in which no line breaks within a date."""
    return Markup(_DATE.sub(r'<span class="nowrap">\g<0></span>', str(escape(text))))


def page_from(template: str, **content: Any) -> str:
    """What a template makes of this content; text is escaped, and a name the template lacks is an error."""
    return _templates().get_template(template).render(**content)


def write_page(path: Path, template: str, **content: Any) -> Path:
    """Write the page a template makes of this content; a reader meets the old page or the new one."""
    page = page_from(template, **content)
    with whole_file(path) as waiting:
        waiting.write_text(page, encoding="utf-8")
    return path
