"""Publishes a finished run as the example of docs/: its front page, each report, and a picture of the front page.

`make example` takes `reports/latest`. What is published is forwarded to everybody, so this refuses a page that holds
a path of this machine or a customer's id, or is too large. As-run copies and lists are not published: "Show the code"
leads to the notebook of the repository.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import html
import io
import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
from PIL import Image
from playwright.sync_api import sync_playwright

from crm.atomic import whole_file
from crm.errors import RequestError

ROOT = Path(__file__).resolve().parents[1]
FRONT = "index.html"
PAGE = re.compile(r"\d\d_\w+\.html")
MOST_BYTES, MOST_PICTURE_BYTES = 1_000_000, 250_000
WIDTH, HEIGHT = 1280, 1440  # of the picture, in pixels
LARGEST = 5  # pictures named of a page that is too large

_LINK = re.compile(r'<a\b[^>]*?\bhref="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)
_AS_RUN = re.compile(r'href="(\d\d_\w+)\.as_run\.html"')
_EMBEDDED = re.compile(r"data:[\w/+.-]+;base64,([\w/+=]+)")
_OWN_FORM = re.compile(r"[A-Za-z]|.{7}")
"""An id that cannot be taken for a number on the page."""
_NAMED = re.compile(r"\b(?:customer|household|account|buyer)(?:[ _]id)?[ :#“\"]+(\w+)\b(?![.,]\d)", re.IGNORECASE)
_COLUMN_OF_IDS = re.compile(r"<th\b[^>]*>\s*(?:customer|household)[ _]id\s*<", re.IGNORECASE)


def publish_example(run: Path, docs: Path) -> list[Path]:
    """Write `<docs>/example/*.html` and `<docs>/images/front-page.png` from a run's folder; the files written.

    Raises RequestError, before anything is written, where the run is not COMPLETE or a page may not be published.
    """
    pages = dict(pages_of(run))
    ids = customer_ids(run)
    faults = [fault for name, text in pages.items() for fault in faults_of(name, text, run=run, ids=ids)]
    if faults:
        raise RequestError(
            "A published page holds no path of a machine and no customer's id, and at most 1 MB.",
            found="; ".join(faults),
            do="Mend what writes it, and run again: nothing was published.",
        )
    written = [write_page(docs / "example" / name, text) for name, text in pages.items()]
    for old in set((docs / "example").glob("*.html")) - set(written):
        old.unlink()
    return [*written, take_picture(docs / "example" / FRONT, docs / "images" / "front-page.png")]


def pages_of(run: Path) -> Iterator[tuple[str, str]]:
    """The pages to publish and their HTML, the front page first; links lead from where they will stand."""
    receipt = run / "receipt.json"
    status = json.loads(receipt.read_text(encoding="utf-8"))["status"] if receipt.is_file() else "no run"
    if status != "COMPLETE":
        raise RequestError(
            "The example is a run that is COMPLETE.", found=f"{status} in {run}", do="`make run` makes one."
        )
    names = [FRONT, *sorted(path.name for path in run.glob("*.html") if PAGE.fullmatch(path.name))]
    for name in names:
        yield name, rewritten((run / name).read_text(encoding="utf-8"), published=names)


def rewritten(text: str, *, published: list[str]) -> str:
    """A page whose code is the notebook of the repository; a link to what is not published becomes its words."""
    text = _AS_RUN.sub(r'href="../../notebooks/\1.ipynb"', text)

    def kept(link: re.Match[str]) -> str:
        target = link[1].partition("#")[0]
        return link[0] if not target or target in published or target.startswith("../../notebooks/") else link[2]

    return _LINK.sub(kept, text)


def customer_ids(run: Path) -> set[str]:
    """Every customer of the run's scores and lists."""
    holding = [file for file in run.rglob("*.parquet") if "customer_id" in pq.read_schema(file).names]
    found = [pd.read_parquet(file, columns=["customer_id"])["customer_id"].dropna() for file in holding]
    return {str(one) for column in found for one in column}


def faults_of(name: str, text: str, *, run: Path, ids: set[str]) -> Iterator[str]:
    """Why a page may not be published; nothing if it may."""
    size = len(text.encode())
    if size > MOST_BYTES:
        large = "; ".join(f"{title} ({kilobytes} KB)" for kilobytes, title in pictures_of(text)[:LARGEST])
        yield f"{name} has {size / 1e6:.2f} MB, of which the largest pictures are: {large}"
    said = html.unescape(_EMBEDDED.sub(_decoded, text))
    for path in {str(ROOT), str(run.resolve()), str(Path.home())} - {"/"}:
        if re.search(rf"{re.escape(path)}(?![\w-])", said):
            yield f"{name} holds the path {path}"
    named = sorted(ids_on(said, ids))
    if named:
        yield f"{name} names {len(named):,} customers, such as {', '.join(named[:3])}"


def ids_on(said: str, ids: set[str]) -> set[str]:
    """The customers named on a page.

    An id with a letter, or of seven signs, is one wherever it stands; a short number only behind a word such as
    "customer", or where a column of ids is shown.
    """
    if _COLUMN_OF_IDS.search(said):
        return {"(a column of ids)"}
    own = {one for one in ids if _OWN_FORM.search(one)}
    return (set(re.findall(r"[\w-]+", said)) | set(re.findall(r"\w+", said))) & own | set(_NAMED.findall(said)) & ids


def _decoded(embedded: re.Match[str]) -> str:
    """What a drawing embedded in a page says, as text."""
    try:
        return base64.b64decode(embedded[1]).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):  # a photograph says nothing
        return ""


def pictures_of(text: str) -> list[tuple[int, str]]:
    """Kilobytes and description of each picture of a page, the largest first."""
    images = [image for image in re.findall(r"<img\b[^>]*>", text) if _EMBEDDED.search(image)]
    described = [(len(image) // 1000, re.search(r'alt="([^"]{0,70})', image)) for image in images]
    return sorted(((size, html.unescape(alt[1]) if alt else "?") for size, alt in described), reverse=True)


def write_page(path: Path, text: str) -> Path:
    """Write a page whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as waiting:
        waiting.write_text(text, encoding="utf-8")
    return path


def take_picture(page: Path, path: Path) -> Path:
    """The top of a page in light colours, as README shows it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        tab.goto(page.resolve().as_uri())
        shot = tab.screenshot()
        browser.close()
    small = io.BytesIO()
    Image.open(io.BytesIO(shot)).convert("RGB").quantize(128).save(small, "png", optimize=True)
    if len(small.getvalue()) > MOST_PICTURE_BYTES:
        raise RequestError(
            "The picture of the front page has at most 250 KB.",
            found=f"{len(small.getvalue()) // 1000} KB",
            do="Lower HEIGHT in tools/example.py.",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(small.getvalue())
    return path


def main() -> None:
    """Publish the run that is named, or the newest."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", nargs="?", type=Path, default=ROOT / "reports" / "latest", help="the folder of a run")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="where the example goes")
    given = parser.parse_args()
    try:
        written = publish_example(given.run, given.docs)
    except RequestError as error:
        sys.exit(f"{error}")
    for path in written:
        sys.stdout.write(f"{path.stat().st_size / 1000:8,.0f} KB  {path}\n")


if __name__ == "__main__":
    main()
