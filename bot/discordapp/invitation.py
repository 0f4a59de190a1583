"""The links by which the bot is added to a server, or by one user to their own account."""

from __future__ import annotations

import discord
from yarl import URL

from bot.discordapp.connection import logged_in
from bot.settings import BotSettings

__all__ = ["NEEDED", "PERMISSIONS", "SCOPES", "invitation", "invite_url", "user_install_url"]

SCOPES = ("bot", "applications.commands")
"""`bot` puts the bot into the server, `applications.commands` its commands."""

NEEDED = {
    "view_channel": "to see the channels in which it is asked",
    "send_messages": "to answer mentions",
    "send_messages_in_threads": "to answer in threads and forum posts",
    "embed_links": "to show answers, which are embeds",
    "attach_files": "to send unanswered questions as a file (`/gaps export`)",
    "read_message_history": "to answer as a reply, and to see what a reply leans on",
}
"""Each permission that the bot needs, by discord.py's name, and what for; none beyond these is asked for."""

PERMISSIONS = discord.Permissions(**dict.fromkeys(NEEDED, True))
"""Exactly what Footnote needs in a server."""

_TO_SERVER, _TO_USER = 0, 1


def invite_url(application_id: int, *, guild: int | None = None) -> str:
    """Return the link that adds the bot to a server; with `guild` to that one, chosen beforehand."""
    place = discord.utils.MISSING if guild is None else discord.Object(guild)
    url = discord.utils.oauth_url(application_id, permissions=PERMISSIONS, guild=place, scopes=SCOPES)
    return str(URL(url).update_query(integration_type=_TO_SERVER))


def user_install_url(application_id: int) -> str:
    """Return the link by which a user adds the bot's commands to their own account, for use anywhere."""
    url = discord.utils.oauth_url(application_id, scopes=("applications.commands",))
    return str(URL(url).update_query(integration_type=_TO_USER))


async def invitation(settings: BotSettings, *, guild: int | None = None) -> str:
    """Log in over HTTP only to learn the application's id, and return the link to a server.

    Raises:
        DiscordRefusedError: there is no token, or Discord refuses it or cannot be reached.
    """
    async with logged_in(settings) as client:
        return invite_url(_application_of(client), guild=guild)


def _application_of(client: discord.Client) -> int:
    """Return the id of the application that the client has logged in as."""
    if client.application_id is None:
        raise discord.MissingApplicationID
    return client.application_id
