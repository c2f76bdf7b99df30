"""Known mutants of the reference RTL: small patches of it, each a bug that RTL teams make; what a vector set must kill.

A patch replaces text that occurs exactly once in its file; it must apply and compile. `first_cause` is what compare names
first for it on the directed set of a device that has what it needs, None where no suspect stands for the bug.
"""
from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hwsim.errors import FileError, HwsimError
from hwsim.fixed.formats import Overflow, Rounding
from hwsim.ops.epilogue import Folded, ThreeStep
from hwsim.vectors.read.vectorset import LayerFiles


@dataclass(frozen=True, eq=False)
class Feature:
    """Something that a layer's build of the RTL may have: the words for it, and whether a layer has it."""

    text: str
    of_layer: Callable[[LayerFiles], bool]


def _rounds(rounding: Rounding) -> Feature:
    return Feature(f"{rounding} rounding", lambda layer: layer.datapath.rounding is rounding)


HALF_UP, HALF_AWAY, HALF_EVEN = _rounds(Rounding.HALF_UP), _rounds(Rounding.HALF_AWAY), _rounds(Rounding.HALF_EVEN)
SATURATING = Feature("a saturating accumulator", lambda layer: layer.datapath.acc_mode is Overflow.SATURATE)
FOLDED = Feature("the folded requantizer", lambda layer: layer.stage is Folded)
UNFOLDED = Feature("the unfolded requantizer", lambda layer: layer.stage is ThreeStep)
LOG = Feature("log weights", lambda layer: layer.weight_format.flagged)
SIGNED_INPUT = Feature("signed input codes", lambda layer: layer.in_format.signed)
DMA = Feature("weight DMA", lambda layer: layer.has("ldlen.hex"))


@dataclass(frozen=True)
class Mutant:
    """needs: what a layer must have to reach the patched lines; edits: (file of rtl/, text, replacement) each."""

    name: str
    needs: tuple[Feature, ...]
    edits: tuple[tuple[str, str, str], ...]
    first_cause: str | None = None

    def applies(self, layer: LayerFiles) -> bool:
        """Whether the layer reaches the patched lines and they are there what the mutant is named after."""
        return all(feature.of_layer(layer) for feature in self.needs)


def patch(mutant: Mutant, source: Path, target: Path) -> None:
    """Copies rtl/ and tb/ of the set in folder `source` to the new folder `target`, the mutant's edits made in the copy.

    Errors: FileError when the set lacks its RTL, HwsimError when an edit does not apply.
    """
    for part in ("rtl", "tb"):
        if not (source / part).is_dir():
            raise FileError(f"{source / part}: a vector set must hold its RTL and testbench, not miss this folder")
        shutil.copytree(source / part, target / part)
    for name, text, replacement in mutant.edits:
        path = target / "rtl" / name
        code = path.read_text("latin-1") if path.is_file() else ""
        if code.count(text) != 1:
            raise HwsimError(f"{mutant.name}: the patched text must occur once in {name}, not {code.count(text)} times")
        path.write_text(code.replace(text, replacement), "latin-1")


def _one(file: str, text: str, replacement: str) -> tuple[tuple[str, str, str], ...]:
    return ((file, text, replacement),)


_CLAMP = """            if (value < low)       clamp = low;
            else if (value > high) clamp = high;
            else                   clamp = value[AO:0];"""
_SIGN = (
    ("requantizer.v", "            wire signed [AO:0] code = clamp(rounded, lo, hi);", """
            reg  signed [PA-1:0] other;
            wire signed [PB-1:0] other_rounded;
            wire signed [PB-1:0] other_wide = other;
            round_shift #(.BITS(PB), .SB(SB), .MODE(MODE)) u_other (.p(other_wide), .s(shift), .y(other_rounded));
            wire signed [AO:0] code = clamp(rounded[PB-1] ? other_rounded : rounded, lo, hi);"""),
    ("requantizer.v", "product <= acc * (acc[ACC-1] ? m_neg : m_pos);", "product <= acc * m_pos; other <= acc * m_neg;"))

MUTANTS = (
    Mutant("truncation for rounding", (HALF_UP,), _one("round_shift.v", "begin : g_up   assign adjust = half; end",
           "begin : g_up   assign adjust = {BITS{1'b0}}; end"), "rounding is floor instead of the set's"),
    Mutant("ties away become ties up", (HALF_AWAY,), _one("round_shift.v", "half - {{(BITS-1){1'b0}}, p[BITS-1]}", "half"),
           "rounding is half-up instead of the set's"),
    Mutant("ties to odd", (HALF_EVEN,), _one("round_shift.v", "~below[0]", "below[0]")),
    Mutant("accumulator one bit short", (), _one("pe_column.v", "end_ : exact[ACC-1:0]",
           "end_ : {exact[ACC-2], exact[ACC-2:0]}"), "the accumulator is one bit short"),
    Mutant("saturation missing", (SATURATING,), _one("pe_column.v", "(SAT != 0 && !fits) ? end_ : ", ""),
           "the accumulator wraps instead of saturating"),
    Mutant("saturates only upwards", (SATURATING,), _one("pe_column.v", "{exact[SW-1], {(ACC-1){~exact[SW-1]}}}",
           "{1'b0, {(ACC-1){1'b1}}}")),
    Mutant("bias not added", (), _one("pe_column.v", "first3 ? bias3 : acc", "first3 ? $signed({ACC{1'b0}}) : acc"),
           "the bias is not added"),
    Mutant("bias of tile 0 everywhere", (), _one("tile_params.v", ".raddr(cot2)", ".raddr(32'd0)"),
           "every output tile takes the bias of tile 0"),
    Mutant("accumulator not restarted", (), (
        ("pe_column.v", "first3 ? bias3 : acc", "acc"), ("pe_column.v", "[ACC-1:0] acc,   // c+4", "[ACC-1:0] acc = 0,")),
           "the accumulator is not restarted: it goes on from the pixel before"),
    Mutant("sign test after scaling", (FOLDED,), _SIGN, "the sign is tested after scaling, not on the accumulator"),
    Mutant("m_neg unsigned", (FOLDED,), _one("requantizer.v", "(acc[ACC-1] ? m_neg : m_pos)",
           "(acc[ACC-1] ? $signed({1'b0, m_neg}) : $signed({m_pos[MB], m_pos}))"), "m_neg is read without its sign"),
    Mutant("shift one bit short", (), _one("requantizer.v", "u_round (.p(wide), .s(shift)",
           "u_round (.p(wide), .s({1'b0, shift[SB-2:0]})"), "the top bit of the shift is lost"),
    Mutant("clamp missing", (FOLDED,), _one("requantizer.v", _CLAMP, "            clamp = value[AO:0];"),
           "the clamp is missing: upper bits are cut"),
    Mutant("first step wraps", (UNFOLDED,), _one("requantizer.v", "y1       <= code1[AO-1:0]", "y1       <= rounded[AO-1:0]"),
           "the steps of the unfolded requantizer wrap instead of saturating"),
    Mutant("slope not applied", (UNFOLDED,), _one("requantizer.v", "y1[AO-1] ? code2 : y1", "y1"),
           "the slope alpha is not applied to negative values"),
    Mutant("lanes past the channels not zeroed", (FOLDED,), _one("requantizer.v", "keep ? code[AO-1:0] : {AO{1'b0}}",
           "code[AO-1:0]")),
    Mutant("second word dropped", (LOG,), _one("control.v", "(tile_word + {16'd0, cit} < n_words)",
           "(tile_word + {16'd0, cit} < n_words) && !word"), "the second word of two-word tiles is missing"),
    Mutant("first word used twice", (LOG,), _one("control.v", "assign w_addr = w_ptr;", "assign w_addr = w_ptr - {31'd0, word};"),
           "two-word tiles use their first word twice"),
    Mutant("lowest log code is zero", (LOG,), _one("pe_column.v", "(wi == {W{1'b0}})", "(wi[W-2:0] == {(W-1){1'b0}})"),
           "the lowest log code is read as zero"),
    Mutant("sign of log codes ignored", (LOG,), _one("pe_column.v", "wi[W-1] ? -moved : moved", "moved"),
           "the sign of log codes is ignored"),
    Mutant("input lanes reversed", (), (
        ("pe_column.v", "x[i*A +: A]", "x[(TN-1-i)*A +: A]"), ("pe_column.v", "x[i*A+A-1]", "x[(TN-1-i)*A+A-1]")),
           "input lanes are reversed"),
    Mutant("last lane left out of the tree", (), _one("pe_column.v", "k < TN;", "k < TN - 1;"),
           "the last input lane is missing in the tree"),
    Mutant("inputs unsigned", (SIGNED_INPUT,), _one("pe_column.v", "(XS != 0) && x[i*A+A-1]", "1'b0"),
           "input codes are read without their sign"),
    Mutant("padding off by one: first row", (), _one("control.v", "(y >= 0)", "(y > 0)"),
           "padding is off by one: the first image row counts as padding"),
    Mutant("padding off by one: last column", (), _one("control.v", "(x < iw)", "(x < iw - 1)"),
           "padding is off by one: the last image column counts as padding"),
    Mutant("pointer not rewound", (), _one("control.v", "w_ptr <= w_base;  f_ptr <= f_base;", "f_ptr <= f_base;"),
           "the weight pointer is not rewound after a pixel"),
    Mutant("bank select not delayed", (), _one("sb.v", "q = bank1 ?", "q = bank ?")),
    Mutant("output address of the tile before", (), _one("control.v", "out_addr <= cot + 32'd1;", "out_addr <= cot;")),
    Mutant("bank freed one cycle late", (DMA,), _one("control.v", " || (release_bank && bank == next_tile[0])", ""),
           "a weight bank is freed one cycle late"),
    Mutant("load length of tile 0", (DMA, LOG), _one("control.v", "ldlen_mem[next_tile[TAW-1:0]]", "ldlen_mem[0]"),
           "every tile loads for as long as tile 0"),
    Mutant("issue does not wait for the load", (DMA,), _one("control.v", "running && (!dma || full[bank])", "running"),
           "weights do not wait for their load"),
    Mutant("done one cycle early", (), _one("top.v", "v[OUT] && v_layer_end[OUT]", "v[OUT-1] && v_layer_end[OUT-1]"),
           "done comes one cycle early"),
    Mutant("events counted per beat", (), _one("top.v", "events + events4", "events + {31'd0, |event4}")),
)
