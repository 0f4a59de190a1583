"""Readers: a question read against the sentences of hits. Which one answers, and whether any does.

`reader` is the protocol, `registry` opens those that a setting names: `trained` ships with Footnote,
`extractive` is any question-answering model (`extractive_export` prepares it), `language_model` asks a server
that may only choose. `evidence` is what `trained` reads.
"""

__all__ = ["evidence", "extractive", "extractive_export", "language_model", "reader", "registry", "trained"]
