"""Writing files whole or not at all, and saying in one line why one could not be read or written."""
import contextlib
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from hwsim.errors import FileError


@contextlib.contextmanager
def whole(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A binary file to write to, which replaces `path` only when the block ends well; a device or pipe is written to directly.

    Errors: FileError where the file cannot be written.
    """
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


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raises FileError unless a file can be made at `path`: to be asked before long work."""
    path = Path(path)
    if path.is_dir():
        raise FileError(f"{path}: must be writable, not a folder")
    if path.exists() and not path.is_file():
        return
    try:
        descriptor, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise FileError(f"{path}: must be writable, not {reason(error)}") from error
    os.close(descriptor)
    os.unlink(partial)


@contextlib.contextmanager
def staged(path: str | os.PathLike[str] | None) -> Iterator[Path | None]:
    """A folder beside `path` to write into, whose files are moved into `path` only when the block ends well.

    None for no path. Files that `path` holds already stay, unless one of the same name replaces them.
    Errors: FileError where the folder cannot be made or written.
    """
    if path is None:
        yield None
        return
    path = Path(path).absolute()
    there = next(parent for parent in (path, *path.parents) if parent.exists())
    if not there.is_dir():
        raise FileError(f"{path}: must be a folder that can be made, not below the file {there}")
    try:
        grown = Path(tempfile.mkdtemp(dir=there if there != path else path.parent, prefix=f".{path.name}-"))
    except OSError as error:
        raise FileError(f"{path}: must be a folder that can be made, not {reason(error)}") from error
    try:
        yield grown
        for file in sorted(filter(Path.is_file, grown.rglob("*"))):
            os.replace(file, folder((path / file.relative_to(grown)).parent) / file.name)
    except OSError as error:
        raise FileError(f"{path}: must be writable, not {reason(error)}") from error
    finally:
        shutil.rmtree(grown, ignore_errors=True)


REASONS: dict[type[BaseException], str] = {
    FileNotFoundError: "missing", IsADirectoryError: "a folder", NotADirectoryError: "below a file",
    PermissionError: "closed to this user"}


def reason(error: BaseException) -> str:
    """What an exception of the system or a library says, as one short line."""
    if type(error) in REASONS:
        return REASONS[type(error)]
    return str(getattr(error, "strerror", None) or error or type(error).__name__).splitlines()[0].lower()


def folder(path: str | os.PathLike[str]) -> Path:
    """`path` as a folder, made with its parents if need be. Errors: FileError."""
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{path}: must be a folder that can be made, not {reason(error)}") from error
    return path


def sha256(path: str | Path) -> str:
    """The hex digest of a file, read in blocks. Errors: FileError."""
    digest = hashlib.sha256()
    try:
        with Path(path).open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise FileError(f"{path}: must be a readable file, not {reason(error)}") from error
    return digest.hexdigest()


def safe_name(name: str) -> str:
    """`name` as part of a file name: every character outside [A-Za-z0-9_.-] becomes _ (spec/vectors.md section 2)."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)
