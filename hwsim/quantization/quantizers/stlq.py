"""Float weights to log-scale words, one or two per weight, two for the tiles that need them most (spec/arithmetic.md section 5).

A word q stands for sign(q) * U * 2^-|q|, U one per layer; a positive q is 1..E-1, a negative one 1..E, 0 is 0.
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from hwsim.errors import QuantizeError
from hwsim.fixed.logcode import nearest_power, zero_exponent
from hwsim.ops.weights import Log, Weights
from hwsim.quantization.quantizers.quantizer import LayerWeights, QuantizedWeights, Quantizer

if TYPE_CHECKING:
    from hwsim.quantization.config import Config

MANTISSA_BITS = 53
Shape: TypeAlias = tuple[int, ...]
Selection: TypeAlias = tuple[np.ndarray, np.ndarray | None]     # (weights with a second word, flags)
U_STEPS = 40          # candidates for the U of least error: max|w| * 1/20 .. 40/20


class Stlq(Quantizer):
    """`stlq`: one or two log-scale words per weight, one scale per layer. Options: two_word_ratio, granularity, stlq, log_u."""

    name = "stlq"
    weight_format = Log
    weight_bits = (2, 5)
    default_bits = 4
    channel_scales = False

    def weights(self, layer: LayerWeights, config: Config) -> QuantizedWeights:
        """The words of encode_layer. Errors: QuantizeError for weights that are not finite."""
        codes, scale, flags = encode_layer(layer.weights, layer.w_bits, config, layer.depthwise)
        return QuantizedWeights(Weights(codes, self.weight_format(layer.w_bits), flags), np.full(len(layer.weights), scale))

    def weight_words(self, weights: np.ndarray, w_bits: int, depthwise: bool, config: Config) -> tuple[int, np.ndarray | None]:
        """The float weights decide which tiles take two words; without any such tile nothing is encoded."""
        if config.two_word_ratio == 0:
            return 1, None
        codes, _, flags = encode_layer(weights, w_bits, config, depthwise)
        return len(codes), flags


def encode_layer(weights: np.ndarray, bits: int, config: Config, depthwise: bool = False
                 ) -> tuple[np.ndarray, float, np.ndarray | None]:
    """(codes int64 (WORDS,OC,KH,KW,ICG), scale U*2^-E, flags) of float64 weights (OC,KH,KW,ICG).

    WORDS is 2 once a tile is chosen for two words; the second is 0 elsewhere. flags bool (COT,CIT,KH,KW), depthwise
    (COT,1,KH,KW): the tiles that take two beats; None for granularity `element`, which the array cannot run.
    config: two_word_ratio, granularity, stlq, log_u, tn, tm. Errors: QuantizeError for weights that are not finite.
    """
    if not np.isfinite(weights).all():
        raise QuantizeError("log weights must be finite numbers")
    unit = _unit(weights, bits, config, depthwise)
    first, second, flags = _words(weights, unit, bits, config, depthwise)
    codes = np.stack([first, second]) if second.any() or (flags is not None and flags.any()) else first[None]
    return codes, math.ldexp(unit, -zero_exponent(bits)), flags


def encode(x: np.ndarray, unit: float, bits: int) -> np.ndarray:
    """The word of each x: q = 0 for 0, else sign and k = clip(-round(log2(|x|/U)), 1, E-1 or E), decided exactly."""
    mantissa, exponent = np.frexp(np.abs(x))
    unit_mantissa, unit_exponent = math.frexp(unit)
    scaled = np.ldexp(mantissa, MANTISSA_BITS).astype(np.int64)
    k = nearest_power(scaled, exponent.astype(np.int64), int(math.ldexp(unit_mantissa, MANTISSA_BITS)), unit_exponent)
    limit = zero_exponent(bits)
    code = np.where(x > 0, np.clip(k, 1, limit - 1), -np.clip(k, 1, limit))
    return np.where(x == 0, 0, code)


def decode(codes: np.ndarray, unit: float) -> np.ndarray:
    """The real value sign(q) * U * 2^-|q| of each word."""
    return np.sign(codes) * np.ldexp(unit, -np.abs(codes))


def values(codes: np.ndarray | Sequence[np.ndarray], unit: float) -> np.ndarray:
    """The real weights that the words of encode_layer stand for: dec(q1) + dec(q2)."""
    return np.asarray(sum(decode(word, unit) for word in codes))


def _unit(weights: np.ndarray, bits: int, config: Config, depthwise: bool) -> float:
    """U: max|w| of the layer (1 for a layer of zeros), or the multiple of it with the least squared error."""
    largest = float(np.abs(weights).max(initial=0)) or 1.0
    if config.log_u == "max":
        return largest
    candidates = [largest * step / (U_STEPS // 2) for step in range(1, U_STEPS + 1)]
    return min(candidates, key=lambda unit: _error(weights, unit, bits, config, depthwise))


def _error(weights: np.ndarray, unit: float, bits: int, config: Config, depthwise: bool) -> float:
    """The sum of squared errors of the words that a layer would have at this U."""
    first, second, _ = _words(weights, unit, bits, config, depthwise)
    return math.fsum(((weights - values((first, second), unit)) ** 2).ravel().tolist())


def _words(weights: np.ndarray, unit: float, bits: int, config: Config, depthwise: bool
           ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """(q1, q2, flags): q2 is 0 outside the selected tiles, and under `best` where it would not reduce the error."""
    first = encode(weights, unit, bits)
    rest = weights - decode(first, unit)
    count = _count(config.two_word_ratio, _tiles(rest.shape, config, depthwise))
    if count == 0 and config.granularity == "element":
        return first, np.zeros_like(first), None
    selected, flags = _SELECT[config.granularity](rest, count, config, depthwise)
    second = encode(rest, unit, bits)
    if config.stlq == "best":
        second = np.where(np.abs(rest - decode(second, unit)) < np.abs(rest), second, 0)
    return first, np.where(selected, second, 0), flags


def _count(ratio: float, tiles: int) -> int:
    """round(R*T), half to even, of the decimal that R was written as."""
    return round(Fraction(str(ratio)) * tiles)


def _tiles(shape: Shape, config: Config, depthwise: bool) -> int:
    """T: how many elements, filters or tiles there are to choose from."""
    if config.granularity == "element":
        return math.prod(shape)
    return shape[0] if config.granularity == "filter" else math.prod(_grid(shape, config, depthwise))


def _grid(shape: Shape, config: Config, depthwise: bool) -> tuple[int, int, int, int]:
    """(COT, CIT, KH, KW): the tiles of weights (OC,KH,KW,ICG)."""
    oc, kh, kw, ic = shape
    return (-(-oc // config.tm), 1 if depthwise else -(-ic // config.tn), kh, kw)


def _select_tiles(rest: np.ndarray, count: int, config: Config, depthwise: bool) -> Selection:
    """The `count` tiles of TN inputs x TM outputs at one (ky,kx) with the largest norm of `rest`."""
    cot, cit, kh, kw = grid = _grid(rest.shape, config, depthwise)
    oc, ic = rest.shape[0], rest.shape[3]
    padded = np.zeros((cot * config.tm, kh, kw, cit * (1 if depthwise else config.tn)))
    padded[:oc, :, :, :ic] = rest
    blocks = padded.reshape(cot, config.tm, kh, kw, cit, -1).transpose(0, 4, 2, 3, 1, 5)
    flags = _largest(blocks.reshape(math.prod(grid), -1), count).reshape(grid)
    spread = np.repeat(np.repeat(flags, config.tm, axis=0)[:oc], 1 if depthwise else config.tn, axis=1)[:, :ic]
    return spread.transpose(0, 2, 3, 1), flags


def _select_filters(rest: np.ndarray, count: int, config: Config, depthwise: bool) -> Selection:
    """Whole filters; a column tile then takes two beats wherever one of its filters does."""
    cot, cit, kh, kw = _grid(rest.shape, config, depthwise)
    filters = _largest(rest.reshape(rest.shape[0], -1), count)
    per_tile = np.logical_or.reduceat(filters, np.arange(0, len(filters), config.tm))
    flags = np.broadcast_to(per_tile[:, None, None, None], (cot, cit, kh, kw)).copy()
    return np.broadcast_to(filters[:, None, None, None], rest.shape), flags


def _select_elements(rest: np.ndarray, count: int, config: Config, depthwise: bool) -> Selection:
    """Single weights, in the order (OC,IC,KH,KW) for ties; no beat of the array can follow them."""
    ordered = rest.transpose(0, 3, 1, 2)
    elements = _largest(ordered.reshape(-1, 1), count).reshape(ordered.shape)
    return elements.transpose(0, 2, 3, 1), None


_SELECT = {"tile": _select_tiles, "filter": _select_filters, "element": _select_elements}


def _largest(rows: np.ndarray, count: int) -> np.ndarray:
    """bool per row: the `count` rows with the largest sum of squares (math.fsum), ties to the lowest index."""
    squares = rows * rows
    norms = squares[:, 0] if rows.shape[1] == 1 else np.array([math.fsum(row) for row in squares.tolist()])
    largest = np.zeros(len(rows), bool)
    largest[np.argsort(-norms, kind="stable")[:count]] = True
    return largest
