"""numba's compiler without its surprises: a cache that cannot be written or read costs time and nothing else."""
from numba import njit


def compiled(function, signature=None):
    """`function` under numba, without the GIL; its code is kept between runs where a folder for it can be written.

    With a signature it is compiled, or fetched from the cache, at once; a damaged cache is passed by.
    """
    try:
        return _made(function, signature, True)
    except Exception:
        return _made(function, signature, False)


def _made(function, signature, cache):
    made = njit(function, cache=cache, nogil=True)
    if signature is not None:
        made.compile(signature)
    return made
