"""numba's compiler without its surprises: a cache that cannot be written or read costs time and nothing else."""
import pickle
import warnings
import zlib
from functools import partial

from numba import njit
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.runtime import rtsys
from numba.core.serialize import dumps


class CannotCompile(Exception):
    """numba made no code of a function, for whatever reason: the next rung of the ladder gives the same bits."""


def compiled(function, signature=None):
    """`function` under numba, without the GIL; its code is kept between runs where a folder for it can be written.

    With a signature it is compiled, or fetched from the cache, at once, else at the first call. Errors: CannotCompile.
    """
    made = njit(function, nogil=True)
    if made is function:  # NUMBA_DISABLE_JIT
        return function
    made._cache = _cache_of(function, made._cache)
    made.compile = partial(_compile, made.compile)
    if signature is not None:
        made.compile(signature)
    return made


def _compile(compile_for, signature):
    try:
        return compile_for(signature)
    except Exception as error:  # whatever the compiler says
        raise CannotCompile(str(error)) from error


def lost(what, error):
    """Warns that `what` is not to be had, once in a process."""
    if what not in _LOST:
        _LOST.add(what)
        cause = error.__cause__ or error
        reason = f"{type(cause).__name__}: {next(iter(str(cause).splitlines()), '')}"
        warnings.warn(f"{what} could not be compiled, a slower path gives the same bits ({reason})", stacklevel=2)


_LOST: set[str] = set()


def _cache_of(function, none):
    """The function's cache, or `none` where no folder can be written: then its code is compiled anew in every process."""
    try:
        return _Cache(function)
    except (RuntimeError, OSError):
        _unkept()
        return none


def _unkept():
    """Warns that nothing is kept for the next process, once."""
    if "" not in _LOST:
        _LOST.add("")
        warnings.warn("compiled code cannot be kept: no folder can be written, so every start compiles anew "
                      "(NUMBA_CACHE_DIR names a folder)", stacklevel=2)


class _Checked(CompileResultCacheImpl):
    """Finished code with a checksum: machine code that a disk has changed would end the process."""

    def get_filename_base(self, fullname, abiflags):
        """Files of their own: what numba alone wrote has no checksum."""
        return super().get_filename_base(fullname, abiflags) + ".checked"

    def reduce(self, cres):
        payload = dumps(super().reduce(cres))
        return zlib.crc32(payload), payload

    def rebuild(self, target_context, stored):
        checksum, payload = stored
        if zlib.crc32(payload) != checksum:
            raise ValueError("checksum")
        return super().rebuild(target_context, pickle.loads(payload))


class _Cache(FunctionCache):
    """numba's cache of one function. An index or code that cannot be read is given up for an empty one, once and aloud."""

    _impl_class = _Checked
    told = False

    def load_overload(self, sig, target_context):
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

    def save_overload(self, sig, data):
        try:
            self._save_overload(sig, data)
        except OSError:
            _unkept()
            self.disable()

    def _start_anew(self, error):
        if not _Cache.told:  # several files may be damaged, each in its own way
            _Cache.told, reason = True, type(error).__name__
            warnings.warn(f"compiled code in the cache could not be read ({reason}); it is made again", stacklevel=2)
        try:
            self.flush()
        except OSError:
            self.disable()
