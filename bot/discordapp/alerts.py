"""What the admins are told of in direct messages: that the index is damaged, and that it is whole again."""

from __future__ import annotations

import logging

import discord

from bot.chat.words import DEFAULT, words_in
from bot.discordapp.delivery import LOST
from bot.discordapp.escape import fit
from bot.discordapp.notices import notice, said
from bot.discordapp.talk import Surface
from bot.service.live_index import Damage

__all__ = ["tell_admins"]

_ROOM = 2000

_log = logging.getLogger(__name__)


async def tell_admins(surface: Surface, client: discord.Client, damage: Damage | None) -> int:
    """Tell each admin by direct message what is damaged, or that all is well again; return how many heard.

    Admins are the application's owner or team, and the users that the settings name; of a role's members the
    bot knows nothing. Whoever takes no direct messages is named in the log.
    """
    words, told = words_in(DEFAULT), 0
    if damage is None:
        embed = said(words, "whole_again", generation=fit((await surface.service.status()).generation, 100))
    else:
        embed = notice(words("damaged"), fit(damage.told, _ROOM), fault=True)
    for user in sorted(surface.owners() | surface.settings.discord_admin_users):
        try:
            channel = await client.create_dm(discord.Object(user))
            await channel.send(embed=embed)
        except LOST as error:
            _log.warning("The admin %s could not be told of the index by direct message: %s", user, error)
        else:
            told += 1
    return told
