"""Activations fold into their producer in the right order, and not where somebody would see it."""
import numpy as np
import pytest

from hwsim.graph.check import check
from hwsim.graph.fold_activation import composed_clip, composed_slope, fold_activation
from hwsim.graph.lower import lower
from hwsim.graph.node import Graph, Node
from hwsim.quantization.float_net.run import evaluate

RNG = np.random.default_rng(5)
CONV = Node.make("c", "conv2d", ("x",), weights=RNG.normal(size=(3, 1, 1, 3)), bias=RNG.normal(size=3))
SUM = Node.make("c", "add", ("x", "x"))


def slope(name, source, *alpha, clip=None):
    return Node.make(name, "prelu", (source,), alpha=np.array(alpha * (3 // len(alpha)), float), clip=clip)


def clip(name, source, lo, hi):
    return Node.make(name, "clip", (source,), clip=(lo, hi))


def folded(*nodes, outputs=None):
    """(the folded graph, what was said), once it computes the same."""
    given = Graph((Node.make("x", "input", shape=(6, 5, 3)), *nodes), ("x",), tuple(outputs or [nodes[-1].name]))
    notes = []
    graph = check(fold_activation(lower(given), lambda *note: notes.append(note)))
    x = np.random.default_rng(0).normal(size=(2, 6, 5, 3)) * 4
    for one, other in zip(evaluate(given, {"x": x}), evaluate(graph, {"x": x})):
        np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-13)
    return graph, notes


@pytest.mark.parametrize("acts, alpha, limits", [
    ([slope("a", "c", 0.25)], [0.25] * 3, None),
    ([slope("a", "c", 0.5, -1.0, 0.0), slope("b", "a", 0.5)], [0.25, -1.0, 0.0], None),
    ([slope("a", "c", 0.25), clip("b", "a", -1.0, 1.0)], [0.25] * 3, (-1.0, 1.0)),
    ([slope("a", "c", 0.0, clip=(None, 6.0))], [0.0] * 3, (None, 6.0)),
    ([clip("a", "c", -1.0, 4.0), clip("b", "a", 0.0, 2.0)], None, (0.0, 2.0)),
    ([clip("a", "c", -1.0, 4.0), clip("b", "a", 5.0, 7.0)], None, (5.0, 5.0)),
    ([slope("a", "c", -1.0), clip("b", "a", 0.0, 1.0)], [-1.0] * 3, (None, 1.0)),
], ids=["prelu", "prelu twice", "prelu, clip", "relu6", "clip, clip", "clips apart", "abs, clip from 0"])
def test_into_an_array_layer(acts, alpha, limits):
    graph, _ = folded(CONV, *acts)
    assert [node.name for node in graph.nodes] == ["x", "c"]
    assert graph.outputs == ("c",)
    stored = graph["c"].params["alpha"]
    assert (None if stored is None else stored.tolist()) == alpha
    assert graph["c"].params["clip"] == limits


def test_a_slope_does_not_pass_a_clip():
    found, said = folded(CONV, clip("a", "c", -1.0, 1.0), slope("b", "a", 0.5))
    assert [node.name for node in found.nodes] == ["x", "c", "b"]
    assert said == [("a", "folded into c"), ("b", "not folded: c clips before the slope")]


def test_a_relu_after_a_clip_is_a_tighter_clip():
    found, _ = folded(CONV, clip("a", "c", -1.0, 1.0), slope("b", "a", 0.0))
    assert found["c"].params["clip"] == (0.0, 1.0)


def test_into_a_vector_operator():
    found, said = folded(SUM, slope("r", "c", 0.0, clip=(None, 6.0)))
    assert found["c"].params["clip"] == (0.0, 6.0)
    assert said == [("r", "folded into c")]


def test_a_slope_after_a_vector_operator_stays():
    graph, notes = folded(SUM, slope("p", "c", 0.5), clip("k", "p", -1.0, 1.0))
    assert [node.op for node in graph.nodes] == ["input", "add", "prelu"]
    assert graph["p"].params["clip"] == (-1.0, 1.0)
    assert notes == [("p", "not folded: c is add, which takes a clamp but no slope"), ("k", "folded into p")]


def test_slopes_over_pixels():
    act = Node.make("p", "prelu", ("c",), alpha=np.linspace(0, 1, 90).reshape(6, 5, 3))
    _, said = folded(CONV, act)
    assert said == [("p", "not folded: its slope varies over pixels")]
    found, _ = folded(CONV, Node.make("p", "prelu", ("c",), alpha=np.full((6, 5, 3), 0.5)))
    assert found["c"].params["alpha"].tolist() == [0.5] * 3


@pytest.mark.parametrize("nodes, outputs, why", [
    ([CONV, slope("a", "c", 0.5), Node.make("s", "add", ("a", "c"))], None, "not folded: c has a second consumer"),
    ([CONV, slope("a", "c", 0.5)], ("a", "c"), "not folded: c is an output of the network"),
    ([slope("a", "x", 0.5)], None, "not folded: x is input, which has no clamp"),
    ([slope("a", "x", 0.0)], None, "not folded: x is input, which has no clamp"),
])
def test_not_folded(nodes, outputs, why):
    found, said = folded(*nodes, outputs=outputs)
    assert "a" in found.by_name
    assert said == [("a", why)]


def test_compositions():
    assert composed_slope(None, np.array([0.5])).tolist() == [0.5]
    assert composed_slope(np.array([-2.0, 2.0]), np.array([0.5, 0.5])).tolist() == [-2.0, 1.0]
    assert composed_clip(None, (0.0, 1.0)) == (0.0, 1.0)
    assert composed_clip((0.0, None), None) == (0.0, None)
    assert composed_clip((None, 3.0), (4.0, None)) == (4.0, 4.0)
