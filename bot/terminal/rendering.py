"""Answers for people, in a terminal or piped: styled where there is a terminal, and never steering it."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.text import Text

from bot.answering.answer import Answer, Citation, Quote, Verdict
from bot.answering.explanation import explanation_lines
from index.terminal import printable

__all__ = ["QUOTE", "cite", "make_console", "show", "show_why"]

QUOTE = "green"
"""The style of what is quoted."""

_ANSWER = "bold underline"


class _Console(Console):
    """A console that leaves a reader who has left to the command line, which knows the exit status."""

    def on_broken_pipe(self) -> None:
        """Go on raising the error that is being handled."""
        raise BrokenPipeError


def make_console() -> Console:
    """Return a console on standard output."""
    # Piped output is for other programs: one line stays one line, whatever its length.
    return _Console(highlight=False, markup=False, emoji=False, soft_wrap=not sys.stdout.isatty())


def show(console: Console, answer: Answer, *, heading: bool = False) -> None:
    """Print an answer for people."""
    if heading:
        console.print(Text(f"\n{printable(answer.question)}", style="bold"))
    if answer.read_as:
        console.print(Text(f"  read together with: {printable(answer.read_as)}", style="dim"))
    if answer.read_only:
        note = f"Only the first {answer.read_only:,} characters of the question were read."
        console.print(Text(note, style="yellow"))
    if not answer.question.strip():
        console.print(Text("That is empty. Ask a question about the articles.", style="yellow"))
    elif answer.verdict is Verdict.ANSWERED:
        _show_quotes(console, answer)
    elif answer.verdict is Verdict.RELATED:
        console.print(Text("The articles may not answer this. The nearest that they say:", style="yellow"))
        _show_quotes(console, answer)
    else:
        console.print(Text("The articles do not seem to say.", style="yellow"))


def show_why(console: Console, answer: Answer) -> None:
    """Print how an answer was found, and how sure that is."""
    for line in explanation_lines(answer):
        console.print(Text(f"  {printable(line)}", style="dim"))


def _show_quotes(console: Console, answer: Answer) -> None:
    answered = answer.verdict is Verdict.ANSWERED
    quotes = answer.quotes[:1] if answered else answer.quotes
    for quote in quotes:
        console.print(Text("“").append_text(_quoted(quote, answered=answered)).append("”"))
        console.print(Text(f"  {cite(answer.citation_of(quote))}", style="dim"))
    console.print(Text(f"  how sure: {answer.confidence:.0%}", style="dim"))


def _quoted(quote: Quote, *, answered: bool) -> Text:
    """Return a quote's words, of an answer with those that are the answer itself in bold."""
    text = Text(printable(quote.text), style=QUOTE if answered else "")
    if answered and quote.highlight_in_text:
        text.stylize(_ANSWER, *quote.highlight_in_text)
    return text


def cite(citation: Citation) -> str:
    """Return one line that says where a citation leads."""
    where = "heading" if citation.paragraph == 0 else f"paragraph {citation.paragraph}"
    parts = [citation.title, citation.author, citation.publisher, where, citation.url or ""]
    return printable(f"[{citation.number}] " + " · ".join(filter(None, parts))).replace("\n", " ")
