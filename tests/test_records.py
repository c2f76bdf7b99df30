"""A record of many fields is built by their names: with more than four positional arguments a swap of two is not seen."""
import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "hwsim"
MOST = 4
# Records that may be built by position, and why.
EXCEPTIONS = {
    "hwsim.ops.spec.OpSpec": "a line of the operators' table; its columns stand in the order that the class says",
}


def decorators_and_bases(node):
    """The last names of what a class is decorated with and derived from."""
    marks = [mark.func if isinstance(mark, ast.Call) else mark for mark in (*node.decorator_list, *node.bases)]
    return {getattr(mark, "attr", getattr(mark, "id", None)) for mark in marks}


def records(module, tree):
    """The dataclasses and NamedTuples of a module, by full name."""
    return {f"{module}.{node.name}" for node in tree.body
            if isinstance(node, ast.ClassDef) and decorators_and_bases(node) & {"dataclass", "NamedTuple"}}


def full_names(module, tree):
    """name in a module -> the full name of the class that it is."""
    names = {node.name: f"{module}.{node.name}" for node in tree.body if isinstance(node, ast.ClassDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def positional(module, tree, known):
    """(line, record) of every construction of a `known` record with more than MOST positional arguments."""
    names = full_names(module, tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) > MOST:
            record = names.get(node.func.id)
            if record in known:
                yield node.lineno, record


def trees():
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), ast.parse(path.read_text())


def test_records_of_many_fields_are_built_by_keyword():
    modules = dict(trees())
    known = set().union(*(records(module, tree) for module, tree in modules.items()))
    assert EXCEPTIONS.keys() <= known
    assert [f"{module}:{line} {record}" for module, tree in modules.items()
            for line, record in positional(module, tree, known - EXCEPTIONS.keys())] == []


def test_a_construction_by_position_is_refused():
    tree = ast.parse("from typing import NamedTuple\nclass A(NamedTuple):\n    a: int\n"
                     "A(1, 2, 3, 4, 5)\nA(1, 2, 3, 4, e=5)\nB(1, 2, 3, 4, 5)")
    assert records("m", tree) == {"m.A"}
    assert list(positional("m", tree, records("m", tree))) == [(4, "m.A")]
