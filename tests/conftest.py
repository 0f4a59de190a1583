"""What all tests share: one real encoder, small article folders, a clean environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from index.encoding.encoder import Encoder
from index.encoding.models import find_model
from index.settings import IndexSettings
from tests.graphs import default_graph, open_default

settings.register_profile(
    "footnote", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60
)
settings.load_profile("footnote")

SAMPLE = Path(__file__).parent.parent / "articles"
"""The sample articles that the project ships."""

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
def graph_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an index folder that holds the default encoder's graph and nothing else; only to be read."""
    return default_graph(request.config, tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def encoder(graph_folder: Path) -> Encoder:
    """Open the real default encoder, once, by its graph."""
    return open_default(graph_folder)


@pytest.fixture(scope="session")
def reference() -> Encoder:
    """Load the real default encoder by sentence-transformers, once; on one thread."""
    import torch

    torch.set_num_threads(1)
    return Encoder(find_model("all-MiniLM-L6-v2"))


@pytest.fixture
def make_settings(tmp_path: Path) -> MakeSettings:
    """Make settings whose articles and index are in the test's own folder."""

    def make(**options: object) -> IndexSettings:
        return IndexSettings.load(
            **{"articles": tmp_path / "articles", "index": tmp_path / "index", **options}
        )

    return make
