"""The terminal surface: one answer, a batch of them, or a chat."""

from __future__ import annotations

import asyncio
import json
import math
import os
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent import futures
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from prompt_toolkit import PromptSession
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from rich.console import Console
from rich.text import Text

from bot.answers import Answer, Citation, Quote, Verdict
from bot.explaining import explanation, explanation_lines
from bot.followups import Earlier
from bot.service import Service
from bot.settings import BotSettings
from index import FootnoteError
from index.errors import MissingError
from index.terminal import printable, show_progress

__all__ = ["ask_batch", "ask_once", "chat"]

_HISTORY = Path(".footnote/history")
_QUOTE = "green"
_ANSWER = "bold underline"
_SHOWN = 3
"""Passages that `/more` shows at a time."""

_HELP = """\
Type a question, or one of these:
  /sources   the passages that the last answer cites, with the quotes in them
  /more      the next passages
  /why       how the last answer was found, and how sure that is
  /rebuild   index what is new or has changed
  /status    what is being answered from
  /help      this list
  /quit      leave; so do Ctrl-C and Ctrl-D"""


class _Console(Console):
    """A console that leaves a reader who has left to the command line, which knows the exit status."""

    def on_broken_pipe(self) -> None:
        """Go on raising the error that is being handled."""
        raise BrokenPipeError


def _console() -> Console:
    # Piped output is for other programs: one line stays one line, whatever its length.
    return _Console(highlight=False, markup=False, emoji=False, soft_wrap=not sys.stdout.isatty())


async def _lines_of(file: BinaryIO) -> AsyncIterator[bytes]:
    """Yield a file's lines without ever blocking the loop, so that Ctrl-C ends the wait for the next one."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[bytes] = asyncio.Queue(1)
    failure: list[OSError] = []

    def read() -> None:
        # A descriptor of its own: nothing waits for the standard input's lock when the program ends.
        # The loop may end while a line is on its way; then nobody wants it.
        with suppress(RuntimeError, futures.CancelledError), open(os.dup(file.fileno()), "rb") as own:  # noqa: PTH123 - a descriptor
            try:
                for line in own:
                    asyncio.run_coroutine_threadsafe(lines.put(line), loop).result()
            except OSError as error:
                failure.append(error)
            asyncio.run_coroutine_threadsafe(lines.put(b""), loop).result()

    threading.Thread(target=read, daemon=True).start()
    while line := await lines.get():
        yield line
    if failure:
        raise MissingError(f"the questions cannot be read: {failure[0].strerror}.") from failure[0]


@asynccontextmanager
async def _opened(settings: BotSettings) -> AsyncIterator[Service]:
    service = Service(settings)
    try:
        with Console(stderr=True).status("Opening the index…"):
            await service.start()
        yield service
    finally:
        await service.close()


async def ask_once(settings: BotSettings, question: str, *, as_json: bool, explain: bool = False) -> None:
    """Answer one question on standard output.

    Raises:
        FootnoteError: the index cannot be opened.
    """
    async with _opened(settings) as service:
        answer = await service.ask(question)
        if as_json:
            _print_json(_fields(answer, explain))
        else:
            _show(_console(), answer)
            _show_why(_console(), answer, explain)


async def ask_batch(settings: BotSettings, file: BinaryIO, *, as_json: bool, explain: bool = False) -> int:
    """Answer a question a line (JSON objects with a `question`), in order; return how many lines were bad.

    Each answer is flushed as it is made. Blank lines are passed over.

    Raises:
        FootnoteError: the index cannot be opened.
    """
    bad = number = 0
    async with _opened(settings) as service:
        async for line in _lines_of(file):
            number += 1
            if not line.strip():
                continue
            row, fault = _parse(line)
            if fault:
                bad += 1
                _print_fault(row, f"line {number}: {fault}", as_json=as_json)
                continue
            answer = await service.ask(row["question"])
            if as_json:
                _print_json({**row, **_fields(answer, explain)})
            else:
                _show(_console(), answer, heading=True)
                _show_why(_console(), answer, explain)
    return bad


def _parse(line: bytes) -> tuple[dict[str, Any], str]:
    """Return a line's object, and what is wrong with it, if anything."""
    try:
        row = json.loads(line.decode("utf-8-sig"), parse_constant=_no_number, parse_float=_finite)
    except UnicodeDecodeError:
        return {"question": None}, "not UTF-8"
    except (ValueError, RecursionError) as error:
        reason = getattr(error, "msg", "nested too deep, or a number too long")
        return {"question": None}, f"not JSON: {reason}"
    if not isinstance(row, dict):
        return {"question": None}, "not a JSON object"
    if not isinstance(row.get("question"), str):
        return {"question": None, **row}, 'has no "question" (a string)'
    return row, ""


def _no_number(name: str) -> float:
    raise json.JSONDecodeError(f"{name} is no number in JSON", name, 0)


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _no_number(digits)


def _print_fault(row: dict[str, Any], fault: str, *, as_json: bool) -> None:
    if as_json:
        _print_json({**row, "error": fault})
    else:
        print(f"footnote: {fault}", file=sys.stderr, flush=True)  # noqa: T201


def _print_json(fields: dict[str, Any]) -> None:
    # ASCII, since U+2028 and its like would end the line for some readers, and some are not UTF-8.
    print(json.dumps(fields), flush=True)  # noqa: T201


def _show(console: Console, answer: Answer, *, heading: bool = False) -> None:
    """Print an answer for people."""
    if heading:
        console.print(Text(f"\n{printable(answer.question)}", style="bold"))
    if answer.read_as:
        console.print(Text(f"  read together with: {printable(answer.read_as)}", style="dim"))
    if not answer.question.strip():
        console.print(Text("That is empty. Ask a question about the articles.", style="yellow"))
    elif answer.verdict is Verdict.ANSWERED:
        _show_quotes(console, answer)
    elif answer.verdict is Verdict.RELATED:
        console.print(Text("The articles may not answer this. The nearest that they say:", style="yellow"))
        _show_quotes(console, answer)
    else:
        console.print(Text("The articles do not seem to say.", style="yellow"))


def _fields(answer: Answer, explain: bool) -> dict[str, Any]:
    return {**answer.as_json(), **({"explanation": explanation(answer)} if explain else {})}


def _show_why(console: Console, answer: Answer, explain: bool) -> None:
    if explain:
        for line in explanation_lines(answer):
            console.print(Text(f"  {printable(line)}", style="dim"))


def _show_quotes(console: Console, answer: Answer) -> None:
    answered = answer.verdict is Verdict.ANSWERED
    quotes = answer.quotes[:1] if answered else answer.quotes
    for quote in quotes:
        console.print(Text("“").append_text(_quoted(quote, answered=answered)).append("”"))
        console.print(Text(f"  {_cite(answer.citation_of(quote))}", style="dim"))
    console.print(Text(f"  how sure: {answer.confidence:.0%}", style="dim"))


def _quoted(quote: Quote, *, answered: bool) -> Text:
    """Return a quote's words, of an answer with those that are the answer itself in bold."""
    text = Text(printable(quote.text), style=_QUOTE if answered else "")
    if answered and quote.highlight_in_text:
        text.stylize(_ANSWER, *quote.highlight_in_text)
    return text


def _cite(citation: Citation) -> str:
    where = "heading" if citation.paragraph == 0 else f"paragraph {citation.paragraph}"
    parts = [citation.title, citation.author, citation.publisher, where, citation.url or ""]
    return printable(f"[{citation.number}] " + " · ".join(filter(None, parts))).replace("\n", " ")


async def chat(settings: BotSettings) -> None:
    """Ask and answer until the input ends or Ctrl-C.

    Raises:
        FootnoteError: the index cannot be opened.
    """
    console = _console()
    async with _opened(settings) as service:
        talk = _Chat(service, console)
        if sys.stdin.isatty():
            status = await service.status()
            console.print(Text(f"Ask about {status.articles:,} article(s). /help lists the commands.", "dim"))
            lines = _typed()
        else:
            lines = _piped()
        async for line in lines:
            if not await talk.hear(line.strip()):
                return


async def _typed() -> AsyncIterator[str]:
    """Yield lines from a line editor with history."""
    session: PromptSession[str] = PromptSession(history=_history())
    while True:
        try:
            yield await session.prompt_async("> ")
        except (EOFError, KeyboardInterrupt):
            return


def _history() -> History:
    try:
        _HISTORY.parent.mkdir(parents=True, exist_ok=True)
        _HISTORY.touch()
    except OSError:
        return InMemoryHistory()  # a folder that cannot be written is no reason not to talk
    return FileHistory(str(_HISTORY))


async def _piped() -> AsyncIterator[str]:
    async for line in _lines_of(sys.stdin.buffer):
        yield line.decode("utf-8", "replace")


class _Chat:
    """One conversation: what was answered last, and how much of it was shown."""

    def __init__(self, service: Service, console: Console) -> None:
        self._service = service
        self._console = console
        self._last: Answer | None = None
        self._shown = 0
        self._commands: dict[str, Callable[[], Awaitable[None]]] = {
            "/sources": self._sources,
            "/more": self._more,
            "/why": self._why,
            "/rebuild": self._rebuild,
            "/status": self._status,
            "/help": self._help,
        }

    async def hear(self, line: str) -> bool:
        """Do what a line asks for; return False when it asks to leave."""
        if line in {"/quit", "/exit"}:
            return False
        try:
            if line.startswith("/"):
                await self._commands.get(line, self._unknown)()
            elif line:
                earlier = Earlier.of(self._last) if self._last else None
                self._last, self._shown = await self._service.ask(line, earlier=earlier), 0
                _show(self._console, self._last)
                self._console.print()
        except FootnoteError as error:
            self._console.print(Text(printable(str(error)), style="red"))
        return True

    async def _unknown(self) -> None:
        self._console.print(Text("No such command; /help lists them.", style="yellow"))

    async def _help(self) -> None:
        self._console.print(_HELP)

    async def _sources(self) -> None:
        if self._last is None or not self._last.citations:
            self._console.print(Text("Nothing is cited yet; ask a question first.", style="yellow"))
            return
        for quote in self._last.quotes:
            citation = self._last.citation_of(quote)
            self._passage(citation, quote.start - citation.start, quote.end - citation.start)

    async def _why(self) -> None:
        if self._last is None:
            self._console.print(Text("Nothing is answered yet; ask a question first.", style="yellow"))
        else:
            _show_why(self._console, self._last, explain=True)

    async def _more(self) -> None:
        further = self._last.further[self._shown : self._shown + _SHOWN] if self._last else ()
        if not further:
            self._console.print(Text("There is nothing more.", style="yellow"))
        for citation in further:
            self._passage(citation, 0, 0)
        self._shown += len(further)

    def _passage(self, citation: Citation, start: int, end: int) -> None:
        text = Text(printable(citation.passage))
        text.stylize(_QUOTE, start, end)
        self._console.print(Text(_cite(citation), style="dim"))
        self._console.print(text)
        self._console.print()

    async def _rebuild(self) -> None:
        with show_progress() as progress:
            report = await self._service.rebuild(progress)
        self._console.print(report.summary())

    async def _status(self) -> None:
        status = await self._service.status()
        for label, value in status.lines():
            self._console.print(f"{label:<11} {value}")
