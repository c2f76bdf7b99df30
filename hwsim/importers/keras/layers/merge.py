"""Layers that join tensors."""
from collections.abc import Sequence
from typing import Any

from hwsim.importers.keras.layers.call import LayerCall
from hwsim.importers.keras.layers.kind import LayerKind

JOINS = {"Add": "add", "Subtract": "subtract", "Multiply": "multiply", "Average": "average", "Maximum": "maximum",
         "Minimum": "minimum"}


def join(call: LayerCall) -> str:
    """The tensor of Add, Subtract, Multiply, Average, Maximum or Minimum; Multiply goes two by two.

    Errors: FileError for too few or too many tensors.
    """
    op, inputs = JOINS[call.layer.kind], call.inputs
    if len(inputs) < 2 or (op == "subtract" and len(inputs) != 2):
        raise call.config.bad("inbound_nodes", f"two tensors or more ({len(inputs)} given)")
    return join_tensors(call, op, inputs)


def join_tensors(call: LayerCall, op: str, inputs: Sequence[str]) -> str:
    """The tensor of `op` on two or more tensors; those of lower rank are refused by the shape rules."""
    if op == "multiply":
        for number, factor in enumerate(inputs[1:-1], 1):
            inputs = [call.add(op, [inputs[0], factor], f":part{number}"), *inputs[1:]]
        inputs = [inputs[0], inputs[-1]]
    return call.add(op, inputs)


def concatenate(call: LayerCall) -> str:
    """The output tensor of a Concatenate layer."""
    return concatenate_tensors(call, call.inputs, call.config.get("axis", -1))


def concatenate_tensors(call: LayerCall, inputs: Sequence[str], axis: Any) -> str:
    """The tensor of `inputs` side by side on `axis` (from the end when negative).

    Errors: FileError for no tensor, UnsupportedError for another axis.
    """
    if not inputs:
        raise call.config.bad("inbound_nodes", "at least one tensor (0 given)")
    rank = len(call.builder.shape(inputs[0]))
    if not isinstance(axis, int) or not (1 <= axis < rank or -rank < axis <= -1):
        raise call.config.refuse(f"axis must be 1..{rank - 1} or negative", axis)
    return call.add("concat", inputs, axis=axis % rank)


KINDS = {**{name: LayerKind(join) for name in JOINS}, "Concatenate": LayerKind(concatenate)}
