"""The Discord surface, the only package that imports discord: it renders and delivers, and decides nothing.

`client` handles events, the `..._commands` are what users call, `buttons` those under an answer, `messages`
questions in messages. `embeds` and `markdown` render; `delivery` posts with what Discord allows.
"""

__all__ = ["client", "connection"]
