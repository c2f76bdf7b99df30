"""How often exact partial sums leave a narrower accumulator, for every width, from one pass over the network.

out_of_range counts exact partial sums that leave a width. It is not `events`: after its first event a wrapped or saturated
accumulator goes on from another value; true events come from running the network again at that width.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from hwsim.engine.host.jit import compiled
from hwsim.engine.protocol import Engine
from hwsim.engine.run import run, steps_with_inputs
from hwsim.fixed.formats import Datapath, Overflow
from hwsim.graph.accumulator import LEAST, MOST, bias_bits
from hwsim.graph.integer import IntegerGraph
from hwsim.graph.node import Node
from hwsim.hw.rowpack import pack_input, pack_layer
from hwsim.ops.cut import ARRAY_OPS, cut, image_shape
from hwsim.ops.dims import ceil_div
from hwsim.ops.layer import ArrayLayer

WIDTHS = 65     # histogram places: an exact sum is an int64


@dataclass(frozen=True, eq=False)
class Spread:
    """Histograms, int64 (WIDTHS), over the bits that exact partial sums need.

    beats: of every (beat, output channel); outputs, pixels: by the widest sum of the output, of the pixel's channels.
    """

    beats: np.ndarray
    outputs: np.ndarray
    pixels: np.ndarray

    def out_of_range(self, bits: int) -> dict[str, int]:
        """{beats, pixels, outputs} with an exact partial sum that leaves a signed word of `bits`."""
        return {name: int(getattr(self, name)[bits + 1:].sum()) for name in ("beats", "pixels", "outputs")}

    @property
    def bits(self) -> int:
        """The width that holds every sum."""
        return int(np.flatnonzero(self.beats).max(initial=1))

    def __add__(self, other: Spread) -> Spread:
        return Spread(self.beats + other.beats, self.outputs + other.outputs, self.pixels + other.pixels)


@dataclass(frozen=True, eq=False)
class Rerun:
    """A true run at `acc_bits`: events of all layers, output values that differ from the wide run, and the outputs."""

    acc_bits: int
    events: int
    changed: int
    outputs: Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class WhatIf:
    """layers: array node -> Spread; wide: outputs with an accumulator that no sum leaves; reruns, widest first."""

    layers: Mapping[str, Spread]
    wide: Mapping[str, np.ndarray]
    reruns: tuple[Rerun, ...]

    @property
    def total(self) -> Spread:
        """The Spread of the whole network."""
        return reduce(Spread.__add__, self.layers.values())

    @property
    def widths(self) -> range:
        """Every width from 8 up to the first that holds all sums."""
        return range(LEAST, max(LEAST, self.total.bits) + 1)


def what_if(net: IntegerGraph, inputs: Mapping[str, np.ndarray], reruns: int = 4, engine: str | Engine = "fast",
            threads: int | None = None, progress: Callable[[str, int, int], None] | None = None) -> WhatIf:
    """The WhatIf of `net` on `inputs` (name -> codes): one exact pass, then true runs at the safe width
    and at `reruns` widths below it.

    The true runs keep the network's overflow mode; `error` runs as `wrap`, so that there is a result. Widths that a bias
    does not fit are left out. progress(text, nodes done, nodes) is called after each node of the exact pass.
    """
    layers, outputs = _exact_pass(net, inputs, engine, threads, progress)
    exact = WhatIf(layers, outputs, ())
    mode = Overflow.WRAP if net.datapath.acc_mode is Overflow.ERROR else net.datapath.acc_mode
    least = bias_bits(net)
    top = max(least, exact.widths[-1])
    runs = tuple(_rerun(with_accumulator(net, bits, mode), inputs, outputs, engine, threads)
                 for bits in range(top, max(least, top - reruns) - 1, -1))
    return replace(exact, reruns=runs)


def _exact_pass(net: IntegerGraph, inputs: Mapping[str, np.ndarray], engine: str | Engine, threads: int | None,
                progress: Callable[[str, int, int], None] | None) -> tuple[dict[str, Spread], dict[str, np.ndarray]]:
    """(array node -> Spread, output -> codes) with an accumulator that no sum leaves."""
    wide = with_accumulator(net, MOST, Overflow.WRAP)
    layers: dict[str, Spread] = {}
    outputs: dict[str, np.ndarray] = {}
    for done, (node, read, tensor, _) in enumerate(steps_with_inputs(wide, inputs, engine, threads=threads), 1):
        if node.op in ARRAY_OPS:
            layers[node.name] = _node_spread(node, read[0], wide.datapath)
        if node.name in net.outputs:
            outputs[node.name] = tensor
        if progress:
            progress("exact sums", done, len(net.nodes))
    return layers, outputs


def with_accumulator(net: IntegerGraph, bits: int, mode: Overflow | None = None) -> IntegerGraph:
    """The network with an accumulator of `bits`, by default in its own overflow mode."""
    return replace(net, datapath=replace(net.datapath, acc_bits=bits, acc_mode=mode or net.datapath.acc_mode))


def _rerun(net: IntegerGraph, inputs: Mapping[str, np.ndarray], wide: Mapping[str, np.ndarray], engine: str | Engine,
           threads: int | None) -> Rerun:
    result = run(net, inputs, engine, monitor=True, threads=threads)
    events = sum(stats.events or 0 for stats in result.stats.values())
    changed = sum(int((result[name] != wide[name]).sum()) for name in wide)
    return Rerun(net.datapath.acc_bits, events, changed, {name: result[name] for name in wide})


def _node_spread(node: Node, x: np.ndarray, datapath: Datapath) -> Spread:
    """The Spread of an array node on its input codes x, all images."""
    images, total = x.reshape(image_shape(x.shape)).astype(np.int64), Spread(*np.zeros((3, WIDTHS), np.int64))
    for piece in cut(node, x.shape, datapath.tm):
        for image in images:
            total = total + layer_spread(piece.layer, image[..., piece.in_channels], datapath)
    return total


def layer_spread(layer: ArrayLayer, x: np.ndarray, datapath: Datapath) -> Spread:
    """The Spread of one ArrayLayer on one image (IH,IW,IC)."""
    x, layer = pack_input(layer, x), pack_layer(layer, datapath.tn)
    weights = np.ascontiguousarray(layer.weights.integers.transpose(0, 2, 3, 4, 1))
    counts = np.zeros((3, WIDTHS), np.int64)
    pad = np.array((layer.pad[0], layer.pad[2], *layer.stride, *layer.dilation), np.int64)
    kernel = _depthwise if layer.depthwise else _full
    out_hw = np.array(layer.out_hw, np.int64)
    kernel(np.ascontiguousarray(x), weights, layer.epilogue.bias, _second(layer, datapath), pad, out_hw, datapath.tn, counts)
    return Spread(*counts)


def _second(layer: ArrayLayer, datapath: Datapath) -> np.ndarray:
    """bool (KH,KW,CIT,OC): where the second word is a beat of its own."""
    cit = 1 if layer.depthwise else ceil_div(layer.ic, datapath.tn)
    flags = layer.weights.flags
    if flags is None:
        return np.full((*layer.kernel, cit, layer.oc), layer.weights.per_element)
    return np.ascontiguousarray(np.repeat(flags, datapath.tm, axis=0)[:layer.oc].transpose(2, 3, 1, 0))


@compiled
def _bits(value: int) -> int:
    """Bits of the narrowest signed word that holds value."""
    magnitude, bits = (value if value >= 0 else ~value), 1
    while magnitude > 255:
        magnitude >>= 8
        bits += 8
    while magnitude > 0:
        magnitude >>= 1
        bits += 1
    return bits


@compiled
def _count_beat(acc: np.ndarray, real: np.ndarray, worst: np.ndarray, beats: np.ndarray) -> None:
    """After one beat: each channel that took it adds its width to the histogram and to its own worst."""
    for oc in range(acc.size):
        if real[oc]:
            bits = _bits(acc[oc])
            beats[bits] += 1
            worst[oc] = max(worst[oc], bits)


@compiled
def _count_pixel(worst: np.ndarray, outputs: np.ndarray, pixels: np.ndarray) -> None:
    """After a pixel: its outputs and itself by their widest sums."""
    for oc in range(worst.size):
        outputs[worst[oc]] += 1
    pixels[worst.max()] += 1


@compiled
def _full(x: np.ndarray, weights: np.ndarray, bias: np.ndarray, second: np.ndarray, geometry: np.ndarray, out_hw: np.ndarray,
          tn: int, counts: np.ndarray) -> None:
    """Exact sums of an ordinary layer: weights (WORDS,KH,KW,IC,OC), beats in issue order."""
    words, kh, kw, ic, oc_count = weights.shape
    top, left, sh, sw, dh, dw = geometry
    always = np.ones(oc_count, np.bool_)
    worst = np.empty(oc_count, np.int64)
    for oy in range(out_hw[0]):
        for ox in range(out_hw[1]):
            acc = bias.copy()
            worst[:] = 1
            for ky in range(kh):
                for kx in range(kw):
                    row, column = oy * sh + ky * dh - top, ox * sw + kx * dw - left
                    inside = 0 <= row < x.shape[0] and 0 <= column < x.shape[1]
                    for cit in range(second.shape[2]):
                        for word in range(words):
                            if inside:
                                for lane in range(cit * tn, min(ic, (cit + 1) * tn)):
                                    value = x[row, column, lane]
                                    for oc in range(oc_count):
                                        acc[oc] += value * weights[word, ky, kx, lane, oc]
                            _count_beat(acc, second[ky, kx, cit] if word else always, worst, counts[0])
            _count_pixel(worst, counts[1], counts[2])


@compiled
def _depthwise(x: np.ndarray, weights: np.ndarray, bias: np.ndarray, second: np.ndarray, geometry: np.ndarray, out_hw: np.ndarray,
               tn: int, counts: np.ndarray) -> None:
    """Exact sums of a depthwise layer: every channel sees its own input only."""
    words, kh, kw, _, oc_count = weights.shape
    top, left, sh, sw, dh, dw = geometry
    always = np.ones(oc_count, np.bool_)
    worst = np.empty(oc_count, np.int64)
    for oy in range(out_hw[0]):
        for ox in range(out_hw[1]):
            acc = bias.copy()
            worst[:] = 1
            for ky in range(kh):
                for kx in range(kw):
                    row, column = oy * sh + ky * dh - top, ox * sw + kx * dw - left
                    inside = 0 <= row < x.shape[0] and 0 <= column < x.shape[1]
                    for word in range(words):
                        if inside:
                            for oc in range(oc_count):
                                acc[oc] += x[row, column, oc] * weights[word, ky, kx, 0, oc]
                        _count_beat(acc, second[ky, kx, 0] if word else always, worst, counts[0])
            _count_pixel(worst, counts[1], counts[2])
