"""What a chat message asks, if anything, in English, German, French and Spanish.

A question mark decides. Without one, only the opening words count, and in doubt a message is a statement: a
missed question can be asked again with a mention, an answer to small talk is a nuisance. "When did it open"
asks, "When I get home I will do it" does not: there the question word is followed by a subject.

Of a message that asks, greetings, thanks and phrases like "can someone tell me" are not searched for, and of
a pasted log only identifiers such as E1042 are. Two questions in one are told apart.
"""

from __future__ import annotations

import re

from bot.answering.remarks import FRAMES, is_small_talk
from index.passages.sentences import split_sentences

__all__ = ["looks_like_question", "looks_like_statement", "read_message"]

_URL = re.compile(r"https?://\S+")
"""Addresses; their question marks ask nothing."""

_ENGLISH_SUBJECT = r"""(?:i|i'\w+|you|he|she|it|we|they|this|that|these|those|the|an?|any|some|my|your|his|her
    |its|our|their|there|all|everyone|everybody)\b"""
_SUBJECT = rf"""(?:{_ENGLISH_SUBJECT}|(?:ich|du|er|sie|es|wir|ihr|man|das|die|der|ein|eine|mein|meine|dein
    |je|j['’]\w+|tu|il|elle|on|nous|vous|ils|elles|ce|ça|cela|le|la|les|un|une|mon|ma|mes
    |yo|tú|él|ella|nosotros|ellos|el|los|las|una|mi|mis)\b)"""
_AUXILIARY = r"""(?:is|are|was|were|am|do|does|did|can|could|will|would|should|shall|may|might|must|has|have
    |had)(?:n['’]?t)?\b"""

_OPENING = re.compile(
    rf"""\W*(?:(?:and|so|but|then|also|ok|okay|hey|hi|hello|und|aber|also|et|mais|alors|y|pero)\W+)?(?:
    (?:when|where|why)(?:['’]s|\s+(?:exactly\s+)?{_AUXILIARY})\s+\S
    |how\s+(?:(?:come|about)\b|(?:(?!{_SUBJECT})\w+\s+){{0,3}}?{_AUXILIARY}\s+\S|(?:much|many|long|far|old)\s+\S+\s+\S)
    |what(?:['’]s|\s+(?:about|if))\s+\S
    |(?:what|which|whose|whom)\s+(?!{_SUBJECT}|(?:is|was)\s+(?:why|what|how|when|where)\b|means\b)\S+\s+\S
    |who(?:['’]s)?\s+(?!{_SUBJECT}|knows\b|cares\b)\S+\s+\S
    |(?:is|are|was|were|did|can|could|will|would|should|has)(?:n['’]?t)?\s+
        (?!(?:this|that)\s+\w+$|an?\b|the\s+(?:best|worst|same|only|first|last|most|right)\b){_ENGLISH_SUBJECT}\s+\S
    |(?:do|does|have|had)(?:n['’]?t)?\s+(?:i|you|he|she|we|they|any\w*)\b\s+\S
    |(?:can|could|has|does|did)\s+any(?:one|body)\s+\S|any(?:one|body)\s+know\s+\S|any\s+ideas?\s+\w+\s+\S
    |(?:tell|show)\s+(?:me|us)\b\s+\S|(?:explain|describe)\s+\S|(?:name|list)\s+(?:the|all|every|some)\b
    |(?:wann|wo|wer|wem|wen|wessen|was|wie|warum|wieso|weshalb|woher|wohin|welche[rsmn]?)\s+
        (?!{_SUBJECT}|für\s+ein|gesagt\b|immer\b|auch\b|schade\b|schön\b)\S+\s+\S
    |(?:ist|sind|war|waren|hat|haben|hatte|kann|können|wird|werden|wurde|soll|darf|muss|gibt)\s+
        (?:ich|du|er|sie|es|wir|ihr|man|jemand)\s+\S
    |(?:sag|sagt|zeig|erklär)e?\s+(?:mir|uns)\b\s+\S
    |(?:est-ce|qu['’]est-ce)\b|que\s+(?:signifie|veut\s+dire)\b|dis-moi\s+\S
    |(?:quand|où|comment|pourquoi|combien|qui)\s+(?!{_SUBJECT}|même\b)\S+\s+\S
    |quel(?:le)?s?\s+(?:est|sont|était|étaient|fut|âge|année|jour)\s+\S
    |(?:a|est|sont|peut|doit|était|y\s+a)-(?:t-)?(?:ils?|elles?|on)\b|avez-vous\b|pouvez-vous\b
    |(?:qué|cuándo|dónde|cuál|cuáles|quién|quiénes|cómo|cuánto|cuánta|cuántos|cuántas)\s+\S
    |(?:que|cuando|donde|cual|quien|como)\s+(?:es|son|era|fue|significa|est[aá]n?)\s+\S
    |expl[ií]ca(?:me)?\s+\S|d[ií]me\s+\S)""",
    re.IGNORECASE | re.VERBOSE,
)

_QUESTION_WORD = r"""(?:who|whom|whose|what|when|where|why|which|how|wer|wem|wen|was|wann|wo|wie|warum|wieso
    |welche[rsmn]?|qui|quand|où|comment|pourquoi|combien|quel(?:le)?s?|est-ce|qué|cuándo|dónde|cómo|quién(?:es)?
    |cuál(?:es)?|cuánt[oa]s?)\b"""
_YES_NO = rf"(?:{_AUXILIARY}|(?:ist|sind|hat|haben|kann|können|darf|muss|gibt)\b)"
_INDIRECT = rf"(?:how\s+(?!{_AUXILIARY})\w+|{_QUESTION_WORD})\s+{_SUBJECT}"  # "how long it takes"
_SECOND = re.compile(
    rf"""[,;]?\s+(?:and|und|et|y)\s+(?=(?:also\s+)?(?:(?!{_INDIRECT}){_QUESTION_WORD}\s+\S+\s+\S|(?:who|wer|quién|cuánto)\s+\S
    |{_YES_NO}\s+(?:i|you|we|they|he|she|it|there|ich|du|er|sie|es|wir|man)\s))""",
    re.IGNORECASE | re.VERBOSE,
)
"""The "and" before what asks by itself: "and when does it close?", but not "and is the oldest"."""
_RELATIVE = re.compile(r"\s(?:who|which|that|qui|que)\s|,\s(?:der|die|das)\s", re.IGNORECASE)
_LONGEST = 10_000  # characters of a message that is read; a longer one is searched for as it is
_ON_PASTE = re.compile(r"(?i)\b(?:it|this|that|these|das|es|esto|eso|ça)\b|\A(?:\W*\w+){1,4}\W*\Z")
_MOST = 3  # questions that are told apart
_CLAUSE_END = re.compile(r"\s*[,:;–—]+\s*|\s+-+\s+")
_FRAME = re.compile(
    rf"\W*(?:(?:{FRAMES})[\s,:]+)+(?:(?:if|whether|ob|si)\s+|(?={_QUESTION_WORD}|{_YES_NO}))",
    re.IGNORECASE | re.VERBOSE,
)
_LAST_WORDS = re.compile(
    r"(?i)(?<!they)(?<! you)(?<! we)(?<! I)[\s,]+(?:please|pl[sz]|thanks|bitte)(?=\W*\Z)"
)
_PASTED = re.compile(
    r"""(?imx)```(?s:.*?)(?:```|\Z)|^\W*(?:\d\d+[-/:.]\d\d
    |(?:traceback|error|warn|info|debug|fatal|at|file|\w+error|\w+exception)\b.*[\d:(]).*$"""
)
_IDENTIFIER = re.compile(
    r"(?<![\w/.-])(?:[A-Za-z]+[-_]?\d{2,}\w*|[A-Z]+(?:_[A-Z\d]+)+|\w+(?:Error|Exception))(?![\w/]|\.\w)"
)


_CLAUSE = re.compile(
    r"\b(?:i|you|he|she|we|they|it|this|that|there|ich|du|er|wir|ihr|man|je|tu|il|elle|on|nous|vous|ils|yo)"
    r"(?:['’]\w+)?\s+\w",
    re.IGNORECASE,
)


def looks_like_statement(text: str) -> bool:
    """Return whether a text says something in a clause, unlike a title that only names a subject."""
    return bool(_CLAUSE.search(text)) and not looks_like_question(text)


def looks_like_question(text: str) -> bool:
    """Return whether a text asks something: by a question mark, or by how it begins."""
    plain = _URL.sub(" ", text)
    marked = "?" in plain or "¿" in plain
    return not is_small_talk(plain) and (marked or bool(_OPENING.match(plain)))


def read_message(text: str, language: str) -> list[str]:
    """Return what to search for to answer a message: a text for each of its questions, three at most, or "".

    Each has what else the message says, which tells what it is about: of 104 such questions of plain-train
    and plain-dev, 65 are quoted rightly with it, and 39 without.
    """
    if len(text) > _LONGEST:
        return [text]
    text = text.encode("utf-8", "replace").decode().strip()
    whole = _bare(text)
    identifiers = dict.fromkeys(_IDENTIFIER.findall("\n".join(_PASTED.findall(text)))) if "\n" in text else {}
    prose = _PASTED.sub("\n", text) if identifiers else text
    sentences = [_bare(prose[start:end]) for start, end in split_sentences(prose, language)]
    if _OPENING.match(whole) and "\n" not in whole and "?" not in whole.rstrip("?! "):
        sentences = [whole]
    asked = [one for one in sentences if _OPENING.match(one) or ("?" in one and one.count(" ") > 1)]
    if identifiers:
        asked = [one for one in asked if not _ON_PASTE.search(one)]
    more = [*identifiers] or [one for one in sentences if re.search(r"[^\W\d]", one) and one not in asked]
    questions = [question for sentence in asked for question in _parts(sentence)]
    if not 0 < len(questions) <= _MOST:
        questions = [" ".join(asked)]
    return ["\n".join([question, *more]).strip() or whole for question in questions]


def _bare(sentence: str) -> str:
    """Return a sentence without the greetings, thanks and polite phrases at its ends."""
    start = 0
    for clause in _CLAUSE_END.finditer(sentence):
        if not is_small_talk(sentence[start : clause.start()]):
            break
        start = clause.end()
    bare = _LAST_WORDS.sub("", sentence[start:])
    frame = _FRAME.match(bare)
    bare = bare[frame.end() :] if frame else bare
    return "" if is_small_talk(bare) else bare


def _parts(question: str) -> list[str]:
    """Return the questions that "and" joins."""
    parts, start = [], 0
    for joint in _SECOND.finditer(question):
        first = question[start : joint.start()]
        if _OPENING.match(first) and not _RELATIVE.search(first):
            parts.append(first)
            start = joint.end()
    return [*parts, question[start:]]
