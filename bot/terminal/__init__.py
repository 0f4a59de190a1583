"""The terminal surface: `footnote ask`, for one question or a batch, and `footnote chat`.

`ask` and `chat` each run one command. `rendering` prints answers for people.
"""

__all__ = ["ask", "chat", "rendering"]
