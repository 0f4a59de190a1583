"""Values of a text: one form for every spelling, spans that slice back, any text in linear time."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.search.lexicon import lexicon
from index.search.values import Value, ValueKind, find_values, value_terms

LANGUAGES = ["en", "es", "xx"]
PIECES = sorted(
    {word.lstrip("#") for language in ("en", "es") for word in lexicon(language).words}
    | {
        "31",
        "1,200",
        "1.200",
        "2010",
        "12",
        "5",
        "0",
        "½",
        "٣",
        "²",
        "9" * 30,
        "1.2.3",
        "10:30",
        "2010-05-12",
    }
)
TEXTS = st.one_of(
    st.text(st.characters(), max_size=80),
    st.lists(st.sampled_from(PIECES), max_size=16).map(" ".join),
    st.lists(st.sampled_from(PIECES), max_size=16).map("".join),
)
ONE_OF_EACH = st.lists(
    st.sampled_from(
        [
            *sorted({word.role: key.lstrip("#") for key, word in lexicon("en").words.items()}.values()),
            *("31", "2010", "XIX", "apr", "may", "trn", "siglo"),
        ]
    ),
    max_size=5,
).map(" ".join)
"""Few words, one a role, so that any two stand side by side often."""


def forms(text: str, language: str = "en") -> list[tuple[str, str]]:
    """Return kind and form of each value."""
    return [(value.kind.value, value.form) for value in find_values(text, language)]


@pytest.mark.parametrize(
    ("kind", "form", "spellings"),
    [
        ("number", "31", ["thirty-one", "31", "thirty one"]),
        ("number", "48000000", ["48 million", "48m", "48,000,000", "forty-eight million", "48 MILLION"]),
        ("number", "205", ["two hundred and five", "205", "two hundred five"]),
        ("number", "500000", ["half a million", "500,000", "five hundred thousand"]),
        ("number", "2500000", ["two and a half million", "2.5 million", "2½ million", "2.5m"]),
        ("number", "24", ["two dozen", "24", "twenty-four"]),
        ("number", "1000s", ["thousands"]),
        ("ordinal", "21th", ["twenty-first", "21st"]),
        ("money", "gbp 4.2", ["£4.20", "4.20 pounds", "£ 4.2"]),
        ("money", "gbp 48000000", ["£48m", "48 million pounds", "£48 million", "£48 m"]),
        ("money", "usd 5", ["$5", "US$5", "five dollars", "5 US dollars", "USD 5"]),
        ("money", "gbp 0.2", ["20p", "20 pence"]),
        ("share", "2/3", ["two thirds", "2/3", "two-thirds", "⅔"]),
        ("share", "1/2", ["50%", "50 per cent", "50 percent", "half", "one half", "½", "1/2"]),
        ("share", "1/3", ["one third", "one in three"]),
        (
            "date",
            "2010-05-12",
            ["12 May 2010", "May 12, 2010", "2010-05-12", "12/05/2010", "12th of May, 2010", "may 12 2010"],
        ),
        ("date", "2010-05", ["May 2010", "may 2010", "May of 2010"]),
        ("date", "--05-12", ["12 May", "May 12", "the 12th of May"]),
        ("date", "--09-03", ["3 September", "Sep. 3", "third of Sept"]),
        ("date", "1990s", ["1990s", "1990's", "1990’s"]),
        ("date", "10c", ["10th century", "the tenth century", "tenth-century"]),
        ("date", "44bc", ["44 BC", "44 B.C."]),
        ("date", "1984", ["1984", "nineteen eighty-four"]),
        ("date", "weekday 1", ["Monday"]),
        ("time", "17:00", ["5 pm", "5 p.m.", "17:00"]),
        ("quantity", "31 m", ["31 metres", "31 meters", "31-metre", "thirty-one metres"]),
        ("quantity", "12 km", ["12 km", "12km", "twelve kilometres"]),
        ("quantity", "20 mi2", ["20 square miles"]),
        ("quantity", "5 year", ["five years", "five-year", "5 years"]),
    ],
)
def test_every_spelling_of_a_value_has_the_same_form(kind: str, form: str, spellings: list[str]) -> None:
    found = {spelling: forms(spelling) for spelling in spellings}
    assert found == {spelling: [(kind, form)] for spelling in spellings}
    only = frozenset([ValueKind(kind)])
    assert all(find_values(spelling, "en", only) == find_values(spelling, "en") for spelling in spellings)


@pytest.mark.parametrize(
    ("kind", "form", "spellings"),
    [
        ("number", "31", ["treinta y uno", "31"]),
        ("number", "1200", ["1.200", "mil doscientos"]),
        ("number", "2500000", ["dos millones y medio", "2,5 millones"]),
        ("number", "2000000000", ["dos mil millones"]),
        ("money", "eur 4.2", ["4,20 euros", "4,2 €", "€4,20"]),
        ("money", "peso 48000000", ["48 millones de pesos"]),
        ("share", "1/2", ["50 %", "50 por ciento", "la mitad", "cincuenta por ciento"]),
        ("share", "1/4", ["una cuarta parte", "25 %"]),
        ("share", "2/3", ["dos tercios"]),
        ("date", "2010-05-12", ["12 de mayo de 2010", "12/05/2010", "12 de mayo del 2010"]),
        ("date", "20c", ["siglo XX"]),
        ("date", "10cbc", ["siglo X a. C.", "siglo X a.C."]),
        ("date", "1990s", ["década de 1990"]),
        ("quantity", "31 m", ["31 metros", "treinta y un metros"]),
    ],
)
def test_every_spelling_has_the_same_form_in_spanish(kind: str, form: str, spellings: list[str]) -> None:
    found = {spelling: forms(spelling, "es") for spelling in spellings}
    assert found == {spelling: [(kind, form)] for spelling in spellings}
    only = frozenset([ValueKind(kind)])
    assert all(find_values(spelling, "es", only) == find_values(spelling, "es") for spelling in spellings)


def test_words_without_accents_are_known() -> None:
    """People leave accents out of questions."""
    assert forms("veintitres millones, dieciseis dolares", "es") == [
        ("number", "23000000"),
        ("money", "usd 16"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "one of them, and the ones that I may need",
        "the march to the sea",
        "3D, MP3, H2O and a 4x4",
        "version 1.2.3 at 192.168.0.1",
        "a house and an oven",
    ],
)
def test_what_only_looks_like_a_value_is_none(text: str) -> None:
    assert find_values(text, "en") == []


def test_spanish_articles_are_no_numbers() -> None:
    assert find_values("una casa y un faro para uno", "es") == []
    assert find_values("el medio ambiente", "es") == []


def test_number_that_counts_is_no_year() -> None:
    assert forms("about 1500 sheep dogs") == [("date", "1500")]
    assert forms("about 1500 soldiers") == [("number", "1500")]
    assert forms("in 1990 herons nested") == [("date", "1990")]


def test_second_half_is_no_half() -> None:
    assert forms("the second half") == [("ordinal", "2th")]


def test_unknown_language_has_digits_signs_and_dates_of_digits() -> None:
    assert forms("31, £5, 2010-05-12, 50%, 5 km, thirty", "xx") == [
        ("number", "31"),
        ("money", "gbp 5"),
        ("date", "2010-05-12"),
        ("share", "1/2"),
        ("quantity", "5 km"),
    ]


def test_spans_are_of_code_points() -> None:
    text = "🦊🦊 paid £4.20 in é 1990s"
    assert [text[value.start : value.end] for value in find_values(text, "en")] == ["£4.20", "1990s"]
    assert find_values("£5", "en") == [Value(ValueKind.MONEY, 0, 2, "gbp 5")]


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("31 bees", "thirty-one bees"),
        ("in May 2010", "on 12 May 2010"),
        ("in 2010", "on 12 May 2010"),
        ("£4.20", "4.20 pounds"),
        ("48 million", "£48m"),
        ("31", "31 metres"),
        ("half of it", "50% of it"),
    ],
)
def test_terms_of_a_question_are_found_among_those_of_a_text(question: str, text: str) -> None:
    assert set(value_terms(question, "en")) <= set(value_terms(text, "en"))
    assert value_terms(question, "en")


def test_terms_tell_values_apart() -> None:
    assert value_terms("£4.20", "en") == ["vgbp4p2", "v4p2"]
    assert value_terms("£42", "en") == ["vgbp42", "v42"]
    assert value_terms("12 May 2010", "en") == ["v20100512", "v201005", "v2010"]


def test_common_numbers_give_no_terms() -> None:
    assert value_terms("one, two, 1, 2, 0, first and second", "en") == []


@given(text=TEXTS, language=st.sampled_from(LANGUAGES))
def test_any_text_gives_values_in_order_that_slice_back(text: str, language: str) -> None:
    values = find_values(text, language)
    for value in values:
        assert 0 <= value.start < value.end <= len(text)
        assert value.form
        assert text[value.start : value.end].strip() == text[value.start : value.end]
    assert all(a.end <= b.start for a, b in itertools.pairwise(values))


@given(text=st.one_of(TEXTS, ONE_OF_EACH), language=st.sampled_from(LANGUAGES))
def test_text_that_is_not_read_for_lack_of_signs_has_no_values(text: str, language: str) -> None:
    """A number after it makes it be read; the word between keeps the two apart."""
    read = [value for value in find_values(f"{text}\nquux 7", language) if value.end <= len(text)]
    assert find_values(text, language) == read


@given(
    text=st.one_of(TEXTS, ONE_OF_EACH),
    language=st.sampled_from(LANGUAGES),
    kinds=st.frozensets(st.sampled_from(ValueKind), max_size=2),
)
def test_kinds_asked_for_are_found_as_among_all(
    text: str, language: str, kinds: frozenset[ValueKind]
) -> None:
    every = find_values(text, language)
    assert find_values(text, language, kinds) == [value for value in every if value.kind in kinds]


@given(text=TEXTS, language=st.sampled_from(LANGUAGES))
def test_terms_are_words_of_ascii(text: str, language: str) -> None:
    terms = value_terms(text, language)
    assert all(term.isascii() and term.isalnum() and term[0] == "v" for term in terms)
    assert len(set(terms)) == len(terms)


@given(number=st.integers(3, 10**15))
def test_number_has_one_form_with_and_without_commas(number: int) -> None:
    expected = [str(number)]
    assert [value.form for value in find_values(f"{number:,}", "en")] == expected
    assert [value.form for value in find_values(f"{number}", "en")] == expected
    assert [value.form for value in find_values(f"{number:,}".replace(",", "."), "es")] == expected
    assert [value.form for value in find_values(expected[0], "en")] == expected


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "1,",
        "1/",
        "1 ",
        "one ",
        "million ",
        "a hundred and ",
        "12 May ",
        "half a ",
        "a. ",
        "£",
        "2 and ",
        "-",
    ],
)
def test_100_000_characters_take_linear_time(piece: str) -> None:
    """A third of a second; quadratic work would not end within the patience of whoever runs it."""
    text = piece * (100_000 // len(piece))
    assert all(one.end <= len(text) for one in find_values(text, "en"))
