"""The memory images of an array layer: words of NBin, SB and per-channel fields, in issue order (spec/vectors.md section 1)."""
import numpy as np

from hwsim.errors import GraphError, UnsupportedError
from hwsim.hw.config import KIB, Device
from hwsim.hw.device.control import LoopBounds
from hwsim.ops.dims import ceil_div
from hwsim.ops.layer import ArrayLayer


def lane_words(x: np.ndarray, lanes: int) -> np.ndarray:
    """Pixels x (H,W,C) as (H*W*TILES, lanes) words at address (y*W + x)*TILES + tile, channels in order; lanes past C are 0."""
    rows, cols, channels = x.shape
    padded = np.zeros((rows, cols, ceil_div(channels, lanes) * lanes), np.int64)
    padded[..., :channels] = x
    return padded.reshape(-1, lanes)


def field_words(values: np.ndarray, tm: int) -> np.ndarray:
    """(OC) values as (COT, TM) words; lanes past OC are 0."""
    words = np.zeros((ceil_div(len(values), tm), tm), np.int64)
    words.reshape(-1)[:len(values)] = values
    return words


def loops_of(layer: ArrayLayer, tn: int, tm: int) -> LoopBounds:
    """The LoopBounds of an ordinary or depthwise layer on a TN x TM array."""
    cot, in_words = ceil_div(layer.oc, tm), ceil_div(layer.ic, tn)
    cit = max(1, tm // tn) if layer.depthwise else in_words
    first = tuple(t * tm // tn if layer.depthwise else 0 for t in range(cot))
    return LoopBounds(cot=cot, out_hw=layer.out_hw, kernel=layer.kernel, cit=cit, in_words=in_words, first_word=first,
                      stride=layer.stride, dilation=layer.dilation, pad=(layer.pad[0], layer.pad[2]), in_hw=layer.in_hw,
                      flags=_flags(layer, cot, cit))


def _flags(layer: ArrayLayer, cot: int, cit: int) -> np.ndarray:
    """[cot,ky,kx,cit] 1 where a tile takes two words."""
    shape = (cot, *layer.kernel, cit)
    flags = layer.weights.flags
    if layer.weights.per_element:
        raise UnsupportedError(f"{layer.full_name}: two-word weights must be chosen per tile or filter to run "
                               f"on the array, not per element")
    if flags is None:
        return np.zeros(shape, np.int64)
    tiles = (cot, 1 if layer.depthwise else cit, *layer.kernel)
    if flags.shape != tiles:
        raise GraphError(f"{layer.full_name}: flags must be {tiles}, one per tile, not {flags.shape}")
    return np.broadcast_to(flags.transpose(0, 2, 3, 1), shape).astype(np.int64)


def sb_tiles(layer: ArrayLayer, loops: LoopBounds, tn: int, tm: int) -> list[np.ndarray]:
    """Per output tile the words (W_t, TM*TN) in issue order, lane m*TN + i; a depthwise word is diagonal."""
    fill = _diagonal if layer.depthwise else _full
    codes = layer.weights.codes
    words = (codes[0], np.zeros_like(codes[0]) if layer.weights.words == 1 else codes[1])
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


def check_bank(name: str, tile_bits: int, device: Device) -> None:
    """Refuses an SB whose bank (half of it) cannot hold a tile of `tile_bits` bits; only a DMA fills banks."""
    if device.dma_bits and device.sb_kb and 2 * tile_bits > device.sb_kb * KIB:
        raise UnsupportedError(f"{name}: sb_kb must be at least {ceil_div(2 * tile_bits, KIB)} for two banks of {tile_bits} "
                               f"bits, not {device.sb_kb}")
