"""In words: what limits a layer, and what would help. The limit is the cause that costs the most multiplier slots."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hwsim.graph.node import Node
from hwsim.hw.config import Device
from hwsim.hw.costs.cycles import ArrayCycles
from hwsim.hw.costs.placed_node import PlacedNode
from hwsim.hw.costs.vector_cycles import reads
from hwsim.hw.rowpack import pack_layer, packs
from hwsim.ops.cut import Cut
from hwsim.ops.dims import ceil_div
from hwsim.ops.layer import ArrayLayer
from hwsim.ops.spec import ADDRESS, VECTOR, Trait
from hwsim.ops.table import ops_with

GOOD_PERCENT = 90
PRELU, BILINEAR = "a slope that is the same for all pixels folds into the layer before", "a nearest resize takes no cycles"
# What would help each operator of the vector unit; most have nothing.
VECTOR_ADVICE = {**dict.fromkeys(ops_with(unit=VECTOR), ""),
                 "prelu": PRELU, "qprelu": PRELU, "bilinear": BILINEAR, "qbilinear": BILINEAR,
                 "qconcat": "tied input scales make it a move"}


def explain(placed: PlacedNode, device: Device, packable: bool) -> tuple[str, str]:
    """(limit, advice) of a node: two sentences, the second "" where nothing would help; packable: whether rowpack is for it."""
    if placed.unit == ADDRESS:
        return "nothing: the address generator moves it", ""
    return _vector(placed.node, device) if placed.unit == VECTOR else _array(placed, device, packable)


def _vector(node: Node, device: Device) -> tuple[str, str]:
    times = 0 if Trait.GLOBAL in node.spec.traits else reads(node, [(1, 1, 1, 1)])
    each = "every input once" if times == 0 else f"{times} per output" if times > 1 else "one per output"
    return f"vector unit: {device.TN} channels per cycle, {each}", VECTOR_ADVICE[node.op]


def _array(placed: PlacedNode, device: Device, packable: bool) -> tuple[str, str]:
    cuts, parts = placed.cuts, placed.parts
    losses = _losses(cuts, parts, device)
    cause = max(losses, key=lambda name: losses[name])
    percent = placed.macs * 100 // (device.pes * placed.cycles)
    if percent >= GOOD_PERCENT or losses[cause] == 0:
        return f"array: {percent} % of the multiplier slots do useful work", _element(cuts)
    limit, advice = _TEXT[cause](cuts, parts, device)
    if cause == "inputs" and packable:
        advice = _rowpack(cuts[0].layer, parts[0], device) or advice
    return limit, _element(cuts) or advice


def _losses(cuts: tuple[Cut, ...], parts: tuple[ArrayCycles, ...], device: Device) -> dict[str, int]:
    """cause -> multiplier slots lost to it."""
    lost = dict.fromkeys(_TEXT, 0)
    for piece, part in zip(cuts, parts):
        layer = pack_layer(piece.layer, device.TN)
        first = part.issue - part.pixels * part.two_word_tiles * _repeat(layer, device)
        lost["bandwidth"] += part.stall * device.pes
        lost["words"] += (part.issue - first) * device.pes
        lost["latency"] += part.latency * device.pes
        if layer.depthwise:
            lost["depthwise"] += first * device.pes - part.macs
            continue
        lanes, columns = (ceil_div(layer.ic, device.TN) * device.TN, ceil_div(layer.oc, device.TM) * device.TM)
        lost["inputs"] += part.pixels * part.kernel_tiles * device.pes * (lanes - layer.ic) // lanes
        lost["outputs"] += part.pixels * part.kernel_tiles * device.pes * (columns - layer.oc) // columns
    return lost


def _repeat(layer: ArrayLayer, device: Device) -> int:
    """Beats of a tile at one tap: more than 1 where a depthwise tile of TM channels fills several input words."""
    return max(1, device.TM // device.TN) if layer.depthwise else 1


def _element(cuts: tuple[Cut, ...]) -> str:
    """A note where second words are chosen per element, which no array runs: the cycles are those of two words everywhere."""
    if not cuts[0].layer.weights.per_element:
        return ""
    return "two words per element have no mapping on the array: counted as two words in every tile"


def _bandwidth(cuts: tuple[Cut, ...], parts: tuple[ArrayCycles, ...], device: Device) -> tuple[str, str]:
    stall, total = sum(part.stall for part in parts), sum(part.total for part in parts)
    limit = f"weights' bandwidth: {stall} of {total} cycles wait for weights at {device.dma_bits} bits per cycle"
    wants = [ceil_div(tile.beats * device.sb_word_bits(piece.layer.weights.format.bits), before.end - before.start)
             for piece, part in zip(cuts, parts) for before, tile in zip(part.tiles, part.tiles[1:])]
    if not wants or max(wants) <= device.dma_bits:
        return limit, "only the layer's first load is exposed: resident weights (dma_bits 0) avoid it, a wider DMA shortens it"
    return limit, f"dma_bits {max(wants)} hides every load but the first"


def _words(cuts: tuple[Cut, ...], parts: tuple[ArrayCycles, ...], device: Device) -> tuple[str, str]:
    two, tiles = sum(part.two_word_tiles for part in parts), sum(part.kernel_tiles for part in parts)
    return f"two-word tiles: {two} of {tiles} tiles take a second beat", "a smaller two-word ratio"


def _latency(cuts: tuple[Cut, ...], parts: tuple[ArrayCycles, ...], device: Device) -> tuple[str, str]:
    return (f"pipeline: {sum(part.latency for part in parts)} of {sum(part.total for part in parts)} cycles fill and drain it",
            "fewer, larger layers: the layer is about as short as the pipeline")


def _depthwise(cuts: tuple[Cut, ...], parts: tuple[ArrayCycles, ...], device: Device) -> tuple[str, str]:
    return (f"depthwise: a column uses 1 of its {device.TN} multipliers",
            f"a grouped convolution of {device.TN} channels per group does {device.TN} times the work in the same beats")


def _inputs(cuts: tuple[Cut, ...], parts: tuple[ArrayCycles, ...], device: Device) -> tuple[str, str]:
    layer = cuts[0].layer
    lanes = pack_layer(layer, device.TN).ic
    room = ceil_div(lanes, device.TN) * device.TN
    if packs(layer):
        return (f"few channels: {lanes} inputs of a kernel row on {room} lanes",
                f"up to {room // layer.kernel[1]} input channels take no more cycles")
    return (f"few channels: {_count(lanes, 'input', cuts)} on {room} lanes",
            f"input channels up to the next multiple of {device.TN} take no more cycles")


def _rowpack(layer: ArrayLayer, part: ArrayCycles, device: Device) -> str:
    """A sentence on the cycles that packed rows would take, "" where these are not fewer."""
    words = ceil_div(layer.kernel[1] * layer.ic, device.TN)
    if layer.rowpack or words >= layer.kernel[1] * ceil_div(layer.ic, device.TN):
        return ""
    return f"rowpack takes {part.pixels * layer.kernel[0] * words * len(part.tiles) + part.latency} cycles"


def _count(channels: int, noun: str, cuts: Sequence[Cut]) -> str:
    """As in: 3 inputs; 1 input of each group."""
    return f"{channels} {noun}{'' if channels == 1 else 's'}{' of each group' if cuts[0].layer.suffix.startswith('.g') else ''}"


def _outputs(cuts: tuple[Cut, ...], parts: tuple[ArrayCycles, ...], device: Device) -> tuple[str, str]:
    layer = cuts[0].layer
    return (f"few channels: {_count(layer.oc, 'output', cuts)} on {ceil_div(layer.oc, device.TM) * device.TM} columns",
            f"output channels up to the next multiple of {device.TM} take no more cycles")


# cause -> function(cuts, parts, device) -> (limit, advice)
_TEXT: Mapping[str, Callable[[tuple[Cut, ...], tuple[ArrayCycles, ...], Device], tuple[str, str]]] = {
         "bandwidth": _bandwidth, "words": _words, "latency": _latency, "depthwise": _depthwise, "inputs": _inputs,
         "outputs": _outputs}
