"""The state of the model: registers and memories whose words carry their format, behind one port (spec/device.md rule 7.2)."""
from dataclasses import dataclass, field

import numpy as np

from hwsim.errors import HwsimError
from hwsim.fixed.formats import IntFormat


@dataclass(eq=False)
class Register:
    """`value` is what the register shows in this cycle: an int64 (or object) array of lanes, each a word of `fmt`.

    Written only by WritePort.write; `scope` is the module it belongs to, as in a waveform.
    """

    scope: str
    name: str
    fmt: IntFormat
    shape: tuple[int, ...] = ()
    lane_names: tuple[str, ...] = ()
    value: np.ndarray = field(init=False)

    def __post_init__(self):
        self.value = np.zeros(self.shape, np.int64)

    def __str__(self):
        return f"{self.scope}.{self.name}"


class Tag(Register):
    """The control bits that travel with a stage: its value is a Beat, or None while the stage holds nothing valid."""

    def __init__(self, scope):
        super().__init__(scope, "valid", IntFormat(1, signed=False))
        self.value = None


class Memory:
    """`depth` words of `lanes` lanes of `fmt`; a word that nothing wrote yet cannot be read."""

    def __init__(self, scope, name, fmt, depth, lanes):
        self.scope, self.name, self.fmt = scope, name, fmt
        self.words = np.zeros((depth, lanes), np.int64)
        self.written = np.zeros(depth, bool)

    def __str__(self):
        return f"{self.scope}.{self.name}"

    def fill(self, words):
        """Loads the whole memory before the clock starts, as the host does."""
        check_words(self, words, "load")
        self.words[:len(words)] = words
        self.written[:len(words)] = True

    def forget(self):
        """Marks every word as not yet written: a new tile is on its way into this bank."""
        self.written[:] = False

    def read(self, address):
        if not self.written[address]:
            raise HwsimError(f"{self}[{address}] must be written before it is read")
        return self.words[address]


class WritePort:
    """The one way into state. Writes of a cycle are staged and appear together at the clock edge that ends it.

    `writes` counts them by register; `log` (a list, or None) keeps (cycle in which the value shows, register, value).
    """

    def __init__(self, log=None):
        self.cycle = 0
        self.writes = {}
        self.log = log
        self._staged = []

    def write(self, register, value):
        check_words(register, value, self.cycle)
        self._staged.append((register, None, value))

    def pass_on(self, tag, beat):
        """The beat that a stage holds from the next cycle on, or None."""
        if beat is not None or tag.value is not None:
            self._staged.append((tag, None, beat))

    def store(self, memory, address, value):
        check_words(memory, value, self.cycle)
        self._staged.append((memory, address, value))

    def edge(self):
        """The clock edge: everything staged becomes visible. Returns how many words that were."""
        staged, self._staged = self._staged, []
        self.cycle += 1
        for target, address, value in staged:
            self._commit(target, address, value)
        return len(staged)

    def _commit(self, target, address, value):
        name = str(target)
        self.writes[name] = self.writes.get(name, 0) + 1
        if address is None:
            target.value = value
            if self.log is not None:
                self.log.append((self.cycle, target, value))
        else:
            target.words[address] = value
            target.written[address] = True


def check_words(target, value, when):
    """Refuses a value outside the format of its register: a model of hardware must not hold more bits than it has."""
    value = np.asarray(value)
    if value.size and (value.min() < target.fmt.min or value.max() > target.fmt.max):
        raise HwsimError(f"{target} must hold {target.fmt} words, not {value.min()}..{value.max()} (cycle {when})")
