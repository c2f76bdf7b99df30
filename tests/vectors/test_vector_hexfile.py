"""Hex words: against bitstring, word by word, and there and back."""
import time

import bitstring
import numpy as np
import pytest

from hwsim.vectors.write import hexfile


def lines_of(text, count):
    return np.frombuffer(text, np.uint8).reshape(count, -1)[:, :-1]


def test_literal_words():
    assert hexfile.pack([[1, -1], [-1024, 1023]], 11) == b"3ff801\n1ffc00\n"
    assert hexfile.pack([[1], [0]], 1) == b"1\n0\n"
    assert hexfile.pack([[-1, 0, 5]], 3) == b"147\n"


@pytest.mark.parametrize("lanes, bits", [(1, 1), (1, 32), (3, 5), (4, 8), (16, 11), (16, 17), (5, 48), (7, 33)])
def test_words_are_those_of_bitstring(lanes, bits):
    rng = np.random.default_rng(bits)
    words = rng.integers(-(1 << (bits - 1)), 1 << (bits - 1), (20, lanes))
    words[0], words[1], words[2] = -(1 << (bits - 1)), (1 << (bits - 1)) - 1, 0
    text = hexfile.pack(words, bits)
    for word, line in zip(words.tolist(), text.decode().split()):
        fields = "".join(bitstring.Bits(int=value, length=bits).bin for value in reversed(word))
        assert line == bitstring.Bits(bin="0" * (-len(fields) % 4) + fields).hex
    assert np.array_equal(hexfile.unpack(lines_of(text, 20), lanes, bits, True), words)
    assert np.array_equal(hexfile.unpack(lines_of(text, 20), lanes, bits, False), words & ((1 << bits) - 1))


@pytest.mark.parametrize("line", [b"00x", b"0A0", b"0g0", b"0 0", b"800"])
def test_other_characters_and_unused_bits_are_refused(line):
    assert hexfile.unpack(lines_of(line + b"\n", 1), 1, 11, True) is None


@pytest.mark.speed
def test_packing_is_fast():
    words = np.random.default_rng(0).integers(-1024, 1024, (60_000, 16))
    rates = []
    for _ in range(5):
        start = time.process_time()
        text = hexfile.pack(words, 11)
        rates.append(len(text) / (time.process_time() - start))
    print(f"hex: {max(rates) / 1e6:.0f} MB/s")
    assert max(rates) > 20e6
