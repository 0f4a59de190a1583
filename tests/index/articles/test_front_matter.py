"""Front matter: YAML, TOML and JSON, whole or broken, as the fields of an article."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.articles.front_matter import article_fields, is_draft, split_front_matter
from tests.strategies import hostile_text

BODY = "\nBody."
LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefghijkl", "bcdefghijklm", strict=True)
)
"""A billion laughs: aliases of aliases that stand for more words than there is memory for."""


def fields(text: str) -> dict[str, str]:
    """Read a file's front matter; return the fields that are not empty."""
    metadata, body = split_front_matter(text)
    assert metadata
    assert body.strip() == "Body."
    return {name: value for name, value in article_fields(metadata).items() if value}


@pytest.mark.parametrize(
    ("yaml", "title"),
    [
        ("title: 1984", "1984"),
        ("title: 2024-02-31", "2024-02-31"),
        ("title: !!timestamp soon", "soon"),
        ("title: !!bool perhaps", "perhaps"),
        ("title: !!python/object:os.system x", "x"),
        ("title: null and void", "null and void"),
        ("title: {name: Inner}", "Inner"),
        ("<<: {title: no}\ntitle: T", "T"),
        ("title: >\n  Two\n  lines", "Two lines"),
        ("title: ~", ""),
        ("title:", ""),
        ("title: []", ""),
        # broken YAML is read line by line
        ("title: Skarholm: the ferry", "Skarholm: the ferry"),
        ("title: {{ page.title }}", "{{ page.title }}"),
        ("title: {{date}}\nother: [", "{{date}}"),
        ("title: 'It's open'", "It's open"),
        ("title: @home", "@home"),
        ("title: [unclosed", "[unclosed"),
        ("\tindented: x\ntitle: T", "T"),
        ("ok: x\ntitle: *nowhere", "*nowhere"),
        ("title: &a [*a]", "&a [*a]"),
    ],
)
def test_yaml_is_text_whatever_it_looks_like(yaml: str, title: str) -> None:
    read = fields(f"---\n{yaml}\nauthor: Ann\n---{BODY}")
    assert (read.get("title", ""), read.get("author")) == (title, "Ann")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("---\nauthors: [Ann, Bo Lee]\n---", {"author": "Ann, Bo Lee"}),
        ("---\nauthor: {name: Ann, url: x}\n---", {"author": "Ann"}),
        ("---\nauthors:\n- name: Ann\n- name: Bo\n- ''\n...", {"author": "Ann, Bo"}),
        ("---\nTitle: T\nBy: Ann\n---", {"title": "T", "author": "Ann"}),
        ("---\ndate: 2021-03-09\npermalink: /a\n---", {"published": "2021-03-09", "url": "/a"}),
        ("---\npublished: true\nlastmod: 2022\n---", {"published": "2022"}),
        ("---\nsummary: S\ntags: [a, b]\nkeywords:\ndescription: D\n---", {"description": "D. S. a, b"}),
        (
            "+++\ntitle = 'T'\ndate = 2021-03-09\nauthors = ['Ann', 'Bo']\n[params]\nx = 1\n+++",
            {"title": "T", "published": "2021-03-09", "author": "Ann, Bo"},
        ),
        (
            '{\n"title": "T",\n"author": {"name": "Ann"}, "date": 2021\n}',
            {"title": "T", "author": "Ann", "published": "2021"},
        ),
    ],
)
def test_fields_have_the_names_that_site_generators_use(text: str, expected: dict[str, str]) -> None:
    assert fields(text + BODY) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Text.\n---\ntitle: T\n---\n",
        "---\ntitle: never closed\n",
        "--- x\ntitle: T\n---\n",
        "---\n- a\n---\n",
        "---\n" + "- " * 30_000 + "\n---\n",
        "---\ntitle: " + "x" * 100_000 + "\n---\n",
        "+++\nnot toml\n+++\n",
        "+++\ntitle = 0x" + "f" * 5_000 + "\n+++\n",
        '{"title": "T"} and text.',
        '{"title": ',
        '{"a":' * 10_000,
    ],
)
def test_what_is_no_front_matter_stays_text(text: str) -> None:
    assert split_front_matter(text) == ({}, text)


@pytest.mark.parametrize(
    "yaml",
    [
        LAUGHS + "title: *m\ntags: *m\ndraft: *m",
        LAUGHS.replace("x, x", "") + "title: *m",
        f"long: &a {'x' * 9_000}\ntitle: [{', '.join(['*a'] * 9_000)}]",
        "title: " + "[" * 30_000,
        "title: " + "{a: " * 10_000,
    ],
    ids=["laughs", "empty laughs", "long aliases", "lists", "maps"],
)
def test_front_matter_stays_small_in_memory(yaml: str) -> None:
    metadata, _ = split_front_matter(f"---\n{yaml}\n---{BODY}")
    assert all(len(value) <= 64_000 for value in article_fields(metadata).values())
    assert not is_draft(metadata)


@given(
    st.sampled_from(["---", "+++", "{"]),
    hostile_text(
        "title", ": ", " = ", "\n", "&a ", "*a", "!!int ", "? ", "<<", '"', "{{x}}", surrogates=True
    ),
)
def test_any_front_matter_is_fields_or_text(mark: str, inner: str) -> None:
    text = f"{mark}\n{inner}\n{mark if mark != '{' else '}'}{BODY}"
    metadata, body = split_front_matter(text)
    assert text.endswith(body)
    assert metadata or body == text or mark != "---"
    assert all("\n" not in value for value in article_fields(metadata).values())
    assert is_draft(metadata) in {True, False}
