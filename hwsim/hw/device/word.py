"""The state of the model: registers and memories whose words carry their format, behind one port (spec/device.md rule 7.2)."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np

from hwsim.errors import HwsimError
from hwsim.fixed.formats import IntFormat
from hwsim.hw.device.beat import Beat

Value = TypeVar("Value")


@dataclass(eq=False)
class State(Generic[Value]):
    """A named place that shows `value` in this cycle; it changes only at the clock edge, through the WritePort.

    scope: the module it belongs to, as in a waveform; shape: () or its lanes, each a word of `fmt`; lane_names: if not numbers.
    """

    scope: str
    name: str
    fmt: IntFormat
    shape: tuple[int, ...] = ()
    lane_names: tuple[str, ...] = ()
    value: Value = field(init=False)

    def __str__(self) -> str:
        return f"{self.scope}.{self.name}"


@dataclass(eq=False)
class Register(State[np.ndarray]):
    """A register: its value is an int64 (or object) array of lanes, 0 at first. Written only by WritePort.write."""

    def __post_init__(self) -> None:
        self.value = np.zeros(self.shape, np.int64)


class Tag(State[Beat | None]):
    """The control bits that travel with a stage: its value is a Beat, or None while the stage holds nothing valid."""

    def __init__(self, scope: str) -> None:
        super().__init__(scope, "valid", IntFormat(1, signed=False))
        self.value = None


AnyState: TypeAlias = Register | Tag
Change: TypeAlias = tuple[int, AnyState, "np.ndarray | Beat | None"]
"""(cycle in which the value shows, register, value)."""


class Memory:
    """`depth` words of `lanes` lanes of `fmt`; a word that nothing wrote yet cannot be read."""

    def __init__(self, scope: str, name: str, fmt: IntFormat, depth: int, lanes: int) -> None:
        self.scope, self.name, self.fmt = scope, name, fmt
        self.words = np.zeros((depth, lanes), np.int64)
        self.written = np.zeros(depth, bool)

    def __str__(self) -> str:
        return f"{self.scope}.{self.name}"

    def fill(self, words: np.ndarray) -> None:
        """Loads the whole memory before the clock starts, as the host does."""
        check_words(self, words, "load")
        self.words[:len(words)] = words
        self.written[:len(words)] = True

    def forget(self) -> None:
        """Marks every word as not yet written: a new tile is on its way into this bank."""
        self.written[:] = False

    def read(self, address: int) -> np.ndarray:
        """The word at `address`, (lanes) int64. Errors: HwsimError where nothing wrote it."""
        if not self.written[address]:
            raise HwsimError(f"{self}[{address}] must be written before it is read")
        word: np.ndarray = self.words[address]
        return word


class WritePort:
    """The one way into state. Writes of a cycle are staged and appear together at the clock edge that ends it.

    cycle: of the clock, from 0; writes: how many, by register or memory; log: every Change of a register, or None.
    """

    def __init__(self, log: list[Change] | None = None) -> None:
        self.cycle = 0
        self.writes: dict[str, int] = {}
        self.log = log
        self._staged: list[tuple[AnyState | Memory, int | None, Any]] = []     # (where, address of a memory, value)

    def write(self, register: Register, value: np.ndarray) -> None:
        """What `register` shows from the next cycle on. Errors: HwsimError where a lane leaves its format."""
        check_words(register, value, self.cycle)
        self._staged.append((register, None, value))

    def pass_on(self, tag: Tag, beat: Beat | None) -> None:
        """The beat that a stage holds from the next cycle on, or None."""
        if beat is not None or tag.value is not None:
            self._staged.append((tag, None, beat))

    def store(self, memory: Memory, address: int, value: np.ndarray) -> None:
        """A word (lanes) of `memory` from the next cycle on. Errors: HwsimError where a lane leaves its format."""
        check_words(memory, value, self.cycle)
        self._staged.append((memory, address, value))

    def edge(self) -> int:
        """The clock edge: everything staged becomes visible. Returns how many words that were."""
        staged, self._staged = self._staged, []
        self.cycle += 1
        for target, address, value in staged:
            self._commit(target, address, value)
        return len(staged)

    def _commit(self, target: AnyState | Memory, address: int | None, value: Any) -> None:
        name = str(target)
        self.writes[name] = self.writes.get(name, 0) + 1
        if isinstance(target, Memory):
            target.words[address] = value
            target.written[address] = True
            return
        target.value = value
        if self.log is not None:
            self.log.append((self.cycle, target, value))


def check_words(target: Register | Memory, value: np.ndarray, when: int | str) -> None:
    """Raises HwsimError for a value outside the format of its register: a model of hardware holds no more bits than it has.

    when: the cycle, for the message.
    """
    value = np.asarray(value)
    if value.size and (value.min() < target.fmt.min or value.max() > target.fmt.max):
        raise HwsimError(f"{target} must hold {target.fmt} words, not {value.min()}..{value.max()} (cycle {when})")
