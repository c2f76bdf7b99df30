"""The first accumulator event of a layer, found by simulating the one row in which the kernels counted the first one.

Kernels count events per output row and channel only. A report names one event exactly, so that one row is done again here, beat
by beat with numpy: slow, and rare.
"""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hwsim.engine.kernels.plan import Facts
from hwsim.engine.result import AccEvent
from hwsim.fixed.formats import Overflow
from hwsim.ops.layer import ArrayLayer


def first_event(facts: Facts, x: np.ndarray, counts: np.ndarray) -> AccEvent:
    """The AccEvent that the array meets first; counts int64 (N,OH,OC), x (N,IH,IW,IC)."""
    n, cot, oy = _place(counts, facts.datapath.tm)
    channels = slice(cot * facts.datapath.tm, (cot + 1) * facts.datapath.tm)
    beat, ox, oc, value = _first_in_row(facts, _row_sums(facts, x[n], oy, channels), channels)
    ky, kx, cit, word = _address(facts, beat)
    layer = facts.layer
    return AccEvent(layer=layer.full_name, n=n, cot=cot, oy=oy, ox=ox, oc=channels.start + oc, ky=ky, kx=kx,
                    cit=cot if layer.depthwise else cit, word=word, value=value)


def _place(counts: np.ndarray, tm: int) -> tuple[int, int, int]:
    """(n, cot, oy) of the first tile row with an event, in issue order."""
    n = int(counts.any((1, 2)).argmax())
    cot = int(counts[n].any(0).argmax()) // tm
    return n, cot, int(counts[n, :, cot * tm:(cot + 1) * tm].any(1).argmax())


def _row_sums(facts: Facts, image: np.ndarray, oy: int, channels: slice) -> np.ndarray:
    """Every beat's own sum, int64 (BEATS,OW,channels), of one row of one output tile."""
    layer, trees = facts.layer, []
    for start, weights in _beats(facts, channels):
        trees.append(_inputs(layer, image, oy, start, weights.shape[1], channels) @ weights.T if not layer.depthwise
                     else _inputs(layer, image, oy, start, 1, channels) * weights.T)
    return np.stack(trees)


def _beats(facts: Facts, channels: slice) -> Iterator[tuple[tuple[int, int, int], np.ndarray]]:
    """((row, column, channel) of the window, weights (channels, inputs)) of every beat in issue order."""
    reduction = facts.beats
    for run, start in enumerate(reduction.starts):
        for lane in range(0, reduction.weights.shape[2], reduction.beat):
            weights = reduction.weights[channels, run, lane:lane + reduction.beat]
            yield (start[0], start[1], start[2] + lane), weights


def _inputs(layer: ArrayLayer, image: np.ndarray, oy: int, start: tuple[int, int, int], count: int,
            channels: slice) -> np.ndarray:
    """The `count` inputs that a beat starting at `start` takes for every pixel of row oy: (OW, count), 0 off the image."""
    # rows of an image are one stretch of columns and channels: a flat input number divides into (column, channel) by IC
    ic, (_, width) = layer.ic, layer.in_hw
    lanes = np.arange(channels.start, min(channels.stop, layer.oc)) if layer.depthwise else start[2] + np.arange(count)
    column = np.arange(layer.out_hw[1])[:, None] * layer.stride[1] - layer.pad[2] + start[1] + lanes // ic
    iy = oy * layer.stride[0] - layer.pad[0] + int(start[0])
    if not 0 <= iy < layer.in_hw[0]:
        return np.zeros(column.shape, np.int64)
    inside = (column >= 0) & (column < width)
    return np.where(inside, image[iy, np.clip(column, 0, width - 1), lanes % ic].astype(np.int64), 0)


def _first_in_row(facts: Facts, trees: np.ndarray, channels: slice) -> tuple[int, int, int, int]:
    """(beat, ox, oc, value) of the first event: pixel by pixel, beat by beat, lowest channel."""
    fmt = facts.datapath.acc_format
    stored = np.broadcast_to(facts.bias[channels], trees.shape[1:])
    saturates = facts.datapath.acc_mode is Overflow.SATURATE
    candidates = []
    for beat, tree in enumerate(trees):
        total = stored + tree
        outside = np.argwhere((total < fmt.min) | (total > fmt.max))
        # argwhere sorts by pixel, then channel, so its first entry is the beat's first event; min() below compares pixels first
        candidates += [(int(ox), beat, int(oc), int(total[ox, oc])) for ox, oc in outside[:1]]
        # modulo 2^bits by a mask, which is exact because acc_format spans a power of two
        stored = np.clip(total, fmt.min, fmt.max) if saturates else ((total - fmt.min) & (fmt.max - fmt.min)) + fmt.min
    ox, beat, oc, value = min(candidates)
    return beat, ox, oc, value


def _address(facts: Facts, beat: int) -> tuple[int, int, int, int]:
    """(ky, kx, cit, word) of a beat's number within a pixel."""
    layer, words = facts.layer, facts.layer.weights.words
    (_, kw), tn = layer.kernel, facts.datapath.tn
    if layer.rowpack and not layer.depthwise:
        per_row = -(-kw * layer.ic // tn)
        return beat // words // per_row, 0, beat // words % per_row, beat % words
    tiles = 1 if layer.depthwise else -(-layer.ic // tn)
    tap, rest = divmod(beat, tiles * words)
    return tap // kw, tap % kw, rest // words, rest % words
