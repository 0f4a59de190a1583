"""Footnote's own texts that the tests look for."""

from __future__ import annotations

# Titles of answers
ANSWERED = "The articles say"
RELATED = "Close, but maybe not an answer"
NOT_FOUND = "The articles do not seem to say"
READ_TOGETHER = "Read together with: "
NO_ANSWER = "Close, but not an answer:"
IN_LANGUAGE = {
    "en": "The articles say",
    "de": "Die Artikel sagen",
    "es": "Los artículos dicen",
    "fr": "Les articles disent",
}

# Buttons
CONTEXT = "Show context"
NEXT = "Next source"
FOLLOW_UP = "Ask a follow-up"
HELPFUL = "Helpful"
NOT_HELPFUL = "Not helpful"
WHY = "Why?"
HELPERS = "Ask the helpers"
WHY_IN = {"de": "Warum", "es": "Por qué", "fr": "Pourquoi"}

# The context menu of a message
ANSWER_THIS = "Answer this"
CHECK_THIS = "Check this quote"

# Titles of what buttons show
IN_CONTEXT = "In context"
SOURCE = "Source {} of {}"
REASONS = "Why this verdict"
CHANGED = "This article has changed"
LOST = "The question can no longer be read"
OLD_BUTTON = "This button is from an older version"
THANKS = "Thank you"
PASSED_ON = "Passed on"
NOT_PASSED_ON = "The helpers could not be told"
NO_HELPERS = "This server has no helpers"

# Notices
HELP = "Ask a question"
WELCOME = "You are welcome"
STOPPING = "Footnote is stopping"
BUSY = "Too many questions are waiting"
TOO_FAST = "That was quick"
FAULT = "Something went wrong"
NEVER_HERE = "Footnote does not answer in this channel"
NOT_ALLOWED = "You may not do that here"
SERVER_ONLY = "This only works in a server"
NO_ARTICLE = "There is no such article"
NO_COLLECTION = "There is no such collection"
NOT_TAKEN = "The answer was not accepted"
WITHHELD = "Your reply cannot be read here"
DAMAGED = "The index is damaged"
WHOLE_AGAIN = "The index is whole again"
COMMAND_CHANGED = "This command has changed"
RECORDING_OFF = "Footnote's operator has switched recording off."
WRONG_CHANNEL = "This does not work for such a channel"
IN_LINE = "You are number 5 in line"
SECONDS_TO_WAIT = r"Try again in (\d+) s\."

# Settings and unanswered questions
NONE = "There are none."
SETTINGS_DEFAULT = "Nothing is set"
SETTINGS_CHANGED = "Changed"
NEEDS_INTENT = "message-content intent"
ASKED = "asked {} times (people: {})"
ASKED_ONCE = "asked once"
MORE = r"and (\d+) more"
NOW_ANSWERED = "This question was asked here before, and has an answer now"

# The index
INDEX = "Index"
REBUILDING = "Rebuilding the index"
REBUILT = "The index has been rebuilt"
REBUILD_FAILED = "The rebuild failed; the index is unchanged"
OTHER_REBUILD = "Another rebuild is running"
GIVEN_UP = "The rebuild was cancelled"
ROLLED_BACK = "Answers come from another generation"
NOT_ROLLED_BACK = "The rollback failed"
SOURCES = "Sources"
NO_SOURCES = "There are no sources. `/sources add` adds one."
NEWS = "The articles have changed"
BAD_NEWS = "Sources could not be refreshed"
PRESENCE = "Answering from {} articles"

# Verified quotes
CHECKED = "Is it in the articles?"
EXACT = "Word for word"
ALTERED = "Changed"
ABSENT = "Not in the articles"

# Log lines
POST_FAILED = "could not be posted"
PASS_ON_FAILED = "could not be passed on"
EXPIRED = "no longer waits"
NOT_REGISTERED = "could not be registered"
REGISTERED = "The commands were registered"
CONNECTED = "Footnote is on 127.0.0.1:"
EVENT_SKIPPED = "skipped"
CONNECTION_LOST = "was lost (shard 0)"
CONNECTION_BACK = "is back (shard 0)"
RESPONSE_UNREAD = "cannot be read ("
