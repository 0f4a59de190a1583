"""Arbitrary texts, articles and answers to draw from, and when a cut falls where it may."""

from __future__ import annotations

import dataclasses
import re

from hypothesis import strategies as st

from bot.answering.answer import Answer, Citation, Quote, Verdict, answer
from bot.chat.words import Words, languages, words_in
from index.articles.article import Article
from index.search.hits import Found, Hit
from tests.bot.made import JUDGE, Line, found, hit

__all__ = [
    "LANGUAGES",
    "LONG",
    "SAMPLES",
    "TEXTS",
    "URLS",
    "articles",
    "cut_well",
    "foreign_answers",
    "founds",
    "made_answers",
    "spans",
]

SAMPLES = [
    "# ", "## ", "-# ", "- ", "* ", "+ ", "1. ", "12) ", "> ", ">>> ", "**", "__", "~~", "||", "`", "```",
    "\\", "\n", "https://a.example/b", "HTTP://x", "steam://run", "discord://x", "<https://a.example>",
    "discord.gg/abc", "Discord.com/invite/abc",
    "[a](https://b.example)",
    "<@1>", "<@!1>", "<@&1>", "<#1>", "<t:1:R>", "<:a:1>", "<a:b:1>", "</ask:1>", "<id:home>",
    "<a@b.example>", ":cat:",
    "@everyone", "@here", "¯\\_(ツ)_/¯", "👩‍👩‍👧", "e\u0301", "𝒳", "«Ünï»", " ",
    "word", "3.5", "[", "]", "(", ")", ":", "@",
]  # fmt: skip
"""What Discord would act on, and what is of several characters."""

TEXTS = st.lists(st.sampled_from(SAMPLES) | st.text(max_size=8), max_size=30).map("".join)
LONG = st.builds(lambda text, times: text * times, TEXTS, st.sampled_from([1, 1, 40, 400]))
LANGUAGES: st.SearchStrategy[Words] = st.sampled_from([words_in(code) for code in languages()])
URLS = (
    st.sampled_from(["", "https://a.example", "HTTPS://a.example/b?c=_d_#e", "http://b.example/(c)/**d**"])
    | TEXTS
    | LONG.map(lambda text: "https://a.example/" + text)
)

_WORDY = st.lists(
    st.sampled_from(["The", "lamp", "of", "Gull", "Rock", "burned", "oil,", "**", "[1]"]), min_size=1
)
_LINES = (TEXTS | _WORDY.map(" ".join) | LONG).map(lambda text: re.sub(r"\n\s*\n", "\n", text).strip())
_SHARES = st.floats(0, 1)


def spans(text: str) -> st.SearchStrategy[tuple[int, int]]:
    """Draw a part of a text, which may be empty or white space at its ends."""
    ends = st.integers(0, len(text))
    return st.tuples(ends, ends).map(lambda pair: (min(pair), max(pair)))


def cut_well(text: str, at: int) -> bool:
    """Say whether a text may be cut behind `at` characters: behind a word, or in a long or the only one."""
    word = re.search(r"\S*\Z", text[:at])
    assert word
    is_edge = at == len(text) or text[at].isspace() or not word[0]
    return is_edge or word.start() == 0 or len(word[0]) > 90  # a hundred, less a letter of many characters


@st.composite
def articles(draw: st.DrawFn) -> Article:
    """Draw an article as reading it from a file makes it: paragraphs have letters and no blank lines."""
    title, author, publisher, published = (draw(TEXTS | LONG).strip() for _ in range(4))
    paragraphs = draw(st.lists(_LINES.filter(bool), min_size=1, max_size=6))
    heading, text = draw(TEXTS).strip() or "The lamp", "\n\n".join(paragraphs)
    return Article("lamp", title, author, publisher, draw(URLS), published, heading, text)


@st.composite
def founds(draw: st.DrawFn) -> Found:
    """Draw what a search finds: passages of any articles, from any paragraph or the heading."""
    return found(*(draw(_hits(number)) for number in range(draw(st.integers(0, 5)))))


@st.composite
def _hits(draw: st.DrawFn, number: int) -> Hit:
    line = st.builds(Line, _LINES.filter(bool), late=_SHARES, wanted=st.sampled_from([0.0, 0.5, 1.0]))
    first = draw(st.integers(0, 3))
    paragraph = st.lists(line, min_size=1, max_size=3)
    paragraphs = draw(st.lists(paragraph, min_size=1, max_size=3 if first else 1))
    made = hit(draw(_SHARES), *paragraphs, article=f"{number}", first=first)
    title, author, publisher = (draw(TEXTS | LONG) for _ in range(3))
    article = dataclasses.replace(
        made.article, title=title, author=author, publisher=publisher, url=draw(URLS)
    )
    return dataclasses.replace(made, article=article)


@st.composite
def made_answers(draw: st.DrawFn) -> Answer:
    """Draw an answer as it is made from hits, with any part of each quote as what answers."""
    made = answer(draw(TEXTS), draw(founds()), judge=JUDGE, generation="g")
    quotes = []
    for one in made.quotes:
        bold = draw(st.none() | spans(one.text))
        at = bold and (one.start + bold[0], one.start + bold[1])
        quotes.append(dataclasses.replace(one, highlight=at))
    return dataclasses.replace(made, quotes=tuple(quotes), read_as=draw(st.just("") | LONG))


@st.composite
def foreign_answers(draw: st.DrawFn) -> Answer:
    """Draw an answer that nothing is known of but its type."""
    citations = tuple(
        Citation(number, draw(TEXTS), draw(LONG), draw(LONG), draw(LONG), draw(st.none() | URLS),
                 draw(st.integers(0, 10**6)), 0, 1, draw(LONG), 0.5)
        for number in range(1, draw(st.integers(0, 5)) + 1)
    )  # fmt: skip
    numbers = st.integers(1, max(1, len(citations)))
    quotes = tuple(
        Quote(text := draw(LONG), draw(numbers), draw(st.integers(0, 9)), 0, len(text),
              draw(st.none() | spans(text)))
        for _ in range(draw(st.integers(0, 6)) if citations else 0)
    )  # fmt: skip
    confidence = draw(st.floats(allow_nan=True, allow_infinity=True))
    verdict = draw(st.sampled_from(Verdict))
    return Answer(
        draw(LONG), verdict, confidence, quotes, citations, "g", 1.0, read_as=draw(st.just("") | LONG)
    )
