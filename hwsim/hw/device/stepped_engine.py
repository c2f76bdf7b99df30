"""The stepped array as an engine: array nodes clock by clock, everything else as the reference engine does it."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np

from hwsim.engine.context import Context, HostEngine
from hwsim.engine.reference import ENGINE as REFERENCE
from hwsim.engine.result import AccEvent, LayerStats, merge
from hwsim.errors import OverflowFault
from hwsim.graph.node import Node
from hwsim.hw.config import Device, load_device
from hwsim.hw.device.stepped import OverflowEvent, Parts, SteppedRun, run_stepped
from hwsim.ops.cut import ARRAY_OPS, Cut, cut, image_shape
from hwsim.ops.layer import ArrayLayer


@dataclass(frozen=True)
class Observed:
    """One image of one array layer as it ran: `index` counts array nodes from 0; `layer` is its name with suffix."""

    index: int
    layer: str
    image: int
    run: SteppedRun


def stepped_engine(device: Device | None = None, parts: Parts | None = None, log: bool = False,
                   observe: Callable[[Observed], None] | None = None) -> HostEngine:
    """The engine `stepped` on `device` (dma_bits and sb_kb count; widths and rules are the network's).

    observe is called with an Observed after every layer and image: traces, waveforms, counters; log keeps what a waveform needs.
    """
    device = device or load_device()
    indices: dict[str, int] = {}     # array node -> its number

    def run_node(node: Node, inputs: list[np.ndarray], context: Context) -> tuple[np.ndarray, LayerStats]:
        if node.op not in ARRAY_OPS:
            return REFERENCE.run_node(node, inputs, context)
        index = indices.setdefault(node.name, len(indices))

        def run_layer(layer: ArrayLayer, n: int, image: np.ndarray) -> SteppedRun:
            formats = context.in_formats[0], context.out_format
            run = run_stepped(layer, context.datapath, device, image, formats, parts, log)
            if observe:
                observe(Observed(index, layer.full_name, n, run))
            return run
        return _run_array(node, inputs[0], context.datapath.tm, run_layer)
    return HostEngine("stepped", run_node)


def _run_array(node: Node, x: np.ndarray, tm: int,
               run_layer: Callable[[ArrayLayer, int, np.ndarray], SteppedRun]) -> tuple[np.ndarray, LayerStats]:
    """The codes and counters of an array node, its layers one after the other on every image of x."""
    shape = image_shape(x.shape)
    images, stats, cuts = x.reshape(shape), [], cut(node, x.shape, tm)
    out = np.zeros((shape[0], *_out_hw(cuts), len(node.params["bias"])), np.int32)
    for piece in cuts:
        layer = piece.layer
        for n, image in enumerate(images):
            try:
                run = run_layer(layer, n, image[..., piece.in_channels])
            except OverflowFault as fault:
                return out, LayerStats(first=_event(layer, n, cast(OverflowEvent, fault.event)))
            out[n, piece.rows, piece.cols, piece.out_channels] = run.values
            stats.append(_counters(layer, n, run).on_channels(piece.out_channels, out.shape[3]))
    return out.reshape(*x.shape[:-1], -1) if node.op == "qdense" else out, merge(stats)


def _out_hw(cuts: tuple[Cut, ...]) -> tuple[int, int]:
    """Rows and columns of the node: its phases interleave."""
    rows = sum({piece.rows.start or 0: piece.layer.out_hw[0] for piece in cuts}.values())
    return rows, sum({piece.cols.start or 0: piece.layer.out_hw[1] for piece in cuts}.values())


def _event(layer: ArrayLayer, n: int, first: OverflowEvent | None) -> AccEvent | None:
    return None if first is None else AccEvent(layer=layer.full_name, n=n, **first._asdict())


def _counters(layer: ArrayLayer, n: int, run: SteppedRun) -> LayerStats:
    """The LayerStats of one image of an array layer."""
    return LayerStats(events=run.counters.overflow_events, first=_event(layer, n, run.first), observed_min=run.observed_min,
                      observed_max=run.observed_max, clamped=run.counters.clamped_outputs)


ENGINE = stepped_engine()
