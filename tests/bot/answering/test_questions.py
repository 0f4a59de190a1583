"""What asks something in a chat, what only says something, and what a message asks."""

from __future__ import annotations

import pytest

from bot.answering.questions import looks_like_question, looks_like_statement, read_message

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
how are you?
are you sure?
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


# Questions are parted by "|", and what else the message says follows "/".
READ = r"""
Who keeps the lamp and when was it lit? > Who keeps the lamp | when was it lit?
When does it open? And is parking free? > When does it open? | And is parking free?
how much is a day pass, and can i get it refunded > how much is a day pass | can i get it refunded
Is there a bus and what does it cost and who drives? > Is there a bus | what does it cost | who drives?
Wann öffnet das Museum und wie viel kostet es? > Wann öffnet das Museum | wie viel kostet es?
¿Cuándo abre el museo y cuánto cuesta? > ¿Cuándo abre el museo | cuánto cuesta?
Quand ouvre le musée et combien coûte l'entrée ? > Quand ouvre le musée | combien coûte l'entrée ?
When and where does it open? > When and where does it open?
bread and when it rises > bread and when it rises
What is a leaven and how long it takes to rise? > What is a leaven and how long it takes to rise?
Which club won the cup and is the oldest? > Which club won the cup and is the oldest?
Who is the man that led it and who died young? > Who is the man that led it and who died young?
Who is it? When was it? How was it done? Where is it? > Who is it? When was it? How was it done? Where is it?
hey, quick question - can someone tell me how much a boat pays? thx! > how much a boat pays?
Hello all! Sorry to bother you. does anyone know if dogs may swim please? > dogs may swim?
hi is there a lift > is there a lift
Hallo zusammen, weiß jemand, wann die Fähre fährt? Danke! > wann die Fähre fährt?
May they come and go as they please? > May they come and go as they please?
We came by bike. It rained. Can we store them? Any ideas? > Can we store them? / We came by bike. / It rained.
thanks! bye >
Stops:\n```\n2024-05-01 10:00 INFO p[7]: /var/pump7.pid\nERROR valve: V207\n```\nwhat is wrong? > V207
any idea what this is?\nTraceback (most recent):\n  File "a1234.py", line 3\nValveError: no > ValveError
Where is the spare valve of the pump?\nERROR 2024-05 V207 > Where is the spare valve of the pump? / V207
E1042 > E1042
error V207 pump > error V207 pump"""


@pytest.mark.parametrize("row", READ.strip("\n").split("\n"))
def test_a_message_is_read_as_what_it_asks(row: str) -> None:
    message, _, expected = row.partition(" >")
    read = " | ".join(read_message(message.replace(r"\n", "\n"), "en"))
    assert read.replace("\n", " / ") == expected.strip()


def test_a_very_long_message_is_searched_for_as_it_is() -> None:
    assert read_message(message := "hi, who is it and who was it? " * 1000, "en") == [message]
