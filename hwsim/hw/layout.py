"""The memory images of an array layer and the loops that walk them: words of NBin, SB and per-channel fields, in issue order
(spec/vectors.md section 1).
"""
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hwsim.errors import GraphError, UnsupportedError
from hwsim.hw.config import KIB, Device
from hwsim.ops.dims import ceil_div
from hwsim.ops.layer import ArrayLayer


@dataclass(frozen=True)
class LoopBounds:
    """The loop bounds of one layer, as the configuration registers give them to control.

    stride, dilation, pad, in_hw, out_hw, kernel: (rows, columns); pad: before the first row and column.
    in_words: NBin words per input pixel; cit: how many of them a tile reads per tap, from first_word[cot] on (all of them,
    or for a depthwise layer those of the tile's own channels). flags[cot,ky,kx,cit] is 1 where a tile takes two words.
    """

    cot: int
    out_hw: tuple[int, int]
    kernel: tuple[int, int]
    cit: int
    in_words: int
    first_word: tuple[int, ...]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    pad: tuple[int, int]
    in_hw: tuple[int, int]
    flags: np.ndarray

    def x_address(self, row: int, column: int, cot: int, cit: int) -> int:
        """The NBin address that a beat reads; -1 outside the image and past the last channel, where the array sees zeros."""
        word = self.first_word[cot] + cit
        inside = 0 <= row < self.in_hw[0] and 0 <= column < self.in_hw[1] and word < self.in_words
        return (row * self.in_hw[1] + column) * self.in_words + word if inside else -1


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
    """The LoopBounds of an ordinary or depthwise layer on a TN x TM array.

    Errors: UnsupportedError for two words chosen per element, GraphError for flags of another tile size.
    """
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


def _full(codes: np.ndarray, loops: LoopBounds, cot: int, at: tuple[int, ...], tn: int, tm: int) -> np.ndarray:
    """The TM x TN weights of the beat `at` (ky, kx, cit); lanes past the last channel are 0."""
    ky, kx, cit = at
    block = codes[cot * tm:(cot + 1) * tm, ky, kx, cit * tn:(cit + 1) * tn]
    word = np.zeros((tm, tn), np.int64)
    word[:block.shape[0], :block.shape[1]] = block
    return word


def _diagonal(codes: np.ndarray, loops: LoopBounds, cot: int, at: tuple[int, ...], tn: int, tm: int) -> np.ndarray:
    """As _full, of a depthwise layer: a column has a weight in the one lane that holds its own channel."""
    ky, kx, cit = at
    word = np.zeros((tm, tn), np.int64)
    channels = _own_channels(codes.shape[0], loops, cot, cit, tn, tm)
    word[channels - cot * tm, channels % tn] = codes[channels, ky, kx, 0]
    return word


def _own_channels(count: int, loops: LoopBounds, cot: int, cit: int, tn: int, tm: int) -> np.ndarray:
    """The channels of a depthwise tile, of `count` in all, that lie in its NBin word `cit`."""
    channels = np.arange(cot * tm, min((cot + 1) * tm, count))
    in_word: np.ndarray = channels[channels // tn == loops.first_word[cot] + cit]
    return in_word


def real_lanes(layer: ArrayLayer, loops: LoopBounds, tn: int, tm: int) -> Callable[[int, int], int]:
    """real(cot, cit): how many of the TM*TN multipliers of a beat have a real input and a real output channel."""
    def depthwise(cot: int, cit: int) -> int:
        return len(_own_channels(layer.oc, loops, cot, cit, tn, tm))

    def full(cot: int, cit: int) -> int:
        return min(tm, layer.oc - cot * tm) * min(tn, layer.ic - cit * tn)
    return depthwise if layer.depthwise else full


def check_bank(name: str, tile_bits: int, device: Device) -> None:
    """Raises UnsupportedError unless a bank of SB (half of it) holds a tile of `tile_bits` bits; only a DMA fills banks."""
    if device.dma_bits and device.sb_kb and 2 * tile_bits > device.sb_kb * KIB:
        raise UnsupportedError(f"{name}: sb_kb must be at least {ceil_div(2 * tile_bits, KIB)} for two banks of {tile_bits} "
                               f"bits, not {device.sb_kb}")
