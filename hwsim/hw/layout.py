"""The memory images of an array layer: words of NBin, SB and per-channel fields, in issue order (spec/vectors.md section 1)."""
import numpy as np

from hwsim.errors import GraphError, UnsupportedError
from hwsim.hw.device.control import LoopBounds
from hwsim.ops.dims import ceil_div


def nbin_words(x, tn):
    """x (IH,IW,IC) as (IH*IW*CIT, TN) words at address (y*IW + x)*CIT + cit; lanes past IC are 0."""
    rows, cols, channels = x.shape
    padded = np.zeros((rows, cols, ceil_div(channels, tn) * tn), np.int64)
    padded[..., :channels] = x
    return padded.reshape(-1, tn)


def field_words(values, tm):
    """(OC) values as (COT, TM) words; lanes past OC are 0."""
    words = np.zeros((ceil_div(len(values), tm), tm), np.int64)
    words.reshape(-1)[:len(values)] = values
    return words


def loops_of(layer, tn, tm):
    """The LoopBounds of an ordinary or depthwise layer on a TN x TM array."""
    cot, in_words = ceil_div(layer.oc, tm), ceil_div(layer.ic, tn)
    cit = max(1, tm // tn) if layer.depthwise else in_words
    first = tuple(t * tm // tn if layer.depthwise else 0 for t in range(cot))
    return LoopBounds(cot, tuple(layer.out_hw), tuple(layer.kernel), cit, in_words, first, tuple(layer.stride),
                 tuple(layer.dilation), (layer.pad[0], layer.pad[2]), tuple(layer.in_hw), _flags(layer, cot, cit))


def _flags(layer, cot, cit):
    """[cot,ky,kx,cit] 1 where a tile takes two words."""
    shape = (cot, *layer.kernel, cit)
    if layer.flags is None:
        if layer.words > 1:
            raise UnsupportedError(f"{layer.name}{layer.suffix}: two-word weights must be chosen per tile or filter to run "
                                   f"on the array, not per element")
        return np.zeros(shape, np.int64)
    tiles = (cot, 1 if layer.depthwise else cit, *layer.kernel)
    if layer.flags.shape != tiles:
        raise GraphError(f"{layer.name}{layer.suffix}: flags must be {tiles}, one per tile, not {layer.flags.shape}")
    return np.broadcast_to(layer.flags.transpose(0, 2, 3, 1), shape).astype(np.int64)


def sb_tiles(layer, loops, tn, tm):
    """Per output tile the words (W_t, TM*TN) in issue order, lane m*TN + i; a depthwise word is diagonal."""
    fill = _diagonal if layer.depthwise else _full
    second = np.zeros_like(layer.codes[0]) if layer.words == 1 else layer.codes[1]
    words = (layer.codes[0], second)
    tiles = []
    for cot in range(loops.cot):
        order = np.ndindex(*loops.kernel, loops.cit)
        tiles.append(np.stack([fill(words[word], loops, cot, at, tn, tm).reshape(-1)
                               for at in order for word in range(1 + loops.flags[(cot, *at)])]))
    return tiles


def _full(codes, loops, cot, at, tn, tm):
    ky, kx, cit = at
    block = codes[cot * tm:(cot + 1) * tm, ky, kx, cit * tn:(cit + 1) * tn]
    word = np.zeros((tm, tn), np.int64)
    word[:block.shape[0], :block.shape[1]] = block
    return word


def _diagonal(codes, loops, cot, at, tn, tm):
    ky, kx, cit = at
    word = np.zeros((tm, tn), np.int64)
    channels = own_channels(codes.shape[0], loops, cot, cit, tn, tm)
    word[channels - cot * tm, channels % tn] = codes[channels, ky, kx, 0]
    return word


def own_channels(count, loops, cot, cit, tn, tm):
    """The channels of a depthwise tile that lie in its NBin word `cit`."""
    channels = np.arange(cot * tm, min((cot + 1) * tm, count))
    return channels[channels // tn == loops.first_word[cot] + cit]


def real_lanes(layer, loops, tn, tm):
    """real(cot, cit): the multipliers of a beat that have a real input and a real output channel."""
    def depthwise(cot, cit):
        return len(own_channels(layer.oc, loops, cot, cit, tn, tm))

    def full(cot, cit):
        return min(tm, layer.oc - cot * tm) * min(tn, layer.ic - cit * tn)
    return depthwise if layer.depthwise else full
