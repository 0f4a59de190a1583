"""The slash commands and message menus: the words, checks and view of each command together."""

__all__ = ["ask", "index", "records", "verify"]
