"""The int64 shadow: which outputs of a layer are what they are because its accumulator was too narrow."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hwsim.engine.protocol import Engine, EngineSession
from hwsim.engine.result import LayerStats
from hwsim.engine.run import engine_named, place, steps_with_inputs
from hwsim.fixed.formats import Overflow
from hwsim.graph.accumulator import MOST
from hwsim.graph.integer import IntegerGraph
from hwsim.graph.node import Node
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


def shadow_run(net: IntegerGraph, inputs: Mapping[str, np.ndarray], engine: str | Engine = "fast", threads: int | None = None,
               progress: Callable[[str, int, int], None] | None = None) -> ShadowRun:
    """The ShadowRun of `net` on `inputs` (name -> codes). Layers without events are equal to their shadow by definition.

    progress(node's name, nodes done, nodes) is called after each node. Errors: OverflowFault in overflow mode `error`, at the
    first event.
    """
    engine = engine_named(engine)
    wide = _wide_session(net, inputs, engine, threads)
    stats: dict[str, LayerStats] = {}
    layers: dict[str, Shadow] = {}
    outputs: dict[str, np.ndarray] = {}
    for done, (node, read, tensor, counters) in enumerate(steps_with_inputs(net, inputs, engine, True, threads), 1):
        stats[node.name] = counters
        if node.op in ARRAY_OPS:
            layers[node.name] = _shadow(node, read, tensor, wide) if counters.events else Shadow(0, None)
        if node.name in net.outputs:
            outputs[node.name] = tensor
        if progress:
            progress(node.name, done, len(net.nodes))
    return ShadowRun(stats, layers, outputs)


def _wide_session(net: IntegerGraph, inputs: Mapping[str, np.ndarray], engine: Engine, threads: int | None) -> EngineSession[Any]:
    """An EngineSession of `net` with an accumulator that no sum leaves."""
    wide = replace(net.datapath, acc_bits=MOST, acc_mode=Overflow.WRAP)
    return place(replace(net, datapath=wide), inputs, engine, False, threads).session


def _shadow(node: Node, read: list[np.ndarray], tensor: np.ndarray, session: EngineSession[Any]) -> Shadow:
    """The same node on the same inputs in the session of the wide accumulator."""
    exact, _ = session.run(node, [session.put(x) for x in read])
    differs = np.argwhere(session.get(exact) != tensor)
    return Shadow(len(differs), tuple(map(int, differs[0])) if len(differs) else None)
