"""`footnote mcp`: quotes as a tool of assistants, by the Model Context Protocol (the extra `mcp`).

From outside, use `server.run` (standard input and output) and `server.add_to` (under `footnote web --mcp`).
"""

__all__ = ["server"]
