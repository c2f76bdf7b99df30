"""Kernels for CPUs that this one is not: compiled for their names and features in a child, run by an emulated CPU here."""
import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

from numba.core.registry import cpu_target
from numba.core.runtime import rtsys

from helpers import emulator
from hwsim.engine.kernels import build, program, target

AVX2 = "avx avx2 bmi bmi2 fma sse4.1 sse4.2 ssse3 popcnt".split()
AVX512 = [*AVX2, "avx512f", "avx512bw", "avx512vl", "avx512dq", "avx512cd"]
FEATURES = {"sapphirerapids": [*AVX512, "avx512vnni", "avxvnni"], "skylake-avx512": AVX512, "alderlake": [*AVX2, "avxvnni"]}
MEMORY = ("weights", "runs", "channels", "counters", "owned")  # the addresses of a JOB


class Foreign:
    """The kernels of a CPU model on one rung of its ladder, the fastest where none is named: `rung` and kernel(variant)."""

    def __init__(self, model, rung=None):
        self._machine, self._made, self._cache = emulator.Machine(), {}, tempfile.TemporaryDirectory()
        features = ",".join(f"+{name}" for name in FEATURES[model])
        chosen = {"NUMBA_CPU_NAME": model, "NUMBA_CPU_FEATURES": features, "NUMBA_CACHE_DIR": self._cache.name}
        self._child = subprocess.Popen([sys.executable, Path(__file__).with_name("cross_child.py")], env=os.environ | chosen,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        ladder = pickle.load(self._child.stdout)
        self.rung = next(step for step in ladder if step.name == (rung or ladder[0].name))
        rtsys.initialize(cpu_target.target_context)  # finished code is linked with numba's runtime

    def kernel(self, v):
        """What microkernel.kernel(v) is there."""
        if v not in self._made:
            library, address = self._compiled(v)
            self._made[v] = library, self._function(address)
        return self._made[v][1]

    def take_over(self, setattr=setattr):
        """Makes its rung the only one of this process."""
        setattr(target, "ladder", lambda: (self.rung,))
        for module in (build, program):
            setattr(module, "kernel", self.kernel)

    def close(self):
        self._child.communicate()
        self._cache.cleanup()

    def _compiled(self, v):
        """(numba's library, the address of the function in it)."""
        pickle.dump(v, self._child.stdin)
        self._child.stdin.flush()
        code, name = pickle.load(self._child.stdout)
        library = cpu_target.target_context.codegen().unserialize_library(code)
        return library, library.get_pointer_to_function(name)

    def _function(self, address):
        results = emulator.Memory()  # numba's functions begin with the addresses of a result and of an exception

        def rows(jobs, inputs, out, count):
            places = jobs.ctypes.data, inputs, out, *(int(jobs[0][name]) for name in MEMORY)
            array = 0, 0, 1, jobs.itemsize, jobs.ctypes.data, 1, jobs.itemsize
            arguments = results.address, results.address + emulator.PAGE // 2, *array, inputs, out, count
            status = self._machine.call(address, arguments, (results.address, *places)) & 0xFFFFFFFF
            assert status == 0, status

        return rows
