"""Pages in a real browser: nothing is asked for, nothing runs, nothing sticks out, every letter can be read.

The browser is spoken to in its own protocol (Chrome DevTools) over the web socket that Jupyter's tornado brings.
"""

from __future__ import annotations

import asyncio
import base64
import http.server
import itertools
import json
import shutil
import subprocess
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from tornado.httpclient import AsyncHTTPClient
from tornado.websocket import WebSocketClientConnection, websocket_connect

from crm.reporting import render_front_page, render_page, render_run_index

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next((path for name in NAMES if (path := shutil.which(name))), None)


pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (apt-get install chromium)"),
    pytest.mark.xdist_group("browser"),
]


@dataclass
class Tab:
    """One tab: commands are answered, and what the page asked for or complained about is kept."""

    socket: WebSocketClientConnection
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))
    _loaded: bool = False

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Carry out a command and wait for its answer."""
        number = next(self._numbers)
        await self.socket.write_message(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = await self._next()
            if message.get("id") == number:
                assert "error" not in message, message
                return dict(message["result"])

    async def open(self, url: str, *, width: int = 1440, scheme: str = "light") -> None:
        """Show a page at this width and in this colour scheme, and wait until it has settled."""
        await self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        await self.send("Emulation.setEmulatedMedia", features=features)
        self.requests, self.complaints, self._loaded = [], [], False
        await self.send("Page.navigate", url=url)
        while not self._loaded:
            await self._next()
        await self.run("new Promise(done => setTimeout(done, 50))")

    async def run(self, script: str) -> Any:
        """The value of a script in the page; the page's own policy does not hold for it."""
        answer = await self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def picture(self, path: Path) -> None:
        """The whole page as a PNG, for looking at it."""
        answer = await self.send("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(answer["data"]))

    async def print(self) -> bytes:
        """The page as PDF, on the paper that its style asks for."""
        answer = await self.send("Page.printToPDF", preferCSSPageSize=True)
        return base64.b64decode(answer["data"])

    async def _next(self) -> dict[str, Any]:
        text = await asyncio.wait_for(self.socket.read_message(), timeout=60)
        message: dict[str, Any] = json.loads(text or "{}")
        method, params = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Log.entryAdded":
            self.complaints.append(params["entry"]["text"])
        elif method in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
            self.complaints.append(json.dumps(params))
        elif method == "Page.loadEventFired":
            self._loaded = True
        return message


@asynccontextmanager
async def tab(profile: Path) -> AsyncIterator[Tab]:
    """A tab of a browser of its own, which ends with the block."""
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", f"--user-data-dir={profile}", "--remote-debugging-port=0", "about:blank",
    ]  # fmt: skip
    browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        port = await _port(profile / "DevToolsActivePort")
        socket = await websocket_connect(await _first_tab(port), max_message_size=256 * 2**20)
        opened = Tab(socket)
        for room in ("Page", "Network", "Log", "Runtime"):
            await opened.send(f"{room}.enable")
        yield opened
        socket.close()
    finally:
        browser.terminate()
        browser.wait(timeout=30)


async def _port(file: Path) -> str:
    for _ in range(300):
        if file.exists() and file.read_text().strip():
            return file.read_text().split()[0]
        await asyncio.sleep(0.1)
    raise TimeoutError("The browser did not start within 30 seconds.")


async def _first_tab(port: str) -> str:
    for _ in range(100):
        tabs = json.loads((await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/json/list")).body)
        pages = [tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page"]
        if pages:
            return str(pages[0])
        await asyncio.sleep(0.1)
    raise TimeoutError("The browser opened no tab.")


# Every element with letters of its own, whose contrast with what is behind it is below WCAG 2.2 AA.
UNREADABLE = """
(() => {
  const channels = colour => colour.match(/[\\d.]+/g).map(Number);
  const linear = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = c => 0.2126 * linear(c[0] / 255) + 0.7152 * linear(c[1] / 255) + 0.0722 * linear(c[2] / 255);
  const behind = e => { for (; e; e = e.parentElement) { const c = channels(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] === 1) return c; } return [255, 255, 255]; };
  const found = [];
  for (const e of document.body.querySelectorAll('*')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    if (!e.getClientRects().length) continue;
    const style = getComputedStyle(e);
    const [a, b] = [light(channels(style.color)) + 0.05, light(behind(e)) + 0.05];
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const contrast = Math.max(a, b) / Math.min(a, b);
    if (contrast < (large ? 3 : 4.5)) found.push(`${e.tagName} "${e.textContent.trim().slice(0, 30)}" ${contrast}`);
  }
  return found;
})()
"""
FOCUSED = """
document.activeElement.tagName + ' ' +
  (document.activeElement.getAttribute('aria-label') || document.activeElement.textContent.trim())
"""
STICKING_OUT = """
[...document.body.querySelectorAll('*')].filter(e => {
  if (!e.getClientRects().length || e.classList.contains('skip')) return false;
  for (let p = e; p; p = p.parentElement)
    if (['auto', 'scroll'].includes(getComputedStyle(p).overflowX)) return false;
  return e.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5;
}).map(e => `${e.tagName} ${e.className}`)
"""


@pytest.fixture(scope="module")
def pages(report, broken_report, stamp, tmp_path_factory) -> list[Path]:
    """Every kind of page: the front page, a run's index, a report, its as-run copy, a report that failed."""
    reports = tmp_path_factory.mktemp("reports")
    folder = reports / "runs" / stamp.run_id
    folder.mkdir(parents=True)
    partial = replace(stamp, status="PARTIAL")
    for notebook in (report, broken_report):
        render_page(notebook, folder, stamp=partial)
    (folder / "receipt.json").write_text('{"status": "PARTIAL", "error": "1 of 2 notebooks failed."}')
    render_run_index(folder)
    render_front_page(reports)
    return [reports / "index.html", *sorted(folder.glob("*.html"))]


def in_browser(profile: Path, look):
    """What `look` returns for a tab of a browser of its own."""

    async def session():
        async with tab(profile) as opened:
            return await look(opened)

    return asyncio.run(session())


def test_pages_ask_for_nothing_stick_out_nowhere_and_can_be_read(pages, tmp_path):
    async def look(tab):
        for path, width, scheme in itertools.product(pages, (360, 768, 1440), ("light", "dark")):
            where = f"{path.name} at {width} in {scheme}"
            await tab.open(path.as_uri(), width=width, scheme=scheme)
            await tab.run("document.querySelectorAll('details').forEach(d => { d.open = true })")
            assert [url for url in tab.requests if not url.startswith("data:")] == [path.as_uri()], where
            assert tab.complaints == [], where
            assert await tab.run("document.documentElement.scrollWidth") <= width, where
            assert await tab.run(STICKING_OUT) == [], where
            assert await tab.run(UNREADABLE) == [], where
            assert await tab.run("[...document.images].filter(i => !i.naturalWidth).length") == 0, where
        return True

    assert in_browser(tmp_path, look)


def test_a_page_is_dark_where_dark_is_wanted_and_its_charts_stay_on_white(pages, tmp_path):
    colour = "getComputedStyle(document.querySelector('{}')).backgroundColor"

    async def look(tab):
        page = next(path for path in pages if path.name == "01_customer_base.html")
        seen = []
        for scheme in ("light", "dark"):
            await tab.open(page.as_uri(), scheme=scheme)
            seen.append([await tab.run(colour.format(part)) for part in ("main", ".picture")])
        return seen

    assert in_browser(tmp_path, look) == [["rgb(255, 255, 255)"] * 2, ["rgb(19, 26, 33)", "rgb(255, 255, 255)"]]


def test_the_keyboard_reaches_content_links_numbers_and_tables(pages, tmp_path):
    async def look(tab):
        page = next(path for path in pages if path.name == "01_customer_base.html")
        await tab.open(page.as_uri())
        reached = []
        while True:
            for kind in ("keyDown", "keyUp"):
                await tab.send("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
            if await tab.run("document.activeElement === document.body"):
                return reached
            assert await tab.run("getComputedStyle(document.activeElement).outlineStyle") != "none"
            reached.append(await tab.run(FOCUSED))

    reached = in_browser(tmp_path, look)
    assert reached == [
        "A To the content", "A All answers of this run", "A Show the code",
        "A the run's overview", "A By month", "A By department", "A Movement",
        "SUMMARY The numbers behind", "SUMMARY The numbers behind", "DIV Sales by department",
        "DIV Wide chart", "SUMMARY The numbers behind", "SUMMARY What this notebook was run with",
    ]  # fmt: skip


def test_a_page_prints_on_a4_with_its_stamp(pages, tmp_path):
    async def look(tab):
        page = next(path for path in pages if path.name == "01_customer_base.html")
        await tab.open(page.as_uri())
        await tab.send("Emulation.setEmulatedMedia", media="print")
        hidden = "document.querySelectorAll('{}')[0].getClientRects().length"
        nav, figure = [await tab.run(hidden.format(part)) for part in (".band nav", "figure")]
        return await tab.print(), nav, figure

    pdf, nav, figure = in_browser(tmp_path, look)
    assert pdf.startswith(b"%PDF")
    assert b"/MediaBox [0 0 594.95996 841.91998]" in pdf or b"/MediaBox [0 0 595" in pdf  # 210 × 297 mm in points
    assert (nav, figure) == (0, 1)


class _Listener(http.server.BaseHTTPRequestHandler):
    heard: list[str] = []  # noqa: RUF012  (one list for the one server of the test)

    def do_GET(self) -> None:
        self.heard.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def listener():
    """A server on this machine, and what was asked of it."""
    _Listener.heard.clear()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", _Listener.heard
    server.shutdown()


def test_hostile_outputs_run_nothing_and_load_nothing(listener, stamp, tmp_path):
    address, heard = listener
    hostile = f"""
        <img src="{address}/image"><script>document.title = "ran"; fetch("{address}/fetch")</script>
        <script src="{address}/script"></script><iframe src="{address}/frame"></iframe>
        <link rel="stylesheet" href="{address}/style"><div style="background: url({address}/background)">x</div>
        <img src="x" onerror="document.title = 'ran'"><style>body {{ background: url({address}/css) }}</style>
    """
    shown = new_output("display_data", {"text/html": hostile})
    drawn = new_output("display_data", {"image/svg+xml": f'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script>'
                                                          f'<image href="{address}/svg"/></svg>'})  # fmt: skip
    cells = [
        new_markdown_cell(f"# Why?\n\n![x]({address}/markdown)\n\n{hostile}"),
        new_code_cell("1", outputs=[shown, drawn], execution_count=1),
    ]
    nbformat.write(new_notebook(cells=cells), tmp_path / "05_cross_sell.ipynb")
    page = render_page(tmp_path / "05_cross_sell.ipynb", tmp_path, stamp=stamp)
    (tmp_path / "bare.html").write_text(f"<title>x</title>{hostile}")

    async def look(tab):
        await tab.open((tmp_path / "bare.html").as_uri())
        assert heard, "the same HTML without our page does load and run"
        assert await tab.run("document.title") == "ran"
        heard.clear()
        await tab.open(page.as_uri())
        return await tab.run("document.title"), [url for url in tab.requests if not url.startswith("data:")]

    title, requests = in_browser(tmp_path / "profile", look)
    assert heard == []
    assert requests == [page.as_uri()]
    assert title.startswith("Why?")
