"""`footnote doctor`: checks of everything that Footnote needs, with what to do about each problem."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata

from packaging.requirements import Requirement

from bot.credentials import exposed_files, has_mode, with_token
from bot.settings import RETIRED, BotSettings
from index.articles.formats import read_articles
from index.build import plan_build
from index.errors import DamagedIndexError, FootnoteError, MissingError
from index.search.calibration import choose_fit, fit_file
from index.settings import PREFIX
from index.storage.inspection import find_model_of, index_status

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
        return f"{mark:<5} {self.subject:<10} {self.message}"


def examine(load: Callable[[], BotSettings]) -> list[Finding]:
    """Run every check, continuing after a failed one; `load` reads the settings."""
    findings = [Finding("python", ".".join(map(str, sys.version_info[:3]))), _packages()]
    try:
        settings = load()
    except FootnoteError as error:
        return [*findings, Finding("settings", str(error), error.exit_status)]
    findings.append(_settings())
    for check in (_weights, _articles, _index, _graph, _confidence, _files, _discord):
        subject = check.__name__.removeprefix("_")
        try:
            findings.append(check(subject, settings))
        except FootnoteError as error:
            findings.append(Finding(subject, str(error), error.exit_status))
    return findings


def _packages() -> Finding:
    """Compare the installed packages with what the project requires."""
    if problems := "; ".join(_package_problems()):
        return Finding("packages", f"{problems}: run `make setup` again", MissingError.exit_status)
    try:
        return Finding("packages", f"complete, with torch {metadata.version('torch')}")
    except metadata.PackageNotFoundError:
        return Finding("packages", "complete for answering and rebuilding; without torch, no graph is made")


def _package_problems() -> Iterator[str]:
    """Yield a line on each package that is missing or of a wrong version; the extra `build` is optional."""
    for line in metadata.requires("footnote") or []:
        requirement = Requirement(line)
        required = not requirement.marker or requirement.marker.evaluate({"extra": ""})
        if not required and not (requirement.marker and requirement.marker.evaluate({"extra": "build"})):
            continue
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            if required:
                yield f"{requirement.name} is missing"
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            yield f"{requirement.name} is {version}, not {requirement.specifier}"


def _settings() -> Finding:
    known = {PREFIX + name.upper() for name in (*BotSettings.model_fields, *RETIRED)}
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    if unknown:
        message = f"{', '.join(unknown)} in the environment: not a setting of Footnote, so it has no effect"
        return Finding("settings", message, warning=True)
    return Finding("settings", ".env and the environment are in order")


def _weights(subject: str, settings: BotSettings) -> Finding:
    model = find_model_of(settings)
    source = "as published" if model.packaged else f"from {model.folder}"
    if not model.files:
        source = f"encoded by its export in {settings.index} (its own files are not here)"
    pinned = "pinned" if settings.model_sha256 else "to pin it: FOOTNOTE_MODEL_SHA256"
    return Finding(subject, f"{model.name}, {source}; fingerprint {model.fingerprint} ({pinned})")


def _articles(subject: str, settings: BotSettings) -> Finding:
    source = read_articles(settings.articles)
    skipped = f"; {len(source.notes)} file(s) skipped" if source.notes else ""
    return Finding(subject, f"{len(source.articles):,} in {settings.articles}{skipped}")


def _index(subject: str, settings: BotSettings) -> Finding:
    status = index_status(settings.index)
    summary = f"generation {status.generation}, {status.articles:,} article(s), intact"
    try:
        changes = plan_build(settings)
    except FootnoteError:
        return Finding(subject, summary)  # the other checks report problems with articles and weights
    if changes.everything:
        message = f"{changes.everything}, so it cannot be used: run `footnote index build`"
        return Finding(subject, message, DamagedIndexError.exit_status)
    if changes.any:
        message = f"{summary}; the articles have changed since: run `footnote index build`"
        return Finding(subject, message, warning=True)
    return Finding(subject, summary)


def _graph(subject: str, settings: BotSettings) -> Finding:
    """Check every byte of the encoder's export."""
    return Finding(subject, f"{index_status(settings.index).encoder}, intact")


def _confidence(subject: str, settings: BotSettings) -> Finding:
    encoder = find_model_of(settings).fingerprint
    fit = choose_fit(fit_file(settings.index), encoder)
    return Finding(subject, fit.describe(encoder), warning=not fit.is_for(encoder))


def _files(subject: str, settings: BotSettings) -> Finding:
    """Check which files other users of this machine can read or change that they should not."""
    exposed = list(exposed_files(settings))
    if has_mode(settings.records, stat.S_IRGRP | stat.S_IROTH):
        exposed.append(f"{settings.records} holds what people asked: chmod 600 {settings.records}")
    exposed += [
        f"anybody on this machine can change {folder}, and so what is quoted: chmod -R o-w {folder}"
        for folder in (settings.index, settings.articles)
        if has_mode(folder, stat.S_IWOTH)
    ]
    message = "; ".join(exposed) or "nobody else can read secrets or change what is quoted"
    return Finding(subject, message, warning=bool(exposed))


def _discord(subject: str, settings: BotSettings) -> Finding:
    settings = with_token(settings)
    if settings.discord_token is None:
        return Finding(subject, "no FOOTNOTE_DISCORD_TOKEN: only the terminal can ask", warning=True)
    from bot.discordapp.connection import check_connection

    return Finding(subject, f"the token belongs to {asyncio.run(check_connection(settings))}")
