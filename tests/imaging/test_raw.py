"""Raw frames: literal bytes, exact sizes, and the real frame."""

import hashlib
import re

import numpy as np
import pytest
from helpers.shared_data import DATA, needs_data

from hwsim.errors import FileError, UsageError
from hwsim.imaging.cfa import PATTERNS
from hwsim.imaging.demosaic import bilinear
from hwsim.imaging.raw import normalised, read_raw

RAW = DATA / "raw"
FRAMES = {name: f"DSC_1339_768x512_{name}.raw" for name in ("rggb", "bggr")}


def test_two_bytes_little_end_first(tmp_path):
    (tmp_path / "a.raw").write_bytes(b"\x01\x00\xff\x03\x00\x02\x10\x00")
    samples, values = read_raw(tmp_path / "a.raw", 4, 1, 10)
    np.testing.assert_array_equal(samples, [[[1], [1023], [512], [16]]])
    assert samples.dtype == np.int64
    np.testing.assert_array_equal(values, samples / 1023)


def test_one_byte_up_to_8_bits(tmp_path):
    (tmp_path / "a.raw").write_bytes(bytes([0, 5, 250, 255]))
    samples, values = read_raw(tmp_path / "a.raw", 2, 2, 8, black=5, white=250)
    np.testing.assert_array_equal(samples[..., 0], [[0, 5], [250, 255]])
    np.testing.assert_array_equal(values[..., 0], [[0, 0], [1, 1]])


def test_normalised():
    np.testing.assert_array_equal(normalised(np.array([599, 600, 8060, 15520, 16383]), 600, 15520), [0, 0, 0.5, 1, 1])


@pytest.mark.parametrize("size, bits, line", [
    ((4, 2), 14, "4x2 samples of 2 byte(s) must be 16 bytes, not 8"),
    ((3, 1), 14, "3x1 samples of 2 byte(s) must be 6 bytes, not 8"),
    ((4, 1), 8, "4x1 samples of 1 byte(s) must be 4 bytes, not 8"),
    ((4, 1), 9, "samples must be 0..511, not 1023 in row 0, column 1"),
])
def test_a_frame_that_does_not_fit(tmp_path, size, bits, line):
    path = tmp_path / "a.raw"
    path.write_bytes(b"\x01\x00\xff\x03\x00\x02\x10\x00")
    with pytest.raises(FileError, match=f"^{re.escape(f'{path}: {line}')}$"):
        read_raw(path, *size, bits)


def test_missing_frame(tmp_path):
    with pytest.raises(FileError, match=r"a raw frame must be a readable file, not no such file or directory$"):
        read_raw(tmp_path / "a.raw", 2, 2, 10)


@pytest.mark.parametrize("arguments, line", [
    ((0, 2, 10), "a raw frame must be at least 1x1 pixels, not 0x2"),
    ((2, 2, 17), "raw bits must be 1..16, not 17"),
    ((2, 2, 0), "raw bits must be 1..16, not 0"),
    ((2, 2, 10, 5, 5), "raw levels must be 0 <= black < white < 2^10, not black 5 and white 5"),
    ((2, 2, 10, 0, 1024), "raw levels must be 0 <= black < white < 2^10, not black 0 and white 1024"),
])
def test_illegal_arguments(arguments, line):
    with pytest.raises(UsageError, match=f"^{re.escape(line)}$"):
        read_raw("a.raw", *arguments)


@needs_data(f"raw/{FRAMES['rggb']}")
def test_the_real_frame():
    samples, values = read_raw(RAW / FRAMES["rggb"], 768, 512, 14, black=600, white=15520)
    assert samples.shape == values.shape == (512, 768, 1)
    assert (samples.min(), samples.max(), len(np.unique(samples))) == (616, 16383, 10319)
    assert (values.min(), values.max()) == (16 / 14920, 1)
    digest = hashlib.sha256(samples.astype("<u2").tobytes()).hexdigest()
    assert digest == "eb50777212e9535a60504a481e551679ace97cc6600638376cb935319ed63093"


@needs_data(*(f"raw/{file}" for file in FRAMES.values()))
def test_the_two_real_frames_are_one_picture_with_red_and_blue_exchanged():
    first, second = (bilinear(read_raw(RAW / file, 768, 512, 14)[0], PATTERNS[name]) for name, file in FRAMES.items())
    # The samples of R and B moved by one pixel with the exchange, so only their means agree closely.
    np.testing.assert_allclose(first.mean(axis=(0, 1)), second.mean(axis=(0, 1)), rtol=2e-3)
    np.testing.assert_array_equal(first[..., 1], second[..., 1])
