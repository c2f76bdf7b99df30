"""Batch normalization folds into the layer before or after it, and only where nobody can tell the difference."""
import numpy as np
import pytest

from hwsim.graph.check import check
from hwsim.graph.fold_batchnorm import fold_batchnorm
from hwsim.graph.node import Graph, Node
from hwsim.quantization.float_net.run import evaluate


def conv(name, source, ic, oc, kernel=3, **params):
    rng = np.random.default_rng(len(name) + ic + oc)
    return Node.make(name, "conv2d", (source,), weights=rng.normal(size=(oc, kernel, kernel, ic // params.get("groups", 1))),
                     bias=rng.normal(size=oc), **params)


def affine(name, source, channels):
    rng = np.random.default_rng(channels)
    return Node.make(name, "affine", (source,), scale=rng.normal(size=channels), offset=rng.normal(size=channels))


def graph(*nodes, outputs=None, shape=(9, 8, 4)):
    return Graph((Node.make("x", "input", shape=shape), *nodes), ("x",), tuple(outputs or [nodes[-1].name]))


def folded(given):
    """(the folded graph, what was said), once it gives what `given` gives."""
    notes = []
    result = check(fold_batchnorm(given, lambda layer, text: notes.append((layer, text))))
    x = np.random.default_rng(1).normal(size=(2, *given["x"].params["shape"]))
    for one, other in zip(evaluate(given, {"x": x}), evaluate(result, {"x": x})):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)
    return result, notes


def test_after_a_convolution_literal():
    layer = Node.make("c", "conv2d", ("x",), weights=np.array([[[[2.0]]], [[[3.0]]]]), bias=np.array([1.0, -1.0]))
    norm = Node.make("b", "affine", ("c",), scale=np.array([0.5, -2.0]), offset=np.array([4.0, 8.0]))
    result = fold_batchnorm(graph(layer, norm, shape=(2, 2, 1)))
    assert result.outputs == ("c",)
    assert result["c"].params["weights"].ravel().tolist() == [1.0, -6.0]
    assert result["c"].params["bias"].tolist() == [4.5, 10.0]


def test_before_a_convolution_literal():
    norm = Node.make("b", "affine", ("x",), scale=np.array([0.5, -2.0]), offset=np.array([4.0, 8.0]))
    layer = Node.make("c", "conv2d", ("b",), weights=np.array([[[[2.0, 3.0]]]]), bias=np.array([1.0]))
    result = fold_batchnorm(graph(norm, layer, shape=(2, 2, 2)))
    assert result["c"].inputs == ("x",)
    assert result["c"].params["weights"].ravel().tolist() == [1.0, -6.0]
    assert result["c"].params["bias"].tolist() == [33.0]


@pytest.mark.parametrize("layer", [
    conv("c", "x", 4, 6), conv("c", "x", 4, 6, padding="same"), conv("c", "x", 4, 6, groups=2),
    conv("c", "x", 4, 4, groups=4, padding=(1, 1, 1, 1)),
    Node.make("c", "conv2d_transpose", ("x",), weights=np.random.default_rng(0).normal(size=(6, 3, 3, 4)), bias=np.ones(6),
              stride=(2, 2), crop=(0, 1, 0, 1)),
    Node.make("c", "dense", ("x",), weights=np.random.default_rng(0).normal(size=(6, 4)), bias=np.ones(6)),
], ids=["valid", "same", "grouped", "depthwise", "transposed", "dense"])
def test_after_any_array_layer(layer):
    found, said = folded(graph(layer, affine("b", "c", layer.params["weights"].shape[0])))
    assert [node.name for node in found.nodes] == ["x", "c"]
    assert said == [("b", "folded into c")]


@pytest.mark.parametrize("layer", [
    conv("c", "b", 4, 6), conv("c", "b", 4, 6, groups=2), conv("c", "b", 4, 4, groups=4, stride=(2, 2)),
    Node.make("c", "dense", ("b",), weights=np.random.default_rng(0).normal(size=(6, 4)), bias=np.ones(6)),
], ids=["valid", "grouped", "depthwise", "dense"])
def test_before_a_layer_without_padding(layer):
    found, said = folded(graph(affine("b", "x", 4), layer))
    assert [node.name for node in found.nodes] == ["x", "c"]
    assert said == [("b", "folded into c")]


def test_chains_fold_whole():
    found, _ = folded(graph(conv("c", "x", 4, 6), affine("b1", "c", 6), affine("b2", "b1", 6)))
    assert [node.name for node in found.nodes] == ["x", "c"]


@pytest.mark.parametrize("nodes, outputs, why", [
    ([conv("c", "x", 4, 4), affine("b", "c", 4), Node.make("s", "add", ("b", "c"))], None,
     "not folded: c has a second consumer, and no convolution or dense layer reads it"),
    ([conv("c", "x", 4, 4), affine("b", "c", 4)], ("b", "c"),
     "not folded: c is an output of the network, and b is an output of the network"),
    ([conv("c", "x", 4, 4, alpha=np.full(4, 0.5)), affine("b", "c", 4), Node.make("m", "global_max_pool", ("b",), keepdims=True)],
     None, "not folded: an activation of c stands between, and no convolution or dense layer reads it"),
    ([affine("b", "x", 4), conv("c", "b", 4, 4, padding="same")], None,
     "not folded: x is input, which has no weights, and c pads with zeros"),
    ([affine("b", "x", 4), conv("c", "b", 4, 4, padding=(0, 1, 0, 0))], None,
     "not folded: x is input, which has no weights, and c pads with zeros"),
    ([affine("b", "x", 4), conv("c", "b", 4, 4), conv("d", "b", 4, 4), Node.make("s", "add", ("c", "d"))], None,
     "not folded: x is input, which has no weights, and b has a second consumer"),
], ids=["second consumer", "output", "activation between", "same padding", "explicit padding", "two readers"])
def test_not_folded(nodes, outputs, why):
    found, said = folded(graph(*nodes, outputs=outputs))
    assert "b" in found.by_name
    assert said == [("b", why)]
