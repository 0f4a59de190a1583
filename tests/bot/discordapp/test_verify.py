"""/verify and "Check this quote", over the wire."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.answering.alignment import compare
from bot.answering.verify import Checked, CheckVerdict
from bot.discordapp.client import FootnoteClient
from bot.service.service import Service
from index.errors import BusyError
from tests.bot.conftest import BREAD, LAMP
from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.fake_service import QUOTE, FakeService, sample_article
from tests.bot.discordapp.stage import answer_to, inhabited, title_of
from tests.wire.loopback import LoopbackDiscord
from tests.wire.permissions import EMBED_LINKS
from tests.wire.places import User
from tests.wire.records import Json
from tests.wire.renderer import render

ARTICLE = sample_article()
START = ARTICLE.text.index(QUOTE)
OTHER = QUOTE.replace("2019", "2018")


def found(quoted: str = QUOTE, *, times: int = 1) -> Checked:
    """Return what checking says of a quote of the sample article, or of a changed one."""
    verdict = CheckVerdict.EXACT if quoted == QUOTE else CheckVerdict.CHANGED
    changes = compare(quoted, QUOTE)
    return Checked(quoted, verdict, ARTICLE, 4, START, START + len(QUOTE), QUOTE, changes, times)


async def verified(wire: LoopbackDiscord, user: User, text: str, **options: object) -> str:
    """Check a text; return what is said of it."""
    used = await wire.slash("verify", user, text=text, **options)  # type: ignore[arg-type]
    message = await wire.response_to(used)
    assert title_of(message) == "Does it stand in the articles?"
    return str(message["embeds"][0]["description"])


@pytest.fixture
def ann(wire: LoopbackDiscord) -> User:
    """Make an account."""
    return wire.world.user("ann")


@pytest.mark.usefixtures("bot")
async def test_a_quote_to_the_letter_is_shown_with_its_place_and_a_link_to_it(
    wire: LoopbackDiscord, service: FakeService, ann: User
) -> None:
    service.checked = (found(times=3),)
    shown = await verified(wire, ann, f'He said: "{QUOTE}"')
    assert service.checks == [f'He said: "{QUOTE}"']
    assert render(shown).quotes == [QUOTE]
    _, verdict, times = shown.split("\n")
    assert verdict.startswith(
        "**To the letter**: [Councils and skills](https://example.org/councils#:~:text="
    )
    assert verdict.endswith("), A. Writer, The Paper, paragraph 4")
    assert times == "It stands there 3 times; this is the first."
    assert "~~" not in shown


@pytest.mark.usefixtures("bot")
async def test_changed_letters_can_be_seen(wire: LoopbackDiscord, service: FakeService, ann: User) -> None:
    service.checked = (found(OTHER),)
    quote, verdict, _, key = (await verified(wire, ann, OTHER)).split("\n")
    assert quote == "> The academy opened in ~~2018~~**2019**, with a budget of £3.5bn."
    assert verdict.startswith("**Changed**: [Councils and skills](https://example.org/councils#:~:text=")
    assert key == "~~Struck out~~ is not in the article; **bold** is missing from the quote."


@pytest.mark.usefixtures("bot")
async def test_what_no_article_has_is_said_so_and_each_sentence_gets_its_own_verdict(
    wire: LoopbackDiscord, service: FakeService, ann: User
) -> None:
    absent = Checked("It is *made* of glass.", CheckVerdict.ABSENT)
    service.checked = (absent, found(), found(OTHER), absent, found(OTHER))
    shown = await verified(wire, ann, "Any text.")
    blocks = shown.split("\n\n")
    assert blocks[0] == blocks[3] == "> It is \\*made\\* of glass.\n**Not in the articles**"
    assert [block.split("\n")[1].split("**")[1] for block in blocks[:5]] == [
        "Not in the articles", "To the letter", "Changed", "Not in the articles", "Changed",
    ]  # fmt: skip
    assert len(blocks) == 6  # with the key to the marks, once


@pytest.mark.usefixtures("bot")
async def test_a_text_without_words_is_said_to_be_one(
    wire: LoopbackDiscord, service: FakeService, ann: User
) -> None:
    assert await verified(wire, ann, "?!") == "There is nothing to check: no words were given."


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize("given", [None, True, False])
@pytest.mark.parametrize("setting", [None, True])
async def test_it_is_private_where_that_is_asked_for_or_else_set(
    wire: LoopbackDiscord, bot: FootnoteClient, given: bool | None, setting: bool | None
) -> None:
    guild, (bob,) = await inhabited(wire, "bob")
    await bot.surface.records.change(guild.id, None, private=setting)
    used = await wire.slash("verify", bob, guild, text=QUOTE, private=given)
    await wire.response_to(used)
    assert used.ephemeral is bool(setting if given is None else given)


@pytest.mark.usefixtures("bot")
async def test_the_menu_checks_anybodys_message_for_whoever_asked_alone(
    wire: LoopbackDiscord, service: FakeService
) -> None:
    guild, (bob, cem) = await inhabited(wire, "bob", "cem")
    service.checked = (found(),)
    said = await wire.say(guild, cem, f"> {QUOTE}\nSo there.")
    used = await wire.menu("Check this quote", bob, said)
    assert "To the letter" in str(await wire.response_to(used))
    assert service.checks == [f"> {QUOTE}\nSo there."]
    assert used.ephemeral


@pytest.mark.usefixtures("bot")
async def test_the_menu_reads_what_an_embed_says(wire: LoopbackDiscord, service: FakeService) -> None:
    guild, (bob,) = await inhabited(wire, "bob")
    embeds: list[Json] = [{"type": "rich", "description": "One."}, {"type": "rich", "title": "No text"}]
    said = await wire.say(guild, bob, "Zero.", webhook_id="1", embeds=embeds)
    await wire.response_to(await wire.menu("Check this quote", bob, said))
    assert service.checks == ["Zero.\n\nOne."]


@pytest.mark.usefixtures("bot")
async def test_where_embeds_are_not_shown_the_verdict_is_text(
    wire: LoopbackDiscord, service: FakeService
) -> None:
    guild, (bob,) = await inhabited(wire, "bob")
    await wire.deny(guild.channels[0], EMBED_LINKS)
    service.checked = (found(OTHER),)
    message = await wire.response_to(await wire.slash("verify", bob, guild, text=OTHER))
    assert message["embeds"] == []
    assert "~~2018~~**2019**" in message["content"]


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize(
    ("error", "title"),
    [(BusyError("full"), "Too many questions are waiting"), (RuntimeError("boom"), "Something went wrong")],
)
async def test_a_check_that_fails_ends_in_a_private_apology(
    wire: LoopbackDiscord, service: FakeService, ann: User, error: Exception, title: str
) -> None:
    service.error = error
    used = await wire.slash("verify", ann, text=QUOTE)
    message = await wire.response_to(used)
    assert title_of(message) == title
    assert message["flags"] == 64
    assert used.original is None


async def test_a_check_that_stopping_gives_up_is_told_so(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService, ann: User
) -> None:
    service.open.clear()
    async with running(bot_settings(), service) as client:
        used = await wire.slash("verify", ann, text=QUOTE)
        await wire.log.until(lambda: used.loading, "an acknowledgement")
        await client.work.drain(0.5)
        assert service.checks == [QUOTE]
        late = await wire.slash("verify", ann, text=QUOTE)
        for one in (used, late):
            assert title_of(await wire.response_to(one)) == "Footnote is stopping"


async def test_quotes_are_checked_against_the_articles_themselves(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, home: Path, ann: User
) -> None:
    service = Service(bot_settings())
    await service.start()
    try:
        async with running(service.settings, service):
            salt = "Salt goes in last."
            assert salt in BREAD
            shown = await verified(wire, ann, f"> {salt}\n> It tightens the dough and slows the east down.")
            first, second, _ = shown.split("\n\n")
            assert render(first).quotes == [salt]
            assert "**To the letter**: [Bread without a clock](https://oven.example/clock#:~:text=" in first
            assert "slows the **y**east down." in second
            assert "Not in the articles" in await verified(wire, ann, "The council met nine times in May.")
            answer = await answer_to(wire, ann, None, "When was the lighthouse on Gull Rock first lit?")
            checked = await wire.response_to(await wire.menu("Check this quote", ann, answer))
            (embed,) = checked["embeds"]
            (quote,) = render(embed["description"]).quotes
            assert quote in LAMP
            assert "**To the letter**: The lamp on Gull Rock, Mara Holt, paragraph 1" in embed["description"]
    finally:
        await service.close()
