"""The float network against plain loops, and what steps promises: order, :pre tensors, freed memory, other sizes."""
import gc
import math
import weakref

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hwsim.errors import GraphError
from hwsim.graph.fit import fitted
from hwsim.graph.node import Graph, Node
from hwsim.ops.pointwise import FUNCTIONS as NAMES
from hwsim.ops.table import OPS
from hwsim.ops.window import out_hw, pads
from hwsim.quantization.float_net.ops import window
from hwsim.quantization.float_net.ops.functions import FUNCTIONS
from hwsim.quantization.float_net.ops.table import FLOAT_OPS
from hwsim.quantization.float_net.run import evaluate, steps

RNG = np.random.default_rng(7)


def graph_of(*nodes, shape=(None, None, 2), outputs=None):
    return Graph((Node.make("x", "input", shape=shape), *nodes), ("x",), outputs or (nodes[-1].name,))


def run(op, x, **params):
    """The output of one node on x."""
    return evaluate(graph_of(Node.make("y", op, ["x"], **params), shape=(None,) * (x.ndim - 2) + (x.shape[-1],)), {"x": x})[0]


def test_every_float_operator_is_here():
    assert set(FLOAT_OPS) == {name for name, spec in OPS.items() if spec.dialect in ("float", "both")} - {"input"}
    assert set(FUNCTIONS) == set(NAMES)


def conv_by_loops(x, w, bias, stride, dilation, padding, groups):
    """ops/conv2d.py read aloud."""
    oc_count, kh, kw, icg = w.shape
    top, _, left, _ = pads(x.shape, (kh, kw), stride, dilation, padding)
    oh, ow = out_hw(x.shape, (kh, kw), stride, dilation, padding)
    out = np.zeros((len(x), oh, ow, oc_count))
    for n, oy, ox, oc in np.ndindex(out.shape):
        g = oc // (oc_count // groups)
        total = bias[oc]
        for ky, kx, ic in np.ndindex(kh, kw, icg):
            iy, ix = oy * stride[0] + ky * dilation[0] - top, ox * stride[1] + kx * dilation[1] - left
            if 0 <= iy < x.shape[1] and 0 <= ix < x.shape[2]:
                total += x[n, iy, ix, g * icg + ic] * w[oc, ky, kx, ic]
        out[n, oy, ox, oc] = total
    return out


PAIR = st.tuples(st.integers(1, 3), st.integers(1, 3))


@settings(max_examples=60, deadline=None)
@given(kernel=PAIR, stride=PAIR, dilation=PAIR, groups=st.sampled_from([(1, 3, 2), (2, 2, 2), (3, 1, 1), (3, 1, 2)]),
       padding=st.one_of(st.just("same"), st.tuples(*[st.integers(0, 3)] * 4)), block=st.sampled_from([1, 40, 1 << 22]))
def test_conv2d(kernel, stride, dilation, groups, padding, block):
    """Integers in float64 are exact: the loops and the blocks agree to the bit, whatever the block size."""
    g, icg, ocg = groups
    x = RNG.integers(-9, 9, (2, 8, 7, g * icg)).astype(np.float64)
    w = RNG.integers(-9, 9, (g * ocg, *kernel, icg)).astype(np.float64)
    bias = RNG.integers(-9, 9, g * ocg).astype(np.float64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window, "BLOCK_VALUES", block)
        found = run("conv2d", x, weights=w, bias=bias, stride=stride, dilation=dilation, padding=padding, groups=g)
    np.testing.assert_array_equal(found, conv_by_loops(x, w, bias, stride, dilation, padding, g))


@settings(max_examples=60, deadline=None)
@given(kernel=PAIR, stride=PAIR, crop=st.tuples(*[st.integers(-2, 2)] * 4))
def test_conv2d_transpose(kernel, stride, crop):
    """Against the definition: every input adds its kernel to the full output, which is then cropped or extended."""
    x = RNG.integers(-9, 9, (2, 4, 5, 3)).astype(np.float64)
    w = RNG.integers(-9, 9, (2, *kernel, 3)).astype(np.float64)
    full = np.zeros((2, 3 * stride[0] + kernel[0] + 4, 4 * stride[1] + kernel[1] + 4, 2))
    for n, iy, ix, ic in np.ndindex(x.shape):
        for oc, ky, kx in np.ndindex(2, *kernel):
            full[n, 2 + iy * stride[0] + ky, 2 + ix * stride[1] + kx, oc] += x[n, iy, ix, ic] * w[oc, ky, kx, ic]
    height, width = (full.shape[1 + a] - 4 - crop[2 * a] - crop[2 * a + 1] for a in (0, 1))
    assume(min(height, width) >= 1)
    found = run("conv2d_transpose", x, weights=w, bias=np.array([1.0, -2.0]), stride=stride, crop=crop)
    expected = full[:, 2 + crop[0]:, 2 + crop[2]:][:, :height, :width] + np.array([1.0, -2.0])
    np.testing.assert_array_equal(found, expected)


def test_average_pool_counts_real_taps_only():
    x = np.arange(9.0).reshape(1, 3, 3, 1)
    y = run("avg_pool", x, kernel=(2, 2), stride=(2, 2), padding="same")
    np.testing.assert_array_equal(y[0, :, :, 0], [[2, 3.5], [6.5, 8]])


def test_max_pool_ignores_padding():
    y = run("max_pool", -np.ones((1, 3, 3, 1)), kernel=(3, 3), stride=(2, 2), padding="same")
    np.testing.assert_array_equal(y[0, :, :, 0], -np.ones((2, 2)))


def test_bilinear_has_half_pixel_centres():
    y = run("bilinear", np.array([0.0, 4.0]).reshape(1, 1, 2, 1), factor=(1, 2))
    np.testing.assert_array_equal(y.ravel(), [0, 1, 3, 4])


def test_depth_to_space_orders():
    x = np.arange(8.0).reshape(1, 1, 1, 8)
    np.testing.assert_array_equal(run("depth_to_space", x, block=2)[0], [[[0, 1], [2, 3]], [[4, 5], [6, 7]]])
    np.testing.assert_array_equal(run("depth_to_space", x, block=2, order="CRD")[0], [[[0, 4], [1, 5]], [[2, 6], [3, 7]]])
    back = run("space_to_depth", run("depth_to_space", x, block=2), block=2)
    np.testing.assert_array_equal(back, x)


def test_relu_with_everything():
    y = run("relu", np.array([[-1.0, 0.2, 0.3, 0.9]]), slope=0.5, threshold=0.3, max_value=0.7)
    np.testing.assert_allclose(y, [[-0.65, -0.05, 0.3, 0.7]], rtol=1e-15)


@pytest.mark.parametrize("name, x, value", [
    ("erf", 0.5, math.erf(0.5)), ("gelu", 1.0, 0.5 * (1 + math.erf(math.sqrt(0.5)))), ("sigmoid", -800.0, 0.0),
    ("sigmoid", 800.0, 1.0), ("softplus", 800.0, 800.0), ("softplus", -800.0, 0.0), ("elu", -800.0, -1.0),
    ("hard_sigmoid", 1.5, 0.75), ("hard_sigmoid_keras2", 1.5, 0.8), ("hard_swish", 3.0, 3.0), ("relu_threshold", 1.0, 0.0),
    ("soft_shrink", -0.75, -0.25), ("hard_shrink", 0.5, 0.0), ("log_sigmoid", -800.0, -800.0), ("mish", 0.0, 0.0),
])
def test_functions(name, x, value):
    np.testing.assert_allclose(FUNCTIONS[name](np.array([x])), [value], rtol=1e-15)


def test_fused_activation_yields_what_came_before():
    """alpha, then clip; the tensor before them is yielded as name:pre."""
    conv = Node.make("c", "conv2d", ["x"], weights=np.eye(2).reshape(2, 1, 1, 2), bias=np.zeros(2), alpha=np.array([0.5, 0.0]),
                     clip=(-1.0, 3.0))
    total = Node.make("s", "add", ["c", "x"], clip=(0.0, None))
    x = np.array([[-4.0, -4.0], [2.0, 5.0]]).reshape(1, 1, 2, 2)
    tensors = dict(steps(graph_of(conv, total), {"x": x}))
    assert list(tensors) == ["x", "c:pre", "c", "s:pre", "s"]
    np.testing.assert_array_equal(tensors["c:pre"], x)
    np.testing.assert_array_equal(tensors["c"].reshape(2, 2), [[-1, 0], [2, 3]])
    np.testing.assert_array_equal(tensors["s:pre"].reshape(2, 2), [[-5, -4], [4, 8]])
    np.testing.assert_array_equal(tensors["s"].reshape(2, 2), [[0, 0], [4, 8]])


def test_a_clip_of_its_own_has_no_pre():
    graph = graph_of(Node.make("c", "clip", ["x"], clip=(0.0, 1.0)))
    assert [name for name, _ in steps(graph, {"x": np.ones((1, 1, 1, 2))})] == ["x", "c"]


def test_dead_tensors_are_let_go():
    nodes = [Node.make(f"r{i}", "scale", [f"r{i - 1}" if i else "x"], factor=2.0) for i in range(5)]
    alive, most = [], 0
    for _, value in steps(graph_of(*nodes), {"x": np.ones((1, 64, 64, 2))}):
        alive.append(weakref.ref(value))
        del value
        gc.collect()
        most = max(most, sum(ref() is not None for ref in alive))
    assert most <= 3


def test_outputs_may_repeat_and_be_inner():
    nodes = [Node.make("a", "scale", ["x"], factor=2.0), Node.make("b", "scale", ["a"], factor=2.0)]
    graph = graph_of(*nodes, outputs=("b", "a", "b"))
    found = evaluate(graph, {"x": np.ones((1, 1, 1, 2))})
    assert [value.ravel().tolist() for value in found] == [[4, 4], [2, 2], [4, 4]]


def test_a_declared_size_is_let_go_where_it_can_be():
    scale = Node.make("a", "scale", ["x"], factor=2.0)
    graph = graph_of(scale, shape=(4, 4, 2))
    assert fitted(graph, {"x": (1, 4, 4, 2)}) is graph
    assert fitted(graph, {"x": (1, 6, 5, 2)})["x"].params["shape"] == (None, None, 2)


@pytest.mark.parametrize("shape, reason", [
    ((1, 4, 4, 3), "x: input shape must be NxHxWx2, not 1x4x4x3"),
    ((4, 4, 2), "x: input shape must be NxHxWx2, not 4x4x2"),
    ((1, 5, 4, 2), "d: input features must be 32, not 40 (x: input shape must be Nx4x4x2, not 1x5x4x2)"),
])
def test_wrong_input_shape(shape, reason):
    dense = Node.make("d", "dense", ["f"], weights=np.ones((1, 32)), bias=np.zeros(1))
    graph = graph_of(Node.make("f", "flatten", ["x"]), dense, shape=(4, 4, 2))
    with pytest.raises(GraphError) as caught:
        fitted(graph, {"x": shape})
    assert str(caught.value) == reason


def test_a_tensor_that_no_memory_holds():
    graph = graph_of(Node.make("u", "upsample_nearest", ["x"], factor=(1024, 1024)))
    with pytest.raises(GraphError, match=r"^u: a tensor must have at most 4294967296 values, not 1x65536x65536x2$"):
        evaluate(graph, {"x": np.ones((1, 64, 64, 2))})


def test_wrong_input_names():
    with pytest.raises(GraphError, match=r"^inputs must be x, not y$"):
        evaluate(graph_of(Node.make("a", "scale", ["x"], factor=2.0)), {"y": np.ones((1, 1, 1, 2))})


def test_input_must_be_finite():
    with pytest.raises(GraphError, match=r"^x: an input must hold finite numbers, not NaN or infinity$"):
        evaluate(graph_of(Node.make("a", "scale", ["x"], factor=2.0)), {"x": np.full((1, 1, 1, 2), np.nan)})
