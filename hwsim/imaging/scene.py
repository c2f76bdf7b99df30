"""The built-in test scene: what `hwsim` shows a network when it is given no picture.

Integer arithmetic only, so every machine makes the same bits: sky and hills with value-noise texture, a zone
plate, a star of wedges, stripes at several angles and shaded coloured discs. Everything is drawn at twice the
size and averaged over 2x2 blocks, which softens edges as a lens does. Positions and lengths are in UNIT-ths of
the picture's width and height; wavelengths are in pixels.
"""

from dataclasses import dataclass

import numpy as np

from hwsim.errors import UsageError

WHITE = 1023                    # codes are 10 bits
UNIT = 4096
SIZE = 512
BAND = 64                       # rows drawn at once, so that memory stays bounded
TURN = 2048                     # phase units in one cycle
MASK = 0xFFFFFFFF

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


def scene(height=SIZE, width=SIZE, channels=3):
    """The test scene (H,W,channels) float64 as codes / 1023; one channel is the mean of R, G and B."""
    return scene_codes(height, width, channels) / WHITE


def scene_codes(height=SIZE, width=SIZE, channels=3):
    """The test scene as 10-bit codes 0..1023, int64 (H,W,channels)."""
    if min(height, width) < 1 or channels not in (1, 3):
        raise UsageError(f"a scene must be at least 1x1 pixels of 1 or 3 channels, not {height}x{width}x{channels}")
    bands = [_band(top, min(top + BAND, height), height, width) for top in range(0, height, BAND)]
    rgb = np.concatenate(bands)
    return rgb if channels == 3 else (rgb.sum(axis=-1, keepdims=True) + 1) // 3


def _band(top, bottom, height, width):
    """Rows top..bottom-1 of the scene: the rounded means of the 2x2 blocks of a drawing at twice the size."""
    y, x = np.arange(2 * top, 2 * bottom)[:, None], np.arange(2 * width)[None, :]
    big = _draw(Canvas(y, x, height, width))
    return (big[::2, ::2] + big[1::2, ::2] + big[::2, 1::2] + big[1::2, 1::2] + 2) >> 2


@dataclass(frozen=True)
class Canvas:
    """A band of a picture of height x width pixels: its coordinates y (n,1) and x (1,m) in half pixels."""
    y: np.ndarray
    x: np.ndarray
    height: int
    width: int

    @property
    def v(self):
        """y in UNIT-ths of the height."""
        return (2 * self.y + 1) * UNIT // (4 * self.height)

    @property
    def u(self):
        """x in UNIT-ths of the width."""
        return (2 * self.x + 1) * UNIT // (4 * self.width)

    def from_centre(self, u, v):
        """(dy, dx) in half pixels from a point given in UNIT-ths."""
        return self.y - 2 * self.height * v // UNIT, self.x - 2 * self.width * u // UNIT

    def length(self, part):
        """A length given in UNIT-ths of the shorter side, in half pixels, at least 1."""
        return max(1, 2 * min(self.height, self.width) * part // UNIT)


def _draw(canvas):
    picture = _sky(canvas)
    for hill in HILLS:
        picture = _hill(picture, canvas, *hill)
    for stripe in STRIPES:
        picture = _stripes(picture, canvas, *stripe)
    picture = _star(_zone_plate(picture, canvas), canvas)
    for disc in DISCS:
        picture = _disc(picture, canvas, *disc)
    return picture


def _over(picture, where, colour):
    """The picture (H,W,3) with `colour` (3 codes, or (H,W,3)) where the mask (H,W) is set."""
    return np.where(where[..., None], colour, picture)


def _mix(low, high, part, whole):
    """low at part = 0, high at part = whole, (H,W,3) of colours and a part (H,W)."""
    low, high = np.asarray(low), np.asarray(high)
    return low + (high - low) * part[..., None] // whole


def _sky(canvas):
    blue = _mix(SKY_TOP, SKY_LOW, np.broadcast_to(canvas.v, (canvas.v.size, canvas.u.size)), UNIT)
    cloud = np.maximum(_texture(canvas, 7, 128, 5) - 120, 0)
    return _mix(blue, (960, 960, 950), np.minimum(cloud * 2, 255), 255)


def _hill(picture, canvas, base, swing, shift, colour, seed):
    """Everything below a wavy ridge, darkened and lightened by fine texture."""
    ridge = base - swing * (_wave((canvas.u + shift) * TURN // UNIT) - 512) // 1024
    below = canvas.v > ridge + (_texture(canvas, seed + 20, 32, 4) - 128)
    grain = _texture(canvas, seed, 16, 4)
    shade = np.asarray(colour) * (80 + grain[..., None] * 3 // 2) // 256
    return _over(picture, below, shade)


def _stripes(picture, canvas, u0, v0, u1, v1, direction, wavelength, light, dark):
    inside = (canvas.u >= u0) & (canvas.u < u1) & (canvas.v >= v0) & (canvas.v < v1)
    along = direction[0] * canvas.x + direction[1] * canvas.y
    wave = _wave(along * TURN // (2 * wavelength))
    return _over(picture, inside, _mix(dark, light, wave, 1024))


def _zone_plate(picture, canvas):
    """Rings whose frequency rises linearly to 1/3 of a cycle per pixel at the rim."""
    dy, dx = canvas.from_centre(*PLATE[:2])
    radius = canvas.length(PLATE[2])
    square = dy * dy + dx * dx
    grey = _wave(square * (TURN // 12) // radius) * 900 // 1024 + 60
    return _over(picture, square < radius * radius, np.broadcast_to(grey[..., None], picture.shape))


def _star(picture, canvas):
    """A star of 32 wedges: the parity of the half planes that a pixel lies in."""
    dy, dx = canvas.from_centre(*STAR[:2])
    radius = canvas.length(STAR[2])
    parity = sum((a * dx + b * dy > 0).astype(np.int64) for a, b in STAR_EDGES) & 1
    inside = dy * dy + dx * dx < radius * radius
    return _over(picture, inside, _mix((70, 70, 90), (940, 930, 900), parity, 1))


def _disc(picture, canvas, u, v, part, colour):
    """A ball lit from the upper left: full colour at the light, less than half of it at the far rim."""
    dy, dx = canvas.from_centre(u, v)
    radius = canvas.length(part)
    far = np.square(3 * dx + radius) + np.square(3 * dy + radius)
    shade = np.maximum(1024 - far * 1024 // (32 * radius * radius), 300)
    return _over(picture, dy * dy + dx * dx < radius * radius, np.asarray(colour) * shade[..., None] // 1024)


def _wave(phase):
    """A smooth wave 0..1024 of period TURN, made of two parabolas."""
    phase = phase % TURN
    half = TURN // 2
    bow = 4 * (phase % half) * (half - phase % half) * 512 // (half * half)
    return np.where(phase < half, 512 + bow, 512 - bow)


def _texture(canvas, seed, cell, octaves):
    """Fractal value noise 0..255: lattices of `cell` half pixels and its halves, each half as strong."""
    total, weight = 0, 0
    for octave in range(octaves):
        strength = 1 << (octaves - 1 - octave)
        total = total + strength * _noise(canvas, seed * 16 + octave, cell >> octave)
        weight += strength
    return total // weight


def _noise(canvas, seed, cell):
    """Value noise 0..255: hashed lattice points, bilinearly interpolated, down the columns first."""
    lattice = np.arange(canvas.x.size // cell + 2)
    down = _between(lambda y: _hash(y, lattice, seed), canvas.y, cell)
    across = _between(lambda x: down[:, x[0]], canvas.x, cell)
    return across // (cell * cell)


def _between(at, line, cell):
    """`cell` times the values at(index) of lattice points, linearly interpolated at the coordinates `line`."""
    low, part = line // cell, line % cell
    return at(low) * (cell - part) + at(low + 1) * part


def _hash(y, x, seed):
    """A fixed byte for each lattice point; every product stays below 2^63."""
    word = (x * 374761393 + y * 668265263 + seed * 144665) & MASK
    word = ((word ^ (word >> 13)) * 1274126177) & MASK
    return (word ^ (word >> 16)) & 255
