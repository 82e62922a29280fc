"""Modules import each other in no circle. The layers of packages are checked by import-linter (pyproject.toml)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import prunectl

SOURCE = Path(prunectl.__file__).parent


def modules() -> dict[str, Path]:
    """Every module of the package by its name."""
    names = {
        path: ".".join(("prunectl", *path.relative_to(SOURCE).with_suffix("").parts)) for path in SOURCE.rglob("*.py")
    }
    return {name.removesuffix(".__init__"): path for path, name in names.items()}


def imports(node: ast.AST) -> Iterator[str]:
    """The names that are imported when code runs, in functions too; not those for type checkers alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module:
            yield child.module
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        else:
            yield from imports(child)


def circle(code: dict[str, str]) -> list[str]:
    """The modules of one circle; none if there is none. A package is no part of one with its own modules."""
    graph = {
        name: {other for other in imports(ast.parse(text)) if other in code and not f"{name}.".startswith(f"{other}.")}
        for name, text in code.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_a_circle_is_seen_through_functions_and_not_through_types() -> None:
    def imports_a(how: str) -> dict[str, str]:
        return {"p.a": "from p import b", "p.b": f"{how}\n    from p.a import thing"}

    assert set(circle(imports_a("def read():"))) == {"p.a", "p.b"}
    assert circle(imports_a("if TYPE_CHECKING:")) == []


def test_no_module_imports_another_in_a_circle() -> None:
    code = {name: path.read_text() for name, path in modules().items()}
    assert len(code) > 400
    assert circle(code) == []
