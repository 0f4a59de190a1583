"""Questions to hits: the right passage and sentence first, any question at all, scores that add up."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import example, given

from index.build import build_index
from index.encoding.encoder import Encoder
from index.errors import DamagedIndexError
from index.search.hits import SCORE_WEIGHTS, Found, Hit, HitSentence, fuse, judged, summed
from index.search.search import Search
from index.settings import IndexSettings
from index.storage.local import open_store
from tests.conftest import MakeSettings
from tests.index.shelf import HANDBOOK, put
from tests.index.storage.copies import forge
from tests.strategies import hostile_text

SearchOf = Callable[..., Search]
ARTICLES = "lighthouse bakery tram canal orchard guild tug caps academy pier cafe".split()


@pytest.fixture
def search_of(make_settings: MakeSettings, encoder: Encoder) -> Iterator[SearchOf]:
    """Return a function that indexes files, or rows of one article each, and searches them."""
    opened = []

    def search(files: dict[str, str] | None = None, rows: list[dict[str, str]] | None = None) -> Search:
        settings = make_settings()
        put(settings.articles, files or {"a.jsonl": "\n".join(map(json.dumps, rows or []))})
        build_index(settings, encoder=encoder)
        opened.append(open_store(settings.index))
        return Search(opened[-1], encoder)

    yield search
    for store in opened:
        store.close()


def check_found(found: Found) -> None:
    """Assert what holds for the hits of any question."""
    assert len(found.hits) <= 10
    assert all(a.rank_score >= b.rank_score for a, b in itertools.pairwise(found.hits))
    for hit in found.hits:
        is_heading = {one.paragraph == 0 for one in hit.sentences}
        assert len(is_heading) == 1
        source = hit.article.heading if is_heading == {True} else hit.article.text
        assert hit.text == source[hit.start : hit.end]
        for one in hit.sentences:
            assert one.text == source[one.start : one.end]
            assert hit.start <= one.start < one.end <= hit.end
            assert one.late <= hit.late + 1e-5, "no sentence has nearer tokens than all together"
            assert one.quotable or is_heading == {True}
            assert one.own <= one.late + 1e-5, "the words of the leads above it can only add"
            assert all(-1.001 <= score <= 1.001 for score in (one.late, one.mean, one.own))
        for lead in hit.leads:
            assert lead.text == source[lead.start : lead.end]
            assert lead.end <= hit.start
            assert lead.text not in {one.text for one in hit.sentences if one.start == lead.start}
        assert hit.best_sentence.quotable
        assert 0 <= hit.lexical <= 1
        assert [match.term for match in hit.terms] == list(found.question.terms)
        parts = summed(hit)
        assert {name: weight for name, (weight, _) in parts.items()} == SCORE_WEIGHTS
        assert sum(weight * value for weight, value in parts.values()) == pytest.approx(hit.score, abs=1e-6)
        content = [one for one in hit.terms if one.term.is_content] or hit.terms
        weakest = min(1.0 if one.in_words else one.near for one in content)
        signals = {"dense": hit.dense, "score": hit.score, "weakest": pytest.approx(weakest)}
        assert judged(hit, hit.start, hit.end) == signals


@pytest.mark.parametrize(
    ("question", "article", "sentence"),
    [
        ("When was the lighthouse first lit?", "lighthouse", "The lighthouse on Garrow Point was lit"),
        ("Where did the keeper keep his bees?", "lighthouse", "He kept bees behind the oil store."),
        ("What does a loaf of rye bread cost?", "bakery", "Rye bread is its best seller, at £4.20 a loaf."),
        ("Where was the oven bought?", "bakery", "Dr. Okoye, who owns it, bought the oven in Lyon."),
        ("How much did the tram extension cost?", "tram", "The extension cost 48 million crowns"),
        ("How thick was the ice?", "canal", "The ice was twelve centimetres thick"),
        ("how much of the harvest did the frost take", "orchard", "Frost in May took half of the harvest."),
        ("HOW MANY STOPS DOES LINE NINE HAVE", "tram", "The new stretch has seven stops."),
        # Misspelt, joined, taken apart
        ("lighthous keper clockwrk", "lighthouse", "Its keeper, Tobias Renn"),
        ("what dose the comissioning acadmy do", "academy", "The commissioning academy trains council staff"),
        ("Who proposed out sourcing in a whitepaper?", "academy", "A white paper on outsourcing"),
        ("how much does a tiket to the towr cost", "pier", "A ticket to the tower costs £4.20."),
        # Abbreviated and in full, without accents
        ("When did the HPG buy the steam tug?", "tug", "The Harbour Pilots Guild bought a steam tug"),
        ("What grey cap do Harbour Pilots Guild members wear at sea?", "caps", "HPG members wear a grey cap"),
        ("ZOE UNALS ECLAIRS", "cafe", "Zoë Ünal’s café sells éclairs."),
        # Headings, only where they are asked for
        ("Who wrote the article about the lamp on Garrow Point?", "lighthouse", "Author: Ines Falk"),
        ("Who published the article on line nine?", "tram", "The Evening Rail"),
        ("Who wrote about ice on the canal?", "canal", "Wen Dao"),
        ("Who is Ines Falk?", "lighthouse", "Author: Ines Falk"),
        ("lamp on Garrow Point", "lighthouse", "The lighthouse on Garrow Point was lit"),
        # What cannot be encoded hides nothing beside it
        ("bees\x00oil store keeper", "lighthouse", "He kept bees behind the oil store."),
        ("bees \ud83d oil store keeper", "lighthouse", "He kept bees behind the oil store."),
        ("When was the lighthouse lit? " + "?" * 100_000, "lighthouse", "The lighthouse on Garrow Point"),
    ],
)  # fmt: skip
def test_right_sentence_comes_first(search: Search, question: str, article: str, sentence: str) -> None:
    found = search(question)
    check_found(found)
    assert found.hits[0].article.id == article
    assert found.hits[0].best_sentence.text.startswith(sentence)
    assert found.question.heading_parts or all(one.paragraph for hit in found.hits for one in hit.sentences)
    assert search(question) == found


PEOPLE = """
Tobias Renn kept the light at Garrow Point. He was a quiet man. After the flood he moved inland.
The Harbour Choir was formed in 1889. It sang only at funerals. Today it performs in the fish hall.
Our treasurer is Paolo Riva. He can be reached on Tuesdays. Expenses are paid within a week.
Samir Noor plays the oboe. He spent ten years with the town orchestra. Last June he left for a post in Lyon.
Doctor Amina Yusuf runs the clinic. She sees patients before nine. On Fridays she works at the school.
Inga Thorsen sailed alone to the cape. The trip took a month. On the way back she lost her mast.
The Corvid 3 replaces the Corvid 2. It weighs two kilos. Its battery lasts nine hours.
The Marlin is the oldest ferry. It carries forty cars. In winter it is laid up in Sund.
Jonas Wick came to the island with twelve hives. It was winter. Within five years he had become its mayor.
Otto Breen found the cave while looking for a goat. He kept it secret. Then he charged visitors a penny.
Miguel Prado restored the organ. He found the pipes in a barn. He asked for no money, only for bread.
Wanda Pike sued the railway over the noise. She won in the second court. Nobody appealed.
Anders Bly coached the eight until 1980. Ida Moor took over. She trained them from a window by the river.
The Lindgren Foundation supports potters. They must be young. It was set up by a brick maker's widow.
""".strip().splitlines()


@pytest.fixture(scope="module")
def handbook(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    """Search the handbook, and an article for each of the people."""
    home = tmp_path_factory.mktemp("handbook")
    articles = put(home / "articles", HANDBOOK | {f"{n}.txt": text for n, text in enumerate(PEOPLE)})
    settings = IndexSettings.load(articles=articles, index=home / "index")
    build_index(settings, encoder=encoder)
    with closing(open_store(settings.index)) as store:
        yield Search(store, encoder)


@pytest.mark.parametrize(
    ("question", "sentence", "leads"),
    [
        # By the words of what stands above it
        ("What does error E1042 mean?", "Your clock is more than a minute wrong.", ["E1042"]),
        ("what is E1043", "The code was used before.", ["E1043"]),
        ("Where are the recovery codes shown?", "They are shown once.", ["Recovery codes"]),
        ("What does a week at the camp cost?", "It is 90 euros with meals.", ["What does a week cost?"]),
        ("What may I not bring?", "knives", ["You may not bring:"]),
        ("Can I bring fireworks?", "fireworks", ["You may not bring:"]),
        # A row, by its own cells and the names of their columns
        ("What is the price of the Oak plan?", "Oak | 19 euros | 40", ["Plan | Price | Seats"]),
        ("How many seats does Sapling have?", "Sapling | 4 euros | 3", ["Plan | Price | Seats"]),
        # An item keeps its number
        ("Where do bikes stay?", "3. Bikes stay in the yard.", []),
        # Characters that nobody sees or types
        ("What burned in the office?", "The of\u00adfi\u00adce \ufb02oor burned.", []),
        ("Which floor burned?", "The of\u00adfi\u00adce \ufb02oor burned.", []),
        ("Did the ferry sink?", "The \uff26erry sank.", []),
        ("When did the Albatross sink?", "The ketch\u200b Al\u200bba\u2060tross sank in May.", []),
        ("notes on a fire", "The of\u00adfi\u00adce \ufb02oor burned.", []),
    ],
)
def test_answer_below_a_lead_is_found_and_the_lead_is_not_quoted(
    handbook: Search, question: str, sentence: str, leads: list[str]
) -> None:
    found = handbook(question)
    check_found(found)
    hit = found.hits[0]
    assert (hit.best_sentence.text, [lead.text for lead in hit.leads]) == (sentence, leads)
    assert hit.lexical > 0
    assert all(lead.text not in other.text for lead in hit.leads for other in hit.sentences)


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("Where did Tobias Renn move after the flood?", "After the flood he moved"),
        ("Where does the Harbour Choir perform?", "Today it performs"),
        ("When can I reach Paolo Riva?", "He can be reached on Tuesdays."),
        ("When did Samir Noor leave the orchestra?", "Last June he left"),
        ("Where does Amina Yusuf work on Fridays?", "On Fridays she works"),
        ("where did inga thorsen lose the mast", "On the way back she lost"),
        ("How heavy is the Corvid 3?", "It weighs two kilos."),
        ("How long does the Corvid 3 last?", "Its battery lasts"),
        ("Where is the Marlin laid up?", "In winter it is laid up"),
        ("When did Jonas Wick become mayor?", "Within five years he had become"),
        ("What did Otto Breen charge?", "Then he charged"),
        ("Where did Miguel Prado find the pipes?", "He found the pipes in a barn."),
        ("Did Wanda Pike win in court?", "She won in the second court."),
        ("Who trained them from a window, Ida Moor?", "She trained them"),
        # A sentence that answers with the name in it, a pronoun of another name, no pronoun at all
        ("How did Otto Breen find the cave?", "Otto Breen found the cave"),
        ("Who sued the railway, Wanda Pike?", "Wanda Pike sued"),
        ("What did Anders Bly do?", "Anders Bly coached"),
        ("What did Paolo Riva pay?", "Our treasurer is Paolo Riva."),
    ],
)
def test_pronoun_stands_for_the_name_before_it(handbook: Search, question: str, sentence: str) -> None:
    best = handbook(question).hits[0].best_sentence
    assert best.text.startswith(sentence)
    assert best.own <= best.late + 1e-5


@given(question=hostile_text("bees", "who wrote", "Dr. Okoye", "acadmy", "HPG", surrogates=True))
@example(question="½ ﷺ ℀ ŉ")
@example(question="?!… 🦊 \x00 ___")
def test_any_question_is_answered_in_any_article(search: Search, question: str) -> None:
    for article in (None, "tram"):
        found = search(question, article=article)
        check_found(found)
        assert bool(found.hits) == bool(found.question.terms)


@pytest.mark.parametrize("article", ARTICLES)
def test_search_in_one_article_finds_that_article_alone(search: Search, article: str) -> None:
    for question in ("Who kept bees?", "oven in Lyon", "What is the title?", "line nine stops", "frost"):
        found = search(question, article=article)
        check_found(found)
        assert {hit.article.id for hit in found.hits} == {article}
        assert max(hit.lexical for hit in found.hits) in {0, 1}, "the best of its article is the measure"
    assert search("Who kept bees?", article=f"{article}.txt").hits == ()


@pytest.mark.parametrize("word", "office floor ferry albatross".split())
def test_word_is_found_whatever_invisible_characters_it_has(handbook: Search, word: str) -> None:
    (hit,) = [hit for hit in handbook(word).hits if hit.lexical == 1]
    assert hit.terms[0].in_words
    assert word in handbook.store.vocabulary()
    assert word not in hit.text, "the text stays as it was written"


def test_one_article_is_searched_whole_though_many_others_are_nearer(search_of: SearchOf) -> None:
    rows = [
        {"id": str(number), "title": "Report", "text": "The grey heron nests in the reeds."}
        for number in range(120)
    ]
    rows[97]["text"] = "The warden whose dog swims behind the mill once saw a heron on a Friday."
    search = search_of(rows=rows)
    asked = "Where does the grey heron nest?"
    found = search(asked)
    check_found(found)
    assert [hit.article.id for hit in found.hits] == [str(number) for number in range(10)], "ties, in order"
    assert [hit.text for hit in search(asked, article="97").hits] == [rows[97]["text"]]


def test_titles_do_not_crowd_out_the_text_that_answers(search_of: SearchOf) -> None:
    row = {"title": "When the heron nests", "author": "Ada Quay"}
    rows = [{**row, "id": str(number), "text": f"Reed {number}."} for number in range(80)]
    rows[71]["text"] = "It begins in March, said the warden."
    search = search_of(rows=rows)
    found = search("When does the heron nest, by the warden?")
    assert found.hits[0].article.id == "71"
    assert len(found.hits) == 10
    assert all(one.paragraph for hit in found.hits for one in hit.sentences)
    assert search("Who wrote when the heron nests?").hits[0].best_sentence.text == "Ada Quay"


def test_word_of_the_title_counts_but_less_than_one_of_the_text(search_of: SearchOf) -> None:
    search = search_of(
        {
            "in-title.txt": "Ullapool council\n\nIt raised the fare in May.\n",
            "in-text.txt": "A northern council\n\nUllapool raised the fare.\n",
            "neither.txt": "A southern council\n\nIt raised the fare again.\n",
        }
    )
    hits = {hit.article.id: hit for hit in search("Ullapool").hits}
    assert hits["in-text"].lexical == 1 > hits["in-title"].lexical > 0.2
    assert [hits[name].terms[0].in_words for name in ("in-title", "neither")] == [True, False]
    assert hits["in-title"].weakest == 1
    assert hits["neither"].lexical == 0


def test_article_is_found_by_its_description_which_is_never_quoted(search_of: SearchOf) -> None:
    files = {
        "a.md": "---\ntitle: Access\ndescription: Use the tunnel\ntags: [wireguard]\n---\nStart Gatekeeper.",
        "b.md": "---\ntitle: Paper\nsummary: When it jams\nkeywords: toner\n---\nOpen the flap.",
        "c.md": "---\ntitle: Lunch\n---\nIt is at noon.",
    }
    search = search_of(files)
    for question, text in {
        "How do I use the tunnel?": "Start Gatekeeper.",
        "wireguard": "Start Gatekeeper.",
        "it jammed": "Open the flap.",
        "Where is the toner?": "Open the flap.",
    }.items():
        hit = search(question).hits[0]
        assert hit.best_sentence.text == text
        assert hit.terms[-1].in_words


def test_another_encoder_is_refused(own_index: Path, encoder: Encoder) -> None:
    forge(own_index, encoder="other", encoder_fingerprint="0" * 64)
    with (
        closing(open_store(own_index)) as store,
        pytest.raises(
            DamagedIndexError, match=r"encoder other.*FOOTNOTE_MODEL names all-MiniLM.*index build"
        ),
    ):
        Search(store, encoder)


# Which sentence is quoted


def hit_of(*sentences: tuple[str, float, bool]) -> Hit:
    """Make a hit of sentences: text, late interaction, whether it may be quoted."""
    made = tuple(HitSentence(1, 0, 1, text, late, 0.5, late, quotable) for text, late, quotable in sentences)
    return Hit(None, 0, 1, "", 0.5, 0.5, 0.5, made, ())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sentences", "best", "nearest"),
    [
        ([("It floats.", 0.5, True), ("It sinks.", 0.5, True)], 0, 0),
        ([("It floats.", 0.4, True), ("It sinks.", 0.5, True)], 1, 1),
        ([("The lamp", 0.9, False), ("Ines Falk", 0.2, True)], 1, 0),
        ([("Why does it float?", 0.9, True), ("It is hollow.", 0.1, True)], 1, 0),
        ([("It is hollow.", 0.1, True), ("Why does it float?", 0.9, True)], 1, 1),
    ],
)
def test_best_sentence_may_be_quoted_and_answers(
    sentences: list[tuple[str, float, bool]], best: int, nearest: int
) -> None:
    hit = hit_of(*sentences)
    assert (hit.best_sentence, hit.nearest_sentence) == (hit.sentences[best], hit.sentences[nearest])
    assert summed(hit)["sentence_late"][1] == sentences[nearest][1]
    for more in itertools.product((0.0, 0.1), repeat=4):
        assert fuse(0.5 + more[0], 0.5 + more[1], 0.5 + more[2], 0.5 + more[3]) >= fuse(0.5, 0.5, 0.5, 0.5)
