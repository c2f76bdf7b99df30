"""One output word computed again from a layer's files, beat by beat, under the law or under a changed rule.

Law is the arithmetic of spec/arithmetic.md for all TM lanes of a pixel; a suspected hardware bug is a subclass that changes one
method (suspects.py). Nothing here is fast; it explains a handful of words.
"""
from typing import NamedTuple

import numpy as np

from hwsim.fixed.formats import ALPHA_SHIFT, IntFormat, Overflow
from hwsim.fixed.narrow import clamp, saturate, wrap
from hwsim.fixed.rounding import round_shift
from hwsim.ops.epilogue import Folded, ThreeStep
from hwsim.vectors.read.rebuild import beats_of_taps, tile_words


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


class Source:
    """The stimulus of a LayerFiles in memory: input words, weight words per tile, flags, per-channel fields."""

    def __init__(self, files):
        self.files, self.entry = files, files.entry
        self.tn, self.tm = files.tn, files.tm
        self.nbin = files.values("nbin")
        self.tiles = tile_words(files)
        shape = (self.entry["cot"], *self.entry["k"], beats_of_taps(files))
        self.flags = files.values("flag").reshape(shape) if files.weight_format.flagged else np.zeros(shape, np.int64)
        self.fields = {stem: files.values(stem) for stem in ("bias", *files.stage.stems().values())}

    @property
    def pixels(self):
        return self.files.out_hw[0] * self.files.out_hw[1]


class Law:
    """The arithmetic of one layer. `seen(address)` gives the accumulators that the trace shows at an address, or None."""

    text = "the law"

    def __init__(self, source, seen=lambda address: None):
        self.source, self.files, self.seen = source, source.files, seen
        self.datapath, self.weight_format = source.files.datapath, source.files.weight_format
        self.word = IntFormat(source.files.out_format.bits)
        self.lo, self.hi = source.entry["clamp"]
        self.rounding = self.datapath.rounding
        self.pad = source.entry["pad"][0], source.entry["pad"][2]
        self.unwritten = False      # a changed rule read a memory word that nothing wrote
        self.stride, self.dilation = source.entry["stride"], source.entry["dilation"]

    # ---- beats ----
    def beats(self, pixel, cot):
        """The Beats of one pixel of one output tile, in issue order."""
        entry, at = self.source.entry, 0
        oy, ox = divmod(pixel, self.files.out_hw[1])
        for ky, kx, cit in np.ndindex(*entry["k"], self.source.flags.shape[3]):
            y = oy * self.stride[0] + ky * self.dilation[0] - self.pad[0]
            x = ox * self.stride[1] + kx * self.dilation[1] - self.pad[1]
            for word in range(1 + int(self.source.flags[cot, ky, kx, cit])):
                codes = self.input_word(y, x, cot, cit)
                yield Beat(ky, kx, cit, word, y, x, self.inside(y, x), codes, self.weight_word(pixel, cot, at))
                at += 1

    def inside(self, y, x):
        size = self.source.entry["in"]
        return 0 <= y < size["h"] and 0 <= x < size["w"]

    def input_word(self, y, x, cot, cit):
        """The TN input codes of a beat; zeros outside the image."""
        entry = self.source.entry
        number = cit + (cot * self.source.tm // self.source.tn if entry["op"] == "dwconv" else 0)
        address = (y * entry["in"]["w"] + x) * entry["cit"] + number
        if not self.inside(y, x) or number >= entry["cit"] or not 0 <= address < len(self.source.nbin):
            return np.zeros(self.source.tn, np.int64)
        return self.source.nbin[address]

    def weight_word(self, pixel, cot, at):
        return self.source.tiles[cot][at]

    # ---- accumulator ----
    def acc(self, pixel, cot):
        """The TM accumulators of a finished pixel, int64."""
        return self.steps(pixel, cot)[-1][2]

    def steps(self, pixel, cot):
        """[(Beat or None, tree sums, accumulators after it)]; the first entry is the start value."""
        value = self.start(pixel, cot)
        found = [(None, np.zeros_like(value), value)]
        for beat in self.beats(pixel, cot):
            tree = self.tree(beat)
            value = self.add(value, tree)
            found.append((beat, tree, value))
        return found

    def start(self, pixel, cot):
        return self.source.fields["bias"][cot]

    def tree(self, beat):
        return (self.weights(beat) @ self.inputs(beat)).astype(np.int64)

    def inputs(self, beat):
        return beat.codes

    def weights(self, beat: Beat) -> np.ndarray:
        return self.weight_format.integer(beat.weights)

    def add(self, value, tree):
        return self.narrow(value + tree, self.datapath.acc_format)

    def narrow(self, exact, fmt):
        return saturate(exact, fmt) if self.datapath.acc_mode is Overflow.SATURATE else wrap(exact, fmt)

    # ---- requantizer ----
    def out(self, acc: np.ndarray, cot: int) -> np.ndarray:
        """The TM output lanes of finished accumulators; lanes past the channels are 0."""
        values = {Folded: self.folded, ThreeStep: self.unfolded}[self.files.stage](acc, cot)
        real = np.arange(self.source.tm) + cot * self.source.tm < self.source.entry["out"]["c"]
        return np.array([self.stored(v) if r else 0 for v, r in zip(values, real)], object)

    def folded(self, acc, cot):
        fields = self.fields(cot)
        return [self.limit(self.scaled(int(a), self.choose(int(a), pos, neg), s))
                for a, pos, neg, s in zip(acc, fields["mpos"], fields["mneg"], fields["shift"])]

    def unfolded(self, acc, cot):
        f = self.fields(cot)
        found = []
        for lane, a in enumerate(acc):
            y1 = self.between(self.scaled(int(a), f["mpos"][lane], f["shift"][lane]))
            y2 = self.between(self.scaled(y1, f["alpha"][lane], ALPHA_SHIFT)) if self.negative(y1, int(a)) else y1
            found.append(self.limit(self.scaled(y2, f["m2"][lane], f["shift2"][lane])))
        return found

    def fields(self, cot):
        return {stem: [int(v) for v in values[cot]] for stem, values in self.source.fields.items()}

    def choose(self, acc, pos, neg):
        return pos if acc >= 0 else neg

    def negative(self, y1, acc):
        return y1 < 0

    def scaled(self, value, multiplier, shift):
        return self.round(value * multiplier, shift)

    def round(self, product, shift):
        return round_shift(product, shift, self.rounding)

    def between(self, value):
        """The word between the steps of the unfolded requantizer."""
        return saturate(value, self.word)

    def limit(self, value):
        return clamp(value, self.lo, self.hi)

    def stored(self, value):
        """The output field's value of a code."""
        fmt = self.files.out_format
        return wrap(value, fmt)
