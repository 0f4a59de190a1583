"""Stored records: per-server settings, unanswered questions ("gaps") and feedback, in one SQLite file.

`store.Records` is the asynchronous interface to the file. Users are stored only as keyed hashes. Nothing here
depends on a chat platform, on the index or on how answers are found.
"""

__all__ = ["gaps", "settings", "store"]
