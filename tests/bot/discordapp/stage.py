"""What tests of the buttons have in common: a server with a member, an answer, a button that is pressed."""

from __future__ import annotations

from typing import Any

from bot.service.catalogue import ArticleLine
from index.articles.article import Article
from tests.bot.discordapp.fake_service import FakeService
from tests.wire.interaction import Interaction
from tests.wire.loopback import LoopbackDiscord
from tests.wire.permissions import VIEW_CHANNEL
from tests.wire.places import Channel, Guild, User
from tests.wire.records import Json

__all__ = ["answer_to", "has_articles", "inhabited", "mentioned", "noticed", "pressed", "title_of"]


async def inhabited(wire: LoopbackDiscord, *names: str) -> tuple[Guild, list[User]]:
    """Make a server that the bot knows of, with these members."""
    guild = wire.world.guild()
    members = [wire.world.join(guild, wire.world.user(name)) for name in names]
    await wire.gateway.announce(guild)
    assert guild.permissions_of(wire.world.bot) & VIEW_CHANNEL
    return guild, members


def has_articles(service: FakeService, *articles: Article) -> None:
    """Let the service serve these articles, and no others."""
    service.lines = tuple(ArticleLine.of(one.id, one.title) for one in articles)
    service.texts = {one.id: one for one in articles}


async def answer_to(
    wire: LoopbackDiscord,
    user: User,
    where: Guild | Channel | None = None,
    question: str = "When did it open?",
    **options: Any,
) -> Json:
    """Ask with the command; return the answer's message."""
    return await wire.response_to(await wire.slash("ask", user, where, question=question, **options))


async def mentioned(
    wire: LoopbackDiscord, user: User, where: Guild | Channel, question: str = "When did it open?"
) -> Json:
    """Ask in a message that mentions the bot; return the answer's message."""
    return await wire.reply_to(await wire.say(where, user, f"{wire.world.bot.mention} {question}"))


async def pressed(wire: LoopbackDiscord, user: User, message: Json, button: str) -> Json:
    """Press a button that is answered with a message; return that."""
    return await wire.response_to(await wire.press(user, message, button))


async def noticed(wire: LoopbackDiscord, used: Interaction) -> Json:
    """Return the last message that follows the response to an interaction, once there is one."""
    await wire.log.until(lambda: used.followups, f"a notice after {used.name}")
    return used.followups[-1]


def title_of(message: Json) -> str:
    """Return the title of a message's one embed."""
    (embed,) = message["embeds"]
    return str(embed["title"])
