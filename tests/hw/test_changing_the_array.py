"""The worked example of docs/changing-the-array.md, run from the page itself."""
import re
from pathlib import Path

import numpy as np

from helpers.array_layers import conv, image, network
from hwsim.engine.run import run
from hwsim.fixed.formats import Datapath
from hwsim.hw.config import Device
from hwsim.hw.device.stepped import run_stepped
from hwsim.ops.cut import cut

PAGE = Path(__file__).resolve().parents[2] / "docs" / "changing-the-array.md"


def example():
    """The names that the page's code defines."""
    names = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S):
        exec(compile(block, str(PAGE), "exec"), names)
    return names


def test_the_truncated_multiplier():
    node, shape, datapath, device = conv((8, 8, 20), 24), (8, 8, 20), Datapath(30), Device()
    layer, x, names = cut(node, (1, *shape))[0].layer, image(shape), example()
    exact, truncated = run_stepped(layer, datapath, device, x[0]), names["one_layer"](layer, datapath, device, x[0])
    error = exact.acc - truncated.acc
    assert truncated.cycles == exact.cycles == 2310
    assert error.min() >= 0 and 0 < error.max() <= 180 * 15
    padded = np.pad(x[0], ((1, 1), (1, 1), (0, 0)))
    lost = (padded[0:3, 0:3].ravel() * layer.weights.codes[0, 0].ravel()) & 15
    assert error[0, 0, 0] == lost.sum()
    through = run(network(node, shape, datapath), {"x": x}, names["truncated_engine"](device))["conv"][0]
    np.testing.assert_array_equal(through, truncated.values)
