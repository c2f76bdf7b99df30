"""Vector operators to integers: multipliers by hand, tables over all codes, pools per tap count, exact moves untouched."""
import math

import numpy as np
import pytest

from helpers.small_networks import conv, graph, image, ranges
from hwsim.engine.run import run
from hwsim.errors import QuantizeError
from hwsim.graph.node import Node
from hwsim.graph.store import open_net, save
from hwsim.graph.text import to_text
from hwsim.ops.table import OPS
from hwsim.quantization.boundary import read_input
from hwsim.quantization.calibrate import calibrate
from hwsim.quantization.compare import compare
from hwsim.quantization.config import Config
from hwsim.quantization.convert import quantize
from hwsim.quantization.convert_vector import possible_taps
from hwsim.quantization.prepare import prepare

TWO = (Node.make("a", "input", shape=(None, None, 2)), Node.make("b", "input", shape=(None, None, 2), index=1))


def converted(op, sources="ab", s=(1.0, 1.0, 1.0), **params):
    """The integer node y of one operator on inputs a and b, for scales of a, b and y; words of 4 bits."""
    node = Node.make("y", op, tuple(sources), **params)
    given = graph(*TWO[:len(sources)], node)
    names = [*sources, "y"]
    return quantize(given, ranges(a=1, b=1, y=1), Config(act_bits=4, scales=dict(zip(names, s)))).graph["y"]


def fields(node):
    plain = {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in node.params.items()}
    return node.op, plain


def test_add():
    assert fields(converted("add", s=(1.0, 0.5, 2.0))) == ("qadd", {"m": [32768, 16384], "shift": 16, "lo": -8, "hi": 7})


def test_subtract():
    assert fields(converted("subtract", s=(1.0, 0.5, 2.0))) == ("qadd", {"m": [32768, -16384], "shift": 16, "lo": -8, "hi": 7})


def test_average():
    assert fields(converted("average")) == ("qadd", {"m": [32768, 32768], "shift": 16, "lo": -8, "hi": 7})


def test_multiply():
    assert fields(converted("multiply", s=(0.5, 0.25, 2.0))) == ("qmul", {"m": 32768, "shift": 19, "lo": -8, "hi": 7})


@pytest.mark.parametrize("op", ["maximum", "minimum"])
def test_extremes_requantize_each_input(op):
    assert fields(converted(op, s=(2.0, 0.5, 2.0))) == ("q" + op, {"m": [1, 32768], "shift": [0, 17], "lo": -8, "hi": 7})


def test_concat_requantizes_what_is_not_tied():
    found = fields(converted("concat", s=(2.0, 0.5, 2.0), axis=3))
    assert found == ("qconcat", {"m": [1, 32768], "shift": [0, 17], "lo": -8, "hi": 7, "axis": 3})


def test_tied_concat_moves_codes():
    given = graph(image(), conv("a", "x", [[1.0]], [0.0]), conv("b", "x", [[3.0]], [0.0]),
                  Node.make("y", "concat", ("a", "b"), axis=3))
    node = quantize(given, ranges(x=1, a=1, b=3, y=3), Config()).graph["y"]
    assert (node.params["m"].tolist(), node.params["shift"].tolist()) == ([1, 1], [0, 0])


def test_a_relu_after_an_add_is_its_clamp():
    given = graph(*TWO, Node.make("y", "add", ("a", "b")), Node.make("r", "relu", ("y",), max_value=6.0))
    found = quantize(given, ranges(a=7, b=7, y=14), Config(act_bits=4)).graph["y"].params
    assert (found["lo"], found["hi"]) == (0, 3)


def test_prelu():
    found = fields(converted("prelu", "a", (1.0, 2.0), alpha=np.array([0.25, -2.0])))
    assert found == ("qprelu", {"m_pos": [32768, 16384], "m_neg": [8192, -32768], "shift": [16, 15], "lo": -8, "hi": 7})


def test_prelu_over_pixels():
    alpha = np.array([[[0.25, -2.0]], [[0.5, 0.25]]])
    given = graph(Node.make("a", "input", shape=(2, 1, 2)), Node.make("y", "prelu", ("a",), alpha=alpha))
    found = quantize(given, ranges(a=7, y=14), Config(act_bits=4)).graph["y"].params
    assert found["m_neg"].tolist() == [[[8192, -32768]], [[16384, 8192]]]
    assert found["shift"].tolist() == [[[16, 15]], [[16, 16]]]


def test_relu_clip_and_negative():
    assert fields(converted("relu", "a", (1.0, 2.0)))[1] == {
        "m_pos": [32768] * 2, "m_neg": [0] * 2, "shift": [16] * 2, "lo": -8, "hi": 7}
    assert fields(converted("clip", "a", (1.0, 2.0), clip=(-2.0, 5.0)))[1] == {
        "m_pos": [32768] * 2, "m_neg": [32768] * 2, "shift": [16] * 2, "lo": -1, "hi": 2}
    assert fields(converted("unary", "a", (1.0, 2.0), function="negative"))[1] == {
        "m_pos": [-32768] * 2, "m_neg": [-32768] * 2, "shift": [16] * 2, "lo": -8, "hi": 7}


def test_table():
    found = converted("unary", "a", (0.5, 1 / 8), function="tanh")
    assert found.op == "qtable"
    assert found.params["table"].tolist() == [round(8 * math.tanh(q / 2)) if round(8 * math.tanh(q / 2)) < 8 else 7
                                              for q in range(-8, 8)]


def test_table_outside_the_functions_domain():
    assert converted("unary", "a", (1.0, 1.0), function="log").params["table"].tolist() == [0] * 8 + [-8, 0, 1, 1, 1, 2, 2, 2]


def test_a_relu_with_a_threshold_is_a_table():
    found = converted("relu", "a", (1.0, 1.0), threshold=2.0, slope=1.0)
    assert found.params["table"].tolist() == [-8, -8, -8, -7, -6, -5, -4, -3, -2, -1, 2, 3, 4, 5, 6, 7]


POOL = {"kernel": (2, 2), "stride": (2, 2)}


def test_average_pool_without_padding():
    found = fields(converted("avg_pool", "a", (1.0, 1.0), padding=(0, 0, 0, 0), **POOL))[1]
    assert (found["taps"], found["m"], found["shift"]) == ([4], [32768], [17])


def test_average_pool_with_padding():
    found = fields(converted("avg_pool", "a", (1.0, 1.0), padding="same", **POOL))[1]
    assert (found["taps"], found["m"], found["shift"]) == ([1, 2, 4], [32768] * 3, [15, 16, 17])


def test_possible_taps():
    assert possible_taps((3, 3), (0, 0, 0, 0)) == (9,)
    assert possible_taps((3, 3), (1, 0, 0, 0)) == (1, 2, 3, 4, 6, 9)
    assert possible_taps((2, 1), "same") == (1, 2)


def test_global_average_keeps_the_ratio_exact():
    found = converted("global_avg_pool", "a", (1.0, 0.1), keepdims=True).params
    assert found["ratio"] == (1 << 55, int(0.1 * 2**55))
    assert found["mult_bits"] == 16


def test_gemmlowp_has_no_bilinear():
    given = graph(TWO[0], Node.make("y", "bilinear", ("a",), factor=(2, 2)))
    with pytest.raises(QuantizeError, match="^y: gemmlowp rounding must have shifts of at least 31, not 22$"):
        quantize(given, ranges(a=1), Config(rounding="gemmlowp", mult_bits=31))


def everything():
    """A network with every float operator, 4 channels at its trunk."""
    rng = np.random.default_rng(0)

    def dense(name, source, oc, ic, **params):
        return Node.make(name, "dense", (source,), weights=rng.normal(size=(oc, ic)), bias=rng.normal(size=oc), **params)

    def wide(name, source, **params):
        return Node.make(name, "conv2d", (source,), weights=rng.normal(size=(4, 3, 3, 4 // params.get("groups", 1))) / 4,
                         bias=rng.normal(size=4), padding="same", **params)
    make = Node.make
    return graph(
        make("x", "input", shape=(8, 8, 4)), wide("c1", "x"), make("p1", "prelu", ("c1",), alpha=np.array([0.1, 0.0, -0.5, 1.5])),
        wide("c2", "p1", groups=2), make("bn", "affine", ("c2",), scale=rng.normal(size=4), offset=rng.normal(size=4)),
        wide("c3", "bn", groups=4), make("r6", "relu", ("c3",), max_value=6.0),
        make("t", "conv2d_transpose", ("r6",), weights=rng.normal(size=(4, 3, 3, 4)) / 4, bias=rng.normal(size=4),
             stride=(2, 2), crop=(0, 1, 0, 1)),
        make("mp", "max_pool", ("t",), kernel=(2, 2), stride=(2, 2), padding=(0, 0, 0, 0)),
        make("s", "add", ("mp", "x")), make("d", "subtract", ("s", "bn")), make("m", "multiply", ("d", "p1")),
        make("av", "average", ("m", "s", "d")), make("mx", "maximum", ("av", "x")), make("mn", "minimum", ("mx", "p1")),
        make("k", "concat", ("mn", "r6"), axis=3), make("sl", "slice", ("k",), axis=3, start=2, stop=6),
        make("s2d", "space_to_depth", ("sl",), block=2), make("d2s", "depth_to_space", ("s2d",), block=2),
        make("ap", "avg_pool", ("d2s",), kernel=(3, 3), stride=(2, 2), padding="same"),
        make("bi", "bilinear", ("ap",), factor=(2, 2)), make("un", "upsample_nearest", ("ap",), factor=(2, 2)),
        make("sum", "add", ("bi", "un")), make("pd", "pad", ("sum",), pad=(1, 1, 1, 1)),
        make("cr", "crop", ("pd",), crop=(1, 1, 1, 1)),
        make("sc", "scale", ("cr",), factor=0.5), make("th", "unary", ("sc",), function="tanh"),
        make("ng", "unary", ("th",), function="negative"), make("cl", "clip", ("ng",), clip=(-0.5, 0.5)),
        make("af", "affine", ("cl",), scale=rng.normal(size=4), offset=rng.normal(size=4)),
        make("px", "prelu", ("d2s",), alpha=rng.random((8, 8, 4))),
        make("g", "global_avg_pool", ("af",), keepdims=True), make("att", "multiply", ("px", "g")),
        make("gm", "global_max_pool", ("att",), keepdims=False), make("fl", "flatten", ("g",)),
        make("re", "reshape", ("fl",), shape=(2, 2)), dense("e1", "re", 3, 2), dense("e2", "gm", 5, 4),
        make("sm", "softmax", ("e2",)), outputs=("e1", "sm", "att"))


GIVEN = everything()
DATA = {"x": np.random.default_rng(1).normal(size=(4, 8, 8, 4))}


@pytest.mark.parametrize("options", [
    {}, {"fold_prelu": False}, {"scale_policy": "frozen"}, {"per_channel": False}, {"rounding": "half-even"},
], ids=str)
def test_every_operator_is_close_to_float_at_16_bits(options):
    config = Config(act_bits=16, weight_bits=16, **options)
    calibration = calibrate(GIVEN, [DATA], config)
    found = compare(GIVEN, quantize(GIVEN, calibration, config), DATA, "reference")
    assert [layer.name for layer in found.layers if layer.sqnr_db < 60] == []


def test_a_stored_network_gives_the_same_bits(tmp_path):
    config = Config(act_bits=8, weight_bits=6)
    net = quantize(GIVEN, calibrate(GIVEN, [DATA], config), config)
    save(net, tmp_path / "net.hwq")
    stored = open_net(tmp_path / "net.hwq")
    assert to_text(stored.graph) == to_text(net.graph)
    assert (stored.formats, stored.scales, stored.datapath, stored.meta) == (net.formats, net.scales, net.datapath, net.meta)
    codes, _ = read_input(net, DATA)
    one, other = (run(n, codes, "reference") for n in (net, stored))
    for name in net.outputs:
        np.testing.assert_array_equal(one[name], other[name])


def test_every_float_operator_is_covered():
    floats = {name for name, spec in OPS.items() if spec.dialect in ("float", "both")}
    assert floats <= {node.op for node in GIVEN.nodes}


def test_the_integer_graph_holds_integers_only():
    config = Config()
    net = quantize(GIVEN, calibrate(GIVEN, [DATA], config), config)

    def walk(value):
        if isinstance(value, np.ndarray):
            assert value.dtype in (np.int64, np.bool_)
        elif isinstance(value, tuple):
            assert all(map(walk, value))
        else:
            assert value is None or type(value) in (int, bool, str)
        return True
    assert all(walk(value) for node in net.nodes for value in node.params.values())
    assert [node.name for node in net.nodes] == [node.name for node in prepare(GIVEN).nodes]
