"""Who watches a drill while it goes on: the customers' side as it is served, the guard rails, the
leader, what is told to the war room, and the red button.

May live here: what reads growing ledgers and looks from threads of its own (live.py, harm.py,
guarding.py, witness.py), the one small file that others on the machine read (live_state.py,
live_telling.py), and the order to stop (abort.py). May not: a verdict (harness.core judges, from
the evidence, after the end), a page or a server (harness.serving), the platform's own alerts and
telemetry (harness.observe), a repair.
"""
