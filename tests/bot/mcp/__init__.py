"""Tests of `bot.mcp`, with the client of its own library."""
