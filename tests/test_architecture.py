"""The house rules that a stranger relies on: docstrings, faces, small folders, short chains, short functions.

Everything is read from the source, so that nothing is imported and nothing is inherited.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MOST_MODULES, LONGEST_CHAIN, LONGEST_FUNCTION = 15, 12, 45


_FILES = [
    path for package in ("index", "bot", "evaluation") for path in sorted((ROOT / package).rglob("*.py"))
]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in _FILES
}
FOLDERS = [name for name, path in MODULES.items() if path.name == "__init__.py"]

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


def public_list(name: str) -> list[str]:
    """Return a module's `__all__`."""
    for node in tree(name).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and ast.unparse(node).startswith("__all__"):
            return list(ast.literal_eval(node.value or ast.List([])))
    pytest.fail(f"{name} has no __all__")


def imported_by(node: ast.AST) -> Iterator[str]:
    """Yield the modules of ours that an import statement names; also where it takes something from one."""
    names: list[str] = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = [f"{node.module}.{alias.name}" for alias in node.names]
    for name in names:
        parent = name.rpartition(".")[0]
        yield from [module for module in (name, parent) if module in MODULES][:1]


def eager(nodes: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run when a module is imported."""
    for node in nodes:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from eager(node.orelse)
        elif not isinstance(node, _Function):
            yield node
            for block in ("body", "orelse", "finalbody"):
                yield from eager(getattr(node, block, []))


def public_definitions(nodes: list[ast.stmt], prefix: str) -> Iterator[tuple[str, ast.ClassDef | _Function]]:
    """Yield the public classes, functions, methods and properties, by name; setters share their getter's."""
    for node in nodes:
        if isinstance(node, ast.ClassDef | _Function) and not node.name.startswith("_"):
            if any(ast.unparse(decorator).endswith(".setter") for decorator in node.decorator_list):
                continue
            yield f"{prefix}.{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public_definitions(node.body, f"{prefix}.{node.name}")


@pytest.mark.parametrize("name", MODULES)
def test_everything_public_has_a_docstring_and_a_place_in_the_public_list(name: str) -> None:
    public, body = public_list(name), tree(name).body
    assert ast.get_docstring(tree(name)), f"{name} has no docstring"
    missing = [each for each, node in public_definitions(body, name) if not ast.get_docstring(node)]
    assert missing == [], "without a docstring"
    assert len(public) == len(set(public))
    if MODULES[name].name != "__init__.py":
        defined = {node.id for node in ast.walk(tree(name)) if isinstance(node, ast.Name)}
        defined |= {node.name for node in body if isinstance(node, ast.ClassDef | _Function)}
        imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
        defined |= {alias.asname or alias.name for node in imports for alias in node.names}
        assert set(public) <= defined, "in __all__, and not there"


@pytest.mark.parametrize("name", [name for name in FOLDERS if "." in name])
def test_face_lists_submodules_that_exist_and_imports_nothing(name: str) -> None:
    assert [each for each in public_list(name) if f"{name}.{each}" not in MODULES] == []
    assert not any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(tree(name)))


@pytest.mark.parametrize("name", MODULES)
def test_other_packages_are_imported_through_their_face(name: str) -> None:
    hidden = set()
    for target in {target for node in ast.walk(tree(name)) for target in imported_by(node)}:
        parts = target.split(".")
        for depth in range(2, len(parts)):
            face, inside = ".".join(parts[:depth]), parts[depth]
            if not f"{name}.".startswith(f"{face}.") and inside not in public_list(face):
                hidden.add(f"{face} does not list {inside}")
    assert hidden == set()


@pytest.mark.parametrize("name", FOLDERS)
def test_folder_is_small(name: str) -> None:
    assert len(list(MODULES[name].parent.glob("[!_]*.py"))) <= MOST_MODULES


def test_imports_make_no_cycle_and_no_long_chain() -> None:
    """Of the imports that run with their module, not of those in functions or under TYPE_CHECKING."""
    graph = {
        name: {target for node in eager(tree(name).body) for target in imported_by(node)} - {name}
        for name in MODULES
    }
    longest: dict[str, list[str]] = {}
    for name in TopologicalSorter(graph).static_order():
        chains = [longest[target] for target in graph.get(name, ())]
        longest[name] = [name, *max(chains, key=len, default=[])]
    chain = max(longest.values(), key=len)
    assert len(chain) <= LONGEST_CHAIN, " → ".join(chain)


@pytest.mark.parametrize("name", MODULES)
def test_functions_fit_the_eye_and_nothing_is_unpickled(name: str) -> None:
    for node in ast.walk(tree(name)):
        if isinstance(node, _Function):
            lines = (node.end_lineno or 0) - node.lineno + 1
            assert lines <= LONGEST_FUNCTION, f"{name}.{node.name} has {lines} lines"
        imports = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        assert not {"pickle", "marshal", "shelve", "dill"}.intersection(imports)
