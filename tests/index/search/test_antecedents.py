"""Sentences with pronouns are found by the name before them, and only by the one that they may stand for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from index.build import build_index
from index.encoding.encoder import Encoder
from index.search.search import Search
from index.settings import IndexSettings
from index.storage.local import open_store
from tests.index.shelf import put

TEXTS = """
Tobias Renn kept the light at Garrow Point. He was a quiet man. After the flood he moved inland.
The Harbour Choir was formed in 1889. It sang only at funerals. Today it performs in the fish hall.
Our treasurer is Paolo Riva. He can be reached on Tuesdays. Expenses are paid within a week.
Samir Noor plays the oboe. He spent ten years with the town orchestra. Last June he left for a post in Lyon.
Doctor Amina Yusuf runs the clinic. She sees patients before nine. On Fridays she works at the school.
Inga Thorsen sailed alone to the cape. The trip took a month. On the way back she lost her mast.
The Corvid 3 replaces the Corvid 2. It weighs two kilos. Its battery lasts nine hours.
The Marlin is the oldest ferry. It carries forty cars. In winter it is laid up in Sund.
Jonas Wick came to the island with twelve hives. Nobody met him. Within five years he had become its mayor.
Otto Breen found the cave while looking for a goat. He kept it secret. Then he charged visitors a penny.
Miguel Prado restored the organ. He found the pipes in a barn. He asked for no money, only for bread.
Wanda Pike sued the railway over the noise. She won in the second court. Nobody appealed.
Anders Bly coached the eight until 1980. Ida Moor took over. She trained them from a window by the river.
The Lindgren Foundation supports potters. They must be young. It was set up by a brick maker's widow.
""".strip().splitlines()


@pytest.fixture(scope="module")
def search(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    """Search an index of the texts, an article each."""
    folder = tmp_path_factory.mktemp("antecedents")
    rows = [json.dumps({"id": str(number), "text": text}) for number, text in enumerate(TEXTS)]
    put(folder, {"articles/a.jsonl": "\n".join(rows)})
    settings = IndexSettings.load(articles=Path(folder, "articles"), index=Path(folder, "index"))
    build_index(settings, encoder=encoder)
    with closing(open_store(settings.index)) as store:
        yield Search(store, encoder)


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
def test_pronoun_stands_for_the_nearest_name_before_it(search: Search, question: str, sentence: str) -> None:
    best = search(question).hits[0].best_sentence
    assert best.text.startswith(sentence)
    assert best.own <= best.late + 1e-5
