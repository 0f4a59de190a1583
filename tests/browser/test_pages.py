"""What a person does in a browser, with and without script: ask, read a quote in place, verify, operate."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="make test-browser installs it")
expect = playwright.expect

pytestmark = pytest.mark.browser

ADMIN = "a-token-for-operators"
LIT = "When was the lighthouse lit for the first time?"
LAMP = (
    "# The lamp on Gull Rock\n\nEbba Lind kept the lamp for thirty-one years.\n\n## The light\n\n"
    "The lighthouse was lit for the first time in 1871. It burned 40 litres of \\<colza> oil a night.\n\n"
    "- Its bell was cast in Bergen.\n- Its boat is kept in the old barn.\n"
)
BREAD = "# Bread\n\nSourdough rises slowly because wild yeast is scarce.\n\nSalt goes in last.\n"
ARABIC = "# المنارة\n\nأضيئت المنارة لأول مرة في عام ١٨٧١.\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run `footnote web` over three articles, and return its address."""
    home = tmp_path_factory.mktemp("web")
    (home / "articles").mkdir()
    for name, text in {"lamp.md": LAMP, "bread.md": BREAD, "arabic.md": ARABIC}.items():
        (home / "articles" / name).write_text(text, encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FOOTNOTE_")}
    environment["FOOTNOTE_WEB_ADMIN_TOKEN"] = ADMIN
    program = [sys.executable, "-P", "-m", "bot.cli"]
    subprocess.run([*program, "index", "build"], cwd=home, env=environment, check=True, capture_output=True)
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(
            [*program, "web", "--port", str(port)], cwd=home, env=environment, stderr=log
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(f"{address}/readyz", server)
        yield address
    finally:
        server.terminate()
        server.wait(30)
    assert "Traceback" not in (home / "log").read_text(encoding="utf-8")


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert server.poll() is None, "the server has ended"
        try:
            urllib.request.urlopen(address, timeout=5)  # noqa: S310 - our own server
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the server is not ready")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Start Debian's Chromium, once."""
    with playwright.sync_playwright() as driver:
        yield driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def with_script(request: pytest.FixtureRequest) -> bool:
    """Whether the browser runs scripts."""
    return bool(request.param)


@pytest.fixture
def page(with_script: bool, chromium: Any) -> Iterator[Any]:
    """Open a page; what the console or the content security policy complains of fails the test."""
    context = chromium.new_context(java_script_enabled=with_script, locale="en-GB")
    page, complaints = context.new_page(), []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


def test_a_question_is_answered_and_its_quote_is_marked_in_its_article(site: str, page: Any) -> None:
    page.goto(site)
    page.get_by_role("searchbox", name="Your question").fill(
        "When was the lighthouse lit for the first time?"
    )
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="The articles say")).to_be_visible()
    quote = page.locator("blockquote").first
    expect(quote).to_have_text("The lighthouse was lit for the first time in 1871.")
    page.get_by_role("link", name="Read it in the article").first.click()
    marked = page.locator("mark#q")
    expect(marked).to_have_text("The lighthouse was lit for the first time in 1871.")
    expect(marked).to_be_in_viewport()
    expect(page.get_by_role("heading", name="The light")).to_be_visible()
    assert page.locator("li").filter(has_text="Its bell was cast in Bergen.").count() == 1
    assert "<colza>" in page.locator("main").inner_text()


def test_a_follow_up_builds_on_the_question_before(site: str, page: Any) -> None:
    page.goto(f"{site}/?q={LIT}")
    page.get_by_role("searchbox", name="Ask a follow-up").fill("And how much oil did it burn?")
    page.keyboard.press("Enter")
    expect(page.locator("blockquote").first).to_contain_text("40 litres of <colza> oil")


def test_an_answer_is_rated_and_the_reason_given(site: str, page: Any) -> None:
    page.goto(f"{site}/?q=Why does sourdough rise slowly?")
    page.get_by_role("button", name="Not helpful").click()
    page.locator("textarea").fill("too short")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Recorded as not helpful.")).to_be_visible()


def test_what_the_articles_do_not_say_is_told_with_the_reason(site: str, page: Any) -> None:
    page.goto(f"{site}/?q=How do I reset my password?")
    expect(page.get_by_role("heading", name="The articles do not seem to say")).to_be_visible()
    page.get_by_text("Why?").click()
    expect(page.locator("details.why li").first).to_be_visible()


def test_a_text_is_verified_sentence_by_sentence(site: str, page: Any) -> None:
    page.goto(f"{site}/verify")
    page.locator("textarea").first.fill(
        "Salt goes in last. The lighthouse was lit for the first time in 1872."
    )
    page.get_by_role("button", name="Check").click()
    expect(page.locator("del")).to_contain_text("1872")
    expect(page.locator("ins")).to_contain_text("1871")
    page.get_by_role("link", name="Read it in the article").first.click()
    expect(page.locator("mark#q")).to_have_text("Salt goes in last.")


def test_operators_sign_in_rebuild_and_sign_out(site: str, page: Any, with_script: bool) -> None:
    page.goto(f"{site}/run")
    page.locator("input[type=password]").fill(ADMIN)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Rebuild").click()
    ended = page.get_by_text("Nothing has changed")
    for _ in range(0 if with_script else 60):  # without script, the person looks again
        if ended.count():
            break
        time.sleep(0.5)
        page.goto(f"{site}/run")
    expect(ended).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{site}/run")
    expect(page.get_by_role("button", name="Rebuild")).to_have_count(0)


def test_every_page_works_by_keyboard_on_a_phone_in_the_dark_and_right_to_left(
    site: str, chromium: Any
) -> None:
    context = chromium.new_context(
        viewport={"width": 360, "height": 640}, color_scheme="dark", reduced_motion="reduce", locale="fr-FR"
    )
    page = context.new_page()
    for path in ("/", "/?q=Salt?", "/articles", "/articles/bread", "/articles/arabic", "/verify", "/nothing"):
        page.goto(site + path)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 360, f"{path} scrolls sideways"
        assert page.evaluate("document.documentElement.lang") == "fr"
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.tagName") in {"A", "BUTTON", "INPUT", "TEXTAREA"}, path
        unnamed = page.evaluate(
            "[...document.querySelectorAll('input:not([type=hidden]):not([hidden]),textarea,select')]"
            ".filter(e => !e.labels?.length && !e.ariaLabel).length"
        )
        assert unnamed == 0, path
    page.goto(f"{site}/articles/arabic")
    paragraph = page.locator("[data-text] p").first
    assert paragraph.evaluate("element => getComputedStyle(element).direction") == "rtl"
    context.close()
