"""Vector operators of the fast engine: every operator, word, rounding and size equal to the reference, at the speed of memory."""
from math import prod

import numpy as np
import pytest

from hwsim.bench import vector as bench_vector
from hwsim.engine.context import Context, word_type
from hwsim.engine.fast import backend
from hwsim.engine.fast.table import run_node
from hwsim.engine.fast.vector import box, merge, moves, pointwise, pool, sweep, words
from hwsim.engine.kernels.target import ladder
from hwsim.engine.reference.table import run_node as reference
from hwsim.fixed.formats import Datapath, IntFormat, Rounding
from hwsim.graph.node import Node

SIZES = (1, 15, 16, 17)
PLAIN = [rounding for rounding in Rounding if rounding is not Rounding.GEMMLOWP]


def codes(shape, fmt, seed=0):
    """Random codes, of which many lie at the ends of the format."""
    r = np.random.default_rng(seed)
    drawn, ends = r.integers(fmt.min, fmt.max + 1, shape), r.choice([fmt.min, fmt.max, 0, -1 if fmt.signed else 1], shape)
    return np.where(r.integers(0, 3, shape) == 0, ends, drawn).astype(np.int32)


def check(op, shapes, words_in="i11", out="i11", rounding=Rounding.HALF_UP, mult_bits=16, **params):
    """The reference's codes and counters from both rungs, inputs in both types, on 1, 2 and 3 threads."""
    formats = [IntFormat.parse(word) for word in (words_in if isinstance(words_in, tuple) else (words_in,) * len(shapes))]
    node = Node.make("y", op, tuple(f"x{i}" for i in range(len(shapes))), **params)
    inputs = [codes(shape, fmt, i) for i, (shape, fmt) in enumerate(zip(shapes, formats))]
    datapath = Datapath(rounding=rounding, mult_bits=31 if rounding is Rounding.GEMMLOWP else mult_bits)
    expected, stats = reference(node, inputs, Context(datapath, tuple(formats), IntFormat.parse(out), True))
    narrow = [x.astype(word_type(fmt.min, fmt.max)) for x, fmt in zip(inputs, formats)]
    for threads, given in ((1, narrow), (2, narrow), (3, inputs), (1, [narrow[0], *inputs[1:]])):
        context = Context(datapath, tuple(formats), IntFormat.parse(out), True, threads)
        for rung in (backend.BEST, backend.INTERPRETED):
            y, found = run_node(node, given, context, rung)
            assert y.flags.c_contiguous and y.dtype in (np.int16, np.int32)
            assert y.shape == expected.shape
            np.testing.assert_array_equal(y, expected)
            assert found.clamped == stats.clamped
    return expected


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch, request):
    """Blocks of few values, so that small tensors have many."""
    if request.node.originalname != "test_floor":
        for module in (sweep, box, moves, pointwise):
            monkeypatch.setattr(module, "VALUES", 200)
        monkeypatch.setattr(merge, "STRIP", 150)
        monkeypatch.setattr(pool, "REDUCED", 1000)


def each(*values):
    return np.array(values, np.int64)


def ends(fmt="i11"):
    return {"lo": IntFormat.parse(fmt).min, "hi": IntFormat.parse(fmt).max}


@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize("word, m, shift", [
    ("i11", (40001, -30000), 16), ("i16", (65535, 65535), 17), ("i11", (3, 1), 1), ("i11", (1, 1), 0),
    ("i32", (65535, -65535), 40), ("i16", (-7, 9), 45)])
def test_add(rounding, word, m, shift):
    if rounding is Rounding.GEMMLOWP:
        m, shift = tuple(value << 15 for value in m), max(shift, 31) + 2
    for size in SIZES:
        check("qadd", ((2, 3, 5, size),) * 2, word, rounding=rounding, mult_bits=31, m=each(*m), shift=shift, **ends())


@pytest.mark.parametrize("rounding", Rounding)
def test_add_of_one_and_of_many(rounding):
    shift = 33 if rounding is Rounding.GEMMLOWP else 16
    for m in ((50000,), (20000, -30000, 40000), (1, 2, 3, 4, 5)):
        check("qadd", ((1, 4, 5, 7),) * len(m), rounding=rounding, m=each(*m), shift=shift, **ends())


@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize("word, m, shift", [("i11", 40001, 26), ("i16", 65535, 32), ("i11", 1, 1), ("i11", 5, 0), ("i11", 0, 7),
                                            ("i16", (1 << 31) - 1, 50), ("i31", (1 << 31) - 1, 62), ("i32", 3, 62)])
def test_multiply(rounding, word, m, shift):
    for size in SIZES:
        check("qmul", ((2, 3, 5, size),) * 2, word, rounding=rounding, mult_bits=31, m=m,
              shift=max(shift, 31) if rounding is Rounding.GEMMLOWP else shift, **ends())


@pytest.mark.parametrize("op", ["qmaximum", "qminimum"])
@pytest.mark.parametrize("rounding", Rounding)
def test_extremes(op, rounding):
    low = 31 if rounding is Rounding.GEMMLOWP else 0
    for word in ("i11", "i16", "i32"):
        check(op, ((2, 3, 5, 17),) * 2, word, rounding=rounding, m=each(1, 40000), shift=each(0, 16 + low), **ends())
    check(op, ((2, 3, 5, 3),) * 3, rounding=rounding, m=each(3, 1, 50000), shift=each(1 + low, 0, 17 + low), **ends())


@pytest.mark.parametrize("op", ["qadd", "qmul", "qmaximum"])
@pytest.mark.parametrize("other", [(2, 1, 1, 6), (2, 5, 9, 1), (2, 5, 1, 6), (2, 1, 9, 1), (2, 1, 1, 1), (2, 1, 9, 6)])
def test_broadcast(op, other):
    shift = {"qadd": 16, "qmul": 26, "qmaximum": each(16, 16)}[op]
    m = 40001 if op == "qmul" else each(30000, 50000)
    for shapes in (((2, 5, 9, 6), other), (other, (2, 5, 9, 6)), (other, (2, 5, 1, 1)), ((2, 1, 1, 6), (2, 5, 9, 1))):
        check(op, shapes, m=m, shift=shift, **ends())


@pytest.mark.parametrize("shapes", [
    ((3, 7), (3, 1)), ((3, 1), (3, 7)), ((2, 5, 7), (2, 1, 7)), ((2, 5, 7), (2, 5, 1)), ((2, 1, 2, 3, 4), (2, 5, 2, 1, 4))])
def test_broadcast_of_other_ranks(shapes):
    check("qadd", shapes, m=each(30000, 50000), shift=16, **ends())


@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize("channels", [(1, 3), (16, 17), (64, 64), (4, 1, 8)])
def test_concat(rounding, channels):
    low = 31 if rounding is Rounding.GEMMLOWP else 0
    shapes = [(2, 5, 7, c) for c in channels]
    for m in ((1,) * len(shapes), (1, 30000, 70)[:len(shapes)], (50000,) * len(shapes)):
        shift = each(*(0 if value == 1 else 15 + low for value in m))
        for fmt in ("i11", "i9"):
            check("qconcat", shapes, rounding=rounding, axis=3, m=each(*m), shift=shift, **ends(fmt))


@pytest.mark.parametrize("axis", [1, 2, 3])
def test_concat_along_any_axis(axis):
    shapes = [tuple(3 + i if a == axis else size for a, size in enumerate((2, 4, 5, 6))) for i in range(3)]
    check("qconcat", shapes, ("i11", "i16", "i11"), "i16", axis=axis, m=each(1, 1, 3), shift=each(0, 0, 1), **ends("i16"))
    check("qconcat", shapes, axis=axis, m=each(1, 1, 1), shift=each(0, 0, 0), lo=-(1 << 31), hi=(1 << 31) - 1)
    check("qconcat", [shape[:axis + 1] for shape in shapes], axis=axis, m=each(1, 1, 1), shift=each(0, 0, 0), **ends())


@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize("word", ["i11", "i16", "i32"])
def test_prelu(rounding, word):
    r, low = np.random.default_rng(1), 31 if rounding is Rounding.GEMMLOWP else 0
    for shape, place in (((2, 6, 5, 17), (17,)), ((2, 6, 5, 3), (6, 5, 3)), ((3, 16), (16,)), ((2, 9, 9, 3), (9, 9, 3))):
        check("qprelu", (shape,), word, rounding=rounding, m_pos=r.integers(0, 65536, place),
              m_neg=r.integers(-65535, 65536, place), shift=r.integers(low, low + 20, place), **ends())


@pytest.mark.parametrize("word, out", [
    ("i11", "i11"), ("i16", "i8"), ("u16", "i16"), ("u10", "u16"), ("i8n", "i20"), ("i17", "i9")])
def test_table(word, out):
    read, made = IntFormat.parse(word), IntFormat.parse(out)
    entries = np.random.default_rng(1).integers(made.min, made.max + 1, read.max - read.min + 1)
    for size in SIZES:
        check("qtable", ((2, 3, 7, size),), word, out, table=entries)


WINDOWS = [((2, 2), (2, 2), (0, 0, 0, 0)), ((3, 3), (1, 1), "same"), ((3, 2), (3, 1), (2, 0, 1, 1)),
           ((1, 3), (1, 1), (0, 0, 2, 0)), ((1, 1), (2, 3), (0, 0, 0, 0)), ((5, 4), (2, 3), "same"),
           ((9, 11), (1, 1), (0, 0, 0, 0))]


@pytest.mark.parametrize("kernel, stride, padding", WINDOWS)
@pytest.mark.parametrize("channels", [1, 3, 17])
def test_max_pool(kernel, stride, padding, channels):
    for word, out in (("i11", "i11"), ("i16", "i16"), ("u16", "i20"), ("i11", "i32")):
        check("max_pool", ((2, 9, 11, channels),), word, out, kernel=kernel, stride=stride, padding=padding)


@pytest.mark.parametrize("kernel, stride, padding", WINDOWS)
@pytest.mark.parametrize("rounding", Rounding)
def test_average_pool(kernel, stride, padding, rounding):
    taps, low = np.arange(1, prod(kernel) + 1), 31 if rounding is Rounding.GEMMLOWP else 0
    for channels, word in ((1, "i11"), (3, "i16"), (17, "i11"), (3, "i32")):
        check("qavg_pool", ((2, 9, 11, channels),), word, rounding=rounding, kernel=kernel, stride=stride, padding=padding,
              taps=taps[::-1], m=(65535 // taps)[::-1], shift=np.full(len(taps), 15 + low), **ends())


def test_global_pools_sum_in_64_bits():
    for word in ("i11", "i16", "i32"):
        check("global_max_pool", ((2, 9, 11, 5),), word, word, keepdims=True)
        check("global_max_pool", ((2, 9, 11, 5),), word, word, keepdims=False)
        check("qavg_pool", ((1, 1500, 70, 3),), word, kernel=(1500, 70), stride=(1, 1), padding=(0, 0, 0, 0), taps=each(105000),
              m=each(40000), shift=each(32), **ends())


@pytest.mark.parametrize("rounding", PLAIN)
@pytest.mark.parametrize("factor", [(1, 1), (2, 2), (4, 4), (3, 3), (2, 5), (1, 3)])
def test_bilinear(rounding, factor):
    for shape, word in (((2, 5, 4, 3), "i11"), ((1, 1, 1, 17), "i11"), ((1, 3, 4, 16), "i16"), ((1, 2, 3, 1), "i32")):
        check("qbilinear", (shape,), word, rounding=rounding, factor=factor, **ends("i10"))
    check("qbilinear", ((1, 4, 3, 3),), rounding=rounding, factor=factor, lo=-(1 << 31), hi=(1 << 31) - 1)


@pytest.mark.parametrize("channels", [1, 3, 4, 8, 17, 64])
def test_moves(channels):
    for word in ("i11", "i20"):
        shape = (2, 6, 12, channels)
        for block in (1, 2, 3):
            check("space_to_depth", (shape,), word, word, block=block)
            for order in ("DCR", "CRD"):
                check("depth_to_space", ((2, 6, 5, channels * block ** 2),), word, word, block=block, order=order)
        for factor in ((1, 1), (2, 2), (3, 1), (1, 3)):
            check("upsample_nearest", (shape,), word, word, factor=factor)
        check("pad", (shape,), word, word, pad=(1, 2, 3, 0))
        check("crop", (shape,), word, word, crop=(1, 2, 3, 0))
        check("identity", (shape,), word, word)
        for axis in (1, 2, 3):
            check("slice", (shape,), word, word, axis=axis, start=shape[axis] // 3, stop=shape[axis] - shape[axis] // 4)


def test_types_follow_the_codes():
    """int16 where the clamp, or else the format, allows it; moves keep what they get."""
    context = Context(Datapath(), (IntFormat(11),), IntFormat(11))
    wide, narrow = np.zeros((1, 4, 4, 2), np.int32), np.zeros((1, 4, 4, 2), np.int16)

    def made(x, op, **params):
        return run_node(Node.make("y", op, ("x",), **params), [x], context)[0].dtype
    assert made(wide, "qadd", m=each(1), shift=0, **ends()) == np.int16
    assert made(narrow, "qbilinear", factor=(2, 2), lo=-(1 << 31), hi=(1 << 31) - 1) == np.int32
    assert made(wide, "max_pool", kernel=(2, 2), stride=(2, 2), padding="same") == np.int16
    assert [made(x, "space_to_depth", block=2) for x in (wide, narrow)] == [np.int32, np.int16]


def test_words_are_the_narrowest_that_are_proved():
    end = (1 << 31) - 1
    assert [words.word_of(largest, 1, Rounding.HALF_UP) for largest in (end - 1, end)] == [np.int32, np.int64]
    assert words.word_of((1 << 63) - 1, 1, Rounding.HALF_UP) is None
    assert words.word_of(1, 40, Rounding.GEMMLOWP) is None
    assert words.cut_of([[(1 << 20, 65535)]], 26, Rounding.HALF_UP)[0] is np.int32
    assert words.cut_of([[(1 << 62, 65535)]], 0, Rounding.HALF_UP) is None


@pytest.mark.speed
@pytest.mark.skipif(not ladder(), reason="needs compiled passes on x86")
@pytest.mark.parametrize("op, floor", [("qadd", 0.2), ("depth_to_space", 0.12), ("qtable", 0.1)])
def test_floor(op, floor):
    """A fraction of the rate of a plain copy of as many bytes: a median of nine in turns, and where it is below, one more."""
    case = next(case for case in bench_vector.CASES if case.op == op)
    fractions = [bench_vector.measured(9, (case,))[0].of_copy]
    if fractions[0] < floor:
        fractions.append(bench_vector.measured(9, (case,))[0].of_copy)
    said = f"{op} of a copy: {', '.join(f'{value:.3f}' for value in fractions)} (floor {floor:.2f})"
    print(said)
    assert max(fractions) >= floor, said
