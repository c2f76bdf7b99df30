"""Four accumulator widths per layer and per channel, never mixed (spec/arithmetic.md section 7): integers only.

datatype   any weights and codes of these formats, bias excluded
weights    these weights, any codes of the input's format
reachable  these weights, the codes that the layers before can really emit
observed   the largest exact partial sums on this data
daq_rule   a published cost model beside them, no bound
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hwsim.engine.result import LayerStats
from hwsim.fixed.formats import IntFormat
from hwsim.graph.accumulator import LEAST, MOST, SumRange, daq_rule, datatype_bits, weights_range
from hwsim.graph.integer import IntegerGraph
from hwsim.graph.node import Node
from hwsim.graph.place_sizes import place_sizes
from hwsim.graph.shapes import Shapes
from hwsim.hw.accumulator.reach import reachable
from hwsim.hw.costs.network_cycles import concrete_shapes
from hwsim.ops.cut import cut


@dataclass(frozen=True, eq=False)
class LayerBounds:
    """The numbers of one array node; SumRange holds them per output channel. observed is None without data.

    safe: `reachable` where no accumulator of the network overflows; a narrow one changes what its layer emits.
    prefix_safe: `weights` covers every partial sum in every order, because the input's format holds 0.
    """

    name: str
    in_format: IntFormat
    datatype: int
    weights: SumRange
    reachable: SumRange
    safe: SumRange
    daq_rule: int
    observed: SumRange | None

    @property
    def prefix_safe(self) -> bool:
        """Whether `weights` covers the partial sums too, in every order."""
        return self.weights.prefix_safe

    @property
    def bits(self) -> dict[str, int | None]:
        """Name -> bits of the layer, as in the report."""
        return {"datatype": self.datatype, "weights": self.weights.bits, "reachable": self.reachable.bits,
                "observed": self.observed.bits if self.observed else None, "daq_rule": self.daq_rule}

    @property
    def channel_bits(self) -> dict[str, tuple[int, ...] | None]:
        """Name -> bits of each output channel."""
        return {"weights": self.weights.channel_bits, "reachable": self.reachable.channel_bits,
                "observed": self.observed.channel_bits if self.observed else None}


def accumulator_bounds(net: IntegerGraph, in_shapes: Shapes,
                       stats: Mapping[str, LayerStats] | None = None) -> tuple[LayerBounds, ...]:
    """The LayerBounds of every array node of an IntegerGraph for images of `in_shapes` (name -> N,H,W,C).

    stats: of a run with monitor=True; without it `observed` is None. Errors: GraphError when the shapes do not fit.
    """
    shapes = concrete_shapes(net.graph, in_shapes)
    graph = place_sizes(net.graph, shapes)
    formats, shapes = net.placed_formats(graph), concrete_shapes(graph, in_shapes)
    _, sums = reachable(graph, formats, shapes, net.datapath)
    safe = sums
    if any(layer.bits > net.datapath.acc_bits for layer in sums.values()):
        _, safe = reachable(graph, formats, shapes, replace(net.datapath, acc_bits=MOST))
    stats = stats or {}
    return tuple(_bounds(graph[name], sums[name], safe[name], formats[graph[name].inputs[0]], shapes[graph[name].inputs[0]],
                         net.datapath.tm, stats.get(name)) for name in sums)


def smallest_safe(bounds: Sequence[LayerBounds], kind: str = "reachable") -> int | None:
    """The narrowest accumulator (at least 8 bits) that no layer overflows by the number `kind` (a key of LayerBounds.bits).

    None without data.
    Of data that overflowed `observed` says only what this run met, nothing of a wider accumulator.
    """
    widths = [layer.safe.bits if kind == "reachable" else layer.bits[kind] for layer in bounds]
    known = [bits for bits in widths if bits is not None]
    return max([LEAST, *known]) if len(known) == len(widths) else None


def _bounds(node: Node, reach: SumRange, safe: SumRange, fmt: IntFormat, in_shape: tuple[int, ...], tm: int,
            stats: LayerStats | None) -> LayerBounds:
    """fmt, in_shape: of the node's input."""
    layers = [piece.layer for piece in cut(node, in_shape, tm)]
    return LayerBounds(name=node.name, in_format=fmt, datatype=max(datatype_bits(layer, fmt) for layer in layers),
                       weights=_weights(node, in_shape, fmt, tm), reachable=reach, safe=safe,
                       daq_rule=max(daq_rule(layer, fmt) for layer in layers), observed=_observed(stats))


def _weights(node: Node, in_shape: tuple[int, ...], fmt: IntFormat, tm: int) -> SumRange:
    """The `weights` SumRange of a node, its groups side by side, its phases merged."""
    oc = len(node.params["bias"])
    lo, hi = np.full(oc, np.iinfo(np.int64).max), np.full(oc, np.iinfo(np.int64).min)
    for piece in cut(node, in_shape, tm):
        sums, outs = weights_range(piece.layer, fmt), piece.out_channels
        lo[outs], hi[outs] = np.minimum(lo[outs], sums.lo), np.maximum(hi[outs], sums.hi)
    return SumRange(lo, hi, fmt.min <= 0 <= fmt.max)


def _observed(stats: LayerStats | None) -> SumRange | None:
    if stats is None or stats.observed_min is None or stats.observed_max is None:
        return None
    return SumRange(stats.observed_min, stats.observed_max, True)
