"""The bot's own words that the tests look for, in one place."""

from __future__ import annotations

# Titles of answers
ANSWERED, RELATED, NOT_FOUND = (
    "The articles say",
    "Close, but maybe not an answer",
    "The articles do not seem to say",
)
IN_LANGUAGE = {
    "en": ANSWERED,
    "de": "Die Artikel sagen",
    "es": "Los artículos dicen",
    "fr": "Les articles disent",
}

# Labels of buttons
CONTEXT, NEXT, FOLLOW_UP = "Show context", "Next source", "Ask a follow-up"
HELPFUL, NOT_HELPFUL, WHY, HELPERS = "Helpful", "Not helpful", "Why?", "Ask the helpers"

# Entries of a message's menu
ANSWER_THIS, CHECK_THIS = "Answer this", "Check this quote"

# Titles of what buttons show
IN_PLACE, SOURCE, REASONS = "In its place", "Source {} of {}", "Why this verdict"
CHANGED, LOST, OLD_BUTTON = (
    "This article has changed",
    "The question can no longer be seen",
    "This button is of an older version",
)
THANKS, PASSED_ON, NOT_PASSED_ON, NO_HELPERS = (
    "Thank you",
    "Passed on",
    "The helpers could not be told",
    "This server names no helpers",
)

# Notices
HELP, STOPPING, BUSY, TOO_FAST, FAULT = (
    "Ask a question",
    "Footnote is stopping",
    "Too many questions are waiting",
    "That was quick",
    "Something went wrong",
)
NEVER_HERE, NOT_ALLOWED, SERVER_ONLY, NO_ARTICLE = (
    "Footnote does not answer in this channel",
    "You may not do that here",
    "This works in a server only",
    "There is no such article",
)
NOT_TAKEN, DAMAGED, WHOLE_AGAIN, OTHER_COMMAND = (
    "Discord did not take the answer",
    "The index is damaged",
    "The index is whole again",
    "This command has changed",
)
RECORDING_OFF, WRONG_CHANNEL = (
    "Footnote's operator has switched recording off.",
    "That does not work for such a channel",
)
IN_LINE, SECONDS_TO_WAIT = "You are 5th in line", r"Try again in (\d+) s\."

# Lists and settings
NONE, SETTINGS_DEFAULT, SETTINGS_CHANGED = "There are none.", "Everything is as it comes", "Changed"
NEEDS_INTENT = "message-content intent"
NOW_ANSWERED = "This question, asked here before, now has an answer"

# The index
INDEX, REBUILDING, REBUILT, REBUILD_FAILED, OTHER_REBUILD, GIVEN_UP = (
    "Index",
    "Rebuilding the index",
    "The rebuild is done",
    "The rebuild failed; the index is as it was",
    "Another rebuild is under way",
    "The rebuild was given up",
)
ROLLED_BACK, NOT_ROLLED_BACK = (
    "Answers come from another generation",
    "That generation cannot be gone back to",
)
ANSWERING_FROM = "Answering from {} articles"

# Checked quotes
CHECKED, EXACT, ALTERED, ABSENT = (
    "Does it stand in the articles?",
    "To the letter",
    "Changed",
    "Not in the articles",
)
