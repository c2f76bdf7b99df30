"""Running an integer network in bands of rows (graph.bands): the bits and counters of whole tensors, in bounded memory."""
from dataclasses import replace
from functools import reduce

import numpy as np

from hwsim.engine.host.memory import ARENA
from hwsim.engine.result import LayerStats
from hwsim.graph.bands import in_bands
from hwsim.graph.rows import unit
from hwsim.ops.cut import cut


def stream(graph, formats, shapes, codes, engine, context, step):
    """Yields a RowBand with its LayerStats for every band of every tensor of a placed graph, `step` rows of the input at a time.

    context: the Context of any node, whose formats are set here. An event's oy and n count within the whole tensor.
    """
    context = replace(context, memo={})

    def compute(node, chain, tensors):
        if node.op == "input":
            return tensors[0], LayerStats()
        reads = tuple(formats[name] for name in node.inputs)
        for one in chain:
            made, stats = engine.run_node(one, tensors, replace(context, in_formats=reads, out_format=formats[node.name]))
            tensors, reads = [made], reads[:1]
        return made, stats

    for band in in_bands(graph, shapes, codes, compute, step, ARENA.empty):
        yield replace(band, note=_placed(band, shapes))


def _placed(band, shapes):
    """The band's counters with the first event's place in the whole tensor: phases of a transposed layer have a row per unit."""
    first = band.note.first
    if first is None:
        return band.note
    return replace(band.note, first=replace(first, n=band.images.start, oy=first.oy + band.rows.start // unit(band.node, shapes)))


def merged(node, shapes, tm, one, other):
    """The counters of two parts of a tensor together; `shapes` and `tm` settle which event the array meets first."""
    return LayerStats(_joined(sum, one.events, other.events), _first(node, shapes, tm, one.first, other.first),
                      _joined(_least, one.observed_min, other.observed_min),
                      _joined(_most, one.observed_max, other.observed_max), _joined(sum, one.clamped, other.clamped))


def _joined(join, *values):
    """join() of the values that are there, or None."""
    there = [value for value in values if value is not None]
    return join(there) if there else None


def _least(values):
    return reduce(np.minimum, values)


def _most(values):
    return reduce(np.maximum, values)


def _first(node, shapes, tm, *events):
    """The earlier event: layer by layer of the cut, then image, output tile, pixel, beat, channel."""
    there = [event for event in events if event is not None]
    if len(there) < 2:
        return there[0] if there else None
    layers = [part.layer.name + part.layer.suffix for part in cut(node, shapes[node.inputs[0]], tm)]
    return min(there, key=lambda e: (layers.index(e.layer), e.n, e.cot, e.oy, e.ox, e.ky, e.kx, e.cit, e.word, e.oc))


def first_faults(graph, shapes, tm, bands):
    """Passes `bands` on; at the end returns the first event of the earliest node of the graph that has one, or None."""
    found = {}
    for band in bands:
        if band.note.first is not None:
            known = LayerStats(first=found.get(band.node.name))
            found[band.node.name] = merged(band.node, shapes, tm, known, band.note).first
        yield band
    return next((found[node.name] for node in graph.nodes if node.name in found), None)
