"""What asks something in a chat, and what only says something."""

from __future__ import annotations

import pytest

from bot.answering.questions import looks_like_question, looks_like_statement

QUESTIONS = """\
When did it open?
when did it open
When's the tide high
And who chairs it
so how does it work, then
WHY IS IT CLOSED
why isn't it open
is it open on sundays
Can I bring a dog
could you tell me the way
did the council agree
do you sell tickets
does anyone know the height
anyone know where it is
has anyone seen the keeper
tell me about the lamp
explain the verdict
list all keepers
how tall is it
how many keepers were there
how long until it opens
how do I get there
what year did it open
what happened in 1874
what about the lamp
what's the height of it
which lamp is the oldest
whose idea was that
where can I park
who wrote this page
https://example.org/page who wrote this page
I wonder: is this the one? Anyway.
hey, what is a lighthouse
why?
¿cuándo abrió?
cuándo abrió el faro
¿Y el faro
qué es un faro
cual es el horario
dime cuándo abrió
Wann wurde er gebaut?
wann wurde er gebaut
wer hat die Lampe gebaut
welche Farbe hat das Haus
gibt es einen Aufzug
sag mir die Uhrzeit
quand est-ce que ça ouvre
où est le phare
comment fonctionne le phare
est-ce que c'est ouvert
a-t-il un gardien""".splitlines()

STATEMENTS = """\
When I get home tonight I will do it
when the train arrives we go
What I mean is that it works
what he said was fine
Where we live it always rains
Why I left is a long story
How he did it I do not know
how the lamp works is written there
how I wish it were so
which is why I left
who knows what comes next
was the best day ever
had a great time yesterday
I will ask him when it opens
do it the right way
do your homework first
is a good idea I think
Wenn ich heute heimkomme, mache ich es
was ich meine ist klar
Wo wir wohnen regnet es
quand je rentre ce soir je le fais
quand la nuit tombe on dort
cuando llegue a casa lo hago""".splitlines()

CHATTER = """\
thanks!
so cool
but I disagree
will do
can confirm
is fine by me
what a day that was
how nice
show must go on
list looks good
lol
?
???
https://example.org/watch?v=1
look https://example.org/?q=what%20is
have a nice day everyone
When done, call me
Where possible use the stairs
It opens on Sunday.
wie gesagt das geht
Was für ein Tag
que bueno
gracias""".splitlines()


@pytest.mark.parametrize("text", QUESTIONS)
def test_questions_are_known_by_their_mark_or_their_opening(text: str) -> None:
    assert looks_like_question(text)
    assert not looks_like_statement(text)


@pytest.mark.parametrize("text", ["", " ", "\n", *STATEMENTS, *CHATTER])
def test_statements_and_chatter_are_no_questions(text: str) -> None:
    assert not looks_like_question(text)


@pytest.mark.parametrize(
    ("title", "is_statement"),
    [
        ("Opening", False),
        ("The lamp of Gull Rock", False),
        ("Cannot reset my password", False),
        ("When did it open", False),
        ("When I get home tonight I will do it", True),
        ("It works again", True),
        ("Wir haben es geschafft", True),
    ],
)
def test_a_title_that_names_a_subject_is_no_statement(title: str, is_statement: bool) -> None:
    assert looks_like_statement(title) == is_statement
