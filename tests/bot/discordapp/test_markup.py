"""Discord's markup in a question: not searched for, and shown as it was typed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from bot.discordapp.markdown import without_markup
from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import WAYS, Chat, eventually, settle
from tests.bot.discordapp.service import ABSENT, LAMP, LAMP_QUOTE
from tests.wire.entities import Kind, Message

TYPED = (
    "<@&41> <#42> When was the [lighthouse](https://gulls.example/1) on Gull Rock lit, "
    "<a:dance:43> </ask now:44> <t:1700000000:R> see <https://gulls.example/b?c=d>?"
)
SEARCHED = "When was the lighthouse on Gull Rock lit, see ?"


async def _reply(chat: Chat, question: str) -> Message:
    return await chat.mention(question, to=await chat.mention(LAMP))


async def _form(chat: Chat, question: str) -> Message:
    return await chat.follow_up(await chat.ask(LAMP), question)


async def _forum_post(chat: Chat, question: str) -> Message:
    forum = await chat.channel(chat.guild, "forum", Kind.FORUM)
    post = await chat.post(forum, chat.ann, "The lamp", f"{chat.world.bot.mention} {question}")
    return (await chat.log.until(lambda: chat.posts(post), "an answer"))[0]


EVERY_WAY: dict[str, Callable[[Chat, str], Awaitable[Message]]] = WAYS | {
    "reply": _reply,
    "form": _form,
    "forum": _forum_post,
}


@pytest.mark.parametrize("way", EVERY_WAY)
async def test_a_question_is_asked_without_its_markup_and_shown_as_typed(chat: Chat, way: str) -> None:
    answer = await EVERY_WAY[way](chat, TYPED)
    assert chat.service.asked[-1] == (f"The lamp\n{SEARCHED}" if way == "forum" else SEARCHED)
    assert (answer.title, answer.shown.quotes) == (texts.ANSWERED, [LAMP_QUOTE])
    if way in {"command", "menu", "form"}:
        assert answer.every_part[0].quotes == [TYPED]


async def test_why_and_unanswered_questions_are_searched_without_markup_and_listed_as_typed(
    chat: Chat,
) -> None:
    typed = f"<@&41> {ABSENT} <:cup:42>"
    answer = await chat.ask(typed)
    assert (await chat.click(answer, texts.WHY)).title == texts.REASONS
    assert chat.service.asked == [ABSENT, ABSENT]
    await settle()
    listed = await chat.gaps(1)
    assert f"{ABSENT} \\<\\:cup\\:42>" in listed


@pytest.mark.parametrize(
    ("typed", "searched"),
    [
        (LAMP, LAMP),
        ("two  spaces, a < b, <b> and 1 <2> 3", "two  spaces, a < b, <b> and 1 <2> 3"),
        ("https://gulls.example/lamp?of=1", "https://gulls.example/lamp?of=1"),
        ("<@1> <https://gulls.example/lamp>", "<https://gulls.example/lamp>"),
        ("[the lamp](https://gulls.example/lamp)", "the lamp"),
        ("Is it at http://gulls.example/a.b?", "Is it at ?"),
        ("lit <:a_b:1>\n<@!2> when <id:guide> <t:-5>?", "lit\nwhen ?"),
        ("<@1><#2>", ""),
        ("[[[" * 1000 + "<" * 1000, "[[[" * 1000 + "<" * 1000),
    ],
)
def test_only_what_discord_shows_as_something_else_is_left_out(typed: str, searched: str) -> None:
    assert without_markup(typed) == searched


async def test_markup_alone_asks_nothing(chat: Chat) -> None:
    async def title() -> str:
        return (await chat.mention("<@&41> <a:wave:42>")).title

    assert await eventually(title, bool) == texts.HELP
    assert chat.service.asked == []
