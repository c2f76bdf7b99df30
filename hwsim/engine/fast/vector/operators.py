"""The vector operators in compiled passes: operator -> function(node, inputs, context) -> (codes, LayerStats).

One without a pass of its own runs in numpy; tests/ops/test_tables.py names those.
"""
from __future__ import annotations

from collections.abc import Mapping

from hwsim.engine.context import RunNode
from hwsim.engine.fast.portable.operators import OPERATORS as PORTABLE
from hwsim.engine.fast.vector import bilinear, merge, moves, pointwise, pool

OPERATORS: Mapping[str, RunNode] = {
    **PORTABLE,
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
