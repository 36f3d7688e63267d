"""Pages in the Chromium of this machine, driven by Playwright; accessibility is judged by axe-core.

A test module says `pytest_plugins = "reports.browser"` and its tests ask for `tab`. The browser ends with the module
that used it, so that other tests find no event loop running.
"""

from __future__ import annotations

import functools
import io
import itertools
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import axe_playwright_python
import pytest
from playwright.sync_api import Page, sync_playwright
from pypdf import PdfReader
from pypdf.generic import PdfObject

Scheme = Literal["light", "dark"]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next((path for name in NAMES if (path := shutil.which(name))), None)

WIDTHS = (360, 768, 1440)
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
View: TypeAlias = tuple[int, Scheme]
TWO_VIEWS: tuple[View, ...] = ((1440, "light"), (360, "dark"))
FOUR_VIEWS: tuple[View, ...] = (*TWO_VIEWS, (1440, "dark"), (360, "light"))
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

OPEN_ALL = "document.querySelectorAll('details').forEach(part => { part.open = true })"
VIOLATIONS = """
rules => axe.run({runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']}).then(found =>
  found.violations.flatMap(one => one.nodes.map(node => `${one.id}: ${node.target.join(' ')} ${node.html}`)))
"""
# What stands beyond the right edge and is in no frame of its own that scrolls.
STICKING_OUT = """
() => [...document.body.querySelectorAll('*')].filter(e => {
  if (e.getBoundingClientRect().right <= document.documentElement.clientWidth + 0.5) return false;
  if (!e.getClientRects().length || e.classList.contains('skip')) return false;
  for (let p = e; p; p = p.parentElement)
    if (['auto', 'scroll'].includes(getComputedStyle(p).overflowX)) return false;
  return true;
}).map(e => `${e.tagName} ${e.className}`)
"""
NOT_DRAWN = "() => [...document.images].filter(image => !image.naturalWidth).map(image => image.alt)"


@dataclass
class Tab:
    """One tab: the page in it, every request it made beyond data: and every complaint in its console."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self._note(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, url: str) -> None:
        if not url.startswith("data:"):
            self.requests.append(url)

    def open(self, path: Path) -> Page:
        """Show a page as it is on a wide screen in light, and wait until it has settled."""
        self.view(width=1440, scheme="light")
        self.requests.clear()
        self.complaints.clear()
        self.page.goto(path.as_uri())
        self.page.wait_for_timeout(50)
        return self.page

    def view(self, *, width: int, scheme: Scheme) -> None:
        """Look at the page on a screen this wide, in this colour scheme."""
        self.page.emulate_media(media="null", color_scheme=scheme)
        self.page.set_viewport_size({"width": width, "height": 900})

    def faults(self) -> list[str]:
        """What no page may have in any view, all of it unfolded: requests, complaints, scrolling sideways, gaps."""
        page, own = self.page, self.page.url.split("#")[0]
        page.evaluate(OPEN_ALL)
        found = [f"asked for {url}" for url in self.requests if url != own]
        found += [f"complained: {text}" for text in self.complaints]
        found += [f"not drawn: {alt}" for alt in page.evaluate(NOT_DRAWN)]
        for width, scheme in itertools.product(WIDTHS, SCHEMES):
            self.view(width=width, scheme=scheme)
            beyond = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            here = [f"scrolls sideways by {beyond} px"] if beyond > 0 else []
            here += [f"sticks out: {element}" for element in page.evaluate(STICKING_OUT)]
            found += [f"{line} ({width} px, {scheme})" for line in here]
        return found

    def violations_briefly(self) -> list[str]:
        """The same in two of the four views: both widths, both colour schemes."""
        return self.violations(TWO_VIEWS)

    def violations(self, views: Sequence[View] = FOUR_VIEWS) -> list[str]:
        """What breaks WCAG 2.2 A or AA on the unfolded page, on a phone and on a wide screen, in light and dark.

        As far as a program can tell: the rule, the element, its HTML, the view.
        """
        self.page.evaluate(OPEN_ALL)
        self.page.evaluate(_axe())
        found = []
        for width, scheme in views:
            self.view(width=width, scheme=scheme)
            found += [f"{line} ({width} px, {scheme})" for line in self.page.evaluate(VIOLATIONS, RULES)]
        return found

    def printed(self) -> Printed:
        """The page as PDF, on the paper that its style asks for, unfolded as it is now."""
        return Printed(PdfReader(io.BytesIO(self.page.pdf(prefer_css_page_size=True, tagged=True))))


@dataclass
class Printed:
    """A page on paper; its tags say which part of it lies on which sheet."""

    pdf: PdfReader

    @property
    def is_a4(self) -> bool:
        """Are all sheets 210 × 297 mm, in points?"""
        return {(round(sheet.mediabox.width), round(sheet.mediabox.height)) for sheet in self.pdf.pages} == {
            (595, 842)
        }

    @property
    def first(self) -> str:
        """What stands on the first sheet, in one line."""
        return " ".join(self.pdf.pages[0].extract_text().split())

    @property
    def pictures(self) -> list[set[int]]:
        """Of each figure, and of each picture in it, the sheets on which it lies."""
        return [
            _sheets(part) for part in _parts(self.pdf.trailer["/Root"]["/StructTreeRoot"]) if part["/S"] == "/Figure"
        ]


def _inner(part: Any) -> list[Any]:
    """The parts of a part of a tagged PDF; of the innermost, marks on a sheet."""
    inner = part.get("/K", [])
    each = inner if isinstance(inner, list) else [inner]
    return [one for one in map(PdfObject.get_object, each) if hasattr(one, "get")]


def _parts(part: Any) -> Iterator[Any]:
    for inner in _inner(part):
        if "/S" in inner:
            yield inner
        yield from _parts(inner)


def _sheets(part: Any) -> set[int]:
    own = {part.raw_get("/Pg").idnum} if "/Pg" in part else set()
    return own.union(*map(_sheets, _inner(part)))


@functools.cache
def _axe() -> str:
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    """A tab of a browser of this module's own."""
    if CHROMIUM is None:
        missing = "no Chromium on this machine (apt-get install chromium)"
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield Tab(browser.new_page())
        browser.close()
