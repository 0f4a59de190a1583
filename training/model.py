"""The reader's network: a question read against the sentences of its hits, over frozen token vectors.

The passages' tokens attend to one another and to the question's (Vaswani et al., "Attention Is All You Need",
2017), after each was handed the question's tokens that it is aligned with. A sentence is the mean and the
maximum of its tokens, and what search says of it; sentences attend to one another across hits. Scores start
as those of search, and the network learns what to add.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from index.reading.evidence import FEATURES, SHAPES, TERM_FEATURES

__all__ = ["Batch", "ReaderNet"]

_FAR = -1e4  # the score of what cannot be chosen
_IS_LEAD = 5  # column of a part's features
_COVERAGE = 8
_LONGEST_QUESTION, _LONGEST_PASSAGE, _MOST_PARTS = 128, 256, 16
_WORDS, _WORD_SIZE = 30_522, 32  # of the default encoder's vocabulary
_WORDS_LEFT_OUT = 0.05
_SCALE = 3.0  # so that the entries of a unit vector are not far below 1


class Batch(NamedTuple):
    """Questions with their hits as arrays (see index.reading.evidence), B of them; `asked` is no padding."""

    question: Tensor  # B, K, W
    asked: Tensor  # B, K
    terms: Tensor  # B, K, TERM_FEATURES
    tokens: Tensor  # B, N, L, W
    parts: Tensor  # B, N, L
    matches: Tensor  # B, N, P, K
    titles: Tensor  # B, N, K
    asked_words: Tensor  # B, K
    words: Tensor  # B, N, L
    shapes: Tensor  # B, N, L, SHAPES
    features: Tensor  # B, N, P, FEATURES
    quotable: Tensor  # B, N, P


class Dropout(nn.Module):
    """Drops the same features of all of a sequence's rows, which costs far less than to draw for each."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """Return x (B, ..., D) with some of D at zero."""
        if not self.training or not self.share:
            return x
        keep = torch.rand(x.shape[0], *[1] * (x.dim() - 2), x.shape[-1]) >= self.share
        return x * (keep / (1 - self.share))


class Attention(nn.Module):
    """Multi-head attention."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q, self.kv, self.out = (
            nn.Linear(width, width),
            nn.Linear(width, 2 * width),
            nn.Linear(width, width),
        )

    def forward(self, x: Tensor, y: Tensor, mask: Tensor) -> Tensor:
        """Return what x (B, L, D) reads in y (B, M, D), where the mask (B, M) lets it."""
        b, length, d = x.shape
        q = self.q(x).view(b, length, self.heads, -1).transpose(1, 2)
        k, v = self.kv(y).view(b, y.shape[1], 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        read = scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :])
        out: Tensor = self.out(read.transpose(1, 2).reshape(b, length, d))
        return out


class Layer(nn.Module):
    """A transformer's layer, normalised first; with `cross`, it also attends to another sequence."""

    def __init__(self, width: int, heads: int, dropout: float, *, cross: bool) -> None:
        super().__init__()
        self.own, self.n1, self.n3 = Attention(width, heads), nn.LayerNorm(width), nn.LayerNorm(width)
        self.cross = Attention(width, heads) if cross else None
        self.n2 = nn.LayerNorm(width) if cross else nn.Identity()
        self.ff = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), Dropout(dropout), nn.Linear(2 * width, width)
        )
        self.drop = Dropout(dropout)

    def forward(
        self, x: Tensor, mask: Tensor, y: Tensor | None = None, y_mask: Tensor | None = None
    ) -> Tensor:
        """Return x (B, L, D), having read itself and y (B, M, D)."""
        normal = self.n1(x)
        x = x + self.drop(self.own(normal, normal, mask))
        if self.cross is not None:
            x = x + self.drop(self.cross(self.n2(x), y, y_mask))
        out: Tensor = x + self.drop(self.ff(self.n3(x)))
        return out


class ReaderNet(nn.Module):
    """Scores the sentences of hits, scores "none of them", and finds the ends of the answer's words."""

    def __init__(
        self, width: int = 128, size: int = 128, heads: int = 4, layers: int = 3, dropout: float = 0.03
    ) -> None:
        super().__init__()
        d = size
        self.q_in, self.t_in = nn.Linear(width, d), nn.Linear(TERM_FEATURES, d)
        self.q_pos, self.p_pos = nn.Embedding(_LONGEST_QUESTION, d), nn.Embedding(_LONGEST_PASSAGE, d)
        self.s_pos = nn.Embedding(_MOST_PARTS + 1, d)
        self.word = nn.Embedding(_WORDS, _WORD_SIZE)
        self.is_known = nn.Buffer(torch.zeros(_WORDS, dtype=torch.bool))
        self.qw_in, self.w_in = nn.Linear(_WORD_SIZE, d), nn.Linear(_WORD_SIZE + SHAPES, d)
        self.p_in, self.pa_in, self.f_in = nn.Linear(width, d), nn.Linear(width, d), nn.Linear(4, d)
        self.lead = nn.Parameter(torch.zeros(d))
        self.tau = nn.Parameter(torch.tensor(10.0))
        self.importance = nn.Linear(width + TERM_FEATURES, 1)
        self.q_layer = Layer(d, heads, dropout, cross=False)
        self.layers = nn.ModuleList(Layer(d, heads, dropout, cross=True) for _ in range(layers))
        self.norm = nn.LayerNorm(d)
        self.s_in = nn.Sequential(nn.Linear(3 * d + FEATURES + _COVERAGE, d), nn.GELU(), Dropout(dropout))
        self.s_layer = Layer(d, heads, dropout, cross=True)
        self.s_norm = nn.LayerNorm(d)
        self.score, self.skip = nn.Linear(d, 1), nn.Linear(FEATURES, 1)
        self.none = nn.Sequential(nn.Linear(2 * d + 2, d), nn.GELU(), Dropout(dropout), nn.Linear(d, 1))
        self.span = nn.Linear(d, 2)
        for embedding in (self.q_pos, self.p_pos, self.s_pos):
            nn.init.normal_(embedding.weight, std=0.02)
        nn.init.normal_(self.word.weight, std=0.1)
        nn.init.zeros_(self.score.weight)
        nn.init.zeros_(self.skip.weight)
        nn.init.zeros_(self.skip.bias)
        with torch.no_grad():  # late, own, mean, behind, best; then score of the hit, and behind the first
            self.skip.weight[0, :5] = torch.tensor([2.0, 4.0, 2.0, 0.0, 1.0])
            self.skip.weight[0, 13:15] = torch.tensor([8.0, 2.0])

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Return the scores of parts (B, N*P), of none (B,), and of an answer's ends (B, N*L, 2)."""
        b, n, length, _ = batch.tokens.shape
        p = batch.matches.shape[2]
        question = self.q_in(batch.question) * _SCALE + self.t_in(batch.terms)
        question = question + self.qw_in(self._words(batch.asked_words))
        question = self.q_layer(question + self.q_pos(torch.arange(question.shape[1]))[None], batch.asked)
        weighed = self.importance(torch.cat([batch.question * _SCALE, batch.terms], -1)).squeeze(-1)
        weights = weighed.masked_fill(~batch.asked, _FAR).softmax(-1)
        asked = (question * weights[..., None]).sum(1)

        tokens, cosines = self._read(batch, question, weights)
        sentences, there = self._sentences(batch, tokens, cosines, weights, asked)
        mask = there.clone()
        mask[:, 0] = True
        sentences = self.s_norm(self.s_layer(sentences, mask, question, batch.asked))
        scores = (self.score(sentences) * 4 + self.skip(batch.features.reshape(b, n * p, -1))).squeeze(-1)
        scores = scores.masked_fill(~(batch.quotable.reshape(b, n * p) & there), _FAR)
        share = scores.softmax(-1)
        pooled = (share[..., None] * sentences).sum(1)
        best = scores.amax(-1)
        of_none = torch.cat([asked, pooled, best[:, None] / 10, share.amax(-1, keepdim=True)], -1)
        none = self.none(of_none).squeeze(-1) + best.detach()
        is_padding = (batch.parts < 0).reshape(b, n * length, 1)
        return scores, none, self.span(tokens).reshape(b, n * length, 2).masked_fill(is_padding, _FAR)

    def _words(self, ids: Tensor) -> Tensor:
        """Return vectors of tokens by their ids; of those that are unknown or left out, that of id 0."""
        kept = self.is_known[ids]
        if self.training:
            kept = kept & (torch.rand(ids.shape) >= _WORDS_LEFT_OUT)
        return cast(Tensor, self.word(torch.where(kept, ids, 0)))

    def _read(self, batch: Batch, question: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Return the hits' tokens, having read the question, (B*N, L, D), and their cosines (B*N, L, K)."""
        b, n, length, width = batch.tokens.shape
        hit = torch.arange(b).repeat_interleave(n)
        raw, part = batch.tokens.reshape(b * n, length, width), batch.parts.reshape(b * n, length)
        real, asked, weight = part >= 0, batch.asked[hit], weights[hit][:, None]
        cosines = torch.matmul(raw, batch.question[hit].transpose(1, 2)).masked_fill(~asked[:, None], _FAR)
        aligned = (self.tau * cosines).softmax(-1)
        met = torch.matmul(aligned, batch.question[hit])
        known = cosines.masked_fill(~asked[:, None], 0.0)
        sums = [(known * weight).sum(-1), (aligned * weight).sum(-1), (aligned * known).sum(-1)]
        x = self.p_in(raw) * _SCALE + self.pa_in(raw * met) * 2 * _SCALE
        x = x + self.f_in(torch.stack([cosines.amax(-1), *sums], -1))
        words, shapes = (each.reshape(b * n, length, -1) for each in (self._words(batch.words), batch.shapes))
        x = x + self.w_in(torch.cat([words, shapes], -1))
        x = x + self.p_pos(torch.arange(length).clamp(max=_LONGEST_PASSAGE - 1))[None]
        x = x + self.s_pos(part.clamp(-1, _MOST_PARTS - 1) + 1)
        leads = batch.features[..., _IS_LEAD].reshape(b * n, -1).gather(1, part.clamp(min=0)) * real
        x = x + leads[..., None] * self.lead
        mask = real.clone()
        mask[:, 0] = True  # a padded hit attends to something
        for layer in self.layers:
            x = layer(x, mask, question[hit], asked)
        return self.norm(x), cosines

    def _sentences(
        self, batch: Batch, tokens: Tensor, cosines: Tensor, weights: Tensor, asked: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return vectors of the parts (B, N*P, D), and which parts there are (B, N*P)."""
        b, n, p, k = batch.matches.shape
        hit = torch.arange(b).repeat_interleave(n)
        part = batch.parts.reshape(b * n, -1)
        of_part = (part[:, None, :] == torch.arange(p)[None, :, None]).to(tokens.dtype)
        count = of_part.sum(-1, keepdim=True)
        mean = torch.matmul(of_part, tokens) / count.clamp(min=1)
        places = torch.where(part >= 0, part, p)[..., None]  # padding falls into a part that is cut off
        top = _maxima(tokens, places, p, -5.0)
        near = _maxima(cosines, places, p, -1.0).masked_fill(~batch.asked[hit][:, None], 0.0).clamp(min=-1)
        features = batch.features.reshape(b * n, p, -1)
        leads = features[..., _IS_LEAD] > 0.5
        words, title = batch.matches.reshape(b * n, p, k), batch.titles.reshape(b * n, 1, k)
        led = torch.maximum(near, near.masked_fill(~leads[..., None], -1.0).amax(1, keepdim=True))
        word = torch.maximum(words, (words * leads[..., None]).amax(1, keepdim=True))
        word = torch.maximum(word, title)
        best = torch.maximum(led, word)
        content = (batch.terms[..., 1] * batch.asked)[hit][:, None] > 0.5
        least = torch.where(content, best, torch.ones(())).amin(-1)
        weight = weights[hit][:, None]
        covered = [(each * weight).sum(-1) for each in (near, led, words, word, best)]
        covered += [least, (words * (1 - title) * weight).sum(-1), torch.log1p(count.squeeze(-1)) / 4]
        parts = [mean, top, mean * asked[hit][:, None], features, torch.stack(covered, -1)]
        there = (count.squeeze(-1) > 0).reshape(b, n * p)
        return self.s_in(torch.cat(parts, -1)).reshape(b, n * p, -1), there


def _maxima(rows: Tensor, places: Tensor, count: int, least: float) -> Tensor:
    """Return the maximum of the rows (M, L, D) at each of `count` places, at least `least`: (M, count, D)."""
    start = rows.new_full((rows.shape[0], count + 1, rows.shape[-1]), least)
    return start.scatter_reduce(1, places.expand(-1, -1, rows.shape[-1]), rows, "amax")[:, :count]
