"""Hits to an answer: what is quoted, what is cited, how sure that is, and why. Knows no chat surface.

`answer` has what surfaces show, as data; `quoting` makes it of hits; `explanation` says how it came about;
`followups` reads a question together with the one before it, `questions` tells what a message asks, `remarks`
what asks nothing; `verify` checks whether a quote stands in the articles letter for letter.
"""

__all__ = ["answer", "explanation", "followups", "questions", "quoting", "remarks", "verify"]
