"""The type in which a vector operator's codes are kept."""
from hwsim.engine.context import word_type
from hwsim.ops.spec import Trait


def made_type(node, inputs, context):
    """int16 or int32: moves keep their input's, all else takes what its clamp, or else its format, can hold."""
    if Trait.MOVES in node.spec.traits:
        return inputs[0].dtype
    p, fmt = node.params, context.out_format
    return word_type(p["lo"], p["hi"]) if "lo" in p else word_type(fmt.min, fmt.max)
