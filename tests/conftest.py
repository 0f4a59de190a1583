"""What all tests share: one real encoder, small article folders, a clean environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from index.encoding.encoder import Encoder
from index.encoding.exports import put_export
from index.encoding.models import find_model
from index.encoding.reference import ReferenceEncoder, build_encoder
from index.settings import DEFAULT_MODEL, IndexSettings
from tests.graphs import cache_folder

settings.register_profile(
    "footnote", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60
)
settings.load_profile("footnote")

# Exported encoders are kept there, not in the user's cache.
os.environ["XDG_CACHE_HOME"] = str(cache_folder())

MakeSettings = Callable[..., IndexSettings]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep what a test wrote fit to be sent: tests run in several processes, and some log half surrogates."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "replace").decode()) for name, text in report.sections]
    return report


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Start every test in an empty folder and without the FOOTNOTE_ settings of whoever runs it."""
    for name in [name for name in os.environ if name.startswith("FOOTNOTE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    """Open the export of the real default encoder, once, on one thread."""
    built = build_encoder(tmp_path_factory.mktemp("no-index"), find_model(DEFAULT_MODEL))
    return Encoder(built.home, built.model, threads=1)


@pytest.fixture(scope="session")
def reference() -> ReferenceEncoder:
    """Load the real default encoder by sentence-transformers, once."""
    return ReferenceEncoder(find_model(DEFAULT_MODEL))


@pytest.fixture(scope="session")
def graph_folder(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an index folder that holds the default encoder's export and nothing else; only to be read."""
    folder = tmp_path_factory.mktemp("exported")
    put_export(folder, encoder.model.fingerprint, encoder.home)
    return folder


@pytest.fixture
def make_settings(tmp_path: Path) -> MakeSettings:
    """Make settings whose articles and index are in the test's own folder."""

    def make(**options: object) -> IndexSettings:
        return IndexSettings.load(
            **{"articles": tmp_path / "articles", "index": tmp_path / "index", **options}
        )

    return make
