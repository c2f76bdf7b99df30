"""Corner sizes and single layers: the formula of the operator in Python integers, and the engines against each other."""
import itertools

import numpy as np
import pytest
from helpers.engine_nets import COMPILED, ENGINES, NUMPY, assert_engines_agree, everything, fields, network, source
from helpers.random_graphs import MODES, ROUNDINGS
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.fixed.formats import Datapath, IntFormat, Overflow, Rounding
from hwsim.fixed.narrow import clamp, wrap
from hwsim.fixed.rounding import round_shift
from hwsim.graph.node import Node

PAIRS = list(itertools.product((1, 15, 16, 17), repeat=2))
# the kernels compile a variant for many of these layers: they have a volume of layers of their own
LOOPS = (COMPILED, NUMPY)
SOME = settings(max_examples=60, deadline=None, derandomize=True)


def by_formula(x, w, stride, dilation, pad, groups):
    """acc of ops/conv2d.py with bias 0, one product at a time."""
    (n_, ih, iw, _), (oc_, kh, kw, icg) = x.shape, w.shape
    oh = (ih + pad[0] + pad[1] - (kh - 1) * dilation[0] - 1) // stride[0] + 1
    ow = (iw + pad[2] + pad[3] - (kw - 1) * dilation[1] - 1) // stride[1] + 1
    acc = np.zeros((n_, oh, ow, oc_), object)
    for n, oy, ox, oc in np.ndindex(*acc.shape):
        g = oc // (oc_ // groups)
        for ky, kx, ic in np.ndindex(kh, kw, icg):
            iy, ix = oy * stride[0] + ky * dilation[0] - pad[0], ox * stride[1] + kx * dilation[1] - pad[2]
            if 0 <= iy < ih and 0 <= ix < iw:
                acc[n, oy, ox, oc] += int(x[n, iy, ix, g * icg + ic]) * int(w[oc, ky, kx, ic])
    return acc


def scattered(x, w, stride, crop):
    """The full output of ops/conv2d_transpose.py without its crop, one product at a time."""
    (n_, ih, iw, _), (oc_, kh, kw, _) = x.shape, w.shape
    full = np.zeros((n_, (ih - 1) * stride[0] + kh, (iw - 1) * stride[1] + kw, oc_), object)
    for n, iy, ix, ky, kx in np.ndindex(n_, ih, iw, kh, kw):
        full[n, iy * stride[0] + ky, ix * stride[1] + kx] += w[:, ky, kx].astype(object) @ x[n, iy, ix].astype(object)
    top, bottom, left, right = crop
    return full[:, top:full.shape[1] - bottom, left:full.shape[2] - right]


def conv(w, **params):
    return Node.make("y", "qconv2d", ("x",), codes=w[None], w_bits=16, **{**fields(len(w)), **params})


def random_codes(rng, bits, shape):
    fmt = IntFormat(bits)
    return rng.integers(fmt.min, fmt.max + 1, shape)


@pytest.mark.parametrize("ic, oc", PAIRS)
def test_channels(ic, oc):
    rng = np.random.default_rng(ic * 100 + oc)
    x, w = random_codes(rng, 11, (1, 3, 4, ic)), random_codes(rng, 8, (oc, 2, 2, ic))
    net = network([source((3, 4, ic)), conv(w)], Datapath(acc_bits=20, acc_mode=MODES[(ic + oc) % 2]), formats={"x": "i11"})
    assert_engines_agree(net, {"x": x})
    net = network([source((3, 4, ic)), conv(w)], formats={"x": "i11"})
    expected = by_formula(x, w, (1, 1), (1, 1), (0, 0, 0, 0), 1)
    for engine in ENGINES:
        np.testing.assert_array_equal(everything(net, {"x": x}, engine)[-1][1], expected.astype(np.int64))


@pytest.mark.parametrize("h, w", PAIRS)
@pytest.mark.parametrize("op", ["qconv2d", "depthwise", "qconv2d_transpose"])
def test_image_sizes(h, w, op):
    rng = np.random.default_rng(h * 100 + w)
    x, kernel = random_codes(rng, 11, (1, h, w, 3)), random_codes(rng, 8, (3, 3, 3, 1 if op == "depthwise" else 3))
    if op == "qconv2d_transpose":
        node = Node.make("y", op, ("x",), codes=kernel[None], stride=(2, 2), crop=(0, 1, 1, 0), **fields(3))
    else:
        node = conv(kernel, padding="same", stride=(1 + h % 2, 1 + w % 2), groups=3 if op == "depthwise" else 1)
    net = network([source((h, w, 3)), node], Datapath(acc_bits=18, acc_mode=MODES[h % 2]), formats={"x": "i11"})
    assert_engines_agree(net, {"x": x})


@st.composite
def datapaths(draw):
    rounding = draw(st.sampled_from(ROUNDINGS))
    return Datapath(acc_bits=draw(st.integers(8, 48)), acc_mode=draw(st.sampled_from(MODES)), rounding=rounding,
                    mult_bits=31 if rounding is Rounding.GEMMLOWP else draw(st.integers(4, 31)),
                    tn=draw(st.sampled_from([1, 2, 4, 8, 16, 32, 64])), tm=draw(st.sampled_from([1, 4, 16])))


@st.composite
def requantizations(draw, datapath, oc):
    limit, acc = (1 << datapath.mult_bits) - 1, datapath.acc_format
    least = 31 if datapath.rounding is Rounding.GEMMLOWP else 0
    per_channel = {"bias": st.integers(acc.min, acc.max), "m_pos": st.integers(0, limit),
                   "m_neg": st.integers(-limit, limit), "shift": st.integers(least, 62)}
    found = {name: np.array(draw(st.lists(one, min_size=oc, max_size=oc))) for name, one in per_channel.items()}
    lo, hi = sorted(draw(st.tuples(st.integers(-1024, 1023), st.integers(-1024, 1023))))
    return found | {"lo": lo, "hi": hi}


@SOME
@given(st.data())
def test_any_convolution(data):
    draw = data.draw
    datapath, oc, icg, groups = draw(datapaths()), draw(st.integers(1, 4)), draw(st.integers(1, 9)), draw(st.integers(1, 3))
    kernel, stride, dilation = (draw(st.tuples(st.integers(1, 3), st.integers(1, 3))) for _ in range(3))
    pad = draw(st.tuples(*[st.integers(0, 3)] * 4))
    size = tuple((k - 1) * d + 1 + draw(st.integers(0, 4)) for k, d in zip(kernel, dilation))
    w_bits, in_bits = draw(st.integers(2, 16)), draw(st.integers(2, 16))
    rng = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    x, w = random_codes(rng, in_bits, (2, *size, icg * groups)), random_codes(rng, w_bits, (oc * groups, *kernel, icg))
    shape = {"stride": stride, "dilation": dilation, "padding": pad, "groups": groups}
    node = conv(w, **draw(requantizations(datapath, oc * groups)), **shape, rowpack=draw(st.booleans()))
    net = network([source(x.shape[1:]), node], datapath, formats={"x": f"i{in_bits}"})
    _, y, stats = assert_engines_agree(net, {"x": x}, LOOPS)[-1]
    total = by_formula(x, w, stride, dilation, pad, groups) + node.params["bias"]
    if datapath.acc_mode is Overflow.WRAP or not stats.events:
        p = node.params
        acc = wrap(total, datapath.acc_format)
        product = np.where(acc >= 0, acc * p["m_pos"], acc * p["m_neg"])
        for oc, shift in enumerate(p["shift"].tolist()):
            rounded = round_shift(product[..., oc], shift, datapath.rounding)
            np.testing.assert_array_equal(y[..., oc], clamp(rounded, p["lo"], p["hi"]))


@SOME
@given(st.data())
def test_any_transposed_convolution(data):
    draw = data.draw
    stride, kernel = (draw(st.tuples(st.integers(1, 4), st.integers(1, 4))) for _ in range(2))
    size, ic, oc = draw(st.tuples(st.integers(1, 4), st.integers(1, 4))), draw(st.integers(1, 5)), draw(st.integers(1, 4))
    crop = []
    for s, k, n in zip(stride, kernel, size):
        before = draw(st.integers(0, (n - 1) * s + k - 1))
        crop += [before, draw(st.integers(0, (n - 1) * s + k - 1 - before))]
    rng = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    x, w = random_codes(rng, 9, (1, *size, ic)), random_codes(rng, 8, (oc, *kernel, ic))
    node = Node.make("y", "qconv2d_transpose", ("x",), codes=w[None], stride=stride, crop=tuple(crop), **fields(oc))
    net = network([source(x.shape[1:]), node], formats={"x": "i9"})
    y = assert_engines_agree(net, {"x": x}, LOOPS)[-1][1]
    np.testing.assert_array_equal(y, scattered(x, w, stride, crop).astype(np.int64))


@SOME
@given(st.data())
def test_any_dense(data):
    draw = data.draw
    datapath, oc, ic = draw(datapaths()), draw(st.integers(1, 18)), draw(st.integers(1, 70))
    rng = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    shape = (draw(st.integers(1, 3)), *draw(st.lists(st.integers(1, 3), max_size=3)), ic)
    w_bits, words = draw(st.integers(2, 5)), draw(st.integers(1, 2))
    codes = random_codes(rng, w_bits, (words, oc, 1, 1, ic))
    node = Node.make("y", "qdense", ("x",), codes=codes, w_format="stlq", w_bits=w_bits, **draw(requantizations(datapath, oc)))
    net = network([source(shape[1:]), node], datapath, formats={"x": "u16"})
    assert_engines_agree(net, {"x": rng.integers(0, 1 << 16, shape)}, LOOPS)
