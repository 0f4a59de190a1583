"""Articles to passages and sentences, and what the encoder reads of a passage.

`splitting` cuts an article into passages of whole sentences with exact spans, which `sentences` finds;
`encoder_input` gives the text that is encoded for a passage, the spans of its sentences in that text, and the
passage's key.
"""

__all__ = ["encoder_input", "sentences", "splitting"]
