"""The injection: its state machine, the undo journal on disk, the Chaos Toolkit as a child process.

May not live here: a fault's own deed (harness/chaos) or a platform's means (harness/platforms).
"""
