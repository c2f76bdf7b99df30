"""The float form of every operator: name -> function(params, *tensors) -> float64 tensor, without fused activations.

Tensors are (N,H,W,C), or N first where an operator takes any rank; the shape rules (graph/shapes.py) checked them, so that
nothing raises here.
"""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hwsim.quantization.float_net.ops import conv, merge, moves, pointwise, pool

FLOAT_OPS: dict[str, Callable[..., np.ndarray]] = {
    "conv2d": conv.conv2d, "conv2d_transpose": conv.conv2d_transpose, "dense": conv.dense,
    "affine": pointwise.affine, "scale": pointwise.scale, "relu": pointwise.relu, "prelu": pointwise.prelu,
    "clip": pointwise.clip, "unary": pointwise.unary, "softmax": pointwise.softmax,
    "add": merge.add, "subtract": merge.subtract, "multiply": merge.multiply, "average": merge.average,
    "maximum": merge.maximum, "minimum": merge.minimum, "concat": merge.concat,
    "max_pool": pool.max_pool, "avg_pool": pool.avg_pool,
    "global_avg_pool": pool.global_avg_pool, "global_max_pool": pool.global_max_pool,
    "upsample_nearest": moves.upsample_nearest, "bilinear": moves.bilinear, "depth_to_space": moves.depth_to_space,
    "space_to_depth": moves.space_to_depth, "pad": moves.pad, "crop": moves.crop, "slice": moves.sliced,
    "reshape": moves.reshape, "flatten": moves.flatten,
}
