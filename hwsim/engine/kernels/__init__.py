"""Convolution kernels made at run time for the CPU's dot-product instruction; conv.py is the only entry point."""
