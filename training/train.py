"""Train the reader: `python -m training.train FOLDER`, with the examples that training.examples put there.

It stops after --epochs or when it did not get better on the development articles for --patience tries, and
goes on from its last checkpoint when it is started again. FOLDER/log.jsonl has a line for every try.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import pickle
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from training.examples import Example, is_dev, is_held_out
from training.model import Batch, ReaderNet

_SPAN_LOSS = 0.1
_HIDDEN_ANSWERS = 0.12  # of the examples, those whose answer's sentence is taken out
_LEFT_OUT = 0.08  # those whose answer's hits are
_AVERAGE = 0.999  # decay of the average of the weights (Polyak and Juditsky, 1992)
_KNOWN = 60  # times that a token was seen, from which its id is read
_WARM_UP = 200  # steps


@dataclass(frozen=True)
class Shown:
    """An example as it is shown once: which of its hits, and whether the answer's sentences are hidden."""

    example: Example
    hits: Sequence[int]
    is_hidden: bool = False


def load(folder: Path, names: Sequence[str]) -> list[Example]:
    """Return the examples of files; a name may end in `:SHARE`."""
    examples: list[Example] = []
    for each in names:
        name, _, share = each.partition(":")
        with (folder / f"{name}.pkl").open("rb") as file:
            loaded = pickle.load(file)
        if share:
            random.Random(name).shuffle(loaded)
            loaded = loaded[: int(len(loaded) * float(share))]
        examples += loaded
    return examples


def shown(example: Example, chance: random.Random, most: int) -> Shown | None:
    """Choose what to show of an example: fewer hits, or without those that answer, or without the answer."""
    hits, drawn = list(range(len(example.sizes))), chance.random()
    if example.label.any() and drawn < _LEFT_OUT:
        hits = [at for at in hits if not example.label[at].any()]
    hits = hits[: chance.randint(min(3, most), most)]
    is_hidden = _LEFT_OUT <= drawn < _LEFT_OUT + _HIDDEN_ANSWERS
    return Shown(example, hits, is_hidden) if hits else None


def collate(some: Sequence[Shown]) -> tuple[Batch, Tensor, Tensor]:
    """Return a batch, which parts answer (B, N*P), and the answers' ends (B, 2), -1 where unknown."""
    b, n = len(some), max(len(one.hits) for one in some)
    k = max(len(one.example.question) for one in some)
    long = max(one.example.sizes[at] for one in some for at in one.hits)
    p = max(int(one.example.of_hit("parts", at).max(initial=0)) + 1 for one in some for at in one.hits)
    width, wide = some[0].example.tokens.shape[1], some[0].example.features.shape[2]
    wide_terms = some[0].example.terms.shape[1]
    question, asked = np.zeros((b, k, width), "f4"), np.zeros((b, k), bool)
    terms, titles = np.zeros((b, k, wide_terms), "f4"), np.zeros((b, n, k), "f4")
    tokens, parts = np.zeros((b, n, long, width), "f4"), np.full((b, n, long), -1)
    asked_words, words = np.zeros((b, k), "i8"), np.zeros((b, n, long), "i8")
    shapes = np.zeros((b, n, long, some[0].example.shapes.shape[1]), "f4")
    matches, features = np.zeros((b, n, p, k), "f4"), np.zeros((b, n, p, wide), "f4")
    quotable, label = np.zeros((b, n, p), bool), np.zeros((b, n, p), bool)
    span = np.full((b, 2), -1)
    for row, one in enumerate(some):
        example = one.example
        q = len(example.question)
        question[row, :q], asked[row, :q], terms[row, :q] = example.question, True, example.terms
        asked_words[row, :q] = example.asked_words
        for place, at in enumerate(one.hits):
            size, of = example.sizes[at], min(p, example.features.shape[1])
            tokens[row, place, :size] = example.tokens_of(at)
            parts[row, place, :size] = example.of_hit("parts", at)
            matches[row, place, :of, :q] = example.matches[at, :of]
            titles[row, place, :q] = example.titles[at]
            words[row, place, :size] = example.of_hit("words", at)
            shapes[row, place, :size] = example.of_hit("shapes", at)
            features[row, place, :of] = example.features[at, :of]
            quotable[row, place, :of] = example.quotable[at, :of]
            label[row, place, :of] = example.label[at, :of]
            if example.span and example.span[0] == at:
                span[row] = place * long + example.span[1], place * long + example.span[2]
        if one.is_hidden and label[row].any():
            answers = np.take_along_axis(label[row], np.maximum(parts[row], 0), 1) & (parts[row] >= 0)
            parts[row][answers] = -1
            quotable[row] &= ~label[row]
            matches[row][label[row]] = 0
            label[row], span[row] = False, -1
    arrays = [question, asked, terms, tokens, parts, matches, titles]
    arrays += [asked_words, words, shapes, features, quotable]
    batch = Batch(*map(torch.from_numpy, arrays))
    return batch, torch.from_numpy(label.reshape(b, -1)), torch.from_numpy(span)


def batches(examples: list[Example], chance: random.Random, size: int, most: int) -> Iterator[list[Shown]]:
    """Yield an epoch's batches, of examples of about the same length."""
    chance.shuffle(examples)
    for first in range(0, len(examples), size * 16):
        some = [one for each in examples[first : first + size * 16] if (one := shown(each, chance, most))]
        some.sort(key=lambda one: max(one.example.sizes[at] for at in one.hits))
        parts = [some[at : at + size] for at in range(0, len(some), size)]
        chance.shuffle(parts)
        yield from parts


def loss_of(model: ReaderNet, some: Sequence[Shown]) -> Tensor:
    """Return the negative log-probability of the right sentences or of none, and of the answers' ends."""
    batch, label, span = collate(some)
    scores, none, ends = model(batch)
    logs = torch.cat([none[:, None], scores], 1).log_softmax(-1)
    right = torch.cat([~label.any(1, keepdim=True), label], 1)
    loss = -logs.masked_fill(~right, -1e9).logsumexp(-1).mean()
    known = span[:, 0] >= 0
    if known.any():
        of_ends, rows = ends[known].log_softmax(1), torch.arange(int(known.sum()))
        first, last = (of_ends[rows, span[known, end], end] for end in (0, 1))
        loss = loss - _SPAN_LOSS * (first + last).mean() * known.float().mean()
    return loss


def auroc(positive: Any, negative: Any) -> float:
    """Return the share of pairs in which the positive one is higher; ties count half."""
    positive, negative = np.asarray(positive), np.asarray(negative)
    if not len(positive) or not len(negative):
        return math.nan
    return float(((positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)).mean())


@torch.no_grad()
def evaluate(model: ReaderNet, examples: Sequence[Example]) -> dict[str, float]:
    """Return the share of right sentences, the reader's and search's, and what the probabilities tell.

    AUROC is that of answerable against unanswerable by "none" and by the likeliest sentence, and of right
    against wrong; `right_at_85` the share of the answerable that are right where 85 in 100 answers are.
    """
    model.eval()
    rows = []
    for first in range(0, len(examples), 24):
        some = [Shown(one, range(len(one.sizes))) for one in examples[first : first + 24]]
        batch, label, _ = collate(some)
        scores, none, _ = model(batch)
        logs = torch.cat([none[:, None], scores], 1).log_softmax(-1)
        top = scores.argmax(-1)
        for row, one in enumerate(some):
            search = bool(one.example.label[0, one.example.best[0]])
            likely = float(logs[row, 1:].max())
            rows.append(
                (one.example.answerable, bool(label[row, top[row]]), search, -float(logs[row, 0]), likely)
            )
    model.train()
    answerable = [row for row in rows if row[0]]
    ranked = sorted(((row[4], row[0] and row[1]) for row in rows), reverse=True)
    rights = np.cumsum([right for _, right in ranked])
    passing = rights[rights / np.arange(1, len(rights) + 1) >= 0.85]
    return {
        "sentence": float(np.mean([row[1] for row in answerable])),
        "search": float(np.mean([row[2] for row in answerable])),
        "auroc": auroc([row[3] for row in answerable], [row[3] for row in rows if not row[0]]),
        "auroc_likely": auroc([row[4] for row in answerable], [row[4] for row in rows if not row[0]]),
        "auroc_right": auroc(
            [r[4] for r in rows if r[0] and r[1]], [r[4] for r in rows if not (r[0] and r[1])]
        ),
        "right_at_85": float(passing.max(initial=0) / len(answerable)),
    }


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", required=True, help="files of examples to learn from: NAME[:SHARE]...")
    parser.add_argument("--dev", required=True, help="files of examples whose development articles choose")
    parser.add_argument("--out", default="reader")
    parser.add_argument("--epochs", type=float, default=3.6)
    parser.add_argument("--limit", type=int, default=0, help="examples to learn from; 0: all")
    parser.add_argument("--patience", type=int, default=6)
    parser.add_argument("--every", type=int, default=8000, help="examples between two tries")
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--hits", type=int, default=7)
    parser.add_argument("--seed", type=int, default=16)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--dropout", type=float, default=0.03)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--start", type=Path, help="weights to start from")
    return parser.parse_args()


class Training:
    """A network in training, the average of its weights, and how far it has come."""

    def __init__(self, asked: argparse.Namespace, learned: list[Example], dev: Sequence[Example]) -> None:
        self.asked, self.learned, self.dev = asked, learned, dev
        self.chance = random.Random(asked.seed)
        self.model = ReaderNet(size=asked.size, layers=asked.layers, dropout=asked.dropout)
        seen = np.bincount(np.concatenate([one.words for one in learned]), minlength=len(self.model.is_known))
        self.model.is_known.copy_(torch.from_numpy(seen >= _KNOWN))
        self.average = copy.deepcopy(self.model)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=asked.rate, weight_decay=0.03, betas=(0.9, 0.98)
        )
        self.total = asked.epochs * len(learned)
        self.seen, self.step, self.best, self.since = 0, 0, -1.0, 0
        self.losses: list[float] = []
        self.began = time.monotonic()
        self._file = asked.folder / asked.out
        if (checkpoint := self._file.with_suffix(".checkpoint")).exists():
            saved = torch.load(checkpoint, weights_only=True)
            for name in ("model", "average", "optimizer"):
                getattr(self, name).load_state_dict(saved[name])
            self.seen, self.step, self.best, self.since = saved["state"]

    def is_over(self) -> bool:
        """Whether everything was seen often enough, or nothing was gained for long."""
        return bool(self.seen >= self.total or self.since >= self.asked.patience)

    def run(self) -> None:
        """Train until it is over."""
        mark = self.seen + self.asked.every
        while not self.is_over():
            for some in batches(self.learned, self.chance, self.asked.batch, self.asked.hits):
                self._learn(some)
                if self.seen >= min(mark, self.total):
                    mark = self.seen + self.asked.every
                    self._try()
                    if self.is_over():
                        break

    def _learn(self, some: Sequence[Shown]) -> None:
        share = min(1.0, self.seen / self.total)
        rate = min(1.0, (self.step + 1) / _WARM_UP) * max(0.02, (1 + math.cos(math.pi * share)) / 2)
        for group in self.optimizer.param_groups:
            group["lr"] = self.asked.rate * rate
        loss = loss_of(self.model, some)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        self.seen += len(some)
        self.losses.append(loss.item())
        decay = min(_AVERAGE, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for mean, weight in zip(self.average.parameters(), self.model.parameters(), strict=True):
                mean.lerp_(weight, 1 - decay)

    def _try(self) -> None:
        """Measure the average on the development articles; keep it if it is the best so far."""
        measured = evaluate(self.average, self.dev)
        merit = measured["auroc_right"] + measured["sentence"]
        self.since += 1
        if merit > self.best:
            self.best, self.since = merit, 0
            torch.save(self.average.state_dict(), self._file.with_suffix(".pt"))
        seconds = time.monotonic() - self.began
        line = {"seen": self.seen, "loss": float(np.mean(self.losses)), "seconds": seconds} | measured
        with self._file.with_suffix(".log.jsonl").open("a") as file:
            file.write(json.dumps({name: round(value, 4) for name, value in line.items()}) + "\n")
        self.losses = []
        saved = {name: getattr(self, name).state_dict() for name in ("model", "average", "optimizer")}
        saved["state"] = [self.seen, self.step, self.best, self.since]
        torch.save(saved, self._file.with_suffix(".checkpoint"))


def main() -> None:
    """Train."""
    asked = arguments()
    torch.set_num_threads(asked.threads)
    torch.manual_seed(asked.seed)
    learned = [
        one
        for one in load(asked.folder, asked.sets.split())
        if one.sizes and not is_held_out(one.article) and (one.label.any() or not one.answerable)
    ]
    random.Random(asked.seed).shuffle(learned)
    dev = [one for one in load(asked.folder, asked.dev.split()) if one.sizes and is_dev(one.article)]
    training = Training(asked, learned[: asked.limit or None], dev)
    parameters = sum(each.numel() for each in training.model.parameters())
    print(f"{len(training.learned):,} examples, {parameters:,} parameters", flush=True)
    if asked.start:
        for network in (training.model, training.average):
            network.load_state_dict(torch.load(asked.start, weights_only=True))
    training.run()


if __name__ == "__main__":
    main()
