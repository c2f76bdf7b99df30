"""Operators that move float64 values (ops/moves.py), and bilinear upsampling (ops/bilinear.py)."""
import numpy as np

from hwsim.quantization.float_net.ops.params import Params


def upsample_nearest(params: Params, x: np.ndarray) -> np.ndarray:
    """Every row and column `factor` (fy, fx) times: (n, h, w, c) -> (n, h*fy, w*fx, c)."""
    rows, cols = params["factor"]
    return x.repeat(rows, axis=1).repeat(cols, axis=2)


def bilinear(params: Params, x: np.ndarray) -> np.ndarray:
    """Half-pixel centres: source = (o + 1/2)/factor - 1/2, clamped to the image; (n, h, w, c) -> (n, h*fy, w*fx, c)."""
    for axis, factor in zip((1, 2), params["factor"]):
        x = _linear(x, axis, factor)
    return x


def _linear(x: np.ndarray, axis: int, factor: int) -> np.ndarray:
    """Linear interpolation to `factor` times the size on one axis."""
    size = x.shape[axis]
    source = np.clip((np.arange(size * factor) + 0.5) / factor - 0.5, 0, size - 1)
    first = np.floor(source).astype(np.int64)
    later = source - first
    shape = [1] * x.ndim
    shape[axis] = len(later)
    later = later.reshape(shape)
    return x.take(first, axis) * (1 - later) + x.take(np.minimum(first + 1, size - 1), axis) * later


def depth_to_space(params: Params, x: np.ndarray) -> np.ndarray:
    """(n, h, w, c*b*b) -> (n, h*b, w*b, c), in either order of the input channels."""
    n, height, width, channels = x.shape
    block = params["block"]
    out = channels // (block * block)
    if params["order"] == "DCR":
        parts = x.reshape(n, height, width, block, block, out).transpose(0, 1, 3, 2, 4, 5)
    else:
        parts = x.reshape(n, height, width, out, block, block).transpose(0, 1, 4, 2, 5, 3)
    return parts.reshape(n, height * block, width * block, out)


def space_to_depth(params: Params, x: np.ndarray) -> np.ndarray:
    """(n, h*b, w*b, c) -> (n, h, w, b*b*c): rows of the block first, then columns, then channels."""
    n, height, width, channels = x.shape
    block = params["block"]
    parts = x.reshape(n, height // block, block, width // block, block, channels).transpose(0, 1, 3, 2, 4, 5)
    return parts.reshape(n, height // block, width // block, block * block * channels)


def pad(params: Params, x: np.ndarray) -> np.ndarray:
    """Zeros around the image, `pad` (top, bottom, left, right) of them: (n, h, w, c) -> (n, h+top+bottom, w+left+right, c)."""
    top, bottom, left, right = params["pad"]
    return np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))


def crop(params: Params, x: np.ndarray) -> np.ndarray:
    """The image without `crop` (top, bottom, left, right) of its border; a view (n, h-top-bottom, w-left-right, c)."""
    top, bottom, left, right = params["crop"]
    return x[:, top:x.shape[1] - bottom, left:x.shape[2] - right]


def sliced(params: Params, x: np.ndarray) -> np.ndarray:
    """Positions start..stop-1 of the axis `axis`, counted with N; a view."""
    index = [slice(None)] * x.ndim
    index[params["axis"]] = slice(params["start"], params["stop"])
    return x[tuple(index)]


def reshape(params: Params, x: np.ndarray) -> np.ndarray:
    """(N, *shape): other axes after N, in the order of memory."""
    return x.reshape(len(x), *params["shape"])


def flatten(params: Params, x: np.ndarray) -> np.ndarray:
    """(N, all values of an image), in the order of memory."""
    return x.reshape(len(x), -1)
