"""The integer network beside the float one, node by node: what each layer costs. Only live tensors, or rows, are in memory."""
from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hwsim.engine.protocol import Engine
from hwsim.engine.result import LayerStats, Result
from hwsim.engine.run import bands as integer_bands
from hwsim.engine.run import check_dump, joined_stats, measure, place
from hwsim.errors import GraphError
from hwsim.graph.accumulator import signed_bits
from hwsim.graph.bands import RowBand, gathered
from hwsim.graph.fit import fitted
from hwsim.graph.integer import IntegerGraph
from hwsim.graph.node import Graph, Node
from hwsim.quantization.boundary import dequantize, read_input
from hwsim.quantization.float_net.run import FloatBand, FloatRun, rows_per_step
from hwsim.quantization.float_net.run import bands as float_bands
from hwsim.quantization.prepare import prepare

CHUNK = 1 << 18


@dataclass(frozen=True)
class LayerQuality:
    """One tensor of the integer network against the float one.

    sqnr_db: 10*log10(signal power / error power), inf where no value differs, None where the float tensor is all 0;
    clamped: outputs that the final clamp changed, at an input codes that saturated, None where nothing clamps;
    unused_bits: top bits of the word that this data never needed, None where no float network ran beside.
    """

    name: str
    op: str
    format: str
    sqnr_db: float | None
    clamped: int | None
    unused_bits: int | None

    def as_json(self) -> dict[str, object]:
        """The fields as JSON values: sqnr_db is null where no value differs, too."""
        exact = self.sqnr_db is not None and math.isinf(self.sqnr_db)
        return {**vars(self), "sqnr_db": None if exact else self.sqnr_db}


@dataclass(frozen=True, eq=False)
class Comparison:
    """layers: in graph order; worst_layer: the name with the least SQNR, or None; result: the integer run;
    floats: output name -> float64 array of the float network.
    """

    layers: tuple[LayerQuality, ...]
    worst_layer: str | None
    result: Result
    floats: Mapping[str, np.ndarray]


def compare(graph: Graph, net: IntegerGraph, inputs: Mapping[str, np.ndarray], engine: str | Engine = "fast",
            dump: Sequence[str] = (), monitor: bool = False, threads: int | None = None,
            progress: Callable[[Node, int, int], None] | None = None, float_run: FloatRun = float_bands) -> Comparison:
    """The Comparison of float `graph` (prepared here, if it is not yet) and `net`, made from it, on `inputs`.

    inputs: name -> real values, or integer codes (the float network then reads their real values), N first; the other
    arguments are those of engine.run.run. float_run: what runs the float network, as in calibrate().
    Errors: GraphError for a float graph that `net` was not made from; those of read_input and engine.run.run.
    """
    codes, saturated = read_input(net, inputs)
    real = {name: dequantize(net, name, code) if np.asarray(inputs[name]).dtype.kind in "iu" else inputs[name]
            for name, code in codes.items()}
    graph = fitted(prepare(graph), {name: code.shape for name, code in codes.items()})
    check_dump(dump, net.graph)
    job = place(net, codes, engine, monitor, threads)
    added = _added(graph, net)
    rows = None if added else job.in_rows(rows_per_step(graph, real))
    sums: dict[str, Sums] = {}
    stats: dict[str, LayerStats] = {}
    tensors: dict[str, np.ndarray] = {}
    floats: dict[str, np.ndarray] = {}
    done = 0
    real_bands = float_run(graph, real, rows)
    for band in integer_bands(job, rows):
        name = band.node.name
        stats[name] = joined_stats(job, band, stats.get(name))
        if name not in added:
            real_band = next(real_bands)
            _check_same(real_band, band)
            sums[name] = _sums(net, real_band.tensor, band.tensor, name, sums.get(name))
            if name in net.outputs:
                floats[name] = gathered(floats.get(name), real_band, job.shapes[name], np.float64)
        if name in net.outputs or name in dump:
            tensors[name] = gathered(tensors.get(name), band, job.shapes[name], np.int32)
        done += measure(band, rows)
        if progress is not None:
            progress(band.node, done, job.size(rows))
    layers = tuple(_quality(net, node, sums.get(node.name), saturated.get(node.name, stats[node.name].clamped))
                   for node in net.nodes)
    return Comparison(layers, worst_layer(layers), Result(net.outputs, tensors, stats), floats)


def _added(graph: Graph, net: IntegerGraph) -> set[str]:
    """Nodes of `net` without a float tensor, where a quantizer made several of one: then bands of rows do not go in step."""
    ours, theirs = graph.by_name.keys(), net.graph.by_name.keys()
    return set(theirs - ours) if ours <= theirs else set()


def _check_same(real: FloatBand, band: RowBand[np.ndarray, Any]) -> None:
    """Raises GraphError unless both are the same rows of the same node: networks with the same nodes have the same bands."""
    name = real.node.name
    if (name, real.images, real.rows) != (band.node.name, band.images, band.rows):
        raise GraphError(f"{band.node.name}: the float graph must be the one that the network was made from, "
                         f"not give {name} here")


@dataclass(frozen=True)
class Sums:
    """What is kept of a tensor while its bands pass: sums of x^2 and (x - S*q)^2, the least and the largest code."""

    signal: float
    error: float
    low: int
    high: int


def _sums(net: IntegerGraph, real: np.ndarray, codes: np.ndarray, name: str, before: Sums | None) -> Sums:
    signal, error = energies(real, codes, float(net.scales[name]))
    low, high = int(codes.min()), int(codes.max())
    if before is None:
        return Sums(signal, error, low, high)
    return Sums(before.signal + signal, before.error + error, min(before.low, low), max(before.high, high))


def _quality(net: IntegerGraph, node: Node, sums: Sums | None, clamped: int | None) -> LayerQuality:
    """sums: None for a node that the float network has not."""
    word = net.formats[node.name]
    if sums is None:
        return LayerQuality(name=node.name, op=node.op, format=str(word), sqnr_db=None, clamped=clamped, unused_bits=None)
    used = signed_bits(sums.low, sums.high) - (not word.signed)
    return LayerQuality(name=node.name, op=node.op, format=str(word), sqnr_db=decibels(sums.signal, sums.error), clamped=clamped,
                        unused_bits=word.bits - used)


def sqnr_db(real: np.ndarray, codes: np.ndarray, scale: float) -> float | None:
    """10*log10(sum x^2 / sum (x - scale*q)^2), dB: inf without any error, None without any signal.

    real: float64 x; codes: integers q of the same shape; scale: the real value of code 1.
    """
    return decibels(*energies(real, codes, scale))


def energies(real: np.ndarray, codes: np.ndarray, scale: float) -> tuple[float, float]:
    """(sum x^2, sum (x - scale*q)^2) of float64 values x and integer codes q of one shape, in chunks of CHUNK values."""
    real, codes = np.ravel(real), np.ravel(codes)
    signal = error = 0.0
    for start in range(0, real.size, CHUNK):
        x = real[start:start + CHUNK]
        difference = x - codes[start:start + CHUNK] * scale
        signal, error = signal + float(x @ x), error + float(difference @ difference)
    return signal, error


def decibels(signal: float, error: float) -> float | None:
    """10*log10(signal / error), dB, of two energies: inf without any error, None without any signal."""
    if signal == 0:
        return None
    return math.inf if error == 0 else 10 * math.log10(signal / error)


def worst_layer(layers: Sequence[LayerQuality]) -> str | None:
    """The name of the computed layer with the least SQNR, the first of equals; None where none has one."""
    rated = {layer.name: layer.sqnr_db for layer in layers if layer.op != "input" and layer.sqnr_db is not None}
    return min(rated, key=rated.__getitem__) if rated else None
