"""What people do with the bot's commands, buttons, menus and forms."""

from __future__ import annotations

from typing import Any, Literal

from tests.wire.components import SELECTS, buttons_of, find_button, find_select
from tests.wire.forms import Texts, filled
from tests.wire.interactions import Interaction, Interactions
from tests.wire.messages import EPHEMERAL, Messages
from tests.wire.options import Filling, nested
from tests.wire.permissions import ALL, VIEW_CHANNEL
from tests.wire.places import GROUP, Channel, Guild, User
from tests.wire.records import Json, Log
from tests.wire.world import World

__all__ = ["Using"]

Where = Channel | Guild | None
Installed = Literal["guild", "user"]

_SLASH, _MESSAGE_MENU = 1, 3
_IN_SERVER, _WITH_BOT, _PRIVATE = 0, 1, 2


class Using:
    """The part of `LoopbackDiscord` in which people use what the bot offers."""

    world: World
    log: Log
    messages: Messages
    interactions: Interactions

    def place(self, where: Where, user: User, context: int | None = None) -> Channel:
        """Return the channel that is meant: of a server its first, else the person's with the bot."""
        if isinstance(where, Guild):
            return where.channels[0]
        if where is None:
            return self.world.group_dm(user) if context == _PRIVATE else self.world.dm(user)
        return where

    def _offer(self, name: str, kind: int, where: Channel, user: User, installed: Installed) -> Json:
        """Return the registered command, the context and the owners; fail where it is not offered."""
        guild = where.guild
        registered = self.interactions.registered.find(name, kind, guild.id if guild else None)
        label = f"/{name}" if kind == _SLASH else f"menu {name!r}"
        assert registered is not None, f"{label} is not registered"
        context = _IN_SERVER if guild else _PRIVATE if where.kind == GROUP else _WITH_BOT
        if "guild_id" in registered:
            return {"command": registered, "context": context, "owners": {"0": registered["guild_id"]}}
        assert context in (registered.get("contexts") or [0, 1, 2]), f"{label} is not offered there"
        kinds = registered["integration_types"]
        owners: dict[str, str] = {}
        if 0 in kinds and context != _PRIVATE and (guild is None or guild.bot):
            owners["0"] = str(guild.id) if guild else "0"
        if installed == "user":
            assert 1 in kinds, f"{label} is not offered to those who installed it for themselves"
            owners["1"] = str(user.id)
        assert owners, f"{label} is not offered there: the application is not installed"
        return {"command": registered, "context": context, "owners": owners}

    def _present(self, where: Channel, user: User) -> None:
        """Fail where the person cannot be in the channel."""
        if where.guild is not None:
            assert user.id in where.guild.members, f"{user.name} is not in {where.guild.name}"
            assert where.guild.permissions_of(user, where) & VIEW_CHANNEL, f"{user.name} cannot see it"
        elif where.kind == GROUP:
            assert user in where.people, f"{user.name} is not in that group"
        else:
            assert where.recipient is user, f"{user.name} cannot read another's direct messages"

    def commands_shown(
        self, user: User, channel: Where = None, *, installed: Installed = "guild"
    ) -> list[str]:
        """Return the names of the commands that Discord's client offers the person there.

        By contexts, ways of installation, and `default_member_permissions`.
        """
        where, found = self.place(channel, user), []
        held = where.guild.permissions_of(user, where) if where.guild else ALL
        own = self.interactions.guild_commands.get(where.guild.id, []) if where.guild else []
        for one in [*self.interactions.commands, *own]:
            try:
                self._offer(one["name"], one["type"], where, user, installed)
            except AssertionError:
                continue
            needed = one["default_member_permissions"]
            if needed is None or held == ALL or (needed != "0" and int(needed) & held == int(needed)):
                found.append(str(one["name"]))
        return found

    async def slash(
        self,
        command: str,
        user: User,
        channel: Where = None,
        /,
        *,
        context: int | None = None,
        installed: Installed = "guild",
        **options: Any,
    ) -> Interaction:
        """Use a command ("index rebuild" for a sub-command) in a channel, a server or by direct message.

        Options that name people, channels or roles take those, or their ids. `context=2` is a private
        channel without the bot; `installed="user"` is somebody who installed the application for themselves.
        """
        name, *path = command.split()
        where = self.place(channel, user, context)
        self._present(where, user)
        offer = self._offer(name, _SLASH, where, user, installed)
        registered, filling = offer.pop("command"), Filling(where.guild, user)
        given = nested(filling.fill(registered, path, options), path)
        data = self._data(registered) | {"options": given}
        if filling.resolved:
            data["resolved"] = filling.resolved
        return await self.interactions.begin("command", user, where, command, data=data, **offer)

    async def autocomplete(
        self,
        command: str,
        user: User,
        channel: Where = None,
        /,
        *,
        focused: str,
        context: int | None = None,
        installed: Installed = "guild",
        within: float = 3.0,
        **options: Any,
    ) -> list[Json]:
        """Type into an option that suggests; return what the bot suggests, which Discord has checked."""
        name, *path = command.split()
        where = self.place(channel, user, context)
        self._present(where, user)
        offer = self._offer(name, _SLASH, where, user, installed)
        registered, filling = offer.pop("command"), Filling(where.guild, user)
        given = nested(filling.fill(registered, path, options, focused), path)
        data = self._data(registered) | {"options": given}
        used = await self.interactions.begin("autocomplete", user, where, command, data=data, **offer)
        await self.log.until(lambda: used.choices is not None, f"suggestions of /{command}", within)
        return used.choices or []

    @staticmethod
    def _data(registered: Json) -> Json:
        data = {key: registered[key] for key in ("id", "name", "type")}
        return data | ({"guild_id": registered["guild_id"]} if "guild_id" in registered else {})

    async def menu(
        self,
        name: str,
        user: User,
        message: Json,
        channel: Where = None,
        *,
        installed: Installed = "guild",
    ) -> Interaction:
        """Use a command of a message's menu, on anybody's message; the bot gets the content in any case."""
        where = self.place(channel, user) if channel is not None else self.messages.channel_of(message)
        self._present(where, user)
        assert int(message["id"]) in self.messages.all, "that message is gone"
        assert message["channel_id"] == str(where.id), "that message is in another channel"
        offer = self._offer(name, _MESSAGE_MENU, where, user, installed)
        whole = self.messages.seen(self.messages.all[int(message["id"])], content=True, nested=False)
        about = {"target_id": message["id"], "resolved": {"messages": {message["id"]: whole}}}
        data = self._data(offer.pop("command")) | about
        return await self.interactions.begin("command", user, where, name, data=data, **offer)

    # Components and forms

    def buttons(self, message: Json) -> list[str]:
        """Return what stands on the buttons of the message as it is now."""
        return buttons_of(self.messages.all.get(int(message["id"]), message))

    def custom_id_of(self, message: Json, label: str) -> str:
        """Return the custom id of the button with this text (of a link, its address)."""
        button = find_button(self.messages.all.get(int(message["id"]), message), label)
        return str(button.get("custom_id") or button["url"])

    def _standing(self, user: User, message: Json) -> Json:
        """Return the message as it is now; fail where the person cannot see it, or it is gone."""
        found = self.messages.all.get(int(message["id"]))
        assert found is not None, "that message is gone"
        self._present(self.messages.channel_of(found), user)
        if found["flags"] & EPHEMERAL:
            assert found["interaction_metadata"]["user"]["id"] == str(user.id), "only another can see that"
        return found

    async def _touch(self, user: User, message: Json, label: str, data: Json) -> Interaction:
        where = self.messages.channel_of(message)
        context = _IN_SERVER if where.guild else _PRIVATE if where.kind == GROUP else _WITH_BOT
        default = {"0": str(where.guild.id) if where.guild else "0"}
        owners = message.get("interaction_metadata", {}).get("authorizing_integration_owners", default)
        return await self.interactions.begin(
            "component", user, where, label, data=data, owners=owners, context=context, message=message
        )

    async def press(self, user: User, message: Json, button: str) -> Interaction:
        """Press a button of the bot's message, by what stands on it or by custom id."""
        standing = self._standing(user, message)
        found = find_button(standing, button)
        assert not found.get("disabled"), f"{button!r} is disabled"
        assert "custom_id" in found, f"{button!r} is a link"
        data = {"custom_id": found["custom_id"], "component_type": 2, "id": found.get("id", 1)}
        return await self._touch(user, standing, str(found.get("label") or button), data)

    async def choose(self, user: User, message: Json, menu: str, values: Any) -> Interaction:
        """Choose in a select menu (by custom id or placeholder): values, labels, people, roles, channels."""
        standing = self._standing(user, message)
        found = find_select(standing, menu)
        assert not found.get("disabled"), f"{menu!r} is disabled"
        chosen = [values] if isinstance(values, str) or not isinstance(values, list | tuple) else list(values)
        assert found.get("min_values", 1) <= len(chosen) <= found.get("max_values", 1), "too few or too many"
        data: Json = {"custom_id": found["custom_id"], "component_type": found["type"]}
        if found["type"] == SELECTS[0]:
            known = {one[key]: one["value"] for key in ("label", "value") for one in found["options"]}
            assert set(chosen) <= set(known), f"{menu!r} offers {sorted(known)}"
            data["values"] = [known[one] for one in chosen]
        else:
            filling = Filling(self.messages.channel_of(standing).guild, user)
            kind = {5: 6, 6: 8, 8: 7}[found["type"]]
            option = {"name": menu, "type": kind, "channel_types": found.get("channel_types")}
            data["values"] = [filling.resolve(option, one) for one in chosen]
            data["resolved"] = filling.resolved
        return await self._touch(user, standing, menu, data)

    async def form(self, interaction: Interaction, within: float = 3.0) -> Json:
        """Wait for the form that the bot answers with, and return it."""
        await self.log.until(lambda: interaction.modal is not None, f"a form from {interaction.name}", within)
        assert interaction.modal is not None
        return interaction.modal

    async def submit(
        self, interaction: Interaction, texts: Texts | None = None, /, **by_name: Any
    ) -> Interaction:
        """Fill in the form that the bot answered with, and submit it.

        Texts by label or custom id, or in order; what is not given stays as the form has it.
        """
        modal = await self.form(interaction)
        sent = filled(modal, by_name if texts is None else texts)
        return await self.interactions.begin(
            "modal", interaction.user, interaction.channel, modal["title"],
            data={"custom_id": modal["custom_id"], "components": sent}, owners=interaction.owners,
            context=interaction.context, message=interaction.message, source=interaction,
        )  # fmt: skip
