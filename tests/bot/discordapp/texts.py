"""Footnote's own texts that the tests look for."""

from __future__ import annotations

# Titles of answers
ANSWERED = "The articles say"
RELATED = "Close, but maybe not an answer"
NOT_FOUND = "The articles do not seem to say"
READ_TOGETHER = "Read together with: "
NO_ANSWER = "not given as an answer"
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
IN_CONTEXT = "In its place"
SOURCE = "Source {} of {}"
REASONS = "Why this verdict"
CHANGED = "This article has changed"
LOST = "The question can no longer be seen"
OLD_BUTTON = "This button is of an older version"
THANKS = "Thank you"
PASSED_ON = "Passed on"
NOT_PASSED_ON = "The helpers could not be told"
NO_HELPERS = "This server names no helpers"

# Notices
HELP = "Ask a question"
STOPPING = "Footnote is stopping"
BUSY = "Too many questions are waiting"
TOO_FAST = "That was quick"
FAULT = "Something went wrong"
NEVER_HERE = "Footnote does not answer in this channel"
NOT_ALLOWED = "You may not do that here"
SERVER_ONLY = "This works in a server only"
NO_ARTICLE = "There is no such article"
NOT_TAKEN = "Discord did not take the answer"
DAMAGED = "The index is damaged"
WHOLE_AGAIN = "The index is whole again"
COMMAND_CHANGED = "This command has changed"
RECORDING_OFF = "Footnote's operator has switched recording off."
WRONG_CHANNEL = "That does not work for such a channel"
IN_LINE = "You are 5th in line"
SECONDS_TO_WAIT = r"Try again in (\d+) s\."

# Settings and unanswered questions
NONE = "There are none."
SETTINGS_DEFAULT = "Everything is as it comes"
SETTINGS_CHANGED = "Changed"
NEEDS_INTENT = "message-content intent"
ASKED = "asked {} times (people: {})"
ASKED_ONCE = "asked once"
MORE = r"and (\d+) more"
NOW_ANSWERED = "This question, asked here before, now has an answer"

# The index
INDEX = "Index"
REBUILDING = "Rebuilding the index"
REBUILT = "The rebuild is done"
REBUILD_FAILED = "The rebuild failed; the index is as it was"
OTHER_REBUILD = "Another rebuild is under way"
GIVEN_UP = "The rebuild was given up"
ROLLED_BACK = "Answers come from another generation"
NOT_ROLLED_BACK = "That generation cannot be gone back to"
PRESENCE = "Answering from {} articles"

# Verified quotes
CHECKED = "Does it stand in the articles?"
EXACT = "To the letter"
ALTERED = "Changed"
ABSENT = "Not in the articles"

# Log lines
POST_FAILED = "could not be posted"
PASS_ON_FAILED = "could not be passed on"
EXPIRED = "Discord no longer waits"
NOT_REGISTERED = "could not be registered"
REGISTERED = "registered with Discord"
CONNECTED = "Footnote is on Discord as"
EVENT_SKIPPED = "skipped"
