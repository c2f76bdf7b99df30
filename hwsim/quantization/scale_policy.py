"""How the scale of a tensor follows from its calibrated range: calib, frozen and lsb (spec/arithmetic.md section 1)."""
from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from hwsim.errors import UsageError
from hwsim.fixed.formats import IntFormat

if TYPE_CHECKING:
    from hwsim.quantization.config import Config

# The real value of code 1, an exact ratio known before the first image. A scale that an image decides would be a second
# member of this type; ConversionContext.scale, which reads every scale as a number, is then where it must be told apart.
Scale: TypeAlias = Fraction


class ScalePolicy:
    """The base, and `frozen`: the width of reference stands for the range, so that fewer bits keep the scale and clip."""

    name: ClassVar[str] = "frozen"

    def bits(self, word: IntFormat, config: Config) -> int:
        """The width whose highest code stands for the range of a tensor of format `word`."""
        return reference_bits(config)

    def scale(self, amax: Fraction, word: IntFormat, config: Config) -> Scale:
        """The scale of a tensor of range -amax..amax (amax > 0): amax / (2^(bits-1) - 1)."""
        return amax / IntFormat(self.bits(word, config)).max

    def boundary_scale(self, config: Config) -> Scale | None:
        """The scale of every input and output that no option decides, or None where calibration does."""
        return None

    def check(self, config: Config) -> None:
        """Raises UsageError unless the policy can serve these options."""

    def check_input(self, name: str, config: Config) -> None:
        """Raises UsageError unless the word of input `name` can serve these options."""


class Calibrated(ScalePolicy):
    """`calib`: every tensor's own highest code stands for its range. An input word holds every code of the sensor, so
    that its quantizer is the identity.
    """

    name = "calib"

    def bits(self, word: IntFormat, config: Config) -> int:
        """The word's own width."""
        return word.bits

    def check(self, config: Config) -> None:
        """Raises UsageError where input_bits do not fit an activation word."""
        if config.input_bits is not None and config.input_bits + 1 > config.act_bits:
            raise UsageError(f"input_bits must be at most act_bits - 1 = {config.act_bits - 1}, not {config.input_bits}")

    def check_input(self, name: str, config: Config) -> None:
        """Raises UsageError where input_bits do not fit the word of this input."""
        bits = config.bits_of(name)[0]
        if config.input_bits is not None and bits <= config.input_bits:
            raise UsageError(f"act_bits of {name} must be at least input_bits + 1 = {config.input_bits + 1}, not {bits}")


class PowersOfTwo(ScalePolicy):
    """`lsb`: as frozen, up to the next power of two times the sensor's LSB; inputs and outputs have that LSB itself."""

    name = "lsb"

    def scale(self, amax: Fraction, word: IntFormat, config: Config) -> Scale:
        """The scale of `frozen`, rounded up to a power of two times the sensor's LSB."""
        unit = sensor_lsb(config)
        return unit * next_power(super().scale(amax, word, config) / unit)

    def boundary_scale(self, config: Config) -> Scale | None:
        """The sensor's LSB."""
        return sensor_lsb(config)


POLICIES: dict[str, ScalePolicy] = {policy.name: policy for policy in (Calibrated(), ScalePolicy(), PowersOfTwo())}


def policy_of(config: Config) -> ScalePolicy:
    """The ScalePolicy that the option `scale_policy` names."""
    return POLICIES[config.scale_policy]


def reference_bits(config: Config) -> int:
    """The width at which `frozen` and `lsb` compute scales: given, or the sensor's bits + 1, or act_bits."""
    if config.scale_ref_bits is not None:
        return config.scale_ref_bits
    return config.act_bits if config.input_bits is None else config.input_bits + 1


def sensor_lsb(config: Config) -> Scale:
    """The policy lsb's unit 1 / (2^b - 1); b: the sensor's bits, else the reference width - 1."""
    bits = reference_bits(config) - 1 if config.input_bits is None else config.input_bits
    return Fraction(1, (1 << bits) - 1)


def next_power(ratio: Fraction) -> Fraction:
    """The least power of two that is at least the positive `ratio`."""
    exponent = ratio.numerator.bit_length() - ratio.denominator.bit_length() - 1
    power = Fraction(2) ** exponent
    while power < ratio:
        power *= 2
    return power
