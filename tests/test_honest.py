"""No test passes without looking: every test function asserts, and none leaves before its last line."""
import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
FILES = sorted(TESTS.rglob("test_*.py"))
ASSERTING = {"raises", "warns", "fail"}  # pytest's own, beside every function that is called assert_...


def functions(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def calls(function: ast.AST) -> set[str]:
    """The last part of the name of everything that a function calls: f, a.f and a.b.f are all f."""
    called = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    return {node.attr if isinstance(node, ast.Attribute) else node.id for node in called
            if isinstance(node, (ast.Attribute, ast.Name))}


def asserting(known: dict[str, ast.FunctionDef]) -> set[str]:
    """The names of the functions that assert themselves or call one that does."""
    names, before = set(ASSERTING), set()
    while names != before:
        before = set(names)
        names |= {name for name, function in known.items() if asserts(function, before)}
    return names


def asserts(function: ast.AST, asserters: set[str]) -> bool:
    called = calls(function)
    return (any(isinstance(node, ast.Assert) for node in ast.walk(function)) or bool(called & asserters)
            or any(name.startswith("assert_") for name in called))


def exits(function: ast.AST) -> list[int]:
    """Lines of `return` and `continue` in a function itself, not in the functions inside it."""
    returns = []
    for node in ast.iter_child_nodes(function):
        if isinstance(node, (ast.Return, ast.Continue)):
            returns.append(node.lineno)
        elif not isinstance(node, (ast.FunctionDef, ast.Lambda)):
            returns += exits(node)
    return returns


def dishonest(tree: ast.Module, shared: dict[str, ast.FunctionDef]) -> list[str]:
    """What a test file must not hold; shared: the functions of tests/helpers."""
    own = functions(tree)
    asserters = asserting(shared | own)
    tests = [function for name, function in own.items() if name.startswith("test_")]
    return [f"{test.name} asserts nothing" for test in tests if not asserts(test, asserters)] + [
        f"{test.name} leaves early on line {line}" for test in tests for line in exits(test)]


@pytest.fixture(scope="module")
def shared() -> dict[str, ast.FunctionDef]:
    found: dict[str, ast.FunctionDef] = {}
    for path in sorted((TESTS / "helpers").glob("*.py")):
        found |= functions(ast.parse(path.read_text("utf-8")))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS)))
def test_every_test_looks(path, shared):
    assert dishonest(ast.parse(path.read_text("utf-8")), shared) == []


@pytest.mark.parametrize("source, expected", [
    ("def test_a(): f()", ["test_a asserts nothing"]),
    ("def f(): print()\ndef test_a(): f()", ["test_a asserts nothing"]),
    ("def f(): assert x\ndef g(): f()\ndef test_a(): g()", []),
    ("def test_a():\n    with pytest.raises(E): f()", []),
    ("def test_a(): np.testing.assert_array_equal(x, y)", []),
    ("def test_a():\n    if x:\n        return\n    assert y", ["test_a leaves early on line 3"]),
    ("def test_a():\n    for x in y:\n        if x:\n            continue\n        assert x", ["test_a leaves early on line 4"]),
    ("def test_a():\n    def f(x):\n        return x\n    assert f(1)", []),
])
def test_a_dishonest_test_is_named(source, expected):
    assert dishonest(ast.parse(source), {}) == expected
