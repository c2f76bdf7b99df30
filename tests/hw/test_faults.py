"""Three faults put in on purpose: each must break the equality of the stepped model with the closed form or the reference."""
import numpy as np
import pytest
from helpers.array_layers import conv, image, network

from hwsim.engine.run import run
from hwsim.fixed.formats import Datapath
from hwsim.hw.config import Device
from hwsim.hw.costs.cycles import array_cycles
from hwsim.hw.device.buffers import SB
from hwsim.hw.device.control import Control
from hwsim.hw.device.pe_column import PeColumns
from hwsim.hw.device.stepped import Parts, run_stepped
from hwsim.ops.cut import cut

SHAPE, NODE, DEVICE, PATH = (4, 4, 17), conv((4, 4, 17), 49), Device(dma_bits=128), Datapath(30)
# 128 bits per cycle load a tile in exactly the time that the array works on one
LAYER = cut(NODE, (1, *SHAPE))[0].layer


def verdict(parts):
    """(cycles equal to the closed form, values equal to the reference) of the array built from `parts`."""
    x = image(SHAPE)
    found = run_stepped(LAYER, PATH, DEVICE, x[0], parts=parts)
    expected = run(network(NODE, SHAPE, PATH), {"x": x}, "reference")["conv"][0]
    return found.cycles == array_cycles(LAYER, DEVICE).total, np.array_equal(found.values, expected)


class LateRelease(SB):
    """A bank counts as free one cycle after the last issue of its tile."""

    def bank_free(self, tile):
        return tile - 2 < int(self.released.value)


class DroppedBeat(Control):
    """The second input tile of the last kernel tap is skipped."""

    def advance(self, beat):
        following = super().advance(beat)
        drops = following is not None and following[3:6] == (2, 0, 1)
        return super().advance(self._beat(*following)) if drops else following


class SkippedRegister(PeColumns):
    """The adder tree reads the products of this cycle instead of the register behind the multipliers."""

    def _add(self):
        beat = self.nbin.tag.value
        self.port.pass_on(self.tree_tag, beat)
        if beat is not None:
            self.port.write(self.tree, self.add_tree(self.multiply(self.nbin.q.value, self.sb.q.value)))


def test_the_standard_parts_are_equal():
    assert verdict(Parts()) == (True, True)


@pytest.mark.parametrize(("parts", "expected"), [(Parts(sb=LateRelease), (False, True)),
                                                 (Parts(control=DroppedBeat), (False, False)),
                                                 (Parts(columns=SkippedRegister), (False, True))])
def test_a_fault_is_seen(parts, expected):
    assert verdict(parts) == expected
