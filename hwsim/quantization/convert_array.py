"""conv2d, conv2d_transpose and dense as integers, requantization folded or not (spec/arithmetic.md sections 1 and 3)."""
from fractions import Fraction

import numpy as np

from hwsim.errors import QuantizeError
from hwsim.fixed.formats import ALPHA_BITS, ALPHA_SHIFT, IntFormat
from hwsim.fixed.multiplier import rint
from hwsim.graph.node import Node
from hwsim.ops.epilogue import Folded, ThreeStep
from hwsim.quantization.bias import quantize_bias
from hwsim.quantization.conversion import ConversionContext, int_array
from hwsim.quantization.quantizers.quantizer import LayerWeights
from hwsim.quantization.scales import PRE

GEOMETRY = ("stride", "dilation", "padding", "groups", "crop")


def convert_array(node: Node, context: ConversionContext) -> Node:
    """The integer node (qconv2d, qconv2d_transpose, qdense) of a float array node."""
    p, config, source = node.params, context.config, node.inputs[0]
    weights = p["weights"] if p["weights"].ndim == 4 else p["weights"][:, None, None, :]
    w_bits, s_in = config.bits_of(node.name)[1], context.scale(source)
    layer = LayerWeights(name=node.name, weights=weights, bias=p["bias"], s_in=s_in, in_bits=context.words[source].bits,
                         w_bits=w_bits, depthwise=is_depthwise(node))
    packed = config.quantizer.weights(layer, config)
    stage = (_folded if config.fold_prelu else _three_step)(node, context, s_in * packed.scale)
    return Node.make(node.name, "q" + node.op, node.inputs,
                     bias=quantize_bias(node.name, p["bias"], s_in, packed.scale, config.acc_bits), **packed.weights.to_fields(),
                     **context.limits(node.name, p["clip"]), **stage.to_fields(),
                     **{key: p[key] for key in GEOMETRY if key in p})


def is_depthwise(node: Node) -> bool:
    """Whether a float array node reads one input channel per output channel, as the array's diagonal mode does."""
    return node.params.get("groups", 1) == node.params["weights"].shape[0] > 1 == node.params["weights"].shape[-1]


def _folded(node: Node, context: ConversionContext, acc_scale: np.ndarray) -> Folded:
    """One shift, two multipliers per channel: M = (S_in*S_w)/S_out and alpha*M."""
    alpha = _slopes(node)
    ratios = acc_scale / context.scale(node.name)
    m_pos, m_neg, shift = zip(*(context.folded(node.name, m, a) for m, a in zip(ratios, alpha)))
    return Folded(int_array(m_pos), int_array(m_neg), int_array(shift))


def _three_step(node: Node, context: ConversionContext, acc_scale: np.ndarray) -> ThreeStep:
    """Three steps: M1 = (S_in*S_w)/S_conv, alpha_q = rint(alpha*2^14), M2 = S_conv/S_act."""
    s_conv = context.scale(node.name + PRE)
    m1, _, shift1 = zip(*(context.folded(node.name, m) for m in acc_scale / s_conv))
    m2, _, shift2 = context.folded(node.name, s_conv / context.scale(node.name))
    channels = len(acc_scale)
    return ThreeStep(m1=int_array(m1), shift1=int_array(shift1), alpha_q=_alpha_codes(node),
                     m2=np.full(channels, m2, np.int64), shift2=np.full(channels, shift2, np.int64))


def _slopes(node: Node) -> np.ndarray:
    """The slope of every output channel for negative values, 1 without an activation."""
    alpha = node.params["alpha"]
    return np.ones(node.params["weights"].shape[0]) if alpha is None else np.asarray(alpha)


def _alpha_codes(node: Node) -> np.ndarray:
    """alpha_q per output channel. Errors: QuantizeError for a slope of 2 and more."""
    codes = [rint(Fraction(alpha) * (1 << ALPHA_SHIFT)) for alpha in _slopes(node)]
    for channel, code in enumerate(codes):
        if abs(code) > IntFormat(ALPHA_BITS).max:
            raise QuantizeError(f"{node.name}: alpha_q of channel {channel} must be less than 2^15 in magnitude, not {code}")
    return int_array(codes)
