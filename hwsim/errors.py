"""The exceptions of hwsim. Each is one line: what must hold, "not" what was given, and where.

HwsimError             any error that hwsim raises on purpose; `exit_code` is what the CLI exits with
 +- FileError          a file is missing, damaged or not what its content must be            exit 1
 +- GraphError         an illegal network: a rule of graph.check or a shape does not hold    exit 1
 +- UnsupportedError   a legal network that hwsim or this device cannot run; names the layer exit 1
 +- QuantizeError      a value that the integer network cannot hold (bias, scale, multiplier) exit 1
 +- OverflowFault      data left its accumulator in `error` mode; carries the address        exit 1
 +- UsageError         an argument or option is out of its range                              exit 2
 +- MissingExtraError  an optional package is not installed; says what to install            exit 2
"""
from typing import TypeVar


class HwsimError(Exception):
    """Any error that hwsim raises on purpose: one line for the user, exit code 1 unless a subclass says otherwise."""

    exit_code = 1
    file = ""       # the file that the message begins with, once in_file has said it


class FileError(HwsimError):
    """A file is missing, damaged or not what its content must be."""


class GraphError(HwsimError):
    """An illegal network: a rule of graph.check or a shape does not hold."""


class UnsupportedError(HwsimError):
    """A legal network that hwsim or this device cannot run; names the layer."""


class QuantizeError(HwsimError):
    """A value that the integer network cannot hold: a bias, scale or multiplier."""


class OverflowFault(HwsimError):
    """`event` is the first accumulator event: layer, cot, oy, ox, oc, ky, kx, cit, word, value."""

    def __init__(self, message: str, event: object = None) -> None:
        super().__init__(message)
        self.event = event


class UsageError(HwsimError):
    """An argument or option is out of its range."""

    exit_code = 2


class MissingExtraError(HwsimError):
    """An optional package is not installed; the message says what to install."""

    exit_code = 2

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} must be installed for this, not missing: pip install 'hwsim[{extra}]'")


E = TypeVar("E", bound=HwsimError)


def in_file(error: E, file: object) -> E:
    """`error` itself, its message beginning with `file`, unless it begins with a file already."""
    if not error.file:
        error.args = (f"{file}: {error}",)
        error.file = str(file)
    return error
