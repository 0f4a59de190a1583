"""The terminal surface: a chat."""

from __future__ import annotations

import asyncio
import functools
import gc
import os
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent import futures
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from rich.console import Console
from rich.text import Text

from bot.answering.answer import Answer, Citation
from bot.answering.followups import Earlier
from bot.service.live_index import Damage
from bot.service.service import Service
from bot.settings import BotSettings
from bot.terminal.lines import lines_of
from bot.terminal.rendering import QUOTE, cite, make_console, show, show_why
from index.errors import FootnoteError, MissingError
from index.terminal import opening, printable, show_progress

if TYPE_CHECKING:
    from prompt_toolkit.history import History

__all__ = ["chat"]

_HISTORY = Path(".footnote/history")
_SHOWN = 3
"""Passages that `/more` shows at a time."""

_HELP = """\
Type a question, or one of these:
  /sources   the passages that the last answer cites, with the quotes in them
  /more      the next passages
  /why       how the last answer was found, and how sure that is
  /rebuild   index what is new or has changed; /rebuild force: also where there are far fewer articles
  /history   the generations of the index that are kept
  /rollback  answer from the generation before, or from one that is named: /rollback GENERATION
  /status    what is being answered from
  /help      this list
  /quit      leave; so do Ctrl-C and Ctrl-D"""


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
                for line in lines_of(own):
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
        with opening():
            await service.start()
        gc.freeze()  # what is loaded now stays: no collection need walk it again
        yield service
    finally:
        await service.close()


async def chat(settings: BotSettings) -> None:
    """Ask and answer until the input ends or Ctrl-C.

    Raises:
        FootnoteError: the index cannot be opened.
    """
    console = make_console()
    async with _opened(settings) as service:
        talk = _Chat(service, console)
        if sys.stdin.isatty():
            status = await service.status()
            console.print(Text(f"Ask about {status.articles:,} article(s). /help lists the commands.", "dim"))
            lines = _typed()
        else:
            lines = _piped()
        async for line in lines:
            going_on = await talk.hear(line.strip())
            talk.tell_news()
            if not going_on:
                return


async def _typed() -> AsyncIterator[str]:
    """Yield lines from a line editor with history."""
    from prompt_toolkit import PromptSession

    session: PromptSession[str] = PromptSession(history=_history())
    while True:
        try:
            yield await session.prompt_async("> ")
        except (EOFError, KeyboardInterrupt):
            return


def _history() -> History:
    from prompt_toolkit.history import FileHistory, InMemoryHistory

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
        self._news: list[Damage | None] = []
        service.on_damage(self._news.append)
        self._commands: dict[str, Callable[[], Awaitable[None]]] = {
            "/sources": self._sources,
            "/more": self._more,
            "/why": self._why,
            "/rebuild": self._rebuild,
            "/rebuild force": functools.partial(self._rebuild, force=True),
            "/history": self._history,
            "/rollback": self._rollback,
            "/status": self._status,
            "/help": self._help,
        }

    async def hear(self, line: str) -> bool:
        """Do what a line asks for; return False when it asks to leave."""
        if line in {"/quit", "/exit"}:
            return False
        try:
            if line.startswith("/"):
                await self._command(" ".join(line.split()))
            elif line:
                earlier = Earlier.of(self._last) if self._last else None
                self._last, self._shown = await self._service.ask(line, earlier=earlier), 0
                show(self._console, self._last)
                self._console.print()
        except FootnoteError as error:
            self._console.print(Text(printable(str(error)), style="red"))
        return True

    def tell_news(self) -> None:
        """Say what became damaged, or whole again, since this was called last."""
        for damage in self._news:
            if damage is None:
                self._console.print(Text("The index is whole again.", style="green"))
            else:
                self._console.print(Text(printable(damage.told), style="red"))
        self._news.clear()

    async def _command(self, line: str) -> None:
        name, _, rest = line.partition(" ")
        if name == "/rollback" and rest:
            await self._rollback(rest)
        else:
            await self._commands.get(line, self._unknown)()

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
            show_why(self._console, self._last)

    async def _more(self) -> None:
        further = self._last.further[self._shown : self._shown + _SHOWN] if self._last else ()
        if not further:
            self._console.print(Text("There is nothing more.", style="yellow"))
        for citation in further:
            self._passage(citation, 0, 0)
        self._shown += len(further)

    def _passage(self, citation: Citation, start: int, end: int) -> None:
        text = Text(printable(citation.passage))
        text.stylize(QUOTE, start, end)
        self._console.print(Text(cite(citation), style="dim"))
        self._console.print(text)
        self._console.print()

    async def _rebuild(self, *, force: bool = False) -> None:
        with show_progress() as progress:
            report = await self._service.rebuild(progress, force=force)
        self._console.print(report.summary())

    async def _history(self) -> None:
        for one in await self._service.history():
            self._console.print(
                Text(f"{one.generation}  {one.state:<8} {one.when or '-':<20} articles: {one.articles:,}")
            )

    async def _rollback(self, generation: str | None = None) -> None:
        chosen = await self._service.roll_back(generation)
        self._console.print(Text(printable(f"Answers now come from {chosen}.")))

    async def _status(self) -> None:
        status = await self._service.status()
        for label, value in status.lines():
            self._console.print(f"{label:<11} {value}")
        if self._service.damage is not None:
            self._console.print(Text(printable(self._service.damage.told), style="red"))
