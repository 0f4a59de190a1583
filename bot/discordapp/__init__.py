"""The Discord surface, the only package that imports discord: it renders and delivers, and decides nothing.

`client` handles events, `commands` has a module for each group of commands, `buttons` those under an answer,
`messages` questions in messages. `embeds` and `markdown` render; `delivery` posts with what Discord allows.
"""

__all__ = ["client", "connection", "running"]
