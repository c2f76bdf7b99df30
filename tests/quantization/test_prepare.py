"""Preparing a float graph: what it says, that it changes no value, and that doing it twice changes nothing."""
from dataclasses import replace

import numpy as np
from helpers.small_networks import conv, graph, image

from hwsim.graph.node import Node
from hwsim.graph.text import to_text
from hwsim.quantization.float_net.run import evaluate
from hwsim.quantization.prepare import preparation_notes, prepare


def network():
    return graph(image(2), conv("c", "x", [[1, 2], [3, 4]], [1, -1]),
                 Node.make("n", "affine", ("c",), scale=np.array([2.0, -1.0]), offset=np.array([0.0, 3.0])),
                 Node.make("r", "relu", ("n",), slope=0.25), Node.make("s", "add", ("r", "x")),
                 Node.make("q", "relu", ("s",), max_value=6.0),
                 Node.make("m", "affine", ("q",), scale=np.array([2.0, 3.0]), offset=np.zeros(2)),
                 Node.make("p", "softmax", ("m",)))


def test_one_node_for_each_integer_node():
    prepared = prepare(network())
    assert [(node.name, node.op) for node in prepared.nodes] == [("x", "input"), ("c", "conv2d"), ("s", "add"), ("m", "conv2d")]
    assert prepared.outputs == ("m",)


def test_notes_say_what_became_of_each_layer():
    assert preparation_notes(network()) == (
        ("n", "folded into c"),
        ("m", "not folded: q is relu, which has no weights, and no convolution or dense layer reads it"),
        ("p", "runs on the host: the output is m, its logits"),
        ("m", "runs as a depthwise 1x1 convolution"),
        ("r", "folded into c"),
        ("q", "folded into s"))


def test_values_stay():
    given = network()
    logits = given.replaced({"p": None})
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 2)) * 3
    np.testing.assert_allclose(evaluate(prepare(given), {"x": x})[0],
                               evaluate(graph(*logits.nodes), {"x": x})[0], rtol=1e-14, atol=1e-14)


def test_twice_is_once():
    once = prepare(network())
    assert to_text(prepare(once)) == to_text(once)
    assert preparation_notes(once) == ()


def test_the_layout_of_the_model_stays():
    assert prepare(network()).layout == "NHWC"
    assert prepare(replace(network(), layout="NCHW")).layout == "NCHW"
