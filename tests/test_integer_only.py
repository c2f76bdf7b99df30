"""No float arithmetic in the integer rooms: no float literal, no true division, no float type."""
import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "hwsim"
INTEGER_ROOMS = ("fixed", "ops", "engine", "hw")
FLOAT_NAMES = {"float", "float16", "float32", "float64", "double", "true_divide"}
# ops describe the float dialect of the graph too: their parameter kinds and defaults speak of real numbers, nothing computes
DESCRIPTIONS = {"ops/kinds.py", "ops/pointwise.py"}


def floats(source):
    """Lines on which a source does float arithmetic."""
    places = []
    for node in ast.walk(ast.parse(source)):
        literal = isinstance(node, ast.Constant) and isinstance(node.value, (float, complex))
        division = isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Div)
        name = (isinstance(node, ast.Name) and node.id in FLOAT_NAMES) or (
            isinstance(node, ast.Attribute) and node.attr in FLOAT_NAMES)
        if literal or division or name:
            places.append(node.lineno)
    return places


@pytest.mark.parametrize("path", [p for room in INTEGER_ROOMS for p in sorted((PACKAGE / room).rglob("*.py"))],
                         ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_floats(path):
    if str(path.relative_to(PACKAGE)) in DESCRIPTIONS:
        assert floats(path.read_text()), "a description without floats must leave the list"
    else:
        assert floats(path.read_text()) == []


@pytest.mark.parametrize("source", ["x = 0.5", "x = a / b", "x /= 2", "x = float(y)", "import numpy as np\nx = np.float64(1)"])
def test_a_float_is_found(source):
    assert floats(source)
