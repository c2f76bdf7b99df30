"""Vectors of a network: every array layer, its groups and phases, in order, each fed by what the layer before made."""
import numpy as np
import pytest

import hwsim
from hwsim.errors import UsageError
from hwsim.hw.config import Device
from hwsim.vectors.read.verify import verify_set
from hwsim.vectors.simulate.cosim import cosim
from hwsim.vectors.write.network import crop_codes, network_cases
from hwsim.vectors.write.write_set import Origin, write_set


@pytest.fixture(scope="module")
def network():
    """A grouped, a depthwise, a transposed, a strided and a dense layer on 6x6 images of 4 channels."""
    rng = np.random.default_rng(0)

    def conv(name, source, oc, ic, k, op="conv2d", **params):
        shape = (oc, k, k, ic)
        return hwsim.Node.make(name, op, (source,), weights=rng.normal(size=shape), bias=rng.normal(size=oc), **params)
    nodes = (hwsim.Node.make("in", "input", (), shape=(6, 6, 4)),
             conv("grouped", "in", 6, 2, 3, groups=2, padding="same", alpha=np.full(6, 0.25)),
             conv("depthwise/3x3", "grouped", 6, 1, 3, groups=6, padding="same"),
             conv("up", "depthwise/3x3", 4, 6, 3, op="conv2d_transpose", stride=(2, 2), crop=(0, 1, 0, 1)),
             conv("down", "up", 5, 4, 2, stride=(3, 3), clip=(0.0, None)))
    graph = hwsim.prepare(hwsim.Graph(nodes, ("in",), ("down",)))
    config = hwsim.Config(tn=4, tm=4)
    x = {"in": rng.random((1, 6, 6, 4))}
    return hwsim.quantize(graph, hwsim.calibrate(graph, [x], config), config), rng.integers(-1000, 1000, (1, 6, 6, 4))


def test_every_layer_group_and_phase_runs_on_the_rtl(network, tmp_path, quickest, builds):
    net, codes = network
    manifest = write_set(network_cases(net, {"in": codes}, Device()), tmp_path / "v", Origin("x"))
    names = [(layer["id"], layer["folder"]) for layer in manifest["layers"]]
    assert names == [(0, "L000_grouped.g0"), (0, "L000_grouped.g1"), (1, "L001_depthwise_3x3"), (2, "L002_up.p00"),
                     (2, "L002_up.p01"), (2, "L002_up.p10"), (2, "L002_up.p11"), (3, "L003_down")]
    verify_set(tmp_path / "v")
    assert cosim(tmp_path / "v", quickest.kind, place=builds).passed


def test_layers_crop_and_one_image(network):
    net, codes = network
    cases = list(network_cases(net, crop_codes({"in": codes}, 4, 5), Device(), ["down"]))
    assert [case.folder for case in cases] == ["L003_down"] and cases[0].x.shape == (8, 10, 4)
    with pytest.raises(UsageError, match=r"^--layers must name array layers \(grouped, depthwise/3x3, up, down\), not 'in'$"):
        list(network_cases(net, {"in": codes}, Device(), ["in"]))
    with pytest.raises(UsageError, match=r"^vectors must be of one image, not 2$"):
        list(network_cases(net, {"in": np.concatenate([codes, codes])}, Device()))
    with pytest.raises(UsageError, match=r"^--crop must lie inside the \(6, 6, 4\) input in, not be 7x1$"):
        crop_codes({"in": codes}, 7, 1)


def test_out_of_a_layer_is_nbin_of_the_next(network, tmp_path):
    net, codes = network
    write_set(network_cases(net, {"in": codes}, Device(), ["down"]), tmp_path / "v", Origin("x"))
    down = np.load(tmp_path / "v" / "L003_down" / "in.npy")
    assert np.array_equal(down, hwsim.run(net, codes, dump=["up"])["up"][0])
