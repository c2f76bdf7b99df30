"""The entry point of the fast engine: an array node goes to array.py, any other to the vector operators of the backend."""
from __future__ import annotations

import numpy as np

from hwsim.engine.context import Context, Inputs, Output
from hwsim.engine.fast.array import array_node
from hwsim.engine.fast.backend import BEST, INTERPRETED, Backend
from hwsim.engine.fast.storage_type import storage_type
from hwsim.engine.host.jit import CannotCompile, lost
from hwsim.engine.result import LayerStats
from hwsim.graph.node import Node
from hwsim.ops.cut import ARRAY_OPS


def run_node(node: Node, inputs: Inputs, context: Context, backend: Backend = BEST) -> Output:
    """(int16 or int32 codes, LayerStats) of one node; a RunNode (engine.context). Numpy takes over where loops do not compile."""
    try:
        return _run(node, inputs, context, backend)
    except CannotCompile as error:
        lost("loops of the fast engine", error)
        return _run(node, inputs, context, INTERPRETED)


def _run(node: Node, inputs: Inputs, context: Context, backend: Backend) -> Output:
    if node.op in ARRAY_OPS:
        return array_node(node, inputs, context, backend)
    y, stats = backend.vector[node.op](node, inputs, context)
    return np.ascontiguousarray(y, storage_type(node, inputs, context)), stats if context.monitor else LayerStats()
