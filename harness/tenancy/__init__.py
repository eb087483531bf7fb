"""Whose is the platform? One drill's at a time, and mended before it is the next one's.

    lock.py       the lock that dies with its holder, and the name that a drill leaves
    mending.py    what a killed drill left behind, undone
    adoption.py   an Odoo or a stack that peakdrill did not start and never ends
    taking.py     from an order to the platform that it is drilled on

May not live here: how a platform is started or ended (harness.platforms), the undo itself
(harness.faults, harness.recovery), a drill.
"""
