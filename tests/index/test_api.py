"""The public face: what every module shows is there, and says what it is."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import bot
import index
from index import errors

EXIT_STATUSES = {0, 2, 65, 69, 70, 75, 130}


def names_of(package: ModuleType) -> list[str]:
    found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    return [package.__name__, *(one.name for one in found)]


@pytest.mark.parametrize("name", [*names_of(index), *names_of(bot)])
def test_module_has_a_docstring_and_a_public_list_that_exists(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__
    assert module.__doc__.strip()
    public = getattr(module, "__all__", [])
    assert len(public) == len(set(public))
    for one in public:
        assert hasattr(module, one) or importlib.import_module(f"{name}.{one}"), one


def defined_in(module: ModuleType) -> list[tuple[str, object]]:
    """Return the public classes and functions of a module that has a docstring to give."""
    shown = [(name, getattr(module, name)) for name in getattr(module, "__all__", [])]
    return [(name, one) for name, one in shown if inspect.isclass(one) or inspect.isroutine(one)]


@pytest.mark.parametrize("name", names_of(index))
def test_public_name_says_what_it_is(name: str) -> None:
    for public, one in defined_in(importlib.import_module(name)):
        text = one.__doc__ or ""
        # A dataclass without one is given its signature in place of it.
        assert text, public
        assert not text.startswith(f"{public}("), public
        for member, value in vars(one).items() if inspect.isclass(one) else ():
            if not member.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
                assert value.__doc__, f"{public}.{member}"


def test_error_and_setting_come_without_faiss_and_torch() -> None:
    code = (
        "import sys; import index.errors; from index.settings import IndexSettings; IndexSettings.load()\n"
        "print(*sorted({'faiss', 'torch', 'discord', 'sentence_transformers'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "\n"


def tree(root: type[errors.FootnoteError]) -> list[type[errors.FootnoteError]]:
    return [root, *(leaf for child in root.__subclasses__() for leaf in tree(child))]


def test_every_error_has_an_exit_status_of_the_design() -> None:
    importlib.import_module("bot.errors")
    for error in tree(errors.FootnoteError):
        assert error.exit_status in EXIT_STATUSES - {0, 130}, error
        assert error.__doc__, error
        if error is not errors.FootnoteError:
            assert error.exit_status != 70, f"{error} is no fault of ours"


def test_error_tree_is_drawn_as_it_is() -> None:
    drawing = errors.__doc__ or ""
    for name in errors.__all__:
        assert name in drawing
        error = getattr(errors, name)
        if error.exit_status != getattr(error.__mro__[1], "exit_status", None) and name != "FootnoteError":
            line = next(line for line in drawing.splitlines() if name in line)
            assert str(error.exit_status) in line
