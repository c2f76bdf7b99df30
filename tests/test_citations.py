"""Every place that a page, a docstring or a comment names is there: sections and rules of docs/spec, links, paths, modules."""
import ast
import io
import re
import tokenize
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("docs", "hwsim", "models", "tests", "tools", "vectors")
HISTORY = ("docs/changes.md", "docs/performance/")  # name files as they were called at their date
NUMBER = r"\d+(?:\.\d+)?"
NUMBERS = rf"{NUMBER}(?:(?:, | and | to ){NUMBER})*"
CITATION = re.compile(rf"spec/(\w+)\.md(?:,? (section|rule)s? ({NUMBERS}))?")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PATH = re.compile(r"(?<![\w./:~<>*-])[\w.-]+(?:/[\w.-]+)+")
FILE = re.compile(r"(?<![\w./<>*-])\w+\.py\b")
MODULE = re.compile(r"\bhwsim(?:\.\w+)+(?![\w.]*/\d)")
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
SUFFIXES = {".py", ".md", ".v", ".sv", ".toml", ".h5", ".png", ".svg", ".cff"}


@cache
def existing():
    """Every file and folder of the repository, as paths from its root."""
    inside = (path for folder in FOLDERS for path in [ROOT / folder, *(ROOT / folder).rglob("*")])
    return {path.relative_to(ROOT).as_posix() for path in [*ROOT.iterdir(), *inside] if "__pycache__" not in path.parts}


@cache
def endings():
    """Every tail of such a path: `plan.py`, `kernels/plan.py`, `engine/kernels/plan.py`, ..."""
    return {"/".join(parts[i:]) for parts in (path.split("/") for path in existing()) for i in range(len(parts))}


@cache
def places(page):
    """(sections, rules): the numbers that docs/spec/<page>.md has; None when there is no such page."""
    path = ROOT / "docs" / "spec" / f"{page}.md"
    if not path.exists():
        return None
    text = path.read_text()
    return set(re.findall(r"^## (\d+)\. ", text, re.M)), set(re.findall(r"^\*\*(\d+\.\d+)\b", text, re.M))


def dangling_citations(text):
    for page, kind, numbers in CITATION.findall(text):
        known = places(page)
        if known is None:
            yield f"spec/{page}.md"
        for number in re.findall(NUMBER, numbers) if known else ():
            if number not in known[kind == "rule"]:
                yield f"spec/{page}.md {kind} {number}"


def dangling_paths(text):
    """Names of files with a folder, and all names below the four source folders, that no file or folder ends in."""
    for match in PATH.finditer(text):
        name = match[0].rstrip(".-")
        own = name.startswith(("hwsim/", "docs/", "tests/", "tools/"))
        if (own and name not in existing()) or (not own and Path(name).suffix in SUFFIXES and name not in endings()):
            yield name


def names_in(path):
    """What a module defines, imports or, in hwsim/__init__.py, lists as public."""
    tree = ast.parse(path.read_text())
    strings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    defined = {getattr(node, "name", None) or getattr(node, "id", None) for node in ast.walk(tree)}
    return defined | (strings if path == ROOT / "hwsim" / "__init__.py" else set())


def module_is_there(dotted):
    """Whether a dotted name is a package, a module, or a name of one."""
    parts = dotted.split(".")
    for count in range(len(parts), 0, -1):
        folder = ROOT.joinpath(*parts[:count])
        for path in (folder.with_suffix(".py"), folder / "__init__.py"):
            if path.exists():
                return count == len(parts) or parts[count] in names_in(path)
    return False


def dangling_modules(text):
    return (name for name in MODULE.findall(text) if not module_is_there(name))


def dangling_links(page, text):
    for target in LINK.findall(text):
        if not target.startswith(("http:", "https:", "#")) and not (page.parent / target.split("#")[0]).exists():
            yield target


def prose(path):
    """The docstrings and comments of a Python file."""
    source = path.read_text()
    documented = [node for node in ast.walk(ast.parse(source)) if isinstance(node, DOCUMENTED)]
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = (token.string for token in tokens if token.type == tokenize.COMMENT)
    return "\n".join([*filter(None, map(ast.get_docstring, documented)), *comments])


def pages():
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "models" / "README.md"]


def sources():
    return sorted(path for folder in ("hwsim", "tests", "tools") for path in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("page", pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_pages(page):
    text, name = page.read_text(), page.relative_to(ROOT).as_posix()
    assert [*dangling_citations(text), *dangling_links(page, text)] == []
    if not name.startswith(HISTORY):
        bare = (file for file in FILE.findall(text) if file not in endings())
        assert [*dangling_paths(text), *dangling_modules(text), *bare] == []


@pytest.mark.parametrize("folder", ["hwsim", "tests", "tools"])
def test_docstrings_and_comments(folder):
    wrong = {}
    for path in sources():
        text = prose(path)
        dangling = [*dangling_citations(text), *dangling_paths(text), *dangling_modules(text)]
        if dangling and path.relative_to(ROOT).parts[0] == folder:
            wrong[path.relative_to(ROOT).as_posix()] = dangling
    assert wrong == {}


def test_the_specification_is_numbered():
    for page in ("arithmetic", "device", "vectors", "interfaces"):
        sections, rules = places(page)
        assert sections == {str(n) for n in range(1, len(sections) + 1)}
        for section in sections:
            mine = sorted(int(rule.split(".")[1]) for rule in rules if rule.split(".")[0] == section)
            assert mine == list(range(1, len(mine) + 1))


def test_dangling_names_are_noticed(tmp_path):
    assert [*dangling_citations("spec/arithmetic.md section 9, spec/device.md rules 4.1 and 4.99, spec/no.md")] == [
        "spec/arithmetic.md section 9", "spec/device.md rule 4.99", "spec/no.md"]
    assert [*dangling_paths("hwsim/no/where.py, fixed/rounding.py, fixed/round.py, (x/y), ARITHMETIC.md/X.md")] == [
        "hwsim/no/where.py", "fixed/round.py", "ARITHMETIC.md/X.md"]
    assert [*dangling_modules("hwsim.fixed.rounding.round_shift hwsim.fixed.rounding.no hwsim.run hwsim.run/1 hwsim.no.x/1")] == [
        "hwsim.fixed.rounding.no"]
    assert [*dangling_links(ROOT / "README.md", "[a](LICENSE) [b](docs/no.md#x) [c](https://no.where)")] == ["docs/no.md#x"]
