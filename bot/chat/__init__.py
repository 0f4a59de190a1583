"""What every chat platform needs and none owns: asking, conversations, rate limits, texts, metrics, logs.

`asking.Assistant` is the bot without a platform. A surface (`bot.discordapp` is one) translates between it
and a platform: it renders answers and notices, and sends them. Nothing here imports a platform's library.
docs/architecture.md, "Add a chat platform", says what a surface implements and what it gets.
"""

__all__ = [
    "answer_text",
    "asking",
    "conversations",
    "logs",
    "messages",
    "metrics",
    "quote_links",
    "rebuilds",
    "tasks",
]
