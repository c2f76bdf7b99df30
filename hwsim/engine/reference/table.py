"""The reference's registry: operator -> function(node, inputs, context) -> (int64 codes, LayerStats)."""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hwsim.engine.context import Context, Inputs, Output, RunNode
from hwsim.engine.reference import bilinear, conv2d, conv2d_transpose, dense, merge, moves, pointwise, pool
from hwsim.engine.result import LayerStats
from hwsim.fixed.formats import Overflow
from hwsim.graph.node import Node

OPERATORS: Mapping[str, RunNode] = {
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


def run_node(node: Node, inputs: Inputs, context: Context) -> Output:
    """(int32 codes, LayerStats) of one node; a RunNode (engine.context)."""
    y, stats = OPERATORS[node.op](node, [x.astype(np.int64) for x in inputs], context)
    return np.ascontiguousarray(y, np.int32), _requested(stats, context)


def _requested(stats: LayerStats, context: Context) -> LayerStats:
    """What a run without monitoring keeps: nothing, or the first event where it stops the run."""
    if context.monitor:
        return stats
    return LayerStats(first=stats.first if context.datapath.acc_mode is Overflow.ERROR else None)
