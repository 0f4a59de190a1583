"""Answers for people, on a terminal or piped: styled only on a terminal, and unable to control it."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.text import Text

from bot.answering.answer import Answer, Citation, Verdict
from bot.answering.explanation import explanation_lines
from index.terminal import printable

__all__ = ["QUOTE", "cite", "make_console", "show", "show_explanation"]

QUOTE = "green"
"""The style of a quote."""


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave a closed pipe to the command line, which knows the exit status."""
        raise BrokenPipeError


def make_console() -> Console:
    """Return a console on standard output."""
    # Piped output is for other programs, so a line stays one line, whatever its length.
    return _Console(highlight=False, markup=False, emoji=False, soft_wrap=not sys.stdout.isatty())


def show(console: Console, answer: Answer, *, heading: bool = False, explain: bool = False) -> None:
    """Print an answer for people, with its question as a heading and with its explanation if asked for."""
    if heading:
        console.print(Text(f"\n{printable(answer.question)}", style="bold"))
    if answer.read_as:
        console.print(Text(f"  read together with: {printable(answer.read_as)}", style="dim"))
    if answer.read_only:
        note = f"Only the first {answer.read_only:,} characters of the question were read."
        console.print(Text(note, style="yellow"))
    if not answer.question.strip():
        console.print(Text("That is empty. Ask a question about the articles.", style="yellow"))
    elif answer.verdict is Verdict.NOT_FOUND:
        console.print(Text("The articles do not seem to say.", style="yellow"))
    else:
        _show_quotes(console, answer)
    if explain:
        show_explanation(console, answer)


def _show_quotes(console: Console, answer: Answer) -> None:
    answered = answer.verdict is Verdict.ANSWERED
    if not answered:
        console.print(Text("The articles may not answer this. Closest passages:", style="yellow"))
    for quote in answer.quotes[:1] if answered else answer.quotes:
        text = Text(printable(quote.text), style=QUOTE if answered else "")
        console.print(Text("“").append_text(text).append("”"))
        console.print(Text(f"  {cite(answer.citation_of(quote))}", style="dim"))
    console.print(Text(f"  how sure: {answer.confidence:.0%}", style="dim"))


def show_explanation(console: Console, answer: Answer) -> None:
    """Print how an answer was found, and how confident it is."""
    for line in explanation_lines(answer):
        console.print(Text(f"  {printable(line)}", style="dim"))


def cite(citation: Citation) -> str:
    """Return a citation as one line: number, title, author, publisher, paragraph and address."""
    place = "heading" if citation.paragraph == 0 else f"paragraph {citation.paragraph}"
    parts = [citation.title, citation.author, citation.publisher, place, citation.url or ""]
    return printable(f"[{citation.number}] " + " · ".join(filter(None, parts))).replace("\n", " ")
