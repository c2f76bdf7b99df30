"""Pictures: round trips, literal bytes, and one line for every damaged or unsuitable file."""

import importlib
import re
import struct
import zlib

import numpy as np
import pytest

from hwsim.errors import FileError, MissingExtraError, UsageError
from hwsim.imaging.picture import read_picture, write_picture

RNG = np.random.default_rng(3)


def random_codes(bits, channels, size=(5, 7)):
    dtype = np.uint16 if bits > 8 else np.uint8
    return RNG.integers(0, 1 << bits, (*size, channels)).astype(dtype)


def assert_picture(path, codes, bits):
    read, read_bits = read_picture(path)
    assert (read.dtype, read_bits) == (codes.dtype, bits)
    np.testing.assert_array_equal(read, codes)


def without_packages(monkeypatch):
    def absent(name):
        raise ImportError(name)
    monkeypatch.setattr(importlib, "import_module", absent)


@pytest.mark.parametrize("bits", [1, 7, 8, 9, 10, 16])
@pytest.mark.parametrize("channels, suffix", [(1, ".pgm"), (3, ".ppm")])
def test_pixmap_round_trip(tmp_path, monkeypatch, bits, channels, suffix):
    without_packages(monkeypatch)
    codes = random_codes(bits, channels)
    path = write_picture(tmp_path / f"a{suffix}", codes / ((1 << bits) - 1), bits)
    assert path == tmp_path / f"a{suffix}"
    assert_picture(path, codes, bits)
    assert list(tmp_path.iterdir()) == [path]


def test_pixmap_bytes(tmp_path):
    values = np.array([[[0.0, 0.5, 1.0], [-1.0, 2.0, 0.25]]])
    path = write_picture(tmp_path / "a.ppm", values, 8)
    assert path.read_bytes() == b"P6\n2 1\n255\n\x00\x80\xff\x00\xff\x40"
    path = write_picture(tmp_path / "a.pgm", np.array([[[1.0], [0.5]]]), 10)
    assert path.read_bytes() == b"P5\n2 1\n1023\n\x03\xff\x02\x00"


def test_pixmap_header_with_comments(tmp_path):
    (tmp_path / "a.pgm").write_bytes(b"P5 # camera\n2\t1 # size\n# peak\n255\n\x0a\x20")
    assert_picture(tmp_path / "a.pgm", np.array([[[10], [32]]], np.uint8), 8)


@pytest.mark.parametrize("bits, channels", [(8, 1), (8, 3), (16, 1)])
def test_png_round_trip(tmp_path, bits, channels):
    pytest.importorskip("PIL.Image")
    codes = random_codes(bits, channels)
    path = write_picture(tmp_path / "a.png", codes / ((1 << bits) - 1), bits)
    assert path.suffix == ".png"
    assert_picture(path, codes, bits)


@pytest.mark.parametrize("bits, channels, suffix", [(10, 1, ".pgm"), (10, 3, ".ppm"), (16, 3, ".ppm")])
def test_what_png_cannot_hold_becomes_a_pixmap(tmp_path, bits, channels, suffix):
    codes = random_codes(bits, channels)
    path = write_picture(tmp_path / "a.png", codes / ((1 << bits) - 1), bits)
    assert path == tmp_path / f"a{suffix}"
    assert_picture(path, codes, bits)


def test_without_pillow_png_becomes_a_pixmap(tmp_path, monkeypatch):
    without_packages(monkeypatch)
    assert write_picture(tmp_path / "a.png", np.zeros((2, 2, 3))) == tmp_path / "a.ppm"


@pytest.mark.parametrize("suffix, package", [(".png", "Pillow"), (".jpg", "Pillow"), (".tif", "tifffile")])
def test_a_missing_extra_says_what_to_install(tmp_path, monkeypatch, suffix, package):
    (tmp_path / f"a{suffix}").write_bytes(b"x")
    without_packages(monkeypatch)
    line = f"{package} must be installed for this, not missing: pip install 'hwsim[images]'"
    with pytest.raises(MissingExtraError, match=f"^{re.escape(line)}$"):
        read_picture(tmp_path / f"a{suffix}")


@pytest.mark.parametrize("mode, channels", [("L", 1), ("RGB", 3), ("RGBA", 3), ("LA", 1), ("P", 3), ("1", 1)])
def test_png_modes(tmp_path, mode, channels):
    pil = pytest.importorskip("PIL.Image")
    pil.new("RGB", (4, 3), (255, 255, 255)).convert(mode).save(tmp_path / "a.png")
    assert_picture(tmp_path / "a.png", np.full((3, 4, channels), 255, np.uint8), 8)


def test_jpeg(tmp_path):
    pil = pytest.importorskip("PIL.Image")
    pil.new("RGB", (16, 8), (90, 90, 90)).save(tmp_path / "a.jpg")
    assert_picture(tmp_path / "a.jpg", np.full((8, 16, 3), 90, np.uint8), 8)


def test_cmyk_is_refused(tmp_path):
    pil = pytest.importorskip("PIL.Image")
    pil.new("CMYK", (8, 8)).save(tmp_path / "a.jpg")
    refuses(tmp_path / "a.jpg", "a picture must be grey or RGB, not CMYK")


def test_transparency_is_refused(tmp_path):
    pil = pytest.importorskip("PIL.Image")
    pil.new("RGBA", (8, 8), (1, 2, 3, 4)).save(tmp_path / "a.png")
    refuses(tmp_path / "a.png", "a picture must be opaque, not partly transparent")


def png(width, height, depth, colour, body=b""):
    """The bytes of a PNG with that header and that compressed body."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")


def test_16_bit_colour_png_is_refused(tmp_path):
    pytest.importorskip("PIL.Image")
    (tmp_path / "a.png").write_bytes(png(1, 1, 16, 2, bytes(7)))
    refuses(tmp_path / "a.png", "16-bit colour must be .tif or .ppm, not .png")


@pytest.mark.parametrize("size", [(1 << 16, 1 << 12), (1 << 14, 1 << 14)])
def test_a_bomb_is_refused(tmp_path, size):
    pytest.importorskip("PIL.Image")
    (tmp_path / "a.png").write_bytes(png(*size, 8, 2))
    with pytest.raises(FileError, match=r"a\.png: (a picture must have at most|must be a sound png picture, not image size)"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize("dtype, channels", [(np.uint8, 1), (np.uint8, 3), (np.uint16, 1), (np.uint16, 3)])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_tiff_round_trip(tmp_path, dtype, channels, planar):
    tifffile = pytest.importorskip("tifffile")
    codes = random_codes(8 * np.dtype(dtype).itemsize, channels)
    stored = codes[..., 0] if channels == 1 else codes if planar == "contig" else np.moveaxis(codes, -1, 0)
    photometric = "minisblack" if channels == 1 else "rgb"
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric=photometric, planarconfig=planar if channels == 3 else None)
    assert_picture(tmp_path / "a.tif", codes, 8 * codes.dtype.itemsize)


@pytest.mark.parametrize("stored, photometric, line", [
    (np.zeros((4, 4), np.float32), "minisblack", "a picture must hold 8- or 16-bit unsigned integers, not float32"),
    (np.zeros((4, 4), np.uint8), "miniswhite", "a picture must be grey or RGB, not MINISWHITE"),
    (np.zeros((2, 4, 4), np.uint8), "minisblack", "a picture must have one page, not 2"),
])
def test_unsuitable_tiff(tmp_path, stored, photometric, line):
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric=photometric)
    refuses(tmp_path / "a.tif", line)


def refuses(path, line):
    with pytest.raises(FileError, match=f"^{re.escape(f'{path}: {line}')}$"):
        read_picture(path)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "ppm", "pgm"])
@pytest.mark.parametrize("data", [b"", b"text, no picture\n", b"\x89PNG\r\n\x1a\n", b"II*\x00\xff\xff\xff\xff"])
def test_damaged_files_give_one_line(tmp_path, caplog, suffix, data):
    pytest.importorskip("PIL.Image")
    pytest.importorskip("tifffile")
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(data)
    with pytest.raises(FileError) as caught:
        read_picture(path)
    assert re.fullmatch(rf"{re.escape(str(path))}: .*must .*, not .+", str(caught.value))
    assert not caplog.records


@pytest.mark.parametrize("suffix", ["png", "tif", "ppm", "jpg"])
def test_truncated_files_give_one_line(tmp_path, suffix):
    pil = pytest.importorskip("PIL.Image")
    path = tmp_path / f"a.{suffix}"
    pil.fromarray(random_codes(8, 3, (64, 64))).save(path)
    path.write_bytes(path.read_bytes()[:-len(path.read_bytes()) // 3])
    with pytest.raises(FileError) as caught:
        read_picture(path)
    assert re.fullmatch(rf"{re.escape(str(path))}: .*must .*, not .+", str(caught.value))


@pytest.mark.parametrize("data, line", [
    (b"P3\n1 1\n255\n0 0 0\n", r"a pixmap must begin with P5 or P6, width, height and maximum, not b'P3\n1 1\n255\n0'"),
    (b"P5\n2 2\n255\n\x00\x00\x00", "2x2 pixels must be 4 bytes and at least one, not 3"),
    (b"P5\n2 2\n1023\n\x00\x00\x00\x00", "2x2 pixels must be 8 bytes and at least one, not 4"),
    (b"P5\n0 2\n255\n", "0x2 pixels must be 0 bytes and at least one, not 0"),
    (b"P5\n1 1\n100\n\x00", "the maximum of a pixmap must be 2^bits - 1 for 1..16 bits, not 100"),
    (b"P5\n1 1\n131071\n\x00", "the maximum of a pixmap must be 2^bits - 1 for 1..16 bits, not 131071"),
    (b"P5\n1 1\n1023\n\x04\x00", "values must be 0..1023, not 1024"),
])
def test_bad_pixmap(tmp_path, data, line):
    (tmp_path / "a.pgm").write_bytes(data)
    refuses(tmp_path / "a.pgm", line)


def test_missing_file(tmp_path):
    refuses(tmp_path / "a.png", "a picture must be a readable file, not missing")


def test_unknown_suffix(tmp_path):
    with pytest.raises(UsageError, match=r"a picture must be \.png .* \.pgm, not \.gif$"):
        read_picture(tmp_path / "a.gif")


@pytest.mark.parametrize("values, bits, line", [
    (np.zeros((2, 2)), 8, "a picture must be (H,W,1) or (H,W,3), not (2, 2)"),
    (np.zeros((2, 2, 4)), 8, "a picture must be (H,W,1) or (H,W,3), not (2, 2, 4)"),
    (np.zeros((2, 2, 1)), 17, "picture bits must be 1..16, not 17"),
    (np.full((2, 2, 1), np.nan), 8, "a picture must be finite, not hold NaN or Inf"),
])
def test_unwritable_values(tmp_path, values, bits, line):
    with pytest.raises(UsageError, match=f"^{re.escape(line)}$"):
        write_picture(tmp_path / "a.png", values, bits)
    assert not list(tmp_path.iterdir())


def test_unwritable_place(tmp_path):
    path = tmp_path / "none" / "a.ppm"
    with pytest.raises(FileError, match=f"^{re.escape(str(path))}: must be writable, not missing$"):
        write_picture(path, np.zeros((2, 2, 3)))
