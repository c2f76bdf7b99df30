"""A CPU of another kind: machine code of this process, on its memory, run by the CPU of Bochs (package bochscpu-python).

Importing it raises ImportError where there is none. That CPU sees memory through page tables of its own, made here: gigabytes of
this process's addresses in the order of their first use, in pages of 2 MB, all readable and writable.
"""
import ctypes
import mmap
import struct
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

PAGE, LARGE, GIGABYTE, ENTRIES = 1 << 12, 1 << 21, 1 << 30, 512  # bytes; entries of a page table
PRESENT, LARGE_PAGE = 0x07, 0x87  # for all rings, writable
STACK = 64  # pages
READ, WRITE, EXECUTE = 1, 2, 4
HALT, JUMP = b"\xf4", b"\xe9"
MADE_AS = "_Z23create_corei3_cnl_cpuidP8BX_CPU_C"  # what makes the CPU that the package comes as
WANTED = "_Z28create_sapphire_rapids_cpuidP8BX_CPU_C"  # AVX-512 and AVX, both with VNNI
REGISTERS = ("rdi", "rsi", "rdx", "rcx", "r8", "r9")  # of arguments, in the calling convention of System V


def _load():
    """The package; its wheel asks for a C library of 2.38 or newer, and for two small functions of it only."""
    try:
        import bochscpu.memory
    except ImportError as error:
        if "__isoc23" not in str(error):
            raise
        _add_newer_libc(error)
    import bochscpu.cpu
    import bochscpu.memory
    return bochscpu


def _add_newer_libc(error):
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder, "newer_libc.so")
        try:
            subprocess.run(["cc", "-shared", "-fPIC", "-o", library, Path(__file__).with_name("newer_libc.c")], check=True)
        except (OSError, subprocess.CalledProcessError):
            raise ImportError(f"{error}; a C library of 2.38 or newer has it, or a C compiler, cc, adds it") from None
        ctypes.CDLL(library, ctypes.RTLD_GLOBAL)


bochscpu = _load()
libc = ctypes.CDLL(None)
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


def _become(wanted):
    """Makes every CPU another one: the maker of what the package comes as begins with a jump to the other's."""
    library = ctypes.CDLL(bochscpu._bochscpu.__file__)
    try:
        old, new = (ctypes.cast(getattr(library, name), ctypes.c_void_p).value for name in (MADE_AS, wanted))
    except AttributeError as error:
        raise ImportError(f"bochscpu must be one of 0.4: {error}") from error
    page = ctypes.c_void_p(old - old % PAGE)
    libc.mprotect(page, 2 * PAGE, READ | WRITE | EXECUTE)
    ctypes.memmove(old, JUMP + struct.pack("<i", new - old - 5), 5)
    libc.mprotect(page, 2 * PAGE, READ | EXECUTE)


_become(WANTED)


class Fault(Exception):
    """The code ended in a processor exception."""


class Memory:
    """Zero pages that stay where they are."""

    def __init__(self, count=1):
        self._map = mmap.mmap(-1, count * PAGE)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self._map))

    def put(self, offset, data):
        self._map[offset:offset + len(data)] = data


class Pages:
    """The page tables. There is one such object, as Bochs has one physical memory."""

    def __init__(self):
        self._tables, self._gigabytes, self._directories = [], [None], {}
        self._root, self.root = self._table()

    def show(self, address):
        """Maps the gigabyte that an address lies in and the next one."""
        for gigabyte in (address // GIGABYTE, address // GIGABYTE + 1):
            if gigabyte not in self._gigabytes:
                self._map(gigabyte)

    def insert(self, physical):
        """Hands over a page that is touched for the first time."""
        physical -= physical % PAGE
        address = self._gigabytes[physical // GIGABYTE] * GIGABYTE + physical % GIGABYTE
        bochscpu.memory.page_insert(physical, address)

    def _map(self, gigabyte):
        directory, entry = divmod(gigabyte, ENTRIES)
        if directory not in self._directories:
            self._directories[directory] = self._enter(self._root, directory)
        pages = np.arange(ENTRIES, dtype=np.uint64) * LARGE + (len(self._gigabytes) * GIGABYTE + LARGE_PAGE)
        self._enter(self._directories[directory], entry).put(0, pages.tobytes())
        self._gigabytes.append(gigabyte)

    def _enter(self, table, index):
        """A new table, which becomes entry `index` of `table`."""
        entered, physical = self._table()
        table.put(8 * index, struct.pack("<Q", physical | PRESENT))
        return entered

    def _table(self):
        """(Memory, physical address) of a new page table."""
        table, physical = Memory(), PAGE * (1 + len(self._tables))
        self._tables.append(table)
        bochscpu.memory.page_insert(physical, table.address)
        return table, physical


PAGES = Pages()


class Machine:
    """One CPU that runs some 5e7 instructions a second."""

    _thread = ThreadPoolExecutor(1)  # all calls run on this one: Bochs knows one CPU at a time, and one thread

    def __init__(self):
        self._stack, self._end = Memory(STACK), Memory()
        self._end.put(0, HALT)

    def call(self, function, arguments, reach):
        """rax of function(*arguments), unsigned integers; reach: addresses, each of some bytes that it may touch."""
        return self._thread.submit(self._run, function, arguments, reach).result()

    def _run(self, function, arguments, reach):
        for address in (function, self._stack.address, self._end.address, *reach):
            PAGES.show(address)
        session, hook, faults = bochscpu.Session(), bochscpu.Hook(), []

        def fault(cpu, _, vector, code):
            faults.append(f"exception {vector}, error code {code}, near address {cpu.cpu.state.cr2:#x}")
            cpu.stop()

        hook.exception, hook.hlt = fault, lambda cpu, _: cpu.stop()
        session.missing_page_handler, session.cpu.state = PAGES.insert, self._state(function, arguments)
        session.run([hook])
        if faults:
            raise Fault(faults[0])
        return session.cpu.state.rax

    def _state(self, function, arguments):
        state = bochscpu.State()
        bochscpu.cpu.set_long_mode(state)
        state.cr0, state.cr4, state.cr3 = 0x80050033, 0x406A0 | 0x600, PAGES.root  # paging; SSE and XSAVE enabled
        state.efer, state.xcr0, state.rflags = 0xD01, 0xE7, 2  # 64 bits; x87, SSE, AVX and AVX-512 enabled
        state.mxcsr, state.mxcsr_mask = 0x1F80, 0xFFFF
        state.cs = _segment(0xA09B, 0x08)
        for name in ("ds", "es", "ss", "fs", "gs"):
            setattr(state, name, _segment(0xC093, 0x10))
        for name, value in zip(REGISTERS, arguments):
            setattr(state, name, value)
        state.rip, state.rsp = function, self._pushed(arguments[len(REGISTERS):])
        return state

    def _pushed(self, arguments):
        """The stack pointer, with the return address and these arguments above it."""
        words = [self._end.address, *arguments]
        here = (STACK - 1) * PAGE - 8  # a multiple of 16 before the call
        self._stack.put(here, struct.pack(f"<{len(words)}Q", *words))
        return self._stack.address + here


def _segment(attributes, selector):
    segment = bochscpu.Segment()
    segment.present, segment.base, segment.limit = True, 0, 0xFFFFFFFF
    segment.attr, segment.selector = attributes, selector
    return segment
