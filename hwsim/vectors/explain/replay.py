"""One output word computed again from a layer's files, beat by beat, under the law or under a changed rule.

Law is the arithmetic of spec/arithmetic.md for all TM lanes of a pixel; a suspected hardware bug is a subclass that changes one
method (suspects.py). Nothing here is fast; it explains a handful of words.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from hwsim.fixed.formats import ALPHA_SHIFT, IntFormat, Overflow
from hwsim.fixed.narrow import clamp, saturate, wrap
from hwsim.fixed.rounding import round_shift
from hwsim.ops.epilogue import Folded, ThreeStep
from hwsim.vectors.read.rebuild import beats_of_taps, tile_words
from hwsim.vectors.read.vectorset import LayerFiles


class Beat(NamedTuple):
    """One beat: its place, the input position, and the TN input codes and TM x TN weight codes of its words."""

    ky: int
    kx: int
    cit: int
    word: int
    y: int
    x: int
    inside: bool
    codes: np.ndarray
    weights: np.ndarray


Step = tuple[Beat | None, np.ndarray, np.ndarray]     # the beat, its tree sums (TM), the accumulators (TM) after it


class Source:
    """The stimulus of a LayerFiles in memory: input words, weight words per tile, flags, per-channel fields."""

    def __init__(self, files: LayerFiles) -> None:
        self.files, self.entry = files, files.entry
        self.tn, self.tm = files.tn, files.tm
        self.nbin = files.values("nbin")
        self.tiles = tile_words(files)
        shape = (self.entry["cot"], *self.entry["k"], beats_of_taps(files))
        self.flags = files.values("flag").reshape(shape) if files.weight_format.flagged else np.zeros(shape, np.int64)
        self.fields = {stem: files.values(stem) for stem in ("bias", *files.stage.stems().values())}

    @property
    def pixels(self) -> int:
        """Output pixels of the layer."""
        return self.files.out_hw[0] * self.files.out_hw[1]


class Law:
    """The arithmetic of one layer. `seen(address)` gives the accumulators that the trace shows at an address, or None."""

    text = "the law"

    def __init__(self, source: Source, seen: Callable[[int], np.ndarray | None] = lambda address: None) -> None:
        self.source, self.files, self.seen = source, source.files, seen
        self.datapath, self.weight_format = source.files.datapath, source.files.weight_format
        self.word = IntFormat(source.files.out_format.bits)
        self.lo, self.hi = source.entry["clamp"]
        self.rounding = self.datapath.rounding
        self.pad: tuple[int, int] = (source.entry["pad"][0], source.entry["pad"][2])
        self.unwritten = False      # a changed rule read a memory word that nothing wrote
        self.stride, self.dilation = source.entry["stride"], source.entry["dilation"]

    # ---- beats ----
    def beats(self, pixel: int, cot: int) -> Iterator[Beat]:
        """The Beats of one pixel of one output tile, in issue order."""
        entry, at = self.source.entry, 0
        oy, ox = divmod(pixel, self.files.out_hw[1])
        for ky, kx, cit in np.ndindex(*entry["k"], self.source.flags.shape[3]):
            y = oy * self.stride[0] + ky * self.dilation[0] - self.pad[0]
            x = ox * self.stride[1] + kx * self.dilation[1] - self.pad[1]
            for word in range(1 + int(self.source.flags[cot, ky, kx, cit])):
                codes = self.input_word(y, x, cot, cit)
                yield Beat(ky=ky, kx=kx, cit=cit, word=word, y=y, x=x, inside=self.inside(y, x), codes=codes,
                           weights=self.weight_word(pixel, cot, at))
                at += 1

    def inside(self, y: int, x: int) -> bool:
        """Whether an input position lies inside the image."""
        size = self.source.entry["in"]
        return bool(0 <= y < size["h"] and 0 <= x < size["w"])

    def input_word(self, y: int, x: int, cot: int, cit: int) -> np.ndarray:
        """The TN input codes of a beat; zeros outside the image."""
        entry = self.source.entry
        number = cit + (cot * self.source.tm // self.source.tn if entry["op"] == "dwconv" else 0)
        address = (y * entry["in"]["w"] + x) * entry["cit"] + number
        if not self.inside(y, x) or number >= entry["cit"] or not 0 <= address < len(self.source.nbin):
            return np.zeros(self.source.tn, np.int64)
        return np.asarray(self.source.nbin[address])

    def weight_word(self, pixel: int, cot: int, at: int) -> np.ndarray:
        """The (TM,TN) weight codes of beat `at` of a pixel."""
        return np.asarray(self.source.tiles[cot][at])

    # ---- accumulator ----
    def acc(self, pixel: int, cot: int) -> np.ndarray:
        """The TM accumulators of a finished pixel, int64."""
        return self.steps(pixel, cot)[-1][2]

    def steps(self, pixel: int, cot: int) -> list[Step]:
        """The Steps of a pixel of an output tile; the first has no beat and holds the start value."""
        value = self.start(pixel, cot)
        steps: list[Step] = [(None, np.zeros_like(value), value)]
        for beat in self.beats(pixel, cot):
            tree = self.tree(beat)
            value = self.add(value, tree)
            steps.append((beat, tree, value))
        return steps

    def start(self, pixel: int, cot: int) -> np.ndarray:
        """The accumulators (TM) before the first beat."""
        return np.asarray(self.source.fields["bias"][cot])

    def tree(self, beat: Beat) -> np.ndarray:
        """The exact sums (TM) of a beat's products."""
        return np.asarray(self.weights(beat) @ self.inputs(beat), np.int64)

    def inputs(self, beat: Beat) -> np.ndarray:
        """The integers (TN) of a beat's input codes."""
        return beat.codes

    def weights(self, beat: Beat) -> np.ndarray:
        """The integers (TM,TN) of a beat's weight codes."""
        return self.weight_format.integer(beat.weights)

    def add(self, value: np.ndarray, tree: np.ndarray) -> np.ndarray:
        """The accumulators after a beat."""
        return self.narrow(value + tree, self.datapath.acc_format)

    def narrow(self, exact: np.ndarray, fmt: IntFormat) -> np.ndarray:
        """What an accumulator of `fmt` keeps of an exact sum."""
        return saturate(exact, fmt) if self.datapath.acc_mode is Overflow.SATURATE else wrap(exact, fmt)

    # ---- requantizer ----
    def out(self, acc: np.ndarray, cot: int) -> np.ndarray:
        """The TM output lanes of finished accumulators; lanes past the channels are 0."""
        values = {Folded: self.folded, ThreeStep: self.unfolded}[self.files.stage](acc, cot)
        real = np.arange(self.source.tm) + cot * self.source.tm < self.source.entry["out"]["c"]
        return np.array([self.stored(v) if r else 0 for v, r in zip(values, real)], object)

    def folded(self, acc: np.ndarray, cot: int) -> list[int]:
        """The clamped lanes (TM) of the folded requantizer."""
        fields = self.fields(cot)
        return [self.limit(self.scaled(int(a), self.choose(int(a), pos, neg), s))
                for a, pos, neg, s in zip(acc, fields["mpos"], fields["mneg"], fields["shift"])]

    def unfolded(self, acc: np.ndarray, cot: int) -> list[int]:
        """The clamped lanes (TM) of the unfolded requantizer."""
        f, codes = self.fields(cot), []
        for lane, a in enumerate(acc):
            y1 = self.between(self.scaled(int(a), f["mpos"][lane], f["shift"][lane]))
            y2 = self.between(self.scaled(y1, f["alpha"][lane], ALPHA_SHIFT)) if self.negative(y1, int(a)) else y1
            codes.append(self.limit(self.scaled(y2, f["m2"][lane], f["shift2"][lane])))
        return codes

    def fields(self, cot: int) -> dict[str, list[int]]:
        """The per-channel fields (TM each) of an output tile, by the stem of their file."""
        return {stem: [int(v) for v in values[cot]] for stem, values in self.source.fields.items()}

    def choose(self, acc: int, pos: int, neg: int) -> int:
        """The multiplier of an accumulator, of m_pos and m_neg."""
        return pos if acc >= 0 else neg

    def negative(self, y1: int, acc: int) -> bool:
        """Whether the slope applies after the first step."""
        return y1 < 0

    def scaled(self, value: int, multiplier: int, shift: int) -> int:
        """A rounded product."""
        return self.round(value * multiplier, shift)

    def round(self, product: int, shift: int) -> int:
        """product / 2^shift by the rounding rule."""
        return round_shift(product, shift, self.rounding)

    def between(self, value: int) -> int:
        """The word between the steps of the unfolded requantizer."""
        return saturate(value, self.word)

    def limit(self, value: int) -> int:
        """A code inside the clamp."""
        return clamp(value, self.lo, self.hi)

    def stored(self, value: int) -> int:
        """The output field's value of a code."""
        fmt = self.files.out_format
        return wrap(value, fmt)
