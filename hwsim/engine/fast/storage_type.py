"""The type in which a vector operator's codes are kept."""
from hwsim.engine.context import word_type

MOVES = frozenset(("identity", "upsample_nearest", "depth_to_space", "space_to_depth", "pad", "crop", "slice", "reshape",
                   "flatten"))


def made_type(node, inputs, context):
    """int16 or int32: moves keep their input's, all else takes what its clamp, or else its format, can hold."""
    if node.op in MOVES:
        return inputs[0].dtype
    p, fmt = node.params, context.out_format
    return word_type(p["lo"], p["hi"]) if "lo" in p else word_type(fmt.min, fmt.max)
