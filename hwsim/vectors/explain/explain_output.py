"""`hwsim explain`: every beat of one output of a layer, from the files alone, as lines of text."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from hwsim.errors import UsageError
from hwsim.fixed.formats import ALPHA_SHIFT
from hwsim.ops.epilogue import Folded, Stage, ThreeStep
from hwsim.vectors.explain.replay import Law, ReplayedBeat, Source, Step
from hwsim.vectors.read.vectorset import LayerFiles, open_layer
from hwsim.vectors.read.verify import check_sums


def explain(folder: str | Path, layer: str | None, oy: int, ox: int, oc: int) -> tuple[list[str], dict[str, int]]:
    """(lines, values) of output (oy,ox,oc): beats with codes and partial sums, then multiplier, shift, rounding, clamp.

    values: {beats, acc, out, expected_acc, expected_out}. Errors: FileError, UsageError for a place outside the layer.
    """
    files = open_layer(folder, layer)
    check_sums(files)     # beats of an altered stimulus would explain nothing
    size = files.entry["out"]
    for name, value, limit in (("oy", oy, size["h"]), ("ox", ox, size["w"]), ("oc", oc, size["c"])):
        if not 0 <= value < limit:
            raise UsageError(f"{name} must be 0..{limit - 1} in {files.name}, not {value}")
    law, (cot, lane), pixel = Law(Source(files)), divmod(oc, files.tm), oy * files.out_hw[1] + ox
    address = pixel * files.entry["cot"] + cot
    steps = law.steps(pixel, cot)
    acc = steps[-1][2]
    out = law.out(acc, cot)
    values = {"beats": len(steps) - 1, "acc": int(acc[lane]), "out": int(out[lane]),
              "expected_acc": int(files.values("acc")[address, lane]), "expected_out": int(files.values("out")[address, lane])}
    lines = [f"{files.name} oy={oy} ox={ox} oc={oc}: cot {cot}, lane {lane}, address {address} of acc.hex and out.hex"]
    lines += _beats(law, files, steps, lane)
    lines += STAGES[files.stage](law, int(acc[lane]), law.fields(cot), lane)
    lines.append(f"files: acc {values['expected_acc']}, out {values['expected_out']}")
    return lines, values


def _beats(law: Law, files: LayerFiles, steps: Sequence[Step], lane: int) -> list[str]:
    """The start value, then a line per beat."""
    hw = files.hw
    lines = [f"bias {int(steps[0][2][lane])}   ({hw['acc_bits']}-bit accumulator, {hw['acc_mode']})",
             "beat  ky  kx cit word  input at        codes x weights                     tree -> accumulator"]
    for number, (beat, tree, value) in enumerate(steps[1:]):
        if beat is None:
            continue
        exact = int(steps[number][2][lane]) + int(tree[lane])
        note = "" if exact == int(value[lane]) else f"   exact {exact} left the accumulator"
        place = f"y={beat.y} x={beat.x}" if beat.inside else f"y={beat.y} x={beat.x} pad"
        lines.append(f"{number:4d} {beat.ky:3d} {beat.kx:3d} {beat.cit:3d} {beat.word:4d}  {place:<14}  "
                     f"{_products(law, beat, lane)} = {int(tree[lane])} -> {int(value[lane])}{note}")
    return lines


def _products(law: Law, beat: ReplayedBeat, lane: int) -> str:
    """The lanes that are not zero, as code*weight; all of them zero is 0."""
    inputs, weights = law.inputs(beat), law.weights(beat)[lane]
    terms = [f"{int(inputs[i])}*{int(weights[i])}" for i in np.flatnonzero((inputs != 0) & (weights != 0))]
    return " + ".join(terms) or "0"


def _folded(law: Law, acc: int, fields: Mapping[str, list[int]], lane: int) -> list[str]:
    side, multiplier = ("m_pos", fields["mpos"][lane]) if acc >= 0 else ("m_neg", fields["mneg"][lane])
    shift = fields["shift"][lane]
    rounded = law.scaled(acc, multiplier, shift)
    return [f"acc {acc} {'>=' if acc >= 0 else '<'} 0: {side} = {multiplier}, shift {shift}",
            f"product {acc * multiplier}, / 2^{shift} {_rule(law)}: {rounded}", _clamped(law, rounded)]


def _unfolded(law: Law, acc: int, fields: Mapping[str, list[int]], lane: int) -> list[str]:
    first = law.scaled(acc, fields["mpos"][lane], fields["shift"][lane])
    y1 = law.between(first)
    y2 = law.between(law.scaled(y1, fields["alpha"][lane], ALPHA_SHIFT)) if y1 < 0 else y1
    last = law.scaled(y2, fields["m2"][lane], fields["shift2"][lane])
    return [f"acc {acc} * M1 {fields['mpos'][lane]} / 2^{fields['shift'][lane]} {_rule(law)}: {first}, saturated {y1}",
            f"{'negative: * alpha ' + str(fields['alpha'][lane]) + ' / 2^14' if y1 < 0 else 'not negative'}: {y2}",
            f"* M2 {fields['m2'][lane]} / 2^{fields['shift2'][lane]}: {last}", _clamped(law, last)]


Requantizer = Callable[[Law, int, Mapping[str, list[int]], int], list[str]]     # of law, acc, fields, lane
STAGES: Mapping[type[Stage], Requantizer] = {Folded: _folded, ThreeStep: _unfolded}


def _rule(law: Law) -> str:
    return f"{law.rounding} [{law.rounding.formula}]"


def _clamped(law: Law, value: int) -> str:
    return f"clamp to {law.lo}..{law.hi}: {law.limit(value)}"
