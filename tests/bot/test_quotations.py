"""What a message quotes: block quotes, quotation marks of many kinds, Discord's own marks undone."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import bot.answering.quotations
from bot.answering.quotations import quotations, sentences_of, without_marks
from bot.discordapp.escape import blockquote, escape


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ('She says "It is so." and went.', ["It is so."]),
        ("She says “It is so.” and “It’s not.”", ["It is so.", "It’s not."]),
        ("Sie sagt „Es ist so.“ oder ‚ganz anders‘.", ["Es ist so.", "ganz anders"]),
        ("Elle dit « C’est ainsi. » et ‹mais non›.", ["C’est ainsi.", "mais non"]),
        ("Er sagt »So ist es.« oder ›ganz anders‹.", ["So ist es.", "ganz anders"]),
        ("Hon säger ”Det är så.” eller ’inte så’.", ["Det är så.", "inte så"]),
        ("他说「灯是亮的」和『不』。", ["灯是亮的", "不"]),
        ("He says 'It is so.', don't he?", ["It is so."]),
        ("He says ‘It’s so’, doesn’t he?", ["It’s so"]),
        ("(“It is so.”)", ["It is so."]),
        ("“It is so.”—she said.", ["It is so."]),
        ('"It\nis so."', ["It\nis so."]),
        ('She wrote "I read “all is well” there" at noon.', ["I read “all is well” there"]),
        ('"She wrote "all is well" in it."', ['She wrote "all is well" in it.']),
        ("“She wrote ‘all is well’ in it.”", ["She wrote ‘all is well’ in it."]),
        ('\'tis the "quoted ones" here', ["quoted ones"]),
        ('A 5" pipe and "a quote".', ["a quote"]),
        ("“Never closed, and “a quote” in it", ["a quote"]),
        ("The dogs' bone and the cats' milk.", ["The dogs' bone and the cats' milk."]),
        ('He called it "great".', ['He called it "great".']),
        ("No marks at all.", ["No marks at all."]),
        ("Rock ’n’ roll isn’t dead.", ["Rock ’n’ roll isn’t dead."]),
        ('"" and “ ”', ['"" and “ ”']),
        ('"?!"', []),
        ("", []),
        (" \n ", []),
        ("?!", []),
    ],
)
def test_what_stands_in_quotation_marks_is_quoted_and_else_all_of_it(text: str, quoted: list[str]) -> None:
    assert quotations(text) == tuple(quoted)


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("> It is so.\nIs it?", ["It is so."]),
        ("Look:\n> It is\n> so.\n>\n> And so on.\n\nWell?", ["It is\nso.\n\nAnd so on."]),
        ("> One.\nand\n> Two.", ["One.", "Two."]),
        (">>> It is so.\n\nAnd so on.", ["It is so.\n\nAnd so on."]),
        ("> One.\n>>> Two.\nThree.", ["One.", "Two.\nThree."]),
        ('> "It is so."', ["It is so."]),
        ('> She wrote "all is well" in it.', ['She wrote "all is well" in it.']),
        ('He says "No, no."\n> Yes.\nand “maybe so”.', ["No, no.", "Yes.", "maybe so"]),
        ("a > b and >c", ["a > b and >c"]),
        (">c", [">c"]),
    ],
)
def test_block_quotes_are_quoted_whole_beside_what_stands_in_marks(text: str, quoted: list[str]) -> None:
    assert quotations(text) == tuple(quoted)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "**It** is *so* and __so__, _very_ ~~not~~ ||hidden|| `code`.",
            "It is so and so, very not hidden code.",
        ),
        ("***It** is*", "It is"),
        ("```\nIt is so.\n```", "\nIt is so.\n"),
        (r"\*It\* \_is\_ \> 1\. so \\ 2", "*It* _is_ > 1. so \\ 2"),
        ("2 * 3 * 4 and snake_case_name and a_b", "2 * 3 * 4 and snake_case_name and a_b"),
        ("# Head\n-# small\n## Two", "Head\nsmall\nTwo"),
        ("[The lamp](https://a.example/x) and [b](<http://c.example>)", "The lamp and b"),
        ("[not](a link) [3]", "[not](a link) [3]"),
        ("> **It** is so.", "> It is so."),
        ("\ue041 \\*", "\ufffd *"),
    ],
)
def test_a_message_is_read_as_discord_shows_it(text: str, shown: str) -> None:
    assert without_marks(text) == shown


@given(st.text(st.characters(exclude_categories=["Cs", "Co"]), max_size=80))
@example("*a* _b_ ~~c~~ `d` [e](https://f.example) # g")
@example("1. a\n# b\n- c\n> d")
def test_what_the_bot_wrote_is_read_as_it_was_before_it_was_escaped(text: str) -> None:
    assert without_marks(escape(text)) == text


@given(st.lists(st.sampled_from(["It is so.", "*Now*", "a_b", "“x”", "1.", "#"]), min_size=1).map(" ".join))
def test_a_quote_that_the_bot_shows_is_quoted_again(text: str) -> None:
    (quoted,) = quotations(without_marks(blockquote(text, 4_000))) or ("",)
    assert quoted in {text, text[1:-1]} or not any(letter.isalnum() for letter in text)


@pytest.mark.parametrize(
    ("quotation", "sentences"),
    [
        ("It is so. Is it?", ["It is so.", "Is it?"]),
        ("It is\nwrapped so.", ["It is wrapped so."]),
        ("One paragraph\n\nand another", ["One paragraph", "and another"]),
        ("... it is so ...", ["it is so"]),
        ("[...] it is so […]", ["it is so"]),
        ("… it is … so (...)", ["it is … so"]),
        ("It is so ... and so.", ["It is so ... and so."]),
        ("- rope\n- oil\n* tar", ["rope", "oil", "tar"]),
        ("1. Rope.\n2. Oil.", ["Rope.", "Oil."]),
        ("...", []),
        ("?!", []),
    ],
)
def test_a_quotation_is_taken_apart_into_sentences(quotation: str, sentences: list[str]) -> None:
    assert list(sentences_of(quotation, "en")) == sentences


@given(st.text(st.sampled_from(list("\"'“”„«»‘’「」> \n*_`~|\\[](): ab.…1")), max_size=60))
@example(">>> ")
@example('"a"' * 20)
def test_any_text_is_taken_apart_and_only_into_what_stands_in_it(text: str) -> None:
    for quoted in quotations(text):
        assert quoted
        bare = text.replace("\n> ", "\n").replace("\n>", "\n")
        assert quoted in text or quoted.replace("\n", "") in bare.replace("\n", "")
        assert all("\n" not in one and one == one.strip() for one in sentences_of(quoted, "en"))
    assert isinstance(without_marks(text), str)


def test_the_examples_of_the_module_hold() -> None:
    assert doctest.testmod(bot.answering.quotations) == (0, 3)
