"""Phases of a transposed convolution against its definition."""
import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hwsim.graph.node import Node
from hwsim.ops.cut import cut
from hwsim.ops.phases import axis_phase


@given(st.integers(1, 4), st.integers(1, 9), st.integers(1, 7), st.integers(-2, 4), st.integers(-2, 4))
def test_axis(stride, kernel, size, before, after):
    full = (size - 1) * stride + kernel
    outs = full - before - after
    pairs = {(o, i): o + before - i * stride for o in range(max(outs, 0)) for i in range(size)}
    expected = {key: tap for key, tap in pairs.items() if 0 <= tap < kernel}
    outputs = {}
    for p in range(stride):
        phase = axis_phase(p, stride, kernel, before, outs)
        for j in range(phase.count):
            for n, tap in enumerate(phase.taps):
                if tap >= 0 and 0 <= j - phase.pad + n < size:
                    outputs[p + j * stride, j - phase.pad + n] = tap
    assert outputs == expected


def transpose_node(codes, stride, crop):
    oc = codes.shape[1]
    zeros = np.zeros(oc, np.int64)
    return Node.make("t", "qconv2d_transpose", ("x",), codes=codes, bias=zeros, m_pos=zeros, m_neg=zeros, shift=zeros,
                     lo=0, hi=0, stride=stride, crop=crop)


@settings(max_examples=60)
@given(st.tuples(*[st.integers(1, 4)] * 2), st.tuples(*[st.integers(1, 6)] * 2), st.tuples(*[st.integers(1, 4)] * 2),
       st.tuples(*[st.integers(-1, 2)] * 4), st.integers(0, 1 << 30))
def test_cuts_fill_every_output_once(stride, kernel, size, crop, seed):
    rng = np.random.default_rng(seed)
    codes = rng.integers(-9, 10, (1, 2, *kernel, 3))
    out = [(size[a] - 1) * stride[a] + kernel[a] - crop[2 * a] - crop[2 * a + 1] for a in (0, 1)]
    assume(min(out) >= 1)
    x = rng.integers(-9, 10, (*size, 3))
    full = np.zeros((size[0] * stride[0] + kernel[0], size[1] * stride[1] + kernel[1], 2), np.int64)
    for iy, ix, ky, kx in np.ndindex(*size, *kernel):
        full[iy * stride[0] + ky, ix * stride[1] + kx] += codes[0, :, ky, kx] @ x[iy, ix]
    got, filled = np.zeros((*out, 2), np.int64), np.zeros(out, int)
    for piece in cut(transpose_node(codes, stride, crop), (1, *size, 3)):
        got[piece.rows, piece.cols] = convolve(piece.layer, x)
        filled[piece.rows, piece.cols] += 1
    assert (filled == 1).all()
    for oy, ox in np.ndindex(*out):
        sy, sx = oy + crop[0], ox + crop[2]
        inside = 0 <= sy < full.shape[0] and 0 <= sx < full.shape[1]
        np.testing.assert_array_equal(got[oy, ox], full[sy, sx] if inside else 0)


def convolve(layer, x):
    """The plain sum of products of an ArrayLayer with stride 1."""
    (top, _, left, _), out = layer.pad, np.zeros((*layer.out_hw, layer.oc), np.int64)
    for oy, ox, ky, kx in np.ndindex(*layer.out_hw, *layer.kernel):
        y, z = oy + ky - top, ox + kx - left
        if 0 <= y < layer.in_hw[0] and 0 <= z < layer.in_hw[1]:
            out[oy, ox] += layer.weights.codes[0, :, ky, kx] @ x[y, z]
    return out
