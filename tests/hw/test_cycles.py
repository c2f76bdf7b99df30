"""Every check value of the device's law, literally, and the reports that stand on the closed form."""
from fractions import Fraction

import numpy as np
import pytest

from helpers.array_layers import conv
from hwsim.graph.node import Graph, Node
from hwsim.hw.config import load_device, override
from hwsim.hw.costs.cycles import array_cycles, schedule
from hwsim.hw.costs.network_cycles import image_shapes
from hwsim.ops.cut import cut
from hwsim.pipeline.cycles import float_cycles
from hwsim.quantization.config import Config
from hwsim.quantization.prepare import prepare

SENSOR = load_device()


def cycles(in_shape, oc, device=SENSOR, **options):
    node = conv(in_shape, oc, **options)
    return array_cycles(cut(node, (1, *in_shape))[0].layer, device)


def float_conv(name, source, oc, ic, kernel, stride=1, groups=1, pad=None):
    rng = np.random.default_rng(oc)
    return Node.make(name, "conv2d", (source,), weights=rng.standard_normal((oc, kernel, kernel, ic)), bias=np.zeros(oc),
                     stride=(stride, stride), groups=groups, padding=(kernel // 2,) * 4 if pad is None else pad)


def resnet18():
    """The layer sizes of ResNet-18: 20 convolutions and the classifier."""
    nodes = [Node.make("image", "input", shape=(224, 224, 3)), float_conv("conv1", "image", 64, 3, 7, 2),
             Node.make("pool", "max_pool", ("conv1",), kernel=(3, 3), stride=(2, 2), padding=(1, 1, 1, 1))]
    source, ic = "pool", 64
    for stage, oc in enumerate((64, 128, 256, 512)):
        for block in range(2):
            name, stride, short = f"s{stage}b{block}", 2 if stage and not block else 1, source
            nodes += [float_conv(f"{name}.a", source, oc, ic, 3, stride), float_conv(f"{name}.b", f"{name}.a", oc, oc, 3)]
            if ic != oc:
                short = f"{name}.short"
                nodes.append(float_conv(short, source, oc, ic, 1, stride))
            nodes.append(Node.make(name, "add", (f"{name}.b", short)))
            source, ic = name, oc
    nodes += [Node.make("mean", "global_avg_pool", (source,), keepdims=False),
              Node.make("fc", "dense", ("mean",), weights=np.zeros((1000, 512)), bias=np.zeros(1000))]
    return prepare(Graph(tuple(nodes), ("image",), ("fc",)))


@pytest.mark.parametrize(("expected", "in_shape", "oc", "options"), [
    (2310, (8, 8, 20), 24, {}),
    (2313, (8, 8, 20), 24, {"unfolded": True}),
    (573, (9, 7, 3), 5, {}),
    (1734, (8, 8, 40), 40, {"groups": 40})])
def test_small_layers(expected, in_shape, oc, options):
    assert cycles(in_shape, oc, **options).total == expected


@pytest.mark.parametrize(("two_word", "expected"), [(0, 18_662_400), (22, 21_513_600), (144, 37_324_800)])
def test_two_word_tiles_of_a_large_layer(two_word, expected):
    flags = (np.arange(144) < two_word).reshape(4, 4, 3, 3)
    found = cycles((480, 270, 64), 64, w_format="stlq", w_bits=4, words=2, flags=flags)
    assert (found.total - 6, found.two_word_tiles) == (expected, two_word)


def test_256_channels():
    assert cycles((480, 270, 256), 256).total - 6 == 298_598_400


def test_resnet18():
    graph = resnet18()
    cycles = float_cycles(graph, image_shapes(graph), SENSOR)
    convs = [layer for layer in cycles.layers if layer.op == "qconv2d"]
    beats = sum(layer.cycles - 6 for layer in convs)
    assert (len(convs), beats) == (20, 9_081_856)
    assert sum(layer.macs for layer in convs) * 1000 // (256 * beats) == 780
    assert cycles.cycles == sum(layer.cycles for layer in cycles.layers)
    assert cycles.frames_per_second == Fraction(10 ** 9, cycles.cycles)


@pytest.mark.parametrize(("shape", "tiles"), [((64, 3, 3, 64), 144), ((64, 7, 7, 3), 196), ((256, 3, 3, 256), 2304)])
def test_tiles_of_a_kernel(shape, tiles):
    oc, *kernel, ic = shape
    assert cycles((8, 8, ic), oc, kernel=tuple(kernel)).kernel_tiles == tiles


def test_peak_of_diannao():
    device = load_device("diannao")
    assert device.peak_ops == 256 + 240
    tenths = device.peak_ops * device.clock_hz * 10 * Fraction(1, 1 << 30)
    assert round(tenths) == 4527


def test_schedule_in_numbers():
    """Load 10 per tile, 4 cycles of work: the array waits; the bank of tile t-2 frees when that tile ends."""
    assert schedule([1, 1, 1], 4, 100, 10) == ((1, 10, 10, 14), (1, 10, 20, 24), (1, 10, 30, 34))
    assert schedule([1, 1, 1, 1], 25, 100, 10) == ((1, 10, 10, 35), (1, 10, 35, 60), (1, 10, 60, 85), (1, 10, 85, 110))
    assert schedule([2, 3], 5, 100, 0) == ((2, 0, 0, 10), (3, 0, 10, 25))


def test_rowpack_and_its_advice():
    plain, packed = cycles((8, 8, 3), 16), cycles((8, 8, 3), 16, rowpack=True)
    assert (plain.issue, packed.issue) == (64 * 9, 64 * 3)
    graph = prepare(Graph((Node.make("x", "input", shape=(8, 8, 3)), float_conv("c", "x", 16, 3, 3)), ("x",), ("c",)))
    (layer,) = float_cycles(graph, image_shapes(graph), SENSOR).layers
    assert (layer.limit, layer.advice) == ("few channels: 3 inputs on 16 lanes", "rowpack takes 198 cycles")
    (layer,) = float_cycles(graph, image_shapes(graph), SENSOR, Config(rowpack=True)).layers
    assert layer.cycles == 198


def test_advice_for_few_channels_is_what_the_layer_can_do():
    """Only a first layer with linear weights packs its rows; one that does is told how many channels are free."""
    graph = prepare(Graph((Node.make("x", "input", shape=(8, 8, 3)), float_conv("first", "x", 5, 3, 7),
                           float_conv("inner", "first", 64, 5, 3)), ("x",), ("inner",)))
    for config, device in ((Config(), SENSOR), (Config(weights="stlq"), override(SENSOR, w_format="stlq", w_bits=4))):
        inner = float_cycles(graph, image_shapes(graph), device, config).layers[1]
        assert (inner.limit, inner.advice) == ("few channels: 5 inputs on 16 lanes",
                                               "input channels up to the next multiple of 16 take no more cycles")
    wide = prepare(Graph((Node.make("x", "input", shape=(32, 32, 3)), float_conv("c", "x", 16, 3, 7)), ("x",), ("c",)))
    (packed,) = float_cycles(wide, image_shapes(wide), SENSOR, Config(rowpack=True)).layers
    assert (packed.limit, packed.advice) == ("few channels: 21 inputs of a kernel row on 32 lanes",
                                             "up to 4 input channels take no more cycles")
    assert packed.cycles == 32 * 32 * 7 * 2 + 6


def vector_graph():
    return Graph((Node.make("x", "input", shape=(None, None, 20)), float_conv("dw", "x", 20, 1, 3, groups=20),
                  float_conv("grouped", "dw", 40, 5, 1, groups=4),
                  Node.make("up", "bilinear", ("grouped",), factor=(2, 2)), Node.make("d2s", "depth_to_space", ("up",), block=2),
                  Node.make("pool", "avg_pool", ("d2s",), kernel=(2, 3), stride=(2, 3), padding=(0, 0, 0, 0)),
                  Node.make("sig", "unary", ("pool",), function="sigmoid", args=())), ("x",), ("sig",))


def test_every_unit():
    graph = prepare(vector_graph())
    layers = {layer.name: layer for layer in float_cycles(graph, image_shapes(graph, (6, 6)), SENSOR).layers}
    assert {name: (layer.unit, layer.cycles) for name, layer in layers.items()} == {
        "dw": ("array", 36 * 9 * 2 + 6), "grouped": ("array", 4 * (36 + 6)), "up": ("vector", 144 * 3 * 4),
        "d2s": ("address", 0), "pool": ("vector", 12 * 8 * 6), "sig": ("vector", 96)}
    assert layers["dw"].utilization == Fraction(36 * 9 * 20, 256 * 654)
    assert layers["dw"].limit == "depthwise: a column uses 1 of its 16 multipliers"
    assert layers["grouped"].limit == "few channels: 5 inputs of each group on 16 lanes"


def test_gap_counts_groups_and_phases():
    graph = prepare(vector_graph())
    plain = float_cycles(graph, image_shapes(graph, (6, 6)), SENSOR)
    gapped = float_cycles(graph, image_shapes(graph, (6, 6)), override(SENSOR, gap=100))
    assert (plain.array_layers, gapped.cycles - plain.cycles) == (5, 400)


def test_transposed_phases_and_their_macs():
    up = Node.make("up", "conv2d_transpose", ("x",), weights=np.zeros((4, 1, 1, 8)), bias=np.zeros(4), stride=(2, 2),
                   crop=(0, 0, 0, 0))
    graph = Graph((Node.make("x", "input", shape=(5, 5, 8)), up), ("x",), ("up",))
    (layer,) = float_cycles(graph, image_shapes(graph), SENSOR).layers
    assert (layer.out_shape, len(layer.parts), layer.macs) == ((1, 9, 9, 4), 4, 25 * 4 * 8)
    assert layer.cycles == 25 + 20 + 20 + 16 + 4 * 6


def test_memory():
    device = override(SENSOR, dma_bits=64, sb_kb=9, nbin_kb=1, nbout_kb=1)
    graph = prepare(Graph((Node.make("x", "input", shape=(8, 8, 20)), float_conv("c", "x", 24, 20, 3)), ("x",), ("c",)))
    (layer,) = float_cycles(graph, image_shapes(graph), device).layers
    t = layer.traffic
    assert (t.weights, t.inputs, t.outputs) == (2 * 18 * 2048, 64 * 2 * 176, 64 * 2 * 176)
    assert t.line_buffer == 2 * 8 * 20 * 11
    assert t.need == {"sb": 2 * 18 * 2048, "nbin": 3 * 8 * 2 * 176, "nbout": 8 * 176}
    assert t.fit == {"sb": True, "nbin": False, "nbout": True}


def test_bandwidth_limit_and_advice():
    graph = prepare(Graph((Node.make("x", "input", shape=(2, 2, 64)), float_conv("c", "x", 64, 64, 3)), ("x",), ("c",)))
    (slow,) = float_cycles(graph, image_shapes(graph), override(SENSOR, dma_bits=64)).layers
    assert slow.limit == f"weights' bandwidth: {slow.stall_cycles} of {slow.cycles} cycles wait for weights at 64 bits per cycle"
    assert slow.advice == "dma_bits 512 hides every load but the first"
    (fast,) = float_cycles(graph, image_shapes(graph), override(SENSOR, dma_bits=512)).layers
    assert fast.stall_cycles == 36 * 2048 // 512


def test_flags_of_a_float_graph():
    config = Config(weights="stlq", weight_bits=4, two_word_ratio=0.15)
    device = override(SENSOR, w_format="stlq", w_bits=4)
    graph = prepare(Graph((Node.make("x", "input", shape=(480, 270, 64)), float_conv("c", "x", 64, 64, 3)), ("x",), ("c",)))
    (layer,) = float_cycles(graph, image_shapes(graph), device, config).layers
    assert (layer.two_word_tiles, layer.tiles, layer.cycles) == (22, 144, 21_513_606)
