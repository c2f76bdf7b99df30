"""The door of a graph. Without a size in the model, H and W are symbols numbered by input."""
from hwsim.ops import kinds
from hwsim.ops.dims import Dim
from hwsim.ops.spec import ADDRESS, BOTH, OpSpec, Trait


def shape(params, in_shapes):
    tail = "" if params["index"] == 0 else str(params["index"])
    symbols = ("H", "W", "D")
    return (Dim("N"), *(Dim(symbols[i] + tail) if size is None else size for i, size in enumerate(params["shape"])))


OPS = (OpSpec("input", BOTH, ADDRESS, (0, 0), shape,
              {"shape": kinds.dims, "index": kinds.integer(0)}, {"index": 0}, traits=Trait.PIXELWISE),)
