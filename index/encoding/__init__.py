"""Text to vectors: finds an encoder model, exports it once to ONNX, and encodes with the export.

A build encodes passages and the service encodes questions, both with an `Encoder`, by ONNX Runtime.
sentence-transformers loads any model; it is the reference that an export must agree with. `packing` makes
token vectors small.
"""

__all__ = ["encoder", "exports", "models", "packing", "reference"]
