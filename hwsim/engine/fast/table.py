"""The fast engine's one door: a node to its function, array layers to array.py, all else to the vector operators of `loops`."""
import numpy as np

from hwsim.engine.fast.array import array_node
from hwsim.engine.fast.backend import BEST, INTERPRETED
from hwsim.engine.fast.storage_type import made_type
from hwsim.engine.host.jit import CannotCompile, lost
from hwsim.engine.result import LayerStats
from hwsim.ops.cut import ARRAY_OPS


def run_node(node, inputs, context, loops=BEST):
    """(codes, LayerStats) of one node; see engine.context.Engine. Where compiled loops cannot be made, numpy takes over."""
    try:
        return _run(node, inputs, context, loops)
    except CannotCompile as error:
        lost("loops of the fast engine", error)
        return _run(node, inputs, context, INTERPRETED)


def _run(node, inputs, context, loops):
    if node.op in ARRAY_OPS:
        return array_node(node, inputs, context, loops)
    y, stats = loops.vector[node.op](node, inputs, context)
    return np.ascontiguousarray(y, made_type(node, inputs, context)), stats if context.monitor else LayerStats()
