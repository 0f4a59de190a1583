"""What can go wrong in the bot, beside what can go wrong in the index.

FootnoteError (index.errors)
└── MissingError          69
    └── DiscordRefusedError    correct the token, the intents or the address
"""

from __future__ import annotations

from index.errors import MissingError

__all__ = ["DiscordRefusedError"]


class DiscordRefusedError(MissingError):
    """Discord cannot be reached, or refuses the bot; the message says what to do about it."""
