"""Lowering leaves only operators with an integer counterpart, or names the layer that has none."""
import re

import numpy as np
import pytest

from hwsim.errors import UnsupportedError
from hwsim.graph.check import check
from hwsim.graph.lower import lower
from hwsim.graph.node import Graph, Node
from hwsim.quantization.float_net.run import evaluate


def graph(*nodes, outputs=None, shape=(5, 4, 3)):
    return Graph((Node.make("x", "input", shape=shape), *nodes), ("x",), tuple(outputs or [nodes[-1].name]))


def lowered(node, shape=(5, 4, 3)):
    """The node that `node` becomes, once it computes the same."""
    given = graph(node, shape=shape)
    result = check(lower(given))
    x = np.random.default_rng(0).normal(size=(2, *shape)) * 4
    np.testing.assert_array_equal(evaluate(given, {"x": x})[0], evaluate(result, {"x": x})[0])
    return result[node.name]


def affine(scale, offset):
    return Node.make("b", "affine", ("x",), scale=np.array(scale, float), offset=np.array(offset, float))


def test_affine_by_one_factor_is_a_scale():
    node = lowered(affine([0.5, 0.5, 0.5], [0, 0, 0]))
    assert (node.op, node.params["factor"]) == ("scale", 0.5)


@pytest.mark.parametrize("scale, offset", [([1, 2, 3], [0, 0, 0]), ([2, 2, 2], [0, 1, 0]), ([-1, -1, -1], [0, 0, 0])])
def test_affine_is_a_depthwise_layer(scale, offset):
    node = lowered(affine(scale, offset))
    assert (node.op, node.params["groups"], node.params["weights"].shape) == ("conv2d", 3, (3, 1, 1, 1))


def test_affine_on_a_flat_tensor_is_a_diagonal_dense_layer():
    node = lowered(affine([1, 2, 3], [1, 0, 0]), shape=(3,))
    assert node.op == "dense"
    assert node.params["weights"].tolist() == [[1, 0, 0], [0, 2, 0], [0, 0, 3]]


def test_wide_affine_on_a_flat_tensor():
    wide = Node.make("b", "affine", ("x",), scale=np.arange(1025.0), offset=np.zeros(1025))
    message = "b: affine on a flat tensor must have at most 1024 features to run as a diagonal dense layer, not 1025"
    with pytest.raises(UnsupportedError, match=f"^{message}$"):
        lower(graph(wide, shape=(1025,)))


def test_negative_scale_is_a_layer():
    assert lowered(Node.make("s", "scale", ("x",), factor=-2.0)).op == "conv2d"
    assert lowered(Node.make("s", "scale", ("x",), factor=2.0)).op == "scale"


@pytest.mark.parametrize("node, alpha, clip", [
    (Node.make("r", "relu", ("x",)), 0.0, None),
    (Node.make("r", "relu", ("x",), slope=0.25, max_value=6.0), 0.25, (None, 6.0)),
    (Node.make("r", "clip", ("x",), clip=(0.0, 6.0)), 0.0, (None, 6.0)),
    (Node.make("r", "unary", ("x",), function="relu"), 0.0, None),
    (Node.make("r", "unary", ("x",), function="leaky_relu", args=(0.1,)), 0.1, None),
    (Node.make("r", "prelu", ("x",), alpha=np.full((5, 4, 3), 0.3)), 0.3, None),
], ids=["relu", "relu6 with slope", "clip from 0", "unary relu", "leaky relu", "prelu alike for all pixels"])
def test_every_name_of_a_slope(node, alpha, clip):
    result = lowered(node)
    assert result.op == "prelu"
    assert result.params["alpha"].tolist() == [alpha] * 3
    assert result.params["clip"] == clip


@pytest.mark.parametrize("node", [
    Node.make("r", "relu", ("x",), threshold=1.0), Node.make("r", "clip", ("x",), clip=(-1.0, 1.0)),
    Node.make("r", "unary", ("x",), function="tanh"),
    Node.make("r", "prelu", ("x",), alpha=np.arange(60.0).reshape(5, 4, 3) / 60),
], ids=["threshold", "clip", "tanh", "prelu over pixels"])
def test_what_stays(node):
    assert lowered(node) is node


def test_softmax_at_an_output_is_left_to_the_host():
    notes = []
    given = graph(Node.make("r", "relu", ("x",)), Node.make("p", "softmax", ("r",)))
    found = lower(given, lambda *note: notes.append(note))
    assert found.outputs == ("r",)
    assert notes == [("p", "runs on the host: the output is r, its logits")]


def test_softmax_inside():
    given = graph(Node.make("p", "softmax", ("x",)), Node.make("m", "multiply", ("p", "x")))
    message = re.escape("p: softmax must be an output of the network, not an input of m")
    with pytest.raises(UnsupportedError, match=f"^{message}$"):
        lower(given)
