"""`footnote doctor`: what Footnote needs, whether it is there, and what to do about what is not."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from bot.settings import BotSettings
from bot.token_file import allows, exposed, with_token
from index.articles.reading import read_articles
from index.build import plan_build
from index.encoding.models import Model, check_pin, find_model
from index.encoding.onnx_encoder import faults
from index.encoding.opening import ENCODERS, find_model_of
from index.errors import DamagedIndexError, FootnoteError, MissingError, NoModelError
from index.search.calibration import choose_fit
from index.search.parts import SCORED
from index.storage.verification import index_status

__all__ = ["Finding", "examine"]

_OLDEST = (3, 11)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at and what was found; `status` is the exit status that it calls for, 0 for none."""

    subject: str
    message: str
    status: int = 0
    warning: bool = False

    def line(self) -> str:
        """Return the finding as one line for people."""
        mark = "FAIL" if self.status else "warn" if self.warning else "ok"
        return f"{mark:<5} {self.subject:<10} {self.message}"


def examine(options: dict[str, Any]) -> list[Finding]:
    """Look at everything, going on after what is wrong; `options` are those of the command line."""
    findings = [_python(), _packages()]
    try:
        settings = BotSettings.load(**options)
    except FootnoteError as error:
        return [*findings, Finding("settings", str(error), error.exit_status)]
    findings += _settings()
    for subject, look in (
        ("weights", _weights),
        ("articles", _articles),
        ("index", _index),
        ("graph", _graph),
        ("confidence", _confidence),
        ("files", _files),
        ("discord", _discord),
    ):
        findings.append(_guarded(subject, look, settings))
    return findings


def _guarded(subject: str, look: Callable[[BotSettings], Finding], settings: BotSettings) -> Finding:
    try:
        return look(settings)
    except FootnoteError as error:
        return Finding(subject, str(error), error.exit_status)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < _OLDEST:
        return Finding("python", f"{version}; Footnote needs 3.11 or newer", MissingError.exit_status)
    return Finding("python", version)


def _packages() -> Finding:
    """Compare what is installed with what the project asks for."""
    faults = list(_package_faults())
    if faults:
        advice = "run `make setup` again"
        return Finding("packages", f"{'; '.join(faults)}: {advice}", MissingError.exit_status)
    try:
        return Finding("packages", f"all there; torch {metadata.version('torch')}")
    except metadata.PackageNotFoundError:
        return Finding("packages", "all there to answer and rebuild; no torch, so no encoder is exported")


def _package_faults() -> Iterator[str]:
    """Yield a line on each package that is not as wanted; those of the extra `build` may be missing."""
    for line in metadata.requires("footnote") or []:
        wanted = Requirement(line)
        needed = not wanted.marker or wanted.marker.evaluate({"extra": ""})
        if not needed and not (wanted.marker and wanted.marker.evaluate({"extra": "build"})):
            continue
        try:
            version = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            if needed:
                yield f"{wanted.name} is missing"
            continue
        if not wanted.specifier.contains(version, prereleases=True):
            yield f"{wanted.name} is {version}, not {wanted.specifier}"


def _settings() -> list[Finding]:
    file = Path(".env")
    findings = [Finding("settings", ".env and the environment are as they should be")]
    known = {f"FOOTNOTE_{name.upper()}" for name in BotSettings.model_fields}
    unknown = sorted(name for name in os.environ if name.startswith("FOOTNOTE_") and name not in known)
    if unknown:
        message = f"{', '.join(unknown)} in the environment: no setting of Footnote, so without effect"
        findings.append(Finding("settings", message, warning=True))
    if allows(file, stat.S_IRGRP | stat.S_IROTH):
        message = ".env can be read by other users of this machine; if it holds a token: chmod 600 .env"
        findings.append(Finding("settings", message, warning=True))
    return findings


def _weights(settings: BotSettings) -> Finding:
    try:
        model = find_model(settings.model)
    except NoModelError:
        model = _model(settings)
        kind = f"encoded by its export in {settings.index} (its own files are not here)"
    else:
        check_pin(model, settings.model_sha256)
        kind = "as published" if model.packaged else f"from {model.folder}"
    pinned = "pinned" if settings.model_sha256 else "to pin it: FOOTNOTE_MODEL_SHA256"
    return Finding("weights", f"{model.name}, {kind}; fingerprint {model.fingerprint} ({pinned})")


def _model(settings: BotSettings) -> Model:
    return find_model_of(settings.index, settings.model, settings.model_sha256)


def _articles(settings: BotSettings) -> Finding:
    source = read_articles(settings.articles, settings.article_bytes)
    skipped = f"; {len(source.notes)} file(s) skipped" if source.notes else ""
    return Finding("articles", f"{len(source.articles):,} in {settings.articles}{skipped}")


def _index(settings: BotSettings) -> Finding:
    status = index_status(settings.index)
    held = f"generation {status.generation}, {status.articles:,} article(s), whole"
    try:
        changes = plan_build(settings)
    except FootnoteError:
        return Finding("index", held)  # what is wrong with the articles or the weights is told of them
    if changes.everything:
        message = f"{changes.everything}, so it cannot be used: run `footnote index build`"
        return Finding("index", message, DamagedIndexError.exit_status)
    if changes.any:
        return Finding(
            "index", f"{held}; the articles have changed since: run `footnote index build`", warning=True
        )
    return Finding("index", held)


def _graph(settings: BotSettings) -> Finding:
    """Say whether the index has an export of the encoder, after checking every byte of it."""
    model = _model(settings)
    home = settings.index / ENCODERS / model.fingerprint[:16]
    if home.exists():
        for error in faults(home):
            raise error
        return Finding("graph", f"{model.name}, whole")
    message = f"the index has none of {model.name}: `footnote index build` exports it if it can be"
    return Finding("graph", message, warning=True)


def _confidence(settings: BotSettings) -> Finding:
    chosen = choose_fit(settings.fit_file, _model(settings).fingerprint)
    left_out = settings.without & set(SCORED)
    if chosen.is_fitted and left_out and not settings.fit_file.exists():
        parts = ", ".join(sorted(left_out))
        message = f"fitted to a search that does not leave out {parts}: `footnote eval --fit SET`"
        return Finding("confidence", message, warning=True)
    return Finding("confidence", chosen.line(), warning=not chosen.is_fitted)


def _discord(settings: BotSettings) -> Finding:
    settings = with_token(settings)
    if settings.discord_token is None:
        return Finding("discord", "no FOOTNOTE_DISCORD_TOKEN: only the terminal can ask", warning=True)
    from bot.discordapp.connection import check_connection

    return Finding("discord", f"the token is {asyncio.run(check_connection(settings))}'s")


def _files(settings: BotSettings) -> Finding:
    """Say which files others on this machine can read or change that are no business of theirs."""
    elsewhere = [line for line in exposed(settings) if not line.startswith(".env ")]  # told of above
    told = [*elsewhere, *_open_to_others(settings)]
    return Finding(
        "files",
        "; ".join(told) or "nobody else can read what is secret, or change what is quoted",
        warning=bool(told),
    )


def _open_to_others(settings: BotSettings) -> Iterator[str]:
    if allows(settings.records, stat.S_IRGRP | stat.S_IROTH):
        yield f"{settings.records} holds what people asked: chmod 600 {settings.records}"
    for folder in (settings.index, settings.articles):
        if allows(folder, stat.S_IWOTH):
            yield f"anybody on this machine can change {folder}, and so what is quoted: chmod -R o-w {folder}"
