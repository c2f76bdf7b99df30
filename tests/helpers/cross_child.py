"""Kernels for another CPU, made in a process of their own: Variants in, machine code out, pickled, on stdin and stdout.

First out: the ladder of this process's target. Then for every Variant: (numba's form of a finished library, the name of the
function in it).
"""
import pickle
import sys

from hwsim.engine.kernels.microkernel import kernel
from hwsim.engine.kernels.target import ladder


def main():
    say(ladder())
    while True:
        try:
            made = kernel(pickle.load(sys.stdin.buffer))
        except EOFError:
            return
        (code,) = made.overloads.values()
        say((code.library.serialize_using_object_code(), code.fndesc.llvm_func_name))


def say(what):
    pickle.dump(what, sys.stdout.buffer)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
