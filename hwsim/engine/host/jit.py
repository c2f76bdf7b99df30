"""numba's just-in-time compiler with a checked cache on disk: one that cannot be written or read costs time and nothing else.

_WARNED, and _Cache.warned, are state of the process: every warning is given once.
"""
from __future__ import annotations

import pickle
import warnings
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from numba import njit
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.runtime import rtsys
from numba.core.serialize import dumps

Function = TypeVar("Function", bound=Callable[..., Any])


class CannotCompile(Exception):
    """numba could not compile a function, for whatever reason: the next ISA level, or numpy, gives the same bits."""


def compiled(function: Function, signature: object = None) -> Function:
    """`function` under numba, without the GIL; its code is kept between runs where a folder for it can be written.

    signature: numba's, in a tuple of types or a string; with one the function is compiled, or fetched from the cache, at once,
    else at the first call. Errors: CannotCompile, from here or from that call.
    """
    dispatcher: Any = njit(function, nogil=True)
    if dispatcher is function:  # NUMBA_DISABLE_JIT
        return function
    dispatcher._cache = _cache_of(function, dispatcher._cache)
    dispatcher.compile = partial(_compile, dispatcher.compile)
    if signature is not None:
        dispatcher.compile(signature)
    kept: Function = dispatcher
    return kept


def _compile(compile_for: Callable[[object], Any], signature: object) -> Any:
    try:
        return compile_for(signature)
    except Exception as error:  # whatever the compiler says
        raise CannotCompile(str(error)) from error


def lost(what: str, error: BaseException) -> None:
    """Warns that `what` could not be compiled because of `error`, once in a process for each `what`."""
    if what not in _WARNED:
        _WARNED.add(what)
        cause = error.__cause__ or error
        reason = f"{type(cause).__name__}: {next(iter(str(cause).splitlines()), '')}"
        warnings.warn(f"{what} could not be compiled, a slower path gives the same bits ({reason})", stacklevel=2)


_WARNED: set[str] = set()


def _cache_of(function: Callable[..., Any], without: Any) -> Any:
    """The function's cache, or `without` where no folder can be written: then every process compiles it again."""
    try:
        return _Cache(function)
    except (RuntimeError, OSError):
        _warn_not_kept()
        return without


def _warn_not_kept() -> None:
    """Warns that nothing is kept for the next process, once."""
    if "" not in _WARNED:
        _WARNED.add("")
        warnings.warn("compiled code cannot be kept: no folder can be written, so every start compiles anew "
                      "(NUMBA_CACHE_DIR names a folder)", stacklevel=2)


class _Checked(CompileResultCacheImpl):
    """Finished code with a checksum: machine code that a disk has changed would end the process."""

    def get_filename_base(self, fullname: str, abiflags: str) -> str:
        """Files of their own: what numba alone wrote has no checksum."""
        return f"{super().get_filename_base(fullname, abiflags)}.checked"

    def reduce(self, cres: Any) -> tuple[int, bytes]:
        payload = dumps(super().reduce(cres))
        return zlib.crc32(payload), payload

    def rebuild(self, target_context: Any, stored: tuple[int, bytes]) -> Any:
        checksum, payload = stored
        if zlib.crc32(payload) != checksum:
            raise ValueError("checksum")
        return super().rebuild(target_context, pickle.loads(payload))


class _Cache(FunctionCache):
    """numba's cache of one function. An index or code that cannot be read is replaced by an empty one, with one warning."""

    _impl_class = _Checked
    warned = False

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What was compiled before for these types, or None.

        numba would first load the whole of its library, as long as everything else at a start: finished code needs its
        runtime alone, and whoever has to compile loads the library then.
        """
        rtsys.initialize(target_context)
        try:
            return self._load_overload(sig, target_context)
        except Exception as error:  # what unpickling foreign bytes may raise is open
            self._start_anew(error)
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            self._save_overload(sig, data)
        except OSError:
            _warn_not_kept()
            self.disable()

    def _start_anew(self, error: Exception) -> None:
        if not _Cache.warned:  # several files may be damaged, each in its own way
            _Cache.warned, reason = True, type(error).__name__
            warnings.warn(f"compiled code in the cache could not be read ({reason}); it is made again", stacklevel=2)
        try:
            self.flush()
        except OSError:
            self.disable()
