"""What a test does on the loopback Discord: write, use commands, press buttons, read what is shown."""

from __future__ import annotations

from typing import Any

from tests.wire.entities import Channel, Guild, Json, Kind, Message, User
from tests.wire.interactions import Interaction
from tests.wire.server import LoopbackDiscord

__all__ = ["Where", "Wire"]

Where = Channel | Guild | User
"""A channel; a server, meaning its first channel; a user, meaning their direct messages with the bot."""

_REPLY, _HAS_THREAD = 19, 1 << 5


class Wire(LoopbackDiscord):
    """A loopback Discord on which users act."""

    def place(self, where: Where) -> Channel:
        if isinstance(where, Guild):
            return where.channels[0]
        return self.world.direct(where) if isinstance(where, User) else where

    # Servers and channels

    async def server(self, *names: str, **attributes: Any) -> tuple[Any, ...]:
        """Make a server with members of these names; return the guild and the users."""
        guild = self.world.guild(**attributes)
        members = [self.world.join(guild, self.world.user(name)) for name in names]
        await self.announce(guild)
        return guild, *members

    async def announce(self, guild: Guild) -> None:
        """Send the bot a server as it is now."""
        if guild.bot is not None:
            await self.gateway.dispatch("GUILD_CREATE", guild.payload(), guild.id)

    async def channel(self, guild: Guild, name: str = "second", kind: Kind = Kind.TEXT) -> Channel:
        return await self._announce_channel("CHANNEL_CREATE", self.world.channel(guild, name, kind))

    async def thread(self, where: Where, user: User, name: str, on: Message | None = None) -> Channel:
        """Start a thread, either on a message or on its own."""
        parent = self.place(where)
        assert parent.guild is not None
        thread_id = None
        if on is not None:
            on.flags |= _HAS_THREAD
            thread_id = on.id
        thread = self.world.channel(parent.guild, name, Kind.THREAD, thread_id, parent=parent, owner=user)
        return await self._announce_channel("THREAD_CREATE", thread, newly_created=True)

    async def post(self, forum: Channel, user: User, title: str, text: str | None, **options: Any) -> Channel:
        """Make a forum post: a thread and, unless the text is None, its first message."""
        thread = await self.thread(forum, user, title)
        if text is not None:
            await self.say(user, thread, text, message_id=thread.id, **options)
        return thread

    async def deny(self, where: Where, permissions: int) -> None:
        """Deny the bot these permissions, and no others, in a channel."""
        channel = self.place(where)
        channel.denied = permissions
        await self._announce_channel("CHANNEL_UPDATE", channel)

    async def lock(self, thread: Channel) -> None:
        thread.locked = True
        await self._announce_channel("THREAD_UPDATE", thread)

    async def remove(self, channel: Channel) -> None:
        event = "THREAD_DELETE" if channel.kind is Kind.THREAD else "CHANNEL_DELETE"
        await self._announce_channel(event, channel)
        del self.world.channels[channel.id]

    async def _announce_channel(self, event: str, channel: Channel, **extra: Any) -> Channel:
        assert channel.guild is not None
        await self.gateway.dispatch(event, channel.payload() | extra, channel.guild.id)
        return channel

    # What users do

    async def say(
        self, user: User, where: Where, text: str, to: Message | None = None, *, ping: bool = True,
        **attributes: Any,
    ) -> Message:  # fmt: skip
        """Write a message, or reply to one, with or without a ping."""
        if to is not None:
            attributes |= {"reply_to": to, "kind": _REPLY}
        message = self.messages.make(self.place(where), user, {"content": text}, **attributes)
        if to is not None and ping and to.author not in message.mentions:
            message.mentions.append(to.author)
        await self.messages.announce(message)
        return message

    async def slash(
        self, user: User, command: str, where: Where, *, by_user: bool = False, **options: Any
    ) -> Interaction:  # fmt: skip
        """Use a command such as "index rebuild"; `by_user` means that the user has installed the bot."""
        name, *path = command.split()
        data = self.commands.data(
            name, path, {key: value for key, value in options.items() if value is not None}
        )
        return await self.interactions.begin(
            "command", user, self.place(where), f"/{command}", data, by_user=by_user
        )

    async def complete(self, user: User, command: str, where: Where, option: str, typed: str) -> list[Json]:
        """Type into an option of a command; return the choices that the bot offers."""
        name, *path = command.split()
        data = self.commands.data(name, path, {option: typed}, option)
        use = await self.interactions.begin("autocompletion", user, self.place(where), f"/{command}", data)
        await self.log.until(lambda: use.choices is not None, f"choices of /{command}")
        return use.choices or []

    async def menu(self, user: User, name: str, message: Message, *, by_user: bool = False) -> Interaction:
        """Use a command in the context menu of a message, whose content the bot gets in any case."""
        resolved = {"messages": {str(message.id): message.payload(nested=False)}}
        data = self.commands.data(name, [], {}) | {"target_id": str(message.id), "resolved": resolved}
        return await self.interactions.begin("command", user, message.channel, name, data, by_user=by_user)

    async def press(self, user: User, message: Message, label: str) -> Interaction:
        assert not message.deleted, "the message is deleted"
        data = {"custom_id": message.buttons[label]["custom_id"], "component_type": 2, "id": 1}
        by_user = "1" in (message.interaction or {}).get("authorizing_integration_owners", {})
        return await self.interactions.begin(
            "button", user, message.channel, label, data, message, by_user=by_user
        )

    async def submit(self, opened_by: Interaction, *values: str | None) -> Interaction:
        """Fill in the modal that a button opened, and submit it; None chooses nothing."""
        modal = await self.modal(opened_by)
        fields = [
            {"type": label["type"], "id": 1, "component": label["component"] | {"value": value, "id": 2}}
            for label, value in zip(modal["components"], values, strict=True)
        ]
        data = {"custom_id": modal["custom_id"], "components": fields}
        user, channel, message = opened_by.user, opened_by.channel, opened_by.message
        return await self.interactions.begin("modal", user, channel, modal["title"], data, message)

    # What users see

    async def modal(self, use: Interaction) -> Json:
        await self.log.until(lambda: use.modal, f"a modal from {use.name}")
        return use.modal or {}

    async def answer(self, use: Interaction, within: float = 5.0) -> Message:
        answer = await self.log.until(lambda: use.outcome, f"a response to {use.name}", within)
        assert answer is not None
        return answer

    async def reply(self, message: Message, within: float = 5.0) -> Message:

        def replies() -> list[Message]:
            return [reply for reply in self.posts(message.channel) if reply.reply_to is message]

        return (await self.log.until(replies, "a reply", within))[0]

    def posts(self, where: Where) -> list[Message]:
        """Return the messages that the bot has posted in a channel, without responses, oldest first."""
        channel = self.place(where)
        messages = [message for message in self.world.messages.values() if message.channel is channel]
        return [message for message in messages if message.author is self.world.bot and not message.webhook]
