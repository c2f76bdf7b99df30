"""The fast engine's registry: operator -> function(node, inputs, context) -> (int32 codes, LayerStats)."""
import numpy as np

from hwsim.engine.fast import bilinear, merge, moves, pointwise, pool
from hwsim.engine.fast.array import array_node
from hwsim.engine.fast.loops import BEST
from hwsim.engine.result import LayerStats
from hwsim.ops.cut import ARRAY_OPS

OPERATORS = {
    "qadd": merge.add,
    "qmul": merge.multiply,
    "qmaximum": merge.maximum,
    "qminimum": merge.minimum,
    "qconcat": merge.concat,
    "identity": pointwise.identity,
    "qprelu": pointwise.prelu,
    "qtable": pointwise.table,
    "max_pool": pool.max_pool,
    "global_max_pool": pool.global_max_pool,
    "qavg_pool": pool.avg_pool,
    "qbilinear": bilinear.bilinear,
    "upsample_nearest": moves.upsample_nearest,
    "depth_to_space": moves.depth_to_space,
    "space_to_depth": moves.space_to_depth,
    "pad": moves.pad,
    "crop": moves.crop,
    "slice": moves.slice_axis,
    "reshape": moves.reshape,
    "flatten": moves.flatten,
}


def run_node(node, inputs, context, loops=BEST):
    """(int32 codes, LayerStats) of one node; see engine.context.Engine."""
    if node.op in ARRAY_OPS:
        return array_node(node, inputs, context, loops)
    y, stats = OPERATORS[node.op](node, inputs, context)
    return np.ascontiguousarray(y, np.int32), stats if context.monitor else LayerStats()
