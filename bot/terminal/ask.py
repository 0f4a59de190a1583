"""`footnote ask`: one question, or a batch of them, answered one after the other; and answers for people.

Everything runs in the main thread, so that no event loop or worker has to start before the first answer.
What is printed for people is styled only on a terminal, and cannot control it.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from bot.answering.answer import Answer, Citation, Verdict
from bot.answering.explanation import explanation, explanation_lines
from bot.chat.messages import DEFAULT, messages_in
from bot.chat.quote_links import with_pages
from bot.service.answerer import Answerer
from bot.settings import BotSettings
from index.errors import MissingError
from index.terminal import count_of, opening, printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from index.articles.marks import Mark

__all__ = ["QUOTE", "ask", "cite", "make_console", "marked", "read_rows", "show", "show_explanation"]

_Row = tuple[dict[str, Any], str]

QUOTE = "green"  # the style of a quote
_STYLES = {"emphasis": "italic", "strong": "bold", "struck": "strike", "code": "cyan", "code block": "cyan"}


def ask(settings: BotSettings, rows: Iterable[_Row], *, as_json: bool, explain: bool, heading: bool) -> int:
    """Answer rows, as from `read_rows`, on standard output, and flush each; return how many were bad.

    Answers for people have their question as a `heading`. Raises as `Answerer.open` does.
    """
    with opening():
        answerer = Answerer.open(settings)
    gc.freeze()  # what is loaded now stays, so no collection need traverse it again
    console = None if as_json else make_console()
    pages = (settings.web_url, settings.collection, "")
    bad = 0
    with closing(answerer):
        for row, fault in rows:
            bad += bool(fault)
            if fault and console:
                click.echo(f"footnote: {fault}", err=True)
            elif fault:
                click.echo(json.dumps({**row, "error": fault}))
            elif console:
                answer = with_pages(answerer.answer(row["question"]), *pages)
                show(console, answer, heading=heading, explain=explain)
            else:
                answer = with_pages(answerer.answer(row["question"]), *pages)
                explained = {"explanation": explanation(answer)} if explain else {}
                # As ASCII: some readers end a line at U+2028, and some are not UTF-8.
                click.echo(json.dumps({**row, **answer.as_json(), **explained}))
    return bad


def read_rows(file: BinaryIO) -> Iterator[_Row]:
    """Read JSON Lines; yield each object, and what is wrong with its line, if anything. Skip blank lines.

    Raises:
        MissingError: the file cannot be read.
    """
    try:
        for number, line in enumerate(file, 1):
            if line.strip():
                row, fault = _parse(line)
                yield {"question": None, **row}, fault and f"line {number}: {fault}"
    except OSError as error:
        raise MissingError(f"the questions cannot be read: {error.strerror}.") from error


def _parse(line: bytes) -> _Row:
    try:
        row = json.loads(line.decode("utf-8-sig"))
        # Infinite numbers and deep nesting could not be printed again; four levels of margin.
        json.dumps([[[[row]]]], allow_nan=False)
    except UnicodeDecodeError:
        return {}, "not UTF-8"
    except json.JSONDecodeError as error:
        return {}, f"not JSON: {error.msg}"
    except (ValueError, RecursionError):
        return {}, "not JSON: a number is too large, or a list nested too deep"
    if not isinstance(row, dict):
        return {}, "not a JSON object"
    return row, "" if isinstance(row.get("question"), str) else 'has no "question" (a string)'


def make_console() -> Console:
    """Return a console on standard output."""
    from rich.console import Console

    class PipeConsole(Console):
        def on_broken_pipe(self) -> None:
            """Leave a closed pipe to the command line, which knows the exit status."""
            raise BrokenPipeError

    # Piped output is for other programs, so a line stays one line, whatever its length.
    return PipeConsole(highlight=False, markup=False, emoji=False, soft_wrap=not sys.stdout.isatty())


def show(console: Console, answer: Answer, *, heading: bool = False, explain: bool = False) -> None:
    """Print an answer for people, with its question as a heading and with its explanation if asked for."""
    if heading:
        console.print(f"\n{printable(answer.question)}", style="bold")
    if answer.remark:
        console.print(messages_in(DEFAULT).remark(answer, "`footnote index show`"), style="yellow")
    if answer.read_as:
        console.print(f"  read together with: {printable(answer.read_as)}", style="dim")
    if answer.read_only:
        note = f"Only the first {answer.read_only:,} characters of the question were read."
        console.print(note, style="yellow")
    if answer.remark and not answer.quotes:
        return
    if answer.verdict is Verdict.NOT_FOUND:
        console.print("The articles do not seem to say.", style="yellow")
    else:
        _show_quotes(console, answer)
    if explain:
        show_explanation(console, answer)


def _show_quotes(console: Console, answer: Answer) -> None:
    is_one = answer.verdict is Verdict.ANSWERED and not answer.parts
    if answer.verdict is not Verdict.ANSWERED:
        console.print("The articles may not answer this. Closest passages:", style="yellow")
    for quote in answer.quotes[:1] if is_one else answer.quotes:
        part = answer.part_of(quote)
        if answer.parts:
            console.print(f"{printable(part.question)} ({part.verdict})", style="dim")
        if quote.header:
            console.print(f"  {printable(quote.header)}", style="dim")
        is_answer = part.verdict is Verdict.ANSWERED
        marks = quote.shown_marks if is_answer else quote.marks
        console.print(marked(f"“{quote.text}”", marks, 1), style=QUOTE if is_answer else None)
        if quote.more_items:
            console.print(f"  and {count_of(quote.more_items, 'more item')}", style="dim")
        console.print(f"  {cite(answer.citation_of(quote))}", style="dim")
    console.print(f"  confidence: {answer.confidence:.0%}", style="dim")


def marked(text: str, marks: Iterable[Mark], start: int) -> Text:
    """Return text in the styles of its marks, whose places count from `start`."""
    from rich.text import Text

    shown = Text(printable(text))
    for mark in marks:
        style = f"link {printable(mark.value)}" if mark.kind == "link" else _STYLES[mark.kind]
        shown.stylize(style, start + mark.start, start + mark.end)
    return shown


def show_explanation(console: Console, answer: Answer) -> None:
    """Print how an answer was found, and how confident it is."""
    for line in explanation_lines(answer):
        console.print(f"  {printable(line)}", style="dim")


def cite(citation: Citation) -> str:
    """Return a citation as one line: number, title and section, author, publisher, place and address."""
    place = "heading" if citation.paragraph == 0 else f"paragraph {citation.paragraph}"
    place = f"page {citation.page}, {place}" if citation.page else place
    title = " › ".join([citation.title, *citation.section[1:]])
    parts = [title, citation.author, citation.publisher, place, citation.url or "", *citation.also]
    return printable(f"[{citation.number}] " + " · ".join(filter(None, parts))).replace("\n", " ")
