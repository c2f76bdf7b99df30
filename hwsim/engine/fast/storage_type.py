"""The type in which a vector operator's codes are kept."""
from __future__ import annotations

from typing import Any

import numpy as np

from hwsim.engine.context import Context, Inputs, word_type
from hwsim.graph.node import Node
from hwsim.ops.spec import Trait


def storage_type(node: Node, inputs: Inputs, context: Context) -> np.dtype[Any]:
    """int16 or int32: moves keep their input's, all else takes what its clamp, or else its format, can hold."""
    if Trait.MOVES in node.spec.traits:
        return inputs[0].dtype
    p, fmt = node.params, context.out_format
    return np.dtype(word_type(p["lo"], p["hi"]) if "lo" in p else word_type(fmt.min, fmt.max))
