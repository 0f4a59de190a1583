"""Hostile articles, questions and answers: shown to the letter, within every limit, and nothing in them acts."""

from __future__ import annotations

import dataclasses
import json
import unicodedata
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.answering.answer import Answer
from index.build import build_index
from index.encoding.encoder import Encoder
from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import Chat
from tests.bot.discordapp.service import open_service
from tests.graphs import lend_graph
from tests.wire.entities import Message, Permission

TEXTS = {
    "anchor": "\x1b[31mred\x1b[0m \x9b31m",
    "bakery": "\x1b]0;owned\x07 \x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "canal": "\u202egnp.exe \u2066a\u2069",
    "dentist": "**bold** __under__ ~~out~~ ||spoiler|| `code` ```block```",
    "engine": "# One\n## Two\n-# small\n> quote\n>>> more\n- item\n1. first",
    "ferry": "@everyone @here <@1> <@!2> <@&3> <#4> </ask:5> <id:home> <t:1:R> <:a:6> <a:b:7>",
    "guitar": "discord.gg/abc https://discord.gg/abc discord.com/invite/abc",
    "harvest": "[safe](https://evil.example) [a](javascript:x) <https://evil.example> steam://run/1",
    "island": "<script>alert(1)</script><img src=x onerror=alert(1)>\"'& =cmd|'/c calc'!A1",
    "jacket": ":smile: \U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1e6\U0001f1e6 e"
    + "\u0301\u0316" * 90,
    "kettle": "@everyone **x** " * 80,
    "ladder": "x" * 1500,
    "mirror": "\\" * 101 + "*\\_\\ {title} {0} %s ${HOME}",
}
"""Texts that would act on Discord or in a terminal, by what the article that is full of them is about."""

ODD = st.sampled_from([*TEXTS.values(), "\n", "¯\\_(ツ)_/¯", "e\u0301", "𝒳", "«Ünï»", " ", "word", "3.5"])
LETTERS = st.lists(ODD | st.text(max_size=8), min_size=1, max_size=12).map(" ".join)


def hostile_article(name: str, text: str) -> str:
    """Return an article, of which every field is hostile, as a line of JSON."""
    body = f"Before.\n\nEbba Lind bought the {name} of Wexholm, {text}\n\nAfter."
    fields = dict.fromkeys(("title", "author", "publisher"), text)
    return json.dumps({"id": name, "url": f"https://a.example/{name}", "text": body} | fields)


def assert_harmless(message: Message, *, own: str = "") -> None:
    """Fail where anything but links to the articles is more than letters, or is a letter that steers."""
    for part in message.every_part:
        assert set(part.constructs) <= {own}, part
        assert all(address.startswith("https://a.example/") for _, address in part.links)
        assert not set(part.text) & set("\x00\x07\x1b\x7f")


async def test_nothing_in_an_article_acts_wherever_it_is_shown(
    fresh: Chat, tmp_path: Path, encoder: Encoder, graph_folder: Path
) -> None:
    (tmp_path / "articles").mkdir()
    lines = [hostile_article(*one) for one in TEXTS.items()]
    (tmp_path / "articles/hostile.jsonl").write_text("\n".join(lines), encoding="utf-8")
    made = fresh.settings(articles=tmp_path / "articles", index=tmp_path / ".footnote/index")
    lend_graph(graph_folder, made.index)
    build_index(made, encoder=encoder)
    plain = await fresh.channel(fresh.guild)
    await fresh.deny(plain, Permission.EMBED_LINKS)
    async with open_service(fresh, tmp_path, encoder) as service, fresh.bot():
        for name in TEXTS:
            question = f"Who bought the {name} of Wexholm?"
            for where in (fresh.guild.channels[0], plain):
                service.verdict = "answered"
                answer = await fresh.ask(question, where=where)
                service.verdict = "related"
                near = await fresh.mention(question, where=where)
                shown = [
                    answer,
                    near,
                    await fresh.click(answer, texts.CONTEXT),
                    await fresh.click(near, texts.NEXT),
                ]
                shown.append(await fresh.use("verify", where=where, text=answer.shown.quotes[0][:1000]))
                for message in shown:
                    assert_harmless(message)
                    assert bool(message.embeds) is (where is not plain)
                assert_harmless(await fresh.click(near, texts.WHY), own="list")
        assert_harmless(await fresh.use("index articles", fresh.world.owner, fresh.world.owner))
        for one in await fresh.complete(fresh.ann, "ask", fresh.guild, "article", ""):
            assert not set(one["name"]) & set("\n\x00\x07\x1b\x7f")
    assert fresh.log.pings == []


def letters_of(text: str) -> str:
    """Return a text without what Discord does not take, which is shown as missing."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    return "".join(
        one
        for one in lines
        if one in "\n\t" or (unicodedata.category(one) not in {"Cc", "Cs"} and one != "\ufffd")
    )


@settings(max_examples=60)
@given(
    quote=LETTERS.filter(lambda text: bool(letters_of(text))), title=LETTERS,
    verdict=st.sampled_from(["answered", "related"]),
)  # fmt: skip
async def test_any_quote_is_shown_to_the_letter_or_a_beginning_of_it(
    chat: Chat, quote: str, title: str, verdict: str
) -> None:
    def change(answer: Answer) -> Answer:
        first = dataclasses.replace(answer.quotes[0], text=quote, start=0, end=len(quote), highlight=None)
        cited = dataclasses.replace(answer.citations[0], passage=quote, title=title, author=title, url=None)
        return dataclasses.replace(answer, quotes=(first,), citations=(cited,), further=())

    chat.service.verdict, chat.service.change = verdict, change
    answer = await chat.ask()
    shown, whole = letters_of(answer.shown.quotes[0]), letters_of(quote)
    assert shown == whole or (shown.strip("…") in whole and len(shown) > 200)
    assert [part.constructs + part.links for part in answer.every_part] == [[], [], []]
    assert chat.log.pings == []
