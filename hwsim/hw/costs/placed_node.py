"""A node as the formulas of its costs see it: for one image of concrete sizes, on the unit of the device that runs it."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hwsim.graph.node import Node
from hwsim.graph.shapes import Shapes
from hwsim.hw.config import Device
from hwsim.hw.costs.cycles import ArrayCycles, array_cycles
from hwsim.hw.costs.vector_cycles import Shape, unit, vector_cycles
from hwsim.ops.cut import ARRAY_OPS, Cut, cut
from hwsim.ops.spec import ARRAY


@dataclass(frozen=True, eq=False)
class PlacedNode:
    """A node, its sizes and its cycles.

    in_shapes, in_bits: of every input, N = 1; unit: array, vector or address; cuts, parts: the array layers of an array node
    and their cycles, in order, else empty; cycles: of the node.
    """

    node: Node
    in_shapes: tuple[Shape, ...]
    out_shape: Shape
    in_bits: tuple[int, ...]
    out_bits: int
    unit: str
    cuts: tuple[Cut, ...]
    parts: tuple[ArrayCycles, ...]
    cycles: int

    @property
    def macs(self) -> int:
        """Useful MACs of an image."""
        return sum(part.macs for piece, part in zip(self.cuts, self.parts) if _has_taps(self.node, piece))


def place_node(node: Node, shapes: Shapes, bits: Mapping[str, int], device: Device) -> PlacedNode:
    """The PlacedNode of `node`; shapes, bits: of every tensor of its graph. Errors: UnsupportedError without hardware for it."""
    in_shapes, out_shape = tuple(shapes[name] for name in node.inputs), shapes[node.name]
    cuts = cut(node, in_shapes[0], device.TM) if node.op in ARRAY_OPS else ()
    parts = tuple(array_cycles(piece.layer, device) for piece in cuts)
    cycles = sum(part.total for part in parts) if parts else vector_cycles(node, in_shapes, out_shape, device.TN)
    return PlacedNode(node=node, in_shapes=in_shapes, out_shape=out_shape, in_bits=tuple(bits[name] for name in node.inputs),
                      out_bits=bits[node.name], unit=ARRAY if parts else unit(node), cuts=cuts, parts=parts, cycles=cycles)


def _has_taps(node: Node, piece: Cut) -> bool:
    """False for a transposed phase that no kernel tap meets: its 1x1 zero kernel is no useful work."""
    if node.op != "qconv2d_transpose":
        return True
    (sh, sw), (top, _, left, _), kernel = node.params["stride"], node.params["crop"], node.params["codes"].shape[2:4]
    return bool((piece.rows.start + top) % sh < kernel[0] and (piece.cols.start + left) % sw < kernel[1])
