"""The pure core: what was claimed, what was seen, and what follows from it.

Lives here: frozen values and functions over them. May not live here: I/O, a clock,
a global, an import of anything but the standard library, numpy and scipy.
"""
