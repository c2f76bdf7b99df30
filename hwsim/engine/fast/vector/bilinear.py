"""Bilinear upsampling: every row is blended from two, then every phase of its columns, in weights without common factors."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from hwsim.engine.context import Context, Inputs, Output
from hwsim.engine.fast.portable import bilinear as general
from hwsim.engine.fast.storage_type import storage_type
from hwsim.engine.fast.vector import arithmetic, words
from hwsim.engine.fast.vector.scratch import SCRATCH
from hwsim.engine.fast.vector.sweep import blocks
from hwsim.engine.host.memory import ARENA
from hwsim.engine.host.threads import in_order
from hwsim.engine.result import LayerStats
from hwsim.fixed.formats import Rounding
from hwsim.graph.node import Node


def bilinear(node: Node, inputs: Inputs, context: Context) -> Output:
    """(codes (N,H*FY,W*FX,C), LayerStats) of a qbilinear node."""
    (x,), p = inputs, node.params
    n, h, w, c = x.shape
    (fy, fx), y = p["factor"], ARENA.empty((n, h * p["factor"][0], w * p["factor"][1], c), storage_type(node, inputs, context))
    (upper, lower, down), (left, _, right) = general.axis(h, fy), general.axis(3, fx)
    # All columns of one phase share their weights, so that a phase is one long pass over neighbouring columns. Its weights are
    # those of the middle one of three columns, which meets no border.
    phases = slice(fx, 2 * fx)
    heights, tall = _weights(down)
    # common powers of two of all weights are dropped and `shift` is that much smaller: fewer bits, so more sums fit 32 of them
    blends = _blends(*_weights(right[phases]), context.in_formats[0].largest, tall, p, context.datapath.rounding)
    if blends is None:
        return general.bilinear(node, inputs, context)
    run_rows, word, widths, rule = blends
    sources, heights, starts = np.stack([upper, lower], 1), heights.astype(word), left[phases]
    rows, target = x.reshape(n, h, w * c), y.reshape(n, h * fy, w * fx * c)

    def run(block: tuple[int, slice]) -> int:
        image, part = block
        lines = SCRATCH("tall", ((w + 2) * c,), word), SCRATCH("phase", (w * c,), y.dtype)
        return run_rows(rows[image], sources[part], heights[part], starts, widths, rule, *lines, target[block])
    return y, LayerStats(clamped=int(sum(in_order(run, blocks(*target.shape), context.threads))))


def _blends(widths: np.ndarray, wide: int, largest: int, tall: int, p: Mapping[str, Any],
            rounding: Rounding) -> tuple[Callable[..., int], type[np.signedinteger[Any]], np.ndarray, np.ndarray] | None:
    """(pass, word, factors of every phase, rule): one part where 32 bits hold the sums, else two; None: no word holds them."""
    shift, pairs, ends = tall + wide, widths.tolist(), (p["lo"], p["hi"])
    # the weights of a row and of a column sum to 2^tall and 2^wide: no blend exceeds largest * 2^shift
    if words.word_of(largest << shift, shift, rounding) is np.int32:
        return arithmetic.bilinear, np.int32, widths.astype(np.int32), words.rule(shift, rounding, np.int32, *ends)
    cut = words.cut_of([[(largest << tall, m) for m in pair] for pair in pairs], shift, rounding)
    if cut is None:
        return None
    factors = np.stack([words.cut_factors(pair, shift, rounding, *cut) for pair in pairs])
    return arithmetic.bilinear_cut, cut[0], factors, words.cut_rule(shift, rounding, *cut, *ends)


def _weights(later: np.ndarray) -> tuple[np.ndarray, int]:
    """((K,2) weights of the earlier and the later sample, bits of their sum) without the powers of two that all share."""
    pairs = np.stack([(1 << general.BITS) - later, later], 1)
    shared = min(_twos(int(value)) for value in np.unique(pairs))
    return pairs >> shared, general.BITS - shared


def _twos(value: int) -> int:
    """How often 2 divides it; 0 is divided as often as the whole."""
    return general.BITS if value == 0 else (value & -value).bit_length() - 1
