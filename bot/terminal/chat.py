"""`footnote chat`: questions and commands, typed at a prompt or piped in."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from collections.abc import AsyncIterator
from concurrent.futures import CancelledError
from contextlib import suppress
from itertools import chain
from pathlib import Path

from rich.console import Console

from bot.answering.answer import Answer, Citation, Quote
from bot.answering.followups import Earlier
from bot.chat.quote_links import with_pages
from bot.service.live_index import Damage
from bot.service.service import Service
from bot.settings import BotSettings
from bot.terminal.ask import QUOTE, cite, make_console, marked, show, show_explanation
from index.errors import FootnoteError
from index.terminal import count_of, opening, printable, show_progress

__all__ = ["chat"]

_HISTORY = Path(".footnote/history")
_PAGE = 3  # passages that `/more` shows at a time

_HELP = """\
Type a question, or one of these:
  /sources   the passages that the last answer cites, with the quotes in them
  /more      the next passages
  /why       how the last answer was found, and its confidence
  /rebuild   index what is new or has changed; /rebuild force: even if there are far fewer articles
  /history   the generations of the index that are kept
  /rollback  answer from the previous generation, or from the one named: /rollback GENERATION
  /status    the index that answers
  /help      this list
  /quit      leave, as do Ctrl-C and Ctrl-D"""


async def chat(settings: BotSettings) -> None:
    """Ask and answer until the input ends or Ctrl-C; raises as `Service.start` does."""
    console, service, lines = make_console(), Service(settings), _piped_lines()
    try:
        with opening():
            await service.start()
        gc.freeze()  # what is loaded now stays, so no collection need traverse it again
        session = _Session(service, console)
        if sys.stdin.isatty():
            count = (await service.status()).articles
            console.print(f"Ask about {count_of(count, 'article')}. /help lists the commands.", style="dim")
            lines = _typed_lines()
        async for line in lines:
            if not await session.handle(line.strip()):
                return
    finally:
        await service.close()


async def _typed_lines() -> AsyncIterator[str]:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import FileHistory, History, InMemoryHistory

    history: History = InMemoryHistory()
    with suppress(OSError):  # a read-only folder is no reason not to chat
        _HISTORY.parent.mkdir(parents=True, exist_ok=True)
        _HISTORY.touch()  # noqa: ASYNC240 - takes no time
        history = FileHistory(str(_HISTORY))
    session: PromptSession[str] = PromptSession(history=history)
    while True:
        try:
            yield await session.prompt_async("> ")
        except (EOFError, KeyboardInterrupt):
            return


async def _piped_lines() -> AsyncIterator[str]:
    """Yield lines of standard input, read in a thread that Ctrl-C need not wait for."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[bytes] = asyncio.Queue(1)

    def read() -> None:
        # A file object of its own, since at exit Python would wait for the lock of sys.stdin.
        with suppress(RuntimeError, CancelledError), open(0, "rb", closefd=False) as stdin:
            for line in chain(stdin, [b""]):
                asyncio.run_coroutine_threadsafe(lines.put(line), loop).result()

    threading.Thread(target=read, daemon=True).start()
    while line := await lines.get():
        yield line.decode("utf-8", "replace")


class _Session:
    """One conversation: the last answer, and how many of its further passages were shown."""

    def __init__(self, service: Service, console: Console) -> None:
        self._service = service
        self._console = console
        self._last: Answer | None = None
        self._shown = 0
        self._damage: list[Damage | None] = []
        service.on_damage(self._damage.append)

    async def handle(self, line: str) -> bool:
        """Answer a question or run a command; return False for the command to leave."""
        name, _, argument = line.partition(" ")
        try:
            if name in {"/quit", "/exit"}:
                return False
            if name in {"/sources", "/more", "/why"}:
                self._show_more(name)
            elif line.startswith("/"):
                await self._run_command(name, argument.strip())
            elif line:
                earlier = Earlier.of(self._last) if self._last else None
                answer = await self._service.ask(line, earlier=earlier)
                settings = self._service.settings
                answer = with_pages(answer, settings.web_url, settings.collection, "")
                if answer.quotes or not answer.remark:
                    self._last, self._shown = answer, 0
                show(self._console, answer)
                self._console.print()
        except FootnoteError as error:
            self._print(str(error), "red")
        for damage in self._damage:
            self._print(str(damage or "The index is whole again."), "red" if damage else "green")
        self._damage.clear()
        return True

    def _print(self, text: str, style: str = "") -> None:
        self._console.print(printable(text), style=style)

    def _show_more(self, name: str) -> None:
        answer = self._last
        if answer is None:
            self._print("Ask a question first.", "yellow")
        elif name == "/why":
            show_explanation(self._console, answer)
        elif name == "/sources":
            for quote in answer.quotes:
                self._show_passage(answer.citation_of(quote), quote)
        elif further := answer.further[self._shown : self._shown + _PAGE]:
            self._shown += len(further)
            for citation in further:
                self._show_passage(citation)
        else:
            self._print("There are no more passages.", "yellow")

    def _show_passage(self, citation: Citation, quote: Quote | None = None) -> None:
        """Print a passage with the quote in it in colour."""
        start = quote.start - citation.start if quote else 0
        text = marked(citation.passage, quote.marks if quote else (), start)
        text.stylize_before(QUOTE, start, start + len(quote.text) if quote else 0)
        self._print(cite(citation), "dim")
        self._console.print(text, end="\n\n")

    async def _run_command(self, name: str, argument: str) -> None:
        if name == "/rebuild" and argument in {"", "force"}:
            with show_progress() as progress:
                report = await self._service.rebuild(progress, force=argument == "force")
            for note in report.changes.notes:
                self._print(f"note: {note}", "yellow")
            self._print(report.summary())
        elif name == "/history":
            self._print("\n".join(generation.line() for generation in await self._service.history()))
        elif name == "/rollback":
            self._print(f"Answers now come from {await self._service.roll_back(argument or None)}.")
        elif name == "/status":
            for label, value in (await self._service.status()).lines():
                self._print(f"{label:<11} {value}")
            if self._service.damage is not None:
                self._print(str(self._service.damage), "red")
        elif name == "/help":
            self._print(_HELP)
        else:
            self._print("No such command; /help lists them.", "yellow")
