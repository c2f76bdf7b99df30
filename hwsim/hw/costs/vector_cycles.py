"""The cycles of the vector unit and the address generator: TN channels per cycle (spec/device.md section 5)."""
from hwsim.ops.cut import image_shape
from hwsim.ops.dims import ceil_div
from hwsim.ops.spec import ADDRESS, VECTOR

WINDOWED = ("max_pool", "avg_pool", "qavg_pool")
WHOLE = ("global_avg_pool", "global_max_pool", "qglobal_avg_pool")
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
    if node.op in WINDOWED:
        return node.params["kernel"][0] * node.params["kernel"][1]
    if node.op in WHOLE:
        return in_shapes[0][1] * in_shapes[0][2]
    return BILINEAR_READS if node.op in ("bilinear", "qbilinear") else 1


def _keeps(node):
    return all(pair == (1, 0) for pair in zip(node.params["m"].tolist(), node.params["shift"].tolist()))
