"""The operator `input`: a tensor that a model is given. Sizes that the model leaves open are symbols, numbered by input."""
from collections.abc import Sequence

from hwsim.ops import kinds
from hwsim.ops.dims import Dim, Shape
from hwsim.ops.kinds import Params
from hwsim.ops.spec import ADDRESS, BOTH, OpSpec, Trait


def shape(params: Params, in_shapes: Sequence[Shape]) -> Shape:
    """(N, *declared): N is always a symbol, and so is each size that the model leaves open."""
    tail = "" if params["index"] == 0 else str(params["index"])
    symbols = ("H", "W", "D")
    return (Dim("N"), *(Dim(symbols[i] + tail) if size is None else size for i, size in enumerate(params["shape"])))


OPS = (OpSpec("input", BOTH, ADDRESS, (0, 0), shape,
              {"shape": kinds.dims, "index": kinds.integer(0)}, {"index": 0}, traits=Trait.PIXELWISE),)
