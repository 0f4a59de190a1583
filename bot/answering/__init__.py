"""Hits to an answer: what is quoted, what is cited, how sure that is, and why. Knows no chat surface.

`answer` makes answers; `confidence` turns signals into a verdict; `explanation` says how an answer came
about; `followups` reads a question together with the one before it; `verify` checks whether a quote stands
in the articles letter for letter.
"""

__all__ = ["answer", "confidence", "explanation", "followups", "verify"]
