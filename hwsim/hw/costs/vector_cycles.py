"""The cycles of the vector unit and the address generator: TN channels per cycle (spec/device.md section 5)."""
from hwsim.ops.cut import image_shape
from hwsim.ops.dims import ceil_div
from hwsim.ops.spec import ADDRESS, VECTOR, Trait
from hwsim.ops.table import ops_with

BILINEAR_READS = 4


def unit(node):
    """vector or address: a concat whose inputs share the output's scale only moves."""
    if node.op == "qconcat" and _keeps(node):
        return ADDRESS
    return node.spec.unit


def vector_cycles(node, in_shapes, out_shape, tn):
    """OH*OW*ceil(C/TN) words of the output, times the reads that one output takes; 0 for the address generator."""
    if unit(node) != VECTOR:
        return 0
    return image_words(out_shape, tn) * reads(node, in_shapes)


def image_words(shape, tn):
    """Words of TN channels in one image."""
    _, rows, cols, channels = image_shape(shape)
    return rows * cols * ceil_div(channels, tn)


def reads(node, in_shapes):
    """How often the vector unit goes over its input per output: the taps of a pool, the four neighbours of bilinear."""
    return READS[node.op](node, in_shapes)


def _once(node, in_shapes):
    return 1


def _window(node, in_shapes):
    return node.params["kernel"][0] * node.params["kernel"][1]


def _image(node, in_shapes):
    return in_shapes[0][1] * in_shapes[0][2]


def _neighbours(node, in_shapes):
    return BILINEAR_READS


def _keeps(node):
    return all(pair == (1, 0) for pair in zip(node.params["m"].tolist(), node.params["shift"].tolist()))


# The reads of every operator of the vector unit, in float graphs too: their cycles need no quantization.
READS = {**dict.fromkeys(ops_with(Trait.PIXELWISE, unit=VECTOR), _once),
         **dict.fromkeys(ops_with(Trait.WINDOW, unit=VECTOR), _window),
         **dict.fromkeys(ops_with(Trait.GLOBAL, unit=VECTOR), _image), "bilinear": _neighbours, "qbilinear": _neighbours}
