"""What a layer moves and keeps: bits through each buffer, line buffers, and whether it fits (spec/device.md rule 1.3).

weights  every SB word of the layer once: W_t words of TM*TN*W bits per output tile
inputs   every NBin word of the input once: IH*IW*CIT words of TN*A bits
outputs  every NBout word once: OH*OW*COT words of TM*A bits
line buffer  the input rows that must wait for the newest one: (rows of the window - 1) * IW * IC * A bits
need     SB: with a DMA two banks of the largest tile, else the whole layer; NBin: the rows of one window;
         NBout: one row of one output tile
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hwsim.graph.node import Node
from hwsim.hw.config import KIB, Device
from hwsim.hw.costs.cycles import ArrayCycles
from hwsim.hw.costs.placed_node import PlacedNode
from hwsim.hw.costs.vector_cycles import Shape, image_words
from hwsim.hw.rowpack import pack_layer
from hwsim.ops.cut import image_shape
from hwsim.ops.dims import ceil_div
from hwsim.ops.layer import ArrayLayer
from hwsim.ops.spec import ADDRESS, VECTOR, Trait
from hwsim.ops.table import ops_with
from hwsim.ops.window import extent


@dataclass(frozen=True)
class Traffic:
    """Bits that one image moves and keeps.

    need: buffer (sb, nbin, nbout) -> bits; fit: buffer -> whether the device's (0 = unlimited) holds `need`.
    """

    weights: int
    inputs: int
    outputs: int
    line_buffer: int
    need: Mapping[str, int]
    fit: Mapping[str, bool]


NOTHING: Mapping[str, int] = {"sb": 0, "nbin": 0, "nbout": 0}


def traffic(placed: PlacedNode, device: Device) -> Traffic:
    """The Traffic of a node for one image."""
    if placed.unit == ADDRESS:
        return Traffic(weights=0, inputs=0, outputs=0, line_buffer=0, need=NOTHING, fit=dict.fromkeys(NOTHING, True))
    outputs = image_words(placed.out_shape, device.TM) * device.TM * placed.out_bits
    return _array_traffic(placed, outputs, device) if placed.cuts else _vector_traffic(placed, outputs, device)


def _vector_traffic(placed: PlacedNode, outputs: int, device: Device) -> Traffic:
    in_shapes, in_bits = placed.in_shapes, placed.in_bits
    inputs = sum(image_words(shape, device.TN) * device.TN * bits for shape, bits in zip(in_shapes, in_bits))
    return Traffic(weights=0, inputs=inputs, outputs=outputs, line_buffer=_pool_lines(placed.node, in_shapes[0], in_bits[0]),
                   need=NOTHING, fit=dict.fromkeys(NOTHING, True))


def _array_traffic(placed: PlacedNode, outputs: int, device: Device) -> Traffic:
    node, parts, layers, bits = placed.node, placed.parts, [piece.layer for piece in placed.cuts], placed.in_bits[0]
    words = [sum(tile.beats for tile in part.tiles) for part in parts]
    weights = sum(count * device.sb_word_bits(layer.weights.format.bits) for count, layer in zip(words, layers))
    need = {"sb": max(_sb_need(layer, part, device) for layer, part in zip(layers, parts)),
            "nbin": max(_rows(layer) * _row_words(layer, device) for layer in layers) * device.TN * bits,
            "nbout": max(layer.out_hw[1] for layer in layers) * device.TM * placed.out_bits}
    inputs = _inputs(node, layers, placed.in_shapes[0], device) * bits
    return Traffic(weights=weights, inputs=inputs, outputs=outputs, line_buffer=_lines(node, layers, bits), need=need,
                   fit=_fit(need, device))


def _inputs(node: Node, layers: Sequence[ArrayLayer], in_shape: Shape, device: Device) -> int:
    """Lanes of NBin words; the phases of a transposed layer read one image, groups their own channels."""
    if node.op == "qconv2d_transpose":
        return image_words(in_shape, device.TN) * device.TN
    return sum(_packed_rows(layer, device) * _row_words(layer, device) for layer in layers) * device.TN


def _packed_rows(layer: ArrayLayer, device: Device) -> int:
    return pack_layer(layer, device.TN).in_hw[0]


def _row_words(layer: ArrayLayer, device: Device) -> int:
    """NBin words of an input row."""
    packed = pack_layer(layer, device.TN)
    return packed.in_hw[1] * ceil_div(packed.ic, device.TN)


def _rows(layer: ArrayLayer) -> int:
    """Input rows under one window."""
    return min(layer.in_hw[0], extent(layer.kernel[0], layer.dilation[0]))


def _lines(node: Node, layers: Sequence[ArrayLayer], bits: int) -> int:
    """Bits of the line buffer of an array node."""
    lines = [(_rows(layer) - 1) * layer.in_hw[1] * layer.ic * bits for layer in layers]
    return max(lines) if node.op == "qconv2d_transpose" else sum(lines)


def _pool_lines(node: Node, in_shape: Shape, bits: int) -> int:
    """Bits of the line buffer of the vector unit."""
    _, rows, cols, channels = image_shape(in_shape)
    return WAITING_ROWS[node.op](node, rows) * cols * channels * bits


def _none(node: Node, rows: int) -> int:
    return 0


def _window(node: Node, rows: int) -> int:
    return min(rows, int(node.params["kernel"][0])) - 1


def _one(node: Node, rows: int) -> int:
    return 1


# The input rows that wait for the newest one, of every operator of the vector unit: function(node, rows of the image).
WAITING_ROWS: dict[str, Callable[[Node, int], int]] = {
                **dict.fromkeys(ops_with(Trait.PIXELWISE, unit=VECTOR), _none),
                **dict.fromkeys(ops_with(Trait.GLOBAL, unit=VECTOR), _none),
                **dict.fromkeys(ops_with(Trait.WINDOW, unit=VECTOR), _window), "bilinear": _one, "qbilinear": _one}


def _sb_need(layer: ArrayLayer, part: ArrayCycles, device: Device) -> int:
    words = [tile.beats for tile in part.tiles]
    return (2 * max(words) if device.dma_bits else sum(words)) * device.sb_word_bits(layer.weights.format.bits)


def _fit(need: Mapping[str, int], device: Device) -> dict[str, bool]:
    size = {"sb": device.sb_kb, "nbin": device.nbin_kb, "nbout": device.nbout_kb}
    return {name: size[name] == 0 or bits <= size[name] * KIB for name, bits in need.items()}
