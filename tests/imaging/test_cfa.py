"""Filter patterns against literal mosaics, and the refusal of illegal ones."""

import re

import numpy as np
import pytest

from hwsim.errors import FileError, UsageError
from hwsim.imaging.cfa import PATTERNS, mosaic, pattern, white

# Red is 100s, green 200s, blue 300s, the pixel's number the rest; so W = 200 + number.
RGB = np.arange(16).reshape(4, 4, 1) + np.array([100, 200, 300])

EXPECTED = {
    "rggb": [[100, 201, 102, 203], [204, 305, 206, 307], [108, 209, 110, 211], [212, 313, 214, 315]],
    "bggr": [[300, 201, 302, 203], [204, 105, 206, 107], [308, 209, 310, 211], [212, 113, 214, 115]],
    "grbg": [[200, 101, 202, 103], [304, 205, 306, 207], [208, 109, 210, 111], [312, 213, 314, 215]],
    "gbrg": [[200, 301, 202, 303], [104, 205, 106, 207], [208, 309, 210, 311], [112, 213, 114, 215]],
    "rgbw": [[200, 201, 202, 103], [204, 205, 106, 207], [208, 309, 210, 211], [312, 213, 214, 215]],
}


@pytest.mark.parametrize("name", PATTERNS)
def test_literal_mosaic(name):
    codes = mosaic(RGB, PATTERNS[name])
    assert codes.dtype == RGB.dtype
    np.testing.assert_array_equal(codes[..., 0], EXPECTED[name])


def test_rgbw_names_green_and_white_sites_apart():
    rgb = np.broadcast_to(np.array([10, 20, 60]), (4, 4, 3))        # W = 30
    np.testing.assert_array_equal(mosaic(rgb, pattern("rgbw"))[..., 0], [
        [30, 20, 30, 10], [20, 30, 10, 30], [30, 60, 30, 20], [60, 30, 20, 30]])


def test_the_pattern_tiles_batches_from_their_top_left_pixel():
    tall = np.tile(RGB, (2, 3, 1))[:7, :9]
    batch = mosaic(np.stack([tall, tall]), PATTERNS["rgbw"])
    assert batch.shape == (2, 7, 9, 1)
    np.testing.assert_array_equal(batch[1, ..., 0], np.tile(EXPECTED["rgbw"], (2, 3))[:7, :9])


def test_integer_white_rounds_to_nearest():
    sums = np.array([[0, 0, 0], [0, 0, 1], [0, 1, 1], [1, 1, 1], [1023, 1023, 1022], [255, 254, 254]], np.uint16)
    np.testing.assert_array_equal(white(sums), [0, 0, 1, 1, 1023, 254])


def test_uint8_white_does_not_wrap():
    np.testing.assert_array_equal(mosaic(np.full((1, 1, 3), 255, np.uint8), ("WRGB",)), [[[255]]])


def test_float_white_is_not_rounded():
    assert white(np.array([0.25, 0.5, 0.75])) == 0.5


def test_names_ignore_case():
    assert pattern("RGBW") == PATTERNS["rgbw"]


def test_pattern_file(tmp_path):
    file = tmp_path / "kodak.txt"
    file.write_text("W G W R\nG W R W\n\nw b w g\nBWGW\n")
    assert pattern(file) == pattern("rgbw")


@pytest.mark.parametrize("text, shown", [
    ("", "''"),
    ("R G\nG", "'RG / G'"),
    ("R G\nG X", "'RG / GX'"),
    ("R W\nW B", "'RW / WB'"),
    ("RGB" * 6, "'RGBRGBRGBRGBRGBRGB'"),
])
def test_bad_pattern_file(tmp_path, text, shown):
    file = tmp_path / "bad.txt"
    file.write_text(text)
    line = f"{file}: a cfa must be 1..16 equally long rows of R G B W with each of R, G, B, not {shown}"
    with pytest.raises(FileError, match=f"^{re.escape(line)}$"):
        pattern(file)


def test_binary_pattern_file(tmp_path):
    file = tmp_path / "bad.txt"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match=r"a cfa file must be plain text, not unreadable \(UnicodeDecodeError\)$"):
        pattern(file)


def test_unknown_name():
    with pytest.raises(UsageError, match="^cfa must be rggb, bggr, grbg, gbrg, rgbw or a text file, not xtrans$"):
        pattern("xtrans")


def test_a_grey_picture_makes_no_mosaic():
    with pytest.raises(UsageError, match=r"^a picture to mosaic must be \(\.\.\.,H,W,3\), not \(4, 4, 1\)$"):
        mosaic(np.zeros((4, 4, 1)), PATTERNS["rggb"])
