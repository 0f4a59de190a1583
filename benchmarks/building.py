"""How long building takes: beside a bare loop of the encoder, with one article changed, and after a cut.

    .venv/bin/python -m benchmarks.building SET [--articles N] [--rounds N] > building.md

SET is the folder of a question set, whose articles.jsonl is built (`xquad-en`: some 300 passages). The bare
loop is `SentenceTransformer.encode` over the texts that the build encodes, in batches of 32, as it sorts
them. Builds are by the graph, as they are by default, and by sentence-transformers. Rounds alternate, the
bare loop first, and the best of each counts: on a machine that others use, the least disturbed. Loading an
encoder and exporting its graph are in none.

The build of 10,000 articles (--articles) is of the set's sentences, drawn at random. Its vectors are made up,
since what is measured is everything but encoding; what encoding would take is added to the full build, by the
bare loop's time a passage. Everything is printed as Markdown, in two to four minutes; `--articles 1000
--rounds 1` takes one.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from index.passages.drafts import Draft, read_passages, split

from index.articles.formats import read_articles
from index.build import BuildReport, build_index
from index.encoding.encoder import Basis
from index.encoding.encoder import TextVectors, Encoder
from index.encoding.models import PUBLISHED, find_model
from index.encoding.reference import build_encoder
from index.passages.splitting import split_sentences
from index.progress import Progress
from index.settings import IndexSettings

_SEED = 1
_LANGUAGE = "en"


class MadeUp(Encoder):
    """Takes no time to encode: a text's vectors are drawn by its checksum; its tokens stand where they do."""

    _drawn = np.random.default_rng(_SEED).integers(-127, 128, (5000, 128), dtype=np.int8)

    def encode_passages(
        self, texts: Sequence[str], basis: Basis, done: Callable[[int], None] = lambda count: None
    ) -> list[TextVectors]:
        """Return vectors that mean nothing, of the right shapes and sizes."""
        encoded = []
        for text, tokens in zip(texts, self.count_tokens(texts), strict=True):
            seed = zlib.crc32(text.encode())
            dense = np.random.default_rng(seed).standard_normal(self.dimension, dtype=np.float32)
            starts = np.linspace(0, len(text) - 1, tokens, dtype=np.int32)
            rows = self._drawn[(np.arange(tokens) * 7919 + seed) % len(self._drawn), : basis.shape[1]]
            spans = np.stack([starts, starts + 1], axis=1)
            encoded.append(TextVectors(dense / np.linalg.norm(dense), rows, spans))
        done(len(texts))
        return encoded


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    model = find_model(IndexSettings.model_fields["model"].default)
    reference = Encoder(model)
    reference.basis  # noqa: B018 - found once a model, and not a part of encoding
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "graph").mkdir()
        graph = build_encoder(home / "graph", model, ())
        print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}\n")
        bare = beside_bare_loop(home, options.set / "articles.jsonl", graph, reference, options.rounds)
        one_changed(home, options.set / "articles.jsonl", options.articles, bare)


def beside_bare_loop(home: Path, articles: Path, graph: Encoder, reference: Encoder, rounds: int) -> float:
    """Print the bare loop, builds, and one that was cut off; return the bare loop's seconds a passage."""
    texts = [
        text
        for article in read_articles(articles).articles
        for _, _, text in read_passages(Draft(article, split(article, graph, _LANGUAGE)), graph, _LANGUAGE)
    ]
    model = bare_model()
    bare, builds, cuts, others = [], [], [], []
    for number in range(rounds):
        begun = time.perf_counter()
        model.encode(texts, batch_size=32, show_progress_bar=False)
        bare.append(time.perf_counter() - begun)
        seconds, report = built(articles, home / f"whole-{number}", graph)
        builds.append(seconds)
        cuts.append(cut_off(articles, home / f"cut-{number}", graph, report.passages_encoded // 2))
        others.append(built(articles, home / f"reference-{number}", reference)[0])
    both = [before + after for before, after, _ in cuts]
    print(f"{report.articles:,} articles in {report.passages:,} passages; best of {rounds}\n")
    print("| | seconds | to the bare loop |\n| --- | ---: | ---: |")
    print(f"| bare sentence-transformers loop | {min(bare):.1f} | 1 |")
    print(f"| full build | {min(builds):.1f} | {min(builds) / min(bare):.2f} |")
    print(f"| full build, by sentence-transformers | {min(others):.1f} | {min(others) / min(bare):.2f} |")
    print(f"| a build cut off and resumed, both together | {min(both):.1f} | {min(both) / min(bare):.2f} |\n")
    before, after, resumed = min(cuts)
    print(f"Cut off after {before:.1f} s, the next build took {after:.1f} s: {resumed:,} passages resumed.\n")
    print_sizes(home / "whole-0", report.passages)
    return min(bare) / len(texts)


def bare_model() -> Any:
    """Assemble the default as its model card says, without anything of Footnote's."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    packaged = find_model(IndexSettings.model_fields["model"].default).folder
    with tempfile.TemporaryDirectory() as folder:
        for name in PUBLISHED:
            link = Path(folder, name)
            link.parent.mkdir(exist_ok=True)
            link.symlink_to(packaged.resolve() / name)
        transformer = Transformer(folder, max_seq_length=256)
        pooling = Pooling(transformer.get_embedding_dimension(), "mean")
        return SentenceTransformer(modules=[transformer, pooling, Normalize()])


def settings_for(articles: Path, index: Path) -> IndexSettings:
    """Return settings for a build."""
    return IndexSettings.load(articles=articles, index=index, language=_LANGUAGE)


def built(articles: Path, index: Path, encoder: Encoder) -> tuple[float, BuildReport]:
    """Build; return the seconds that it took, and its report."""
    begun = time.perf_counter()
    report = build_index(settings_for(articles, index), encoder=encoder)
    return time.perf_counter() - begun, report


def cut_off(articles: Path, index: Path, encoder: Encoder, after: int) -> tuple[float, float, int]:
    """Break a build off after some passages and build again; return the seconds of both, and the resumed."""

    def interrupt(step: Progress) -> None:
        if step.stage == "encoding" and step.done >= after:
            raise KeyboardInterrupt

    begun = time.perf_counter()
    try:
        build_index(settings_for(articles, index), interrupt, encoder)
    except KeyboardInterrupt:
        before = time.perf_counter() - begun
    seconds, report = built(articles, index, encoder)
    return before, seconds, report.passages_resumed


def print_sizes(index: Path, passages: int) -> None:
    """Print the bytes a passage of each file of an index."""
    (home,) = (path for path in index.iterdir() if path.is_dir())
    sizes = {path.name: path.stat().st_size for path in sorted(home.iterdir())}
    print("| file | bytes a passage |\n| --- | ---: |")
    for name, size in sizes.items():
        print(f"| {name} | {size / passages:,.0f} |")
    print(f"| together | {sum(sizes.values()) / passages:,.0f} |\n")


def one_changed(home: Path, source: Path, articles: int, bare: float) -> None:
    """Print what a build of many articles takes besides encoding, and one after a single change."""
    file = home / "many.jsonl"
    lines = make_articles(source, articles)
    file.write_text("\n".join(lines), encoding="utf-8")
    encoder = MadeUp(find_model(IndexSettings.model_fields["model"].default))
    encoder.basis  # noqa: B018 - as above
    writing, report = built(file, home / "many", encoder)
    full = writing + bare * report.passages_encoded
    changed = json.loads(lines[articles // 2])
    lines[articles // 2] = json.dumps({**changed, "text": changed["text"] + "\n\nThis is news."})
    file.write_text("\n".join(lines), encoding="utf-8")
    seconds, again = built(file, home / "many", encoder)
    print(f"{report.articles:,} articles in {report.passages:,} passages; one of them changed\n")
    print("| | seconds | share of the full build |\n| --- | ---: | ---: |")
    print(f"| full build (encoding by the bare loop's time a passage) | {full:.0f} | 100% |")
    print(f"| all of it but encoding | {writing:.1f} | {writing / full:.1%} |")
    print(
        f"| one changed ({again.passages_encoded} passages encoded) | {seconds:.1f} | {seconds / full:.1%} |"
    )


def make_articles(source: Path, count: int) -> list[str]:
    """Return articles of three or four paragraphs, as JSON, of sentences drawn from those of `source`."""
    texts = [article.text for article in read_articles(source).articles]
    sentences = sorted({text[a:b] for text in texts for a, b in split_sentences(text, _LANGUAGE)})
    chosen = random.Random(_SEED)  # noqa: S311 - not for secrets
    lines = []
    for number in range(count):
        paragraphs = [" ".join(chosen.choices(sentences, k=chosen.randint(3, 5))) for _ in range(3)]
        title = " ".join(chosen.choice(sentences).split()[:6])
        lines.append(json.dumps({"id": f"a{number}", "title": title, "text": "\n\n".join(paragraphs)}))
    return lines


if __name__ == "__main__":
    main()
