"""The registry of quantizers: the name of `--weights` -> Quantizer."""
from hwsim.errors import UsageError
from hwsim.quantization.quantizers.linear import Linear
from hwsim.quantization.quantizers.quantizer import Quantizer
from hwsim.quantization.quantizers.stlq import Stlq
from hwsim.settings import QUANTIZERS as NAMES

QUANTIZERS: dict[str, Quantizer] = NAMES     # the choices of --weights


def register(quantizer: Quantizer) -> None:
    """Enters a quantizer under its name. Raises UsageError for a name that is taken and for padding that is not 0."""
    if quantizer.name in QUANTIZERS:
        raise UsageError(f"the name of a quantizer must be new, not {quantizer.name!r}")
    if quantizer.padding_code != 0:
        raise UsageError(f"padding_code of {quantizer.name} must be 0, which the array pads with, not {quantizer.padding_code}")
    QUANTIZERS[quantizer.name] = quantizer


register(Linear())
register(Stlq())
