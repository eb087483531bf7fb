"""The pure core: what was claimed, what was seen, and what follows from it.

Flat in it lies what measures and judges one run, and what one run and many share (`outcome.py`,
`order_statistics.py`, `money.py`). What decides over many has rooms of its own: `gate`,
`readiness`, `gameday`; the judgement of a run knows none of them.

Lives here: frozen values and functions over them. May not live here: I/O, a clock,
a global, an import of anything but the standard library, numpy and scipy.
"""
