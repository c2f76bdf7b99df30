"""The int64 shadow: which outputs of a layer are what they are because its accumulator was too narrow."""
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from hwsim.engine.result import LayerStats
from hwsim.engine.run import engine_named, place, steps_with_inputs
from hwsim.fixed.formats import Overflow
from hwsim.graph.accumulator import MOST
from hwsim.ops.cut import ARRAY_OPS


@dataclass(frozen=True)
class Shadow:
    """changed: output values of the layer that a wide accumulator makes otherwise, from the same inputs; first: index of one."""

    changed: int
    first: tuple[int, ...] | None


@dataclass(frozen=True, eq=False)
class ShadowRun:
    """stats: node -> LayerStats of the real run; layers: array node -> Shadow; outputs: name -> codes of the real run."""

    stats: Mapping[str, LayerStats]
    layers: Mapping[str, Shadow]
    outputs: Mapping[str, np.ndarray]


def shadow_run(net, inputs, engine="fast", threads=None, progress=None):
    """The ShadowRun of `net` on `inputs` (name -> codes). Layers without events are equal to their shadow by definition.

    In overflow mode `error` the run stops with the first event: OverflowFault.
    """
    engine = engine_named(engine)
    shadow, stats, layers, outputs = _wide_session(net, inputs, engine, threads), {}, {}, {}
    for done, (node, read, tensor, found) in enumerate(steps_with_inputs(net, inputs, engine, True, threads), 1):
        stats[node.name] = found
        if node.op in ARRAY_OPS:
            layers[node.name] = _shadow(node, read, tensor, shadow) if found.events else Shadow(0, None)
        if node.name in net.outputs:
            outputs[node.name] = tensor
        if progress:
            progress(node.name, done, len(net.nodes))
    return ShadowRun(stats, layers, outputs)


def _wide_session(net, inputs, engine, threads):
    """An EngineSession of `net` with an accumulator that no sum leaves."""
    wide = replace(net.datapath, acc_bits=MOST, acc_mode=Overflow.WRAP)
    return place(replace(net, datapath=wide), inputs, engine, False, threads).session


def _shadow(node, read, tensor, session):
    """The same node on the same inputs in the session of the wide accumulator."""
    exact, _ = session.run(node, [session.put(x) for x in read])
    differs = np.argwhere(session.get(exact) != tensor)
    return Shadow(len(differs), tuple(map(int, differs[0])) if len(differs) else None)
