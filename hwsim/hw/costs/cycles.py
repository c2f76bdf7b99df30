"""The closed form: the cycles of an array layer from its sizes alone, no pixel run (spec/device.md section 4)."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hwsim.errors import UnsupportedError
from hwsim.hw.config import Device
from hwsim.hw.rowpack import pack_layer
from hwsim.hw.stages import latency
from hwsim.ops.dims import ceil_div
from hwsim.ops.layer import ArrayLayer


class TileCycles(NamedTuple):
    """One output tile: beats per pixel W_t, DMA cycles LD_t, first issue cycle S_t, cycle after the last issue E_t."""

    beats: int
    load: int
    start: int
    end: int


@dataclass(frozen=True)
class ArrayCycles:
    """One ordinary convolution on the array, for one image.

    tiles: per output tile; pixels: output pixels; latency: L, cycles from the last issue until done; macs: useful ones;
    kernel_tiles: T, weight tiles (TN x TM at one tap); two_word_tiles: those of them with a second word.
    """

    name: str
    tiles: tuple[TileCycles, ...]
    pixels: int
    latency: int
    macs: int
    kernel_tiles: int
    two_word_tiles: int

    @property
    def issue(self) -> int:
        """Cycles in which a beat issues."""
        return self.pixels * sum(tile.beats for tile in self.tiles)

    @property
    def stall(self) -> int:
        """Cycles that wait for weights: the sum over tiles of S_t - E_(t-1)."""
        return self.tiles[-1].end - self.issue

    @property
    def total(self) -> int:
        """Cycles of the layer."""
        return self.tiles[-1].end + self.latency


def array_cycles(layer: ArrayLayer, device: Device) -> ArrayCycles:
    """The ArrayCycles of an ArrayLayer on a Device. Errors: UnsupportedError for a stage without hardware."""
    packed = pack_layer(layer, device.TN)
    pixels, word_bits = layer.geometry.pixels, device.sb_word_bits(layer.weights.format.bits)
    beats, two_word = tile_beats(packed, device)
    return ArrayCycles(name=layer.full_name, tiles=schedule(beats, pixels, word_bits, device.dma_bits), pixels=pixels,
                       latency=_latency(layer), macs=pixels * layer.oc * layer.weights.taps,
                       kernel_tiles=kernel_tiles(packed, device), two_word_tiles=two_word)


def _latency(layer: ArrayLayer) -> int:
    try:
        return latency(type(layer.epilogue.stage))
    except UnsupportedError as error:
        raise UnsupportedError(f"{layer.full_name}: {error}") from None


def kernel_tiles(layer: ArrayLayer, device: Device) -> int:
    """T: TN input x TM output channels at one (ky,kx); a depthwise tile is TM channels."""
    cit = 1 if layer.depthwise else ceil_div(layer.ic, device.TN)
    return ceil_div(layer.oc, device.TM) * cit * layer.kernel[0] * layer.kernel[1]


def tile_beats(layer: ArrayLayer, device: Device) -> tuple[list[int], int]:
    """([W_t per output tile], two-word tiles): W_t = KH*KW*CIT + X_t.

    A depthwise tile is one beat per tap, or TM/TN where an input word holds fewer channels than a tile. Two words without
    flags (chosen per element) have no mapping on the array: they count as if every tile took both.
    """
    cot = ceil_div(layer.oc, device.TM)
    taps = kernel_tiles(layer, device) // cot
    second = layer.weights.second_words(cot, taps)
    repeat = max(1, device.TM // device.TN) if layer.depthwise else 1
    return [repeat * (taps + x) for x in second], sum(second)


def schedule(beats: Sequence[int], pixels: int, word_bits: int, dma_bits: int) -> tuple[TileCycles, ...]:
    """The TileCycles of output tiles of beats[t] = W_t SB words each, of `word_bits` bits; dma_bits 0: weights are resident.

    LD_t = ceil(W_t*word/BW), R_t = B_t + LD_t, S_t = max(E_(t-1), R_t), E_t = S_t + N_t, B_t = max(R_(t-1), E_(t-2)).
    """
    tiles: list[TileCycles] = []
    ready, ends = 0, [0, 0]      # R_(t-1), [E_(t-2), E_(t-1)]
    for count in beats:
        load = ceil_div(count * word_bits, dma_bits) if dma_bits else 0
        ready = max(ready, ends[0]) + load
        start = max(ends[1], ready)
        tiles.append(TileCycles(count, load, start, start + pixels * count))
        ends = [ends[1], tiles[-1].end]
    return tuple(tiles)
