"""Evaluation: how well Footnote finds, quotes and declines on questions with gold answers.

`command` is `footnote eval`: question sets are asked of real indexes, measured and reported, and the
confidence is fitted to them if asked. `gate` asks the operator's gold questions of a new generation before
it is published, and needs none of the packages of the extra `eval`. Only `bot.cli` imports this package.
"""

__all__ = ["command", "gate"]
