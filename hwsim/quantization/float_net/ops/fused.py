"""What a pass may have folded into a node: PReLU slopes per output channel of an array layer, then a clip."""
import numpy as np

from hwsim.graph.fuse import ARRAY
from hwsim.graph.node import Node


def fused(node: Node) -> bool:
    """True when the node carries an activation after its own operation (the clip of a clip node is its operation)."""
    folded_slopes = node.op in ARRAY and node.params["alpha"] is not None
    return folded_slopes or (node.op != "clip" and node.params.get("clip") is not None)


def activated(node: Node, value: np.ndarray) -> np.ndarray:
    """float64 `value` (N,...,C) after the fused PReLU, then the clip; the same shape."""
    if node.op in ARRAY and node.params["alpha"] is not None:
        value = slope(value, node.params["alpha"])
    return clipped(value, node.params["clip"])


def slope(value: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """PReLU: x where x >= 0, else alpha*x; float64 alpha, a slope per channel (C) or per value of an image."""
    below = value * alpha
    if ((alpha >= 0) & (alpha <= 1)).all():
        return np.maximum(value, below, out=below)
    np.copyto(below, value, where=value >= 0)
    return below


def clipped(value: np.ndarray, limits: tuple[float | None, float | None] | None) -> np.ndarray:
    """float64 `value` of any shape within (lo, hi); None is no limit, and no pair no clip."""
    if limits is None or limits == (None, None):
        return value
    return np.clip(value, *limits)
