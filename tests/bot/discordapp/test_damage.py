"""A damaged index: what answers, who is alerted, and where it shows."""

from __future__ import annotations

import pytest

from index.errors import DamagedIndexError
from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import Chat, free_port, no_traceback, settle, until
from tests.bot.discordapp.test_operations import page
from tests.wire.entities import Message, User

REASON = "/i/tokens.bin is **damaged** @everyone"


async def _alert(chat: Chat, user: User, count: int = 1) -> Message:
    """Wait until a user has so many direct messages from the bot; return the last."""
    await chat.log.until(lambda: len(chat.posts(user)) >= count, f"a direct message to {user.name}", 60)
    return chat.posts(user)[-1]


async def test_operators_are_alerted_once_and_again_when_it_is_over(
    fresh: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    operators = fresh.ann, fresh.world.owner
    fresh.service.report_damage("An earlier reason.", serving="000001-older")  # before the bot starts
    async with fresh.bot(discord_admin_users={fresh.ann.id, 4711}):
        for user in operators:
            assert "An earlier reason." in (await _alert(fresh, user)).text
        fresh.service.report_damage(REASON, serving="000001-older")
        for user in operators:
            alert = await _alert(fresh, user, 2)
            assert (alert.title, REASON in alert.shown.text) == (texts.DAMAGED, True)
            assert ("000001-older" in alert.shown.text, alert.shown.constructs) == (True, [])
        await until(lambda: "4711" in caplog.text)  # who cannot be reached, and is logged
        fresh.service.report_damage(None)
        assert [(await _alert(fresh, user, 3)).title for user in operators] == [texts.WHOLE_AGAIN] * 2
    fresh.service.report_damage("Found after the stop.")
    await settle()
    assert [len(fresh.posts(user)) for user in (*operators, fresh.bob)] == [3, 3, 0]
    assert (fresh.log.pings, no_traceback(caplog)) == ([], True)


@pytest.mark.parametrize("serving", ["000001-older", ""])
async def test_damage_shows_in_presence_status_readiness_and_metrics(fresh: Chat, serving: str) -> None:
    port, owner, presences = free_port(), fresh.world.owner, fresh.gateway.presences
    usual = texts.PRESENCE.format(3)
    async with fresh.bot(health_port=port):
        fresh.service.report_damage(REASON, serving)
        await fresh.log.until(lambda: presences[-1] != usual, "another presence")
        status = await fresh.use("index status", owner, owner)
        assert REASON in " ".join(part.text for part in status.every_part)
        code, text = await page(port, "readyz")
        assert (code, "is damaged" in text) == (200 if serving else 503, True)
        assert "footnote_damaged 1.0" in (await page(port, "metrics"))[1]
        fresh.service.report_damage(None)
        await fresh.log.until(lambda: presences[-1] == usual, "the usual presence")
        assert (await page(port, "readyz"))[0] == 200


async def test_without_a_usable_index_users_get_a_notice_without_details(
    chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    chat.service.error = DamagedIndexError("/i/tokens.bin is damaged.")
    for notice in (await chat.ask(), await chat.mention(), await chat.use("verify", text="It was so.")):
        assert (notice.title, "tokens" in notice.text) == (texts.DAMAGED, False)
    assert no_traceback(caplog)
