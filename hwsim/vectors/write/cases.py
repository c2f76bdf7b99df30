"""Making single array layers for directed sets: codes, requantization fields and inputs, from a seed or by hand."""
import numpy as np

from hwsim.fixed.formats import IntFormat
from hwsim.hw.config import override
from hwsim.hw.layout import ceil_div
from hwsim.ops.layer import ArrayLayer, integer_weights
from hwsim.ops.window import extent
from hwsim.vectors.write.vector_layer import make_vector_layer


class Maker:
    """Makes layers of one directed set from a seed. TN, TM, widths and rules are the device's."""

    def __init__(self, device, seed):
        self.device, self.rng = device, np.random.default_rng(seed)
        self.act = IntFormat(device.act_bits)
        self.low = 1 - (1 << (device.w_bits - 1)) if device.w_format == "linear" else -(1 << (device.w_bits - 1))

    def codes(self, oc, kernel, ic, words=1):
        """Random weight codes (WORDS,OC,KH,KW,IC) over their whole range, every end present."""
        codes = self.rng.integers(self.low, 1 << (self.device.w_bits - 1), (words, oc, *kernel, ic))
        codes.reshape(-1)[:2] = (self.low, (1 << (self.device.w_bits - 1)) - 1)[:codes.size]
        return codes

    def image(self, size, ic):
        """Random codes (IH,IW,IC), a quarter of them corners of the format."""
        shape = (*size, ic)
        corners = np.array([self.act.min, self.act.min + 1, -1, 0, 1, self.act.max])
        random = self.rng.integers(self.act.min, self.act.max + 1, shape)
        return np.where(self.rng.random(shape) < 0.25, self.rng.choice(corners, shape), random)

    def slopes(self, oc):
        """Activation slopes per channel as (numerator of 4): none, ReLU, leaky, negative and steeper than one, by turns."""
        return np.resize([4, 0, 1, -2, 6, 2], oc)

    def requant(self, oc, reach):
        """Requantization fields that spread accumulators up to `reach` over the output, multipliers of full width."""
        device, slopes = self.device, self.slopes(oc)
        full = (1 << device.mult_bits) - 1
        m_pos = self.rng.integers(max(1, full // 4), max(2, full // 2), oc)
        spread = np.array([int(reach) * int(m) for m in m_pos], object)
        shift = [min((1 << device.shift_bits) - 1, 62, max(0, int(value).bit_length() - device.act_bits)) for value in spread]
        fields = {"m_pos": m_pos, "m_neg": m_pos * slopes // 4, "shift": np.array(shift), "alpha_q": None, "m2": None,
                  "shift2": None}
        if device.prelu == "unfolded":
            m2 = self.rng.integers(max(1, full // 2), full + 1, oc)
            fields |= {"m_neg": m_pos, "alpha_q": np.minimum(slopes * 4096, (1 << 15) - 1), "m2": m2,
                       "shift2": np.full(oc, min((1 << device.shift_bits) - 1, device.mult_bits))}
        return fields

    def bias(self, oc, reach):
        limit = min(int(reach) // 4 + 1, (1 << (self.device.acc_bits - 1)) - 1)
        return self.rng.integers(-limit, limit + 1, oc)

    def flags(self, oc, kernel, ic, depthwise, ratio):
        """Two-word tiles (COT,CIT,KH,KW) with about `ratio` of them set; None for linear weights."""
        if self.device.w_format == "linear":
            return None
        cit = 1 if depthwise else ceil_div(ic, self.device.TN)
        return self.rng.random((ceil_div(oc, self.device.TM), cit, *kernel)) < ratio

    def layer(self, name, size, ic, oc, kernel=(3, 3), stride=(1, 1), dilation=(1, 1), pad=None, depthwise=False, ratio=0.5,
              rowpack=False, **changes):
        """A random ArrayLayer; `pad` None is the odd-kernel "same". `changes` replace fields (codes, bias, lo, ...)."""
        reachable = [extent(k, d) // 2 for k, d in zip(kernel, dilation)]
        pad = pad or (reachable[0], reachable[0], reachable[1], reachable[1])
        out = [(size[a] + pad[2 * a] + pad[2 * a + 1] - extent(kernel[a], dilation[a])) // stride[a] + 1 for a in (0, 1)]
        flags = self.flags(oc, kernel, ic, depthwise, ratio)
        codes = self.codes(oc, kernel, 1 if depthwise else ic, 1 if flags is None else 2)
        if flags is not None:
            codes[1] *= _spread(flags, codes.shape[1:], self.device, depthwise)
        weights = integer_weights(codes, self.device.w_format, self.device.w_bits).sum(0)
        reach = int(np.abs(weights).sum(axis=(1, 2, 3)).max()) * -self.act.min // 4 + 1
        fields = {"codes": codes, "bias": self.bias(oc, reach), **self.requant(oc, reach), "lo": self.act.min,
                  "hi": self.act.max} | changes
        return ArrayLayer(name, "", depthwise, stride=stride, dilation=dilation, pad=tuple(pad), in_hw=tuple(size),
                          out_hw=tuple(out), w_format=self.device.w_format, w_bits=self.device.w_bits, flags=flags,
                          rowpack=rowpack, **{k: _fixed(v) for k, v in fields.items()})

    def work(self, layer, x=None, dma_bits=None):
        """The VectorLayer of a layer, number 0; x defaults to a random image."""
        device = self.device if dma_bits is None else override(self.device, dma_bits=dma_bits)
        x = self.image(layer.in_hw, layer.ic) if x is None else x
        return make_vector_layer(0, layer, np.asarray(x, np.int32), None, (self.act, self.act), device)


def _spread(flags, shape, device, depthwise):
    """flags per tile -> 1 per weight of `shape` (OC,KH,KW,IC)."""
    wide = np.repeat(flags.transpose(0, 2, 3, 1), device.TM, axis=0)[:shape[0]]
    return wide if depthwise else np.repeat(wide, device.TN, axis=3)[..., :shape[3]]


def _fixed(value):
    return np.asarray(value, np.int64) if isinstance(value, np.ndarray) else value
