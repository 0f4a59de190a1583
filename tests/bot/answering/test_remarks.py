"""What asks the articles nothing, what asks for more than quotes, and the language of a question."""

from __future__ import annotations

import pytest

from bot.answering.remarks import is_small_talk, language_of, remark_on

REMARKS = {
    "help": """
        hi | Hello 👋 | heyyyy | hi there! | Good evening, everyone | hey Footnote | hi, how are you? | help
        HELP!! | who are you? | what can you do? | Are you a bot? | are you sure? | Really?? | ok | no. | yes
        lol | 👍 | ? | ... | test | Guten Morgen zusammen! | Hallo, wer bist du? | bist du sicher? | ¡Hola!
        ¿Qué puedes hacer? | Bonjour à tous | qui es-tu ? | ça va ? | peux-tu m'aider ?
    """,
    "welcome": """
        thanks! | Thanks a lot!! 🙏 | thank you sooo much | ok thx | ty | that helped, thank you | bye
        cheers mate | Vielen Dank für die Hilfe | danke schön | muchas gracias :) | adiós | merci beaucoup !
    """,
    "only_quotes": """
        summarise this | Please summarize the article about bees | TL;DR | give me a summary of the rules
        list all articles | show me the documents | what articles do you have? | which topics are there?
        What is in here? | what do you know? | translate this to German | translate the poem into French
        can you translate it? | Fasse den Artikel zusammen | welche Themen gibt es? | resume este artículo
        ¿qué temas hay? | résume cet article | montre-moi tous les articles
    """,
    "": """
        hi, when does it open? | thanks for what did she get a medal? | help with login | hello world | why?
        who are you looking for? | ok button | test coverage | no parking | Good Morning Vietnam | E1042
        is that so? | bye laws | how do I summarise a column? | list all keepers | what documents do I need?
        resume the download | what is in it? | who translated the book? | translate strings | summary judgment
    """,
}


@pytest.mark.parametrize("remark", REMARKS)
def test_a_remark_is_made_on_whole_messages_only(remark: str) -> None:
    for line in REMARKS[remark].strip().splitlines():
        for message in line.strip().split(" | "):
            assert remark_on(message) == remark, message
            assert is_small_talk(message) == (remark in {"help", "welcome"}), message


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("How deep is the well?", "en"),
        ("Wie tief ist der Brunnen?", "de"),
        ("¿Quién cuida el faro?", "es"),
        ("Combien coûte une carte ?", "fr"),
        ("Brunnen", ""),
        ("Who wrote Der Turm und das Meer?", ""),
        ("¿El Brunnen?", ""),
    ],
)
def test_a_language_is_known_only_where_it_is_sure(question: str, language: str) -> None:
    assert language_of(question) == language
