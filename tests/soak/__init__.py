"""The soak: hours of load, a fault again and again, and whether the instrument grows or leaves anything.

flat        whether memory and descriptors stay level, and what a soak came to: pure
sampling    one look at the instrument's processes, and a census of all that is there
trade       the load, the faults one after another, and the look at the stores
soak        `make soak`: all of it on a platform of its own, with a tally
"""
