"""Links: to web addresses only, open at the sentence where that has room, and safe beside any title."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.answering.answer import Answer, answer
from bot.chat.quote_reference import Span
from bot.chat.words import Words, words_in
from bot.discordapp.links import URL_ROOM, address, link, sentence_address
from bot.discordapp.render import Source, answer_embed, source_citation, source_embed
from index.articles.article import Article
from tests.bot.discordapp.fake_service import sample_article
from tests.bot.discordapp.strategies import LANGUAGES, LONG, TEXTS, URLS, articles, made_answers, spans
from tests.bot.made import JUDGE, Line, found, hit
from tests.bot.test_fragments import is_quote
from tests.bot.test_fragments import spans as found_by_browsers
from tests.wire.limits import check_message
from tests.wire.renderer import render

ENGLISH = words_in("en")
PAGE = "https://lamps.example/gull"
WORDS = st.sampled_from("the lamp of Gull Rock burned oil for years".split())
SENTENCES = st.lists(WORDS, min_size=5, max_size=30).map(lambda words: " ".join(words).capitalize() + ".")


def opened(answered: Answer, number: int = 0) -> str:
    """Return the address that the citation of an answer's message links to."""
    fields = answer_embed(answered, ENGLISH).fields
    ((_, url),) = render(str(fields[number].value)).links
    return url


@given(st.lists(SENTENCES, min_size=1, max_size=4), st.floats(0, 1), st.floats(0, 1))
def test_the_citation_of_an_answer_opens_the_article_at_the_sentence(
    sentences: list[str], first: float, last: float
) -> None:
    made = hit(
        0.9,
        [Line(one, late=late) for one, late in zip(sentences, (first, last, 0, 0), strict=False)],
        url=PAGE,
    )
    answered = answer("Why?", found(made), judge=JUDGE, generation="g")
    quote = answered.quotes[0]
    url = opened(answered)
    assert url.startswith(f"{PAGE}#:~:text=")
    text = made.article.text
    if text.count(quote.text) == 1:
        assert all(is_quote(text, (quote.start, quote.end), span) for span in found_by_browsers(text, url))


def test_each_near_passage_opens_its_own_article_at_its_own_sentence() -> None:
    hits = [
        hit(0.2, [Line(f"The {name} is here."), Line(f"Nobody saw the {name} burn.", late=0.9)], article=name,
            url=f"https://{name}.example")
        for name in ("lamp", "oven", "mill")
    ]  # fmt: skip
    answered = answer("Why?", found(*hits), judge=JUDGE, generation="g")
    assert [opened(answered, number) for number in range(3)] == [
        f"https://{name}.example#:~:text=Nobody%20saw%20the%20{name}%20burn."
        for name in ("lamp", "oven", "mill")
    ]


def test_a_quote_of_the_heading_opens_the_article_at_its_beginning() -> None:
    made = hit(0.9, [Line("By Ann Holt", late=0.9)], first=0, url=PAGE)
    assert opened(answer("Who?", found(made), judge=JUDGE, generation="g")) == PAGE
    article = sample_article()
    source = Source(article, Span.of("councils", article.heading, 0, in_heading=True))
    assert render(source_citation(source, ENGLISH)).links == [("Councils and skills", article.url)]


def test_an_article_without_an_address_is_cited_without_a_link() -> None:
    made = hit(0.9, [Line("The lamp was lit.")])
    value = answer_embed(answer("Who?", found(made), judge=JUDGE, generation="g"), ENGLISH).fields[0].value
    assert value == "One\nAnn, Press\nparagraph 1"


def test_an_answer_whose_article_is_not_at_hand_links_to_its_page() -> None:
    made = hit(0.9, [Line("The lamp was lit.")], url=PAGE)
    answered = answer("Who?", found(made), judge=JUDGE, generation="g")
    assert opened(dataclasses.replace(answered, reasons=None)) == PAGE


@pytest.mark.parametrize("length", [270, 302])
def test_the_sentence_is_left_out_of_a_link_that_has_no_room_for_it(length: int) -> None:
    page = "https://a.example/" + "x" * length
    word = "灯" * 60  # each is nine characters in an address
    article = dataclasses.replace(sample_article("lamp", f"{word} {word}."), url=page)
    assert sentence_address(article, 0, len(article.text)) == page


@given(articles(), st.data(), LANGUAGES)
def test_a_source_is_within_every_limit_and_links_only_to_its_article(
    article: Article, data: st.DataObject, words: Words
) -> None:
    start, end = data.draw(spans(article.text))
    source = Source(article, Span.of("lamp", article.text[start:end], start))
    body = source_embed(source, words, 2, 3).to_dict()
    check_message({"embeds": [body]})
    shown = render(body["fields"][0]["value"])
    assert shown.constructs == []
    assert_links_to(shown.links, article.url, words)


@given(made_answers(), LANGUAGES)
def test_citations_act_on_nothing_and_link_only_to_their_articles(answered: Answer, words: Words) -> None:
    for field, citation in zip(answer_embed(answered, words).fields, answered.citations, strict=False):
        shown = render(str(field.value))
        assert shown.constructs == []
        assert_links_to(shown.links, citation.url, words)


def assert_links_to(links: list[tuple[str, str]], url: str | None, words: Words) -> None:
    page = address(url)
    assert [target for _, target in links if not page or not target.startswith(page.partition("#")[0])] == []
    assert len(links) == (page is not None)
    assert all(label and len(target) <= URL_ROOM for label, target in links)


@given(TEXTS | LONG, URLS)
def test_a_title_is_shown_to_the_letter_and_its_link_is_one_link(title: str, url: str) -> None:
    title = " ".join(title.split())
    assume(title and address(url))
    shown = render(link(title, address(url)))
    assert shown.constructs == []
    (label, target) = shown.links[0]
    assert target == address(url)
    text = shown.text if label != "(open)" else shown.text.removesuffix(" (open)")
    assert text.removesuffix("…") == title[: len(text.removesuffix("…"))] or "\ufffd" in text


@pytest.mark.parametrize(
    "url",
    [None, "", "javascript:alert(1)", "ftp://a.example", "https://", "https://u:p@a.example", "http://[bad",
     "https://a.example/" + "x" * 400, "//a.example", "a.example", "\x01https://a.example",
     "ht\ntps://a.example", "https://a.example\\@b.example", "https://a\n.example", "https://:80/", "https:///a",
     "https://a.example\u2100b.example/", "https:// a.example", "http://[::1]/"],
)  # fmt: skip
def test_address_that_is_no_plain_web_address_is_not_linked(url: str | None) -> None:
    assert address(url) is None
    assert link("Title", address(url)) == "Title"


@given(URLS)
def test_an_address_is_in_its_room_and_has_nothing_that_ends_a_link(url: str) -> None:
    made = address(url)
    if made is not None:
        assert len(made) <= 320
        assert render(f"[T]({made})").links == [("T", made)]
        assert address(made) == made


def test_parentheses_and_spaces_in_an_address_do_not_end_the_link() -> None:
    linked = link("T", address("HTTPS://a.example/x_(y) z?q=<1>&r=*a*"))
    assert linked == "[T](https://a.example/x_%28y%29%20z?q=%3C1%3E&r=*a*)"
    assert render(linked).links == [("T", "https://a.example/x_%28y%29%20z?q=%3C1%3E&r=*a*")]


@pytest.mark.parametrize("title", ["Part [2", "Part 2]", "see https://b.example"])
def test_title_that_would_keep_a_link_from_being_made_has_it_beside_it(title: str) -> None:
    shown = render(link(title, "https://a.example"))
    assert shown.text == f"{title} (open)"
    assert shown.links == [("(open)", "https://a.example")]


def test_what_a_link_beside_a_title_is_called_is_in_the_askers_language() -> None:
    article = sample_article(title="Part [2]")
    shown = source_citation(Source(article, Span.of("councils", "One.", 0)), words_in("fr"))
    assert render(shown).links[0][0] == "(ouvrir)"


def test_an_untitled_article_is_cited_by_its_id_or_as_untitled() -> None:
    article = dataclasses.replace(sample_article("odd/1"), title=" ", author="", publisher="", url="")
    source = Source(article, Span.of("odd/1", "One.", 0))
    assert source_citation(source, ENGLISH) == "odd/1\nparagraph 1"
    nameless = Source(dataclasses.replace(article, id=" "), source.span)
    assert source_citation(nameless, words_in("fr")) == "Sans titre\nparagraphe 1"
