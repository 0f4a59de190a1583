"""What Footnote keeps on disk: settings of servers and channels, unanswered questions, feedback.

One SQLite file, read and written in one thread; `Records` is its face. People are in it as keyed hashes only.
Knows nothing of a chat surface, of the index or of how questions are answered.
"""

from bot.records.feedback import Feedback
from bot.records.gaps import Gap
from bot.records.people import Asked, PersonRecords
from bot.records.sameness import SAME
from bot.records.settings import AnswersTo, ChannelSettings
from bot.records.store import Records

__all__ = ["SAME", "AnswersTo", "Asked", "ChannelSettings", "Feedback", "Gap", "PersonRecords", "Records"]
