"""Weight storage: words and flags of a layer, and the published parameter counts from the layers' shapes."""
import numpy as np
import pytest
from helpers.array_layers import conv

from hwsim.hw.config import Device
from hwsim.hw.costs.storage import Storage, literature_of, literature_words, storage_of

STAGES = ((1, 16, 1), (6, 24, 2), (6, 32, 3), (6, 64, 4), (6, 96, 3), (6, 160, 3), (6, 320, 1))


def resnet18():
    """(weights of the inner layers, of the first convolution and the classifier)."""
    inner, ic = 0, 64
    for oc in (64, 128, 256, 512):
        inner += ic * oc * 9 + 3 * oc * oc * 9 + (ic * oc if ic != oc else 0)
        ic = oc
    return inner, 64 * 3 * 49 + 512 * 1000


def mobilenet_v2():
    inner, ic = 0, 32
    for expand, oc, blocks in STAGES:
        for _ in range(blocks):
            wide = ic * expand
            inner += (ic * wide if expand > 1 else 0) + wide * 9 + wide * oc
            ic = oc
    return inner + 320 * 1280, 32 * 3 * 9 + 1280 * 1000


@pytest.mark.parametrize(("network", "millions", "counts"), [
    (resnet18, "11.68", {"0.15": "1.73", "0.1": "1.66", "0.05": "1.59"}),
    (mobilenet_v2, "3.47", {"0.5": "0.73", "0.4": "0.70", "0.35": "0.69"})])
def test_the_literature(network, millions, counts):
    inner, edges = network()
    assert f"{(inner + edges) / 1e6:.2f}" == millions
    for ratio, expected in counts.items():
        assert f"{float(literature_words(inner, edges, 3, ratio)) / 1e6:.2f}" == expected


def test_words_and_flags():
    flags = np.zeros((2, 2, 3, 3), bool)
    flags[1, 1, 0, 0] = flags[0, 0, 1, 1] = True
    node = conv((8, 8, 20), 24, w_format="stlq", w_bits=4, words=2, flags=flags)
    found = storage_of(node, Device(w_format="stlq", w_bits=4))
    assert found == Storage(24 * 9 * 20, 8 * 4 + 16 * 16, 4, 36)
    assert found.bits == (4320 + 288) * 4 + 36
    assert storage_of(conv((8, 8, 20), 24), Device()) == Storage(4320, 0, 8, 0)


def test_the_literature_of_each_layer():
    """Edges 8 bits whatever they hold, inner layers N bits per word, second words as chosen."""
    layers = [Storage(100, 50, 4, 3), Storage(320, 80, 4, 3), Storage(64, 0, 4, 1)]
    assert literature_of(layers) == [25, 50, 16]
    assert literature_of(layers[:1]) == [25]
