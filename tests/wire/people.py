"""What people write, start and delete, and what they then read of the bot."""

from __future__ import annotations

from typing import Any

from tests.wire.gateway import GUILDS, Gateway
from tests.wire.interactions import Interaction
from tests.wire.messages import Messages
from tests.wire.permissions import VIEW_CHANNEL
from tests.wire.places import FORUM, TEXT, THREAD, Channel, Guild, Role, User
from tests.wire.records import Json, Log
from tests.wire.world import World

__all__ = ["People"]

_HAS_THREAD = 1 << 5


class People:
    """The part of `LoopbackDiscord` in which people write, and read."""

    world: World
    log: Log
    gateway: Gateway
    messages: Messages

    async def say(
        self,
        channel: Channel | Guild,
        user: User,
        content: str,
        reply_to: Json | None = None,
        *,
        ping: bool = True,
        **more: Any,
    ) -> Json:
        """Say something; with `ping`, the author of the message replied to is mentioned, as by default."""
        where = channel.channels[0] if isinstance(channel, Guild) else channel
        assert where.kind != FORUM, "in a forum people make posts"
        message = self.messages.build(where, user, {"content": content})
        if reply_to is not None:
            if ping and reply_to["author"] not in message["mentions"]:
                message["mentions"].append(reply_to["author"])
            self.messages.point(message, reply_to)
        message |= more
        await self.messages.announce(message)
        return message

    async def delete(self, message: Json) -> None:
        """Delete a message, as its author or a moderator."""
        await self.messages.forget(message)

    async def thread(
        self, channel: Channel | Guild, user: User, name: str, *, on: Json | None = None
    ) -> Channel:
        """Start a public thread, of its own or on a message."""
        parent = channel.channels[0] if isinstance(channel, Guild) else channel
        assert parent.kind == TEXT, "threads are started in text channels"
        assert on is None or on["channel_id"] == str(parent.id), "that message is in another channel"
        made = self.world.thread(parent, user, name, int(on["id"]) if on else self.world.new_id())
        if on is not None:
            on |= {"thread": made.payload(), "flags": on["flags"] | _HAS_THREAD}
        await self._tell("THREAD_CREATE", made, newly_created=True)
        return made

    async def post(
        self, forum: Channel, user: User, title: str, content: str, **more: Any
    ) -> tuple[Channel, Json]:
        """Make a forum post: a thread with this title, and its first message, which has the thread's id."""
        assert forum.kind == FORUM, "posts are made in forums"
        made = self.world.thread(forum, user, title, self.world.new_id())
        message = self.messages.build(made, user, {"content": content}, message_id=made.id)
        message |= more
        await self._tell("THREAD_CREATE", made, newly_created=True)
        await self.messages.announce(message)
        return made, message

    async def lock(self, thread: Channel, *, archived: bool = False) -> None:
        """Lock a thread, as a moderator; `archived` closes it too."""
        assert thread.kind == THREAD, "only threads are locked"
        thread.locked, thread.archived = True, archived
        await self._tell("THREAD_UPDATE", thread)

    async def remove(self, channel: Channel) -> None:
        """Delete a channel or thread, with its messages."""
        assert channel.guild is not None, "direct messages stay"
        thread = channel.kind == THREAD
        await self._tell("THREAD_DELETE" if thread else "CHANNEL_DELETE", channel)
        (channel.guild.threads if thread else channel.guild.channels).remove(channel)
        del self.world.channels[channel.id]
        for message in [one for one in self.messages.all.values() if one["channel_id"] == str(channel.id)]:
            del self.messages.all[int(message["id"])]

    async def deny(self, channel: Channel, bits: int, whom: User | Role | None = None) -> None:
        """Take permissions in a channel from the bot (or from others), and tell the bot; 0 gives all back."""
        self.world.deny(channel, bits, whom)
        assert channel.guild is not None
        await self.gateway.dispatch("CHANNEL_UPDATE", channel.payload(), GUILDS, channel.guild.id)

    async def _tell(self, event: str, channel: Channel, **more: Any) -> None:
        assert channel.guild is not None
        if channel.bot_may & VIEW_CHANNEL:
            await self.gateway.dispatch(event, channel.payload() | more, GUILDS, channel.guild.id)

    # What people read

    async def response_to(self, interaction: Interaction, within: float = 3.0) -> Json:
        """Wait for the finished response: a message, the last follow-up, or the message that was updated."""
        found = await self.log.until(lambda: interaction.shown, f"an answer to {interaction.name}", within)
        assert found is not None
        return found

    def said(self, channel: Channel | Guild) -> list[Json]:
        """Return the bot's own channel messages there, oldest first."""
        where = channel.channels[0] if isinstance(channel, Guild) else channel
        mine = [one for one in self.messages.all.values() if one["author"]["id"] == str(self.world.bot.id)]
        return [one for one in mine if one["channel_id"] == str(where.id) and "webhook_id" not in one]

    async def reply_to(self, message: Json, within: float = 3.0) -> Json:
        """Wait for the bot's reply to a message, by an ordinary message."""

        def look() -> Json | None:
            for one in self.said(self.messages.channel_of(message)):
                if one.get("message_reference", {}).get("message_id") == message["id"]:
                    return one
            return None

        found = await self.log.until(look, "a reply", within)
        assert found is not None
        return found

    def attachment(self, message: Json, number: int = 0) -> bytes:
        """Return the bytes of one of the message's attachments."""
        return self.messages.uploads.files[message["attachments"][number]["id"]]
