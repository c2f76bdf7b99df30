"""Layers that join tensors."""
from hwsim.importers.keras.layers.kind import LayerKind

JOINS = {"Add": "add", "Subtract": "subtract", "Multiply": "multiply", "Average": "average", "Maximum": "maximum",
         "Minimum": "minimum"}


def join(call):
    """The tensor of Add, Subtract, Multiply, Average, Maximum or Minimum; Multiply goes two by two."""
    op, inputs = JOINS[call.layer.kind], call.inputs
    if len(inputs) < 2 or (op == "subtract" and len(inputs) != 2):
        raise call.config.bad("inbound_nodes", f"two tensors or more ({len(inputs)} given)")
    return joined(call, op, inputs)


def joined(call, op, inputs):
    """The tensor of `op` on two or more tensors; those of lower rank are refused by the shape rules."""
    if op == "multiply":
        for number, other in enumerate(inputs[1:-1], 1):
            inputs = [call.add(op, [inputs[0], other], f":part{number}"), *inputs[1:]]
        inputs = [inputs[0], inputs[-1]]
    return call.add(op, inputs)


def concatenate(call):
    return concatenated(call, call.inputs, call.config.get("axis", -1))


def concatenated(call, inputs, axis):
    """The tensor of `inputs` side by side on `axis` (from the end when negative)."""
    if not inputs:
        raise call.config.bad("inbound_nodes", "at least one tensor (0 given)")
    rank = len(call.builder.shape(inputs[0]))
    if not isinstance(axis, int) or not (1 <= axis < rank or -rank < axis <= -1):
        raise call.config.refuse(f"axis must be 1..{rank - 1} or negative", axis)
    return call.add("concat", inputs, axis=axis % rank)


KINDS = {**{name: LayerKind(join) for name in JOINS}, "Concatenate": LayerKind(concatenate)}
