"""`footnote doctor`: checks of everything that Footnote needs, with what to do about each problem."""

from __future__ import annotations

import asyncio
import os
import platform
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec

from bot.credentials import exposed_files, has_mode, with_token
from bot.settings import RETIRED, BotSettings
from index.build import plan_build
from index.errors import DamagedIndexError, FootnoteError, MissingError, NoIndexError
from index.reading.registry import reader_name
from index.refresh import source_statuses
from index.search.calibration import choose_fit, fit_file
from index.settings import PREFIX
from index.sources.collection import read_collection
from index.sources.config import read_sources, sources_file
from index.storage.engine import engine_of
from index.storage.inspection import find_model_of
from index.terminal import count_of

__all__ = ["Finding", "examine"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found; `status` is the exit status that it calls for, 0 for none."""

    subject: str
    message: str
    status: int = 0
    warning: bool = False

    def line(self) -> str:
        """Return the finding as one line for people."""
        mark = "FAIL" if self.status else "warn" if self.warning else "ok"
        return f"{mark:<5} {self.subject:<11} {self.message}"


class _Warning(Exception):  # noqa: N818 - no error: the check found something to mend
    pass


def examine(load: Callable[[], BotSettings]) -> list[Finding]:
    """Run every check, continuing after a failed one; `load` reads the settings."""
    findings = [Finding("python", platform.python_version()), _find("packages", _packages)]
    try:
        settings = load()
    except FootnoteError as error:
        return [*findings, Finding("settings", str(error), error.exit_status)]
    checks = (_settings, _weights, _articles, _sources, _index, _confidence, _collections, _files, _discord)
    return findings + [_find(check.__name__.removeprefix("_"), check, settings) for check in checks]


def _find(subject: str, check: Callable[..., str], *settings: BotSettings) -> Finding:
    try:
        return Finding(subject, check(*settings))
    except _Warning as warning:
        return Finding(subject, str(warning), warning=True)
    except FootnoteError as error:
        return Finding(subject, str(error), error.exit_status)


def _packages() -> str:
    """Look for the packages that the project requires, its extras aside."""
    required = [line for line in metadata.requires("footnote") or [] if "extra ==" not in line]
    names = [re.split(r"[^\w.-]", line)[0] for line in required]
    if missing := [name for name in names if not any(metadata.distributions(name=name))]:
        raise MissingError(f"{', '.join(missing)} missing: run `make setup` again")
    return "complete" if find_spec("torch") else "complete; without torch, no encoder can be exported"


def _settings(_: BotSettings) -> str:
    known = {PREFIX + name.upper() for name in (*BotSettings.model_fields, *RETIRED)}
    if unknown := sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known):
        raise _Warning(f"{', '.join(unknown)} in the environment: unknown, so ignored")
    return ".env and the environment are in order"


def _weights(settings: BotSettings) -> str:
    model = find_model_of(settings)
    source = "as published" if model.packaged else f"from {model.folder}"
    if not model.files:
        source = f"encoded by its export in {settings.index} (the model's files are missing)"
    pinned = "pinned" if settings.model_sha256 else "to pin it: FOOTNOTE_MODEL_SHA256"
    return f"{model.name}, {source}; fingerprint {model.fingerprint} ({pinned})"


def _articles(settings: BotSettings) -> str:
    source = read_collection(settings)
    count = sum(note.endswith("skipped") for note in source.notes)
    skipped = f"; {count_of(count, 'file')} skipped" if count else ""
    if source.problems:
        skipped += f"; {len(source.problems)} cannot be indexed, the first: {source.problems[0]}"
    places = (
        f"{settings.articles} and the sources" if read_sources(sources_file(settings)) else settings.articles
    )
    return f"{len(source.articles):,} in {places}{skipped}"


def _sources(settings: BotSettings) -> str:
    """Check that the sources can be read, and that each was refreshed without a problem."""
    statuses = source_statuses(settings)
    if not statuses:
        return f"none in {sources_file(settings)}"
    pending = [status.source.name for status in statuses if status.source.url and not status.last]
    problems = [f"never refreshed: {', '.join(pending)}"] if pending else []
    ends = [status.last for status in statuses if status.last and status.last.problem]
    problems += [f"{last.source}: {last.problem}" for last in ends]
    if problems:
        raise _Warning(f"{'; '.join(problems)}; run `footnote sources refresh`, which says more")
    return f"{len(statuses):,} in {sources_file(settings)}, the last refreshes went well"


def _index(settings: BotSettings) -> str:
    """Check every byte of the index, its encoder included, and whether it is up to date."""
    status = engine_of(settings).status()
    articles = count_of(status.articles, "article")
    summary = f"generation {status.generation}, {articles}, encoder {status.encoder}, intact"
    try:
        changes = plan_build(settings)
    except FootnoteError:
        return summary  # the other checks report problems with articles and weights
    if changes.everything:
        raise DamagedIndexError(f"{changes.everything}, so it cannot be used: run `footnote index build`")
    if changes.any:
        raise _Warning(f"{summary}; the articles have changed since: run `footnote index build`")
    return summary


def _confidence(settings: BotSettings) -> str:
    encoder = find_model_of(settings).fingerprint
    reader = reader_name(settings, encoder)
    fit = choose_fit(fit_file(settings.index), encoder, reader)
    if not fit.is_for(encoder, reader):
        raise _Warning(fit.describe(encoder, reader))
    return fit.describe(encoder, reader)


def _collections(settings: BotSettings) -> str:
    """Check that each collection that is listed has an index."""
    from bot.service.services import Services

    others = {name: one.settings for name, one in Services(settings).items() if name != settings.collection}
    missing = []
    for name, other in others.items():
        try:
            engine_of(other).serving()
        except NoIndexError:
            missing.append(name)
    if missing:
        builds = (f"{name} has no index: run `footnote --collection {name} index build`" for name in missing)
        raise _Warning("; ".join(builds))
    return ", ".join(others) or f"none beside the default in {settings.collections}"


def _files(settings: BotSettings) -> str:
    """Check which files other users of this machine can read or change that they should not."""
    exposed = list(exposed_files(settings))
    if has_mode(settings.records, stat.S_IRGRP | stat.S_IROTH):
        exposed.append(f"{settings.records} holds what people asked: chmod 600 {settings.records}")
    exposed += [
        f"any user of this machine can change {folder}, and so what is quoted: chmod -R o-w {folder}"
        for folder in (settings.index, settings.articles)
        if has_mode(folder, stat.S_IWOTH)
    ]
    if exposed:
        raise _Warning("; ".join(exposed))
    return "nobody else can read secrets or change what is quoted"


def _discord(settings: BotSettings) -> str:
    settings = with_token(settings)
    if settings.discord_token is None:
        raise _Warning("no FOOTNOTE_DISCORD_TOKEN: only the terminal and the browser can ask")
    from bot.discordapp.connection import check_connection

    return f"the token belongs to {asyncio.run(check_connection(settings))}"
