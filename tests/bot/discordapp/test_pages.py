"""The page in a citation, where the article's format has pages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.answering.quoting import make_answer
from bot.chat.messages import messages_in
from bot.chat.quote_links import quote_references
from bot.discordapp.embeds import Source, answer_embed, context_embed
from tests.bot.answering.hits import FIT, found, make_hit

ADDRESS = "https://one.example#page=4"


@pytest.mark.parametrize(
    ("language", "place"),
    [
        ("en", "page 4, paragraph 2"),
        ("de", "Seite 4, Absatz 2"),
        ("es", "página 4, párrafo 2"),
        ("fr", "page 4, paragraphe 2"),
    ],
)
def test_citations_name_the_page_and_open_there(language: str, place: str) -> None:
    hit = make_hit("0 Fog came.", "0.9 Oil burned.")
    article = replace(hit.article, pages=(0, 0, 2, 9))
    answer = make_answer("What burned?", found(replace(hit, article=article)), FIT, "1")
    messages = messages_in(language)
    shown = answer_embed(answer, messages)
    assert place in (shown.description or "")
    context = context_embed(Source(article, quote_references(answer)[0]), messages)
    for embed in (shown, context):
        (field,) = embed.fields
        assert ADDRESS in (field.value or "")
        assert (field.value or "").endswith(f"\n{place}")
