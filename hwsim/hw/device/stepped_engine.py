"""The stepped array as an engine: array nodes clock by clock, everything else as the reference engine does it."""
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hwsim.engine.context import HostEngine
from hwsim.engine.reference import ENGINE as REFERENCE
from hwsim.engine.result import AccEvent, LayerStats, merge
from hwsim.errors import OverflowFault
from hwsim.hw.config import load_device
from hwsim.hw.device.stepped import run_stepped
from hwsim.ops.cut import ARRAY_OPS, cut, image_shape


@dataclass(frozen=True)
class Observed:
    """One image of one array layer as it ran: `index` counts array nodes from 0; `layer` is its name with suffix."""

    index: int
    layer: str
    image: int
    run: object


def stepped_engine(device=None, parts=None, log=False, observe: Callable[[Observed], None] | None = None):
    """The engine `stepped` on `device` (dma_bits and sb_kb count; widths and rules are the network's).

    observe is called with an Observed after every layer and image: traces, waveforms, counters; log keeps what a waveform needs.
    """
    device = device or load_device()
    seen: dict = {}

    def run_node(node, inputs, context):
        if node.op not in ARRAY_OPS:
            return REFERENCE.run_node(node, inputs, context)
        index = seen.setdefault(node.name, len(seen))
        return _run_array(node, inputs[0], context, device, parts, log,
                          lambda layer, n, run: observe and observe(Observed(index, layer, n, run)))
    return HostEngine("stepped", run_node)


def _run_array(node, x, context, device, parts, log, observe):
    shape = image_shape(x.shape)
    images, formats, stats = x.reshape(shape), (context.in_formats[0], context.out_format), []
    cuts = cut(node, x.shape, context.datapath.tm)
    out = np.zeros((shape[0], *_out_hw(cuts), len(node.params["bias"])), np.int32)
    for piece in cuts:
        layer, channels = piece.layer, piece.in_channels
        for n, image in enumerate(images):
            try:
                run = run_stepped(layer, context.datapath, device, image[..., channels], formats, parts, log)
            except OverflowFault as fault:
                return out, LayerStats(first=_event(layer, n, fault.event))
            observe(layer.full_name, n, run)
            out[n, piece.rows, piece.cols, piece.out_channels] = run.values
            stats.append(_counters(layer, n, run).on_channels(piece.out_channels, out.shape[3]))
    return out.reshape(*x.shape[:-1], -1) if node.op == "qdense" else out, merge(stats)


def _out_hw(cuts):
    """Rows and columns of the node: its phases interleave."""
    rows = sum({piece.rows.start or 0: piece.layer.out_hw[0] for piece in cuts}.values())
    return rows, sum({piece.cols.start or 0: piece.layer.out_hw[1] for piece in cuts}.values())


def _event(layer, n, first):
    return None if first is None else AccEvent(layer.full_name, n, *first)


def _counters(layer, n, run):
    """The LayerStats of one image of an array layer."""
    return LayerStats(events=run.counters.overflow_events, first=_event(layer, n, run.first), observed_min=run.observed_min,
                      observed_max=run.observed_max, clamped=run.counters.clamped_outputs)


ENGINE = stepped_engine()
