"""The Discord surface, the only place that imports discord.

`running.run` runs the bot until it is told to stop; `connection.check_connection` only tries the token.
"""

__all__: list[str] = []
