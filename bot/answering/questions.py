"""Question detection: whether a chat message asks something, in English, German, French and Spanish.

A question mark decides. Without one, only the opening words count, and in doubt a message is a statement: a
missed question can be asked again with a mention, an answer to small talk is a nuisance. "When did it open"
asks, "When I get home I will do it" does not: there the question word is followed by a subject.
"""

from __future__ import annotations

import re

__all__ = ["looks_like_question", "looks_like_statement"]

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
    return (marked and any(map(str.isalnum, plain))) or bool(_OPENING.match(plain))
