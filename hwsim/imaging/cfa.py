"""Colour filter arrays: which filter lies over each pixel, and the mosaic that a picture makes behind it.

A pattern is a tuple of equally long strings over the letters R, G, B and W; it tiles the picture from
its top left pixel. W is a white (panchromatic) pixel: (R + G + B) / 3.
"""

import os
from pathlib import Path
from typing import TypeAlias

import numpy as np

from hwsim.errors import FileError, UsageError

Pattern: TypeAlias = tuple[str, ...]

LETTERS = "RGBW"
MAX_PERIOD = 16

PATTERNS: dict[str, Pattern] = {
    "rggb": ("RG", "GB"),
    "bggr": ("BG", "GR"),
    "grbg": ("GR", "BG"),
    "gbrg": ("GB", "RG"),
    "rgbw": ("WGWR", "GWRW", "WBWG", "BWGW"),
}


def pattern(name_or_file: str | os.PathLike[str]) -> Pattern:
    """The pattern of that name, else the one that the text file spells out: one row a line, blanks ignored.

    Errors: UsageError where it is neither, FileError where the file holds no pattern.
    """
    name = str(name_or_file)
    if name.lower() in PATTERNS:
        return PATTERNS[name.lower()]
    path = Path(name_or_file)
    if not path.is_file():
        raise UsageError(f"cfa must be {', '.join(PATTERNS)} or a text file, not {name}")
    return _checked(_rows(path), name)


def _rows(path: Path) -> Pattern:
    try:
        lines = path.read_text(encoding="ascii").upper().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path}: a cfa file must be plain text, not unreadable ({type(error).__name__})") from error
    rows = ("".join(line.split()) for line in lines)
    return tuple(row for row in rows if row)


def _checked(rows: Pattern, name: str) -> Pattern:
    """`rows`; raises FileError unless they are a pattern."""
    sides = {len(row) for row in rows}
    legal = (len(sides) == 1 and max(len(rows), *sides) <= MAX_PERIOD
             and set("".join(rows)) <= set(LETTERS) and set("RGB") <= set("".join(rows)))
    if not legal:
        raise FileError(f"{name}: a cfa must be 1..{MAX_PERIOD} equally long rows of R G B W "
                        f"with each of R, G, B, not {_shown(rows)}")
    return rows


def _shown(rows: Pattern) -> str:
    """The rows as text for a message, at most 40 letters."""
    text = " / ".join(rows)
    return repr(text if len(text) <= 40 else text[:37] + "...")


def sites(rows: Pattern, height: int, width: int) -> np.ndarray:
    """The filter letter over each pixel, (H,W) of one-letter strings."""
    tile = np.array([list(row) for row in rows])
    return tile[np.ix_(np.arange(height) % tile.shape[0], np.arange(width) % tile.shape[1])]


def white(rgb: np.ndarray) -> np.ndarray:
    """(R+G+B)/3 of (...,3); integers round half up, which for thirds is (R+G+B+1) // 3: no tie exists."""
    if np.issubdtype(rgb.dtype, np.integer):
        return (rgb.astype(np.int64).sum(axis=-1) + 1) // 3
    return rgb.sum(axis=-1) / 3


def mosaic(rgb: np.ndarray, rows: Pattern) -> np.ndarray:
    """What a sensor behind the pattern `rows` records of rgb (...,H,W,3): (...,H,W,1), same dtype."""
    rgb = np.asarray(rgb)
    if rgb.ndim < 3 or rgb.shape[-1] != 3:
        raise UsageError(f"a picture to mosaic must be (...,H,W,3), not {rgb.shape}")
    where = sites(rows, *rgb.shape[-3:-1])
    frame = white(rgb).astype(rgb.dtype)
    for channel, letter in enumerate("RGB"):
        frame = np.where(where == letter, rgb[..., channel], frame)
    return frame[..., None]
