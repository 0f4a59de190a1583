"""The /index commands: permissions, status, rebuilds with their progress, rollback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.errors import RebuildError
from index.build_report import Progress
from index.encoding.encoder import Encoder
from index.errors import ArticleError, BusyError, ShrunkError
from tests.bot.conftest import NEWS
from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import Chat, no_traceback, until
from tests.bot.discordapp.service import LAMP, LAMP_QUOTE, open_service
from tests.wire.entities import Permission, User
from tests.wire.interactions import Interaction

SHRUNK = ShrunkError("1 article where there were 9.")
BELL = "Who cast the fog bell of Gull Rock?"
INVITED, ACCEPTED = 1, 2


@pytest.mark.parametrize("command", ["status", "rebuild", "articles", "history", "rollback"])
async def test_others_are_refused_even_if_they_manage_the_server(chat: Chat, command: str) -> None:
    boss = chat.world.role(chat.guild, "boss", Permission.MANAGE_SERVER)
    chat.world.join(chat.guild, chat.bob, boss)
    for user, where in ((chat.bob, None), (chat.guild.owner, None), (chat.ann, None), (chat.ann, chat.ann)):
        refusal = await chat.use(f"index {command}", user, where)
        assert (refusal.title, refusal.private) == (texts.NOT_ALLOWED, True)
    assert chat.service.rebuilds == 0


async def test_the_owner_and_those_named_in_the_settings_are_allowed(fresh: Chat) -> None:
    world, named, (other, *_) = fresh.world, fresh.guild, await fresh.server()
    keeper = world.role(named, "keeper")
    listed, holder, boss = (world.join(named, world.user(name)) for name in ("listed", "holder", "boss"))
    world.join(named, holder, keeper)
    for guild in (named, other):
        world.join(guild, boss, world.role(guild, "boss", Permission.MANAGE_SERVER))
    options: dict[str, Any] = {
        "discord_admin_users": {listed.id}, "discord_admin_roles": {keeper.id},
        "discord_admin_servers": {named.id},
    }  # fmt: skip
    async with fresh.bot(**options):
        for user, where, allowed in (
            (world.owner, world.owner, True), (listed, named, True), (listed, listed, True),
            (holder, named, True), (holder, holder, False), (boss, named, True), (boss, other, False),
            (boss, boss, False), (named.owner, named, True), (other.owner, other, False),
            (fresh.ann, named, False),
        ):  # fmt: skip
            response = await fresh.use("index status", user, where)
            expected = (texts.INDEX, False) if allowed else (texts.NOT_ALLOWED, True)
            assert (response.title, response.private) == expected, user.name
        assert (await fresh.use("settings show", listed, named)).title != texts.NOT_ALLOWED


async def test_team_members_are_allowed_unless_invited_or_read_only(fresh: Chat) -> None:
    roles = [("", ACCEPTED), ("admin", ACCEPTED), ("developer", ACCEPTED), ("read_only", ACCEPTED)]
    users = [fresh.world.user(f"{number}") for number in range(5)]
    members = zip(users, [*roles, ("admin", INVITED)], strict=True)
    fresh.world.team = [(user, role, state) for user, (role, state) in members]
    async with fresh.bot():
        titles = [(await fresh.use("index status", user, user)).title for user in users]
    assert titles == [texts.INDEX] * 3 + [texts.NOT_ALLOWED] * 2


async def test_status_has_figures_and_articles_are_listed(chat: Chat) -> None:
    owner = chat.world.join(chat.guild, chat.world.owner)
    status = await chat.use("index status", owner)
    assert (status.title, status.private, "3" in status.fields.values()) == (texts.INDEX, False, True)
    await chat.configure("language", language="de")
    assert len(set(status.fields) & set((await chat.use("index status", owner)).fields)) <= 1
    articles = await chat.use("index articles", owner, owner)
    lines = articles.shown.text.splitlines()
    assert (articles.private, len(lines), articles.shown.constructs) == (True, 3, [])
    assert any("Bread without a clock" in line and "Jon Vass" in line for line in lines)
    assert "1" in (await chat.use("index articles", owner, owner, page=7)).text  # names the last page


async def test_a_rebuild_makes_a_new_article_quotable_and_can_be_rolled_back(
    fresh: Chat, home: Path, encoder: Encoder
) -> None:
    owner, presences = fresh.world.join(fresh.guild, fresh.world.owner), fresh.gateway.presences
    async with open_service(fresh, home, encoder) as service, fresh.bot():
        await fresh.configure("gaps", tell=True)
        assert (await fresh.ask(BELL)).title != texts.ANSWERED
        await fresh.gaps(1)
        (home / "articles/news.txt").write_text(NEWS, encoding="utf-8")
        (home / "articles/**bad**.jsonl").write_bytes(b"{")
        service.rebuild_open.clear()
        rebuild = await fresh.slash(owner, "index rebuild", fresh.guild)
        await fresh.log.until(lambda: presences[-1] == texts.REBUILDING, "the presence")
        service.rebuild_open.set()
        report = await fresh.ended(rebuild)
        assert (report.title, report.shown.constructs) == (texts.REBUILT, [])
        assert "**bad**.jsonl, line 1: " in report.shown.text
        assert {"4", (await service.status()).generation} <= set(report.fields.values())
        (post,) = await fresh.log.until(lambda: fresh.posts(fresh.guild), "a late answer")
        assert post.content.startswith(texts.NOW_ANSWERED)
        assert (await fresh.mention(BELL)).title == texts.ANSWERED
        await fresh.log.until(lambda: presences[-1] == texts.PRESENCE.format(4), "the presence")
        await _roll_back(fresh, owner)
        assert (await fresh.ask(BELL)).title != texts.ANSWERED


async def _roll_back(chat: Chat, owner: User) -> None:
    """Roll back to the previous generation, which is offered by autocompletion."""
    lines = (await chat.use("index history", owner, owner)).text.splitlines()
    assert len(lines) == 2
    (older,) = await chat.complete(owner, "index rollback", owner, "generation", "")
    assert older["value"] in lines[1]
    assert await chat.complete(chat.ann, "index rollback", chat.ann, "generation", "") == []
    response = await chat.use("index rollback", owner, owner, generation=older["value"])
    assert (response.title, older["value"] in response.text) == (texts.ROLLED_BACK, True)
    refusal = await chat.use("index rollback", owner, owner, generation="000099-<@1>")
    assert refusal.title.startswith(texts.NOT_ROLLED_BACK)
    assert (refusal.shown.constructs, chat.log.pings) == ([], [])


HOSTILE_LINE = "a_b.txt: line 3: **bad** @everyone"


@pytest.mark.parametrize(
    ("error", "title", "message"),
    [
        (ArticleError([HOSTILE_LINE]), texts.REBUILD_FAILED, HOSTILE_LINE),
        (SHRUNK, texts.REBUILD_FAILED, "1 article where there were 9."),
        (RebuildError("The rebuild was killed."), texts.REBUILD_FAILED, "was killed"),
        (BusyError("Another build holds the lock."), texts.OTHER_REBUILD, "holds the lock"),
        (RuntimeError("boom"), texts.REBUILD_FAILED, ""),
    ],
)
async def test_a_failed_rebuild_says_why_and_the_index_keeps_answering(
    chat: Chat, error: Exception, title: str, message: str
) -> None:
    chat.service.rebuild_error, owner = error, chat.world.owner
    report = await chat.ended(await chat.slash(owner, "index rebuild", owner))
    assert (report.title, message in report.shown.text, "boom" in report.text) == (title, True, False)
    assert (report.shown.constructs, chat.log.pings) == ([], [])
    assert (await chat.ask(LAMP)).shown.quotes == [LAMP_QUOTE]


async def _start_failing_rebuild(chat: Chat) -> Interaction:
    """Start a rebuild in the server's channel that fails once `rebuild_open` is set."""
    chat.service.rebuild_open.clear()
    chat.service.rebuild_error = SHRUNK
    rebuild = await chat.slash(chat.world.join(chat.guild, chat.world.owner), "index rebuild", chat.guild)
    await until(lambda: chat.service.rebuilds)
    return rebuild


async def test_progress_is_shown_in_few_edits_while_questions_are_answered(chat: Chat) -> None:
    chat.service.steps = tuple(Progress("encoding", done, 240) for done in range(200))
    rebuild = await _start_failing_rebuild(chat)
    await chat.log.until(lambda: "199" in str(rebuild.edits[-1:]), "progress")
    assert (await chat.ask()).title == texts.ANSWERED
    chat.service.rebuild_open.set()
    assert (await chat.ended(rebuild)).title == texts.REBUILD_FAILED
    assert len(rebuild.edits) <= 4


@pytest.mark.parametrize("trouble", ["expired", "no embeds", "refused"])
async def test_the_end_of_a_rebuild_is_posted_if_its_message_cannot_show_it(
    chat: Chat, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    await _start_failing_rebuild(chat)
    chat.interactions.clock_ahead = chat.interactions.token_lifetime + 1
    if trouble == "no embeds":
        await chat.deny(chat.guild, Permission.EMBED_LINKS)
    elif trouble == "refused":
        chat.faults.answer("POST", r"/channels/\d+/messages$", status=403)
    chat.service.rebuild_open.set()
    if trouble == "refused":
        await until(lambda: texts.POST_FAILED in caplog.text)
        assert (await chat.mention()).title == texts.ANSWERED
    else:
        (post,) = await chat.log.until(lambda: chat.posts(chat.guild), "the end in the channel")
        assert (post.title, bool(post.embeds)) == (texts.REBUILD_FAILED, trouble != "no embeds")
    assert (chat.log.pings, no_traceback(caplog)) == ([], True)
