"""The people and places of the loopback Discord, and the application that the bot belongs to."""

from __future__ import annotations

import itertools
import time

from tests.wire.permissions import EVERYDAY, Overwrite
from tests.wire.places import FORUM, GROUP, THREAD, Channel, Guild, Role, User, now_text
from tests.wire.records import Json

__all__ = ["Channel", "Guild", "Role", "User", "World", "now_text"]

_EPOCH_MS = 1_420_070_400_000


class World:
    """Every account, server and channel, with the application that the bot belongs to."""

    def __init__(self) -> None:
        self._count = itertools.count(1)
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.bot = self.user("Footnote", bot=True)
        self.owner = self.user("owner")
        self.application_id = self.new_id()
        self.team: list[tuple[User, str, int]] | None = None
        """(user, role, membership state) of each member of the owning team, the team's owner first."""
        self.install_contexts = {0, 1}
        """How the application may be installed: 0 to servers, 1 to accounts."""

    def new_id(self) -> int:
        """Return a snowflake of this moment that nothing else has."""
        return (int(time.time() * 1000) - _EPOCH_MS) << 22 | next(self._count)

    def user(self, name: str, *, bot: bool = False, locale: str = "en-US") -> User:
        """Make an account."""
        made = User(self.new_id(), name, bot, locale)
        self.users[made.id] = made
        return made

    def guild(
        self, name: str = "server", *, owner: User | None = None, bot: bool = True, on: int | None = None
    ) -> Guild:
        """Make a server with one channel, "general", in which the owner and, if `bot`, the bot are members.

        `on` is its id, where that matters (for shards).
        """
        made = Guild(on or self.new_id(), name, owner or self.user(f"owner of {name}"))
        made.roles[made.id] = Role(made.id, "@everyone", EVERYDAY)
        made.bot = self.bot if bot else None
        made.members = {user.id: (user, []) for user in (made.owner, made.bot) if user}
        self.guilds[made.id] = made
        self.channel(made)
        return made

    def channel(self, guild: Guild, name: str = "general", *, kind: int = 0) -> Channel:
        """Make a text channel."""
        made = Channel(self.new_id(), name, guild, kind=kind)
        guild.channels.append(made)
        self.channels[made.id] = made
        return made

    def forum(self, guild: Guild, name: str = "questions") -> Channel:
        """Make a forum channel, whose threads are posts."""
        return self.channel(guild, name, kind=FORUM)

    def thread(self, parent: Channel, owner: User, name: str, thread_id: int) -> Channel:
        """Make a thread; nobody is told (see `LoopbackDiscord.thread`)."""
        assert parent.guild is not None, "threads are in servers"
        assert thread_id not in self.channels, "that message has a thread already"
        made = Channel(thread_id, name, parent.guild, kind=THREAD, parent=parent, owner=owner)
        parent.guild.threads.append(made)
        self.channels[made.id] = made
        return made

    def role(self, guild: Guild, name: str, permissions: int = 0) -> Role:
        """Make a role."""
        made = Role(self.new_id(), name, permissions)
        guild.roles[made.id] = made
        return made

    def join(self, guild: Guild, user: User, *roles: Role) -> User:
        """Make the user a member with these roles."""
        guild.members[user.id] = (user, [role.id for role in roles])
        return user

    def deny(self, channel: Channel, bits: int, whom: User | Role | None = None) -> None:
        """Take permissions in a channel from the bot, or from another member or role; 0 gives all back.

        A connected bot is not told (see `LoopbackDiscord.deny`).
        """
        target = whom or self.bot
        channel.overwrites[target.id] = Overwrite(member=isinstance(target, User), denied=bits)

    def dm(self, user: User) -> Channel:
        """Return the direct message channel between the bot and the user."""
        for channel in self.channels.values():
            if channel.recipient is user:
                return channel
        made = Channel(self.new_id(), recipient=user)
        self.channels[made.id] = made
        return made

    def group_dm(self, *people: User, name: str = "") -> Channel:
        """Make a private channel of people, in which the bot is not."""
        made = Channel(self.new_id(), name, kind=GROUP, people=list(people))
        self.channels[made.id] = made
        return made

    def application(self) -> Json:
        """Return the application object, owned by one account or by the team."""
        base: Json = {
            "id": str(self.application_id), "name": self.bot.name, "icon": None, "description": "",
            "bot_public": True, "bot_require_code_grant": False, "verify_key": "00" * 32, "team": None,
            "owner": self.owner.payload(), "flags": 0, "bot": self.bot.payload(), "redirect_uris": [],
            "interactions_endpoint_url": None, "approximate_guild_count": len(self.guilds),
            "integration_types_config": {str(one): {} for one in sorted(self.install_contexts)},
        }  # fmt: skip
        if self.team is None:
            return base
        team_id = str(self.new_id())
        members = [
            {
                "user": user.payload(),
                "role": role,
                "membership_state": state,
                "team_id": team_id,
                "permissions": ["*"],
            }
            for user, role, state in self.team
        ]
        owner = {**self.owner.payload(), "id": team_id, "username": f"team{team_id}"}
        team = {"id": team_id, "name": "team", "icon": None, "members": members}
        return base | {"owner": owner, "team": team | {"owner_user_id": str(self.team[0][0].id)}}
