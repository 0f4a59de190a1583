"""A quote in its place, and an answer's next sources: "Show context" and "Next source", over the wire."""

from __future__ import annotations

import dataclasses

import pytest

from bot.answering.answer import Verdict
from bot.chat.words import words_in
from tests.bot.discordapp.bold import read_bold
from tests.bot.discordapp.fake_service import QUOTE, FakeService, sample_answer, sample_article
from tests.bot.discordapp.stage import answer_to, has_articles, inhabited, mentioned, pressed, title_of
from tests.wire.loopback import LoopbackDiscord
from tests.wire.permissions import EMBED_LINKS
from tests.wire.records import Json
from tests.wire.renderer import render

pytestmark = pytest.mark.usefixtures("bot")

_BODIES = ("Zero.", "One.", "Two.", "Three.", "Four.", "Five.", "Six.")


def read(message: Json) -> tuple[list[str], list[str]]:
    """Return a message's quoted paragraphs, and what is bold in them; nothing else may be more than text."""
    (embed,) = message["embeds"]
    text, bold = read_bold(embed["description"])
    shown = render(text)
    assert shown.constructs == []
    return shown.quotes, bold


def quotes_from(service: FakeService, *paragraphs: str) -> None:
    """Let answers quote the quote where it stands in these paragraphs, or in those of the sample."""
    article = sample_article("councils", *paragraphs)
    has_articles(service, article)
    start = article.text.index(QUOTE)
    answer = sample_answer()
    quote = dataclasses.replace(answer.quotes[0], start=start, end=start + len(QUOTE))
    service.reply = dataclasses.replace(answer, quotes=(quote,))


def further_of(service: FakeService, count: int, shown: int = 1, verdict: Verdict = Verdict.ANSWERED) -> None:
    """Let answers show `shown` quotes and have `count` more, each the text of an article of its own."""
    texts = _BODIES[: shown + count]
    names = tuple(f"article {number}" for number in range(len(texts)))
    has_articles(
        service, *(sample_article(name, text, title=name) for name, text in zip(names, texts, strict=True))
    )
    answer = sample_answer(verdict=verdict, texts=texts[:shown], further=texts[shown:], articles=names)
    service.reply = answer


@pytest.mark.parametrize("presser", ["ann", "bob"])
async def test_context_is_the_quote_in_bold_in_its_paragraph_between_its_neighbours_for_whoever_asks(
    wire: LoopbackDiscord, service: FakeService, presser: str
) -> None:
    quotes_from(service)
    guild, people = await inhabited(wire, "ann", "bob")
    answer = await answer_to(wire, people[0], guild)
    (who,) = [one for one in people if one.name == presser]
    used = await wire.press(who, answer, "Show context")
    shown = await wire.response_to(used)
    assert used.ephemeral
    assert shown["flags"] & 64
    assert read(shown) == (["Three.", f"{QUOTE} It is full.", "Five."], [QUOTE])
    cited = render(shown["embeds"][0]["fields"][0]["value"])
    assert cited.text.splitlines() == ["Councils and skills", "A. Writer, The Paper", "paragraph 4"]
    assert answer["embeds"] == wire.messages.all[int(answer["id"])]["embeds"]


@pytest.mark.parametrize(
    ("paragraphs", "expected"),
    [
        ((QUOTE,), [QUOTE]),
        ((QUOTE, "After."), [QUOTE, "After."]),
        (("Far.", "Before.", QUOTE), ["Before.", QUOTE]),
        (("Before.", f"So: {QUOTE} *Yes*", "# After", "Far."), ["Before.", f"So: {QUOTE} *Yes*", "# After"]),
    ],
)
async def test_context_has_the_neighbours_that_there_are(
    wire: LoopbackDiscord, service: FakeService, paragraphs: tuple[str, ...], expected: list[str]
) -> None:
    quotes_from(service, *paragraphs)
    shown = await pressed(wire, ann := wire.world.user("ann"), await answer_to(wire, ann), "Show context")
    assert read(shown) == (expected, [QUOTE])


@pytest.mark.parametrize("now", ["other text", "moved", "gone", "unlisted"])
async def test_context_of_an_article_that_has_changed_says_so(
    wire: LoopbackDiscord, service: FakeService, now: str
) -> None:
    quotes_from(service)
    guild, (ann,) = await inhabited(wire, "ann")
    answer = await mentioned(wire, ann, guild)
    assert title_of(await pressed(wire, ann, answer, "Show context")) == "In its place"
    if now == "gone":
        service.texts = {}
    elif now == "unlisted":
        service.lines = ()
    else:
        quotes = ("One.", "Two.", "Three.", "It opened in 2020." if now == "other text" else f"Now: {QUOTE}")
        has_articles(service, sample_article("councils", *quotes))
    shown = await pressed(wire, ann, answer, "Show context")
    assert title_of(shown) == "This article has changed"
    assert shown["flags"] & 64


@pytest.mark.parametrize(
    ("shown", "verdict"), [(1, Verdict.ANSWERED), (3, Verdict.RELATED), (2, Verdict.NOT_FOUND)]
)
@pytest.mark.parametrize("private", [False, True])
async def test_sources_are_paged_in_place_to_the_last_beside_an_answer_that_stays(
    wire: LoopbackDiscord, service: FakeService, shown: int, verdict: Verdict, private: bool
) -> None:
    further_of(service, 3, shown, verdict)
    guild, (ann,) = await inhabited(wire, "ann")
    answer = await answer_to(wire, ann, guild, private=private)
    before = dict(answer)
    used = await wire.press(ann, answer, "Next source")
    source = await wire.response_to(used)
    assert used.ephemeral
    assert source["id"] != answer["id"]
    for number in range(shown + 1, shown + 4):
        name = f"article {number - 1}"
        assert title_of(source) == f"Source {number} of {shown + 3}"
        assert read(source) == ([_BODIES[number - 1]], [])
        (field,) = source["embeds"][0]["fields"]
        assert field["name"] == f"Citation {number}"
        assert render(field["value"]).text.startswith(name)
        last = number == shown + 3
        assert wire.buttons(source) == ["Show context"] + ([] if last else ["Next source"])
        if not last:
            paged = await wire.press(ann, source, "Next source")
            source = await wire.response_to(paged)
            assert paged.kind in {6, 7}
            assert source["id"] == str(used.original and used.original["id"])
    assert wire.messages.all[int(answer["id"])] == before


async def test_at_most_four_further_sources_are_offered_and_counted(
    wire: LoopbackDiscord, service: FakeService
) -> None:
    further_of(service, 6)
    ann = wire.world.user("ann")
    source = await pressed(wire, ann, await answer_to(wire, ann), "Next source")
    titles = [title_of(source)]
    while "Next source" in wire.buttons(source):
        source = await pressed(wire, ann, source, "Next source")
        titles.append(title_of(source))
    assert titles == [f"Source {number} of 5" for number in (2, 3, 4, 5)]


async def test_context_of_a_source_is_that_sources_own(wire: LoopbackDiscord, service: FakeService) -> None:
    further_of(service, 2)
    has_articles(
        service, *service.texts.values(), sample_article("article 1", "One.", "After.", title="Its own")
    )
    guild, (ann,) = await inhabited(wire, "ann")
    source = await pressed(wire, ann, await answer_to(wire, ann, guild), "Next source")
    used = await wire.press(ann, source, "Show context")
    shown = await wire.response_to(used)
    assert read(shown) == (["One.", "After."], ["One."])
    assert used.ephemeral
    assert title_of(wire.messages.all[int(source["id"])]) == "Source 2 of 3"  # which stays


async def test_a_source_that_is_gone_says_so_and_leads_to_the_next(
    wire: LoopbackDiscord, service: FakeService
) -> None:
    further_of(service, 2)
    guild, (ann,) = await inhabited(wire, "ann")
    answer = await answer_to(wire, ann, guild)
    del service.texts["article 1"]
    gone = await pressed(wire, ann, answer, "Next source")
    assert title_of(gone) == "This article has changed"
    assert wire.buttons(gone) == ["Next source"]
    assert title_of(await pressed(wire, ann, gone, "Next source")) == "Source 3 of 3"
    del service.texts["article 2"]
    source = await pressed(wire, ann, await pressed(wire, ann, answer, "Next source"), "Next source")
    assert title_of(source) == "This article has changed"
    assert wire.buttons(source) == []


async def test_where_embeds_are_not_allowed_context_and_sources_are_text(
    wire: LoopbackDiscord, service: FakeService
) -> None:
    further_of(service, 2)
    guild, (ann,) = await inhabited(wire, "ann")
    await wire.deny(guild.channels[0], EMBED_LINKS)
    answer = await answer_to(wire, ann, guild)
    context = await pressed(wire, ann, answer, "Show context")
    assert (context["embeds"], "> **Zero.**" in context["content"]) == ([], True)
    source = await pressed(wire, ann, answer, "Next source")
    assert (source["embeds"], render(source["content"]).quotes) == ([], ["One."])
    source = await pressed(wire, ann, source, "Next source")
    assert (source["embeds"], render(source["content"]).quotes) == ([], ["Two."])


async def test_each_who_presses_pages_for_themselves(wire: LoopbackDiscord, service: FakeService) -> None:
    further_of(service, 3)
    guild, (ann, bob) = await inhabited(wire, "ann", "bob")
    answer = await mentioned(wire, ann, guild)
    anns = await pressed(wire, ann, answer, "Next source")
    bobs = await pressed(wire, bob, answer, "Next source")
    await pressed(wire, ann, anns, "Next source")
    standing = [title_of(wire.messages.all[int(one["id"])]) for one in (anns, bobs)]
    assert standing == ["Source 3 of 4", "Source 2 of 4"]


async def test_a_source_is_titled_in_the_language_of_whoever_presses(
    wire: LoopbackDiscord, service: FakeService
) -> None:
    further_of(service, 1)
    guild, (ann,) = await inhabited(wire, "ann")
    carla = wire.world.join(guild, wire.world.user("carla", locale="es-ES"))
    answer = await answer_to(wire, ann, guild)
    spanish = words_in("es")("source_title", number=2, count=2)
    assert title_of(await pressed(wire, carla, answer, "Next source")) == spanish
    assert title_of(await pressed(wire, ann, answer, "Next source")) == "Source 2 of 2"
