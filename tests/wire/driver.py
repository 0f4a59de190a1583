"""What a test does on the loopback Discord: people write, use and press things, and read what is shown."""

from __future__ import annotations

from typing import Any

from tests.wire.interactions import Interaction, Use
from tests.wire.server import LoopbackDiscord
from tests.wire.world import Channel, Guild, Json, Kind, Message, User

__all__ = ["Where", "Wire"]

Where = Channel | Guild | User
"""A channel; a server, for its first channel; a person, for their direct messages with the bot."""

_REPLY, _HAS_THREAD = 19, 1 << 5


class Wire(LoopbackDiscord):
    """A loopback Discord with people in it."""

    def place(self, where: Where) -> Channel:
        """Return the channel that is meant."""
        if isinstance(where, Guild):
            return where.channels[0]
        return self.world.between(where) if isinstance(where, User) else where

    # Servers, and what is in them

    async def server(self, *names: str, **more: Any) -> tuple[Any, ...]:
        """Make a server with these members, and tell the bot of it; return them."""
        guild = self.world.guild(**more)
        members = [self.world.join(guild, self.world.user(name)) for name in names]
        await self.announce(guild)
        return guild, *members

    async def announce(self, guild: Guild) -> None:
        """Tell the bot of a server as it is now."""
        if guild.bot is not None:
            await self.gateway.dispatch("GUILD_CREATE", guild.payload(), guild.id)

    async def channel(self, guild: Guild, name: str = "second", kind: Kind = Kind.TEXT) -> Channel:
        """Make a channel."""
        return await self._tell("CHANNEL_CREATE", self.world.channel(guild, name, kind))

    async def thread(self, where: Where, user: User, name: str, on: Message | None = None) -> Channel:
        """Start a thread, of its own or on a message."""
        parent = self.place(where)
        assert parent.guild is not None
        about: dict[str, Any] = {"parent": parent, "owner": user, "id": on.id if on else None}
        if on is not None:
            on.flags |= _HAS_THREAD
        made = self.world.channel(parent.guild, name, Kind.THREAD, **about)
        return await self._tell("THREAD_CREATE", made, newly_created=True)

    async def post(self, forum: Channel, user: User, title: str, text: str | None, **more: Any) -> Channel:
        """Make a forum post: a thread with this title, and (unless that never comes) its first message."""
        made = await self.thread(forum, user, title)
        if text is not None:
            await self.say(user, made, text, id=made.id, **more)
        return made

    async def deny(self, where: Where, permissions: int) -> None:
        """Take permissions from the bot in a channel; 0 gives all back."""
        channel = self.place(where)
        channel.denied = permissions
        await self._tell("CHANNEL_UPDATE", channel)

    async def lock(self, thread: Channel) -> None:
        """Lock a thread."""
        thread.locked = True
        await self._tell("THREAD_UPDATE", thread)

    async def remove(self, channel: Channel) -> None:
        """Delete a channel or thread."""
        await self._tell("THREAD_DELETE" if channel.kind is Kind.THREAD else "CHANNEL_DELETE", channel)
        del self.world.channels[channel.id]

    async def _tell(self, event: str, channel: Channel, **more: Any) -> Channel:
        assert channel.guild is not None
        await self.gateway.dispatch(event, channel.payload() | more, channel.guild.id)
        return channel

    # What people do

    async def say(
        self,
        user: User,
        where: Where,
        text: str,
        to: Message | None = None,
        *,
        ping: bool = True,
        **more: Any,
    ) -> Message:
        """Write a message, or reply to one; with `ping` that one's author is mentioned."""
        about: dict[str, Any] = {"reply_to": to, "kind": _REPLY} if to else {}
        made = self.messages.make(self.place(where), user, {"content": text}, **about, **more)
        if to is not None and ping and to.author not in made.mentions:
            made.mentions.append(to.author)
        await self.messages.announce(made)
        return made

    async def slash(
        self, user: User, command: str, where: Where, *, by_user: bool = False, **options: Any
    ) -> Interaction:  # fmt: skip
        """Use a command ("index rebuild"); `by_user`: having installed the bot for oneself."""
        (name, *inner), given = command.split(), {key: one for key, one in options.items() if one is not None}
        data = self.commands.fill(name, inner, given)
        return await self._use("command", user, self.place(where), f"/{command}", data, by_user=by_user)

    async def suggested(self, user: User, command: str, where: Where, option: str, typed: str) -> list[Json]:
        """Type into an option of a command, and return what the bot suggests."""
        name, *inner = command.split()
        data = self.commands.fill(name, inner, {option: typed}, option)
        used = await self._use("suggestion", user, self.place(where), f"/{command}", data)
        await self.log.until(lambda: used.choices is not None, f"suggestions of /{command}")
        return used.choices or []

    async def menu(self, user: User, name: str, message: Message, *, by_user: bool = False) -> Interaction:
        """Use an entry of a message's menu; the bot gets the content in any case."""
        found = {"messages": {str(message.id): message.payload(nested=False)}}
        data = self.commands.fill(name, [], {}) | {"target_id": str(message.id), "resolved": found}
        return await self._use("command", user, message.channel, name, data, by_user=by_user)

    async def press(self, user: User, message: Message, label: str) -> Interaction:
        """Press a button of a message."""
        assert not message.deleted, "that message is gone"
        data = {"custom_id": message.buttons[label]["custom_id"], "component_type": 2, "id": 1}
        by_user = "1" in (message.interaction or {}).get("authorizing_integration_owners", {})
        return await self._use("button", user, message.channel, label, data, message, by_user=by_user)

    async def submit(self, opened: Interaction, *texts: str) -> Interaction:
        """Fill in the form that the bot answered with, and send it."""
        form = await self.form(opened)
        sent = [
            {"type": part["type"], "id": 1, "component": part["component"] | {"value": text, "id": 2}}
            for part, text in zip(form["components"], texts, strict=True)
        ]
        data = {"custom_id": form["custom_id"], "components": sent}
        return await self._use("form", opened.user, opened.channel, form["title"], data, opened.message)

    async def _use(
        self, use: Use, user: User, channel: Channel, name: str, data: Json, message: Message | None = None,
        *, by_user: bool = False,
    ) -> Interaction:  # fmt: skip
        guild = channel.guild
        owners = {"0": str(guild.id) if guild else "0"} if guild is None or guild.bot else {}
        owners |= {"1": str(user.id)} if by_user else {}
        more: Json = {"data": data, "owners": owners, "message": message}
        return await self.interactions.begin(use, user, channel, name, **more)

    # What people read

    async def form(self, used: Interaction) -> Json:
        """Wait for the form that the bot answers with."""
        await self.log.until(lambda: used.form, f"a form from {used.name}")
        return used.form or {}

    async def answer(self, used: Interaction, within: float = 5.0) -> Message:
        """Wait for the finished response: its message, or the last follow-up."""
        found = await self.log.until(lambda: used.outcome, f"an answer to {used.name}", within)
        assert found is not None
        return found

    async def reply(self, message: Message, within: float = 5.0) -> Message:
        """Wait for the bot's reply to a message."""

        def replies() -> list[Message]:
            return [one for one in self.said(message.channel) if one.reply_to is message]

        return (await self.log.until(replies, "a reply", within))[0]

    def said(self, where: Where) -> list[Message]:
        """Return the bot's own messages in a channel, without responses, oldest first."""
        here = [one for one in self.world.messages.values() if one.channel is self.place(where)]
        return [one for one in here if one.author is self.world.bot and not one.webhook]
