"""Text to vectors: finds an encoder model, opens it, and keeps its ONNX export.

A build encodes passages and the service encodes questions, both with an `Encoder`. sentence-transformers is
the reference and computes for any model; ONNX Runtime computes by an export of the model, without torch.
"""

__all__ = ["compression", "encoder", "models", "onnx_encoder", "opening", "reference"]
