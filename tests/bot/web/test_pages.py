"""What all pages have in common: the layout, the languages, collections, and errors."""

from __future__ import annotations

import re
import string
import tomllib
from importlib import resources

import pytest

from bot.chat.messages import languages, messages_in
from tests.bot.web.conftest import Site

_FORM = "application/x-www-form-urlencoded"


async def test_layout_has_landmarks_and_works_without_scripts(site: Site) -> None:
    _, text, _ = await site.get("/verify?collection=harbour", headers={"Accept-Language": "fr-CH, en;q=0.5"})
    assert '<html lang="fr">' in text
    assert re.findall("<(header|nav|main|footer)", text) == ["header", "nav", "main", "footer"]
    assert re.findall(r'href="#main">(.*?)<', text) == ["Aller au contenu"]
    assert re.findall(r'<a href="([^"]+)" aria-current="page"', text) == ["/verify?collection=harbour"]
    assert re.findall('<option value="([^"]*)"( selected)?>', text) == [("", ""), ("harbour", " selected")]
    assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son\w+=|href=\"(https?:|javascript:)", text)


async def test_choice_of_a_collection_keeps_the_question_and_is_left_out_where_there_is_one(
    site: Site,
) -> None:
    _, text, _ = await site.get('/articles?q="%3Cb%3E')
    assert '<input type="hidden" name="q" value="&#34;&lt;b&gt;">' in text
    assert "/run" in text
    async with site.again(only="", web_admin_token=None) as alone:
        _, text, _ = await alone.get("/verify")
        assert ("<select" in text, "/run" in text) == (False, False)


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/nowhere", 404, "There is no such page"),
        ("/articles?collection=%3Cb%3E", 404, "There is no collection &lt;b&gt;."),
        (f"/?collection={'x' * 3000}", 404, f"There is no collection {'x' * 80}."),
        ("/static/", 403, "That is not allowed"),
        ("/static/..%2fpages.py", 404, "There is no such page"),
    ],
)
async def test_errors_are_pages_for_people(site: Site, path: str, status: int, says: str) -> None:
    seen, text, headers = await site.get(path)
    assert (seen, headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert says in text
    assert '<main id="main"' in text


async def test_form_that_cannot_be_read_is_refused(site: Site) -> None:
    for kind in ("multipart/form-data", "multipart/form-data; boundary=a", f"{_FORM}; charset=none"):
        status, text, _ = await site.post("/login", data=b"--a\r\nbroken%ff", headers={"Content-Type": kind})
        assert (status, "That could not be read" in text) == (400, True), kind


def test_texts_of_pages_are_complete_in_every_language() -> None:
    def fields(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    folder = resources.files("bot.web").joinpath("texts")
    texts = {code: tomllib.loads(folder.joinpath(f"{code}.toml").read_text("utf-8")) for code in languages()}
    for code, own in texts.items():
        assert own.keys() == texts["en"].keys(), code
        assert not own.keys() & messages_in(code).texts.keys(), "a page must not change what all surfaces say"
        for key, text in own.items():
            assert (key, fields(text)) == (key, fields(texts["en"][key]))
