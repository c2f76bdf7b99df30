"""A waveform of the model's registers as a Value Change Dump, which GTKWave opens beside the one of the RTL.

Time is in half cycles: the clock rises at 2c, when the registers of cycle c show. Lanes are variables of their own;
the products of one PE column are one packed word, lane 0 lowest.
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from hwsim.errors import UsageError
from hwsim.hw.device.trace import packed
from hwsim.hw.device.word import AnyState, Change, Tag

if TYPE_CHECKING:
    from hwsim.hw.device.stepped import SteppedRun

FIRST, COUNT = 33, 94  # the printable characters of VCD identifiers
TOP = "hwsim"

Identifiers: TypeAlias = "dict[Wire, str]"


class Wire(NamedTuple):
    """A variable of the dump: the scopes that it stands in, from the top, its name and its bits."""

    path: tuple[str, ...]
    name: str
    width: int


def vcd_text(run: SteppedRun) -> str:
    """The dump of a SteppedRun. Errors: UsageError for one that has no log."""
    if run.log is None:
        raise UsageError("a waveform must be of a run with log=True, not without")
    wires = {register: _wires(register) for register in dict.fromkeys(register for _, register, _ in run.log)}
    names = {wire: _identifier(number) for number, wire in enumerate(chain.from_iterable(wires.values()), 1)}
    return _header(names) + "".join(_changes(run.log, run.cycles, wires, names))


def _wires(register: AnyState) -> list[Wire]:
    """The variables that a register is shown as."""
    path, bits = tuple(register.scope.split(".")), register.fmt.bits
    if not register.shape:
        return [Wire(path, register.name, bits)]
    if len(register.shape) == 2:
        return [Wire((*path, f"column{m}"), register.name, bits * register.shape[1]) for m in range(register.shape[0])]
    lanes = register.lane_names or tuple(f"{register.name}{i}" for i in range(register.shape[0]))
    return [Wire((*path, register.name), lane, bits) for lane in lanes]


def _values(register: AnyState, value: Any) -> list[int]:
    """The non-negative word of each variable."""
    mask = (1 << register.fmt.bits) - 1
    if isinstance(register, Tag):
        return [int(value is not None)]
    if not register.shape:
        return [int(value) & mask]
    if len(register.shape) == 2:
        return [packed(row, register.fmt.bits) for row in value.tolist()]
    return [int(lane) & mask for lane in value.tolist()]


def _header(names: Identifiers) -> str:
    tree: dict[str, Any] = {}      # scope -> what stands in it, variable -> its declaration
    for (path, name, width), identifier in names.items():
        place = tree
        for part in path:
            place = place.setdefault(part, {})
        place[name] = f"$var reg {width} {identifier} {name} $end\n"
    return (f"$version hwsim $end\n$timescale 1ns $end\n$scope module {TOP} $end\n$var wire 1 {_identifier(0)} clk $end\n"
            f"{_scopes(tree)}$upscope $end\n$enddefinitions $end\n")


def _scopes(tree: Mapping[str, Any]) -> str:
    return "".join(item if isinstance(item, str) else f"$scope module {name} $end\n{_scopes(item)}$upscope $end\n"
                   for name, item in tree.items())


def _changes(log: list[Change], cycles: int, wires: Mapping[AnyState, list[Wire]], names: Identifiers) -> Iterator[str]:
    """The dump's body: per cycle the clock and the variables that changed, all of them at cycle 0."""
    shown: dict[Wire, int | None] = dict.fromkeys(names)
    clock, at = _identifier(0), 0
    for cycle in range(cycles + 1):
        lines = [f"#{2 * cycle}\n1{clock}\n"]
        while at < len(log) and log[at][0] == cycle:
            _, register, value = log[at]
            for wire, word in zip(wires[register], _values(register, value)):
                if shown[wire] != word:
                    shown[wire] = word
                    lines.append(_change(word, wire, names[wire]))
            at += 1
        yield "".join(lines) + f"#{2 * cycle + 1}\n0{clock}\n"


def _change(word: int, wire: Wire, identifier: str) -> str:
    return f"{word:b}{identifier}\n" if wire.width == 1 else f"b{word:b} {identifier}\n"


def _identifier(number: int) -> str:
    """A short VCD identifier, bijective in base 94."""
    text = ""
    number += 1
    while number:
        number, digit = divmod(number - 1, COUNT)
        text += chr(FIRST + digit)
    return text
