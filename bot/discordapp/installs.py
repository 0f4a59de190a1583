"""Where each kind of command is offered, said on purpose.

Asking and checking work everywhere, also for people who installed the bot for themselves: the articles are
the same for all. What is about a server's own rows is offered in servers that the bot is a member of.
"""

from __future__ import annotations

import discord
from discord import app_commands

__all__ = ["ANYWHERE", "ANY_INSTALL", "IN_SERVERS", "MANAGERS", "SERVERS_AND_DIRECT", "SERVER_INSTALL"]

ANYWHERE = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True)
SERVERS_AND_DIRECT = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False)
IN_SERVERS = app_commands.AppCommandContext(guild=True, dm_channel=False, private_channel=False)

ANY_INSTALL = app_commands.AppInstallationType(guild=True, user=True)
SERVER_INSTALL = app_commands.AppInstallationType(guild=True, user=False)

MANAGERS = discord.Permissions(manage_guild=True)
"""Who sees the commands for managers before a server says otherwise; the bot itself checks again."""
