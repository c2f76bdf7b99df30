"""The built-in test scene: what `hwsim` shows a network when it is given no picture.

Integer arithmetic only, so every machine makes the same bits: sky and hills with value-noise texture, a zone
plate, a star of wedges, stripes at several angles and shaded coloured discs. Everything is drawn at twice the
size and averaged over 2x2 blocks, which softens edges as a lens does. Positions and lengths are in UNIT-ths of
the picture's width and height; wavelengths are in pixels. Pictures are planar while they are drawn, (3,n,m).
"""
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from hwsim.errors import UsageError

WHITE = 1023                    # codes are 10 bits
UNIT = 4096
SIZE = 512
BAND = 64                       # rows drawn at once, so that a band stays in cache
TURN = 2048                     # phase units in one cycle
MASK = 0xFFFFFFFF
Colour: TypeAlias = tuple[int, int, int]  # R, G, B in 10-bit codes
MIDDLE = 128                    # of a texture, 0..255

SKY_TOP, SKY_LOW = (210, 400, 700), (760, 800, 830)
HILLS = ((2300, 520, 0, (330, 420, 470), 1), (2760, 380, 900, (170, 330, 150), 2), (3300, 260, 300, (120, 230, 70), 3))
#        cx    cy    radius (of the shorter side), colour
DISCS = ((3100, 700, 330, (960, 860, 360)), (640, 3300, 420, (840, 210, 180)), (1480, 3500, 300, (180, 270, 780)),
         (2150, 3620, 230, (920, 770, 200)), (2700, 3560, 260, (210, 650, 300)), (3560, 3560, 200, (700, 280, 640)))
#         x0    y0    x1    y1    direction  wavelength  two colours
STRIPES = ((300, 2200, 900, 2800, (1, 0), 6, (900, 880, 850), (130, 120, 140)),
           (900, 2200, 1500, 2800, (0, 1), 8, (840, 830, 380), (160, 180, 360)),
           (1500, 2200, 2100, 2800, (2, 1), 20, (780, 330, 270), (270, 480, 700)),
           (3300, 2300, 3900, 2900, (-1, 3), 12, (930, 930, 930), (60, 60, 60)))
PLATE = (900, 900, 700)
STAR = (2050, 1250, 460)
STAR_EDGES = ((64, 0), (63, 12), (59, 24), (53, 36), (45, 45), (36, 53), (24, 59), (12, 63),
              (0, 64), (-12, 63), (-24, 59), (-36, 53), (-45, 45), (-53, 36), (-59, 24), (-63, 12))


def scene(height: int = SIZE, width: int = SIZE, channels: int = 3) -> np.ndarray:
    """The test scene (H,W,channels) float64 as codes / 1023; one channel is the mean of R, G and B."""
    return scene_codes(height, width, channels) / WHITE


def scene_codes(height: int = SIZE, width: int = SIZE, channels: int = 3) -> np.ndarray:
    """The test scene as 10-bit codes 0..1023, int64 (H,W,channels). Errors: UsageError unless channels is 1 or 3."""
    if min(height, width) < 1 or channels not in (1, 3):
        raise UsageError(f"a scene must be at least 1x1 pixels of 1 or 3 channels, not {height}x{width}x{channels}")
    bands = [_band(top, min(top + BAND, height), height, width) for top in range(0, height, BAND)]
    rgb = np.concatenate(bands)
    return rgb if channels == 3 else (rgb.sum(axis=-1, keepdims=True) + 1) // 3


def _band(top: int, bottom: int, height: int, width: int) -> np.ndarray:
    """Rows top..bottom-1 of the scene: the rounded means of the 2x2 blocks of a drawing at twice the size."""
    y, x = np.arange(2 * top, 2 * bottom)[:, None], np.arange(2 * width)[None, :]
    big = _draw(Canvas(y, x, height, width))
    tall = big[:, ::2] + big[:, 1::2]
    return np.moveaxis((tall[..., ::2] + tall[..., 1::2] + 2) >> 2, 0, -1).astype(np.int64)


@dataclass(frozen=True)
class Canvas:
    """A part of a picture of height x width pixels: its coordinates y (n,1) and x (1,m) in half pixels."""
    y: np.ndarray
    x: np.ndarray
    height: int
    width: int

    @property
    def v(self) -> np.ndarray:
        """y in UNIT-ths of the height."""
        return (2 * self.y + 1) * UNIT // (4 * self.height)

    @property
    def u(self) -> np.ndarray:
        """x in UNIT-ths of the width."""
        return (2 * self.x + 1) * UNIT // (4 * self.width)

    def from_centre(self, u: int, v: int) -> tuple[np.ndarray, np.ndarray]:
        """(dy, dx) in half pixels from a point given in UNIT-ths."""
        return self.y - 2 * self.height * v // UNIT, self.x - 2 * self.width * u // UNIT

    def length(self, part: int) -> int:
        """A length given in UNIT-ths of the shorter side, in half pixels, at least 1."""
        return max(1, 2 * min(self.height, self.width) * part // UNIT)

    def cut(self, rows: slice, cols: slice = slice(None)) -> Canvas:
        """The canvas of some of the rows and columns."""
        return replace(self, y=self.y[rows], x=self.x[:, cols])

    def below(self, v: int) -> int:
        """How many rows lie at v UNIT-ths of the height or above it."""
        return int(np.searchsorted(self.v[:, 0], v, "right"))

    def around(self, u: int, v: int, radius: int) -> tuple[slice, slice]:
        """(rows, columns) of the box around a disc: nothing outside is in it."""
        rows, cols = (slice(*np.searchsorted(distance.ravel(), (-radius, radius))) for distance in self.from_centre(u, v))
        return rows, cols


def _draw(canvas: Canvas) -> np.ndarray:
    """The picture int32 (3,n,m) of a canvas. What a hill hides altogether is not drawn."""
    picture = np.empty((3, canvas.y.size, canvas.x.size), np.int32)
    ends = [canvas.below(_ridge(canvas, *hill[:3]).max() + 255 - MIDDLE) for hill in HILLS]
    shown = slice(0, min(ends))
    picture[:, shown] = _sky(canvas.cut(shown))
    for i, hill in enumerate(HILLS):
        shown = slice(0, min(ends[i + 1:], default=canvas.y.size))
        _hill(picture[:, shown], canvas.cut(shown), *hill)
    for stripe in STRIPES:
        _stripes(picture, canvas, *stripe)
    _zone_plate(picture, canvas)
    _star(picture, canvas)
    for disc in DISCS:
        _disc(picture, canvas, *disc)
    return picture


def _planes(colour: Colour) -> np.ndarray:
    """A colour as (3,1,1)."""
    return np.array(colour, np.int32)[:, None, None]


def _mix(low: Colour, high: Colour, part: np.ndarray, whole: int) -> np.ndarray:
    """low at part = 0, high at part = whole, (3,n,m) of colours and a part (n,m)."""
    start, end = _planes(low), _planes(high)
    return start + (end - start) * part // whole


def _sky(canvas: Canvas) -> np.ndarray:
    """A vertical gradient under clouds of texture, (3,n,m)."""
    blue = _mix(SKY_TOP, SKY_LOW, canvas.v, UNIT)
    cloud = np.minimum(np.maximum(_texture(canvas, 7, 128, 5) - 120, 0) * 2, 255)
    return blue + (_planes((960, 960, 950)) - blue).astype(np.int32) * cloud // 255


def _ridge(canvas: Canvas, base: int, swing: int, shift: int) -> np.ndarray:
    """The height of a hill's wavy outline in every column, in UNIT-ths from the top."""
    return base - swing * (_wave((canvas.u + shift) * TURN // UNIT) - 512) // 1024


def _hill(picture: np.ndarray, canvas: Canvas, base: int, swing: int, shift: int, colour: Colour, seed: int) -> None:
    """Everything below a wavy ridge, darkened and lightened by fine texture."""
    ridge = _ridge(canvas, base, swing, shift)
    rows = slice(canvas.below(ridge.min() - MIDDLE), None)
    picture, canvas = picture[:, rows], canvas.cut(rows)
    solid = canvas.below(ridge.max() + 255 - MIDDLE)
    rough = canvas.cut(slice(0, solid))
    below = np.ones(picture.shape[1:], bool)
    below[:solid] = rough.v > ridge + (_texture(rough, seed + 20, 32, 4) - MIDDLE)
    shade = _planes(colour) * (80 + (_texture(canvas, seed, 16, 4) * 3 >> 1)) >> 8
    np.copyto(picture, shade, where=below)


def _stripes(picture: np.ndarray, canvas: Canvas, u0: int, v0: int, u1: int, v1: int, direction: tuple[int, int], wavelength: int,
             light: Colour, dark: Colour) -> None:
    """A box of parallel waves between two colours; `wavelength` in pixels along `direction` (dx, dy)."""
    box = tuple(slice(*np.searchsorted(line.ravel(), ends)) for line, ends in ((canvas.v, (v0, v1)), (canvas.u, (u0, u1))))
    part = canvas.cut(*box)
    along = direction[0] * part.x + direction[1] * part.y
    picture[:, *box] = _mix(dark, light, _wave(along * TURN // (2 * wavelength)), 1024)


def _zone_plate(picture: np.ndarray, canvas: Canvas) -> None:
    """Rings whose frequency rises linearly to 1/3 of a cycle per pixel at the rim."""
    u, v, part = PLATE
    radius = canvas.length(part)
    box = canvas.around(u, v, radius)
    dy, dx = canvas.cut(*box).from_centre(u, v)
    square = dy * dy + dx * dx
    grey = _wave(square * (TURN // 12) // radius) * 900 // 1024 + 60
    np.copyto(picture[:, *box], grey, where=square < radius * radius, casting="same_kind")


def _star(picture: np.ndarray, canvas: Canvas) -> None:
    """A star of 32 wedges: the parity of the half planes that a pixel lies in."""
    u, v, part = STAR
    radius = canvas.length(part)
    box = canvas.around(u, v, radius)
    dy, dx = canvas.cut(*box).from_centre(u, v)
    odd = np.zeros((dy.size, dx.size), bool)
    for a, b in STAR_EDGES:
        odd ^= a * dx + b * dy > 0
    colour = np.where(odd, _planes((940, 930, 900)), _planes((70, 70, 90)))
    np.copyto(picture[:, *box], colour, where=dy * dy + dx * dx < radius * radius)


def _disc(picture: np.ndarray, canvas: Canvas, u: int, v: int, part: int, colour: Colour) -> None:
    """A ball lit from the upper left: full colour at the light, less than half of it at the far rim."""
    radius = canvas.length(part)
    box = canvas.around(u, v, radius)
    dy, dx = canvas.cut(*box).from_centre(u, v)
    far = np.square(3 * dx + radius) + np.square(3 * dy + radius)
    shade = np.maximum(1024 - far * 1024 // (32 * radius * radius), 300)
    np.copyto(picture[:, *box], _planes(colour) * shade >> 10, where=dy * dy + dx * dx < radius * radius, casting="same_kind")


def _wave(phase: np.ndarray) -> np.ndarray:
    """A smooth wave 0..1024 of period TURN, made of two parabolas."""
    phase = phase % TURN
    half = TURN // 2
    bow = 4 * (phase % half) * (half - phase % half) * 512 // (half * half)
    return np.where(phase < half, 512 + bow, 512 - bow)


def _texture(canvas: Canvas, seed: int, cell: int, octaves: int) -> np.ndarray:
    """Fractal value noise 0..255, int32 (n,m): lattices of `cell` half pixels and its halves, each half as strong."""
    total = np.zeros((canvas.y.size, canvas.x.size), np.int32)
    for octave in range(octaves):
        total += _noise(canvas, seed * 16 + octave, cell >> octave) << (octaves - 1 - octave)
    return total // ((1 << octaves) - 1)


def _noise(canvas: Canvas, seed: int, cell: int) -> np.ndarray:
    """Value noise 0..255: hashed lattice points, bilinearly interpolated, down the columns first; `cell` is a power of two.

    A whole canvas starts at column 0. 255 * cell^2 fits int32.
    """
    down = _down(canvas.y[:, 0], np.arange(-(-canvas.x.size // cell) + 1), seed, cell)
    value, step = down[:, :-1] * cell, np.diff(down)
    across = np.empty((*value.shape, cell), np.int32)
    for place in range(cell):
        np.right_shift(value, 2 * (cell.bit_length() - 1), out=across[..., place])
        value += step
    return across.reshape(len(down), value.shape[1] * cell)[:, :canvas.x.size]


def _down(y: np.ndarray, lattice: np.ndarray, seed: int, cell: int) -> np.ndarray:
    """The lattice's columns at consecutive rows y, int32 (n, columns), `cell` times what they are."""
    row, part = y // cell, (y % cell)[:, None].astype(np.int32)
    first, end = (row[0], row[-1] + 2) if row.size else (0, 0)
    points = _hash(np.arange(first, end)[:, None], lattice, seed).astype(np.int32)
    return points[row - first] * (cell - part) + points[row - first + 1] * part


def _hash(y: np.ndarray, x: np.ndarray, seed: int) -> np.ndarray:
    """A fixed byte for each lattice point; every product stays below 2^63."""
    word = (x * 374761393 + y * 668265263 + seed * 144665) & MASK
    word = ((word ^ (word >> 13)) * 1274126177) & MASK
    return (word ^ (word >> 16)) & 255
