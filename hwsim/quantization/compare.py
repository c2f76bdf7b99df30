"""The integer network beside the float one, node by node: what each layer costs. Only live tensors are in memory."""
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hwsim.engine.result import Result
from hwsim.engine.run import steps as integer_steps
from hwsim.errors import GraphError
from hwsim.graph.accumulator import signed_bits
from hwsim.graph.fit import fitted
from hwsim.quantization.doors import dequantize, read_input
from hwsim.quantization.float_run import steps as float_steps
from hwsim.quantization.prepare import prepare
from hwsim.quantization.scales import PRE

CHUNK = 1 << 20


@dataclass(frozen=True)
class LayerQuality:
    """One tensor of the integer network against the float one.

    sqnr_db: 10*log10(signal power / error power), inf where no value differs, None where the float tensor is all 0;
    clamped: outputs that the final clamp changed, at an input codes that saturated, None where nothing clamps;
    unused_bits: top bits of the word that this data never needed.
    """

    name: str
    op: str
    format: str
    sqnr_db: float | None
    clamped: int | None
    unused_bits: int

    def as_json(self):
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


def compare(graph, net, inputs, engine="fast", dump=(), monitor=False, threads=None, progress=None):
    """The Comparison of float `graph` (prepared here, if it is not yet) and `net`, made from it, on `inputs`.

    inputs: name -> real values, or integer codes (the float network then reads their real values); the other arguments
    are those of engine.run.run.
    """
    codes, saturated = read_input(net, inputs)
    real = {name: dequantize(net, name, code) if np.asarray(inputs[name]).dtype.kind in "iu" else inputs[name]
            for name, code in codes.items()}
    graph = fitted(prepare(graph), {name: code.shape for name, code in codes.items()})
    pairs = zip(_final(float_steps(graph, real)), integer_steps(net, codes, engine, monitor, threads))
    layers, tensors, stats, floats = [], {}, {}, {}
    for (name, wanted), (node, tensor, counters) in pairs:
        if name != node.name:
            raise GraphError(f"{node.name}: the float graph must be the one that the network was made from, not give {name} here")
        clamped = saturated[name] if node.op == "input" else counters.clamped
        layers.append(_quality(net, node, wanted, tensor, clamped))
        stats[name] = counters
        if name in net.outputs:
            floats[name] = wanted
        if name in net.outputs or name in dump:
            tensors[name] = tensor
        if progress is not None:
            progress(node, len(layers), len(net.nodes))
    return Comparison(tuple(layers), worst_layer(layers), Result(net.outputs, tensors, stats), floats)


def _final(steps):
    """The tensors that an integer network has too: not those before a folded activation."""
    return ((name, value) for name, value in steps if not name.endswith(PRE))


def _quality(net, node, wanted, codes, clamped):
    word = net.formats[node.name]
    used = signed_bits(int(codes.min()), int(codes.max())) - (not word.signed)
    ratio = sqnr_db(wanted, codes, float(net.scales[node.name]))
    return LayerQuality(node.name, node.op, str(word), ratio, clamped, word.bits - used)


def sqnr_db(wanted, codes, scale):
    """10*log10(sum x^2 / sum (x - scale*q)^2): inf without any error, None without any signal. In chunks of bounded size."""
    wanted, codes = np.ravel(wanted), np.ravel(codes)
    signal = error = 0.0
    for start in range(0, wanted.size, CHUNK):
        x = wanted[start:start + CHUNK]
        difference = x - codes[start:start + CHUNK] * scale
        signal, error = signal + float(x @ x), error + float(difference @ difference)
    if signal == 0:
        return None
    return math.inf if error == 0 else 10 * math.log10(signal / error)


def worst_layer(layers):
    """The name of the computed layer with the least SQNR, the first of equals; None where none has one."""
    rated = [layer for layer in layers if layer.op != "input" and layer.sqnr_db is not None]
    return min(rated, key=lambda layer: layer.sqnr_db).name if rated else None
