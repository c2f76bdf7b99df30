"""Every rule of a legal graph: a breach is one line that names the node."""
from dataclasses import replace

import numpy as np
import pytest

from hwsim.errors import GraphError
from hwsim.graph.check import check, check_integer
from hwsim.graph.node import Graph, Node

X = Node.make("x", "input", shape=(None, None, 3))


def conv(name="c", inputs=("x",), oc=4, kernel=(3, 3), ic=3, **params):
    return Node.make(name, "conv2d", inputs, **({"weights": np.ones((oc, *kernel, ic)), "bias": np.zeros(oc)} | params))


def qconv(**changes):
    one = np.ones(4, np.int64)
    fields = {"codes": np.ones((1, 4, 3, 3, 3), np.int64), "bias": one, "m_pos": one, "m_neg": one, "shift": one,
              "lo": -8, "hi": 7}
    return Node.make("c", "qconv2d", ("x",), **(fields | changes))


def graph(*nodes, outputs=None):
    return Graph((X, *nodes), ("x",), tuple(outputs or [nodes[-1].name]))


def test_legal():
    assert check(graph(conv())).outputs == ("c",)
    assert check_integer(graph(qconv())).outputs == ("c",)


@pytest.mark.parametrize("bad, message", [
    (lambda: graph(conv(inputs=("y",))), "c: an input must be an earlier node, not 'y'"),
    (lambda: graph(conv(), conv()), "c: a node name must be unique"),
    (lambda: graph(conv(), outputs=["d"]), "an output of the graph must be a node, not 'd'"),
    (lambda: replace(graph(conv()), layout="CHWN"), "the layout of a graph must be one of NHWC, NCHW, not 'CHWN'"),
    (lambda: Graph((X,), ("x",), ()), "a graph must have an output, not none"),
    (lambda: Graph((X, conv()), (), ("c",)), "a graph must have an input, not none"),
    (lambda: Graph((X, conv()), ("c",), ("c",)), "the inputs of the graph must be its input nodes ('x',), not ('c',)"),
    (lambda: graph(conv(ic=5)), "c: input channels must be 5, not 3"),
    (lambda: graph(conv(groups=3)), "c: groups must divide the 4 output channels, not 3"),
    (lambda: graph(conv(stride=(0, 1))), "c: stride must be 2 integers of at least 1, not (0, 1)"),
    (lambda: graph(conv(padding="full")),
     "c: padding must be same or 4 integers of at least 0 (top, bottom, left, right), not 'full'"),
    (lambda: graph(conv(alpha=np.ones(3))), "c: alpha must hold 4 values, not (3,)"),
    (lambda: graph(conv(clip=(2.0, 1.0))), "c: clip must be a pair (lo, hi) with lo <= hi, not (2.0, 1.0)"),
    (lambda: graph(conv(bias=np.array([0, 0, 0, np.nan]))),
     "c: bias must be an array of finite numbers, not float64 of shape (4,)"),
    (lambda: graph(conv(bias=np.zeros(4, np.float32))),
     "c: bias must be an array of float64 and rank 1, not float32 of shape (4,)"),
    (lambda: graph(Node.make("a", "add", ("x",))), "a: add must have at least 2 inputs, not 1"),
    (lambda: graph(Node.make("r", "relu", ("x",), colour=1)),
     "r: parameters of relu must be ['max_value', 'slope', 'threshold'], not ['colour', 'max_value', 'slope', 'threshold']"),
    (lambda: graph(qconv()), "c: qconv2d must stand in a graph of integer nodes, not of float ones"),
    (lambda: graph(Node.make("d", "depth_to_space", ("x",), block=2)), "d: channels must be a multiple of 4, not 3"),
    (lambda: graph(Node.make("f", "flatten", ("x",))), "f: a flatten must know its input size, not HxWx3"),
    (lambda: graph(conv(), Node.make("a", "add", ("x", "c"))), "a: sizes must be equal or 1 to be joined, not 3 and 4"),
])
def test_illegal(bad, message):
    with pytest.raises(GraphError) as caught:
        check(bad())
    assert str(caught.value) == message


@pytest.mark.parametrize("changes, message", [
    ({"shift": np.full(4, 63)}, "c: shift must be 0..62, not 63..63"),
    ({"codes": np.full((1, 4, 3, 3, 3), 128)}, "c: codes must fit 8 bits, not 128..128"),
    ({"codes": np.ones((2, 4, 3, 3, 3), np.int64)}, "c: linear weights must have at most 1 words, not 2"),
    ({"lo": 9}, "c: lo must be at most hi 7, not 9"),
    ({"alpha_q": np.ones(4, np.int64)}, "c: alpha_q, m2 and shift2 must come together"),
    ({"bias": np.ones(4)}, "c: bias must be an array of int64 and rank 1, not float64 of shape (4,)"),
])
def test_illegal_integers(changes, message):
    with pytest.raises(GraphError) as caught:
        check_integer(graph(qconv(**changes)))
    assert str(caught.value) == message


def test_unknown_operator():
    with pytest.raises(GraphError, match=r"^n: operator must be one of the table, not 'warp'$"):
        Node.make("n", "warp")


def test_nodes_are_immutable():
    node = conv()
    with pytest.raises(ValueError, match="read-only"):
        node.params["weights"][0] = 1
    with pytest.raises(TypeError):
        node.params["stride"] = (2, 2)
