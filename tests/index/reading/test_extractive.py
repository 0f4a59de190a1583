"""A question-answering model as the reader: what it says of hits, and how it comes into an index."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, pre_tokenizers

from index.encoding.encoder import Encoder
from index.encoding.exports import READERS, TOKENIZER
from index.errors import DamagedIndexError, NoModelError
from index.reading.extractive import READ, ExtractiveReader, open_reader
from index.reading.extractive_export import prepare_reader
from index.reading.reader import with_reading
from index.search.search import Search
from index.storage.inspection import verify
from index.storage.local import LocalStore
from tests.index.encoding.model_folders import copy_default

ROOT = Path(__file__).parents[3]
WINDOW = 96
LEAD = "Of keepers and of what they keep"
BEES = "Where did he keep bees?"
ANSWERS = {
    BEES: "behind the oil store",
    "When does the bakery open?": "two in the morning",
    "What did the extension of the tram cost?": "48 million crowns",
    "What do Zoë Ünal’s guests eat?": "éclairs",
    "Where is the keeper's grave?": "",
    "Who won the regatta?": "",
}
"""What the model is taught: the words that answer, "" where the articles do not say."""


def save_reader(folder: Path, search: Search) -> Path:
    """Save a tiny model that was taught the answers in the passages that search finds."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForQuestionAnswering

    torch.manual_seed(0)
    load: Any = AutoTokenizer.from_pretrained
    tokenizer = load(str(copy_default(folder.with_name("default"))), model_max_length=WINDOW)
    layers: Any = {
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "hidden_size": 32,
        "intermediate_size": 64,
    }
    layers |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    config = BertConfig(**layers, max_position_embeddings=WINDOW)
    asked = [(question, hit.text) for question in ANSWERS for hit in search(question).hits[:READ]]
    asked += [(question, f"{LEAD}. {text}") for question, text in asked if question == BEES]
    read = tokenizer(*map(list, zip(*asked, strict=True)), padding=True, truncation=True, return_tensors="pt")
    gold = []
    for row, (question, text) in enumerate(asked):
        start, answer = text.find(ANSWERS[question]), ANSWERS[question]
        ends = (start, start + len(answer) - 1) if answer and start >= 0 else ()
        gold.append([read.char_to_token(row, end, 1) for end in ends] or [0, 0])
    starts, ends = torch.tensor(gold).T
    model: Any = BertForQuestionAnswering(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.007)
    for _ in range(80):
        optimizer.zero_grad()
        model(**read, start_positions=starts, end_positions=ends).loss.backward()
        optimizer.step()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", autouse=True)
def cache(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Start with an empty cache once there is an encoder, so that the model is exported by this code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def folder(search: Search, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a tiny model; only to be read."""
    return save_reader(tmp_path_factory.mktemp("models") / "reader", search)


@pytest.fixture(scope="module")
def prepared(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an index folder that holds the model's export and nothing else; only to be read."""
    index = tmp_path_factory.mktemp("prepared")
    prepare_reader(str(folder), index)
    return index


@pytest.fixture(scope="module")
def reader(folder: Path, prepared: Path) -> ExtractiveReader:
    """Open the reader."""
    return open_reader(str(folder), prepared)


def home_of(index: Path) -> Path:
    (home,) = (path for path in (index / READERS).iterdir() if path.is_dir())
    return home


@pytest.mark.parametrize("question", ANSWERS)
def test_likeliest_sentence_and_its_words_answer_or_none_does(
    reader: ExtractiveReader, folder: Path, search: Search, shelf: LocalStore, question: str
) -> None:
    found = search(question)
    reading = reader.read(found, shelf)
    assert reading.reader == str(folder)
    assert [len(each) for each in reading.sentences] == [len(hit.sentences) for hit in found.hits[:READ]]
    assert sum(map(sum, reading.sentences)) + reading.none == pytest.approx(1)
    assert (reading.none > 0.5) == (not ANSWERS[question])
    if ANSWERS[question]:
        best = with_reading(found, reading).hits[0]
        assert ANSWERS[question] in best.best_sentence.text
        assert reading.answer is not None
        assert best.article.text[slice(*reading.answer)] == ANSWERS[question]


def test_answer_is_cut_at_the_sentence_and_what_may_not_be_quoted_gets_nothing(
    reader: ExtractiveReader, search: Search, shelf: LocalStore
) -> None:
    found = search(BEES)
    hit = next(hit for hit in found.hits if ANSWERS[BEES] in hit.text)
    *others, last = hit.sentences
    answers = []
    lead = replace(last, text=LEAD)
    for sentences in (
        [*others, replace(last, end=last.start + last.text.index(" oil"))],
        [*others, replace(last, quotable=False)],
        [replace(each, quotable=False) for each in hit.sentences],
    ):
        reading = reader.read(
            replace(found, hits=(replace(hit, sentences=tuple(sentences), leads=(lead,)),)), shelf
        )
        assert sum(reading.sentences[0]) + reading.none == pytest.approx(1)
        answers.append(hit.article.text[slice(*reading.answer)] if reading.answer else "")
        assert bool(reading.sentences[0][-1]) == sentences[-1].quotable
    assert (answers[0], answers[2]) == ("behind the", "")
    assert answers[1] not in last.text


def test_question_takes_half_of_the_window_at_most_and_passages_are_cut(
    reader: ExtractiveReader, search: Search, shelf: LocalStore
) -> None:
    encodings = reader.score([("who " * 300, "bees " * 300), ("who", "bees " * 300)]).encodings
    assert [encoding.sequence_ids.count(0) for encoding in encodings] == [WINDOW // 2 - 2, 1]
    assert [len(encoding.ids) for encoding in encodings] == [WINDOW, WINDOW]
    found = search(BEES)
    reading = reader.read(replace(found, question=replace(found.question, text="who " * 300)), shelf)
    assert sum(map(sum, reading.sentences)) + reading.none == pytest.approx(1)


def test_tokens_may_begin_with_the_space_before_a_word(
    prepared: Path, search: Search, shelf: LocalStore, tmp_path: Path
) -> None:
    """As SentencePiece's do; this model knows none of them, and answers something."""
    home = Path(shutil.copytree(home_of(prepared), tmp_path / "home"))
    tokenizer: Any = Tokenizer.from_file(str(home / TOKENIZER))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.save(str(home / TOKENIZER))
    own = ExtractiveReader("spaced", home)
    assert own.score([("Who?", "He kept bees.")]).encodings[0].offsets[-2] == (7, 13)
    for question in ANSWERS:
        found = search(question)
        reading = own.read(found, shelf)
        sums = [len(list(filter(None, each))) for each in reading.sentences]
        assert sums == [len([one for one in hit.sentences if one.quotable]) for hit in found.hits[:READ]]
        best = with_reading(found, reading).hits[0].best_sentence
        assert reading.answer is not None
        words = best.text[reading.answer[0] - best.start : reading.answer[1] - best.start]
        assert words == words.strip() != ""


def test_opening_needs_the_index_alone_and_imports_no_torch(folder: Path, prepared: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom index.reading.extractive import open_reader\n"
        f"reader = open_reader({str(folder)!r}, Path({str(prepared)!r}))\n"
        "reader.score([('Who kept bees?', 'He kept bees.')])\n"
        "print(*{'torch', 'transformers', 'sentence_transformers'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (run.stdout, run.stderr) == ("\n", "")


def test_index_has_one_reader_which_is_mended_and_outlives_the_model_s_files(
    folder: Path, own_index: Path, tmp_path: Path
) -> None:
    name = str(shutil.copytree(folder, tmp_path / "reader"))
    (own_index / READERS / "0123456789abcdef-4").mkdir(parents=True)
    prepare_reader(name, own_index)
    home = home_of(own_index)
    assert verify(own_index) == []
    (home / TOKENIZER).write_text("{}")
    assert any("tokenizer.json is damaged" in line for line in verify(own_index))
    with pytest.raises(DamagedIndexError, match=rf"{home}/tokenizer\.json is damaged.*footnote index build"):
        open_reader(name, own_index)
    prepare_reader(name, own_index)
    shutil.rmtree(name)
    prepare_reader(name, own_index)
    assert open_reader(name, own_index).name == name
    assert verify(own_index) == []


@pytest.mark.parametrize("pointer", ["", "[]", "{}", '{"name": null, "fingerprint": 1}'])
def test_reader_that_the_index_does_not_have_is_refused_with_advice(
    folder: Path, prepared: Path, tmp_path: Path, pointer: str
) -> None:
    index = shutil.copytree(prepared, tmp_path / "index")
    (index / READERS / "current.json").write_text(pointer)
    for name, asked in ((str(folder), index), (str(folder), tmp_path), ("another/reader", prepared)):
        with pytest.raises(
            NoModelError, match=rf"{asked} does not have .* '{name}': run `footnote index build`"
        ):
            open_reader(name, asked)


WEIGHTS = "model.safetensors"
REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (shutil.rmtree, r"no reader '.*': .* Correct FOOTNOTE_READER"),
    "pickled": (
        lambda folder: (folder / WEIGHTS).rename(folder / "pytorch_model.bin"),
        r"no \.safetensors weights in .*set FOOTNOTE_READER",
    ),
    "code": (
        lambda folder: (folder / "config.json").write_text('{"auto_map": {"AutoModel": "evil.Model"}}'),
        r"asks for code to be run .*set FOOTNOTE_READER",
    ),
    "encoder": (copy_default, r"loaded: it is no question-answering model.*Set FOOTNOTE_READER"),
    "broken": (lambda folder: (folder / WEIGHTS).write_bytes(bytes(64)), r"loaded: .* Set FOOTNOTE_READER"),
    "no torch": (
        lambda folder: (folder / "extra.json").write_text("{}"),  # no export is cached
        r"needs torch, which is not installed: pip install 'footnote\[build\]', or copy an index",
    ),
}


@pytest.mark.parametrize("problem", REFUSED)
def test_model_that_cannot_be_used_is_refused_in_a_line_with_advice(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: str
) -> None:
    change, message = REFUSED[problem]
    own = Path(shutil.copytree(folder, tmp_path / "own"))
    change(own)
    if problem == "no torch":
        monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(NoModelError, match=message) as caught:
        prepare_reader(str(own), tmp_path / "index")
    assert "\n" not in str(caught.value)
