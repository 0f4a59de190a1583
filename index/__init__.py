"""Articles to a searchable index on disk, and questions to the passages that hold their answers.

Knows nothing of chat.
"""

__all__: list[str] = []
