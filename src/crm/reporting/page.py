"""A notebook as a page: the question and its answer for a reader, and the same with its code for a reviewer."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nbformat
from markupsafe import Markup
from nbconvert.filters import Highlight2HTML

from crm.reporting.outputs import Audience, error_text, output_html, traceback_lines
from crm.reporting.parameters import Parameter, parameters_of, without_folders
from crm.reporting.prose import Section, plain, prose_html, question_of, with_anchors
from crm.reporting.stamp import Stamp
from crm.reporting.words import Words, anchors
from crm.reporting.written import page_from, whole_dates, write_page

MOST_FINDINGS_FIRST = 5
LAST_LINES = 12

_FINDING = re.compile(r'<p class="finding"[^>]*>(.*?)</p>', re.DOTALL)
_FINDING_OR_EVIDENCE = re.compile(r'<p class="finding"|<figure|<table')
# Papermill puts remarks of its own into the notebook of a failed run; the page says it better.
_PAPERMILL_REMARK = "papermill-error-cell-tag"
_NEVER_RUN = "skip-execution"
_INJECTED = "injected-parameters"
_MAY_FAIL = "raises-exception"
_LEFT_OUT = (
    '<section class="in-short left-out" id="left-out" aria-label="Left out">'
    "<p><strong>Left out:</strong> {reason}</p></section>"
)
_OWN_ANCHORS = ("content", "in-short", "left-out", "stopped", "parameters", "tip")


@dataclass(frozen=True)
class Stop:
    """Where and why a notebook stopped: at cell number `at`, with `not_run` of its `steps` still to come."""

    at: int
    message: str
    lines: tuple[str, ...]
    steps: int
    not_run: int

    @property
    def last_lines(self) -> str:
        """The end of the traceback."""
        return "\n".join(self.lines[-LAST_LINES:])


@dataclass(frozen=True)
class Story:
    """A notebook as its page tells it."""

    question: str
    blocks: tuple[Markup, ...] = ()
    sections: tuple[Section, ...] = ()
    sections_not_run: tuple[Section, ...] = ()
    findings: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    stop: Stop | None = None
    left_out: bool = False

    @property
    def answers_first(self) -> bool:
        """Does a finding stand before all evidence?"""
        first = _FINDING_OR_EVIDENCE.search("".join(self.blocks))
        return first is not None and _FINDING.match(first.string, first.start()) is not None


def render_page(notebook: Path, folder: Path, *, stamp: Stamp) -> Path:
    """Write the page of an executed notebook, and its as-run copy with the code; returns the page.

    `<folder>/<stem>.html` is for the reader, `<folder>/<stem>.as_run.html` for the reviewer, and each links to the
    other and to the run's `index.html`. The answer comes first: where the notebook itself does not begin with its
    findings, those it published (`<folder>/parts/<stem>.json`), or else those it shows, are put before its text. The
    words of the glossary that it uses are explained at its end. A notebook that failed, or cannot be read, gets a
    page that says so.
    """
    stem = notebook.stem
    published = _published(folder / "parts" / f"{stem}.json")
    for audience, path in _pages(folder, stem).items():
        story = _read_story(notebook, audience)
        led = story.answers_first or story.stop is not None or audience == "reviewer"
        findings = () if led else (published or story.findings)[:MOST_FINDINGS_FIRST]
        _write(path, story, findings, stamp=stamp, audience=audience, stem=stem)
    return path


def render_left_out_page(notebook: Path, folder: Path, *, question: str, reason: str, stamp: Stamp) -> Path:
    """Write the page of a notebook for which the data are too few, and its as-run copy; returns the page.

    The page is the question and why it is not answered. The copy shows the steps before the one that met too few
    data, where `notebook` was executed at all.
    """
    box = Markup(_LEFT_OUT.format(reason=whole_dates(reason)))
    done = _steps_done(notebook)
    for audience, path in _pages(folder, notebook.stem).items():
        story = Story(question, blocks=(*done, box) if audience == "reviewer" else (box,), left_out=True)
        _write(path, story, (), stamp=stamp, audience=audience, stem=notebook.stem)
    return path


def _write(path: Path, story: Story, findings: Sequence[str], *, stamp: Stamp, audience: Audience, stem: str) -> None:
    """Write one page, its words explained where they first stand."""
    words = Words()
    lead = [words.explain(f"<li>{whole_dates(finding)}</li>") for finding in findings]
    told = replace(story, blocks=tuple(map(words.explain, story.blocks)))
    write_page(
        path, "page.html.j2", story=told, lead=lead, words=words.used, stamp=stamp, audience=audience, stem=stem
    )


def _pages(folder: Path, stem: str) -> dict[Audience, Path]:
    return {"reviewer": folder / f"{stem}.as_run.html", "reader": folder / f"{stem}.html"}


def _steps_done(notebook: Path) -> tuple[Markup, ...]:
    """What a reviewer sees of an executed notebook before the step it stopped at; nothing if it was not executed."""
    if not notebook.is_file():
        return ()
    cells = _cells(notebook)
    stop = _stop(cells)
    return tuple(map(Markup, _blocks(cells[: stop.at] if stop else cells, "reviewer", None)[1]))


def _published(part: Path) -> tuple[str, ...]:
    """The sentences a notebook published, in its own order; none where it published nothing."""
    try:
        return tuple(str(finding["sentence"]) for finding in json.loads(part.read_text(encoding="utf-8"))["findings"])
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def _read_story(notebook: Path, audience: Audience) -> Story:
    try:
        cells = _cells(notebook)
    except Exception as error:  # noqa: BLE001  (whatever a killed kernel left behind, the run still gets its page)
        reason = f"The executed notebook cannot be read: {type(error).__name__}."
        stop = Stop(0, reason, (str(error),), steps=0, not_run=0)
        return Story(_named(notebook.stem), blocks=(Markup(_stopped(stop)),), stop=stop)
    return _story(cells, audience, _named(notebook.stem))


def _cells(notebook: Path) -> list[Any]:
    cells = nbformat.read(notebook, as_version=4).cells  # type: ignore[no-untyped-call]
    return [cell for cell in cells if _PAPERMILL_REMARK not in _tags(cell)]


def _named(stem: str) -> str:
    """ "02_segmentation" as a heading of last resort."""
    return stem.lstrip("0123456789_ ").replace("_", " ").capitalize() or stem


def _story(cells: Sequence[Any], audience: Audience, name: str) -> Story:
    stop = _stop(cells)
    last = len(cells) if stop is None or not stop.not_run or audience == "reviewer" else stop.at + 1
    question, blocks, sections = _blocks(cells[:last], audience, stop)
    later = _blocks(cells[last:], audience, None)[2]
    shown = "".join(blocks)
    return Story(
        question or name,
        blocks=tuple(Markup(block) for block in blocks),
        sections=tuple(sections),
        sections_not_run=tuple(later),
        findings=tuple(plain(finding) for finding in _FINDING.findall(shown)),
        parameters=tuple(parameters_of(cells)),
        stop=stop,
    )


def _stop(cells: Sequence[Any]) -> Stop | None:
    """Where the notebook stopped, if it did: at an error, or before a step that was never run."""
    steps = [at for at, cell in enumerate(cells) if _is_step(cell)]
    for at in steps:
        error = _error(cells[at])
        not_run = sum(cells[later].execution_count is None for later in steps if later >= at)
        if error is not None:
            return Stop(at, error_text(error), tuple(traceback_lines(error)), len(steps), not_run)
        if cells[at].execution_count is None:
            message = "The notebook ended here without an error of its own: it was stopped, or ran out of time."
            return Stop(at, message, (), len(steps), not_run)
    return None


def _stopped(stop: Stop) -> str:
    """The box that says where and why."""
    return page_from("stopped.html.j2", stop=stop)


def _is_step(cell: Any) -> bool:
    return cell.cell_type == "code" and bool(cell.source.strip()) and _NEVER_RUN not in _tags(cell)


def _error(cell: Any) -> Any | None:
    if _MAY_FAIL in _tags(cell):
        return None
    return next((output for output in cell.outputs if output["output_type"] == "error"), None)


def _tags(cell: Any) -> Sequence[str]:
    return list(cell.metadata.get("tags", ()))


def _blocks(cells: Sequence[Any], audience: Audience, stop: Stop | None) -> tuple[str, list[str], list[Section]]:
    """The question, the blocks of the page in the order of the notebook, and the sections they make."""
    question, purpose, blocks, sections, taken = "", "", [], [], {*_OWN_ANCHORS, *anchors()}
    for at, cell in enumerate(cells):
        if cell.cell_type == "markdown":
            html = prose_html(cell.source)
            asked = not question
            if asked:
                question, html = question_of(html)
            html, found = with_anchors(html, taken)
            sections += found
            if asked and question and not found:
                purpose = html
            else:
                blocks.append(html)
        elif cell.cell_type == "code":
            blocks.append(_step(cell, audience))
        if stop is not None and at == stop.at:
            blocks.append(_stopped(stop))
    return question, _answer_first(purpose, [block for block in blocks if block.strip()]), sections


def _answer_first(purpose: str, blocks: Sequence[str]) -> list[str]:
    """The blocks with what the page is for behind its answer, where it has one; else before everything."""
    if not purpose.strip():
        return list(blocks)
    headings = [at for at, block in enumerate(blocks) if "<h2" in block]
    said = next((at for at, block in enumerate(blocks) if _FINDING.search(block)), None)
    told = f'<div class="purpose">{purpose}</div>'
    if said is None or len(headings) < 2 or not headings[0] < said < headings[1]:
        return [told, *blocks]
    answer = blocks[said].replace('<div class="findings">', '<div class="findings the-answer">', 1)
    return [*blocks[:said], answer, *blocks[said + 1 : headings[1]], told, *blocks[headings[1] :]]


def _step(cell: Any, audience: Audience) -> str:
    shown = "".join(output_html(output, audience) for output in cell.outputs)
    result = f'<div class="result">{shown}</div>' if shown else ""
    return _code(cell) + result if audience == "reviewer" and cell.source.strip() else result


def _code(cell: Any) -> str:
    count = "not run" if cell.execution_count is None else f"[{int(cell.execution_count)}]"
    told = without_folders(cell.source) if _INJECTED in _tags(cell) else cell.source
    source = Highlight2HTML(pygments_lexer="python3")(told)  # type: ignore[no-untyped-call]
    # What scrolls must be reachable by keyboard.
    named = f'<pre role="region" tabindex="0" aria-label="Code, {count}">'
    source = source.replace("<pre>", named, 1)
    return f'<div class="step"><span class="count">{count}</span>{source}</div>'
