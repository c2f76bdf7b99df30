"""Reading HDF5 files that nobody vouches for: what is declared is checked before anything is read or allocated.

Refused: soft and external links, external storage, virtual datasets, filters from plug-ins, objects whose declared size
does not fit what the file stores. Every failure is a FileError of one line.
"""
from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import prod
from typing import Any

import h5py
import numpy as np

from hwsim.errors import FileError

MAX_TEXT = 1 << 26     # bytes of one attribute
MAX_NAMES = 1 << 16    # strings in one attribute
MAX_VALUES = 1 << 26   # weights read from one file: 512 MiB as float64
MAX_RATIO = 1100       # deflate cannot compress better than 1032 : 1
FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}
DAMAGE = (OSError, KeyError, RuntimeError, ValueError, TypeError, OverflowError, MemoryError)


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[Hdf5File]:
    """The Hdf5File at `path`, open for reading. Errors: FileError."""
    with _guarded("an HDF5 file must be whole and readable"):
        file = h5py.File(path, "r", locking=False)
    with file:
        yield Hdf5File(file)


@contextmanager
def _guarded(rule: str) -> Iterator[None]:
    """Turns damage that h5py meets into a FileError of one line that says which rule it broke."""
    try:
        yield
    except DAMAGE as error:
        detail = " ".join(str(error).split())[:120]
        raise FileError(f"{rule}, not damaged ({detail})") from None


class Hdf5File:
    """An open file; counts the values that were read from it. Every method raises FileError for damage."""

    def __init__(self, file: h5py.File) -> None:
        self._file = file
        self._left = MAX_VALUES

    @property
    def root(self) -> h5py.File:
        """The root group."""
        return self._file

    def member(self, group: h5py.Group, path: str, title: str) -> h5py.Group | h5py.Dataset:
        """The object at `path` below `group`, reached through hard links only; `title` names it in errors."""
        with _guarded(f"{title} must be readable"):
            for part in filter(None, path.split("/")):
                group = _child(group, part, title)
        return group

    def has(self, group: h5py.Group, name: str) -> bool:
        """Whether the group has a member `name`; a dataset has none."""
        with _guarded(f"{show(name)} must be readable"):
            return isinstance(group, h5py.Group) and name in group

    def has_attribute(self, name: str) -> bool:
        """Whether the root carries the attribute."""
        with _guarded(f"attribute {show(name)} must be readable"):
            return name in self.root.attrs

    def text(self, group: h5py.Group, name: str) -> str | None:
        """The attribute `name` as text, or None when there is none. Errors: FileError for several texts."""
        value = self._attribute(group, name)
        if value is None:
            return None
        texts = _strings(value, name)
        if len(texts) != 1:
            raise FileError(f"attribute {show(name)} must be one text, not {len(texts)}")
        return texts[0]

    def names(self, group: h5py.Group, name: str) -> list[str]:
        """The strings of attribute `name`; Keras spreads long lists over name0, name1, ...

        Errors: FileError for more than MAX_NAMES parts.
        """
        whole = self._attribute(group, name)
        if whole is not None:
            return _strings(whole, name)
        texts: list[str] = []
        for number in range(MAX_NAMES):
            part = self._attribute(group, f"{name}{number}")
            if part is None:
                return texts
            texts += _strings(part, name)
        raise FileError(f"attribute {show(name)} must come in at most {MAX_NAMES} parts, not more")

    def _attribute(self, group: h5py.Group, name: str) -> Any:
        """A text attribute, [] for an empty one, None when there is none; its declared size is checked first."""
        with _guarded(f"attribute {show(name)} must be readable"):
            if name not in group.attrs:
                return None
            handle = group.attrs.get_id(name)
            if handle.get_storage_size() > MAX_TEXT or prod(handle.shape) > MAX_NAMES:
                raise FileError(f"attribute {show(name)} must hold at most {MAX_TEXT} bytes, not {handle.get_storage_size()}")
            if prod(handle.shape) == 0:
                return []
            if handle.get_type().get_class() != h5py.h5t.STRING:
                raise FileError(f"attribute {show(name)} must hold text, not other values")
            return group.attrs[name]

    def array(self, dataset: h5py.Dataset, name: str, shape: Sequence[int]) -> np.ndarray:
        """The dataset as float64. Raises FileError unless it is a finite float array of `shape` that the file really stores."""
        if not isinstance(dataset, h5py.Dataset):
            raise FileError(f"{name} must be a dataset, not a group")
        with _guarded(f"{name} must be readable"):
            self._check(dataset, name, shape)
            values = np.asarray(dataset[()], np.float64)
        if not np.isfinite(values).all():
            raise FileError(f"{name} must hold finite numbers, not {_first_bad(values)}")
        return values

    def _check(self, dataset: h5py.Dataset, name: str, shape: Sequence[int]) -> None:
        if dataset.shape != tuple(shape):
            raise FileError(f"{name} must have shape {shape_text(shape)}, not {shape_text(dataset.shape)}")
        if dataset.dtype.kind != "f" or dataset.dtype.itemsize not in (2, 4, 8):
            raise FileError(f"{name} must hold 16, 32 or 64 bit floats, not {dataset.dtype}")
        self._left -= dataset.size
        if self._left < 0:
            raise FileError(f"a model must have at most {MAX_VALUES} weights, not more (at {name})")
        _check_storage(dataset, name)


def _check_storage(dataset: h5py.Dataset, name: str) -> None:
    if dataset.is_virtual or dataset.external:
        raise FileError(f"{name} must be stored in this file, not in another")
    stored = dataset.id.get_storage_size()
    plan = dataset.id.get_create_plist()
    filters = {plan.get_filter(i)[0] for i in range(plan.get_nfilters())}
    if not filters <= FILTERS:
        raise FileError(f"{name} must be stored plain or deflated, not with filter {max(filters - FILTERS)}")
    if stored * (MAX_RATIO if filters else 1) < dataset.nbytes:
        raise FileError(f"{name} must be stored whole: {dataset.nbytes} bytes, not {stored}")


def _child(group: h5py.Group, part: str, title: str) -> h5py.Group | h5py.Dataset:
    link = group.get(part, getlink=True) if isinstance(group, h5py.Group) else None
    if link is None:
        raise FileError(f"{title} must be in the file, not missing")
    if not isinstance(link, h5py.HardLink):
        raise FileError(f"{title} must be in the file itself, not behind a link")
    return group[part]


def _strings(value: Any, name: str) -> list[str]:
    values = np.ravel(value).tolist()
    if not all(isinstance(v, (str, bytes)) for v in values):
        raise FileError(f"attribute {show(name)} must hold text, not other values")
    return [v if isinstance(v, str) else _decoded(v, name) for v in values]


def _decoded(value: bytes, name: str) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise FileError(f"attribute {show(name)} must be UTF-8 text, not other bytes") from None


def _first_bad(values: np.ndarray) -> str:
    where = np.argwhere(~np.isfinite(values))[0]
    return f"{values[tuple(where)]} at {where.tolist()}"


def show(name: object) -> str:
    """A value out of a file as text that is safe to print on one line, at most 120 letters."""
    return repr(name)[:120]


def shape_text(shape: Sequence[int]) -> str:
    """A shape as text: 3x3x16, or scalar."""
    return "x".join(map(str, shape)) or "scalar"
