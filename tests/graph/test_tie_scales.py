"""Which tensors share a scale: moves by force, concatenations by choice."""
from fractions import Fraction

import numpy as np

from hwsim.fixed.formats import IntFormat
from hwsim.graph.node import Graph, Node
from hwsim.graph.tie_scales import Tie, tie_moves, tie_scales


def conv(name, source):
    return Node.make(name, "conv2d", (source,), weights=np.ones((4, 1, 1, 4)), bias=np.zeros(4))


def graph(*nodes):
    return Graph((Node.make("x", "input", shape=(8, 8, 4)), *nodes), ("x",), (nodes[-1].name,))


def joined(name, *sources):
    return Node.make(name, "concat", sources, axis=3)


def ties_of(given, words=None, decided=()):
    words = {node.name: "i11" for node in given.nodes} | (words or {})
    return tie_scales(given, words, decided)


def test_moves_follow_their_producer():
    given = graph(conv("c", "x"), Node.make("m", "max_pool", ("c",), kernel=(2, 2), stride=(2, 2), padding=(0, 0, 0, 0)),
                  Node.make("u", "bilinear", ("m",), factor=(2, 2)), Node.make("s", "scale", ("u",), factor=0.25),
                  Node.make("d", "depth_to_space", ("s",), block=2), conv("e", "c"))
    ties = tie_moves(given)
    assert [ties[name] for name in "cmu"] == [Tie("c", Fraction(1))] * 3
    assert ties["s"] == ties["d"] == Tie("c", Fraction(1, 4))
    assert ties["e"] == Tie("e", Fraction(1))


def test_a_concat_ties_its_inputs():
    ties = ties_of(graph(conv("a", "x"), conv("b", "x"), joined("j", "a", "b")))
    assert ties["a"] == ties["b"] == ties["j"]
    assert ties["x"] == Tie("x", Fraction(1))


def test_ties_run_through_several_concats():
    ties = ties_of(graph(conv("a", "x"), conv("b", "x"), conv("c", "x"), joined("j", "a", "b"), joined("k", "b", "c"),
                         joined("l", "j", "k")))
    assert len({ties[name].root for name in "abcjkl"}) == 1


def test_ties_keep_ratios():
    ties = ties_of(graph(conv("a", "x"), Node.make("s", "scale", ("a",), factor=0.5), conv("b", "x"), joined("j", "s", "b")))
    assert ties["j"] == ties["b"] == ties["s"]
    assert ties["a"].ratio == 2 * ties["b"].ratio


def test_an_input_tied_at_another_ratio_is_requantized():
    ties = ties_of(graph(conv("a", "x"), Node.make("s", "scale", ("a",), factor=0.5), joined("j", "a", "s")))
    assert ties["j"] == ties["a"] == Tie("a", Fraction(1))
    assert ties["s"] == Tie("a", Fraction(1, 2))


def test_a_decided_scale_is_not_tied():
    ties = ties_of(graph(conv("a", "x"), joined("j", "x", "a")), decided=("x",))
    assert ties["x"] == Tie("x", Fraction(1))
    assert ties["a"] == ties["j"]


def test_words_that_differ_are_not_tied():
    ties = ties_of(graph(conv("a", "x"), conv("b", "x"), joined("j", "a", "b")), {"a": "i8"})
    assert ties["a"] == Tie("a", Fraction(1))
    assert ties["b"] == ties["j"]


def test_a_concatenation_of_one_decided_tensor_takes_its_scale():
    """Joining the raw sensor frame with itself moves codes: nothing is rounded, whatever the calibration saw."""
    nodes = (Node.make("x", "input", shape=(None, None, 1)), Node.make("j", "concat", ("x", "x", "x"), axis=3))
    graph = Graph(nodes, ("x",), ("j",))
    words = dict.fromkeys(("x", "j"), IntFormat(11))
    assert tie_scales(graph, words, ("x",))["j"] == Tie("x", Fraction(1))
    assert tie_scales(graph, words, ("x", "j"))["j"] == Tie("j", Fraction(1))
