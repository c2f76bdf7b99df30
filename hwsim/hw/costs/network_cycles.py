"""The cycles of a whole network, layer by layer, from sizes alone: in milliseconds (spec/device.md sections 4 and 5)."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from hwsim.graph.fit import fitted
from hwsim.graph.integer import IntegerGraph
from hwsim.graph.node import Graph
from hwsim.graph.pack_rows import packable_nodes
from hwsim.graph.shapes import Shapes, infer
from hwsim.hw.config import Device, of_network
from hwsim.hw.costs.advice import explain
from hwsim.hw.costs.cycles import ArrayCycles
from hwsim.hw.costs.memory import Traffic, traffic
from hwsim.hw.costs.placed_node import PlacedNode, place_node
from hwsim.hw.costs.storage import Storage, storage_of


@dataclass(frozen=True)
class LayerCycles:
    """One node on its unit (array, vector, address), for one image.

    macs: useful ones; parts: its array layers in order: groups, phases, or one; storage: None off the array; limit, advice:
    sentences (hw.costs.advice); pes: multipliers of the array.
    """

    name: str
    op: str
    in_shape: tuple[int, ...]
    out_shape: tuple[int, ...]
    unit: str
    macs: int
    cycles: int
    parts: tuple[ArrayCycles, ...]
    traffic: Traffic
    storage: Storage | None
    limit: str
    advice: str
    pes: int

    @property
    def tiles(self) -> int:
        """Weight tiles of all parts: TN x TM at one tap."""
        return sum(part.kernel_tiles for part in self.parts)

    @property
    def two_word_tiles(self) -> int:
        """Tiles that take a second beat."""
        return sum(part.two_word_tiles for part in self.parts)

    @property
    def stall_cycles(self) -> int:
        """Cycles that wait for weights."""
        return sum(part.stall for part in self.parts)

    @property
    def utilization(self) -> Fraction:
        """Useful MACs per multiplier slot, an exact ratio; 0 off the array."""
        return Fraction(self.macs, self.pes * self.cycles) if self.cycles else Fraction(0)


@dataclass(frozen=True)
class NetworkCycles:
    """cycles = sum of the layers + (n-1)*gap, n = array layers (every group and phase is one)."""

    layers: tuple[LayerCycles, ...]
    device: Device

    @property
    def array_layers(self) -> int:
        """How many array layers run: every group and phase is one."""
        return sum(len(layer.parts) for layer in self.layers)

    @property
    def gap_cycles(self) -> int:
        """Cycles for programming between array layers."""
        return max(0, self.array_layers - 1) * self.device.gap

    @property
    def cycles(self) -> int:
        """Cycles of an image."""
        return sum(layer.cycles for layer in self.layers) + self.gap_cycles

    @property
    def macs(self) -> int:
        """Useful MACs of an image."""
        return sum(layer.macs for layer in self.layers)

    @property
    def utilization(self) -> Fraction:
        """Useful MACs per multiplier slot, an exact ratio; 0 without cycles."""
        return Fraction(self.macs, self.device.pes * self.cycles) if self.cycles else Fraction(0)

    @property
    def frames_per_second(self) -> Fraction | None:
        """Exact ratio; None when nothing takes a cycle."""
        return self.device.frames_per_second(self.cycles)


def network_cycles(net: IntegerGraph, in_shapes: Shapes, device: Device) -> NetworkCycles:
    """The NetworkCycles of an IntegerGraph for one image of `in_shapes` (name -> N,H,W,C), at its own widths and rules.

    Errors: GraphError when the shapes do not fit.
    """
    bits = {name: fmt.bits for name, fmt in net.formats.items()}
    return graph_cycles(net.graph, bits, in_shapes, of_network(device, net))


def graph_cycles(graph: Graph, bits: Mapping[str, int], in_shapes: Shapes, device: Device) -> NetworkCycles:
    """The NetworkCycles of a graph of integer array nodes, whose values do not count: sizes, weight words and flags do.

    bits: tensor -> bits of its word. Errors: GraphError when the shapes do not fit.
    """
    shapes = concrete_shapes(graph, in_shapes)
    nodes, packable = [node for node in graph.nodes if node.op != "input"], packable_nodes(graph, device.TN)
    return NetworkCycles(tuple(_layer(place_node(node, shapes, bits, device), device, node.name in packable) for node in nodes),
                         device)


def concrete_shapes(graph: Graph, in_shapes: Mapping[str, Sequence[int]]) -> dict[str, tuple[int, ...]]:
    """tensor -> its shape for one image, N = 1; sizes of `in_shapes` go before those that the graph declares.

    Errors: GraphError when the shapes do not fit.
    """
    single = {name: (1, *shape[1:]) for name, shape in in_shapes.items()}
    return infer(fitted(graph, single), single)


def image_shapes(graph: Graph, size: tuple[int, int] | None = None,
                 default: tuple[int, int] = (512, 512)) -> dict[str, tuple[int, ...]]:
    """The in_shapes of `graph` for images of `size` (H, W), by default the declared ones, else `default`."""
    shapes: dict[str, tuple[int, ...]] = {}
    for name in graph.inputs:
        declared = graph[name].params["shape"]
        if len(declared) < 3:
            shapes[name] = (1, *(length or 1 for length in declared))
            continue
        rows, cols = size or (declared[0] or default[0], declared[1] or default[1])
        shapes[name] = (1, rows, cols, declared[2] or 1)
    return shapes


def _layer(placed: PlacedNode, device: Device, packable: bool) -> LayerCycles:
    node = placed.node
    limit, advice = explain(placed, device, packable)
    return LayerCycles(name=node.name, op=node.op, in_shape=placed.in_shapes[0], out_shape=placed.out_shape, unit=placed.unit,
                       macs=placed.macs, cycles=placed.cycles, parts=placed.parts, traffic=traffic(placed, device),
                       storage=storage_of(node, device) if placed.parts else None, limit=limit, advice=advice, pes=device.pes)
