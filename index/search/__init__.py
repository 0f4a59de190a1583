"""A question to hits: its terms, candidates from two searches, late interaction, and the scores of each hit.

`search` is the way in; `hits` is what it returns, with each score named and explained; `calibration` is the
fitted confidence as data; `abbreviations` finds those that articles introduce, for the build.
"""

__all__ = ["abbreviations", "calibration", "hits", "late_interaction", "question", "search"]
