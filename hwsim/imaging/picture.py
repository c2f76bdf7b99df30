"""Pictures in and out: .ppm and .pgm always; .png, .jpg and .tif with the extra `images`."""

import contextlib
import importlib
import io
import logging
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hwsim import files
from hwsim.errors import FileError, HwsimError, MissingExtraError, UsageError
from hwsim.imaging import pnm

MAX_PIXELS = 1 << 27
PNG_DEPTH, PNG_COLOUR = 24, 25          # byte offsets in the file
PNG_GREY = 0
TIFF_GREY, TIFF_RGB = 1, 2              # photometric tags


def read_picture(path: str | os.PathLike[str]) -> tuple[np.ndarray, int]:
    """(codes uint8 or uint16 (H,W,1|3), bits) of a picture file, as stored: no gamma, no EXIF rotation.

    Errors: FileError, UsageError for an unknown suffix, MissingExtraError without the library.
    """
    path = Path(path)
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise UsageError(f"{path}: a picture must be {' '.join(READERS)}, not {path.suffix or 'without a suffix'}")
    codes, bits = reader(_bytes(path), path)
    return np.ascontiguousarray(codes), bits


def write_picture(path: str | os.PathLike[str], values: np.ndarray, bits: int = 8) -> Path:
    """The path written: values (H,W,1|3) clipped to 0..1 and rounded to 0..2^bits-1, whole or not at all.

    A .png takes Pillow and 8 bits, or 16 grey ones; otherwise the file becomes .pgm or .ppm beside it.
    """
    path, codes = Path(path), _codes(values, bits)
    suffix = _suffix(path, codes.shape[-1], bits)
    data = _png(codes) if suffix == ".png" else pnm.encode(codes, bits)
    return _store(path.with_suffix(suffix), data)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileError(f"{path}: a picture must be a readable file, not {files.reason(error)}") from error


def _library(module: str, package: str) -> Any:
    """The imported module. Errors: MissingExtraError that names `package`."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(package, "images") from error


@contextlib.contextmanager
def _decoding(path: Path) -> Iterator[None]:
    """Turns whatever a decoder raises or logs about a damaged file into one line."""
    logger = logging.getLogger("tifffile")
    silent, logger.disabled = logger.disabled, True
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    except HwsimError:
        raise
    except Exception as error:
        why = "another format" if "cannot identify" in str(error) else files.reason(error)
        raise FileError(f"{path}: must be a sound {path.suffix[1:].lower()} picture, not {why}") from error
    finally:
        logger.disabled = silent


def _read_pnm(data: bytes, path: Path) -> tuple[np.ndarray, int]:
    return pnm.decode(data, path)


def _read_pillow(data: bytes, path: Path) -> tuple[np.ndarray, int]:
    pillow = _library("PIL.Image", "Pillow")
    with _decoding(path):
        image = pillow.open(io.BytesIO(data), formats=("PNG", "JPEG"))
        _check_size(image.size, path)
        _check_png_depth(data, image, path)
        return _pillow_codes(image, path)


def _check_size(size: tuple[int, int], path: Path) -> None:
    if size[0] * size[1] > MAX_PIXELS:
        raise FileError(f"{path}: a picture must have at most {MAX_PIXELS} pixels, not {size[0]}x{size[1]}")


def _check_png_depth(data: bytes, image: Any, path: Path) -> None:
    # Pillow would drop the low byte of such a picture without a word.
    if image.format == "PNG" and data[PNG_DEPTH] == 16 and data[PNG_COLOUR] != PNG_GREY:
        raise FileError(f"{path}: 16-bit colour must be .tif or .ppm, not .png")


def _pillow_codes(image: Any, path: Path) -> tuple[np.ndarray, int]:
    if image.mode.startswith("I"):
        return np.asarray(image).astype(np.uint16)[..., None], 16
    if image.mode in ("1", "P", "PA") or "transparency" in image.info:
        image = image.convert("L" if image.mode == "1" else "RGBA")
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        raise FileError(f"{path}: a picture must be grey or RGB, not {image.mode}")
    codes = np.asarray(image)
    return _opaque(codes if codes.ndim == 3 else codes[..., None], path), 8


def _opaque(codes: np.ndarray, path: Path) -> np.ndarray:
    """The codes (H,W,C) without an alpha channel, which must be full everywhere."""
    if codes.shape[-1] in (1, 3):
        return codes
    if (codes[..., -1] != np.iinfo(codes.dtype).max).any():
        raise FileError(f"{path}: a picture must be opaque, not partly transparent")
    return codes[..., :-1]


def _read_tiff(data: bytes, path: Path) -> tuple[np.ndarray, int]:
    tifffile = _library("tifffile", "tifffile")
    with _decoding(path), tifffile.TiffFile(io.BytesIO(data)) as file:
        _check_tiff(file, path)
        page = file.pages[0]
        codes = page.asarray()
        codes = np.moveaxis(codes, 0, -1) if page.planarconfig == 2 and codes.ndim == 3 else codes
        return _opaque(codes.reshape(*codes.shape[:2], -1), path), int(page.bitspersample)


def _check_tiff(file: Any, path: Path) -> None:
    if len(file.pages) != 1:
        raise FileError(f"{path}: a picture must have one page, not {len(file.pages)}")
    page = file.pages[0]
    _check_size((page.imagewidth, page.imagelength), path)
    if page.dtype not in (np.uint8, np.uint16) or page.imagedepth != 1:
        raise FileError(f"{path}: a picture must hold 8- or 16-bit unsigned integers, not {page.dtype}")
    if page.photometric not in (TIFF_GREY, TIFF_RGB) or page.samplesperpixel > 4:
        raise FileError(f"{path}: a picture must be grey or RGB, not {getattr(page.photometric, 'name', page.photometric)}")


READERS = {".png": _read_pillow, ".jpg": _read_pillow, ".jpeg": _read_pillow, ".tif": _read_tiff,
           ".tiff": _read_tiff, ".ppm": _read_pnm, ".pgm": _read_pnm}


def _codes(values: np.ndarray, bits: int) -> np.ndarray:
    values = np.asarray(values, np.float64)
    if values.ndim != 3 or values.shape[-1] not in (1, 3) or 0 in values.shape:
        raise UsageError(f"a picture must be (H,W,1) or (H,W,3), not {values.shape}")
    if not 1 <= bits <= 16:
        raise UsageError(f"picture bits must be 1..16, not {bits}")
    if not np.isfinite(values).all():
        raise UsageError("a picture must be finite, not hold NaN or Inf")
    codes = np.empty(values.shape, np.uint16 if bits > 8 else np.uint8)
    for row, line in zip(codes, values):  # line by line: a picture in float64 is large enough once
        row[...] = np.rint(np.clip(line, 0, 1) * ((1 << bits) - 1))
    return codes


def _suffix(path: Path, channels: int, bits: int) -> str:
    suffix = path.suffix.lower()
    if suffix not in (".png", ".ppm", ".pgm"):
        raise UsageError(f"{path}: a picture must be written as .png .ppm .pgm, not {suffix or 'without a suffix'}")
    fits = bits == 8 or (bits == 16 and channels == 1)
    return ".png" if suffix == ".png" and fits and _has_pillow() else {1: ".pgm", 3: ".ppm"}[channels]


def _has_pillow() -> bool:
    try:
        _library("PIL.Image", "Pillow")
    except MissingExtraError:
        return False
    return True


def _png(codes: np.ndarray) -> bytes:
    stream = io.BytesIO()
    plain = codes[..., 0] if codes.shape[-1] == 1 else codes
    _library("PIL.Image", "Pillow").fromarray(plain).save(stream, format="PNG")
    return stream.getvalue()


def _store(path: Path, data: bytes) -> Path:
    with files.whole(path) as file:
        file.write(data)
    return path
