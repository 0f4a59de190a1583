"""The reader of PDF files.

A child process, `pdf_layout`, parses the file, within limits of time and memory; `pdf_blocks` makes blocks of
the lines. What pages have in common at their ends, as running heads and page numbers, is dropped.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from index.articles.article import ParsedArticle, RefusedError
from index.articles.documents.pdf_blocks import Line, PdfWriter
from index.articles.folder import SourceFile
from index.terminal import one_line

__all__ = ["read_pdf", "run_parser"]

_SECONDS = 180  # by the clock; the parser has a limit of processor time besides
_LONGEST = 80  # characters of a running head
_ENTRIES = 5  # lines of a page that end in dots and a number, from which they are a table of contents

_ENTRY = re.compile(r"(?:\.\s*){4}(?:\d{1,5}|[ivxlc]+)$")
_NO_TITLE = re.compile(r"^(?:\W*|untitled|microsoft \w+ - .*|\S*[_/\\]\S*|.*\.[a-z]{2,4})$", re.IGNORECASE)
_DATE = re.compile(r"(?:D:)?(\d{4})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
_TOO_SLOW = "takes too long to read; split it"


def read_pdf(file: SourceFile) -> Iterator[ParsedArticle]:
    """Read a PDF file, which is one article.

    Raises:
        RefusedError: it is empty, encrypted, broken or a scan, or takes more time or memory than there is.
    """
    data = file.read()
    if not data:
        raise RefusedError("empty")
    metadata, *pages = parsed = run_parser(data)
    if "error" in parsed[-1]:
        raise RefusedError(parsed[-1]["error"])
    if broken := [str(number) for number, page in enumerate(pages, 1) if page["lines"] is None]:
        place = one_line(file.url or file.path)
        file.notes.append(f"{place}: cannot be read on page {', '.join(broken[:9])}")
    lines = [Line(*fields) for page in pages for fields in page["lines"] or ()]
    furniture = _furniture(lines)
    lines = [line for place, line in enumerate(lines) if place not in furniture]
    if not any(character.isalnum() for line in lines for character in line.text):
        raise RefusedError(
            "has no text; if it is a scan, run text recognition on it, for example with ocrmypdf"
        )
    title, body = PdfWriter(lines).write(_NO_TITLE.sub("", metadata["Title"]), len(pages))
    dropped = tuple(dict.fromkeys(text.replace("\t", " ") for _, text in sorted(furniture.items())))
    date = _DATE.match(metadata["CreationDate"])
    published = "-".join(date.groups()) if date else ""
    fields = {"title": title, "author": metadata["Author"], "published": published}
    yield ParsedArticle(file.id, fields, body, dropped=dropped)


def run_parser(data: bytes) -> list[dict[str, Any]]:
    """Return what `pdf_layout` writes about a PDF.

    Raises:
        RefusedError: the process takes too long, or is ended by the system.
    """
    # Nothing that parses files from elsewhere needs the settings, some of which are secret.
    environment = {name: os.environ[name] for name in os.environ if not name.upper().startswith("FOOTNOTE_")}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "index.articles.documents.pdf_layout"],
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RefusedError(_TOO_SLOW) from error
    if done.returncode:
        ended = f"ended the parser (status {done.returncode}); save or print it as PDF again"
        raise RefusedError(_TOO_SLOW if done.returncode == -signal.SIGXCPU else ended)
    return [json.loads(line) for line in done.stdout.splitlines()]


def _furniture(lines: Sequence[Line]) -> dict[int, str]:
    """Return the places of running heads, with one text for equal ones, and of tables of contents."""
    size = Counter(line.size for line in lines).most_common(1)
    short = [place for place, line in enumerate(lines) if line.is_marginal and len(line.text) <= _LONGEST]
    keys = {place: [*_keys(lines[place], size[0][0])] for place in short}
    counts = Counter(key for _, key in {(lines[place].page, key) for place in keys for key in keys[place]})
    best = {place: max(keys[place], key=counts.__getitem__) for place in keys}
    furniture: dict[int, str] = {}
    texts: dict[tuple[str, int], str] = {}
    for _, page in itertools.groupby(range(len(lines)), key=lambda place: lines[place].page):
        upwards = sorted(page, key=lambda place: lines[place].y)
        for end in (upwards, upwards[::-1]):
            # The first line that is not repeated is where the text begins.
            for place in itertools.takewhile(lambda place: place in best and counts[best[place]] > 1, end):
                furniture[place] = texts.setdefault(best[place], lines[place].text)
        entries = {place: lines[place].text for place in upwards if _ENTRY.search(lines[place].text)}
        if len(entries) >= _ENTRIES:
            furniture |= entries
    return furniture


def _keys(line: Line, usual_size: float) -> Iterator[tuple[str, int]]:
    """Yield what running heads have in common: a text, also with a number of it less that of the page."""
    yield re.sub(r"^[ivxlc]+\b|\b[ivxlc]+$", "#", line.text), round(line.y)
    # A number in large type is that of a chapter, and one in a sentence is part of the text.
    has_number = line.size <= usual_size and not line.text.endswith((".", "!", "?"))
    numbers = [*re.finditer(r"\d{1,5}", line.text)] if has_number else []
    for number in (*numbers[:1], *numbers[-1:]):
        around = line.text[: number.start()], line.text[number.end() :]
        yield f"#{int(number[0]) - line.page}".join(around), round(line.y)
