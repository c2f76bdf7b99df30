"""Writing files whole or not at all, and saying in one line why one could not be read or written."""
import contextlib
import os
import tempfile
from pathlib import Path

from hwsim.errors import FileError


@contextlib.contextmanager
def whole(path):
    """A binary file to write to, which takes the place of `path` only when the block ends well; a device or pipe stays one."""
    path = Path(path)
    if path.exists() and not (path.is_file() or path.is_dir()):
        with path.open("wb") as file:
            yield file
        return
    try:
        descriptor, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise FileError(f"{path}: must be writable, not {reason(error)}") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        os.chmod(partial, 0o644)
        os.replace(partial, path)
    except OSError as error:
        os.unlink(partial)
        raise FileError(f"{path}: must be writable, not {reason(error)}") from error
    except BaseException:
        os.unlink(partial)
        raise


def reason(error):
    """What an exception of the system or a library says, as one short line."""
    return str(getattr(error, "strerror", None) or error or type(error).__name__).splitlines()[0].lower()


def folder(path):
    """`path`, made if need be, once it is a folder."""
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{path}: must be a folder that can be made, not {reason(error)}") from error
    return path
