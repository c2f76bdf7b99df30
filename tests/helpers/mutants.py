"""Wrong designs that a vector set must kill: small patches of the reference RTL, each a bug that RTL teams make.

A patch replaces text that occurs exactly once in its file; it must apply and compile. `first_cause` is what compare
should name first for it, None where no suspect stands for the bug.
"""
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwsim.errors import HwsimError
from hwsim.hw.config import Device
from hwsim.vectors.explain.compare import compare_layer
from hwsim.vectors.read.vectorset import open_set
from hwsim.vectors.simulate.simulators import build, run_layer
from hwsim.vectors.write.directed import directed_works
from hwsim.vectors.write.write_set import Origin, write_set

SMALL: dict[str, Any] = {"TN": 4, "TM": 4}
DEVICES = {
    "linear": Device(**SMALL, acc_bits=20),
    "saturating": Device(**SMALL, acc_bits=18, acc_mode="saturate", round="half-even"),
    "log": Device(**SMALL, acc_bits=20, w_format="stlq", w_bits=4, round="floor"),
    "unfolded": Device(**SMALL, acc_bits=19, acc_mode="saturate", prelu="unfolded", round="half-away"),
}
RANDOM_LAYERS = 6


@dataclass(frozen=True)
class Mutant:
    """edits: (file, text, replacement) each; device: the key of DEVICES whose directed set should kill it."""

    name: str
    device: str
    edits: tuple[tuple[str, str, str], ...]
    first_cause: str | None = None


@dataclass(frozen=True, eq=False)
class Killed:
    """layer: the first layer that failed, None for a survivor; report: compare's LayerReport of it."""

    mutant: Mutant
    layer: str | None
    report: object | None

    @property
    def first_cause(self):
        return self.report.causes[0]["cause"] if self.report and self.report.causes else None


def write_directed(root, name):
    """The directed set of one of DEVICES in folder root/name."""
    write_set(directed_works(DEVICES[name], 0, RANDOM_LAYERS), Path(root) / name, Origin(f"hwsim vectors --directed ({name})"))
    return open_set(Path(root) / name)


def patch(mutant, source, target):
    """Copies rtl/ and tb/ of a set to folder `target` with the mutant's edits; HwsimError when one does not apply."""
    for part in ("rtl", "tb"):
        shutil.copytree(source / part, target / part)
    for name, text, replacement in mutant.edits:
        path = target / "rtl" / name
        code = path.read_text("utf-8")
        if code.count(text) != 1:
            raise HwsimError(f"{mutant.name}: the patched text must occur once in {name}, not {code.count(text)} times")
        path.write_text(code.replace(text, replacement), "utf-8")


def kill(mutant, found, simulator, place):
    """The Killed of a mutant on an open directed set; patch and trace go to the new folder `place`, builds beside it."""
    place = Path(place)
    patch(mutant, found.root, place)
    command = build(simulator, place, found.layers[0].entry["params"], place.parent / "builds")
    for layer in found.layers:
        run = run_layer(command, layer)
        if not run.passed:
            trace = place / "trace.txt"
            run_layer(command, layer, trace=trace)
            return Killed(mutant, layer.name, compare_layer(layer, trace))
    return Killed(mutant, None, None)


def kill_table(kills):
    """The kills as Markdown: which layer of which set kills a mutant, at which stage, and what compare says first."""
    lines = ["| mutant | directed set | killed by | stage | first cause named |", "|---|---|---|---|---|"]
    for killed in kills:
        first = killed.report.first if killed.report else None
        stage = first["stage"] if first else "status register"
        cells = (killed.mutant.name, killed.mutant.device, killed.layer, stage, killed.first_cause or "-")
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines) + "\n"


def _one(file, text, replacement):
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
    Mutant("truncation for rounding", "linear", _one("round_shift.v", "begin : g_up   assign adjust = half; end",
           "begin : g_up   assign adjust = {BITS{1'b0}}; end"), "rounding is floor instead of the set's"),
    Mutant("ties away become ties up", "unfolded", _one("round_shift.v", "half - {{(BITS-1){1'b0}}, p[BITS-1]}", "half"),
           "rounding is half-up instead of the set's"),
    Mutant("ties to odd", "saturating", _one("round_shift.v", "~below[0]", "below[0]")),
    Mutant("accumulator one bit short", "linear", _one("pe_column.v", "end_ : exact[ACC-1:0]",
           "end_ : {exact[ACC-2], exact[ACC-2:0]}"), "the accumulator is one bit short"),
    Mutant("saturation missing", "saturating", _one("pe_column.v", "(SAT != 0 && !fits) ? end_ : ", ""),
           "the accumulator wraps instead of saturating"),
    Mutant("saturates only upwards", "saturating", _one("pe_column.v", "{exact[SW-1], {(ACC-1){~exact[SW-1]}}}",
           "{1'b0, {(ACC-1){1'b1}}}")),
    Mutant("bias not added", "linear", _one("pe_column.v", "first3 ? bias3 : acc", "first3 ? $signed({ACC{1'b0}}) : acc"),
           "the bias is not added"),
    Mutant("bias of tile 0 everywhere", "linear", _one("tile_params.v", ".raddr(cot2)", ".raddr(32'd0)"),
           "every output tile takes the bias of tile 0"),
    Mutant("accumulator not restarted", "linear", (
        ("pe_column.v", "first3 ? bias3 : acc", "acc"), ("pe_column.v", "[ACC-1:0] acc,   // c+4", "[ACC-1:0] acc = 0,")),
           "the accumulator is not restarted: it goes on from the pixel before"),
    Mutant("sign test after scaling", "linear", _SIGN, "the sign is tested after scaling, not on the accumulator"),
    Mutant("m_neg unsigned", "linear", _one("requantizer.v", "(acc[ACC-1] ? m_neg : m_pos)",
           "(acc[ACC-1] ? $signed({1'b0, m_neg}) : $signed({m_pos[MB], m_pos}))"), "m_neg is read without its sign"),
    Mutant("shift one bit short", "linear", _one("requantizer.v", "u_round (.p(wide), .s(shift)",
           "u_round (.p(wide), .s({1'b0, shift[SB-2:0]})"), "the top bit of the shift is lost"),
    Mutant("clamp missing", "linear", _one("requantizer.v", _CLAMP, "            clamp = value[AO:0];"),
           "the clamp is missing: upper bits are cut"),
    Mutant("first step wraps", "unfolded", _one("requantizer.v", "y1       <= code1[AO-1:0]", "y1       <= rounded[AO-1:0]"),
           "the steps of the unfolded requantizer wrap instead of saturating"),
    Mutant("slope not applied", "unfolded", _one("requantizer.v", "y1[AO-1] ? code2 : y1", "y1"),
           "the slope alpha is not applied to negative values"),
    Mutant("lanes past the channels not zeroed", "linear", _one("requantizer.v", "keep ? code[AO-1:0] : {AO{1'b0}}",
           "code[AO-1:0]")),
    Mutant("second word dropped", "log", _one("control.v", "(tile_word + {16'd0, cit} < n_words)",
           "(tile_word + {16'd0, cit} < n_words) && !word"), "the second word of two-word tiles is missing"),
    Mutant("first word used twice", "log", _one("control.v", "assign w_addr = w_ptr;", "assign w_addr = w_ptr - {31'd0, word};"),
           "two-word tiles use their first word twice"),
    Mutant("lowest log code is zero", "log", _one("pe_column.v", "(wi == {W{1'b0}})", "(wi[W-2:0] == {(W-1){1'b0}})"),
           "the lowest log code is read as zero"),
    Mutant("sign of log codes ignored", "log", _one("pe_column.v", "wi[W-1] ? -moved : moved", "moved"),
           "the sign of log codes is ignored"),
    Mutant("input lanes reversed", "linear", (
        ("pe_column.v", "x[i*A +: A]", "x[(TN-1-i)*A +: A]"), ("pe_column.v", "x[i*A+A-1]", "x[(TN-1-i)*A+A-1]")),
           "input lanes are reversed"),
    Mutant("last lane left out of the tree", "linear", _one("pe_column.v", "k < TN;", "k < TN - 1;"),
           "the last input lane is missing in the tree"),
    Mutant("inputs unsigned", "linear", _one("pe_column.v", "(XS != 0) && x[i*A+A-1]", "1'b0"),
           "input codes are read without their sign"),
    Mutant("padding off by one: first row", "linear", _one("control.v", "(y >= 0)", "(y > 0)"),
           "padding is off by one: the first image row counts as padding"),
    Mutant("padding off by one: last column", "linear", _one("control.v", "(x < iw)", "(x < iw - 1)"),
           "padding is off by one: the last image column counts as padding"),
    Mutant("pointer not rewound", "linear", _one("control.v", "w_ptr <= w_base;  f_ptr <= f_base;", "f_ptr <= f_base;"),
           "the weight pointer is not rewound after a pixel"),
    Mutant("bank select not delayed", "linear", _one("sb.v", "q = bank1 ?", "q = bank ?")),
    Mutant("output address of the tile before", "linear", _one("control.v", "out_addr <= cot + 32'd1;", "out_addr <= cot;")),
    Mutant("bank freed one cycle late", "linear", _one("control.v", " || (release_bank && bank == next_tile[0])", ""),
           "a weight bank is freed one cycle late"),
    Mutant("load length of tile 0", "log", _one("control.v", "ldlen_mem[next_tile[TAW-1:0]]", "ldlen_mem[0]"),
           "every tile loads for as long as tile 0"),
    Mutant("issue does not wait for the load", "linear", _one("control.v", "running && (!dma || full[bank])", "running"),
           "weights do not wait for their load"),
    Mutant("done one cycle early", "linear", _one("top.v", "v[OUT] && v_layer_end[OUT]", "v[OUT-1] && v_layer_end[OUT-1]"),
           "done comes one cycle early"),
    Mutant("events counted per beat", "linear", _one("top.v", "events + events4", "events + {31'd0, |event4}")),
)
