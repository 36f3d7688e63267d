"""What a cell showed, as HTML."""

from __future__ import annotations

import base64
import re
from html import escape
from typing import Any, Literal

from nbconvert.filters import strip_ansi

from crm.reporting.prose import prose_html
from crm.reporting.safe_html import safe_html
from crm.reporting.wording import without_examples

Audience = Literal["reader", "reviewer"]
"""A reader sees results; a reviewer sees everything the cell printed as well."""

# What scrolls must be reachable by keyboard.
_BARE_FRAME = re.compile(r"\A\s*<div>(?=.*<table)", re.DOTALL)
_REACHED_FRAME = '<div role="region" tabindex="0" aria-label="A table">'
_REACHED = ' role="region" tabindex="0" aria-label="What was printed"'
_IMAGES = ("image/svg+xml", "image/png", "image/jpeg")


def output_html(output: Any, audience: Audience) -> str:
    """One output of a cell; empty where this audience does not see it. Errors are shown elsewhere."""
    kind = output["output_type"]
    if kind == "stream":
        return _stream(output, audience)
    return _shown(output["data"]) if kind in ("execute_result", "display_data") else ""


def error_text(output: Any) -> str:
    """What an error said, on one line: its name and its message, without its examples."""
    return without_examples(uncoloured(f"{output['ename']}: {output['evalue']}".removesuffix(": ")).strip())


def traceback_lines(output: Any) -> list[str]:
    """The lines of an error's traceback, without colours and examples."""
    return without_examples(uncoloured("\n".join(output["traceback"]))).splitlines()


def uncoloured(text: str) -> str:
    """Text of a terminal without its colours."""
    return str(strip_ansi(text))  # type: ignore[no-untyped-call]


def _stream(output: Any, audience: Audience) -> str:
    text = uncoloured(output["text"]).strip("\n")
    if not text.strip() or (output["name"] == "stderr" and audience == "reader"):
        return ""
    return f'<pre class="{output["name"]}"{_REACHED}>{escape(text)}</pre>'


def _shown(data: Any) -> str:
    if "text/html" in data:
        return _BARE_FRAME.sub(_REACHED_FRAME, safe_html(_joined(data["text/html"])), count=1)
    for mime in _IMAGES:
        if mime in data:
            return _image(mime, _joined(data[mime]))
    if "text/markdown" in data:
        return prose_html(_joined(data["text/markdown"]))
    text = uncoloured(_joined(data.get("text/plain", "")))
    return f'<pre class="value"{_REACHED}>{escape(text)}</pre>' if text.strip() else ""


def _image(mime: str, content: str) -> str:
    encoded = base64.b64encode(content.encode()).decode() if mime == "image/svg+xml" else "".join(content.split())
    picture = f'<img src="data:{mime};base64,{encoded}" alt="A picture without description">'
    return f'<figure class="chart"><div class="picture">{picture}</div></figure>'


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)
