"""The terminal surface: `footnote ask`, for one question or a batch, and `footnote chat`."""

__all__ = ["ask", "chat"]
