"""The lines on the pages of a PDF, in reading order: a program that `pdf.read_pdf` runs.

`python -P -m index.articles.documents.pdf_layout < guide.pdf` writes JSON Lines: the metadata; the lines
of each page, or null if it cannot be read; and `{"error": reason}` where the file cannot be read on.
"""

from __future__ import annotations

import io
import itertools
import json
import math
import re
import resource
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from pdfminer.converter import PDFLayoutAnalyzer
from pdfminer.layout import LAParams, LTChar, LTFigure, LTItem, LTLayoutContainer
from pdfminer.pdfdocument import PDFDocument, PDFEncryptionError
from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
from pdfminer.pdfpage import PDFPage
from pdfminer.pdfparser import PDFParser
from pdfminer.pdftypes import resolve1
from pdfminer.utils import decode_text

from index.articles.documents.pdf_blocks import Line

__all__ = ["records"]

_MAX_PAGES = 2_000
_MAX_SECONDS = 60  # of processor time: the same on a busy machine; a page takes 0.03 s
_MAX_MEMORY = 1_000_000_000  # bytes of address space; a manual of 400 pages takes 65 MB
_MAX_OUTPUT = 16_000_000  # characters
_LONGEST_FIELD = 300  # characters
_MARGIN = 0.12  # share of a page's height at its top and foot, where running heads are
_FIGURE = 0.5  # share of a page from which a figure is the page itself, as below a watermark
_BESIDE = 0.65  # font sizes between the baselines of lines that stand beside each other, at most
_GAP = 0.8  # font sizes between columns at least
_STARTS = 8  # places at which most lines begin, any of which may be where a column does
_MAX_DEPTH = 5  # of columns in columns
_COLUMN = 3  # lines of a column at least
_LETTERS, _FILL = 20, 0.55  # mean letters of a line, and mean share of the width that is filled, in columns

_UNREADABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_BOLD = re.compile(r"bold|black|heavy|demi|medi\b|[a-z]bx\d", re.IGNORECASE)


class _TextDevice(PDFLayoutAnalyzer):
    """Gathers the characters of a page in `cur_item`."""

    def paint_path(self, *args: Any) -> None:
        """Keep no drawing."""

    def handle_undefined_char(self, *args: Any) -> str:
        """Return what stands for a character to which the font gives no meaning."""
        return "\ufffd"


def records(data: bytes) -> Iterator[dict[str, Any]]:
    """Yield what is written of a PDF, an object a line."""
    try:
        document = PDFDocument(PDFParser(io.BytesIO(data)))
        pages = list(itertools.islice(PDFPage.create_pages(document), _MAX_PAGES + 1))
        if len(pages) > _MAX_PAGES:
            yield {"error": f"has more than {_MAX_PAGES:,} pages; split it"}
            return
        yield _metadata(document)
        resources, is_broken = PDFResourceManager(), True
        for number, page in enumerate(pages, 1):
            device = _TextDevice(resources)
            lines: list[Line] | None = None
            try:
                PDFPageInterpreter(resources, device).process_page(page)
                columns = enumerate(_in_columns([*_lines(device.cur_item)]))
                lines = [line._replace(page=number, column=at) for at, rows in columns for line in rows]
                is_broken = False
            except (MemoryError, PDFEncryptionError):
                raise
            except Exception:  # noqa: BLE001, S110 - as below; other pages may be fine
                pass
            yield {"lines": lines}
        if is_broken:
            raise ValueError("no page")
    except PDFEncryptionError:
        yield {"error": "encrypted; save it without a password"}
    except MemoryError:
        yield {"error": f"takes more than {_MAX_MEMORY / 1e9:g} GB of memory to read; split it"}
    except Exception:  # noqa: BLE001 - pdfminer raises anything for a broken file
        yield {"error": "not a PDF, or a broken one; save or print it as PDF again"}


def _metadata(document: PDFDocument) -> dict[str, str]:
    values = {name: resolve1(value) for info in reversed(document.info) for name, value in info.items()}
    texts = {name: _clean(decode_text(value)) for name, value in values.items() if isinstance(value, bytes)}
    return {name: texts.get(name, "")[:_LONGEST_FIELD] for name in ("Title", "Author", "CreationDate")}


def _clean(text: str) -> str:
    return " ".join(_UNREADABLE.sub("", text).split())


def _lines(page: LTLayoutContainer) -> Iterator[Line]:
    """Yield the lines of a page in the order of the file; the cells of a table's row are lines."""
    characters = [*_characters(page, _FIGURE * page.width * page.height)]
    for group in page.group_objects(LAParams(), characters) if characters else ():
        letters = [item for item in group if isinstance(item, LTChar) and item.get_text().strip()]
        if letters and (text := _clean(group.get_text())):
            is_bold = sum(bool(_BOLD.search(letter.fontname)) for letter in letters) >= 0.9 * len(letters)
            sizes = [max(round(2 * letter.size), 1) / 2 for letter in letters]
            size = Counter(sizes).most_common(1)[0][0]
            x0, x1 = min(letter.x0 for letter in letters), max(letter.x1 for letter in letters)
            y = letters[sizes.index(size)].matrix[5]
            is_marginal = not _MARGIN < y / page.height < 1 - _MARGIN
            yield Line(text, round(x0, 1), round(x1, 1), round(y, 1), size, is_bold, is_marginal)


def _characters(items: Iterable[LTItem], area: float) -> Iterator[LTChar]:
    """Yield the upright characters among items, and those in figures of at least this area."""
    for item in items:
        if isinstance(item, LTFigure) and item.width * item.height >= area:
            yield from _characters(item, area)
        elif isinstance(item, LTChar) and item.upright and math.isfinite(sum(item.bbox)):
            yield item


def _in_columns(lines: Sequence[Line], depth: int = 0) -> list[list[Line]]:
    """Return the lines of a page from top to bottom, a column after the other; a table's row as one line."""
    rows = _rows(lines)
    starts = Counter(round(line.x0) for line in lines).most_common(_STARTS)
    cuts = [_cut(rows, start) for start, count in starts if count >= _COLUMN and depth < _MAX_DEPTH]
    # Of three parts, the first is not in columns.
    best = max(cuts, key=lambda parts: sum(len(part) for at, part in enumerate(parts) if at % 3), default=[])
    if len(best) > 1:
        return [column for part in best if part for column in _in_columns(part, depth + 1)]
    return [[_joined(row, rows[max(at - 2, 0) : at + 3]) for at, row in enumerate(rows)]]


def _rows(lines: Iterable[Line]) -> list[list[Line]]:
    """Return lines that stand beside each other together; one printed twice, to look bold, only once."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: (-line.y, line.x0)):
        if not rows or rows[-1][0].y - line.y > _BESIDE * min(line.size, rows[-1][0].size):
            rows.append([line])
        elif not any(line.text == other.text and abs(line.x0 - other.x0) < 2 for other in rows[-1][-3:]):
            rows[-1].append(line)
    return [sorted(row, key=lambda line: line.x0) for row in rows]


def _cut(rows: list[list[Line]], start: float) -> list[list[Line]]:
    """Return the lines of rows cut where a column may begin: some, those left and right, some, and so on."""
    parts: list[list[Line]] = [[]]
    for across, group in itertools.groupby(
        rows, key=lambda row: any(line.x0 < start - 1 < line.x1 + _GAP * line.size for line in row)
    ):
        band = [*group]
        left = [line for row in band for line in row if line.x0 < start - 1]
        right = [line for row in band for line in row if line.x0 >= start - 1]
        beside = sum(row[0].x0 < start - 1 <= row[-1].x0 for row in band)
        if not across and beside >= _COLUMN and _is_text(left) and _is_text(right):
            parts += [left, right, []]
        else:
            parts[-1] += left + right
    return parts


def _is_text(column: Sequence[Line]) -> bool:
    """Tell whether lines are those of a text, and not the cells of a table."""
    width = max(line.x1 for line in column) - min(line.x0 for line in column)
    filled = sum(line.x1 - line.x0 for line in column) / len(_rows(column))
    return filled >= _FILL * width and sum(len(line.text) for line in column) >= _LETTERS * len(column)


def _joined(row: Sequence[Line], near: list[list[Line]]) -> Line:
    """Return a row as one line, with tabs between its cells if a row near it has a gap at the same place."""
    middles = [(left.x1 + right.x0) / 2 for left, right in itertools.pairwise(row)]
    is_table = any(
        not any(line.x0 < middle < line.x1 for line in other)
        for middle, other in itertools.product(middles, near)
        if other is not row and other[0].x1 < middle < other[-1].x0
    )
    text = ("\t" if is_table and not row[0].is_item else " ").join(line.text for line in row)
    size, x1 = max(line.size for line in row), max(line.x1 for line in row)
    return row[0]._replace(text=text, x1=x1, size=size, is_bold=all(line.is_bold for line in row))


def main() -> None:
    """Read a PDF from standard input, within the limits."""
    resource.setrlimit(resource.RLIMIT_CPU, (_MAX_SECONDS, _MAX_SECONDS + 5))  # the first sends SIGXCPU
    with suppress(ValueError):  # macOS has no such limit
        resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY, _MAX_MEMORY))
    written = 0
    for record in records(sys.stdin.buffer.read()):
        written += sys.stdout.write(json.dumps(record) + "\n")
        if written > _MAX_OUTPUT:
            sys.stdout.write(json.dumps({"error": "has too much text for one article; split it"}) + "\n")
            return


if __name__ == "__main__":
    main()
