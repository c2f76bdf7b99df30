"""The reference's registry: operator -> function(node, inputs, context) -> (int64 codes, LayerStats)."""
import numpy as np

from hwsim.engine.reference import bilinear, conv2d, conv2d_transpose, dense, merge, moves, pointwise, pool
from hwsim.engine.result import LayerStats
from hwsim.fixed.formats import Overflow

OPERATORS = {
    "qconv2d": conv2d.conv2d,
    "qconv2d_transpose": conv2d_transpose.conv2d_transpose,
    "qdense": dense.dense,
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
    "flatten": moves.reshape,
}


def run_node(node, inputs, context):
    """(int32 codes, LayerStats) of one node; see engine.context.Engine."""
    y, stats = OPERATORS[node.op](node, [x.astype(np.int64) for x in inputs], context)
    return np.ascontiguousarray(y, np.int32), _asked(stats, context)


def _asked(stats, context):
    if context.monitor:
        return stats
    return LayerStats(first=stats.first if context.datapath.acc_mode is Overflow.ERROR else None)
